"""What lies in a folder of pictures: each picture once, with the labels that the layout gives.

Five layouts are known by what is in the folder: Kaggle's artists, WikiArt
(with ArtGAN's lists beside it), Painter by Numbers, gan-getting-started, and,
for everything else, a folder of folders of images. No picture is opened here;
whether it can be read is the audit's question.
"""

from pathlib import Path

from atelier.data.layouts.artgan import find_lists, read_artgan_lists
from atelier.data.layouts.artists import is_artists, read_artists, read_artists_layout
from atelier.data.layouts.folders import is_domains, read_domains, read_domains_layout, read_folders
from atelier.data.layouts.movements import MOVEMENTS, movement_of
from atelier.data.layouts.names import IMAGE_SUFFIXES, find_images, folders_in, repair_name
from atelier.data.layouts.painters import is_painters, read_painters_layout
from atelier.data.layouts.rows import LABELS
from atelier.data.layouts.wikiart import is_wikiart, read_wikiart_layout
from atelier.errors import AtelierError

__all__ = [
    "IMAGE_SUFFIXES",
    "LABELS",
    "LAYOUTS",
    "MOVEMENTS",
    "find_images",
    "find_lists",
    "layout_of",
    "movement_of",
    "read_artgan_lists",
    "read_artists",
    "read_domains",
    "read_layout",
    "repair_name",
]

LAYOUTS = {  # name: (is it this?, read it); the first that fits
    "artists": (is_artists, read_artists_layout),
    "painter-by-numbers": (is_painters, read_painters_layout),
    "gan-getting-started": (is_domains, read_domains_layout),
    "wikiart": (is_wikiart, read_wikiart_layout),
}


def layout_of(directory):
    """The name of a folder's layout, "folders" where it is none of the particular ones.

    Raises:
        AtelierError: if there is no such folder.
    """
    directory = Path(directory).expanduser()
    if not directory.is_dir():
        found = "a file" if directory.exists() else "no such folder"
        raise AtelierError(
            f"a folder of pictures at {directory}",
            found,
            "Correct the path, or get a collection: `atelier data fetch NAME` or `atelier data sample`.",
        )
    for name, (fits, _) in LAYOUTS.items():
        if fits(directory):
            return name
    return "folders"


def read_layout(directory):
    """Each picture of a collection once, with its labels.

    Args:
        directory: the collection's root, in any of the five layouts. A root that holds
            nothing but one folder is read through that folder.

    Returns:
        A table of strings, sorted by `path` (posix, relative to `directory`), with
        `artist`, `style`, `genre` and `movement`, `<NA>` where the layout does not say.

    Raises:
        AtelierError: if there is no such folder, it holds no pictures, its label
            file cannot be read, or it is a folder of several collections.
    """
    directory = Path(directory).expanduser()
    inner = _unwrap(directory)
    layout = layout_of(inner)
    if layout == "folders":
        _refuse_several(inner)
        table = read_folders(inner)
    else:
        table = LAYOUTS[layout][1](inner)
    if table.empty:
        raise AtelierError(
            f"pictures ({', '.join(sorted(IMAGE_SUFFIXES))}) below {directory}",
            f"none (read as layout {layout!r})",
            "Name a folder that holds one folder of images per artist.",
        )
    if inner != directory:
        table["path"] = f"{inner.relative_to(directory).as_posix()}/" + table["path"]
    return table


def _unwrap(directory):
    """Step into an only folder as long as what lies there is a particular layout."""
    inner = directory
    while layout_of(inner) == "folders" and len(folders_in(inner)) == 1:
        inner = inner / folders_in(inner)[0]
    return inner if layout_of(inner) != "folders" else directory


def _refuse_several(directory):
    names = [name for name in folders_in(directory) if layout_of(directory / name) != "folders"]
    if names:
        raise AtelierError(
            f"one collection at {directory}",
            f"a folder that holds {', '.join(names)}",
            f"Name one of them, such as {directory / names[0]}.",
        )
