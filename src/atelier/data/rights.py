"""Which pictures may appear in a published figure: those whose painter died before 1955.

Copyright in paintings lasts seventy years after the painter's death in most
countries. The year comes from the `years` column of the collection's
`artists.csv` ("1853 – 1890"). A painter whose year is unknown is not shown,
except in the sample collection, whose painters are invented.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from atelier.data.layouts import layout_of
from atelier.data.layouts.artists import ARTISTS_FILE, read_artists
from atelier.data.layouts.names import name_key
from atelier.data.manifest import load_manifest

DIED_BEFORE = 1955
_INVENTED = "Invented"  # how the sample collection opens a nationality


def death_year(years):
    """The last year in a text such as "1853 – 1890", or None where it holds fewer than two."""
    found = re.findall(r"\d{4}", str(years))
    return int(found[-1]) if len(found) > 1 else None


def showable_artists(artists, before=DIED_BEFORE):
    """Names in a table of artists (columns name, years) whose painter died before that year."""
    free = pd.Series(False, index=artists.index)
    if "years" in artists:
        free |= pd.to_numeric(artists["years"].map(death_year)) < before
    if "nationality" in artists:
        free |= artists["nationality"].astype("string").str.startswith(_INVENTED).fillna(False)
    return artists["name"][free].tolist()


def may_be_shown(directory, artists):
    """Whether each picture may appear in a published figure.

    Args:
        directory: the collection's root, with its `artists.csv`.
        artists: (n,) names of the pictures' painters.

    Returns:
        (n,) bool. Without an `artists.csv` nobody knows: all False in a public
        collection, all True in a folder of one's own.
    """
    if not (Path(directory) / ARTISTS_FILE).is_file():
        return np.full(len(artists), layout_of(directory) == "folders")
    known = {name_key(name) for name in showable_artists(read_artists(directory))}
    return np.array([name_key(artist) in known for artist in artists], bool)


def pictures_may_be_shown(directory, pictures):
    """The same by picture, whatever its label is: the manifest knows who painted it.

    Args:
        directory: the collection's root.
        pictures: (n,) paths in it.

    Returns:
        (n,) bool; False where no painter is known, but in a folder of one's own.
    """
    artists = load_manifest(directory).set_index("path")["artist"].reindex(pictures)
    return may_be_shown(directory, artists.astype("string").fillna(""))
