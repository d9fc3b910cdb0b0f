"""Recipes on other bodies, and which weights are at hand."""

import logging

import pytest

from atelier.backbones import BACKBONES, get_backbone, weights_at_hand
from atelier.classify.bodies import SUBSTITUTES, on_hand, with_body
from atelier.classify.recipes import PUBLISHED_CNN, RECIPES
from atelier.errors import AtelierError
from atelier.weights import weight_files

pytestmark = pytest.mark.once


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty ATELIER_WEIGHTS and an empty cache of Keras's."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "weights"


def test_the_published_body_is_kept_where_its_weights_are(place):
    recipe = RECIPES["densenet121_movements"]
    (place / weight_files(get_backbone("densenet121"))[0]).touch()
    (place / weight_files(get_backbone("densenet169"))[0]).touch()
    assert on_hand(recipe) is recipe


def test_kerass_cache_counts(place, tmp_path):
    cache = tmp_path / "keras" / "models"
    cache.mkdir(parents=True)
    assert not weights_at_hand("resnet50")
    (cache / BACKBONES["resnet50"].file).touch()
    assert weights_at_hand("resnet50")


def test_a_substitute_takes_its_place_aloud_and_its_layers_their_names(place, caplog):
    (place / weight_files(get_backbone("densenet169"))[0]).touch()
    recipe = RECIPES["densenet121_movements"]
    swapped = on_hand(recipe)
    assert "densenet169 instead of densenet121" in caplog.text
    assert swapped.backbone == "densenet169"
    assert swapped.phases[0].trainable == (
        "conv5_block31_2_conv",
        "conv5_block32_1_conv",
        "conv5_block32_2_conv",
        "*bn",
    )
    assert swapped.replace(backbone="densenet121", phases=recipe.phases) == recipe


def test_a_cut_file_serves_the_cut_body(place):
    (place / weight_files(get_backbone("resnet50"), "conv4_block6_out")[0]).touch()
    swapped = on_hand(RECIPES["resnet50_two_phase"])
    assert swapped.cut == "conv4_block6_out"
    assert swapped.head_options == {"pool": 2}  # the cut map is twice as fine


def test_folded_batch_normalisation_stays_frozen(place):
    (place / weight_files(get_backbone("mobilenetv2"))[0]).touch()
    for name in ("efficientnetb0_two_stage", "efficientnetb2_style"):
        swapped = on_hand(RECIPES[name])
        assert swapped.backbone == "mobilenetv2"
        assert {phase.batch_norm for phase in swapped.phases} == {"frozen"}


def test_only_a_fast_run_starts_from_random_weights_and_says_so(place, monkeypatch, caplog):
    recipe = RECIPES["resnet50_two_phase"]
    assert on_hand(recipe) is recipe
    monkeypatch.setenv("ATELIER_FAST", "1")
    with caplog.at_level(logging.WARNING):
        assert on_hand(recipe).weights is None
    assert "random weights" in caplog.text


def test_every_recipe_of_a_body_has_a_substitute():
    bodies = {recipe.backbone for recipe in RECIPES.values() if recipe.name in PUBLISHED}
    assert bodies == set(SUBSTITUTES)


PUBLISHED = [name for name in RECIPES if name.startswith(("resnet", "efficientnet", "densenet"))]


def test_a_recipe_without_a_body_and_an_unknown_body_are_refused():
    with pytest.raises(AtelierError, match="a recipe of a pretrained body"):
        with_body(PUBLISHED_CNN, "resnet50")
    with pytest.raises(AtelierError, match=r"'resnet51'.*resnet50"):
        with_body(RECIPES["resnet50_two_phase"], "resnet51")
