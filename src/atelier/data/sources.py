"""Getting a public collection into `data/`, and finding the one that is meant.

`fetch` downloads through kagglehub, or takes a zip or folder that someone has;
either way the result is checked against the layout that is expected before it
appears. `locate` turns a name, a path or nothing into a folder, and where it
fails says where it looked. Neither ever puts another collection in its place.
"""

import logging
import os
import tempfile
from pathlib import Path

from atelier import paths
from atelier.data.catalog import BEST_ARTWORKS, SOURCES, Source, get_source
from atelier.data.download import download
from atelier.data.layouts import layout_of, read_artgan_lists, read_layout
from atelier.data.layouts.artgan import TASKS
from atelier.data.layouts.names import folders_in
from atelier.data.unpack import link_tree, unpack_inner_zips, unpack_zip
from atelier.errors import AtelierError

__all__ = ["SOURCES", "Source", "fetch", "get_source", "locate"]

log = logging.getLogger(__name__)

_SAMPLE = "sample"  # has the layout of BEST_ARTWORKS and must never pass for it
_SAMPLE_MARK = "sample.json"
_DEPTH = 3  # how far below an archive's top a collection's root is looked for


def fetch(name, *, archive=None, progress=None):
    """Put a public collection into `data/NAME`; at once where it already is.

    Args:
        name: one of `SOURCES`.
        archive: a zip or folder to take instead of downloading.
        progress: called with (done, total) files while they are put in place;
            kagglehub shows the download's progress itself.

    Returns:
        Path of the collection.

    Raises:
        AtelierError: if the download is refused (saying which of network, credentials or
            rules is missing, and what to do), or what came is not that collection.
    """
    source = get_source(name)
    home = paths.data_dir() / source.name
    if home.is_dir() and any(home.iterdir()):
        _check(home, source, f"Move {home} away and fetch it again.")
        return home
    if home.is_symlink():
        home.unlink()  # it leads nowhere
    elif home.exists():
        home.rmdir()  # it is empty
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".fetch-") as scratch:
        came = Path(archive).expanduser() if archive else download(source, scratch)
        whole = Path(scratch) / "whole"
        _put(came, whole, source, progress)
        _root_in(whole, source, came).replace(home)
    log.info("%s is in %s. Licence: %s", source.title, home, source.licence)
    return home


def _put(came, whole, source, progress):
    """Unpack or link what came; unpack archives within archives."""
    if came.is_dir():
        link_tree(came, whole, progress=progress)
    elif came.is_file():
        unpack_zip(came, whole, progress=progress)
    else:
        raise AtelierError(
            f"a zip or folder of {source.title}", f"nothing at {came}", "Correct the path."
        )
    unpack_inner_zips(whole)


def _root_in(whole, source, came):
    """The folder, at or below the top of what came, that is the collection's root."""
    level = [whole]
    for _ in range(_DEPTH):
        for folder in level:
            if _fits(folder, source):
                return folder
        level = [folder / name for folder in level for name in folders_in(folder)]
    raise _not_it(came, source, "Give the zip or folder of that collection.")


def _fits(folder, source):
    try:
        _check(folder, source, "")
    except AtelierError:
        return False
    return True


def _check(folder, source, remedy):
    """Refuse a folder that does not hold the collection."""
    try:
        if source.layout == "lists":
            for task in TASKS:
                read_artgan_lists(folder, task)
            return
        if layout_of(folder) == source.layout:
            read_layout(folder)
            return
    except AtelierError as error:
        raise _not_it(folder, source, remedy) from error
    raise _not_it(folder, source, remedy)


def _not_it(folder, source, remedy):
    inside = sorted(path.name for path in folder.iterdir())[:5] if folder.is_dir() else []
    found = f"{folder} with {', '.join(inside)}" if inside else f"nothing of the kind in {folder}"
    return AtelierError(f"{source.title} ({source.expects})", found, remedy)


def locate(name_or_path=None):
    """The folder of a collection.

    Args:
        name_or_path: an existing folder; or a name, looked for in `ATELIER_DATA` (a
            collection's root or a folder of several) and then in `data/`; or None for
            `ATELIER_DATA`, else `data/best-artworks-of-all-time`. The sample is
            found by its name only: using it is the caller's choice.

    Returns:
        Path, absolute.

    Raises:
        AtelierError: naming every place that was looked at, and how to get the collection.
    """
    if name_or_path is None:
        return _locate_default()
    given = Path(name_or_path).expanduser()
    if given.is_dir():
        return given.resolve()
    name = str(name_or_path)
    if len(given.parts) != 1 or given.exists():
        found = "a file" if given.exists() else "nothing there"
        raise AtelierError(f"a folder at {given}", found, "Correct the path.")
    return _locate_name(name)


def _locate_default():
    named = os.environ.get("ATELIER_DATA")
    if not named:
        return _locate_name(BEST_ARTWORKS.name)
    folder = _named_folder(named)
    inside = _collections_in(folder)
    if not inside:
        return folder
    if BEST_ARTWORKS.name in inside or len(inside) == 1:
        return folder / (BEST_ARTWORKS.name if BEST_ARTWORKS.name in inside else inside[0])
    raise AtelierError(
        "one collection in ATELIER_DATA",
        f"{folder} with {', '.join(inside)}",
        f"Name one, such as `--data {inside[0]}`.",
    )


def _locate_name(name):
    places = [*_places_in_variable(name), paths.data_dir() / name]
    for place in places:
        if place.is_dir() and any(place.iterdir()):
            return place.resolve()
    looked = ", ".join(str(place) for place in places)
    raise AtelierError(f"the collection {name!r}", f"nothing at {looked}", _how_to_get(name))


def _places_in_variable(name):
    """Where ATELIER_DATA may hold the collection: below itself, or it is the root."""
    named = os.environ.get("ATELIER_DATA")
    if not named:
        return []
    folder = _named_folder(named)
    if (folder / name).is_dir():
        return [folder / name]
    itself = folder.name == name or _is_root_of(folder, name)
    return [folder] if itself else [folder / name]


def _is_root_of(folder, name):
    """Whether a folder of any name holds the public collection `name`."""
    sample = folder.name == _SAMPLE or (folder / _SAMPLE_MARK).exists()
    return name in SOURCES and not sample and layout_of(folder) == SOURCES[name].layout


def _named_folder(named):
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise AtelierError(
            "a folder in ATELIER_DATA", f"nothing at {folder}", "Correct or unset ATELIER_DATA."
        )
    return folder.resolve()


def _collections_in(folder):
    """Names of the folders inside that are collections of a particular layout."""
    if layout_of(folder) != "folders":
        return []
    return [name for name in folders_in(folder) if layout_of(folder / name) != "folders"]


def _how_to_get(name):
    if name == _SAMPLE:
        return "Run `atelier data sample`."
    if name == BEST_ARTWORKS.name:
        return f"Run `atelier data fetch {name}`, name a folder, or run `atelier data sample`."
    if name in SOURCES:
        return f"Run `atelier data fetch {name}`, or name a folder."
    return f"Name a folder, or one of {', '.join(SOURCES)} (`atelier data fetch NAME`)."
