"""Frechet distances against closed forms and SciPy's root of a matrix."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from atelier.distances import frechet_distance, frechet_of_moments
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def cloud(count, size, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, size)) @ rng.normal(size=(size, size)) + rng.normal(size=size)


def directions(size, seed=0):
    """An orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0]


def test_covariances_of_the_same_axes_differ_by_their_deviations():
    first, second = np.array([1.0, 4.0, 0.0, 9.0]), np.array([4.0, 1.0, 2.0, 0.0])
    axes, gap = directions(4), np.array([1.0, -2.0, 0.5, 0.0])
    covariances = [axes * values @ axes.T for values in (first, second)]
    expected = gap @ gap + np.square(np.sqrt(first) - np.sqrt(second)).sum()
    found = frechet_of_moments(gap, covariances[0], np.zeros(4), covariances[1])
    assert found == pytest.approx(expected, rel=1e-12)


def test_two_gaussians_of_the_plane_follow_the_closed_form():
    first, second = np.array([[2.0, 0.6], [0.6, 1.0]]), np.array([[1.0, -0.7], [-0.7, 3.0]])
    product = first @ second
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))  # its trace
    expected = 25 + np.trace(first) + np.trace(second) - 2 * root
    assert frechet_of_moments([3, 4], first, [0, 0], second) == pytest.approx(expected, rel=1e-12)
    assert frechet_of_moments(3, 4, 1, 1) == pytest.approx(4 + 1, rel=1e-12)  # of the line


def test_a_point_is_as_far_as_the_spread_around_it():
    assert frechet_of_moments([0, 0], np.zeros((2, 2)), [3, 4], np.eye(2)) == pytest.approx(27)


@pytest.mark.parametrize("counts", [(60, 80), (60, 300)])
def test_clouds_are_as_far_as_by_the_root_of_the_product(counts):
    ours, theirs = (cloud(count, 8, seed) for seed, count in enumerate(counts))
    first, second = (np.cov(x, rowvar=False) for x in (ours, theirs))
    means = [x.mean(axis=0) for x in (ours, theirs)]
    expected = np.square(means[0] - means[1]).sum() + np.trace(first) + np.trace(second)
    expected -= 2 * np.trace(sqrtm(first @ second).real)
    assert frechet_distance(ours, theirs) == pytest.approx(expected, rel=1e-6)
    assert frechet_of_moments(means[0], first, means[1], second) == pytest.approx(
        expected, rel=1e-6
    )


def test_fewer_vectors_than_dimensions_do_no_harm():
    ours, theirs, axes = cloud(30, 5), cloud(25, 5, seed=1), directions(64)[:5]
    expected = frechet_distance(ours, theirs)
    assert frechet_distance(ours @ axes, theirs @ axes) == pytest.approx(expected, rel=1e-9)
    moments = [f(x @ axes) for x in (ours, theirs) for f in (mean_of, covariance_of)]
    assert frechet_of_moments(*moments) == pytest.approx(expected, rel=1e-9)


def mean_of(x):
    return x.mean(axis=0)


def covariance_of(x):
    return np.cov(x, rowvar=False)


@pytest.mark.parametrize(("count", "size"), [(50, 4), (4, 50), (2, 3)])
def test_a_cloud_is_at_no_distance_from_itself(count, size):
    x = cloud(count, size)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, x + 2) == pytest.approx(4 * size, rel=1e-9)
    assert frechet_distance(x, np.random.default_rng(0).permutation(x)) < 1e-9


def test_the_distance_is_that_of_the_gaussians_that_the_clouds_are_drawn_from():
    rng = np.random.default_rng(0)
    ours = rng.normal(size=(4000, 2)) * [1.0, 2.0] + [1.0, 0.0]
    theirs = rng.normal(size=(4000, 2)) * [3.0, 1.0]
    expected = 1 + (3 - 1) ** 2 + (2 - 1) ** 2  # diagonal covariances
    assert frechet_distance(ours, theirs) == pytest.approx(expected, rel=0.06)


def test_single_vectors_and_vectors_of_other_features_are_refused():
    with pytest.raises(AtelierError, match="two pictures"):
        frechet_distance(cloud(1, 3), cloud(5, 3))
    with pytest.raises(AtelierError, match="as many dimensions"):
        frechet_distance(cloud(5, 4), cloud(5, 3))
