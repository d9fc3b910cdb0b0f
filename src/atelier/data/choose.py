"""Which collection a notebook works on: the one that is named, the main one, or the sample.

The sample is drawn here without asking, as nothing else ever is; its title says
so below every figure. A fast run always takes a small sample of its own.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from atelier import paths
from atelier.data.catalog import BEST_ARTWORKS
from atelier.data.layouts import layout_of
from atelier.data.layouts.artists import is_artists, read_artists
from atelier.data.reading import read_rgb
from atelier.data.sources import locate
from atelier.errors import AtelierError

SAMPLE_TITLE = "sample collection, invented painters"
_SAMPLE_MARK = "sample.json"
_MAIN_MIN_WORKS = 200  # leaves the 11 painters that the predecessor told apart
_FAST_SAMPLE = {"works": 14, "size": 96, "photos": 14}


@dataclass(frozen=True)
class Collection:
    """A collection as notebooks use it.

    Attributes:
        directory: its root.
        title: how figures name it.
        min_works: least number of pictures of a class, or None for all classes.
    """

    directory: Path
    title: str
    min_works: int | None

    def picture(self, path):
        """A picture of the manifest, (h, w, 3) uint8 RGB."""
        return read_rgb(self.directory / path)

    @property
    def is_sample(self):
        """Whether its painters are invented."""
        return self.title == SAMPLE_TITLE


def choose_collection(name=BEST_ARTWORKS.name, *, progress=None):
    """A public collection where it is, else the sample, drawn if need be.

    Args:
        name: of the collection, looked for in `ATELIER_DATA` and then in `data/`. The main
            one is also any that `ATELIER_DATA` itself is.
        progress: called with (done, total) while the sample is drawn.

    Raises:
        AtelierError: if `ATELIER_DATA` names no collection.
    """
    if paths.fast():
        return _sample(paths.build_dir() / "sample", progress, **_FAST_SAMPLE)
    if os.environ.get("ATELIER_DATA") and name == BEST_ARTWORKS.name:
        return collection_at(locate())
    try:
        return collection_at(locate(name))
    except AtelierError:  # it is not there: the one stand-in that is allowed
        return _sample(None, progress)


def _sample(out, progress, **settings):
    from atelier.data.sample import draw_sample

    return collection_at(draw_sample(out, progress=progress, **settings))


def collection_at(directory):
    """A collection's title and which of its classes count, told by what its folder holds."""
    directory = Path(directory)
    if (directory / _SAMPLE_MARK).is_file():
        return Collection(directory, SAMPLE_TITLE, None)
    if layout_of(directory) == BEST_ARTWORKS.layout:
        return Collection(directory, BEST_ARTWORKS.title, _MAIN_MIN_WORKS)
    return Collection(directory, directory.name, None)


def artists_of(collection, manifest):
    """One row a painter: `artists.csv` as it is, or what the manifest knows where there is none.

    Returns:
        Table with name, years, genre, nationality and paintings, and more where the
        collection has it. What is not known is missing.
    """
    if is_artists(collection.directory):
        return read_artists(collection.directory)
    works = manifest.dropna(subset="artist").groupby("artist")
    table = pd.DataFrame({"genre": works["style"].first(), "paintings": works.size()})
    table = table.rename_axis("name").reset_index()
    return table.assign(years=pd.NA, nationality=pd.NA)
