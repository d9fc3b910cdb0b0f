"""Which pictures are odd: cases done by hand, and the odd ones of a real part."""

import keras
import numpy as np
import pandas as pd
import pytest

from atelier import models
from atelier.classify.outliers import (
    find_outliers,
    likely_label_errors,
    outlier_figure,
    outliers,
)
from atelier.classify.recipes import get_recipe
from atelier.data.splits import SplitConfig
from atelier.errors import AtelierError

NAMES = ["Degas", "Goya", "Titian"]
PROBABILITIES = np.array(
    [
        [0.9, 0.1, 0.0],  # right and sure
        [0.4, 0.3, 0.3],  # right and unsure
        [0.1, 0.9, 0.0],  # wrong and sure
        [0.3, 0.2, 0.5],  # wrong, and sure enough
        [0.2, 0.45, 0.35],  # wrong and unsure
    ]
)
LABELS = [0, 0, 0, 1, 2]
PATHS = ["a", "b", "c", "d", "e"]

once = pytest.mark.once


@once
def test_wrong_and_unsure_answers_are_listed_least_probable_label_first():
    table = outliers(PROBABILITIES, LABELS, NAMES, PATHS, label_errors=False)
    assert table.to_dict("records") == [
        row(1, "c", "Degas", "Goya", 0.9, 0.1, "misclassified"),
        row(2, "d", "Goya", "Titian", 0.5, 0.2, "misclassified"),
        row(3, "e", "Titian", "Goya", 0.45, 0.35, "misclassified, low confidence"),
        row(4, "b", "Degas", "Degas", 0.4, 0.4, "low confidence"),
    ]


def row(*values):
    columns = (
        "rank", "path", "label", "predicted", "probability", "label_probability", "kinds"
    )  # fmt: skip
    return dict(zip(columns, values, strict=True))


@once
def test_the_threshold_decides_what_is_unsure():
    table = outliers(PROBABILITIES, LABELS, NAMES, PATHS, threshold=0.46, label_errors=False)
    assert dict(zip(table["path"], table["kinds"], strict=True))["d"] == "misclassified"
    strict = outliers(PROBABILITIES, LABELS, NAMES, PATHS, threshold=0.95, label_errors=False)
    assert len(strict) == 5


@once
def test_a_classifier_that_is_right_and_sure_has_no_outliers():
    table = outliers(np.eye(3), [0, 1, 2], NAMES, list("abc"), label_errors=False)
    assert table.empty
    assert list(table.columns)[:2] == ["rank", "path"]


@once
def test_label_errors_are_those_of_a_case_done_by_hand():
    # Mean probability of class 0 where it is the label: (0.9 + 0.8 + 0.1 + 0.45) / 4 = 0.5625;
    # of class 1: (0.7 + 0.8 + 0.3) / 3 = 0.6. Row 2 bears 0 and reaches 0.6 only in 1; row 6
    # bears 1 and reaches 0.5625 only in 0; row 3 is wrong, but reaches neither.
    pytest.importorskip("cleanlab")
    of_first = np.array([0.9, 0.8, 0.1, 0.45, 0.3, 0.2, 0.7])
    probabilities = np.column_stack([of_first, 1 - of_first])
    labels = np.array([0, 0, 0, 0, 1, 1, 1])
    expected = [False, False, True, False, False, False, True]
    assert likely_label_errors(probabilities, labels).tolist() == expected
    table = outliers(probabilities, labels, NAMES[:2], list("abcdefg"))
    assert dict(zip(table["path"], table["kinds"], strict=True)) == {
        "c": "misclassified, label error",
        "g": "misclassified, label error",
        "d": "misclassified",
    }


def swapped_labels(n=600, swaps=30):
    """Probabilities that know the true labels, labels of which some were swapped, and which."""
    rng = np.random.default_rng(0)
    true = rng.integers(4, size=n)
    odds = np.exp(rng.normal(size=(n, 4)) + 4 * np.eye(4)[true])
    labels, swapped = true.copy(), rng.permutation(n)[:swaps]
    labels[swapped] = (labels[swapped] + 1) % 4
    return odds / odds.sum(axis=1, keepdims=True), labels, swapped


