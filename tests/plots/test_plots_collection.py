"""What the views of a collection hold."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from atelier.errors import AtelierError
from atelier.plots import collection, grids

pytestmark = pytest.mark.once

ARTISTS = pd.DataFrame(
    {
        "name": ["El Greco", "Goya", "Dürer"],
        "nationality": ["Spanish,Greek", "Spanish", None],
        "genre": ["Mannerism", "Romanticism", "Northern Renaissance"],
        "paintings": [10, 20, 40],
    }
)
COUNTS = ARTISTS.set_index("name")["paintings"]


def texts(figure):
    figure.canvas.draw()
    found = dict.fromkeys(figure.findobj(Text))
    return [text.get_text() for text in found if text.get_visible()]


def test_a_painter_of_two_nations_counts_under_both():
    table = collection.works_by_value(ARTISTS, "nationality")
    assert table.loc["Spanish"].tolist() == [2, 30]
    assert table.loc["Greek"].tolist() == [1, 10]
    assert table.loc["not stated"].tolist() == [1, 40]
    assert table.index[0] == "not stated"


def test_distribution_shows_median_and_mean():
    shown = texts(collection.works_distribution(COUNTS))
    assert {"median 20", "mean 23"} <= set(shown)


def test_equal_counts_are_said_in_words():
    assert "Every painter has 14." in texts(collection.works_distribution([14] * 6))


def test_bars_are_sorted_and_the_large_ones_counted():
    figure = collection.works_by_artist(COUNTS, highlight_from=20)
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == [40, 20, 10]
    assert "2 with 20 or more" in texts(figure)


def test_class_sizes_show_shares():
    shown = texts(collection.class_sizes(COUNTS))
    assert "40\n57.1%" in shown


def test_origins_have_a_panel_each():
    assert len(collection.works_by_origin(ARTISTS).axes) == 2


def test_one_size_for_all_is_said_instead_of_drawn():
    same = pd.DataFrame({"width": [256, 256], "height": [256, 256], "artist": ["Goya", "Goya"]})
    shown = texts(collection.shapes_and_grey(same, [True, False]))
    assert any("All 2 pictures are 256\u00a0×" in text for text in shown)
    assert "Goya (50%)" in shown
    shown = texts(collection.shapes_and_grey(same.assign(width=[256, 300]), [False, False]))
    assert {"width, pixels", "No picture is without color."} <= set(shown)


def test_grey_is_counted_by_artist():
    table = collection.grey_by_artist(["a", "b", "b"], [False, True, False])
    assert table.to_dict("index") == {
        "b": {"grey": 1, "pictures": 2},
        "a": {"grey": 0, "pictures": 1},
    }


def test_pairs_augmentations_and_leaks_are_drawn_or_their_absence_is_said():
    picture = np.zeros((8, 8, 3), "uint8")
    pairs = [(picture, picture, f"pair {number}") for number in range(5)]
    assert "pair 4" in texts(grids.pair_grid(pairs))
    assert "No pair to show." in texts(grids.pair_grid([]))
    assert "mild" in texts(grids.augmentation_grid(picture, {"mild": [picture] * 3}))
    pictures = pd.DataFrame({"label": ["Goya"] * 30 + ["Titian"] * 20})
    judged = {"random": pictures, "grouped": pictures}
    shown = texts(collection.leak_chart(judged, {"random": pictures[:5], "grouped": pictures[:0]}))
    assert {"5 of 50\n10.0 %", "0 of 50\n0.0 %", "Goya"} <= set(shown)
    none = {"random": pictures[:0], "grouped": pictures[:0]}
    assert "No class leaks." in texts(collection.leak_chart(judged, none))


def test_an_empty_collection_is_refused():
    with pytest.raises(AtelierError, match="empty table"):
        collection.works_by_artist(COUNTS.iloc[:0])
