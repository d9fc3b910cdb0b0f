"""Tables of the report: rows of facts as they are shown, each with the file it comes from.

A cell is text that `facts.show` made or that a page's table has; nothing is computed here.
"""

from atelier import storage
from atelier.report.catalog import LITERATURE, MONET
from atelier.report.facts import show
from atelier.report.reading import read_rows, tables_in, text_of

RUNS = "benchmarks/RUNS.md"
MONET_METHODS = "figures/10_methods.csv"
_MONET_FORMS = {"fid": "1", "mifid": "1", "edges": "3", "way": "percent0", "milliseconds": "count"}
_HEADS = {
    "fid": "FID",
    "kid": "KID",
    "kid_std": "± of KID",
    "mifid": "MiFID",
    "way": "of the way",
    "milliseconds": "ms",
}


def tables(root, facts):
    """Every table by name.

    Args:
        root: of the repository.
        facts: dict of `Fact`s.

    Returns:
        Dict of name -> {header, rows, left (columns that are text), strong (rows that are ours),
        source}; a table whose file is not there yet has no rows.
    """
    return {
        "custom": _models(facts, "02", strong="ours"),
        "transfer": _joined(_models(facts, "03"), _models(facts, "07", strong="one body")),
        "painters": _painters(facts),
        "tasks": _wikiart(facts),
        "calibration": _calibration(facts),
        "unknown": _unknown(facts),
        "methods": _page(root, "figures/09_methods.csv", (0,), strong="Gatys, ours"),
        "gatys": _page(root, "benchmarks/gatys.py", (0, 1, 2), strong="ours, bfloat16"),
        "classify": _page(root, "benchmarks/classify.py", (0, 1), strong="ours, bfloat16"),
        "cyclegan": _page(root, "benchmarks/cyclegan.py", (0, 1, 2), strong="ours"),
        "serve": _page(root, "benchmarks/serve.py", ()),
        "outstanding": _outstanding(root),
        "projects": _comparisons(root, facts),
        "papers": _papers(root, facts),
        "monet": _monet(root),
    }


def _table(header, rows, source, left=(0,), strong=None):
    ours = [
        place for place, row in enumerate(rows) if strong and any(strong in cell for cell in row)
    ]
    return {"header": header, "rows": rows, "left": list(left), "strong": ours, "source": source}


def _names(facts, notebook):
    """Slugs and names of a notebook's models, in the file's order."""
    found = {}
    for key, fact in facts.items():
        if key.startswith(f"{notebook}.") and key.endswith(".parameters"):
            found[key.removesuffix(".parameters")] = fact.place[1]
    return found


def _with_interval(facts, key):
    if key not in facts:
        return ""
    return f"{facts[key].shown} {facts[f'{key}.interval'].shown}"


def _models(facts, notebook, strong=None, first="network"):
    rows = [
        [
            name,
            facts[f"{key}.parameters"].shown,
            _with_interval(facts, f"{key}.val.accuracy"),
            _with_interval(facts, f"{key}.test.accuracy"),
            facts[f"{key}.test.macro_f1"].shown if f"{key}.test.macro_f1" in facts else "",
            facts[f"{key}.minutes"].shown,
        ]
        for key, name in _names(facts, notebook).items()
    ]
    header = [first, "parameters", "validation accuracy", "test accuracy", "macro-F1", "min"]
    return _table(header, rows, f"figures/{notebook}_results.json", strong=strong)


def _joined(first, second):
    """Rows of two tables without those of the second that say again what the first has."""
    again = {"atelier_cnn", "resnet50_two_phase"}
    rest = [
        (place in second["strong"], row)
        for place, row in enumerate(second["rows"])
        if row[0] not in again
    ]
    rows = [*first["rows"], *(row for _, row in rest)]
    strong = [len(first["rows"]) + place for place, (ours, _) in enumerate(rest) if ours]
    source = f"{first['source']}, {second['source']}"
    return {**first, "rows": rows, "strong": strong, "source": source}


def _wikiart(facts):
    """Tasks on official lists, then styles and movements on splits of our own."""
    first = _models(facts, "06", strong="ours", first="task and network")
    rows = [["style: " + row[0], *row[1:]] for row in _models(facts, "04")["rows"]]
    rows += [["movement: " + row[0], *row[1:]] for row in _models(facts, "05")["rows"]]
    source = ", ".join(f"figures/{notebook}_results.json" for notebook in ("06", "04", "05"))
    return {**first, "rows": first["rows"] + rows, "source": source}


