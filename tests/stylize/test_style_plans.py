"""Which layers and sizes a machine and the weights at hand allow."""

import logging

import keras
import pytest

from atelier.data.choose import collection_at
from atelier.stylize import plans
from atelier.stylize.presets import (
    ATELIER,
    FIRST_BLOCKS,
    RESNET50_PUBLISHED,
    VGG19_PUBLISHED,
)


@pytest.fixture
def cut_vgg19(tmp_path, monkeypatch, offline):
    """VGG19 cut at block3_conv1 is at hand, and nothing else."""
    offline("VGG19")
    offline("ResNet50")
    body = keras.applications.VGG19(include_top=False, weights=None)
    cut = keras.Model(body.input, body.get_layer("block3_conv1").output)
    cut.save_weights(tmp_path / "vgg19_to_block3_conv1.weights.h5")
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))


def test_layers_beyond_the_weights_at_hand_are_left_out_and_named(cut_vgg19, caplog):
    with caplog.at_level(logging.WARNING):
        config = plans.on_hand(VGG19_PUBLISHED)
    assert config.style_layers == ("block1_conv1", "block2_conv2")
    assert config.style_layer_weights == VGG19_PUBLISHED.style_layer_weights[:2]
    assert config.content_layers == ("block2_conv2",)
    assert "block5_conv2" in caplog.text


def test_settings_stay_where_all_or_none_of_the_weights_are_at_hand(cut_vgg19):
    assert plans.on_hand(FIRST_BLOCKS) == FIRST_BLOCKS
    assert plans.on_hand(RESNET50_PUBLISHED) == RESNET50_PUBLISHED


def test_ours_takes_the_first_blocks_where_later_ones_are_missing(cut_vgg19):
    plan = plans.AS_PUBLISHED
    assert plan.ours.style_layers == FIRST_BLOCKS.style_layers
    assert "block3_conv1" in plan.describe()


def test_ours_takes_all_layers_where_they_may_be_fetched(monkeypatch, offline):
    offline("VGG19")
    assert plans.AS_PUBLISHED.ours == ATELIER.replace(size=plans.AS_PUBLISHED.size)


def test_the_sample_asks_for_no_download(offline):
    offline("VGG19")
    assert plans.ON_SAMPLE.weights(FIRST_BLOCKS) is None
    assert plans.ON_CPU.weights(FIRST_BLOCKS) == "imagenet"


def test_a_fast_run_is_the_smallest(tiny_collection, monkeypatch):
    monkeypatch.setenv("ATELIER_FAST", "1")
    assert plans.choose_plan(collection_at(tiny_collection)) is plans.FAST
