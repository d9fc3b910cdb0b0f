"""Pictures that users gave with the right artist, as further training pictures of a split.

None may be a reproduction of a picture that validates or tests, however it came to be: such
a picture is left out, with all that resemble it. One whose label contradicts a training
picture, or another user, is left out and named: who is right is for people to say. An
exact copy teaches nothing new; another photograph of a training picture does.
"""

import dataclasses
import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from atelier import storage
from atelier.data.duplicates import leak_groups, near_pairs
from atelier.data.images import decode
from atelier.data.layouts.names import name_key
from atelier.data.manifest import load_manifest
from atelier.data.thumbnails import SIDE, describe, thumbnail_store

log = logging.getLogger(__name__)

COPY = 2.0  # mean difference of two thumbnails in levels; a JPEG and its pixels as PNG reach 1
ADDED, UNREADABLE, STRANGER = "added", "unreadable", "of no class here"
HELD_OUT, DISPUTED, KNOWN = "of a val or test picture", "disputed", "there already"
_NAMED = 8  # disputed pictures that one message names


@dataclasses.dataclass(frozen=True)
class Corrections:
    """What came of a folder of feedback.

    Attributes:
        table: added pictures: `path` (absolute), `label`, `leak_group`, `split` ("train").
        left_out: reason -> number of pictures.
        disputed: their paths in the folder.
        fingerprint: changes with the bytes and labels of the pictures added.
    """

    table: pd.DataFrame
    left_out: dict
    disputed: list
    fingerprint: str

    def facts(self):
        """What a model's `metrics.json` says of it."""
        return {
            "fingerprint": self.fingerprint,
            "added": len(self.table),
            "labels": {k: int(n) for k, n in sorted(Counter(self.table["label"]).items())},
            "left_out": self.left_out,
            "disputed": self.disputed,
        }


def load_corrections(folder, directory, split, *, progress=None):
    """Feedback that may join the training part of a split.

    Args:
        folder: a collection of folders by artist, as `atelier monitor feedback --export` writes.
        directory: root of the collection that is split.
        split: a `splits.Split`; a folder's name is one of its classes, however spelled.
        progress: called with (done, total) while pictures are read.

    Returns:
        `Corrections`; what is left out is logged.

    Raises:
        AtelierError: if the folder holds no pictures.
    """
    folder = Path(folder).expanduser().resolve()
    rows = _rows(load_manifest(folder, progress=progress), split.class_names)
    usable = rows.index[rows["fate"] == ADDED]
    given = rows.loc[usable]
    fates, groups = _fates(folder, given, directory, split.table, progress)
    rows.loc[usable, "fate"] = fates
    rows.loc[usable, "leak_group"] = groups
    return _gather(rows, folder)


def _rows(manifest, class_names):
    """The folder's pictures with their label here, and whether they can be used at all."""
    known = {name_key(name): name for name in class_names}
    rows = manifest[["path", "sha256", "readable"]].copy()
    keys = manifest["artist"].fillna("").map(name_key)
    rows["label"] = keys.map(known).astype("string")
    rows["fate"] = np.where(rows["label"].isna(), STRANGER, ADDED)
    rows.loc[~rows["readable"].fillna(False), "fate"] = UNREADABLE
    return rows.assign(leak_group=-1).sort_values(["label", "sha256"], ignore_index=True)


def _fates(folder, given, directory, table, progress):
    """What becomes of each usable picture, and the leak group it is in."""
    if given.empty:
        return [], []
    paths = [*table["path"], *((folder / path).as_posix() for path in given["path"])]
    first = len(table)  # row of the first that was given
    pairs = _pairs(directory, paths, first, progress)
    labels = [*table["label"], *given["label"]]
    parts = [*table["split"], *["train"] * len(given)]
    found = _groups(table["leak_group"].to_numpy(), len(paths), pairs)
    held_out = {group for group, part in zip(found, parts, strict=True) if part != "train"}
    fates = np.where([group in held_out for group in found[first:]], HELD_OUT, ADDED).tolist()
    for one, two, kind in pairs:
        for row, other in ((one, two), (two, one)):
            if row < first or fates[row - first] == HELD_OUT or kind == "version":
                continue
            if labels[row] != labels[other]:
                fates[row - first] = DISPUTED
            elif kind == "copy" and other < row and fates[row - first] == ADDED:
                fates[row - first] = KNOWN
    return fates, found[first:]


def _pairs(directory, paths, first, progress):
    """(row, row, kind) of pictures alike, of which one at least was given; one "copy", "near", "version"."""
    images = decode(directory, paths, image_size=(SIDE, SIDE), progress=progress)
    rows = [row for row, path in enumerate(paths) if path not in images.skipped]
    places = images.rows([paths[row] for row in rows])
    given = [number for number, row in enumerate(rows) if row >= first]
    with thumbnail_store(len(rows)) as store:
        for number, place in enumerate(places):
            store[number] = describe(images.pixels[place])
        near = near_pairs(store, versions=True, among=set(given))
    alike = [(pair.first, pair.second, "version" if pair.version else "near") for pair in near]
    alike += [(*sorted(pair), "copy") for pair in _copies(images.pixels, places, given)]
    return [(rows[one], rows[two], kind) for one, two, kind in alike]


def _copies(pixels, places, given):
    """Pairs of equal pictures, however plain, one of them given; as numbers of `places`."""
    means = np.array([pixels[place].mean() for place in places])
    for number in given:
        close = np.flatnonzero(np.abs(means - means[number]) <= COPY)  # no others can be
        gaps = pixels[places[close]].astype("int16") - pixels[places[number]]
        equal = close[np.abs(gaps).mean(axis=(1, 2, 3)) <= COPY]
        yield from ((number, other) for other in equal.tolist() if other != number)


def _groups(known, count, pairs):
    """Leak groups of `count` pictures: those known, of the first, joined and continued by pairs."""
    _, first = np.unique(known, return_index=True)
    heads = dict(zip(known[first].tolist(), first.tolist(), strict=True))
    links = [(heads[group], row) for row, group in enumerate(known.tolist())]
    joined = leak_groups(count, [*links, *((one, two) for one, two, _ in pairs)])
    names = dict(zip(joined[: len(known)].tolist()[::-1], known.tolist()[::-1], strict=True))
    new = int(known.max()) + 1
    return [names.get(group, new + group) for group in joined.tolist()]


def _gather(rows, folder):
    added = rows[rows["fate"] == ADDED]
    left_out = rows.loc[rows["fate"] != ADDED, "fate"].value_counts().sort_index()
    disputed = rows.loc[rows["fate"] == DISPUTED, "path"].tolist()
    table = added[["label", "leak_group"]].assign(
        path=[(folder / path).as_posix() for path in added["path"]], split="train"
    )
    table = table[["path", "label", "leak_group", "split"]].reset_index(drop=True)
    types = {"path": "string", "label": "string", "leak_group": "int64", "split": "string"}
    content = added[["label", "sha256"]].astype(str).to_numpy().tolist()
    counts = {reason: int(number) for reason, number in left_out.items()}
    _tell(len(table), counts, disputed)
    return Corrections(table.astype(types), counts, disputed, storage.fingerprint(content))


def _tell(added, left_out, disputed):
    reasons = ", ".join(f"{number} {reason}" for reason, number in left_out.items()) or "none"
    level = logging.WARNING if left_out else logging.INFO
    log.log(level, "%d pictures of feedback added to training; left out: %s", added, reasons)
    if disputed:
        named = ", ".join(disputed[:_NAMED]) + (" and more" if len(disputed) > _NAMED else "")
        log.warning("Labeled otherwise in training or by another user, left out: %s", named)
