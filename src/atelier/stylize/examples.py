"""The pictures that the notebooks paint: pairs of paintings, and the protocol's ten by twelve.

Pairs are paintings of the main collection whose painters died before 1955, so that content,
style and result may all be shown; the first is the predecessor's, a self-portrait of van Gogh's
in the style of a plate of Goya's. The protocol takes the folder `style-pairs`, with the
pictures that the literature shows, where it is; else photographs and paintings at hand.
"""

import dataclasses
import os
from pathlib import Path

import numpy as np

from atelier import paths
from atelier.data.catalog import BEST_ARTWORKS
from atelier.data.images import fit_picture
from atelier.data.manifest import load_manifest
from atelier.data.photographs import photographs_for, photographs_in
from atelier.data.reading import IMAGE_SUFFIXES, read_rgb
from atelier.errors import AtelierError

STYLE_PAIRS = "style-pairs"  # a folder with content/ and style/, in ATELIER_DATA or data/
FULL = (10, 12)  # contents and styles of the protocol
_PAIRS = (
    ("Vincent_van_Gogh_84", "Francisco_Goya_238"),
    ("Alfred_Sisley_35", "Vincent_van_Gogh_242"),
    ("Leonardo_da_Vinci_34", "Vasiliy_Kandinskiy_64"),
)


@dataclasses.dataclass(frozen=True)
class Example:
    """A picture with its name."""

    name: str
    pixels: np.ndarray  # (height, width, 3) uint8


def pairs(collection):
    """Three pairs of a content and a style painting, all of which may be shown.

    Args:
        collection: a `data.choose.Collection`.

    Returns:
        List of (content, style), an `Example` each. Of another collection than the main one,
        pictures of its first painters in turn.
    """
    if collection.title == BEST_ARTWORKS.title:
        return [tuple(_work(collection, name) for name in pair) for pair in _PAIRS]
    works = list(load_manifest(collection.directory).groupby("artist")["path"])
    if len(works) < 2:
        raise AtelierError(
            "a collection of two painters or more", len(works), "Choose another ATELIER_DATA."
        )
    firsts = [Example(artist, collection.picture(files.iloc[0])) for artist, files in works]
    return [(firsts[n], firsts[(n + 1) % len(firsts)]) for n in range(min(3, len(firsts)))]


def _work(collection, name):
    folder, _, number = name.rpartition("_")
    path = f"images/images/{folder}/{name}.jpg"
    return Example(f"{folder.replace('_', ' ')} {number}", collection.picture(path))


def protocol(collection, counts=FULL, *, longest=512):
    """The contents and styles that methods are compared on.

    Args:
        collection: a `data.choose.Collection` with paintings, for where there is no `style-pairs`.
        counts: how many contents and styles, at most.
        longest: pixels of the longer side, at most.

    Returns:
        (title, contents, styles), lists of `Example`.
    """
    number, styles_number = counts
    for root in (os.environ.get("ATELIER_DATA"), paths.data_dir()):
        folder = None if root is None or paths.fast() else Path(root) / STYLE_PAIRS
        if folder is not None and folder.is_dir():
            parts = [_pictures_in(folder / part, longest) for part in ("content", "style")]
            return STYLE_PAIRS, parts[0][:number], parts[1][:styles_number]
    photos = photographs_for(collection)
    contents = [
        Example(Path(path).stem, photos.picture(path))
        for path in photographs_in(photos.directory)[:number]
    ]
    works = load_manifest(collection.directory).dropna(subset="artist")
    works = works.assign(turn=works.groupby("artist").cumcount())  # each painter's first, then ...
    rows = works.sort_values(["turn", "artist"])[:styles_number].itertuples()
    styles = [
        Example(Path(row.path).stem.replace("_", " "), collection.picture(row.path)) for row in rows
    ]
    return f"photographs and paintings of {photos.title}", contents, styles


def _pictures_in(folder, longest):
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
    return [Example(file.stem, _at_most(read_rgb(file), longest)) for file in files]


def _at_most(picture, longest):
    height, width = picture.shape[:2]
    scale = min(1.0, longest / max(height, width))
    return fit_picture(picture, (round(height * scale), round(width * scale)))
