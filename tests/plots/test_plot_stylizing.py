"""Figures of style transfer show what they were given."""

import numpy as np
import pandas as pd
import pytest

from atelier.errors import AtelierError
from atelier.plots.stylizing import contact_sheet, cost_curves, trade_off, training_terms

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


def test_training_terms_show_both_parts_where_both_are_there():
    table = pd.DataFrame({"epoch": [1, 2], "style": [0.5, 0.4], "val_style": [0.6, 0.5]})
    figure = training_terms(table.assign(identity=[0.1, 0.1], val_identity=[0.0, 0.0]))
    assert [axes.get_title("left") for axes in figure.axes] == ["style", "identity"]
    assert [len(axes.lines) for axes in figure.axes] == [2, 1]


def test_a_contact_sheet_has_a_style_a_column_and_a_content_a_row():
    picture = np.zeros((20, 30, 3), "uint8")
    figure = contact_sheet([("x", picture), ("y", picture)], [("a", [picture, picture])])
    assert len(figure.axes) == 4
    assert figure.axes[0].get_title("left") == "x"
    assert figure.axes[2].get_ylabel() == "a"
    assert figure.axes[2].images[0].get_array().shape == (20, 20, 3)


def test_a_row_of_another_length_is_refused():
    with pytest.raises(AtelierError, match="one a style"):
        contact_sheet([("x", np.zeros((8, 8, 3)))], [("a", [])])
