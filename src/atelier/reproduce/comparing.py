"""A table that was made again beside the committed one.

Only what was made of the same pictures can be expected to agree: a row says by its fingerprint
which these were. Where pictures differ (a more complete download, the sample) numbers are shown
and not judged. The same seed on another machine or backend rounds otherwise, and a training carries
that far: hence the tolerance. Settings may differ as well, since plans and precision are those of
the machine; that is judged all the same, and said.
"""

import csv
import dataclasses

from atelier import paths, storage
from atelier.errors import AtelierError
from atelier.reproduce.making import home_of

TOLERANCE = 0.03  # of accuracy and macro-F1; of all else, this part of the committed value
_SHARES = ("accuracy", "macro_f1")
_PARTS = ("val", "test")
OTHER_PICTURES, OTHER_SETTINGS = "other pictures", "other settings"  # notes
_NOTHING = (("", ""), {})
_COSTS = {"milliseconds", "megabytes"}  # of the machine, not of the table


@dataclasses.dataclass(frozen=True)
class Compared:
    """One number, committed and new.

    Attributes:
        row: of the table.
        number: such as `test accuracy`.
        committed: None where there is none.
        new: the same.
        difference: new less committed; of what is no share, divided by the committed value.
        agrees: whether it is within the tolerance; None where it cannot be judged.
        note: why not, or what else differs.
    """

    row: str
    number: str
    committed: float | None
    new: float | None
    difference: float | None = None
    agrees: bool | None = None
    note: str = ""


def compare(table, how, *, tolerance=TOLERANCE):
    """Each number of a table beside its committed one.

    Args:
        table: a `tables.Table` that was made.
        how: what `make` said of it.
        tolerance: see `TOLERANCE`.

    Returns:
        List of `Compared`; empty where the table keeps no results.

    Raises:
        AtelierError: if the run left none, though the table keeps them.
    """
    if table.results is None:
        return []
    if not _new(table).is_file():
        raise AtelierError(
            f"{table.results} from {table.source}", f"nothing at {_new(table)}", "See its cells."
        )
    before, now = _read(paths.root() / "figures" / table.results), _read(_new(table))
    on_sample = how["fast"] or how["sample"]
    found = []
    for row in dict.fromkeys([*before, *now]):
        (marks, old), (others, new) = before.get(row, _NOTHING), now.get(row, _NOTHING)
        same = [one == other for one, other in zip(marks, others, strict=True)]
        note = OTHER_PICTURES if on_sample or not same[0] else "" if same[1] else OTHER_SETTINGS
        for number in dict.fromkeys([*old, *new]):
            pair = old.get(number), new.get(number)
            found.append(_compared(row, number, *pair, note, tolerance))
    return found


def check_agreement(table, compared, *, tolerance=TOLERANCE):
    """Refuse numbers that differ by more than the tolerance.

    Args:
        table: a `tables.Table`.
        compared: what `compare` said of it.
        tolerance: by which it was judged.

    Raises:
        AtelierError: which names the number that differs most.
    """
    apart = [one for one in compared if one.agrees is False]
    if apart:
        worst = max(apart, key=lambda one: abs(one.difference))
        raise AtelierError(
            f"{table.name} within {tolerance:g} of the committed numbers",
            f"{len(apart)} of {sum(one.agrees is not None for one in compared)} beyond it, most "
            f"of all {worst.row}, {worst.number}: {worst.new:.3f} instead of {worst.committed:.3f}",
            "Compare versions, device and settings of both metrics.json, or widen --tolerance.",
        )


def _new(table):
    return home_of(table) / "build" / "figures" / table.results


def _compared(row, number, old, new, note, tolerance):
    if new is None:
        return Compared(row, number, old, None, note="not made this time")
    if old is None:
        return Compared(row, number, None, new, note="nothing committed")
    share = number.split(" ")[-1] in _SHARES
    difference = new - old if share or old == 0 else (new - old) / abs(old)
    agrees = None if note == OTHER_PICTURES else abs(difference) <= tolerance
    return Compared(row, number, old, new, difference, agrees, note)


def _read(path):
    """Name of a row -> (fingerprints of its pictures and run, dict of its numbers), in order."""
    if not path.is_file():
        return {}
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as stream:
            return dict(_of_line(line) for line in csv.DictReader(stream))
    return {title: _of_metrics(metrics) for title, metrics in storage.read_json(path).items()}


def _of_line(line):
    """A line of a CSV file: its first field names it; the file does not say of which pictures."""
    name, *numbers = line.items()
    kept = {key: float(value) for key, value in numbers if value and key not in _COSTS}
    return name[1], (_NOTHING[0], kept)


def _of_metrics(metrics):
    """The fingerprints of a model's pictures and run, and its scores."""
    marks = metrics.get("split", {}).get("fingerprint", ""), metrics.get("run", "")
    scores = {
        f"{part} {key}": float(metrics[part][key])
        for part in _PARTS
        for key in _SHARES
        if key in metrics.get(part, {})
    }
    return marks, scores
