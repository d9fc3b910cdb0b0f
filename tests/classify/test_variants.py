"""The mean answer to variants of a picture, and the time of an answer."""

import numpy as np
import pytest

from atelier.classify.predict import ask
from atelier.classify.speed import answering_seconds
from atelier.classify.variants import VARIANTS, over_variants
from atelier.errors import AtelierError


def test_the_whole_picture_alone_scores_as_ever(tiny_model, tiny_collection):
    table = over_variants(tiny_model, tiny_collection, split="val")
    answers = ask(tiny_model, tiny_collection, "val")
    right = answers.probabilities.argmax(axis=1) == answers.data.labels("val")
    assert table["accuracy"][0] == pytest.approx(right.mean())
    assert list(table["looked_at"]) == ["whole", "whole, mirrored", "whole, mirrored, inner"]


def test_answers_are_averaged(tiny_model, tiny_collection, monkeypatch):
    twice = {"whole": VARIANTS["whole"], "mirrored": VARIANTS["whole"]}
    monkeypatch.setattr("atelier.classify.variants.VARIANTS", twice)
    same = over_variants(tiny_model, tiny_collection, split="val", variants=tuple(twice))
    assert same["log_loss"][1] == pytest.approx(same["log_loss"][0], rel=1e-5)


def test_a_mirrored_picture_is_turned_left_to_right_and_the_inner_part_is_enlarged():
    pictures = np.zeros((1, 32, 32, 3), "float32")
    pictures[:, :, 16:] = 200.0  # the right half is bright
    assert VARIANTS["mirrored"](pictures)[0, :, :16].min() == 200
    pictures[:, :2] = 90.0  # a band along the upper edge
    inner = VARIANTS["inner"](pictures)
    assert inner.shape == pictures.shape
    assert not (inner == 90).any()


def test_an_unknown_variant_is_refused(tiny_model, tiny_collection):
    with pytest.raises(AtelierError, match=r"inner.*upside_down"):
        over_variants(tiny_model, tiny_collection, variants=("upside_down",))


@pytest.mark.once
def test_an_answer_takes_time(tiny_model):
    assert answering_seconds(tiny_model, pictures=2, repeats=2) > 0
