"""What a classifier is worth: the same numbers and figures for every one, from its probabilities.

Point estimates are scikit-learn's; calibration and intervals are in
`classify.uncertainty`. Intervals resample pictures, or leak groups where they
are given: reproductions of one painting are not independent witnesses. No
Keras here: probabilities come in, plain numbers go out.
"""

import numpy as np
from sklearn.metrics import log_loss, precision_recall_fscore_support, roc_auc_score

from atelier.classify.uncertainty import (
    CALIBRATION_BINS,
    bootstrap_intervals,
    calibration_error,
    plain,
    reliability_bins,
)
from atelier.errors import AtelierError

TOP = 3
_FLOOR = 1e-7  # the least probability that the log loss counts, as in Keras


def judge(
    probabilities,
    labels,
    class_names,
    *,
    groups=None,
    seed=0,
    resamples=1000,
    bins=CALIBRATION_BINS,
):
    """Judge a classifier by its probabilities on pictures whose labels are known.

    Classes without a picture in this split have no recall; their scores are None
    and the averages leave them out. `notes` says so in words.

    Args:
        probabilities: (n, k) floats, rows that sum to 1.
        labels: (n,) integers, places in `class_names`.
        class_names: k names.
        groups: (n,) leak groups to resample instead of single pictures.
        seed: of the bootstrap.
        resamples: bootstrap samples; 0 leaves the intervals out.
        bins: of the calibration error.

    Returns:
        dict of plain values: n, accuracy, top3, macro_f1, weighted_f1, macro_auc,
        log_loss, ece, ece_bins, intervals {accuracy, top3, macro_f1: [low, high]}
        at 95 %, per_class {name: {precision, recall, f1, support, auc}}, confusion
        (k rows of true classes, k columns of named ones), notes.

    Raises:
        AtelierError: if shapes do not match, a probability is not a number between
            0 and 1, a row does not sum to 1, or a label is no class.
    """
    probabilities, labels = _checked(probabilities, labels, class_names)
    num_classes = len(class_names)
    predicted, hits = probabilities.argmax(axis=1), _in_top(probabilities, labels, TOP)
    per_class = _per_class(probabilities, labels, predicted, class_names)
    present = [scores for scores in per_class.values() if scores["support"]]
    weights = [scores["support"] for scores in present]
    f1s = [scores["f1"] for scores in present]
    aucs = [scores["auc"] for scores in present if scores["auc"] is not None]
    reliability = reliability_bins(probabilities, labels, bins=bins)
    judged = {
        "n": len(labels),
        "accuracy": np.mean(predicted == labels),
        "top3": np.mean(hits),
        "macro_f1": np.mean(f1s),
        "weighted_f1": np.average(f1s, weights=weights),
        "macro_auc": np.mean(aucs) if aucs else None,
        "log_loss": log_loss(labels, _floored(probabilities), labels=np.arange(num_classes))
        if num_classes > 1
        else 0.0,
        "ece": calibration_error(reliability),
    }
    judged = {name: plain(value) for name, value in judged.items()}
    judged["ece_bins"] = bins
    judged["intervals"] = bootstrap_intervals(
        labels,
        predicted,
        hits,
        num_classes,
        groups=_groups(groups, len(labels)),
        seed=seed,
        resamples=resamples,
    )
    judged["per_class"] = per_class
    judged["confusion"] = confusion_counts(labels, predicted, num_classes).tolist()
    judged["notes"] = _notes(per_class)
    return judged


def _checked(probabilities, labels, class_names):
    """Both as float64 and int64 arrays of shapes that fit, or an AtelierError."""
    probabilities, labels = np.asarray(probabilities, "float64"), np.asarray(labels)
    remedy = "Pass what the model predicted for these very pictures, in their order."
    if probabilities.ndim != 2 or probabilities.shape[1] != len(class_names):
        expected = f"probabilities of shape (pictures, {len(class_names)})"
        raise AtelierError(expected, f"shape {probabilities.shape}", remedy)
    if labels.shape != probabilities.shape[:1]:
        expected = f"one label for each of {len(probabilities)} pictures"
        raise AtelierError(expected, f"labels of shape {labels.shape}", remedy)
    if not len(labels):
        raise AtelierError("at least one picture to judge by", "none", "Choose another split.")
    _check_values(probabilities, labels, len(class_names), remedy)
    return probabilities, labels.astype("int64")


def _check_values(probabilities, labels, num_classes, remedy):
    bad = ~np.isfinite(probabilities).all(axis=1)
    if bad.any():
        raise AtelierError(
            "probabilities that are numbers",
            f"NaN or infinity for {bad.sum()} of {len(bad)} pictures",
            "The training diverged: lower the learning rate and train again.",
        )
    off = np.abs(probabilities.sum(axis=1) - 1)
    if probabilities.min() < 0 or off.max() > 1e-2:
        found = f"least value {probabilities.min():.3g}, sums off by up to {off.max():.3g}"
        raise AtelierError("probabilities whose rows sum to 1", found, "Apply softmax first.")
    whole = np.issubdtype(labels.dtype, np.integer)
    if not whole or labels.min() < 0 or labels.max() >= num_classes:
        found = f"{labels.min()} to {labels.max()}, {labels.dtype}"
        raise AtelierError(f"labels that are integers from 0 to {num_classes - 1}", found, remedy)


