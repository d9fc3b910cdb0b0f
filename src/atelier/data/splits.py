"""Which pictures train, which choose, which judge: split by leak group, class by class.

Reproductions of one painting form a leak group (see `atelier.data.audit`), and a
group lies whole in one split; of exact copies one is kept. `random` splits
pictures instead, copies and all, 80/20 within each class, as the predecessor did
with Keras's `validation_split` (which cut each class's files at 80 %; here they
are shuffled first), so that one can see by how much leaks flatter. `official`
keeps to ArtGAN's lists of WikiArt (see `atelier.data.official`).

Order comes from SHA-256 of seed and path: the same on every platform and NumPy.
"""

import hashlib
import logging
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from atelier import paths, storage
from atelier.data import labels, official
from atelier.data.apportion import apportion
from atelier.data.layouts.rows import LABELS
from atelier.data.manifest import data_fingerprint, load_manifest
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

SPLIT_VERSION = 1  # raise it when the same config should give another split
SPLITS = ("train", "val", "test")
_KEPT = ["path", "label", "leak_group"]
_DEFAULT_FRACTIONS = {
    "grouped": (0.7, 0.15, 0.15),
    "random": (0.8, 0.2),
    "official": (0.85, 0.15),
}


@dataclass(frozen=True)
class SplitConfig:
    """How a manifest is split and which classes take part.

    Attributes:
        kind: "grouped" (leak-free), "random" (as the predecessor did; leaks) or
            "official" (ArtGAN's lists; leak-free, the validation list is the test part).
        fractions: of train, val and, where there are three, test; they sum to 1. Parts
            published as 75:15:15, which sum to 105, are (75 / 105, 15 / 105, 15 / 105),
            or 71:14:14. Default: 0.7, 0.15, 0.15 for grouped, 0.8, 0.2 for random and,
            of the training list, 0.85, 0.15 for official.
        seed: another seed, another split.
        label: the manifest's column that is predicted: artist, style, genre or movement.
        min_works: keep classes of at least so many readable pictures, copies not counted;
            of so many in each list, for official.
        top: keep so many of the largest classes.
        strict: refuse pictures whose style is in no movement; by default they take no part.
    """

    kind: str = "grouped"
    fractions: tuple[float, ...] | None = None
    seed: int = 0
    label: str = "artist"
    min_works: int | None = None
    top: int | None = None
    strict: bool = False

    def __post_init__(self):
        _require(self.kind in _DEFAULT_FRACTIONS, "kind grouped, random or official", self.kind)
        _require(self.label in LABELS, f"a label among {', '.join(LABELS)}", self.label)
        fractions = self.fractions or _DEFAULT_FRACTIONS[self.kind]
        object.__setattr__(self, "fractions", tuple(float(part) for part in fractions))
        counts = (2,) if self.kind == "official" else (2, 3)
        sound = len(self.fractions) in counts and all(0 < part < 1 for part in self.fractions)
        _require(
            sound and abs(sum(self.fractions) - 1) < 1e-6,
            f"{' or '.join(map(str, counts))} fractions that sum to 1",
            self.fractions,
        )
        for name in ("min_works", "top"):
            value = getattr(self, name)
            _require(value is None or value >= 1, f"{name} of at least 1", value)

    @property
    def names(self):
        """Names of the splits that are divided, in the order of the fractions."""
        return SPLITS[: len(self.fractions)]

    @property
    def title(self):
        """What the saved split is called, such as `grouped-artist-min200-seed0`."""
        parts = [self.kind, self.label]
        parts += [f"min{self.min_works}"] if self.min_works else []
        parts += [f"top{self.top}"] if self.top else []
        return "-".join([*parts, f"seed{self.seed}"])


@dataclass(frozen=True)
class Split:
    """A split as it is used.

    Attributes:
        table: `path`, `label`, `leak_group`, `split`, one row a picture, sorted by path.
        class_names: the labels, sorted; a class's number is its place here.
        fingerprint: changes with the pictures that take part, their bytes, labels and
            groups, and with the split each is in; not with the rest of the collection.
        path: the CSV where it is kept.
    """

    table: pd.DataFrame
    class_names: list[str]
    fingerprint: str
    path: Path

    def part(self, name):
        """The rows of "train", "val" or "test", with `class_index` added."""
        known = list(dict.fromkeys(self.table["split"]))
        _require(name in known, f"a split among {', '.join(known)}", name)
        rows = self.table[self.table["split"] == name].reset_index(drop=True)
        order = {label: index for index, label in enumerate(self.class_names)}
        return rows.assign(class_index=rows["label"].map(order).astype("int64"))


