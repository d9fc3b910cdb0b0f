"""Losses, learning rates and optimizers against their formulas."""

import keras
import numpy as np
import pytest

from atelier.classify.compiling import compile_network, learning_rate, loss_of
from atelier.classify.recipe import Phase
from atelier.errors import AtelierError


def values(phase, steps, epochs):
    """The rate at the first batch of each epoch."""
    rate = learning_rate(phase, steps)
    if not callable(rate):
        return [rate] * epochs
    return [float(keras.ops.convert_to_numpy(rate(steps * epoch))) for epoch in range(epochs)]


def test_focal_loss_is_its_formula(tiny_recipe):
    recipe = tiny_recipe.replace(loss="focal", loss_options={"gamma": 2.0, "alpha": 0.25})
    odds = np.random.default_rng(0).uniform(0.1, 1, (5, 3)).astype("float32")
    probabilities, labels = odds / odds.sum(axis=1, keepdims=True), np.array([0, 1, 2, 1, 0])
    right = probabilities[np.arange(5), labels].astype("float64")
    expected = np.mean(-0.25 * (1 - right) ** 2 * np.log(right))
    loss = loss_of(recipe)(np.eye(3, dtype="float32")[labels], probabilities)
    np.testing.assert_allclose(float(keras.ops.convert_to_numpy(loss)), expected, rtol=1e-5)


def test_an_unknown_loss_is_refused(tiny_recipe):
    with pytest.raises(AtelierError, match="categorical_crossentropy or focal"):
        loss_of(tiny_recipe.replace(loss="hinge"))


def test_halving_and_exponential_decay_step_after_whole_epochs():
    halve = Phase("p", 6, 1e-4, schedule="halve", schedule_epochs=2)
    np.testing.assert_allclose(values(halve, 7, 6), np.repeat([1e-4, 5e-5, 2.5e-5], 2), rtol=1e-5)
    decay = Phase("p", 3, 5e-4, schedule="exponential", schedule_factor=0.98)
    np.testing.assert_allclose(values(decay, 7, 3), 5e-4 * 0.98 ** np.arange(3), rtol=1e-5)


def test_restarts_begin_a_cosine_every_so_many_batches():
    rate = learning_rate(Phase("p", 10, 2e-3, schedule="restarts", schedule_steps=20), steps=10)
    found = [float(keras.ops.convert_to_numpy(rate(step))) for step in (0, 5, 10, 19.999, 20, 30)]
    expected = 2e-3 * (1 + np.cos(np.pi * np.array([0, 0.25, 0.5, 1, 0, 0.5]))) / 2
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_cosine_is_no_longer_than_its_phase():
    phase = Phase("p", 2, 1e-3, schedule="restarts", schedule_steps=2000)
    assert values(phase, 5, 2)[1] == pytest.approx(5e-4)


def test_the_body_steps_at_its_multiple_of_the_rate(tiny_recipe):
    moved = {}
    for body_rate in (1.0, 0.25):
        keras.utils.set_random_seed(0)
        inputs = keras.Input((4,))
        x = keras.layers.Dense(3, name="body")(inputs)
        network = keras.Model(inputs, keras.layers.Dense(2, name="head_last")(x))
        before = network.get_weights()
        phase = Phase("p", 1, 1e-2, body_rate=body_rate)
        compile_network(
            network, tiny_recipe.replace(loss="categorical_crossentropy"), phase, steps=1
        )
        network.compile(network.optimizer, "mse")
        network.train_on_batch(np.ones((2, 4), "float32"), np.ones((2, 2), "float32"))
        moved[body_rate] = [
            new - old for new, old in zip(network.get_weights(), before, strict=True)
        ]
    for place, multiple in enumerate((0.25, 0.25, 1.0, 1.0)):  # body's two, head's two
        whole, ours = moved[1.0][place], moved[0.25][place]
        assert np.abs(whole).max() > 0
        np.testing.assert_allclose(ours, multiple * whole, atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow traces")
def test_a_step_is_traced_once(tiny_recipe, monkeypatch):
    inputs = keras.Input((4,))
    network = keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(inputs))
    compile_network(network, tiny_recipe, Phase("p", 1, 1e-2), steps=1)
    traced, step = [], network.train_step
    monkeypatch.setattr(network, "train_step", lambda data: traced.append(1) or step(data))
    history = network.fit(np.ones((2, 4)), np.eye(2), verbose=0)
    assert set(history.history) == {"loss", "accuracy"}
    assert len(traced) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"schedule": "linear"}, "a schedule among"),
        ({"batch_norm": "off"}, "train or frozen"),
        ({"schedule": "restarts"}, "schedule_steps"),
        ({"schedule": "cosine", "reduce_on_plateau": (0.1, 2, 0.0)}, "constant schedule"),
        ({"augment": "none"}, "'recipe', one of its own, or None"),
    ],
)
def test_a_phase_that_cannot_be_followed_is_refused(options, expected):
    with pytest.raises(AtelierError, match=expected):
        Phase("p", 1, 1e-3, **options)
