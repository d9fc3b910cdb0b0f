"""Pictures that pages offer to begin with: of the collection at hand, else of the sample.

A small sample is drawn at the first start where there is neither; it takes a few seconds, once.
"""

import logging
from pathlib import Path

from atelier import paths
from atelier.data.choose import collection_at
from atelier.data.manifest import load_manifest
from atelier.data.photographs import photographs_in
from atelier.data.sample import draw_sample
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

PAINTINGS, PHOTOS = 6, 4
_SIZE = 256  # pixels of the small sample's pictures


def example_pictures(directory=None):
    """(paintings, photographs): lists of (path, caption).

    Args:
        directory: root of a collection; None takes the sample collection where it was drawn,
            else a small one that is drawn now.
    """
    directory = Path(directory) if directory else _sample()
    manifest = load_manifest(directory)
    known = manifest[manifest["readable"].fillna(False)].dropna(subset=["artist"])
    largest = known["artist"].value_counts().index[:PAINTINGS]
    firsts = known[known["artist"].isin(largest)].groupby("artist", sort=True).first()
    paintings = [(str(directory / row.path), row.Index) for row in firsts.itertuples()]
    return paintings, _photographs(directory)


def _photographs(directory):
    for place in (directory, _sample()):
        try:
            found = photographs_in(place)
        except AtelierError:
            continue
        return [(str(Path(place) / path), "a photograph") for path in found[:PHOTOS]]
    return []


def _sample():
    whole = paths.data_dir() / "sample"
    if (whole / "sample.json").is_file():
        return whole
    return draw_sample(
        paths.build_dir() / "app" / "sample",
        works=1,
        painters=PAINTINGS,
        size=_SIZE,
        photos=PHOTOS,
        workers=1,
    )


def describe(directory):
    """What the pictures are of, for a caption."""
    return collection_at(directory).title if directory else collection_at(_sample()).title
