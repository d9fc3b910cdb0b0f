"""The tree of commands and the options that all of them share."""

from typing import Annotated

import typer

import atelier
from atelier.cli import (
    collections,
    explaining,
    judging,
    models,
    monitoring,
    notebooks,
    reproducing,
    serving,
    similarity,
    stylizing,
    training,
    translating,
)
from atelier.cli.errors import OneLineErrors, quieten


class Atelier(OneLineErrors):
    """All commands, in the order in which one needs them."""

    def list_commands(self, ctx):
        """Their names; Typer would put `data`, a group, after the single commands."""
        return sorted(super().list_commands(ctx), key=lambda name: name != "data")


app = typer.Typer(
    name="atelier",
    cls=Atelier,
    help="Who painted this, and in which style? Read, train, judge and classify paintings.",
    epilog="Each command explains itself: atelier COMMAND --help.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool):
    if wanted:
        typer.echo(f"atelier {atelier.__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and warnings.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
):
    """Options that come before the command."""
    quieten(debug)


app.add_typer(collections.app, name="data")
app.command("train")(training.train)
app.command("tune")(training.tune)
app.command("evaluate")(judging.evaluate)
app.command("classify")(judging.classify)
app.command("explain")(explaining.explain)
app.command("similar")(similarity.similar)
app.command("outliers")(similarity.outliers)
app.command("stylize")(stylizing.stylize)
app.command("translate")(translating.translate)
app.add_typer(models.app, name="models")
app.add_typer(monitoring.app, name="monitor")
app.add_typer(notebooks.app, name="notebooks")
app.command("reproduce")(reproducing.reproduce)
app.command("app")(serving.app)
