"""Whether what a model is asked now is still like what it was judged on: measures and tests.

Sources: the population stability index as Siddiqi 2006 (Credit Risk Scorecards) has it, whose
spread under no change Yurdakul 2018 (Statistical Properties of the Population Stability Index)
works out; maximum mean discrepancy is Gretton et al. 2012 (JMLR 13:723), unbiased, with their
median heuristic and a permutation test; the classifier two-sample test is Lopez-Paz & Oquab 2017
(arXiv:1610.06545), by the area under the ROC curve instead of accuracy, since the two samples
differ in size; intervals of shares are Wilson 1927.

Evidently and alibi-detect offer the same and much besides, with requirements larger than this
project's own. SciPy and scikit-learn hold all that is difficult here, so a page of functions does.
"""

import dataclasses

import numpy as np
import pandas as pd

from atelier.distances import as_clouds
from atelier.errors import AtelierError

SMOOTHING = 0.5  # pictures added to each class on both sides, so that no share is 0
RESAMPLES = 999  # of the permutation test of MMD, and of the stability index


@dataclasses.dataclass(frozen=True)
class Test:
    """A measure of difference, and how often chance alone makes it as large."""

    __test__ = False  # pytest would take it for one of its own

    value: float
    p: float


def stability_index(expected, counts, *, smoothing=SMOOTHING):
    """Population stability index: sum of (q - p) ln(q / p) over the classes.

    Args:
        expected: (k,) pictures of each class in the reference.
        counts: (k,) pictures of each class now.
        smoothing: pictures added to each class on both sides.

    Returns:
        A float of 0 or more; by custom, above 0.1 a change and above 0.2 a large one.

    Raises:
        AtelierError: if the two differ in classes, or one holds no picture.
    """
    before, now = _shares(expected, counts, smoothing)
    return float(np.sum((now - before) * np.log(now / before), axis=-1))


def _shares(expected, counts, smoothing):
    expected, counts = (np.asarray(values, "float64") for values in (expected, counts))
    if expected.shape != counts.shape or min(expected.sum(), counts.sum()) <= 0:
        raise AtelierError(
            "as many classes on both sides, and pictures on each",
            f"{expected.size} and {counts.size} classes, "
            f"{expected.sum():g} and {counts.sum():g} pictures",
            "Compare answers of one model.",
        )
    smoothed = expected + smoothing, counts + smoothing
    return [values / values.sum() for values in smoothed]


def stability_test(expected, counts, *, smoothing=SMOOTHING, resamples=RESAMPLES, seed=0):
    """The stability index, and how often two samples of one population reach it.

    Without change the index is about (1/n + 1/m) (k - 1) and not 0: of 50 pictures in 11 classes
    a fifth, which is the customary threshold. So the threshold alone would cry wolf.

    Args:
        expected: (k,) pictures of each class in the reference, integers.
        counts: (k,) pictures of each class now, integers.
        smoothing: as `stability_index`.
        resamples: pairs of samples drawn from both sides put together.
        seed: of the drawing.

    Returns:
        A `Test`.

    Raises:
        AtelierError: as `stability_index`.
    """
    found = stability_index(expected, counts, smoothing=smoothing)
    expected, counts = (np.asarray(values, "int64") for values in (expected, counts))
    together, rng = expected + counts, np.random.default_rng(seed)
    drawn = rng.multivariate_hypergeometric(together, int(counts.sum()), size=resamples)
    chance = [stability_index(together - some, some, smoothing=smoothing) for some in drawn]
    return Test(found, _share_as_large(found, chance))


def _share_as_large(found, chance):
    """P of a permutation test, which counts what was found among the permutations."""
    return float((1 + np.sum(np.asarray(chance) >= found - 1e-12)) / (1 + len(chance)))


def kernel_test(ours, theirs, *, resamples=RESAMPLES, seed=0):
    """Squared maximum mean discrepancy of two clouds, unbiased, with a permutation test.

    The kernel is exp(-|x - y|^2 / (2 s^2)), s the median distance between any two points.

    Args:
        ours: (n, d) vectors.
        theirs: (m, d) vectors.
        resamples: permutations.
        seed: of the permutations.

    Returns:
        A `Test`; its value may be slightly below 0 where there is no difference.

    Raises:
        AtelierError: if one side has fewer than two vectors, or they differ in dimensions.
    """
    ours, theirs = as_clouds(ours, theirs)
    kernel = _kernel(np.concatenate([ours, theirs]))
    n, m = len(ours), len(theirs)
    rng = np.random.default_rng(seed)
    member = np.zeros((n + m, 1 + resamples))
    member[:n, 0] = 1
    for column in range(1, 1 + resamples):
        member[rng.permutation(n + m)[:n], column] = 1
    values = _discrepancies(kernel, member, n, m)
    return Test(float(values[0]), _share_as_large(values[0], values[1:]))


