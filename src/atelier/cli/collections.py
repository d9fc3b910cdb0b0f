"""`atelier data`: collections fetched, drawn and audited."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.options import AsJson
from atelier.cli.output import progress_bar, show, show_json, show_table, stdout_to_stderr

app = typer.Typer(help="Get a collection, or see what is in one.", no_args_is_help=True)


@app.command()
def fetch(
    name: Annotated[
        str | None, typer.Argument(help="Which collection; leave out to list them.")
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option("--from", help="A zip or folder of it, instead of a download."),
    ] = None,
    as_json: AsJson = False,
):
    """Fetch a public collection through kagglehub, into data/NAME."""
    from atelier.data import sources

    if name is None:
        _list_sources(sources, as_json)
        return
    with stdout_to_stderr(), progress_bar(f"Fetching {name}") as progress:
        folder = sources.fetch(name, archive=archive, progress=progress)
    if as_json:
        show_json({"name": name, "folder": folder})
    else:
        show(f"{name} is in {folder}")


def _list_sources(sources, as_json):
    columns = ("name", "title", "page", "licence")
    rows = [[getattr(source, column) for column in columns] for source in sources.SOURCES.values()]
    if as_json:
        show_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        show_table(rows, columns, title="Public collections")


@app.command()
def sample(
    out: Annotated[Path | None, typer.Option(help="Where to put it (data/sample).")] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other pictures.")] = 0,
    works: Annotated[int, typer.Option(min=1, help="Pictures for each painter.")] = 60,
    size: Annotated[int, typer.Option(min=16, help="Height and width, pixels.")] = 256,
    as_json: AsJson = False,
):
    """Draw the sample collection: invented painters, the same every time."""
    from atelier.data.sample import draw_sample

    with progress_bar("Drawing the sample collection") as progress:
        folder = draw_sample(out, seed=seed, works=works, size=size, progress=progress)
    if as_json:
        show_json({"folder": folder})
    else:
        show(f"The sample collection is in {folder}")


@app.command()
def audit(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The collection's folder.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The table of what was found, CSV.")
    ] = Path("audit.csv"),
    workers: Annotated[int | None, typer.Option(min=1, help="Processes (all cores).")] = None,
    as_json: AsJson = False,
):
    """Say what is there: unreadable and odd files, duplicates, leak groups."""
    from atelier.data import audit as auditing

    with progress_bar("Auditing") as progress:
        found = auditing.audit_collection(directory, progress=progress, workers=workers)
    written = auditing.write_audit(found, out) or out
    if as_json:
        show_json(_summary(found) | {"problems_found": found.problems, "written": written})
        return
    show_table(_summary(found).items(), ("what", "count"), title=f"{directory}")
    if len(found.problems):
        rows = found.problems[["path", "problem", "action"]].head(20).itertuples(index=False)
        show_table(rows, ("path", "problem", "what was done"))
    show(f"Everything is in {written}")


def _summary(found):
    manifest, pairs = found.manifest, found.pairs
    groups = manifest["leak_group"].value_counts()
    return {
        "files": len(manifest),
        "readable": int(manifest["readable"].sum()),
        "artists": int(manifest["artist"].nunique()),
        "greyscale": int((manifest["mode"] == "L").sum()),
        "problems": len(found.problems),
        "exact duplicate pairs": int((pairs["kind"] == "exact").sum()),
        "near duplicate pairs": int((pairs["kind"] == "near").sum()),
        "leak groups of two or more": int((groups > 1).sum()),
    }
