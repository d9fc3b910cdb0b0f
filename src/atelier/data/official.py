"""ArtGAN's official split: its training list trains and chooses, its validation list judges.

Source: Tan, Chan, Aguirre & Tanaka 2019 (ArtGAN), whose lists of WikiArt name for each
task (artist, genre, style) the pictures to train with and those to validate with.
Differs: nothing is chosen on the validation list, which is the test part here; a share of
the training list is put aside to choose by. Reproductions of one painting that are in
both lists leave the training list, so that nothing leaks.
"""

import logging

import pandas as pd

from atelier import storage
from atelier.data.layouts.artgan import find_lists, list_paths, places_of_lists, read_artgan_lists
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

_NAMED = 8  # classes that one error names


def task_of(label):
    """The task whose lists give a label; movements gather the styles."""
    return "style" if label == "movement" else label


def lists_for(directory):
    """The folder of ArtGAN's lists for a collection.

    Raises:
        AtelierError: if there is none, saying where it may lie.
    """
    lists = find_lists(directory)
    if lists is None:
        raise AtelierError(
            "ArtGAN's lists for an official split",
            f"none in {', '.join(str(place) for place in places_of_lists(directory))}",
            "Run `atelier data fetch artgan-lists`, or name their folder in ATELIER_LISTS.",
        )
    return lists


def lists_fingerprint(directory, label):
    """Changes when the lists that give a label do."""
    files = list_paths(lists_for(directory), task_of(label))
    return storage.fingerprint([storage.file_sha256(path) for path in files])


def list_pictures(manifest, directory, label):
    """The manifest's pictures that are listed, relabeled by the lists.

    Args:
        manifest: the collection's.
        directory: the collection's root.
        label: the column that is predicted; for movements the lists give the styles.

    Returns:
        The manifest's rows with the lists' labels, and `listed`: "train" or "val".

    Raises:
        AtelierError: if the lists are missing or broken, or none of their pictures is here.
    """
    task = task_of(label)
    listed = read_artgan_lists(lists_for(directory), task, directory=directory)
    listed = listed.rename(columns={"label": task, "split": "listed"})
    return manifest.drop(columns=task).merge(listed, on="path")


def without_straddlers(pictures):
    """Leave out of the training list what reproduces a painting of the validation list.

    Args:
        pictures: table of `leak_group` and `listed`.
    """
    training = pictures["listed"] == "train"
    straddling = training & pictures["leak_group"].isin(pictures["leak_group"][~training])
    if straddling.any():
        log.warning(
            "%d of %d pictures of the training list left out: the validation list has the same "
            "paintings",
            straddling.sum(),
            training.sum(),
        )
    return pictures[~straddling]


def refuse_absent(pictures):
    """Raise an AtelierError if a class is missing in one of the lists."""
    sizes = pd.crosstab(pictures["label"], pictures["listed"])
    sizes = sizes.reindex(columns=["train", "val"], fill_value=0)
    absent = sizes[(sizes == 0).any(axis=1)]
    if len(absent):
        named = ", ".join(
            f"{label} ({row.train} and {row.val})" for label, row in absent.head(_NAMED).iterrows()
        )
        named += f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
        raise AtelierError(
            "pictures of every class in the training and in the validation list",
            named,
            "Leave such classes out with min_works=1, or add their pictures.",
        )
