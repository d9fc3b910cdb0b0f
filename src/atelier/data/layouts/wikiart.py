"""WikiArt: one folder a style, files `artist-name_title.jpg`; ArtGAN's lists add labels.

Source: kagglehub `steubk/wikiart`. Where ArtGAN's lists (see `layouts.artgan`) are at
hand, genres are theirs, and so is the spelling of artists; the style is the folder's.
"""

import logging
from pathlib import PurePosixPath

from atelier.data.layouts.artgan import (
    LIST_FOLDERS,
    class_names,
    find_lists,
    match_paths,
    read_artgan_lists,
)
from atelier.data.layouts.names import find_images, folders_in, name_key, spoken, spoken_slug
from atelier.data.layouts.rows import rows_to_table
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

STYLES = (
    "Abstract_Expressionism",
    "Action_painting",
    "Analytical_Cubism",
    "Art_Nouveau",
    "Baroque",
    "Color_Field_Painting",
    "Contemporary_Realism",
    "Cubism",
    "Early_Renaissance",
    "Expressionism",
    "Fauvism",
    "High_Renaissance",
    "Impressionism",
    "Mannerism_Late_Renaissance",
    "Minimalism",
    "Naive_Art_Primitivism",
    "New_Realism",
    "Northern_Renaissance",
    "Pointillism",
    "Pop_Art",
    "Post_Impressionism",
    "Realism",
    "Rococo",
    "Romanticism",
    "Symbolism",
    "Synthetic_Cubism",
    "Ukiyo_e",
)
_KAGGLE_SPELLING = "Art_Nouveau_Modern"  # ArtGAN's lists say Art_Nouveau
_STYLE_KEYS = frozenset(name_key(style) for style in (*STYLES, _KAGGLE_SPELLING))


def is_wikiart(directory):
    """Whether at least half of the folders here, other than lists, are named for WikiArt's styles."""
    folders = [folder for folder in folders_in(directory) if folder not in LIST_FOLDERS]
    known = sum(name_key(folder) in _STYLE_KEYS for folder in folders)
    return known > 0 and 2 * known >= len(folders)


def read_wikiart_layout(directory):
    """Table of pictures; see `atelier.data.layouts.read_layout`."""
    paths = [path for path in find_images(directory) if "/" in path]
    lists = find_lists(directory)
    names = _artist_names(lists) if lists else {}
    genres = _genres(lists, paths) if lists else {}
    rows = []
    for path in paths:
        slug, parted, _ = PurePosixPath(path).name.partition("_")
        artist = names.get(name_key(slug), spoken_slug(slug)) if parted else None
        rows.append((path, artist, spoken(path.split("/")[0]), genres.get(path)))
    return rows_to_table(rows, ("path", "artist", "style", "genre"))


def _artist_names(lists):
    try:
        return {name_key(name): name for name in class_names(lists, "artist")}
    except AtelierError as error:
        log.warning("Artists are named by file: %s", error)
        return {}


def _genres(lists, paths):
    """Path -> genre, where the lists give one."""
    try:
        table = read_artgan_lists(lists, "genre")
    except AtelierError as error:
        log.warning("No genres: %s", error)
        return {}
    found = match_paths(table["path"], paths)
    return {
        found[listed]: label
        for listed, label in zip(table["path"], table["label"], strict=True)
        if listed in found
    }
