"""Best Artworks of All Time: `artists.csv` and `images/images/<Artist>/<Artist>_<n>.jpg`.

The full download holds each picture again under `resized/resized/`; that copy
is read only where the first is missing. Dürer's second folder repeats his
first and adds nothing here. The CSV's `genre` holds what everyone else
calls a style (Impressionism, Baroque), so it becomes `style`, several values
joined by commas as they are; what is depicted is not known and `genre` stays missing.
"""

import logging
import re
from pathlib import Path, PurePosixPath

import pandas as pd

from atelier.data.layouts.names import find_images, name_key, repair_name, spoken
from atelier.data.layouts.rows import rows_to_table
from atelier.errors import AtelierError
from atelier.storage import file_sha256

log = logging.getLogger(__name__)

ARTISTS_FILE = "artists.csv"
_PICTURE_FOLDERS = ("images/images", "images", "resized/resized", "resized")


def read_artists(directory):
    """The collection's `artists.csv` as it is, one row an artist.

    Raises:
        AtelierError: if there is none, it cannot be parsed, or it has no `name` column.
    """
    path = Path(directory) / ARTISTS_FILE
    if not path.is_file():
        raise AtelierError(
            f"{ARTISTS_FILE} in the collection",
            f"none in {directory}",
            "Name the folder that holds it, or fetch the collection again.",
        )
    try:
        artists = pd.read_csv(path, encoding="utf-8-sig")
    except (ValueError, pd.errors.ParserError) as error:
        raise AtelierError(
            f"a table in {path}", f"{error}", "Fetch the collection again."
        ) from error
    if "name" not in artists:
        raise AtelierError(
            f"a column `name` in {path}", f"{list(artists)}", "Fetch the collection again."
        )
    return artists


def is_artists(directory):
    """Whether this is the layout with `artists.csv` and a folder of pictures."""
    directory = Path(directory)
    return (directory / ARTISTS_FILE).is_file() and any(
        (directory / folder).is_dir() for folder in _PICTURE_FOLDERS
    )


def read_artists_layout(directory):
    """Table of pictures; see `atelier.data.layouts.read_layout`."""
    artists = read_artists(directory)
    known = {name_key(row.name): row for row in _named(artists)}
    rows = []
    for path, folder in without_repeats(directory, _pictures(directory)):
        artist = known.get(name_key(folder))
        rows.append((path, artist.name, artist.style) if artist else (path, spoken(folder), None))
    strangers = {artist for _, artist, style in rows if name_key(artist) not in known}
    if strangers:
        log.warning("Not in %s, labeled by folder: %s", ARTISTS_FILE, ", ".join(sorted(strangers)))
    return rows_to_table(rows, ("path", "artist", "style"))


def _named(artists):
    table = pd.DataFrame({"name": artists["name"].astype("string").map(spoken, na_action="ignore")})
    table["style"] = artists["genre"].astype("string") if "genre" in artists else pd.NA
    return table.dropna(subset="name").itertuples(index=False)


def _pictures(directory):
    """(path, name of the artist's folder) of each picture, from the first place that has any."""
    for place in _PICTURE_FOLDERS:
        root = Path(directory) / place
        inside = find_images(root) if root.is_dir() else []
        if place.endswith("images"):
            pairs = [(f"{place}/{path}", path.split("/")[0]) for path in inside if "/" in path]
        else:  # all artists in one folder: Vincent_van_Gogh_12.jpg
            pairs = [(f"{place}/{path}", _without_number(path)) for path in inside]
        if pairs:
            return pairs
    return []


def _without_number(path):
    return re.sub(r"_\d+$", "", PurePosixPath(path).stem)


def without_repeats(directory, pictures):
    """Drop pictures that a second folder of the same artist only repeats.

    Args:
        directory: the collection's root.
        pictures: list of (path, name of the artist's folder).

    Returns:
        The list without a picture whose repaired name carries the artist's and was
        seen in a folder of another spelling (`Dürer_7.jpg` is one picture under
        both of his folders), or whose bytes equal such a picture's.
    """
    spellings = {}
    for _, folder in pictures:
        spellings.setdefault(spoken(folder), set()).add(folder)
    merged = {name for name, folders in spellings.items() if len(folders) > 1}
    if not merged:
        return pictures
    by_least_broken = sorted(pictures, key=lambda pair: (len(pair[1]), pair[0]))
    kept, stems, contents = [], {}, {}
    for path, folder in by_least_broken:
        artist = spoken(folder)
        if artist in merged and _is_repeat(directory, path, folder, artist, stems, contents):
            continue
        kept.append((path, folder))
    log.info("Passed over %d repeated pictures of %s", len(pictures) - len(kept), sorted(merged))
    return sorted(kept)


def _is_repeat(directory, path, folder, artist, stems, contents):
    """Whether another spelling's folder had it; remembers it where not."""
    stem = repair_name(PurePosixPath(path).stem)
    numbered = name_key(stem).startswith(name_key(artist))
    if numbered and stems.setdefault((artist, stem), folder) != folder:
        return True
    file = Path(directory) / path
    same_size = contents.setdefault((artist, file.stat().st_size), [])
    for other, other_folder in same_size:
        if other_folder != folder and file_sha256(file) == file_sha256(other):
            return True
    same_size.append((file, folder))
    return False
