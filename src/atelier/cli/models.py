"""`atelier models`: the trained models, their cards, versions and checksums."""

from typing import Annotated

import typer

from atelier.cli.judging import ModelName
from atelier.cli.options import AsJson, start_keras
from atelier.cli.output import show, show_json, show_table
from atelier.errors import AtelierError

app = typer.Typer(help="See, check and promote trained models.", no_args_is_help=True)

Alias = Annotated[str, typer.Option(help="The alias that moves.")]


@app.command("list")
def list_models(as_json: AsJson = False):
    """Every model in models/, with its scores and aliases."""
    from atelier import models, paths

    table = models.list_models()
    if as_json:
        show_json(table)
    elif table.empty:
        show(f"No models in {paths.models_dir()}. Train one: atelier train RECIPE --data DIR")
    else:
        show_table(table.itertuples(index=False), list(table.columns))


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
def promote(model: ModelName, alias: Alias = "champion", as_json: AsJson = False):
    """Let an alias mean this model from now on, after loading it once."""
    start_keras()
    from atelier import models

    name = models.promote(model, alias=alias)
    show_json({"alias": alias, "model": name}) if as_json else show(f"{alias} is now {name}")


@app.command()
def rollback(alias: Alias = "champion", as_json: AsJson = False):
    """Let an alias mean what it meant before its last promotion."""
    from atelier import models

    name = models.rollback(alias)
    show_json({"alias": alias, "model": name}) if as_json else show(f"{alias} is again {name}")
