"""ArtGAN's three tasks in a collection: artist, style and genre, and how each is judged.

Where ArtGAN's lists are beside a WikiArt collection they are the split; elsewhere a
leak-free split stands in, for the labels that the collection has. A class without a
training picture is left out of the split and cannot be named, but its pictures are on
the published validation list: `over_whole_list` counts them as misses.

Source: Tan, Chan, Aguirre & Tanaka 2019 (ArtGAN).
"""

from atelier.classify.report import metrics_of
from atelier.data.labels import usable
from atelier.data.layouts import layout_of
from atelier.data.layouts.artgan import find_lists
from atelier.data.manifest import load_manifest
from atelier.data.official import list_pictures
from atelier.data.splits import SplitConfig
from atelier.errors import AtelierError

TASKS = ("artist", "style", "genre")
# What EfficientNet-B2 is published to reach on the validation lists in full: 23 artists,
# 27 styles, 10 genres.
PUBLISHED_ON_FULL_LISTS = {"artist": 0.849, "style": 0.726, "genre": 0.795}


def task_splits(directory, *, seed=0):
    """The split of each task that a collection has.

    Args:
        directory: root of the collection.
        seed: of the splits.

    Returns:
        dict of task -> `SplitConfig`, in the order of `TASKS`: official, without classes that
        one of the lists lacks, where there are lists; else grouped, of labels that differ.

    Raises:
        AtelierError: if the collection has none of the three labels.
    """
    if layout_of(directory) == "wikiart" and find_lists(directory) is not None:
        return {
            task: SplitConfig(kind="official", seed=seed, label=task, min_works=1) for task in TASKS
        }
    manifest = load_manifest(directory)
    there = [task for task in TASKS if manifest[task].nunique() > 1]
    if not there:
        raise AtelierError(
            f"a collection with two values of {', '.join(TASKS[:-1])} or {TASKS[-1]}",
            f"none in {directory}",
            "Name a collection with such labels, as WikiArt has them.",
        )
    return {task: SplitConfig(seed=seed, label=task) for task in there}


def over_whole_list(model, directory):
    """A judged model's accuracy over ArtGAN's validation list, classes left out counted as misses.

    Args:
        model: folder of a model that was judged on the test part.
        directory: root of the collection that it was trained on.

    Returns:
        dict: `pictures` judged and their `accuracy`; `left_out`, a dict of class -> pictures on
        the list; `over_list`, the accuracy with these as misses. Nothing is left out where
        the split is not official.

    Raises:
        AtelierError: if the model was not judged on the test part.
    """
    metrics = metrics_of(model)
    if "test" not in metrics:
        raise AtelierError("a model judged on the test part", "none", "Evaluate it first.")
    count, accuracy = metrics["test"]["n"], metrics["test"]["accuracy"]
    left_out = _left_out(metrics, directory)
    return {
        "pictures": count,
        "accuracy": accuracy,
        "left_out": left_out,
        "over_list": accuracy * count / (count + sum(left_out.values())),
    }


def _left_out(metrics, directory):
    """Class -> pictures on the validation list, of classes that the split leaves out."""
    label = metrics["split"]["label"]
    if metrics["split"]["kind"] != "official":
        return {}
    listed = list_pictures(load_manifest(directory), directory, label)
    listed = usable(listed, SplitConfig(kind="official", label=label))
    unknown = ~listed["label"].isin(metrics["counts"]["test"])
    counts = listed.loc[unknown & (listed["listed"] == "val"), "label"].value_counts()
    return {str(name): int(number) for name, number in counts.items()}


def whole_list_text(model, directory):
    """`over_whole_list` as a sentence."""
    found = over_whole_list(model, directory)
    judged = f"{found['accuracy']:.3f} of {found['pictures']} pictures"
    if not found["left_out"]:
        return f"{judged}; no class is left out."
    names = ", ".join(f"{name} ({number})" for name, number in found["left_out"].items())
    return f"{judged}; with those of {names}, never trained on, as misses {found['over_list']:.3f}."


def knowing_the_painter(table, artists):
    """How often a test picture has the label that is its painter's commonest in training.

    Styles and genres belong to painters in part: who names the painter and looks up his
    commonest label has seen nothing of either. For painters without training pictures
    the commonest label of all counts.

    Args:
        table: a split's table.
        artists: Series of painters by path.

    Returns:
        The accuracy on the test part.
    """
    painters = table["path"].map(artists)
    training, test = table["split"] == "train", table["split"] == "test"
    common = table[training].groupby(painters[training])["label"].agg(_commonest)
    named = painters[test].map(common).fillna(_commonest(table["label"][training]))
    return float((named.astype("string") == table["label"][test]).mean())


def _commonest(labels):
    return labels.value_counts().sort_index().idxmax()
