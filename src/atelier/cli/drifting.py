"""`atelier models reference` and `atelier monitor report`: what is normal, and what is not."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.judging import ModelName
from atelier.cli.options import AsJson, Collection, locate, start_keras
from atelier.cli.output import progress_bar, show, show_json, show_table, stdout_to_stderr

CROSSED = 3  # exit code where a threshold is crossed


def reference(
    model: ModelName,
    data: Collection = None,
    photographs: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="A collection of photographs, which are foreign."),
    ] = None,
    as_json: AsJson = False,
):
    """Note what a classifier's pictures normally look like, beside its weights."""
    from atelier import models, registry
    from atelier.errors import AtelierError

    folder = models.find(model, models.CLASSIFIER)
    if registry.is_copy(folder):
        raise AtelierError(
            "a model that is no registered version",
            str(model),
            "Name its folder, then register it.",
        )
    directory = locate(data)
    foreign = None if photographs is None else locate(photographs)
    start_keras()
    from atelier.classify.reference import write_reference
    from atelier.classify.reference_building import build_reference

    with stdout_to_stderr(), progress_bar("Looking at the pictures") as progress:
        made = build_reference(folder, directory, foreign=foreign, progress=progress)
    file = write_reference(made, folder)
    if as_json:
        show_json({"file": file, **made.facts})
        return
    columns = ("pictures", "outlying", "auroc", "auroc_of_doubt_alone")
    measured = made.facts["measured"].items()
    rows = [(name, *(values.get(column) for column in columns)) for name, values in measured]
    show_table(rows, ("judged by", *columns))
    show(f"{file}: by {made.facts['score']}, {len(made.embeddings)} paintings")


def report(
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The page; build/monitor.html if not given."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Whose answers; the newest one's if not given."),
    ] = None,
    since: Annotated[
        float | None, typer.Option(metavar="DAYS", min=0, help="Only requests of so many days.")
    ] = None,
    as_json: AsJson = False,
):
    """Compare requests with what is normal, as a page; exit code 3 where a threshold is crossed."""
    import time

    from atelier import paths
    from atelier.serve.monitor import check, serving, write_report
    from atelier.serve.store import DAY, Store

    requests = Store().requests(since=None if since is None else time.time() - since * DAY)
    _, model, version, _ = serving(requests, model)
    findings = check(requests, _reference_of(model, version), model=model, version=version)
    page = write_report(findings, out or paths.build_dir() / "monitor.html")
    if as_json:
        show_json({"page": page, **findings.to_json()})
    else:
        columns = ("check", "measure", "value", "threshold", "p", "requests", "verdict")
        show_table(findings.rows(), columns)
        for note in findings.notes:
            show(note)
        show(f"The page is {page}")
    if findings.crossed:
        raise typer.Exit(CROSSED)


def _reference_of(model, version):
    """The reference of a version, or of a model in models/; None where there is none."""
    from atelier import models
    from atelier.classify.reference import load_reference
    from atelier.errors import AtelierError

    for name in filter(None, (version, model)):
        try:
            folder = models.find(name)
        except AtelierError as error:
            missing = error
        else:
            return load_reference(folder)
    if model is not None:
        typer.echo(f"atelier: {missing}", err=True)
    return None
