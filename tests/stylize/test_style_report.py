"""Captions and tables of style transfers."""

import numpy as np
import pandas as pd
import pytest

from atelier.stylize.gatys import Stylized
from atelier.stylize.metrics import METRICS, StyleJudge
from atelier.stylize.presets import FIRST_BLOCKS
from atelier.stylize.report import caption, distances, speed


def test_a_caption_says_data_settings_device_and_date():
    line = caption("pictures", FIRST_BLOCKS, "a note")
    for part in ("pictures", "first_blocks on vgg19, lbfgs, 3 x 40 steps", "a note", "seed 0"):
        assert part in line


def test_distances_are_those_of_the_judge():
    judge = StyleJudge("vgg19", ("block1_conv2",), ("block1_conv1",), size=48, weights=None)
    content, style = np.random.default_rng(0).integers(0, 256, (2, 40, 48, 3), "uint8")
    table = distances({"content": content, "style": style}, content, style, judge)
    assert list(table.columns) == ["picture", *METRICS]
    assert table.loc[0, "content"] == pytest.approx(0, abs=1e-6)
    assert table.loc[1, "style"] == pytest.approx(judge(style, content, style)["style"])


def test_the_first_step_which_compiles_is_not_timed():
    history = pd.DataFrame({"seconds": [9.0, 0.1, 0.2, 0.3]})
    (row,) = speed({"x": Stylized(None, history, FIRST_BLOCKS)}).to_dict("records")
    assert row["milliseconds a step"] == pytest.approx(200)
    assert row["steps"] == 4