def _painters(facts):
    fields = ("train", "support", "precision", "recall", "f1", "auc")
    rows = []
    for key, fact in facts.items():
        if key.startswith("class.") and key.endswith(".train"):
            stem = key.removesuffix(".train")
            cells = [facts[f"{stem}.{field}"].shown for field in fields]
            rows.append([fact.place[-1], *cells])
    header = ["painter", "trained on", "judged on", "precision", "recall", "F1", "AUC"]
    return _table(header, rows, "models/atelier/metrics.json")


def _calibration(facts):
    wanted = [*_names(facts, "02"), *_names(facts, "03"), *_names(facts, "07")]
    rows = [
        [facts[f"{key}.parameters"].place[1]]
        + [facts[f"{key}.test.{score}"].shown for score in ("accuracy", "ece", "log_loss", "top3")]
        for key in wanted
        if f"{key}.test.ece" in facts and not key.endswith(("atelier_cnn", "resnet50_two_phase"))
    ]
    header = ["network", "accuracy", "ECE", "log loss", "among three"]
    source = "figures/02_results.json, figures/03_results.json, figures/07_results.json"
    return _table(header, rows, source, strong="one body")


def _unknown(facts):
    rows = []
    for group in ("known", "paintings", "photographs"):
        cells = [
            facts[f"unknown.{kind}{group}{end}"].shown
            if f"unknown.{kind}{group}{end}" in facts
            else ""
            for kind, end in (("n.", ""), ("", ""), ("", ".auroc"), ("", ".doubt"))
        ]
        rows.append([{"known": "by the model's painters"}.get(group, f"other {group}"), *cells])
    rows[-1][0] = "photographs"
    header = ["pictures", "judged", "called foreign", "AUROC", "AUROC of doubt alone"]
    return _table(header, rows, "models/atelier/reference.npz")


def _page(root, near, left, strong=None):
    """A table of the record of runs as it stands there."""
    path = root / RUNS
    for above, header, rows in tables_in(text_of(path)) if path.is_file() else ():
        if near in above:
            return _table(header, rows, RUNS, left, strong)
    return _table([], [], RUNS)


def _outstanding(root):
    """What waits for a GPU, without what is ticked: what, and minutes."""
    path = root / RUNS
    for _, header, rows in tables_in(text_of(path)) if path.is_file() else ():
        if header[:2] == ["done", "what"]:
            place = header.index("minutes")
            open_ones = [[row[1], row[place]] for row in rows if not row[0]]
            return _table(["what", "minutes, estimated"], open_ones, RUNS)
    return _table([], [], RUNS)


def _comparisons(root, facts):
    rows = []
    for entry in _literature(root).get("comparisons", []):
        reported = facts[entry["reported"]].shown if entry["reported"] else "none"
        for place, (what, key) in enumerate(entry["ours"]):
            first = [f"{entry['what']} @{entry['source']}", reported, entry["on"]]
            here = show(facts[key].value, "percent") if key in facts else "outstanding"
            rows.append([*(first if place == 0 else ["", "", ""]), what, here])
    header = ["published", "reported", "measured on", "here", "on test"]
    return _table(header, rows, f"{LITERATURE}, figures/", left=(0, 2, 3))


def _papers(root, facts):
    rows = []
    for entry in _literature(root).get("papers", []):
        cells = [
            facts[entry[task]].shown if task in entry else ""
            for task in ("artist", "style", "genre")
        ]
        rows.append([f"{entry['name']} @{entry['source']}", *cells])
    ours = [f"06.{task}_ours.test.accuracy" for task in ("artist", "style", "genre")]
    cells = [show(facts[key].value, "percent") if key in facts else "outstanding" for key in ours]
    rows.append(["ours, on the part at hand", *cells])
    header = ["WikiArt, lists in full but for the last row", "painter", "style", "genre"]
    return _table(header, rows, LITERATURE, strong="ours")


def _literature(root):
    path = root / LITERATURE
    return storage.read_json(path) if path.is_file() else {}


def _monet(root):
    """The table of methods of notebook 10, whatever columns it has."""
    path = root / MONET_METHODS
    rows = read_rows(path) if path.is_file() else []
    if not rows:
        return _table([], [], MONET)
    header = [_HEADS.get(name, name.replace("_", " ")) for name in rows[0]]
    cells = [
        [_as_shown(value, _MONET_FORMS.get(name, "4")) for name, value in row.items()]
        for row in rows
    ]
    return _table(header, cells, MONET_METHODS)


def _as_shown(value, form):
    try:
        return show(float(value), form)
    except ValueError:
        return value
