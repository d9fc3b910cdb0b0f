import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import ttest_ind

from atelier.errors import AtelierError
from atelier.serve.drift import (
    change_test,
    classifier_test,
    kernel_test,
    over_time,
    share,
    stability_index,
    stability_test,
)

pytestmark = pytest.mark.once


def cloud(seed, count=40, dimensions=3, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (count, dimensions))


def test_stability_is_that_of_a_table_worked_by_hand():
    # 0.2 ln(0.7 / 0.5) + 0 + (-0.2) ln(0.1 / 0.3)
    found = stability_index([50, 20, 30], [70, 20, 10], smoothing=0)
    assert found == pytest.approx(0.2 * 0.33647224 + 0.2 * 1.09861229, abs=1e-8)


def test_stability_of_a_class_that_is_never_predicted_is_finite():
    found = stability_index([10, 0], [5, 5])
    # Half a picture is added to each class: shares 21/22 and 1/22 become 1/2 and 1/2.
    assert found == pytest.approx(10 / 22 * np.log(21 / 11) + 10 / 22 * np.log(11), rel=1e-9)


def test_stability_is_nought_for_equal_shares_whatever_their_number():
    assert stability_index([10, 20], [100, 200], smoothing=0) == pytest.approx(0)


@pytest.mark.parametrize("counts", [[1, 2], [0, 0, 0]])
def test_stability_of_other_classes_or_of_nothing_is_refused(counts):
    with pytest.raises(AtelierError, match="as many classes"):
        stability_index([1, 2, 3], counts)


def test_stability_of_small_samples_is_large_by_chance_as_often_as_its_test_says():
    shares, rng = np.full(11, 1 / 11), np.random.default_rng(0)
    found = [
        stability_test(
            rng.multinomial(580, shares), rng.multinomial(50, shares), resamples=99, seed=seed
        )
        for seed in range(300)
    ]
    assert np.mean([test.value for test in found]) == pytest.approx(10 / 50 + 10 / 580, abs=0.03)
    assert np.mean([test.value > 0.2 for test in found]) > 0.25
    assert 0.02 < np.mean([test.p <= 0.05 for test in found]) < 0.09


def test_stability_tells_a_change_from_chance():
    assert stability_test([50, 50], [80, 20]).p < 0.01


def test_discrepancy_is_that_of_a_sum_over_all_pairs():
    ours, theirs = cloud(0, 5), cloud(1, 4, shift=0.5)
    points = np.concatenate([ours, theirs])
    squared = cdist(points, points, "sqeuclidean")
    width = np.median(squared[np.triu_indices(9, 1)])

    def mean(first, second, same):
        pairs = [
            np.exp(-((a - b) ** 2).sum() / (2 * width))
            for i, a in enumerate(first)
            for j, b in enumerate(second)
            if not (same and i == j)
        ]
        return np.mean(pairs)

    expected = mean(ours, ours, True) + mean(theirs, theirs, True) - 2 * mean(ours, theirs, False)
    assert kernel_test(ours, theirs, resamples=9).value == pytest.approx(expected, abs=1e-12)


def test_discrepancy_of_equal_clouds_is_found_in_one_of_twenty():
    p = [
        kernel_test(cloud(2 * i, 20), cloud(2 * i + 1, 15), resamples=99, seed=i).p
        for i in range(300)
    ]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.09


def test_discrepancy_of_shifted_clouds_is_found():
    assert kernel_test(cloud(0), cloud(1, shift=1.0)).p <= 0.01


def test_discrepancy_of_one_point_many_times_is_nought():
    assert kernel_test(np.ones((4, 2)), np.ones((5, 2)), resamples=9).value == pytest.approx(0)


def test_clouds_of_other_dimensions_are_refused():
    with pytest.raises(AtelierError, match="dimensions"):
        kernel_test(cloud(0), cloud(1, dimensions=4))


def test_a_classifier_does_not_tell_equal_clouds_apart():
    found = [classifier_test(cloud(2 * i, 60), cloud(2 * i + 1, 50), seed=i) for i in range(200)]
    assert np.mean([test.value for test in found]) == pytest.approx(0.5, abs=0.02)
    assert np.mean([test.p <= 0.05 for test in found]) < 0.09


def test_a_classifier_tells_a_shift_by_as_much_as_theory_has_it():
    # Two normal clouds d apart are told with an area of Phi(d / sqrt 2).
    found = classifier_test(cloud(0, 1500), cloud(1, 1500, shift=1 / np.sqrt(3)))
    assert found.value == pytest.approx(0.760, abs=0.03)
    assert found.p < 1e-6


def test_too_few_vectors_are_not_told_apart():
    with pytest.raises(AtelierError, match="four vectors"):
        classifier_test(cloud(0), cloud(1, 3))


def test_interval_of_a_share_is_wilsons():
    found = share([True] * 10 + [False] * 40)
    z, n, p = 1.959964, 50, 0.2
    middle, half = p + z**2 / (2 * n), z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert found == pytest.approx(
        (0.2, (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)), abs=1e-6
    )


def test_change_is_relative_to_the_first_and_tested_by_welch():
    values = np.concatenate([np.random.default_rng(0).normal(m, 0.1, 30) for m in (1.0, 5.0, 1.3)])
    found = change_test(values, 30, last=30)
    assert found.value == pytest.approx(values[60:].mean() / values[:30].mean() - 1)
    assert found.p == pytest.approx(ttest_ind(values[:30], values[60:], equal_var=False).pvalue)
    assert change_test(values, 30).value > 1
    uneven = np.concatenate([cloud(0, 20)[:, 0] + 5, 4 * cloud(1, 8)[:, 0] + 6])
    welch = ttest_ind(uneven[:20], uneven[20:], equal_var=False).pvalue
    assert change_test(uneven, 20).p == pytest.approx(welch, rel=1e-9)


def test_change_of_constants_is_certain_or_none():
    assert change_test([2.0] * 4, 2) == change_test([2.0] * 6, 3)
    assert change_test([2.0, 2.0, 3.0, 3.0], 2).value == pytest.approx(0.5)
    assert change_test([2.0, 2.0, 3.0, 3.0], 2).p == 0
    with pytest.raises(AtelierError, match="two values"):
        change_test([1.0, 2.0, 3.0], 2)


def test_course_is_of_spans_of_as_many_requests_in_the_order_of_time():
    times = pd.date_range("2026-01-01", periods=6, freq="h", tz="UTC")
    table = pd.DataFrame({"time": times[::-1], "x": [6.0, 5.0, np.nan, 3.0, 2.0, 1.0]})
    course = over_time(table, "x", parts=2)
    assert course["mean"].tolist() == [2.0, 5.5]
    assert course["count"].tolist() == [3, 2]
    assert course["time"].iloc[0] == times[1]
    assert over_time(table.head(0), "x").empty
