"""Figures of unpaired translation."""

import numpy as np
import pandas as pd
import pytest

from atelier.errors import AtelierError
from atelier.plots.translating import adversarial_losses, distance_by_epoch, epoch_sheet

pytestmark = pytest.mark.once


def test_losses_are_drawn_by_rival():
    terms = ("to_monet", "to_photo", "monet_critic", "photo_critic", "cycle", "identity")
    history = pd.DataFrame({"epoch": [1, 2, 3], **{name: [0.5, 0.4, 0.3] for name in terms}})
    figure = adversarial_losses(history, title="CycleGAN")
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == ["generators", "critics", "cycle", "identity"]
    critics = figure.axes[1]
    assert [text.get_text() for text in critics.get_legend().get_texts()] == [
        "monet critic",
        "photo critic",
    ]
    assert any(set(line.get_ydata()) == {0.25} for line in critics.lines)
    one_way = adversarial_losses(history[["epoch", "to_monet", "monet_critic", "identity"]])
    assert len(one_way.axes) == 3


@pytest.mark.parametrize("history", [{"epoch": [1], "loss": [1.0]}, {"epoch": [], "cycle": []}])
def test_losses_that_are_not_there_are_asked_for(history):
    with pytest.raises(AtelierError, match="a history with losses"):
        adversarial_losses(pd.DataFrame(history))


def test_epochs_are_columns():
    picture = np.zeros((8, 8, 3), "uint8")
    figure = epoch_sheet({1: [picture] * 3, 8: [picture] * 3})
    assert len(figure.axes) == 6
    assert {axes.get_title("center") or axes.get_title("left") for axes in figure.axes} >= {
        "epoch 1",
        "epoch 8",
    }
    for wrong in ({}, {1: []}, {1: [picture], 2: [picture] * 2}):
        with pytest.raises(AtelierError, match="as many pictures of every epoch"):
            epoch_sheet(wrong)


def test_distances_lie_between_floor_and_ceiling():
    table = pd.DataFrame({"epoch": [8, 16], "fid": [300.0, 250.0]})
    figure = distance_by_epoch(table, floor=200.0, ceiling=350.0)
    (axes,) = figure.axes
    assert sorted(text.get_text() for text in axes.texts) == [
        "paintings among themselves",
        "photos as they are",
    ]
    assert len(distance_by_epoch(table).axes[0].lines) == 1
