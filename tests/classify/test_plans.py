import logging

import pytest

from atelier.backbones import weights_at_hand
from atelier.classify.plans import FAST, ON_CPU, ON_SAMPLE, PUBLISHED
from atelier.classify.recipes import RECIPES
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def no_cached_weights(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def test_a_probe_without_weights_starts_at_random_on_the_sample_and_says_so(caplog):
    with caplog.at_level(logging.WARNING, "atelier"):
        fitted = ON_SAMPLE.fit_probe(RECIPES["atelier_probe"])
    assert fitted.weights is None
    assert fitted.image_size == fitted.train_size == (128, 128)
    assert fitted.precision == RECIPES["atelier_probe"].precision
    assert "random weights, since none of resnet50 are here" in caplog.text


def test_a_probe_keeps_pretrained_weights_where_they_are_or_can_be_had(monkeypatch, tmp_path):
    recipe = RECIPES["frozen_probe"]
    assert ON_CPU.fit_probe(recipe).weights == "imagenet"  # to be downloaded
    (tmp_path / "resnet50_to_conv4_block6_out.weights.h5").touch()
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    assert weights_at_hand("resnet50", "conv4_block6_out")
    assert ON_SAMPLE.fit_probe(recipe).weights == "imagenet"


def test_a_probe_on_two_bodies_needs_the_weights_of_both(monkeypatch, tmp_path):
    (tmp_path / "resnet50_to_conv4_block6_out.weights.h5").touch()
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    taps = ("resnet50/conv2_block3_out", "resnet50/conv4_block6_out", "mobilenetv2/block_13_expand")
    recipe = RECIPES["frozen_probe"].replace(network_options={"taps": taps})
    assert ON_SAMPLE.fit_probe(recipe).weights is None


def test_a_probe_takes_the_painters_that_the_plan_asks_for():
    assert ON_SAMPLE.fit_probe(RECIPES["frozen_probe"]).split.min_works is None


def test_a_recipe_without_taps_is_no_probe():
    with pytest.raises(AtelierError, match="tapped layers"):
        ON_SAMPLE.fit_probe(RECIPES["published_cnn"])


def test_only_what_is_reduced_leaves_out_paintings_of_six_views():
    assert PUBLISHED.subset is FAST.subset is None  # a fast run's collection is small already
    assert 0 < ON_SAMPLE.subset < ON_CPU.subset


def test_a_cpu_trains_the_head_first_and_then_what_fits():
    first, second = ON_CPU.fit_transfer(RECIPES["resnet50_two_phase"]).phases
    assert (first.trainable, first.augment, first.epochs) == ("head", None, 20)
    assert (second.trainable, second.epochs) == ("last:50", 4)


def test_a_first_phase_that_trains_the_head_from_features_keeps_its_settings():
    recipe = RECIPES["efficientnetb0_two_stage"]
    assert ON_CPU.fit_transfer(recipe).phases[0] == recipe.phases[0]
    assert FAST.fit_transfer(recipe.replace(weights=None)).phases[0].epochs == 1


def test_the_tuned_resnet50_has_epochs_of_its_own():
    epochs = [phase.epochs for phase in ON_CPU.fit_transfer(RECIPES["resnet50_tuned"]).phases]
    assert epochs == [4, 14]
