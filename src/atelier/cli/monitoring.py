"""`atelier monitor`: what users say of the answers, and whether the challenger is better."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli import drifting
from atelier.cli.options import AsJson
from atelier.cli.output import show, show_json, show_table

app = typer.Typer(help="Watch how models do in use.", no_args_is_help=True)
app.command("report")(drifting.report)

NOTHING = "No feedback yet. It is given in the web application: atelier app"


@app.command()
def ab(
    since: Annotated[
        float | None, typer.Option(metavar="DAYS", min=0, help="Only feedback of so many days.")
    ] = None,
    as_json: AsJson = False,
):
    """Compare the challenger with the champion by users' feedback."""
    import dataclasses

    import pandas as pd

    from atelier.serve.ab import compare
    from atelier.serve.feedback import feedback_table
    from atelier.serve.store import Store

    table = feedback_table(Store())
    if since is not None:
        table = table[table["time"] >= pd.Timestamp.now("UTC") - pd.Timedelta(days=since)]
    found = compare(table)
    if as_json:
        show_json(dataclasses.asdict(found))
        return
    columns = ("model", "version", "judged", "right", "accuracy", "low", "high")
    arms = {"champion": found.champion, "challenger": found.challenger}
    rows = [(name, *(getattr(arm, column) for column in columns)) for name, arm in arms.items()]
    show_table(rows, ("arm", *columns[:-2], "95 % from", "to"))
    show(found.sentence)


@app.command()
def feedback(
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write pictures that users gave, by artist, for `atelier train`."
        ),
    ] = None,
    as_json: AsJson = False,
):
    """Count the feedback on each model and version; export what can be learned from."""
    from atelier.serve import feedback as feedbacks
    from atelier.serve.store import Store

    store = Store()
    table = feedbacks.feedback_table(store)
    counts, written = _counts(table), None
    if export is not None and not table.dropna(subset=["picture", "artist"]).empty:
        written = feedbacks.export(store, export)
    if as_json:
        show_json({"feedback": counts, "exported": written})
        return
    if table.empty:
        show(NOTHING)
        return
    show_table(counts.itertuples(index=False), list(counts.columns))
    if written is not None:
        show(f"Pictures by artist are in {written}")
    elif export is not None:
        show("Nothing to export: no feedback yet with a kept picture and a known artist.")


def _counts(table):
    """One row for each kind, model and version."""
    groups = table.groupby(["kind", "model", "version"], dropna=False)
    counts = groups.agg(
        feedback=("request", "size"),
        right=("right", "sum"),
        wrong=("right", lambda right: (~right.dropna()).sum()),
        artists=("artist", "count"),
        pictures=("picture", "count"),
        ratings=("rating", "count"),
        rating=("rating", "mean"),
    )
    return counts.reset_index().astype({"right": "int64", "wrong": "int64", "rating": "float64"})
