"""Distances of stylized pictures against closed forms."""

import keras
import numpy as np
import pytest

from atelier.distances import frechet_distance
from atelier.stylize.metrics import (
    METRICS,
    StyleJudge,
    artfid,
    perceptual_gap,
    sliced_wasserstein,
)


def picture(seed=0, size=(48, 64)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), "uint8")


@pytest.fixture(scope="module")
def judge():
    keras.utils.set_random_seed(0)
    layers = ("block1_conv2",), ("block1_conv1", "block2_conv1")
    return StyleJudge("vgg19", *layers, size=64, weights=None)


def test_a_picture_is_at_no_distance_from_itself(judge):
    found = judge(picture(), picture(), picture())
    assert tuple(found) == METRICS
    assert max(found.values()) == pytest.approx(0, abs=1e-5)


def test_the_content_is_near_in_content_and_the_style_in_style(judge):
    content, style = picture(), np.repeat(np.repeat(picture(1)[::8, ::8] // 2, 8, 0), 8, 1)
    kept, taken = judge(content, content, style), judge(style, content, style)
    for name in ("content", "perceptual"):
        assert kept[name] < 1e-5 < 0.1 * taken[name]
    for name in ("style", "wasserstein", "color"):
        assert taken[name] < 1e-4 < 0.1 * kept[name]


def test_maps_of_a_picture_are_computed_once(judge, monkeypatch):
    judge(picture(3), picture(4), picture(5))
    asked = []
    maps = judge.features.maps
    monkeypatch.setattr(judge.features, "maps", lambda x: asked.append(1) or maps(x))
    judge(picture(6), picture(4), picture(5))
    assert len(asked) == 1


def test_moved_points_are_as_far_as_they_were_moved():
    points = np.random.default_rng(0).normal(size=(500, 3))
    step = np.array([3.0, 0.0, 0.0])
    assert sliced_wasserstein(points + step, points) == pytest.approx(3 / 3**0.5, rel=0.15)
    assert sliced_wasserstein(points + step, points, relative=True) == pytest.approx(
        3 / 3**0.5, rel=0.2
    )  # their spread is 1
    assert sliced_wasserstein(points[:200], points) < 0.2


def test_opposite_features_are_at_distance_four():
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 8)).astype("float32")
    assert perceptual_gap(x, 5 * x) == pytest.approx(0, abs=1e-6)
    assert perceptual_gap(x, -x) == pytest.approx(4, rel=1e-5)


def test_artfid_multiplies_content_and_style():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=(40, 2)), rng.normal([1.0, 0.0], size=(40, 2))
    assert artfid([0.5, 1.5], ours, ours) == pytest.approx(2)
    assert artfid([0.5, 1.5], ours, theirs) == pytest.approx(2 + 2 * frechet_distance(ours, theirs))


def test_it_says_which_features_it_uses(judge):
    assert "block2_conv1" in judge.describe()
    assert judge.style_vector(picture()).shape == (256,)
