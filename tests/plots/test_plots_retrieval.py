"""What the figures of similar and of odd pictures hold."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from atelier.errors import AtelierError
from atelier.plots.look import BLUE, GOLD, RED
from atelier.plots.retrieval import outlier_grid, similar_grid

pytestmark = pytest.mark.once

PICTURES = [np.full((9, 6, 3), shade, "uint8") for shade in (10, 90, 170)]
SIMILAR = pd.DataFrame({"label": ["Goya", None, "Degas"], "similarity": [0.987, 0.5, 0.25]})
ODD = pd.DataFrame(
    {
        "label": ["Goya", "Goya", "Degas"],
        "predicted": ["Degas", "Goya", "Goya"],
        "probability": [0.9, 0.4, 0.45],
        "kinds": ["misclassified, label error", "low confidence", "misclassified"],
    }
)


def captions(figure):
    return [" ".join(axes.get_xlabel().split()) for axes in figure.axes]


def frames(figure):
    """Color of each picture's frame, or None."""
    spines = [axes.spines["left"] for axes in figure.axes if axes.images]
    return [to_hex(spine.get_edgecolor()) if spine.get_visible() else None for spine in spines]


def test_similar_pictures_bear_name_and_similarity_and_the_right_one_a_frame():
    figure = similar_grid(PICTURES[0], PICTURES, SIMILAR, caption="x.jpg", label="Goya")
    assert captions(figure)[:4] == ["x.jpg Goya", "Goya 0.99", "unknown 0.50", "Degas 0.25"]
    assert frames(figure) == [None, BLUE, None, None]


def test_nothing_is_framed_where_the_label_is_not_known():
    assert set(frames(similar_grid(PICTURES[0], PICTURES, SIMILAR))) == {None}


def test_what_may_not_be_shown_is_blank_and_keeps_its_place():
    pictures = [PICTURES[0], None, PICTURES[2]]
    figure = similar_grid(None, pictures, SIMILAR, label="Goya")
    shades = [axes.images[0].get_array().mean() for axes in figure.axes if axes.images]
    assert shades == [238, 10, 238, 170]
    assert [("not shown" in text) for text in captions(figure)[:4]] == [True, False, True, False]


def test_odd_pictures_say_what_they_were_called_and_how_surely():
    figure = outlier_grid(PICTURES, ODD)
    assert captions(figure)[:3] == [
        "Goya, called Degas 90% (label?)",
        "Goya 40%",
        "Degas, called Goya 45%",
    ]
    assert frames(figure) == [RED, GOLD, RED]


def test_a_right_and_sure_picture_whose_label_is_doubted_has_no_warning_frame():
    row = ODD.assign(predicted=ODD["label"], probability=0.9, kinds="label error")[:1]
    assert frames(outlier_grid(PICTURES[:1], row)) == [None]


def test_no_outliers_are_said_to_be_none():
    figure = outlier_grid([], ODD[:0])
    assert any("No picture" in text.get_text() for text in figure.axes[2].texts)


@pytest.mark.parametrize("draw", [outlier_grid, lambda *args: similar_grid(None, *args)])
def test_as_many_pictures_as_rows_are_wanted(draw):
    table = ODD.assign(similarity=0.5)
    with pytest.raises(AtelierError, match="2 and 3"):
        draw(PICTURES[:2], table)
