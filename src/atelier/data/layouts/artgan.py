"""ArtGAN's lists for WikiArt: which picture is by whom, of what and in which style, and which judge.

Source: Tan, Chan, Aguirre & Tanaka 2019 (ArtGAN), for the tasks artist (23), genre (10)
and style (27): `{task}_class.txt` with "0 Name" a line, `{task}_train.csv` and
`{task}_val.csv` with "folder/file.jpg,0" a line. They lie in one folder, as in ArtGAN's
archive, or in one a task, as in its repository; that folder is named by `ATELIER_LISTS`,
or is inside the collection, beside it or in `data/`.
"""

import logging
from pathlib import Path, PurePosixPath

import pandas as pd

from atelier import paths
from atelier.data.layouts.names import find_images, name_key, spoken
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

TASKS = ("artist", "genre", "style")
LIST_FOLDERS = ("wikiart_csv", "artgan_csv", "WikiArt Dataset", "ArtGAN")
_SUFFIXES = {"class": (".txt", ""), "train": (".csv", ""), "val": (".csv", "")}
_NAMED = 3  # missing pictures that one message names


def find_lists(directory):
    """The folder of ArtGAN's lists for a collection (see `places_of_lists`), or None.

    Raises:
        AtelierError: if `ATELIER_LISTS` names a folder without lists.
    """
    for place in places_of_lists(directory):
        if any(_find_list(place, f"{task}_class") for task in TASKS):
            return place
    if paths.lists_dir():
        raise AtelierError(
            "ArtGAN's lists in ATELIER_LISTS",
            f"none in {paths.lists_dir()}",
            "Correct or unset ATELIER_LISTS.",
        )
    return None


def places_of_lists(directory):
    """Where a collection's lists may lie: where `ATELIER_LISTS` says, or near it and in `data/`."""
    if named := paths.lists_dir():
        return [named]
    directory = Path(directory).resolve()
    parents = dict.fromkeys((directory, directory.parent, paths.data_dir()))
    return [directory, *(parent / name for parent in parents for name in LIST_FOLDERS)]


def read_artgan_lists(csv_dir, task, *, directory=None):
    """ArtGAN's official lists of one task.

    Args:
        csv_dir: the folder of the lists.
        task: "artist", "genre" or "style".
        directory: a WikiArt collection; its own paths then replace the listed ones
            (Kaggle renames a folder and mends names), and what it lacks is left out, counted
            and named in the log.

    Returns:
        A table of `path`, `label` (spaces for underscores) and `split` ("train" or
        "val"), with `.attrs["class_names"]` in the order of the official indices.

    Raises:
        AtelierError: if a list is missing, names an unknown class, or cannot be read, or
            if none of its pictures is in the collection.
    """
    list_paths(csv_dir, task)
    names = class_names(csv_dir, task)
    parts = [_read_list(csv_dir, task, split, names) for split in ("train", "val")]
    table = pd.concat(parts, ignore_index=True)
    if directory is not None:
        table = _present(table, directory, task)
    table.attrs["class_names"] = names
    return table


def _present(table, directory, task):
    """The rows whose picture is in a collection, with its paths."""
    found = match_paths(table["path"], find_images(directory))
    missing = table["path"][~table["path"].isin(found.keys())]
    if len(missing) == len(table):
        raise AtelierError(
            f"pictures of ArtGAN's {task} lists in {directory}",
            f"none of {len(table)}, such as {', '.join(missing.head(_NAMED)) or 'an empty list'}",
            "Name the WikiArt collection that the lists belong to.",
        )
    if len(missing):
        log.warning(
            "%d of %d pictures of the %s lists are not in %s, such as %s",
            len(missing),
            len(table),
            task,
            directory,
            ", ".join(missing.head(_NAMED)),
        )
    table["path"] = table["path"].map(found).astype("string")
    table = table.dropna(subset="path")  # of a picture listed twice the last, val, counts
    return table.drop_duplicates("path", keep="last", ignore_index=True)


def list_paths(csv_dir, task):
    """The files of one task's lists: classes, train and val.

    Raises:
        AtelierError: if there is no such task, or a file is missing.
    """
    if task not in TASKS:
        raise AtelierError(f"a task among {', '.join(TASKS)}", f"{task!r}", "Name one of these.")
    return [_list_path(csv_dir, f"{task}_{part}") for part in _SUFFIXES]


def class_names(csv_dir, task):
    """Class names by index, from lines "0 Name"."""
    path = _list_path(csv_dir, f"{task}_class")
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    pairs = [line.split(maxsplit=1) for line in lines if line.strip()]
    try:
        indexed = {int(index): spoken(name) for index, name in pairs}
    except ValueError as error:
        raise AtelierError(
            f'lines like "0 Name" in {path}', f"{error}", "Get the lists again."
        ) from error
    if sorted(indexed) != list(range(len(pairs))):
        raise AtelierError(
            f"classes counted from 0 in {path}", f"{sorted(indexed)}", "Get the lists again."
        )
    return [indexed[index] for index in range(len(indexed))]


def _read_list(csv_dir, task, split, names):
    path = _list_path(csv_dir, f"{task}_{split}")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        picture, _, index = line.rpartition(",")
        if not picture or not index.strip().isdigit() or int(index) >= len(names):
            raise AtelierError(
                f'"folder/file.jpg,index" with an index under {len(names)}',
                f"{line.strip()!r} in line {number} of {path}",
                "Get the lists again, or correct the line.",
            )
        rows.append((picture.strip().strip('"'), names[int(index)], split))
    return pd.DataFrame(rows, columns=["path", "label", "split"], dtype="string")


def _list_path(csv_dir, stem):
    if path := _find_list(csv_dir, stem):
        return path
    suffix = _SUFFIXES[stem.partition("_")[2]][0]
    raise AtelierError(
        f"{stem}{suffix} in {csv_dir}",
        "no such file",
        "Get ArtGAN's lists: `atelier data fetch artgan-lists` says how.",
    )


def _find_list(csv_dir, stem):
    """A list's file in a folder, or in one a task as in ArtGAN's repository; or None."""
    task, _, part = stem.partition("_")
    for folder in ("", task.capitalize(), f"WikiArt Dataset/{task.capitalize()}"):
        for suffix in _SUFFIXES[part]:
            if (path := Path(csv_dir) / folder / f"{stem}{suffix}").is_file():
                return path
    return None


def match_paths(listed, present):
    """Listed path -> path here, forgiving `_Modern`, accents, case and punctuation."""
    exact = set(present)
    loose = {_loose(path): path for path in present}
    found = {}
    for path in listed:
        here = path if path in exact else loose.get(_loose(path))
        if here is not None:
            found[path] = here
    return found


def _loose(path):
    folder, _, file = path.rpartition("/")
    style = name_key(folder.rpartition("/")[2]).removesuffix("modern")
    return style, name_key(PurePosixPath(file).stem)
