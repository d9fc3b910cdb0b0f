"""One value out of one of the repository's own result files, by where it stands there.

A place is a list that begins with how to look: `["path", KEY, ...]` into JSON (or into the JSON
that an .npz holds as `facts`), `["cell", ROW, COLUMN]` into a CSV by the name in its first column,
`["table", NEAR, ROW, COLUMN]` into the first table of a page or notebook that NEAR stands above or
heads, `["text", PATTERN]` for the first group of a regular expression. A notebook is read as what it
says and printed, from top to bottom.
"""

import csv
import functools
import io
import json
import re

import numpy as np
from bs4 import BeautifulSoup

from atelier import storage
from atelier.errors import AtelierError

ANY = "*"  # as a row: the first there is


def read_value(path, place):
    """The value at a place of a file; numbers as numbers, and text that is a number as it stands.

    Args:
        path: of a .json, .npz, .csv, .md or .ipynb file.
        place: list, see the module.

    Returns:
        A number, text, list or dict; for a page or notebook the text as it stands there.

    Raises:
        AtelierError: where the file has nothing there.
    """
    how, *rest = place
    try:
        if how == "path":
            return _walk(_json(path, path.stat().st_mtime_ns), rest)
        if how == "cell":
            return _cell(read_rows(path), *rest)
        text = text_of(path)
        return _in_table(text, *rest) if how == "table" else _in_text(text, *rest)
    except LookupError as error:
        raise AtelierError(
            f"{' > '.join(map(str, place))} in {path.name}",
            f"nothing there ({error})",
            "Correct the place in atelier.report, or run again what writes the file.",
        ) from error


def read_rows(path):
    """Rows of a CSV as dicts."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def tables_in(text):
    """Every table of a page: (what stands above it, its header, its rows), in order."""
    above, table, found = [], [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("|"):
            table.append([cell.strip() for cell in line.strip().strip("|").split("|")])
        elif table:
            body = [row for row in table[1:] if not re.fullmatch(r"[-: ]*", "".join(row))]
            found.append(("\n".join(above), table[0], body))
            above, table = [line], []
        else:
            above.append(line)
    return found


@functools.lru_cache(maxsize=32)
def _text(path, _stamp):
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    return "\n".join(_cell_text(cell) for cell in storage.read_json(path)["cells"])


def text_of(path):
    """A page's text, or a notebook's words and outputs with tables as in Markdown."""
    return _text(path, path.stat().st_mtime_ns)


def _cell_text(cell):
    if cell["cell_type"] == "markdown":
        return "".join(cell["source"])
    parts = []
    for output in cell.get("outputs", []):
        html = "".join(output.get("data", {}).get("text/html", []))
        plain = output.get("text") or output.get("data", {}).get("text/plain", [])
        parts.append(_as_markdown(html) if "<table" in html else "".join(plain))
    return "\n".join(parts) + "\n"


def _as_markdown(html):
    rows = BeautifulSoup(html, "html.parser").find_all("tr")
    cells = [
        [cell.get_text(" ", strip=True) for cell in row.find_all(["td", "th"])] for row in rows
    ]
    return "\n" + "\n".join("| " + " | ".join(row) + " |" for row in cells) + "\n"


@functools.lru_cache(maxsize=32)
def _json(path, _stamp):
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return json.loads(str(arrays["facts"]))
    return storage.read_json(path)


def _walk(value, keys):
    for key in keys:
        value = value[key]
    return value


def _cell(rows, name, column):
    for row in rows:
        if name in (ANY, next(iter(row.values()))):
            return float(row[column])
    raise LookupError(f"no row {name}")


def _in_table(text, near, row, column):
    for above, header, rows in tables_in(text):
        if near not in above and near not in " | ".join(header):
            continue
        for cells in rows:
            if row == ANY or f"{' | '.join(cells)} |".startswith(f"{row} |"):
                return cells[header.index(column) if column in header else int(column)]
        raise LookupError(f"no row {row}")
    raise LookupError(f"no table near {near}")


def _in_text(text, pattern):
    found = re.search(pattern, re.sub(r"\s+", " ", text))
    if not found:
        raise LookupError("no match")
    return found[1]
