"""A pretrained body and a head, trained phase by phase, stopped and resumed."""

import dataclasses

import keras
import numpy as np
import pandas as pd
import pytest

from atelier import models, storage
from atelier.checkpoint import Checkpoint
from atelier.classify.building import build_options
from atelier.classify.cards import card_text
from atelier.classify.compiling import compile_network
from atelier.classify.datasets import load_datasets
from atelier.classify.frozen import head_on_features, split_network, trains_from_features
from atelier.classify.networks import build_network
from atelier.classify.recipe import Phase
from atelier.classify.recipes import get_recipe
from atelier.classify.report import metrics_of
from atelier.classify.train import train
from atelier.classify.trainable import set_trainable
from atelier.errors import AtelierError

HISTORY = ["epoch", "phase", "loss", "val_loss", "learning_rate"]


def weights(folder):
    return models.load(folder).model.get_weights()


def build(recipe):
    keras.utils.set_random_seed(0)
    return build_network("transfer", 3, **build_options(recipe, recipe.train_size))


@pytest.fixture(scope="module")
def whole(transfer_recipe, tiny_collection_drawn, tmp_path_factory):
    """The recipe trained without a stop; not to be changed."""
    home = tmp_path_factory.mktemp("transfer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATELIER_ROOT", str(home))
        return train(transfer_recipe, tiny_collection_drawn, home / "models" / "whole")


def test_all_phases_are_run_and_the_model_is_flat(whole):
    history = pd.read_csv(whole / "history.csv")
    assert list(history["phase"]) == ["head"] * 2 + ["upper_body"] * 2 + ["head_again"] * 2
    loaded = models.load(whole)
    assert loaded.recipe["backbone"] == "tiny"
    assert not any(isinstance(layer, keras.Model) for layer in loaded.model.layers)
    answers = loaded.model.predict(np.full((2, 40, 48, 3), 127.0, "float32"), verbose=0)
    np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)


class StopError(Exception):
    """Raised in the middle of an epoch, as a power cut would come."""


