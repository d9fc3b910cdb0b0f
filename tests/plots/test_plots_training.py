"""What the figures of training hold."""

import pandas as pd
import pytest

from atelier.errors import AtelierError
from atelier.plots import training

pytestmark = pytest.mark.once


def history(**columns):
    return pd.DataFrame({"epoch": [1, 2, 3], "loss": [3.0, 2.0, 1.0], **columns})


def lines(axes):
    return [line for line in axes.lines if len(line.get_xdata()) == 3]


def test_learning_curves_draw_training_and_validation():
    figure = training.learning_curves(history(val_loss=[3, 1.5, 2], val_accuracy=[0.1, 0.4, 0.3]))
    loss, accuracy = figure.axes
    assert [list(line.get_ydata()) for line in lines(loss)] == [[3, 2, 1], [3, 1.5, 2]]
    assert len(lines(accuracy)) == 1


def test_the_best_epoch_of_validation_is_marked():
    figure = training.learning_curves(history(val_loss=[3, 1.5, 2]))
    marks = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert (marks[0].get_xdata()[0], marks[0].get_ydata()[0]) == (2, 1.5)


def test_runs_are_overlaid_and_rates_have_a_panel():
    runs = {
        "a": history(val_loss=[3, 2, 1], learning_rate=[0.1, 0.01, 0.001]),
        "b": history(val_loss=[3, 2, 2]),
    }
    figure = training.learning_curves(runs)
    assert len(figure.axes) == 3
    assert len(lines(figure.axes[0])) == 4


def test_phases_are_parted_by_a_line():
    figure = training.learning_curves(history(phase=["head", "head", "fine"]))
    assert any(list(line.get_xdata()) == [2.5, 2.5] for line in figure.axes[0].lines)


def test_an_empty_history_is_refused():
    with pytest.raises(AtelierError, match="epoch"):
        training.learning_curves(pd.DataFrame())


TRIALS = pd.DataFrame(
    {"trial": [1, 2], "units": [32, 64], "learning_rate": [1e-2, 1e-3], "score": [0.3, 0.5]}
)


def test_trials_are_sorted_by_score():
    axes = training.tuner_trials(TRIALS).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.3, 0.5]
    assert [label.get_text() for label in axes.get_yticklabels()][-1] == "64 units, 0.001"


def test_executions_are_averaged_long_or_wide():
    long = pd.concat([TRIALS, TRIALS.assign(score=[0.5, 0.7])])
    wide = TRIALS.rename(columns={"score": "score_1"}).assign(score_2=[0.5, 0.7])
    for table in (long, wide):
        axes = training.tuner_trials(table).axes[0]
        assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.4, 0.6])
        assert len(axes.collections[0].get_offsets()) == 4


def test_a_search_without_scores_is_refused():
    with pytest.raises(AtelierError, match="trial"):
        training.tuner_trials(TRIALS.assign(score=float("nan")))


def test_a_learning_rate_that_ended_at_nothing_is_drawn_without_a_logarithm():
    rates = [float("nan"), 0.0, float("nan")]
    figure = training.learning_curves(history(learning_rate=rates))
    assert figure.axes[-1].get_yscale() == "linear"
