"""Running the notebooks top to bottom, and leaving pages that open anywhere.

Follows `jupyter nbconvert --execute`, and departs from it in three ways: the
kernel is always the running interpreter, whatever kernels the machine has
registered; what was executed is kept when a cell fails; and the HTML asks
nothing of the network (scripts and pictures from elsewhere are taken out, so
formulas stay in their TeX spelling).
"""

import html
import time
from dataclasses import dataclass
from pathlib import Path

from atelier import paths
from atelier.errors import AtelierError
from atelier.kernels import execute
from atelier.storage import atomic_path, write_text

_INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Atelier: notebooks</title>
<style>body{{font:17px/1.6 Georgia,serif;max-width:42em;margin:3em auto;padding:0 1em;color:#222}}
td{{padding:.2em 1.2em .2em 0}}small{{color:#666}}</style></head>
<body><h1>Atelier: notebooks</h1>
<table>
{rows}
</table>
<p><small>{note}</small></p></body></html>
"""


@dataclass(frozen=True)
class Run:
    """One executed notebook: its name, its title and what was left of it."""

    name: str
    title: str
    executed: Path
    page: Path
    seconds: float


def find_notebooks(names=None, directory=None):
    """Notebook files in the order of their numbers.

    Args:
        names: what to pick: file names with or without the ending, or their
            first characters (`01`). All of them by default.
        directory: where to look; the repository's `notebooks/` by default.

    Returns:
        list of paths; the order is that of the folder, not that of `names`.

    Raises:
        AtelierError: if there is no notebook, or a name fits none.
    """
    directory = Path(directory or paths.notebooks_dir())
    found = sorted(p for p in directory.glob("*.ipynb") if not p.name.startswith("."))
    if not found:
        raise AtelierError(
            f"notebooks in {directory}",
            "none",
            "Run this from the repository, or set ATELIER_ROOT.",
        )
    if not names:
        return found
    for name in names:
        if not any(_fits(path, name) for path in found):
            raise AtelierError(
                f"a notebook in {directory} named like {name!r}",
                ", ".join(path.stem for path in found),
                "Pick one of these.",
            )
    return [path for path in found if any(_fits(path, name) for name in names)]


def _fits(path, name):
    return path.stem.startswith(Path(name).name.removesuffix(".ipynb"))


def notebook_title(notebook):
    """The first heading of a notebook (an `nbformat` node), or an empty string."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for line in cell.source.splitlines():
                if line.startswith("# "):
                    return line.removeprefix("# ").strip()
    return ""


def run_notebooks(
    names=None, out=None, *, directory=None, inplace=False, timeout=None, progress=None
):
    """Run notebooks in order; stop at the first that fails.

    Args:
        names: which ones, as in `find_notebooks`.
        out: where `<name>.ipynb`, `<name>.html` and `index.html` go; `build/`
            by default.
        directory: where the notebooks are; the repository's by default.
        inplace: whether to write the executed notebooks back as well, and their
            figures to `figures/`; else figures go to `figures/` in `out`.
        timeout: seconds a single cell may take; no limit by default.
        progress: called as `progress(name, done, total)` with code cells done.

    Returns:
        list of `Run`, in order.

    Raises:
        AtelierError: naming notebook, cell and the error's last line.
    """
    if inplace and paths.fast():
        raise AtelierError(
            "a full run to refresh the committed outputs",
            "ATELIER_FAST set",
            "Unset ATELIER_FAST, or leave out --inplace.",
        )
    chosen = find_notebooks(names, directory)
    out = Path(out or paths.build_dir())
    out.mkdir(parents=True, exist_ok=True)
    runs = []
    for path in chosen:
        runs.append(_run_one(path, out, inplace=inplace, timeout=timeout, progress=progress))
        write_index(runs, out)
    return runs


def _run_one(path, out, *, inplace, timeout, progress):
    notebook = read_notebook(path)
    executed, page = out / path.name, out / f"{path.stem}.html"
    started = time.perf_counter()
    try:
        figures = None if inplace else out / "figures"
        execute(notebook, path, executed, figures=figures, timeout=timeout, progress=progress)
    finally:
        write_notebook(notebook, executed)
    write_text(page, to_html(notebook, path.parent))
    if inplace:
        write_notebook(notebook, path)
    seconds = time.perf_counter() - started
    return Run(path.stem, notebook_title(notebook) or path.stem, executed, page, seconds)


def read_notebook(path):
    """A notebook as an `nbformat` node, version 4, its old outputs taken off."""
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)
    except (ValueError, KeyError, AttributeError, nbformat.ValidationError) as error:
        raise AtelierError(
            f"a notebook in {path}", str(error).splitlines()[0], "Restore the file."
        ) from error
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def write_notebook(notebook, path):
    """Write a notebook whole or not at all, without what differs from run to run."""
    import nbformat

    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times of day
    with atomic_path(path) as temporary:
        nbformat.write(notebook, temporary)


def to_html(notebook, directory):
    """A notebook as one HTML page that loads nothing from anywhere.

    Args:
        notebook: an `nbformat` node.
        directory: where its relative picture links start from.
    """
    from bs4 import BeautifulSoup
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(embed_images=True)
    title = notebook_title(notebook) or "notebook"
    resources = {"metadata": {"name": title, "path": str(directory)}}
    page, _ = exporter.from_notebook_node(notebook, resources=resources)
    soup = BeautifulSoup(page, "html.parser")
    for script in soup.find_all("script"):
        script.decompose()
    for link in soup.find_all("link", href=True):
        link.decompose()
    for image in soup.find_all("img"):
        if not image.get("src", "").startswith("data:"):
            image.replace_with(image.get("alt", ""))
    return str(soup)


def write_index(runs, out):
    """`index.html` in `out`: one line for each executed notebook."""
    rows = "\n".join(
        f'<tr><td><a href="{run.page.name}">{html.escape(run.title)}</a></td>'
        f"<td><small>{run.seconds / 60:.1f} min</small></td>"
        f'<td><small><a href="{run.executed.name}">notebook</a></small></td></tr>'
        for run in runs
    )
    kind = "The smallest run (ATELIER_FAST)." if paths.fast() else "A full run."
    note = f"{kind} {time.strftime('%Y-%m-%d %H:%M')}"
    write_text(Path(out) / "index.html", _INDEX.format(rows=rows, note=note))
    return Path(out) / "index.html"
