"""How sure one may be: of a classifier's own probabilities, and of what was measured on it.

The calibration error is that of Guo et al. 2017, arXiv:1706.04599, with their
15 bins of equal width. Intervals are percentile bootstraps (Efron & Tibshirani
1993, chapter 13).
"""

import numpy as np
import pandas as pd

CALIBRATION_BINS = 15


def reliability_bins(probabilities, labels, *, bins=CALIBRATION_BINS):
    """How sure the classifier was and how often it was right, in bins of equal width over (0, 1].

    Returns:
        Table of `lower`, `upper`, `confidence` (mean probability of the named
        class), `accuracy` and `count`; both means are NaN in an empty bin.
    """
    confidence = np.max(probabilities, axis=1)
    right = np.argmax(probabilities, axis=1) == labels
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, v, minlength=bins) / count for v in (confidence, right)]
    edges = np.linspace(0, 1, bins + 1)
    return pd.DataFrame(
        {
            "lower": edges[:-1],
            "upper": edges[1:],
            "confidence": means[0],
            "accuracy": means[1],
            "count": count,
        }
    )


def calibration_error(reliability):
    """Expected calibration error: mean gap of confidence and accuracy, weighted by count."""
    gaps = (reliability["confidence"] - reliability["accuracy"]).abs().fillna(0.0)
    return float(np.average(gaps, weights=reliability["count"]))


def bootstrap_intervals(labels, predicted, hits, num_classes, *, groups, seed, resamples):
    """Percentile 95 % intervals of accuracy, top-3 and macro-F1.

    Args:
        labels: (n,) integers.
        predicted: (n,) integers, the named classes.
        hits: (n,) bool, whether the label is among the likeliest three.
        num_classes: k.
        groups: (n,) integers from 0; one resample draws as many groups as there are.
        seed: of the resampling.
        resamples: how many; none gives an empty dict.

    Returns:
        dict of name -> [low, high].
    """
    if not resamples:
        return {}
    rng, num_groups = np.random.default_rng(seed), groups.max() + 1
    cells, right = labels * num_classes + predicted, predicted == labels
    scores = np.empty((resamples, 3))
    for row in scores:
        drawn = np.bincount(rng.integers(num_groups, size=num_groups), minlength=num_groups)
        weights = drawn[groups]
        confusion = np.bincount(cells, weights, minlength=num_classes**2)
        row[:2] = np.average(right, weights=weights), np.average(hits, weights=weights)
        row[2] = macro_f1(confusion.reshape(num_classes, num_classes))
    bounds = np.quantile(scores, (0.025, 0.975), axis=0)
    names = ("accuracy", "top3", "macro_f1")
    return {name: [plain(bound) for bound in bounds[:, i]] for i, name in enumerate(names)}


def macro_f1(confusion):
    """Mean F1 over the classes that have pictures."""
    support, named = confusion.sum(axis=1), confusion.sum(axis=0)
    present = support > 0
    return np.mean(2 * np.diag(confusion)[present] / (support + named)[present])


def plain(value):
    """A number that JSON knows, to six decimals; None stays None."""
    if value is None:
        return None
    return int(value) if isinstance(value, (int, np.integer)) else round(float(value), 6)