def _groups(groups, n):
    """Groups as numbers from 0; each picture its own where none are given."""
    if groups is None:
        return np.arange(n)
    groups = np.asarray(groups)
    if groups.shape != (n,):
        found = f"groups of shape {groups.shape}"
        raise AtelierError(f"one leak group for each of {n} pictures", found, "Pass them all.")
    return np.unique(groups, return_inverse=True)[1]


def _in_top(probabilities, labels, top):
    """(n,) bool: whether the label is among the `top` likeliest; ties go to the first class."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return (order == labels[:, None]).any(axis=1)


def _floored(probabilities):
    floored = np.clip(probabilities, _FLOOR, 1.0)
    return floored / floored.sum(axis=1, keepdims=True)


def confusion_counts(labels, predicted, num_classes):
    """(k, k) int64: pictures by true class (rows) and named class (columns)."""
    cells = np.asarray(labels) * num_classes + np.asarray(predicted)
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def _per_class(probabilities, labels, predicted, class_names):
    numbers = np.arange(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=numbers, zero_division=0.0
    )
    rows = {}
    for index, name in enumerate(class_names):
        seen = support[index] > 0
        rows[str(name)] = {
            "precision": plain(precision[index]) if seen else None,
            "recall": plain(recall[index]) if seen else None,
            "f1": plain(f1[index]) if seen else None,
            "support": int(support[index]),
            "auc": _auc(labels == index, probabilities[:, index]),
        }
    return rows


def _auc(is_class, score):
    """Area under the one-against-rest ROC curve; None where one side is empty."""
    return None if is_class.all() or not is_class.any() else plain(roc_auc_score(is_class, score))


def _notes(per_class):
    absent = [name for name, scores in per_class.items() if not scores["support"]]
    notes = []
    if absent:
        names = ", ".join(absent[:5]) + (", …" if len(absent) > 5 else "")
        notes.append(f"No picture of {len(absent)} class(es), left out of averages: {names}.")
    if len(absent) >= len(per_class) - 1:
        notes.append("A single class is present: areas under ROC curves are undefined.")
    return notes


def report_text(judged):
    """The classification report as text, from what `judge` returned or `metrics.json` kept."""
    per_class = judged["per_class"]
    width = max(12, *(len(name) for name in per_class))
    head = f"{'':<{width}}  precision  recall     f1    AUC  pictures"
    lines = [head, *(_report_row(name, scores, width) for name, scores in per_class.items()), ""]
    for key, title in (
        ("accuracy", "accuracy"),
        ("top3", f"top-{TOP}"),
        ("macro_f1", "macro F1"),
        ("weighted_f1", "weighted F1"),
        ("macro_auc", "macro AUC"),
        ("log_loss", "log loss"),
        ("ece", f"ECE, {judged['ece_bins']} bins"),
    ):
        value = "  –  " if judged[key] is None else f"{judged[key]:.3f}"
        low_high = judged["intervals"].get(key)
        interval = f"  95 % {low_high[0]:.3f} to {low_high[1]:.3f}" if low_high else ""
        lines.append(f"{title:<{width}}  {value:>9}{interval}")
    lines.append(f"{'pictures':<{width}}  {judged['n']:>9,}")
    return "\n".join([*lines, *judged["notes"]])


def _report_row(name, scores, width):
    shown = ("     –" if scores[key] is None else f"{scores[key]:6.3f}" for key in _REPORTED)
    precision, recall, f1, auc = shown
    return f"{name:<{width}}  {precision:>9}  {recall} {f1} {auc}  {scores['support']:>8,}"


_REPORTED = ("precision", "recall", "f1", "auc")


def judgement_figures(
    probabilities, labels, class_names, *, images=None, showable=None, history=None, title=None
):
    """The figures that go with `judge`.

    Args:
        probabilities: (n, k), as for `judge`.
        labels: (n,) integers.
        class_names: k names.
        images: sequence of n pictures, RGB in [0, 255], read one by one; adds the
            grids of predictions and of the worst mistakes.
        showable: (n,) bool, the pictures that may appear in a figure; default all.
        history: a training's table of epochs; adds the learning curves.
        title: what is judged, such as "published CNN, test"; opens the titles.

    Returns:
        dict of name -> Figure: confusion_counts, confusion, roc, reliability, and
        predictions, mistakes, learning_curves where there is what they need.

    Raises:
        AtelierError: as `judge`.
    """
    from atelier.plots import grids, judging, training

    probabilities, labels = _checked(probabilities, labels, class_names)
    confusion = confusion_counts(labels, probabilities.argmax(axis=1), len(class_names))
    reliability = reliability_bins(probabilities, labels)
    figures = {
        "confusion_counts": judging.confusion_matrix(confusion, class_names, title=title),
        "confusion": judging.confusion_matrix(confusion, class_names, normalized=True, title=title),
        "roc": judging.roc_curves(probabilities, labels, class_names, title=title),
        "reliability": judging.reliability_diagram(
            reliability, calibration_error(reliability), title=title
        ),
    }
    if images is not None:
        seen = (images, probabilities, labels, class_names)
        figures["predictions"] = grids.prediction_grid(*seen, showable=showable, title=title)
        figures["mistakes"] = grids.mistake_grid(*seen, showable=showable, title=title)
    if history is not None:
        figures["learning_curves"] = training.learning_curves(history, title=title)
    return figures
