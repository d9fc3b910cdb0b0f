"""Running the notebooks top to bottom, and leaving pages that open anywhere.

Follows `jupyter nbconvert --execute`, and departs from it in three ways: the
kernel is always the running interpreter, whatever kernels the machine has
registered; what was executed is kept when a cell fails; and the HTML asks
nothing of the network (scripts and pictures from elsewhere are taken out, so
formulas stay in their TeX spelling).
"""

import asyncio
import contextlib
import html
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from atelier import paths
from atelier.errors import AtelierError
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
        _execute(notebook, path, executed, figures, timeout, progress)
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


def _execute(notebook, path, executed, figures, timeout, progress):
    """Run all code cells in a fresh kernel, from the notebook's own folder."""
    import nbclient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    total = sum(_runs(cell) for cell in notebook.cells)
    place = {"index": 0, "done": 0, "stopped": False}

    def started(cell, cell_index):
        place["index"] = cell_index
        _stop_on_signal(place)

    def finished(cell, cell_index):
        place["done"] += _runs(cell)
        if progress and _runs(cell):
            progress(path.stem, place["done"], total)

    if progress:
        progress(path.stem, 0, total)
    client = nbclient.NotebookClient(
        notebook,
        km=_kernel_of_this_interpreter(),
        timeout=timeout,
        record_timing=False,
        shutdown_kernel="immediate",
        on_cell_start=started,
        on_cell_complete=finished,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        with _kernel_log(executed) as log:
            client.execute(env=_environment(figures), cleanup_kc=True, stdout=log, stderr=log)
    except CellExecutionError as error:
        raise _failure(notebook, executed, place["index"], _last_line(error)) from error
    except CellTimeoutError as error:
        what = f"no end after {timeout} seconds"
        raise _failure(notebook, executed, place["index"], what) from error
    except DeadKernelError as error:
        if place["stopped"]:
            raise KeyboardInterrupt from None
        what = "the kernel's sudden end, most often for want of memory"
        raise _failure(notebook, executed, place["index"], what) from error


@contextlib.contextmanager
def _kernel_log(executed):
    """A file for what the kernel's process says outside of cells; kept where the run fails."""
    path = executed.with_suffix(".log")
    with path.open("wb") as log:
        yield log
    path.unlink(missing_ok=True)


def _stop_on_signal(place):
    """Let Ctrl-C end the run in order; nbclient's own handler leaves a half-closed kernel."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def stop():
        place["stopped"] = True
        task.cancel()

    with contextlib.suppress(RuntimeError):  # not the main thread, or Windows
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)


def _runs(cell):
    return cell.cell_type == "code" and bool(cell.source.strip())


def _last_line(error):
    """`ValueError: what it says`, on one line."""
    said = " ".join(str(error.evalue).split())
    return f"{error.ename}: {said}" if said else error.ename


def _failure(notebook, executed, index, what):
    number = sum(_runs(cell) for cell in notebook.cells[: index + 1])
    first = next(iter(notebook.cells[index].source.strip().splitlines()), "")
    return AtelierError(
        f"{executed.name} to run to its end",
        f"in code cell {number}, which begins {first.strip()[:60]!r}, {what.rstrip('.')}",
        f"Open {executed} to see what ran before it.",
    )


def _kernel_of_this_interpreter():
    """A kernel manager that starts `sys.executable`, whatever kernels are registered."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    quiet = ["--HistoryManager.enabled=False", "--IPKernelApp.log_level=40"]
    # TensorFlow writes start-up messages past Python: into the log, not into a cell's output.
    quiet += ["--IPKernelApp.capture_fd_output=False"]
    spec = KernelSpec(argv=[*command, *quiet], display_name="Python 3", language="python")

    class OneKernel(KernelSpecManager):
        def get_kernel_spec(self, kernel_name):
            return spec

    return AsyncKernelManager(kernel_name="python3", kernel_spec_manager=OneKernel())


def _environment(figures):
    """The kernel's environment: this one, its places made absolute, and figures inline."""
    places = ("ATELIER_DATA", "ATELIER_WEIGHTS", "ATELIER_LISTS", "ATELIER_FIGURES")
    named = {  # the kernel's working directory is another
        name: str(Path(os.environ[name]).absolute()) for name in places if os.environ.get(name)
    }
    if figures is not None:
        named["ATELIER_FIGURES"] = str(Path(figures).absolute())
    inline = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    quiet = {"TF_CPP_MIN_LOG_LEVEL": os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")}
    return {**os.environ, **named, **inline, **quiet, "ATELIER_ROOT": str(paths.root())}


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
