"""WikiArt: one folder a style, files `artist-name_title.jpg`; ArtGAN's lists add labels.

Sources: kagglehub `steubk/wikiart`; Tan, Chan et al. 2016/2019 (ArtGAN) for the
lists of artist (23), genre (10) and style (27): `{task}_class.txt` with "0 Name"
a line, `{task}_train.csv` and `{task}_val.csv` with "folder/file.jpg,0" a line. The
lists lie inside the collection or beside it, in a folder `wikiart_csv` or `artgan_csv`.
Where both name an artist the list's spelling wins; the style is the folder's.
"""

import logging
from pathlib import Path, PurePosixPath

import pandas as pd

from atelier.data.layouts.names import find_images, folders_in, name_key, spoken, spoken_slug
from atelier.data.layouts.rows import rows_to_table
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

TASKS = ("artist", "genre", "style")
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
_LIST_FOLDERS = ("wikiart_csv", "artgan_csv")


def is_wikiart(directory):
    """Whether at least half of the folders here, other than lists, are named for WikiArt's styles."""
    folders = [folder for folder in folders_in(directory) if folder not in _LIST_FOLDERS]
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


def find_lists(directory):
    """The folder of ArtGAN's lists inside a collection or beside it, or None."""
    directory = Path(directory).resolve()
    for parent in (directory, directory.parent):
        for name in _LIST_FOLDERS:
            if any((parent / name).glob("*_class*")):
                return parent / name
    return None


def read_artgan_lists(csv_dir, task, *, directory=None):
    """ArtGAN's official lists of one task.

    Args:
        csv_dir: the folder of the lists.
        task: "artist", "genre" or "style".
        directory: a WikiArt collection; its own paths then replace the listed ones
            (Kaggle renames a folder and mends names), and what it lacks is left out and logged.

    Returns:
        A table of `path`, `label` (spaces for underscores) and `split` ("train" or
        "val"), with `.attrs["class_names"]` in the order of the official indices.

    Raises:
        AtelierError: if a list is missing, names an unknown class, or cannot be read.
    """
    if task not in TASKS:
        raise AtelierError(f"a task among {', '.join(TASKS)}", f"{task!r}", "Name one of these.")
    names = _class_names(csv_dir, task)
    parts = [_read_list(csv_dir, task, split, names) for split in ("train", "val")]
    table = pd.concat(parts, ignore_index=True)
    if directory is not None:
        found = _match(table["path"], find_images(directory))
        listed = len(table)
        table["path"] = table["path"].map(found).astype("string")
        table = table.dropna(subset="path").drop_duplicates("path", ignore_index=True)
        log.info("%d of %d listed pictures are in %s", len(table), listed, directory)
    table.attrs["class_names"] = names
    return table


def _class_names(csv_dir, task):
    """Class names by index, from lines "0 Name"."""
    path = _list_path(csv_dir, f"{task}_class", (".txt", ""))
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
    path = _list_path(csv_dir, f"{task}_{split}", (".csv", ""))
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


def _list_path(csv_dir, stem, suffixes):
    for suffix in suffixes:
        if (path := Path(csv_dir) / f"{stem}{suffix}").is_file():
            return path
    raise AtelierError(
        f"{stem}{suffixes[0]} in {csv_dir}",
        "no such file",
        "Get ArtGAN's lists: `atelier data fetch artgan-lists` says how.",
    )


def _artist_names(lists):
    try:
        return {name_key(name): name for name in _class_names(lists, "artist")}
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
    found = _match(table["path"], paths)
    return {
        found[listed]: label
        for listed, label in zip(table["path"], table["label"], strict=True)
        if listed in found
    }


def _match(listed, paths):
    """Listed path -> path here, forgiving `_Modern`, accents, case and punctuation."""
    exact = set(paths)
    loose = {_loose(path): path for path in paths}
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
