"""`atelier reproduce`: make a table of README or of the report again, and compare."""

import dataclasses
from typing import Annotated

import typer

from atelier.cli.options import AsJson, start_keras
from atelier.cli.output import console, show, show_json, show_table

_COLUMNS = ("row", "number", "committed", "new", "difference", "agrees", "note")
_TOLERANCE = 0.03  # as `reproduce.comparing.TOLERANCE`, which `--help` would have to import


def reproduce(
    table: Annotated[
        str | None, typer.Argument(metavar="TABLE", help="Which table; see --list.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="List the tables, what makes each and what it needs.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what is needed and print the commands.")
    ] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="On invented pictures, drawn anew: to see the way.")
    ] = False,
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="Largest difference of accuracy and macro-F1; of other numbers, this part of "
            "the committed one.",
        ),
    ] = _TOLERANCE,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin again, whatever was made before.")
    ] = False,
    as_json: AsJson = False,
):
    """Train a table's models anew in build/reproduce/TABLE and compare with what is committed.

    Exit code 1 where numbers of the same pictures differ by more than the tolerance.
    """
    from atelier import reproduce as again

    if listed:
        _list(again.TABLES.values(), as_json)
        return
    if table is None:
        raise typer.BadParameter("Name a table; --list has them.", param_hint="TABLE")
    chosen = again.get_table(table)
    start_keras()
    found, steps = again.needs(chosen, sample=sample), again.steps(chosen, sample=sample)
    said = {
        "table": chosen.name,
        "source": chosen.source,
        "minutes": chosen.minutes,
        "needs": [dataclasses.asdict(need) for need in found],
        "commands": [str(step) for step in steps],
    }
    if dry_run:
        _show_plan(said, as_json)
        return
    _say_needs(chosen, found)
    how = again.make(chosen, sample=sample, overwrite=overwrite)
    compared = again.compare(chosen, how, tolerance=tolerance)
    folder = again.home_of(chosen)
    if as_json:
        rows = [dataclasses.asdict(one) for one in compared]
        show_json({**said, "folder": folder, "made": how, "tolerance": tolerance, "rows": rows})
    else:
        _show_rows(compared, folder, tolerance)
    again.check_agreement(chosen, compared, tolerance=tolerance)


def _list(tables, as_json):
    if as_json:
        show_json([dataclasses.asdict(table) for table in tables])
        return
    rows = []
    for table in tables:
        bodies = [f"{name} up to {layer}" if layer else name for name, layer in table.bodies]
        parts = [*table.collections, *bodies, *(f"models/{name}" for name in table.models)]
        compared = f"figures/{table.results}" if table.results else ""
        needed = ", ".join(parts)
        rows.append((table.name, table.title, table.source, table.minutes, needed, compared))
    show_table(rows, ("name", "what", "made by", "minutes", "needs", "compared with"))


def _show_plan(said, as_json):
    if as_json:
        show_json(said)
        return
    rows = [
        (need["kind"], need["name"], "missing" if need["missing"] else "", need["found"])
        for need in said["needs"]
    ]
    if rows:
        show_table(rows, ("needs", "name", "", "where"))
    for command in said["commands"]:
        show(command)


def _say_needs(table, found):
    """On stderr, before anything begins."""
    screen = console()
    for need in found:
        line = f"Needs {need.kind} {need.name}: {need.found}"
        screen.print(line, markup=False, soft_wrap=True)
    line = f"Takes about {table.minutes} minutes on two cores; stopped, it goes on."
    screen.print(line, markup=False, soft_wrap=True)


def _show_rows(compared, folder, tolerance):
    if compared:
        rows = [
            [
                {True: "yes", False: "NO", None: ""}[one.agrees] if name == "agrees" else value
                for name, value in dataclasses.asdict(one).items()
            ]
            for one in compared
        ]
        show_table(rows, _COLUMNS)
        judged = sum(one.agrees is not None for one in compared)
        show(f"{judged} of {len(compared)} numbers judged, within {tolerance:g}.")
    else:
        show("Its committed numbers are in text alone, in the notebook or benchmarks/RUNS.md.")
    show(f"What was made is in {folder}")
