"""One notebook in a fresh kernel of the running interpreter, from its first cell to its last.

Follows nbclient, and departs from it in four ways: registered kernels are ignored, what the
kernel's process says past Python goes to a log, an interruption ends the kernel in order, and no
event loop is left behind.
"""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from atelier import paths
from atelier.errors import AtelierError


def is_run(cell):
    """Whether a cell is code that the kernel counts."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def execute(notebook, path, executed, *, figures=None, timeout=None, progress=None):
    """Run all code cells in a fresh kernel, from the notebook's own folder.

    Args:
        notebook: an `nbformat` node; its cells get their outputs.
        path: where the notebook lies.
        executed: where its executed copy will lie; errors name it.
        figures: the folder that its figures go to, instead of the repository's.
        timeout: seconds a single cell may take; no limit by default.
        progress: called as `progress(name, done, total)` with code cells done.

    Raises:
        AtelierError: naming notebook, cell and the error's last line.
    """
    import nbclient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    total = sum(is_run(cell) for cell in notebook.cells)
    place = {"index": 0, "done": 0, "stopped": False}

    def started(cell, cell_index):
        place["index"] = cell_index
        _stop_on_signal(place)

    def finished(cell, cell_index, execute_reply):
        place["done"] += is_run(cell)
        if progress and is_run(cell):
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
        on_cell_executed=finished,
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        with _kernel_log(executed) as log:
            _to_its_end(client, env=_environment(figures), cleanup_kc=True, stdout=log, stderr=log)
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


def _to_its_end(client, **options):
    """Run a client's notebook in an event loop that is closed afterwards; nbclient keeps its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(client.async_execute(**options))
    else:  # inside Jupyter, where nbclient has a thread for it
        client.execute(**options)


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


def _last_line(error):
    """`ValueError: what it says`, on one line."""
    said = " ".join(str(error.evalue).split())
    return f"{error.ename}: {said}" if said else error.ename


def _failure(notebook, executed, index, what):
    number = sum(is_run(cell) for cell in notebook.cells[: index + 1])
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
