"""What the figures that judge a classifier hold."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from sklearn.metrics import roc_auc_score

from atelier.errors import AtelierError
from atelier.plots import grids, judging

pytestmark = pytest.mark.once

NAMES = ["Dürer", "Goya", "Degas"]


def texts(figure):
    """All texts that are drawn, of sub-figures too."""
    figure.canvas.draw()
    found = dict.fromkeys(figure.findobj(Text))
    return [text.get_text() for text in found if text.get_visible()]


def guesses(n=60, k=3, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    odds = np.exp(rng.normal(size=(n, k)) + np.eye(k)[labels])
    return odds / odds.sum(axis=1, keepdims=True), labels


def test_confusion_shows_counts_or_percent_and_no_zeros():
    confusion = [[8, 2, 0], [0, 5, 5], [1, 0, 3]]
    assert {"8", "2", "5"} <= set(texts(judging.confusion_matrix(confusion, NAMES)))
    shown = texts(judging.confusion_matrix(confusion, NAMES, normalized=True))
    assert {"80", "20", "75"} <= set(shown)
    assert "0" not in shown


def test_an_empty_row_of_the_confusion_divides_by_nothing():
    figure = judging.confusion_matrix(np.zeros((3, 3), int), NAMES, normalized=True)
    assert "Goya" in texts(figure)


def test_fifty_classes_are_all_named():
    names = [f"Painter {number}" for number in range(50)]
    shown = texts(judging.confusion_matrix(np.eye(50, dtype=int) * 9, names))
    assert shown.count("Painter 37") == 2  # once on each axis
    assert "9" not in shown  # too small to be read


def test_roc_legend_holds_each_area_and_their_mean():
    probabilities, labels = guesses()
    shown = " ".join(texts(judging.roc_curves(probabilities, labels, NAMES)))
    areas = [roc_auc_score(labels == c, probabilities[:, c]) for c in range(3)]
    for name, area in zip(NAMES, areas, strict=True):
        assert f"{area:.3f}  {name}" in shown
    assert f"{np.mean(areas):.3f}  mean of classes" in shown


def test_roc_says_which_class_has_no_curve():
    probabilities, labels = guesses()
    kept = labels != 1
    shown = " ".join(texts(judging.roc_curves(probabilities[kept], labels[kept], NAMES)))
    assert "1 without: Goya" in shown


def test_roc_of_one_class_says_that_there_is_none():
    probabilities, _ = guesses()
    figure = judging.roc_curves(probabilities, np.zeros(60, int), NAMES)
    assert any("No ROC curve" in text for text in texts(figure))


def test_many_roc_curves_name_only_the_extremes():
    probabilities, labels = guesses(n=400, k=20)
    names = [f"Painter {number}" for number in range(20)]
    shown = " ".join(texts(judging.roc_curves(probabilities, labels, names)))
    assert shown.count("Painter") == 6


def test_reliability_copes_with_empty_bins():
    bins = pd.DataFrame(
        {
            "lower": [0.0, 0.5],
            "upper": [0.5, 1.0],
            "confidence": [np.nan, 0.9],
            "accuracy": [np.nan, 0.5],
            "count": [0, 4],
        }
    )
    assert "ECE 0.400" in texts(judging.reliability_diagram(bins, 0.4))


def test_comparison_copes_with_a_missing_interval():
    table = pd.DataFrame(
        {"name": ["a", "b"], "accuracy": [0.5, 0.7], "lo": [0.4, np.nan], "hi": [0.6, np.nan]}
    )
    shown = texts(judging.comparison(table, baseline=("published", 0.576)))
    assert {"0.500", "0.700", "published 0.576"} <= set(shown)


def test_the_worst_mistakes_come_surest_first_and_right_answers_never():
    probabilities = np.array([[0.9, 0.1, 0], [0.6, 0.4, 0], [0.2, 0.8, 0], [0.3, 0.7, 0]])
    labels = np.array([0, 1, 0, 2])  # wrong from the second on, sure by 0.6, 0.8, 0.7
    asked = []

    class Images:
        def __getitem__(self, index):
            asked.append(index)
            return np.zeros((4, 4, 3), "uint8")

    grids.mistake_grid(Images(), probabilities, labels, NAMES)
    assert asked == [2, 3, 1]


def test_pictures_that_may_not_be_shown_are_not_even_read():
    probabilities, labels = guesses(n=12)
    showable = np.arange(12) % 4 == 0
    asked = []

    class Images:
        def __getitem__(self, index):
            asked.append(index)
            return np.zeros((4, 4, 3), "uint8")

    grids.prediction_grid(Images(), probabilities, labels, NAMES, showable=showable)
    assert asked == [0, 4, 8]


def test_nothing_to_show_is_said():
    probabilities = np.eye(3)
    figure = grids.mistake_grid(np.zeros((3, 4, 4, 3)), probabilities, np.arange(3), NAMES)
    assert any("No picture to show" in text for text in texts(figure))


def test_the_true_class_has_a_bar_even_if_it_is_unlikely():
    probabilities, labels = np.array([[0.5, 0.3, 0.2, 0.0]]), np.array([3])
    names = ["a", "b", "c", "the true one"]
    figure = grids.mistake_grid(np.zeros((1, 4, 4, 3)), probabilities, labels, names)
    assert texts(figure).count("the true one") == 2  # above the picture and on its bar


def test_a_mask_of_another_length_is_refused():
    probabilities, labels = guesses(n=12)
    with pytest.raises(AtelierError, match="showable"):
        grids.prediction_grid([], probabilities, labels, NAMES, showable=[True])


def test_grids_take_pictures_of_any_sizes():
    images = [np.zeros((900, 20, 3)), np.full((4, 300, 3), 300.0)]
    assert "one" in texts(grids.picture_grid(images, ["one", "two"]))
    with pytest.raises(AtelierError, match="captions"):
        grids.picture_grid(images, ["one"])