def make_split(manifest, config):
    """Split the readable, labeled pictures of a manifest.

    Args:
        manifest: see `atelier.data.manifest`; for an official split only what is listed
            (see `official.list_pictures`).
        config: a `SplitConfig`.

    Returns:
        A table of `path`, `label`, `leak_group` and `split`, sorted by path.

    Raises:
        AtelierError: if fewer than two classes remain, or a class has fewer works
            (leak groups, where grouped) than there are splits, or is not listed in each.
    """
    pictures = labels.usable(manifest, config)
    if config.kind == "official":
        pictures = official.without_straddlers(pictures)
    chosen = labels.choose_classes(pictures, config)
    pictures = pictures[pictures["label"].isin(chosen)]
    if config.kind != "official":
        return _divide(pictures, config)
    official.refuse_absent(pictures)
    held_out = pictures["listed"] == "val"
    judging = pictures.loc[held_out, _KEPT].assign(split="test").astype({"split": "string"})
    table = pd.concat([_divide(pictures[~held_out], config), judging])
    return table.sort_values("path", ignore_index=True)


def _divide(pictures, config):
    """Give pictures the splits of `config.fractions`; all of one painting the same, unless random."""
    grouped = config.kind != "random"
    if grouped:
        pictures = labels.without_copies(pictures)
    units = pictures["leak_group"].tolist() if grouped else list(range(len(pictures)))
    keys = [_order_key(config.seed, path) for path in pictures["path"]]
    places = apportion(pictures["label"].tolist(), units, keys, config.fractions)
    table = pictures[_KEPT].reset_index(drop=True)
    table["split"] = pd.array([config.names[place] for place in places], dtype="string")
    return table


def load_split(directory, config, *, progress=None):
    """The split of a collection, made once and kept in its workspace.

    A kept split is used again as long as data and config are the same; one whose
    bytes were changed is made anew, with a warning.

    Returns:
        A `Split`.

    Raises:
        AtelierError: as `load_manifest` and `make_split`.
    """
    manifest = load_manifest(directory, progress=progress)
    settings = {"config": asdict(config), "version": SPLIT_VERSION}
    if config.kind == "official":
        settings["lists"] = official.lists_fingerprint(directory, config.label)
    mark = storage.fingerprint({**settings, "data": data_fingerprint(manifest)})
    path = paths.workspace(directory) / "splits" / f"{config.title}-{mark}.csv"
    table = _read_kept(path)
    if table is None:
        if config.kind == "official":
            manifest = official.list_pictures(manifest, directory, config.label)
        table = make_split(manifest, config)
        with storage.atomic_path(path) as temporary:
            table.to_csv(temporary, index=False, lineterminator="\n")
        storage.write_json(
            path.with_suffix(".json"),
            {**settings, "counts": _counts(table), "sha256": storage.file_sha256(path)},
        )
    return Split(table, sorted(table["label"].unique()), _fingerprint(table, manifest), path)


def _fingerprint(table, manifest):
    """What a run depends on; a group is named by its first picture, since numbers may shift."""
    digests = manifest.set_index("path")["sha256"].reindex(table["path"])
    first = table.groupby("leak_group")["path"].transform("min")
    columns = (table["path"], table["label"], table["split"], first, digests)
    return storage.fingerprint(
        [[str(value) for value in row] for row in zip(*columns, strict=True)]
    )


def leaking(table):
    """Pictures outside train that have a reproduction of themselves in train.

    Args:
        table: a split's table.

    Returns:
        Its rows outside train whose leak group is in train too; none where grouped.
    """
    in_train = table["split"] == "train"
    trained = set(table.loc[in_train, "leak_group"])
    return table[~in_train & table["leak_group"].isin(trained)].reset_index(drop=True)


def _order_key(seed, path):
    text = f"{seed}|{unicodedata.normalize('NFC', path)}"
    return hashlib.sha256(text.encode()).digest()


def _counts(table):
    counts = table.groupby(["label", "split"], observed=True).size()
    counted = {label: {} for label in sorted(table["label"].unique())}
    for (label, split), count in counts.items():
        counted[label][split] = int(count)
    return counted


def _read_kept(path):
    """The kept table, or None where there is none or it is not what was written."""
    if not path.is_file():
        return None
    try:
        if storage.read_json(path.with_suffix(".json"))["sha256"] != storage.file_sha256(path):
            raise ValueError("the checksum differs")
        types = {"path": "string", "label": "string", "leak_group": "int64", "split": "string"}
        return pd.read_csv(path, dtype=types, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("The kept split %s is not as written (%s): it is made anew", path, error)
        return None


def _require(holds, expected, found):
    if not holds:
        raise AtelierError(expected, repr(found), "Correct the split's settings.")
