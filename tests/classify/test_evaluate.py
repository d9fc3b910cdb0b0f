"""The numbers of `judge` against scikit-learn, closed forms and hand-made cases."""

import json
import sys

import numpy as np
import pytest
from sklearn import metrics

from atelier.classify.evaluate import confusion_counts, judge, judgement_figures, report_text
from atelier.classify.uncertainty import calibration_error, reliability_bins
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

NAMES = ["Dürer", "Goya", "Degas", "Sisley", "Titian"]


def guesses(n=400, k=5, seed=0, skill=1.5):
    """Probabilities (n, k) and labels (n,) of a classifier that is often right."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(k, size=n)
    logits = rng.normal(size=(n, k)) + skill * np.eye(k)[labels]
    odds = np.exp(1.5 * logits)
    return odds / odds.sum(axis=1, keepdims=True), labels


def test_scores_equal_scikit_learns():
    probabilities, labels = guesses()
    judged, predicted = judge(probabilities, labels, NAMES), probabilities.argmax(axis=1)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "top3": metrics.top_k_accuracy_score(labels, probabilities, k=3),
        "macro_f1": metrics.f1_score(labels, predicted, average="macro"),
        "weighted_f1": metrics.f1_score(labels, predicted, average="weighted"),
        "macro_auc": metrics.roc_auc_score(labels, probabilities, multi_class="ovr"),
        "log_loss": metrics.log_loss(labels, probabilities),
    }
    assert {name: judged[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert judged["confusion"] == metrics.confusion_matrix(labels, predicted).tolist()
    report = metrics.classification_report(
        labels, predicted, target_names=NAMES, output_dict=True, zero_division=0
    )
    for name in NAMES:
        ours = judged["per_class"][name]
        assert ours["precision"] == pytest.approx(report[name]["precision"], abs=1e-6)
        assert ours["recall"] == pytest.approx(report[name]["recall"], abs=1e-6)
        assert ours["f1"] == pytest.approx(report[name]["f1-score"], abs=1e-6)
        assert ours["support"] == report[name]["support"]


def test_calibration_error_is_that_of_a_case_done_by_hand():
    # Bins of a tenth: two pictures at 0.95 (one right), two at 0.65 (both right).
    probabilities = [[0.95, 0.05], [0.95, 0.05], [0.65, 0.35], [0.65, 0.35]]
    labels = np.array([0, 1, 0, 0])
    bins = reliability_bins(np.array(probabilities), labels, bins=10)
    assert bins["count"].tolist() == [0, 0, 0, 0, 0, 0, 2, 0, 0, 2]
    assert calibration_error(bins) == pytest.approx(0.5 * 0.35 + 0.5 * 0.45)


def test_a_probability_on_an_edge_lies_in_the_bin_below_it():
    bins = reliability_bins(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0]), bins=2)
    assert bins["count"].tolist() == [1, 1]


def test_a_classifier_that_is_always_right_and_sure_has_no_error():
    judged = judge(np.eye(5), np.arange(5), NAMES)
    assert judged["ece"] == 0
    assert judged["log_loss"] == pytest.approx(0, abs=1e-5)
    assert judged["intervals"]["accuracy"] == [1, 1]


def test_the_interval_of_the_accuracy_is_near_the_normal_one():
    probabilities, labels = guesses(n=900)
    judged = judge(probabilities, labels, NAMES, resamples=2000)
    p, (low, high) = judged["accuracy"], judged["intervals"]["accuracy"]
    half = 1.96 * np.sqrt(p * (1 - p) / 900)
    assert (low, high) == pytest.approx((p - half, p + half), abs=0.006)
    for name in ("top3", "macro_f1"):
        low, high = judged["intervals"][name]
        assert low < judged[name] < high


def test_intervals_depend_on_the_seed_only():
    probabilities, labels = guesses()
    one, again = (judge(probabilities, labels, NAMES, seed=3)["intervals"] for _ in range(2))
    other = judge(probabilities, labels, NAMES, seed=4)["intervals"]
    assert one == again
    assert one != other


def test_pictures_of_one_group_stand_and_fall_together():
    probabilities, labels = guesses(n=300)
    fourfold = np.repeat(probabilities, 4, axis=0), np.repeat(labels, 4)
    groups = np.repeat(np.arange(300) + 1000, 4)

    def width(judged):
        low, high = judged["intervals"]["accuracy"]
        return high - low

    alone = width(judge(probabilities, labels, NAMES))
    naive = width(judge(*fourfold, NAMES))
    grouped = width(judge(*fourfold, NAMES, groups=groups))
    assert naive == pytest.approx(alone / 2, rel=0.15)  # four times the pictures, half the width
    assert grouped == pytest.approx(alone, rel=0.15)


def test_groups_of_one_picture_change_nothing():
    probabilities, labels = guesses(n=50)
    plain = judge(probabilities, labels, NAMES)
    assert judge(probabilities, labels, NAMES, groups=np.arange(50)) == plain


def test_everything_is_plain_enough_for_json():
    judged = judge(*guesses(), NAMES)
    assert json.loads(json.dumps(judged, allow_nan=False)) == judged


def test_an_absent_class_is_left_out_of_averages_and_named():
    probabilities, labels = guesses()
    kept = labels != 1
    judged = judge(probabilities[kept], labels[kept], NAMES)
    assert judged["per_class"]["Goya"] == {
        "precision": None,
        "recall": None,
        "f1": None,
        "support": 0,
        "auc": None,
    }
    seen = [scores["f1"] for name, scores in judged["per_class"].items() if name != "Goya"]
    assert judged["macro_f1"] == pytest.approx(np.mean(seen), abs=1e-6)
    assert "Goya" in judged["notes"][0]
    assert "Goya" in report_text(judged)


def test_a_single_class_has_no_area_and_that_is_said():
    probabilities, _ = guesses(n=20)
    judged = judge(probabilities, np.zeros(20, int), NAMES)
    assert judged["macro_auc"] is None
    assert judged["per_class"]["Dürer"]["auc"] is None
    assert "undefined" in " ".join(judged["notes"])
    json.dumps(judged, allow_nan=False)


def test_one_picture_and_one_class_can_be_judged():
    assert judge([[1.0]], [0], ["Goya"])["accuracy"] == 1


def test_no_resamples_no_intervals():
    assert judge(*guesses(), NAMES, resamples=0)["intervals"] == {}


@pytest.mark.parametrize(
    ("probabilities", "labels", "says"),
    [
        (np.full((3, 4), 0.25), [0, 1, 2], "shape (3, 4)"),
        (np.full((3, 5), 0.2), [0, 1], "labels of shape (2,)"),
        (np.full((3, 5), np.nan), [0, 1, 2], "NaN or infinity for 3 of 3"),
        (np.full((3, 5), 5.0), [0, 1, 2], "sums off"),
        (np.full((3, 5), 0.2), [0, 1, 5], "0 to 5"),
        (np.full((3, 5), 0.2), [0.5, 1, 2], "float64"),
        (np.empty((0, 5)), [], "none"),
    ],
)
def test_what_cannot_be_judged_is_refused(probabilities, labels, says):
    with pytest.raises(AtelierError) as error:
        judge(probabilities, labels, NAMES)
    assert says in str(error.value)


def test_groups_of_another_length_are_refused():
    with pytest.raises(AtelierError, match="leak group"):
        judge(*guesses(n=10), NAMES, groups=[1, 2])


def test_half_precision_probabilities_are_taken():
    probabilities, labels = guesses()
    assert judge(probabilities.astype("float16"), labels, NAMES)["n"] == 400


def test_the_report_is_made_from_kept_numbers_alone():
    judged = judge(*guesses(), NAMES)
    text = report_text(json.loads(json.dumps(judged)))
    assert f"{judged['per_class']['Sisley']['recall']:.3f}" in text
    assert f"{judged['intervals']['accuracy'][0]:.3f} to" in text
    assert text.count("\n") >= len(NAMES) + 8


def test_confusion_counts_rows_are_true_classes():
    assert confusion_counts([0, 0, 1], [1, 1, 1], 2).tolist() == [[0, 2], [0, 1]]


def test_figures_are_those_that_the_data_allow():
    probabilities, labels = guesses(n=30)
    images = np.zeros((30, 8, 8, 3), "uint8")
    history = {"epoch": [1, 2], "loss": [2.0, 1.0], "val_loss": [2.1, 1.5]}
    few = judgement_figures(probabilities, labels, NAMES)
    assert list(few) == ["confusion_counts", "confusion", "roc", "reliability"]
    more = judgement_figures(probabilities, labels, NAMES, images=images, history=history)
    assert set(more) - set(few) == {"predictions", "mistakes", "learning_curves"}
    assert all(hasattr(figure, "savefig") for figure in more.values())


def test_judging_needs_neither_keras_nor_matplotlib():
    import subprocess

    code = (
        "import sys; import atelier.classify.evaluate; "
        "print([m for m in ('keras', 'tensorflow', 'jax', 'matplotlib') if m in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"
