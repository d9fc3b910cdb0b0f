"""Whether notebooks, run anew on the sample, still make every figure and table that they committed.

What a notebook has to make is read off its committed run: the pictures and tables that each cell
shows, the files in `figures/` that bear its number, and the names that its cells save under. More
is allowed. What the sample cannot have is listed by name and reason, and then must not be made.
"""

import ast
import contextlib
import os
import re
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import nbformat

from atelier import paths
from atelier.errors import AtelierError
from atelier.kernels import is_run
from atelier.notebooks import find_notebooks, run_notebooks

ABSENT_ON_SAMPLE = {"06_confusion_genre.png": "invented painters have no genres"}
_SAVERS = {"save_figure": (1, ".png"), "save_results": (0, ".json")}  # the name's place, the ending
_FILE = re.compile(r"\d\d_[\w*]+\.(?:png|csv|json)")
_UNSET = ("ATELIER_DATA", "ATELIER_WEIGHTS", "ATELIER_LISTS", "ATELIER_FIGURES")


@dataclass(frozen=True)
class Shown:
    """What a code cell shows and under which names it saves.

    Attributes:
        place: how errors call the cell.
        pictures: number of pictures in its output.
        tables: number of tables in its output.
        files: names of files that it saves, `*` where code makes up a part of the name.
    """

    place: str
    pictures: int
    tables: int
    files: tuple[str, ...]

    def saves(self, name):
        """Whether the cell saves a file of that name."""
        return any(fnmatchcase(name, pattern) for pattern in self.files)


def check_notebooks(names=None, out=None, *, directory=None, timeout=None, progress=None):
    """Run notebooks on the sample, as tests do, and compare what they make with what they committed.

    Nothing is read or written outside of `out` but the notebooks and the names in `figures/`
    beside their folder: each check has a fresh root, without collections, models and weights.

    Args:
        names: which ones, as in `find_notebooks`.
        out: where executed copies, pages and `figures/` go; `build/` by default.
        directory: where the notebooks are; the repository's by default.
        timeout: seconds a single cell may take; no limit by default.
        progress: called as `progress(name, done, total)` with code cells done.

    Returns:
        list of `notebooks.Run`, in order.

    Raises:
        AtelierError: if a cell fails, or naming each notebook, cell and figure or table missing.
    """
    chosen = find_notebooks(names, directory)
    out = Path(out or paths.build_dir()).absolute()
    out.mkdir(parents=True, exist_ok=True)
    for path in chosen:
        for old in files_of(path, out / "figures"):
            (out / "figures" / old).unlink()
    with _sample_root(out):
        where = {"directory": chosen[0].parent, "timeout": timeout, "progress": progress}
        runs = run_notebooks(names, out, **where)
    gaps = [gap for path, run in zip(chosen, runs, strict=True) for gap in missing(path, run)]
    if gaps:
        raise AtelierError(
            "on the sample what the committed notebooks show",
            "; ".join(gaps),
            "Mend the notebook, or refresh it with --inplace and remove what it no longer makes.",
        )
    return runs


@contextlib.contextmanager
def _sample_root(out):
    """A bare repository for fast runs, gone at the end; the environment is what it was again."""
    with tempfile.TemporaryDirectory(prefix="sample-", dir=out) as root:
        wanted = {"ATELIER_ROOT": root, "ATELIER_FAST": "1", "ATELIER_TRACKING": "off"}
        wanted |= dict.fromkeys(_UNSET)
        before = {name: os.environ.get(name) for name in wanted}
        try:
            _set_environment(wanted)
            yield
        finally:
            _set_environment(before)


def _set_environment(values):
    for name, value in values.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value


def missing(path, run):
    """What an executed notebook lacks of its committed run, each in a few words.

    Args:
        path: the committed notebook, `figures/` beside its folder.
        run: the `notebooks.Run` made of it, `figures/` beside the executed copy.
    """
    committed, executed = shown_by(path), shown_by(run.executed)
    wanted = files_of(path, path.parents[1] / "figures")
    named = {name for cell in committed for name in cell.files if "*" not in name}
    wanted |= {name for name in named if name.startswith(_number(path))}
    made = files_of(path, run.executed.parent / "figures")
    unmade, gaps = wanted - made, []
    for before, after in zip(committed, executed, strict=True):
        own = sorted(filter(before.saves, unmade))
        unmade -= set(own)
        lost = _lost(before, after, own)
        gaps += [f"{path.stem} lacks {what} of {before.place}" for what in lost]
    gaps += [f"{path.stem} lacks {name}, which no cell saves" for name in sorted(unmade)]
    outdated = sorted(made & ABSENT_ON_SAMPLE.keys())
    return gaps + [f"{path.stem} makes {name}, which ABSENT_ON_SAMPLE denies" for name in outdated]


def _lost(before, after, absent):
    """Files that a cell did not save, then what it shows less of beside their pictures."""
    yield from (name for name in absent if name not in ABSENT_ON_SAMPLE)
    pictures = before.pictures - after.pictures - sum(name.endswith(".png") for name in absent)
    for number, kind in ((pictures, "picture"), (before.tables - after.tables, "table")):
        if number > 0:
            yield f"{number} {kind}{'s' if number > 1 else ''}"


def files_of(path, folder):
    """Names of the figures and tables in a folder that bear a notebook's number, a set."""
    found = folder.glob(f"{_number(path)}*")
    return {file.name for file in found if _FILE.fullmatch(file.name)}


def _number(path):
    return path.stem.split("_")[0] + "_"


def shown_by(path):
    """What each code cell of a notebook shows and saves, in order, a list of `Shown`."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if is_run(cell)]
    return [_shown(number, cell) for number, cell in enumerate(cells, 1)]


def _shown(number, cell):
    first = cell.source.strip().splitlines()[0].strip()
    data = [output.get("data", {}) for output in cell.outputs]
    return Shown(
        place=f"code cell {number} (`{first[:60]}`)",
        pictures=sum("image/png" in shown for shown in data),
        tables=sum("<table" in shown.get("text/html", "") for shown in data),
        files=tuple(_saved(cell.source)),
    )


def _saved(source):
    """Names of the files that a cell's code saves, `*` for what stands not in the code."""
    from IPython.core.inputtransformer2 import TransformerManager

    names = []
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(source))):
        if isinstance(node, ast.Constant):
            names.append(str(node.value))
        elif isinstance(node, ast.Call):
            saver = getattr(node.func, "id", getattr(node.func, "attr", None))
            place, ending = _SAVERS.get(saver, (len(node.args), ""))
            names += [_pattern(name) + ending for name in node.args[place : place + 1]]
    return filter(_FILE.fullmatch, names)


def _pattern(name):
    """The name that an expression spells, `*` for each part that only running it would tell."""
    parts = name.values if isinstance(name, ast.JoinedStr) else [name]
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)
