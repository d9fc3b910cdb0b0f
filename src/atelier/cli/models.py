"""`atelier models`: the trained models, their cards, versions and checksums."""

import dataclasses
from typing import Annotated

import typer

from atelier.cli import drifting
from atelier.cli.judging import ModelName
from atelier.cli.options import AsJson, start_keras
from atelier.cli.output import show, show_json, show_table
from atelier.errors import AtelierError

app = typer.Typer(help="See, check, register and promote trained models.", no_args_is_help=True)

Alias = Annotated[str, typer.Option(help="The alias that moves: champion, challenger or another.")]
Versioned = Annotated[
    str, typer.Argument(metavar="MODEL|TASK/N", help="A folder, a name in models/, or a version.")
]


@app.command("list")
def list_models(
    of_versions: Annotated[
        bool, typer.Option("--versions", help="List the registered versions instead.")
    ] = False,
    as_json: AsJson = False,
):
    """Every model in models/, with its scores, version and aliases."""
    from atelier import models, paths, registry

    table = registry.versions() if of_versions else models.list_models()
    if as_json:
        show_json(table)
    elif not table.empty:
        show_table(map(_short, table.to_dict("records")), list(table.columns))
    elif of_versions:
        show("No versions. Register a model: atelier models register MODEL")
    else:
        show(f"No models in {paths.models_dir()}. Train one: atelier train RECIPE --data DIR")


def _short(row):
    """A row's cells, of which none is long."""
    if "digest" in row:
        row |= {"aliases": ", ".join(row["aliases"]), "digest": row["digest"][:12]}
    return row.values()


@app.command()
def card(model: ModelName, as_json: AsJson = False):
    """A model's card: its data, scores, licence, intended use and limits."""
    from atelier import models

    text = models.card(model)
    show_json({"model": model, "card": text}) if as_json else show(text)


@app.command()
def verify(model: ModelName, as_json: AsJson = False):
    """Compare a model's files with their checksums."""
    from atelier import models

    states = models.verify(model)
    if as_json:
        show_json(states)
    else:
        show_table(states.items(), ("file", "state"))
    wrong = [file for file, state in states.items() if state != "ok"]
    if wrong:
        raise AtelierError(
            f"the files of {model} as they were saved",
            f"{', '.join(wrong)} changed or missing",
            "Restore the folder, or train anew.",
        )


@app.command()
def register(model: ModelName, as_json: AsJson = False):
    """Keep a model's files as a version, which no later training changes."""
    from atelier import registry

    version = registry.register(model)
    _tell(version, f"{version.model} is {version.name}", as_json)


@app.command()
def promote(model: Versioned, alias: Alias = "champion", as_json: AsJson = False):
    """Let an alias mean this model from now on, after loading it once."""
    start_keras()
    from atelier import registry

    version = registry.promote(model, alias=alias)
    said = f"{version.task}@{alias} is now {version.name} ({version.model})"
    _tell(version, said, as_json, alias=alias)


@app.command()
def rollback(
    alias: Alias = "champion",
    task: Annotated[
        str, typer.Option(help="Whose alias: artist, style, genre, movement, fast or monet.")
    ] = "artist",
    as_json: AsJson = False,
):
    """Let an alias mean what it meant before its last promotion."""
    from atelier import registry

    version = registry.rollback(alias, task)
    said = f"{version.task}@{alias} is again {version.name} ({version.model})"
    _tell(version, said, as_json, alias=alias)


app.command()(drifting.reference)


def _tell(version, said, as_json, **facts):
    if as_json:
        show_json({**facts, "version": version.name, **dataclasses.asdict(version)})
    else:
        show(said)
