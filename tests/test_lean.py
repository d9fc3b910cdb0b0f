"""A network that is run layer by layer gives what it gives when called."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from atelier.lean import run_lean


def network():
    first, second = keras.Input((None, None, 3)), keras.Input((2,))
    x = layers.Conv2D(2, 3, padding="same")(first)
    y = layers.Multiply()([x, layers.Reshape((1, 1, 2))(second)])
    return keras.Model([first, second], layers.Add(name="sum")([x, y]))


def inputs():
    rng = np.random.default_rng(0)
    return rng.normal(size=(1, 8, 6, 3)).astype("float32"), rng.normal(size=(1, 2)).astype(
        "float32"
    )


def test_it_is_what_the_model_gives():
    model, given = network(), inputs()
    np.testing.assert_array_equal(
        ops.convert_to_numpy(run_lean(model, *given)), ops.convert_to_numpy(model(list(given)))
    )


def test_a_layer_may_be_replaced():
    model, given = network(), inputs()
    found = run_lean(model, *given, instead={model.get_layer("sum"): lambda x: x[0] - x[0]})
    assert not ops.convert_to_numpy(found).any()


def test_a_layer_that_is_called_twice_is_refused():
    picture, layer = keras.Input((4,)), layers.Dense(4)
    twice = keras.Model(picture, layer(layer(picture)))
    several = keras.Model(picture, [picture, layers.Activation("relu")(picture)])
    for model in (twice, several):
        with pytest.raises(ValueError, match="every layer called once"):
            run_lean(model, np.zeros((1, 4), "float32"))