def _kernel(points):
    """RBF kernel between all points, (n, n), its diagonal 0: pairs of a point with itself."""
    from scipy.spatial.distance import pdist, squareform

    squared = pdist(points, "sqeuclidean")
    width = np.median(squared)
    return squareform(np.exp(-squared / (2 * width if width > 0 else 1.0)))


def _discrepancies(kernel, member, n, m):
    """Unbiased estimates for many ways to part the points, (n + m, r) of 1 and 0 -> (r,)."""
    inside = kernel @ member
    within = np.sum(member * inside, axis=0)
    across = np.sum((1 - member) * inside, axis=0)
    beyond = kernel.sum() - within - 2 * across
    return within / (n * (n - 1)) + beyond / (m * (m - 1)) - 2 * across / (n * m)


def classifier_test(ours, theirs, *, seed=0):
    """How well a logistic regression tells two clouds apart on vectors that it has not seen.

    Each half of the vectors judges the regression that was fitted to the other.

    Args:
        ours: (n, d) vectors.
        theirs: (m, d) vectors.
        seed: of the halves.

    Returns:
        A `Test` whose value is the mean area under the ROC curve of the halves: 0.5 where nothing
        tells them apart. Its p is that of Mann & Whitney's test, the lesser of the halves' twice.

    Raises:
        AtelierError: if one side has fewer than four vectors, or they differ in dimensions.
    """
    from scipy.stats import mannwhitneyu
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    ours, theirs = as_clouds(ours, theirs)
    if min(len(ours), len(theirs)) < 4:
        found = f"{len(ours)} and {len(theirs)}"
        raise AtelierError("four vectors or more on each side", found, "Wait for more.")
    points = np.concatenate([ours, theirs])
    labels = np.repeat([0, 1], [len(ours), len(theirs)])
    areas, chances = [], []
    for fitted, judged in StratifiedKFold(2, shuffle=True, random_state=seed).split(points, labels):
        telling = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
        telling = make_pipeline(StandardScaler(), telling).fit(points[fitted], labels[fitted])
        scores = telling.decision_function(points[judged])
        yes, no = (scores[labels[judged] == label] for label in (1, 0))
        ranked = mannwhitneyu(yes, no, alternative="greater")
        areas.append(ranked.statistic / (len(yes) * len(no)))
        chances.append(ranked.pvalue)
    return Test(float(np.mean(areas)), float(min(1.0, 2 * min(chances))))


def share(flags):
    """The share of (n,) flags that are set and its 95 % interval: (share, low, high)."""
    from scipy.stats import binomtest

    flags = np.asarray(flags, bool)
    bounds = binomtest(int(flags.sum()), len(flags)).proportion_ci(method="wilson")
    return float(flags.mean()), float(bounds.low), float(bounds.high)


def change_test(values, first, *, last=None):
    """How far the mean of a measure has moved from that of the first requests.

    Args:
        values: (n,) positive floats in the order of time.
        first: how many of them are the base.
        last: how many of the others count, from the end; None takes all.

    Returns:
        A `Test` whose value is the change as a share of the base: 0.25 is a quarter more; its p
        is that of Welch's t test.

    Raises:
        AtelierError: if fewer than two are on one of the sides.
    """
    from scipy.stats import ttest_ind

    values = np.asarray(values, "float64")
    base, since = values[:first], values[first:][-last if last else 0 :]
    if min(len(base), len(since)) < 2:
        raise AtelierError(
            "two values or more before and after", f"{len(base)} and {len(since)}", "Wait."
        )
    change = since.mean() / base.mean() - 1
    if base.std() == since.std() == 0:  # Welch's t would divide by nothing
        return Test(float(change), float(base[0] == since[0]))
    return Test(float(change), float(ttest_ind(since, base, equal_var=False).pvalue))


def over_time(requests, column, *, parts=24):
    """A measure's course: its mean over spans of as many requests each.

    Args:
        requests: DataFrame with `time` and the column; rows where that is missing do not count.
        column: of numbers or bools.
        parts: at most so many spans.

    Returns:
        DataFrame in the order of time: `time` (the middle one's), `mean`, `low` and `high`
        (quartiles), `count`.
    """
    rows = requests.dropna(subset=[column]).sort_values("time", kind="stable")
    spans = np.arange(len(rows)) * min(parts, len(rows)) // max(len(rows), 1)
    values = rows[column].astype("float64").groupby(spans)
    return pd.DataFrame(
        {
            "time": rows["time"].groupby(spans).agg(lambda times: times.iloc[len(times) // 2]),
            "mean": values.mean(),
            "low": values.quantile(0.25),
            "high": values.quantile(0.75),
            "count": values.size(),
        }
    )
