"""Figures of style transfer show what they were given."""

import pandas as pd
import pytest

from atelier.errors import AtelierError
from atelier.plots.stylizing import cost_curves, trade_off

pytestmark = pytest.mark.once


def history():
    return pd.DataFrame(
        {
            "step": [1, 2, 3, 4],
            "size": [64, 64, 90, 90],
            "total": [4.0, 2.0, 1.5, 1.0],
            "content": [0.0, 0.5, 0.5, 0.4],
            "style": [4.0, 1.5, 1.0, 0.6],
        }
    )


def test_every_cost_has_a_line_and_a_new_size_a_mark():
    (axes,) = cost_curves(history()).axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["total", "content", "style"]
    assert axes.get_yscale() == "log"
    marks = [line for line in axes.lines if list(line.get_xdata()) == [2.5, 2.5]]
    assert len(marks) == 1


def test_runs_are_overlaid_by_their_totals():
    (axes,) = cost_curves({"Adam": history(), "L-BFGS": history()}).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Adam", "L-BFGS"]


def test_no_steps_no_curve():
    with pytest.raises(AtelierError, match="at least one step"):
        cost_curves(history()[:0])


def test_winners_are_named_on_the_front():
    table = pd.DataFrame(
        {
            "trial": [0, 1, 2],
            "content_distance": [0.1, 0.2, 0.4],
            "style_distance": [0.5, 0.2, 0.3],
            "front": [True, True, False],
        }
    )
    (axes,) = trade_off(table, {"ours": table.loc[1]}).axes
    assert [text.get_text() for text in axes.texts] == ["ours, trial 1"]
    assert len(axes.lines[0].get_xdata()) == 2  # the front alone is joined