@once
def test_label_errors_follow_the_papers_definition():
    pytest.importorskip("cleanlab")
    probabilities, labels, _ = swapped_labels()
    thresholds = [probabilities[labels == c, c].mean() for c in range(4)]
    confident = np.where(probabilities >= thresholds, probabilities, -1)
    expected = (confident.max(axis=1) > 0) & (confident.argmax(axis=1) != labels)
    np.testing.assert_array_equal(likely_label_errors(probabilities, labels), expected)


@once
def test_most_swapped_labels_are_found_and_hardly_any_others():
    pytest.importorskip("cleanlab")
    probabilities, labels, swapped = swapped_labels()
    found = likely_label_errors(probabilities, labels)
    assert found[swapped].mean() > 0.7
    assert np.isin(np.flatnonzero(found), swapped).mean() > 0.9


@once
def test_one_label_alone_has_no_errors():
    pytest.importorskip("cleanlab")
    assert not likely_label_errors(PROBABILITIES, np.ones(5, int)).any()


@once
def test_without_cleanlab_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cleanlab.filter", None)
    with pytest.raises(AtelierError, match="pip install 'cleanlab"):
        outliers(PROBABILITIES, LABELS, NAMES, PATHS)


@once
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"paths": ["a"]}, "1 paths of 5"),
        ({"threshold": 1.5}, "from 0 to 1"),
        ({"labels": [0, 1, 2, 3, 0]}, "0 to 3"),
        ({"probabilities": PROBABILITIES * 2}, "sums off"),
    ],
)
def test_what_cannot_be_judged_is_refused(change, says):
    asked = {"probabilities": PROBABILITIES, "labels": LABELS, "paths": PATHS} | change
    with pytest.raises(AtelierError, match=says):
        outliers(**asked, class_names=NAMES)


@pytest.fixture
def model(tmp_path):
    """A classifier that calls every tiny picture `Across`, unsurely."""
    recipe = get_recipe("published_cnn").replace(
        split=SplitConfig(), image_size=(32, 32), decode_size=(32, 32), batch_size=8
    )
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    bias = keras.initializers.Constant([0.2, 0.0, 0.0])
    head = keras.layers.Dense(3, "softmax", kernel_initializer="zeros", bias_initializer=bias)
    return models.save(
        tmp_path / "model",
        keras.Model(inputs, head(x)),
        class_names=["Across", "Down", "Plain"],
        recipe=recipe.to_json(),
        metrics={},
        history=pd.DataFrame({"epoch": [1]}),
        card="# model\n",
    )


def test_every_picture_of_the_part_that_is_odd_is_listed(model, tiny_collection):
    pytest.importorskip("cleanlab")
    found = find_outliers(model, tiny_collection, split="val")
    wrong = found.table[found.table["label"] != "Across"]
    assert found.counts["pictures"] == found.counts["odd"] == len(found.table)
    assert found.counts["misclassified"] == len(wrong) > 0
    assert found.counts["low confidence"] == len(found.table)
    assert (found.table["predicted"] == "Across").all()
    assert all((tiny_collection / path).is_file() for path in found.table["path"])
    share = np.exp(0.2) / (np.exp(0.2) + 2)
    np.testing.assert_allclose(found.table["probability"], share, atol=1e-5)


def test_label_errors_are_not_sought_where_the_labels_were_learned(model, tiny_collection, caplog):
    found = find_outliers(model, tiny_collection, split="train")
    assert "seen the labels" in caplog.text
    assert "label error" not in found.counts


def test_outliers_are_drawn_framed_and_no_more_than_asked_for(model, tiny_collection):
    pytest.importorskip("cleanlab")
    table = find_outliers(model, tiny_collection).table
    figure = outlier_figure(table, tiny_collection, count=4)
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(drawn) == 4
    assert table["label"][0] in drawn[0].get_xlabel()


def test_an_unknown_part_is_answered_with_those_that_are_there(model, tiny_collection):
    with pytest.raises(AtelierError, match="test, train, val"):
        find_outliers(model, tiny_collection, split="nowhere")
