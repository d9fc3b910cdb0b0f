"""Facts: each a value with how it is shown and the file that it was read from.

`gather` reads them all; what no file holds yet is a fact whose value is None and which is shown
as outstanding, so that a report can be built before the last run has ended.
"""

import dataclasses
import re

from atelier import paths
from atelier.errors import AtelierError
from atelier.report.catalog import sources_of, wanted
from atelier.report.reading import read_value

SHOWN_OUTSTANDING = "outstanding"
_WORDS = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_DERIVE = {
    "difference": lambda first, second: first - second,
    "points": lambda first, second: 100 * (first - second),
    "ratio": lambda first, second: first / second,
    "sum": lambda *values: sum(values),
    "gain": lambda first, second: 100 * (first / second - 1),
}


@dataclasses.dataclass(frozen=True)
class Fact:
    """A value, how it is shown, and where it was read."""

    key: str
    value: object  # None where no file holds it yet
    shown: str
    source: str  # relative to the repository's root
    place: tuple


def gather(root=None):
    """All facts by key, in the catalog's order.

    Args:
        root: of the repository; None finds it.

    Raises:
        AtelierError: where a file is there but does not hold what the catalog names.
    """
    root, facts = root or paths.root(), {}
    for want in wanted(root):
        value = _value(root, want, facts)
        shown = SHOWN_OUTSTANDING if value is None else show(value, want.form)
        facts[want.key] = Fact(want.key, value, shown, want.source, tuple(want.place))
    return facts


def with_outstanding(root, facts, keys):
    """Facts with those of `keys` that only a file of results which is not there could tell.

    Args:
        root: of the repository.
        facts: dict of `Fact`s.
        keys: that a text uses.
    """
    more = {}
    for key in set(keys) - set(facts):
        for source in sources_of(key):
            if not (root / source).is_file():
                more[key] = Fact(key, None, SHOWN_OUTSTANDING, source, ())
    return facts | more


def _value(root, want, facts):
    how, *rest = want.place
    if how in _DERIVE:
        values = [facts[key].value if key in facts else None for key in rest]
        if None in values:
            return None
        return _DERIVE[how](*map(number, values))
    path = root / want.source
    if not path.is_file():
        return None
    try:
        return read_value(path, want.place)
    except AtelierError:
        if want.optional:
            return None
        raise


def number(value):
    """A number of a number or of text such as `2,707` or `0.60`."""
    return float(re.sub("[,_]", "", value)) if isinstance(value, str) else value


def show(value, form):
    """A value as it is printed.

    Args:
        value: a number, text, or a pair of numbers.
        form: "as is", "count" (2,707), "word" (four), "interval", "percent" (57.6 % of 0.576),
            "length" (of a list or dict), "list" (joined by commas), "millions", or digits after the point.

    Raises:
        AtelierError: where there is no such form.
    """
    if form == "as is":
        return str(value)
    if form == "length":
        return f"{len(value):,}"
    if form == "list":
        return ", ".join(map(str, value))
    if form == "interval":
        return f"[{value[0]:.3f}, {value[1]:.3f}]"
    if form == "word":
        count = len(value) if isinstance(value, list | dict) else int(number(value))
        return _WORDS[count] if count < len(_WORDS) else f"{count:,}"
    if form == "millions":
        return f"{number(value) / 1e6:,.0f} million"
    if form == "count":
        return f"{round(number(value)):,}"
    if form.startswith("percent"):
        return f"{100 * number(value):.{int(form[7:] or 1)}f} %"
    if form.isdigit():
        return f"{number(value):,.{int(form)}f}"
    raise AtelierError("a form of `show`", form, "Name one.")
