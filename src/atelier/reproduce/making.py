"""Running what makes a table, in a folder of its own, so that everything is trained anew.

A notebook reads back what it finds trained in `models/`. Therefore it is run with a repository of
its own, `build/reproduce/TABLE`: a copy of the notebook, no models but those that it only reads,
and this repository's collections by a link. Nothing that is committed is written to. What was
interrupted goes on, unless code or settings have changed since.
"""

import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from atelier import environment, paths, storage
from atelier.errors import AtelierError
from atelier.reproduce.needs import apart, check_needs, needs

BEGUN, DONE = "begun.json", "done.json"
PRINTED = "result.json"  # what a script of benchmarks/ said
_PLACES = ("ATELIER_DATA", "ATELIER_WEIGHTS", "ATELIER_LISTS")
_TO_STDERR = 2


@dataclasses.dataclass(frozen=True)
class Step:
    """A command, run in the repository's root.

    Attributes:
        command: its words; `str` gives them as one would type them.
        variables: environment variables beside the process's own.
        output: file that its results go to, or None for the screen.
    """

    command: tuple[str, ...]
    variables: dict = dataclasses.field(default_factory=dict)
    output: Path | None = None

    def __str__(self):
        """As one would type it."""
        named = [f"{name}={shlex.quote(_short(value))}" for name, value in self.variables.items()]
        said = " ".join([*named, shlex.join(map(_short, self.command))])
        return f"{said} > {shlex.quote(_short(self.output))}" if self.output else said


def home_of(table):
    """The folder that a table is made in."""
    return paths.build_dir() / "reproduce" / table.name


def steps(table, *, sample=False):
    """The commands that make a table; the last one does the work, those before prepare it.

    Args:
        table: a `tables.Table`.
        sample: whether the sample collection stands in.
    """
    home = home_of(table)
    named = {name: os.environ[name] for name in _PLACES if os.environ.get(name)}
    named = {name: str(Path(value).expanduser().absolute()) for name, value in named.items()}
    if apart(sample) and "ATELIER_DATA" in named:
        named["ATELIER_DATA"] = ""
    if not table.is_notebook:
        data = ("--data", table.collections[0]) if table.collections else ()
        options = (*(() if apart(sample) else data), *table.arguments, "--json")
        return [
            Step(("mkdir", "-p", str(home))),
            Step(("python", table.source, *options), named, home / PRINTED),
        ]
    return [
        Step(("mkdir", "-p", str(home / "notebooks"), str(home / "models"))),
        Step(("cp", table.source, str(home / "notebooks"))),
        *(Step(("cp", "-r", f"models/{name}", str(home / "models"))) for name in table.models),
        *([] if apart(sample) else [Step(("ln", "-s", _data(home), str(home / "data")))]),
        Step(
            ("atelier", "notebooks", "run", Path(table.source).stem),
            {"ATELIER_ROOT": str(home), "ATELIER_TRACKING": "off", **named},
        ),
    ]


def make(table, *, sample=False, overwrite=False):
    """Make a table anew, or go on with what was interrupted; at once where it is done.

    Args:
        table: a `tables.Table`.
        sample: draw the sample collection and take it instead of the table's own.
        overwrite: begin again, whatever was made before.

    Returns:
        How it was made: dict of commit, fast, sample, versions and date.

    Raises:
        AtelierError: if something is missing, other code has begun it, or the work fails.
    """
    home = home_of(table)
    check_needs(table, needs(table, sample=sample))
    if overwrite and home.is_dir():
        shutil.rmtree(home)  # the link in it is removed, not followed
    how = _begin(table, home, sample)
    if not (home / DONE).is_file():
        if table.is_notebook:
            _prepare(table, home, sample)
        _run(steps(table, sample=sample)[-1])
        storage.write_json(home / DONE, {"date": environment.today()})
    return how


def _begin(table, home, sample):
    """Note by which code and settings it is made; refuse to mix two."""
    asked = {"commit": environment.commit(), "fast": paths.fast(), "sample": sample}
    if not (home / BEGUN).is_file():
        how = {**asked, "versions": environment.versions(), "date": environment.today()}
        storage.write_json(home / BEGUN, how)
    how = storage.read_json(home / BEGUN)
    if {name: how[name] for name in asked} != asked:
        raise AtelierError(
            f"{table.name} made by this code and in this way ({_told(asked)})",
            f"what another made in {_short(home)} ({_told(how)})",
            "Begin again with --overwrite.",
        )
    return how


def _told(how):
    commit = how["commit"] or "of no commit"
    return ", ".join([commit, *(name for name in ("fast", "sample") if how[name])])


def _prepare(table, home, sample):
    """What `steps` has before the last of a notebook's, on any system."""
    root = paths.root()
    for name in ("notebooks", "models"):
        (home / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(root / table.source, home / "notebooks")
    for name in table.models:
        shutil.copytree(root / "models" / name, home / "models" / name, dirs_exist_ok=True)
    link = home / "data"
    if apart(sample) or link.is_symlink():
        return
    (root / "data").mkdir(exist_ok=True)
    try:
        link.symlink_to(root / "data", target_is_directory=True)
    except OSError as error:  # Windows lets developers alone
        raise AtelierError(
            f"a link from {link} to {root / 'data'}", str(error), "Make it by hand."
        ) from error


def _data(home):
    """Where this repository's collections are, seen from a folder."""
    return os.path.relpath(paths.data_dir(), home)


def _run(step):
    """Run a command; its results go to its file, and all that it says otherwise to stderr."""
    started = {"python": [sys.executable], "atelier": [sys.executable, "-m", "atelier.cli"]}
    command = [*started[step.command[0]], *step.command[1:]]
    variables = {**os.environ, **step.variables}
    variables.pop("ATELIER_FIGURES", None)  # figures stay in the folder
    if step.output is None:
        done = subprocess.run(command, cwd=paths.root(), env=variables, stdout=_TO_STDERR)
    else:
        with storage.atomic_path(step.output) as temporary, temporary.open("wb") as stream:
            done = subprocess.run(command, cwd=paths.root(), env=variables, stdout=stream)
    if done.returncode:
        if step.output is not None:
            step.output.unlink(missing_ok=True)
        raise AtelierError(
            f"`{step}` to end well", f"exit code {done.returncode}", "See above what it said."
        )


def _short(word):
    """A path of the repository as seen from its root; anything else as it is."""
    path = Path(word)
    inside = path.is_absolute() and path.is_relative_to(paths.root())
    return str(path.relative_to(paths.root())) if inside else str(word)
