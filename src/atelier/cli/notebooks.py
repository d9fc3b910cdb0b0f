"""`atelier notebooks`: run top to bottom, with pages to open at the end."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.options import AsJson
from atelier.cli.output import console, progress_bars, show, show_json, show_table

app = typer.Typer(help="Run the notebooks in order.", no_args_is_help=True)


@app.command()
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Which ones; 01 will do (all).")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Where the copies go (build/).")] = None,
    inplace: Annotated[
        bool, typer.Option("--inplace", help="Refresh the committed outputs as well.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Run on the sample; fail where a committed figure or table is missing."
        ),
    ] = False,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds a single cell may take (no limit).")
    ] = None,
    as_json: AsJson = False,
):
    """Run notebooks top to bottom; executed copies and HTML go to build/."""
    from atelier import notebooks
    from atelier.notebook_check import check_notebooks

    if check and inplace:
        raise typer.BadParameter("--check writes nothing back: leave out --inplace.")
    how = {} if check else {"inplace": inplace}
    with progress_bars() as progress:
        how |= {"timeout": timeout, "progress": _with_lines(progress)}
        runs = (check_notebooks if check else notebooks.run_notebooks)(names, out, **how)
    if as_json:
        show_json([vars(run) for run in runs])
        return
    for done in runs:
        show(f"{done.seconds / 60:5.1f} min  {done.title}")
    if check:
        show("Every committed figure and table was made on the sample.")
    show(f"Open {runs[0].page.parent / 'index.html'}")


def _with_lines(progress):
    """Where there is no terminal to draw on, say at least which notebook has begun."""
    screen = console()

    def both(name, done, total):
        progress(name, done, total)
        if done == 0 and not screen.is_terminal:
            screen.print(f"Running {name} ({total} cells)", soft_wrap=True)

    return both


@app.command("list")
def list_notebooks(as_json: AsJson = False):
    """The notebooks in order, with their titles."""
    from atelier import notebooks

    found = notebooks.find_notebooks()
    rows = [(path.stem, notebooks.notebook_title(notebooks.read_notebook(path))) for path in found]
    if as_json:
        show_json([{"name": name, "title": title} for name, title in rows])
    else:
        show_table(rows, ("name", "title"))


@app.command()
def index(as_json: AsJson = False):
    """Write notebooks/README.md: a picture of each notebook, its question and its minutes."""
    from atelier.notebook_index import write_readme

    path = write_readme()
    if as_json:
        show_json({"path": path})
    else:
        show(f"Wrote {path}")
