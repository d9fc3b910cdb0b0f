"""Random search: drawn alike, resumed, and ranked by what holds no weights."""

import keras
import numpy as np
import pandas as pd
import pytest

from atelier.errors import AtelierError
from atelier.stylize import search as searching
from atelier.stylize.presets import ATELIER
from atelier.stylize.search import Judge, SearchSpace, draw, front, search, winners


def picture(seed=0, size=(36, 40)):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), "uint8")


@pytest.fixture
def config():
    keras.utils.set_random_seed(0)
    return ATELIER.replace(
        content_layers=("block1_conv2",),
        style_layers=("block1_conv1", "block2_conv1"),
        style_layer_weights=(1.0, 1.0),
        size=40,
        sizes=1,
        steps=2,
        padding=0,
    )


def test_a_trial_is_drawn_alike_whatever_came_before(config):
    assert draw(config, 7) == draw(config, 7)
    assert draw(config, 7) != draw(config, 8)
    assert draw(config, 7, seed=1) != draw(config, 7)


def test_draws_stay_in_the_space_and_fill_it_evenly_in_the_logarithm(config):
    space = SearchSpace(learning_rate=(1.0, 100.0))
    rates = np.array([draw(config, n, space=space).learning_rate for n in range(300)])
    assert rates.min() >= 1
    assert rates.max() <= 100
    assert np.mean(rates < 10) == pytest.approx(0.5, abs=0.1)


def test_a_search_is_resumed_and_not_repeated(config, tmp_path, monkeypatch):
    first = search(picture(), picture(1), config, tmp_path, trials=2, weights=None)
    tried = []
    true = searching.stylize
    monkeypatch.setattr(searching, "stylize", lambda *a, **k: tried.append(1) or true(*a, **k))
    done = []
    again = search(
        picture(), picture(1), config, tmp_path, trials=3, weights=None,
        on_trial=lambda *at: done.append(at),
    )  # fmt: skip
    assert len(tried) == 1
    assert done == [(1, 3), (2, 3), (3, 3)]
    pd.testing.assert_frame_equal(again[:2].drop(columns="front"), first.drop(columns="front"))
    assert all(path.is_file() for path in again["picture"])


def test_a_folder_of_another_search_is_refused(config, tmp_path):
    search(picture(), picture(1), config, tmp_path, trials=1, weights=None)
    with pytest.raises(AtelierError, match="another's"):
        search(picture(), picture(2), config, tmp_path, trials=1, weights=None)


def test_distances_are_zero_for_the_content_and_for_the_style_itself(config):
    judge = Judge(picture(), picture(1), config, weights=None)
    assert judge(picture())["content_distance"] == pytest.approx(0, abs=1e-6)
    assert judge(picture(1))["style_distance"] == pytest.approx(0, abs=1e-6)
    assert judge(picture())["style_distance"] > 1e-4


def test_the_front_holds_whoever_is_not_beaten():
    points = [(1, 5), (2, 3), (3, 3), (4, 1), (5, 5), (2, 3)]
    assert list(front(points)) == [True, True, False, True, False, True]


def test_small_weights_win_by_the_published_criterion_and_not_by_ours():
    table = pd.DataFrame(
        {
            "trial": [0, 1, 2],
            "weighted_cost": [0.01, 5.0, 9.0],
            "content_distance": [0.9, 0.2, 0.1],
            "style_distance": [0.8, 0.1, 0.5],
        }
    )
    found = winners(table.assign(front=front(table[["content_distance", "style_distance"]])))
    assert found["published"]["trial"] == 0
    assert found["ours"]["trial"] == 1
