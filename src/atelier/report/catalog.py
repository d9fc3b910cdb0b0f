"""Which facts the report wants, and where each stands.

Families are read off the files themselves: every model of `figures/NN_results.json` has its
scores under `NN.MODEL.PART.SCORE`. Single facts are listed with their places. See `report.reading`
for places and `report.facts` for forms.
"""

import dataclasses
import re
import unicodedata

from atelier import storage
from atelier.report.places import SINGLE
from atelier.report.reading import read_rows

RESULTS = ("02", "03", "04", "05", "06", "07")  # notebooks that leave a file of results
LITERATURE = "report/literature.json"
METHODS = "figures/09_methods.csv"
SHIPPED = "models/atelier/metrics.json"
MONET = "models/cyclegan_monet/metrics.json"
_SCORES = {"accuracy": "3", "top3": "3", "macro_f1": "3", "ece": "3", "log_loss": "3"}
_WHOLE = {"parameters": "count", "minutes": "count", "epochs": "as is", "date": "as is"}
_CLASS = {"precision": "3", "recall": "3", "f1": "3", "auc": "3", "support": "count"}
_COLUMNS = {"content": "3", "style": "3", "wasserstein": "3", "color": "1", "artfid": "2"}
_COSTS = {"milliseconds": "count", "megabytes": "count"}
_JUDGED = {"fid": "1", "kid": "4", "floor": "1", "ceiling": "1", "way": "percent0"}
_TRAINED = {"steps": "count", "minutes": "count", "parameters": "count", "date": "as is"}


@dataclasses.dataclass(frozen=True)
class Want:
    """A fact that is wanted."""

    key: str
    source: str
    place: tuple
    form: str = "as is"
    optional: bool = False  # may be missing from a file that is there


def slug(name):
    """`one body, fine-tuned` as `one_body_fine_tuned`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def wanted(root):
    """Every `Want`, families first, those derived from others last.

    Args:
        root: of the repository, whose files say which models there are.
    """
    found = [want for notebook in RESULTS for want in _results(root, notebook)]
    found += [*_shipped(root), *_literature(root), *_methods(root), *_monet()]
    return found + [Want(*single) for single in SINGLE]


def sources_of(key):
    """Files that a key of a family may be read off."""
    notebook = key.split(".")[0]
    families = {"09": METHODS, "class": SHIPPED, "lit": LITERATURE}
    if notebook in RESULTS:
        return [f"figures/{notebook}_results.json"]
    return [families[notebook]] if notebook in families else []


def _results(root, notebook):
    source = f"figures/{notebook}_results.json"
    path = root / source
    for name, model in storage.read_json(path).items() if path.is_file() else ():
        key = f"{notebook}.{slug(name)}"
        for field, form in _WHOLE.items():
            yield Want(f"{key}.{field}", source, ("path", name, field), form)
        for part in ("val", "test"):
            if part in model:
                yield from _part(f"{key}.{part}", source, ("path", name, part))


def _part(key, source, place):
    yield Want(f"{key}.n", source, (*place, "n"), "count")
    for score, form in _SCORES.items():
        yield Want(f"{key}.{score}", source, (*place, score), form)
    for score in ("accuracy", "macro_f1"):
        yield Want(f"{key}.{score}.interval", source, (*place, "intervals", score), "interval")


def _shipped(root):
    """What ran the shipped classifier, and its scores by painter."""
    for key in ("seed", "device", "date"):
        yield Want(f"run.{key}", SHIPPED, ("path", key))
    for name in ("keras", "tensorflow", "jax"):
        yield Want(f"run.{name}", SHIPPED, ("path", "versions", name))
    path = root / SHIPPED
    for label in storage.read_json(path)["test"]["per_class"] if path.is_file() else ():
        key, place = f"class.{slug(label)}", ("path", "test", "per_class", label)
        yield Want(f"{key}.train", SHIPPED, ("path", "counts", "train", label), "count")
        for score, form in _CLASS.items():
            yield Want(f"{key}.{score}", SHIPPED, (*place, score), form)


def _literature(root):
    path = root / LITERATURE
    for key, entry in storage.read_json(path)["figures"].items() if path.is_file() else ():
        yield Want(f"lit.{key}", LITERATURE, ("path", "figures", key, "value"), entry["form"])
    yield Want("projects.count", LITERATURE, ("path", "projects"), "word")


def _methods(root):
    path = root / METHODS
    for row in read_rows(path) if path.is_file() else ():
        for column, form in {**_COLUMNS, **_COSTS}.items():
            if row[column]:
                name = row["method"]
                yield Want(f"09.{slug(name)}.{column}", METHODS, ("cell", name, column), form)


def _monet():
    for field, form in _JUDGED.items():
        yield Want(f"monet.{field}", MONET, ("path", "judged", field), form, True)
    for field, form in {"cycle_error": "1", "identity_error": "1", "edges": "3"}.items():
        yield Want(f"monet.{field}", MONET, ("path", "judged", field), form, True)
    yield Want("monet.judged.date", MONET, ("path", "judged", "date"), "as is", True)
    yield Want("monet.what", MONET, ("path", "judged", "what"), "as is", True)
    yield Want("monet.photos", MONET, ("path", "judged", "photos"), "count", True)
    for field, form in _TRAINED.items():
        yield Want(f"monet.{field}", MONET, ("path", field), form, True)
    for field in ("photos", "monets", "held_out"):
        yield Want(f"monet.counts.{field}", MONET, ("path", "counts", field), "count", True)
