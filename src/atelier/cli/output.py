"""What the command line prints: results to stdout, everything else to stderr."""

import contextlib
import functools
import json
import math
import sys


@functools.cache
def _console(stream):
    from rich.console import Console

    return Console(file=stream, highlight=False)


def console():
    """The Rich console on stderr; one for each stream, so that bars and lines do not mix."""
    return _console(sys.stderr)


@contextlib.contextmanager
def progress_bar(description):
    """Yield `progress(done, total)`, drawn as a bar on stderr where that is a terminal."""
    with progress_bars() as progress:
        yield functools.partial(progress, description)


@contextlib.contextmanager
def progress_bars():
    """Yield `progress(name, done, total)`: one bar for each name."""
    if not console().is_terminal:
        yield lambda name, done, total: None
        return
    shown, tasks = _bars(), {}

    def progress(name, done, total):
        shown.start()  # at the first call only: others may draw bars of their own before
        if name not in tasks:
            tasks[name] = shown.add_task(name, total=total)
        shown.update(tasks[name], completed=done, total=total)

    try:
        yield progress
    finally:
        if tasks:
            shown.stop()


def _bars():
    from rich import progress as bars

    return bars.Progress(
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(compact=True),
        console=console(),
        redirect_stdout=False,
    )


def stdout_to_stderr():
    """Let what Keras and KerasTuner print go to stderr: stdout is for results."""
    return contextlib.redirect_stdout(sys.stderr)


def show_json(value):
    """Print a value as JSON; NumPy and pandas values become plain, NaN becomes null."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=False))  # noqa: T201


def plain(value):
    """A JSON-able copy of dicts, lists, tables, arrays, numbers and paths."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if hasattr(value, "to_dict") and hasattr(value, "columns"):  # a DataFrame
        return [plain(row) for row in value.to_dict(orient="records")]
    if hasattr(value, "tolist"):  # an array or one of its numbers
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if type(value).__name__ in ("NAType", "NaTType"):  # pandas's missing values
        return None
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)


def show_table(rows, columns, *, title=None):
    """Print rows as a Rich table on a terminal, tab-separated otherwise.

    Args:
        rows: iterable of sequences; numbers are set right, floats to 3 places.
        columns: their names.
        title: printed above the table on a terminal.
    """
    rows = [[plain(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            print("\t".join(_text(cell) for cell in row))  # noqa: T201
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for number, name in enumerate(columns):
        numeric = any(isinstance(row[number], (int, float)) for row in rows)
        table.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_escape(_text(cell)) for cell in row))
    Console().print(table)


def show(line):
    """Print one line of result."""
    print(line)  # noqa: T201


def _text(cell):
    if cell is None:
        return ""
    return f"{cell:.3f}" if isinstance(cell, float) else str(cell)


def _escape(text):
    from rich.markup import escape

    return escape(text)