class Kill(keras.callbacks.Callback):
    """Stop in the first batch after so many whole epochs."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_train_batch_end(self, batch, logs=None):
        if self.epochs == 0:
            raise StopError

    def on_epoch_end(self, epoch, logs=None):
        self.epochs -= 1


@pytest.mark.parametrize("epochs", [1, 2, 3, 5])
def test_a_run_stopped_in_any_phase_ends_like_one_that_was_not(
    epochs, whole, transfer_recipe, tiny_collection, tmp_path, monkeypatch
):
    out, kill = tmp_path / "models" / "resumed", Kill(epochs)
    with monkeypatch.context() as patch:
        patch.setattr("atelier.classify.train.report_steps", lambda *_: kill)
        with pytest.raises(StopError):
            train(transfer_recipe, tiny_collection, out, progress=lambda *_: None)
    train(transfer_recipe, tiny_collection, out)
    for ours, theirs in zip(weights(out), weights(whole), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    resumed, uninterrupted = (pd.read_csv(f / "history.csv")[HISTORY] for f in (out, whole))
    pd.testing.assert_frame_equal(resumed, uninterrupted, rtol=1e-4)


def test_a_run_stopped_between_training_and_saving_keeps_its_average(
    transfer_recipe, tiny_collection, tmp_path, monkeypatch
):
    recipe = transfer_recipe.replace(ema_momentum=0.8).reduced(epochs=1)
    recipe = recipe.replace(phases=recipe.phases[:1])
    whole = train(recipe, tiny_collection, tmp_path / "models" / "whole")
    out = tmp_path / "models" / "stopped"

    def stop(*_):
        raise StopError

    with monkeypatch.context() as patch:
        patch.setattr("atelier.classify.train._save", stop)
        with pytest.raises(StopError):
            train(recipe, tiny_collection, out)
    train(recipe, tiny_collection, out)
    for ours, theirs in zip(weights(out), weights(whole), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_head_learns_the_same_from_features_as_through_the_body(transfer_recipe, tiny_collection):
    recipe = transfer_recipe.replace(phases=transfer_recipe.phases[:1])
    data, (phase,) = load_datasets(recipe, tiny_collection), recipe.phases
    results = []
    for cached in (False, True):
        network = build(recipe)
        set_trainable(network, phase)
        train_ds, val_ds = data.train_ds(augment=None), data.eval_ds("val")
        compile_network(network, recipe, phase, steps=len(train_ds))
        model = network
        if cached:
            model, train_ds, val_ds = head_on_features(network, recipe, data)
        history = model.fit(
            train_ds, validation_data=val_ds, epochs=2, shuffle=False, verbose=0
        ).history
        results.append((history, network.get_weights()))
    (through, whole), (from_features, head) = results
    np.testing.assert_allclose(from_features["loss"], through["loss"], rtol=1e-3)
    np.testing.assert_allclose(from_features["val_loss"], through["val_loss"], rtol=1e-3)
    for ours, theirs in zip(head, whole, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_features_are_kept_for_the_next_run_and_not_for_other_weights(
    transfer_recipe, tiny_collection, atelier_root
):
    recipe, data = transfer_recipe, load_datasets(transfer_recipe, tiny_collection)
    network = build(recipe)
    asked = []
    for _ in range(2):
        compile_network(network, recipe, recipe.phases[0], steps=3)
        head_on_features(network, recipe, data, progress=lambda done, total: asked.append(done))
    files = list(atelier_root.rglob("maps/*.npy"))
    assert len(files) == 2  # train and validation
    assert asked[-1] == len(data.part("train")) + len(data.part("val"))
    kernel = network.get_layer("conv1").kernel
    kernel.assign(kernel * 2)
    head_on_features(network, recipe, data)
    assert len(list(atelier_root.rglob("maps/*.npy"))) == 4


def test_only_a_frozen_body_without_augmentation_is_asked_once(transfer_recipe):
    head, upper_body, _ = transfer_recipe.phases
    assert trains_from_features(transfer_recipe, head)
    assert not trains_from_features(transfer_recipe, upper_body)
    assert not trains_from_features(transfer_recipe, dataclasses.replace(head, augment="recipe"))
    without = transfer_recipe.replace(augment=None)
    assert trains_from_features(without, dataclasses.replace(head, augment="recipe"))


def test_the_trunk_ends_after_the_heads_pooling(transfer_recipe):
    network = build(transfer_recipe)
    trunk, head = split_network(network)
    assert trunk.output_shape == head.input_shape == (None, 8)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    ours = head.predict(trunk.predict(pictures, verbose=0), verbose=0)
    np.testing.assert_allclose(ours, network.predict(pictures, verbose=0), atol=1e-5)


def test_class_weights_reach_the_loss(transfer_recipe, tiny_collection, tmp_path, monkeypatch):
    seen, fit = [], keras.Model.fit

    def watched(self, *args, **kwargs):
        seen.append(kwargs["class_weight"])
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(keras.Model, "fit", watched)
    recipe = transfer_recipe.reduced(epochs=1).replace(class_weights=True, loss="focal")
    train(recipe, tiny_collection, tmp_path / "m", subset=2)
    assert seen == [{0: 1.0, 1: 1.0, 2: 1.0}] * 3


def test_a_plateau_lowers_the_rate_after_its_patience_and_not_below_the_least(tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.optimizer.build(model.trainable_variables)
    phase = Phase("training", 9, 1.0, reduce_on_plateau=(0.1, 2, 0.05))
    rates = []
    for epoch, loss in enumerate((1.0, 0.99995, 1.0, 0.5, 0.6, 0.7, 0.8)):
        checkpoint = Checkpoint(tmp_path / "backup", "run")  # a new process each epoch
        checkpoint.begin_phase(0, phase, model)
        checkpoint.restore()
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, {"val_loss": loss})
        rates.append(float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)))
    np.testing.assert_allclose(rates, [1.0, 1.0, 0.1, 0.1, 0.1, 0.05, 0.05], rtol=1e-6)


def test_a_card_tells_what_reaches_the_network(whole):
    recipe, metrics = get_recipe("densenet121_movements"), metrics_of(whole)
    assert "padded to a square, and five details of each: colors" in card_text(recipe, metrics)
    assert "squashed to a square: colors" in models.card(whole)


def test_the_recipe_and_the_card_name_the_body(whole):
    assert storage.read_json(whole / "recipe.json")["cut"] == "conv3_bn"
    assert "Body: tiny, cut at `conv3_bn`, from random weights." in models.card(whole)


def test_weights_of_another_shape_are_refused(transfer_recipe, tmp_path, monkeypatch):
    wide = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(9, 3, name="conv1")])
    wide.save_weights(tmp_path / "tiny_notop.weights.h5")
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    with pytest.raises(AtelierError, match=r"weights of tiny in .*tiny_notop"):
        build(transfer_recipe.replace(weights="imagenet"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"backbone": None}, "a backbone and a head"),
        ({"head": "cnn_gru", "image_size": (48, 48)}, "one size for training and judging"),
        ({"head": "dense"}, "one of the heads"),
        ({"cut": "conv9"}, "a layer of tiny"),
    ],
)
def test_a_recipe_that_cannot_be_built_is_refused(transfer_recipe, changes, expected):
    with pytest.raises(AtelierError, match=expected):
        build(transfer_recipe.replace(**changes))
