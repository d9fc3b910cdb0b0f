"""What the figures of explanations hold."""

import numpy as np
import pytest
from matplotlib.text import Text

from atelier.errors import AtelierError
from atelier.plots import explaining

pytestmark = pytest.mark.once

LAYERS = ("conv1", "conv2", "a_layer_with_a_name_as_long_as_they_come")


def picture(value=100, height=40, width=60):
    return np.full((height, width, 3), value, "uint8")


def overlays(count=3):
    return {name: picture(10 * place) for place, name in enumerate(LAYERS[:count])}


def texts(figure):
    figure.canvas.draw()
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def images(figure):
    return [axes.images[0].get_array() for axes in figure.axes if axes.images]


def test_the_picture_comes_before_its_layers_which_are_named():
    figure = explaining.layer_overlays(picture(), overlays(), "Degas, 83%", title="Why Degas")
    assert {"Why Degas", "Degas, 83%", *LAYERS} <= set(texts(figure))
    assert [int(image[0, 0, 0]) for image in images(figure)] == [100, 0, 10, 20]


def test_many_layers_go_into_several_rows():
    many = {f"layer{number}": picture() for number in range(7)}
    figure = explaining.layer_overlays(picture(), many, "Degas, 83%", columns=3)
    tops = {round(axes.get_position().y1, 2) for axes in figure.axes if axes.images}
    assert len(images(figure)) == 8
    assert len(tops) == 3


def test_a_grid_has_a_row_for_each_picture_and_names_layers_once():
    rows = [(picture(height=h), overlays(2), f"Painter {h}") for h in (30, 50, 90)]
    figure = explaining.overlay_grid(rows)
    shown = texts(figure)
    assert len(images(figure)) == 9
    assert shown.count("conv1") == 1
    assert {"Painter 30", "Painter 50", "Painter 90"} <= set(shown)


def test_large_pictures_are_thinned():
    large = picture(height=2000, width=1600)
    figure = explaining.layer_overlays(large, {"conv1": large}, "Degas, 83%")
    assert all(max(image.shape) <= 600 for image in images(figure))


def test_nothing_to_show_is_refused():
    with pytest.raises(AtelierError, match="a layer to show"):
        explaining.layer_overlays(picture(), {}, "Degas, 83%")
    with pytest.raises(AtelierError, match="a picture to show"):
        explaining.overlay_grid([])


def test_pictures_with_different_layers_are_refused():
    rows = [(picture(), overlays(2), "Degas"), (picture(), overlays(1), "Goya")]
    with pytest.raises(AtelierError, match=r"conv1, conv2.*conv1 for Goya"):
        explaining.overlay_grid(rows)
