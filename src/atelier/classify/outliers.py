"""Odd ones of a judged part: unsure answers, wrong ones, and labels that may be wrong.

Probabilities must come from a model that was not trained on these pictures: of the
validation or test part, or out of fold. One that has seen a label repeats it,
however wrong it is.

Label errors are found by confident learning (Northcutt et al. 2021,
arXiv:1911.00068), as cleanlab implements it: a picture counts that lies off the
diagonal of the confident joint. It is given one class, and the model is at least as
sure of another as it is, on average, of pictures that bear that other label.
"""

import dataclasses
import logging
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from atelier.classify.evaluate import judge
from atelier.classify.predict import ask
from atelier.data.manifest import load_manifest
from atelier.data.reading import read_rgb
from atelier.data.rights import may_be_shown
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

LOW_CONFIDENCE = 0.5  # probability of the likeliest class below which an answer is unsure
MISCLASSIFIED, UNSURE, LABEL_ERROR = "misclassified", "low confidence", "label error"
_SHOWN = (320, 320)  # (height, width) that a figure needs


@dataclasses.dataclass(frozen=True)
class Outliers:
    """The odd ones among the pictures of one part of a collection.

    `table`: what `outliers` returns; `counts`: pictures, and odd ones of each kind.
    """

    table: pd.DataFrame
    counts: dict


def outliers(
    probabilities, labels, class_names, paths, *, threshold=LOW_CONFIDENCE, label_errors=True
):
    """Pictures answered wrongly or unsurely, or whose label may be wrong.

    Args:
        probabilities: (n, k) held-out or out-of-fold, rows that sum to 1.
        labels: (n,) integers, places in `class_names`.
        class_names: k names.
        paths: (n,) of the pictures.
        threshold: probability of the likeliest class below which an answer is unsure.
        label_errors: look for them; leave it out where the model has seen the labels.

    Returns:
        Table, oddest (least probable label) first: rank, path, label, predicted,
        probability (of what is predicted), label_probability, kinds (one or several of
        "misclassified", "low confidence", "label error", joined by ", ").

    Raises:
        AtelierError: as `evaluate.judge`; if there are not as many paths as labels, or
            the threshold is no probability.
    """
    judge(probabilities, labels, class_names, resamples=0)  # refuses what cannot be judged
    probabilities, labels = np.asarray(probabilities, "float64"), np.asarray(labels)
    _check(paths, labels, threshold)
    predicted, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    marks = {MISCLASSIFIED: predicted != labels, UNSURE: sure < threshold}
    if label_errors:
        marks[LABEL_ERROR] = likely_label_errors(probabilities, labels)
    names = np.asarray(class_names, object)
    table = pd.DataFrame(
        {
            "path": list(paths),
            "label": names[labels],
            "predicted": names[predicted],
            "probability": sure,
            "label_probability": probabilities[np.arange(len(labels)), labels],
            "kinds": [", ".join(compress(marks, odd)) for odd in zip(*marks.values(), strict=True)],
        }
    )
    table = table[table["kinds"] != ""].sort_values(["label_probability", "path"])
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table.reset_index(drop=True)


def _check(paths, labels, threshold):
    if len(paths) != len(labels):
        found = f"{len(paths)} paths of {len(labels)} pictures"
        raise AtelierError("one path for each picture", found, "Pass them all, in their order.")
    if not 0 <= threshold <= 1:
        raise AtelierError("a threshold from 0 to 1", str(threshold), "Correct the threshold.")


def likely_label_errors(probabilities, labels):
    """Pictures whose label is likely wrong, by confident learning.

    Args:
        probabilities: (n, k), held-out or out-of-fold: a model that was trained on
            these labels has learned their errors, too.
        labels: (n,) integers.

    Returns:
        (n,) bool; none where all pictures bear one label.

    Raises:
        AtelierError: if cleanlab is not installed.
    """
    try:
        from cleanlab.filter import find_label_issues
    except ModuleNotFoundError as error:
        raise AtelierError(
            "cleanlab, which finds label errors",
            f"no module {error.name}",
            "Run `pip install 'cleanlab>=2.8'`.",
        ) from error
    if len(np.unique(labels)) < 2:
        return np.zeros(len(labels), bool)
    return find_label_issues(labels, probabilities, filter_by="confident_learning", n_jobs=1)


def find_outliers(model, directory, *, split="test", threshold=LOW_CONFIDENCE, progress=None):
    """The odd ones of one part of a collection, split as when the model was trained.

    Label errors are not looked for in the training part, whose labels the model has seen.

    Args:
        model: a model's folder, name or alias.
        directory: root of a collection.
        split: train, val or test.
        threshold: as `outliers`.
        progress: called with (done, total) while pictures are read.

    Returns:
        An `Outliers`.

    Raises:
        AtelierError: if the model is damaged, or the collection lacks its classes or the part.
    """
    answers = ask(model, directory, split, progress)
    part, names = answers.data.part(split), answers.data.class_names
    seen = split == "train"
    if seen:
        log.warning("The model has seen the labels of the training part: errors are not sought.")
    table = outliers(
        answers.probabilities,
        answers.data.labels(split),
        names,
        list(part["path"]),
        threshold=threshold,
        label_errors=not seen,
    )
    kinds = table["kinds"].str.split(", ").explode().value_counts()
    counts = {kind: int(kinds.get(kind, 0)) for kind in (MISCLASSIFIED, UNSURE, LABEL_ERROR)}
    if seen:
        del counts[LABEL_ERROR]
    return Outliers(table, {"pictures": len(part), "odd": len(table), **counts})


def outlier_figure(table, directory, *, count=15):
    """The first so many outliers with their pictures; blank where rights have not ended."""
    from atelier.plots.retrieval import outlier_grid

    rows = table.head(count)
    artists = load_manifest(directory).set_index("path")["artist"].reindex(rows["path"])
    shown = may_be_shown(directory, artists)
    pictures = [
        read_rgb(Path(directory) / path, at_least=_SHOWN) if may else None
        for path, may in zip(rows["path"], shown, strict=True)
    ]
    return outlier_grid(pictures, rows)
