"""Tokens and maps of a vision transformer, without one."""

import keras
import numpy as np
import pytest
from keras import ops

from atelier.tokens import MapTokens, PatchTokens, TokenMap, cubic_weights, resized


def noise(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def numpy_of(x):
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (4, 9), (12, 5)])
def test_positions_are_resized_as_keras_resizes_pictures(rows, columns, antialias):
    if antialias and keras.backend.backend() == "tensorflow":
        antialias = rows > 6 or columns > 6  # TensorFlow blurs with another cubic kernel
    grid = noise(6, 6, 4)
    expected = ops.image.resize(grid, (rows, columns), interpolation="bicubic", antialias=antialias)
    ours = numpy_of(resized(grid, rows, columns, antialias))
    np.testing.assert_allclose(ours, numpy_of(expected), atol=5e-3)  # TensorFlow reads a table


def test_a_grid_of_the_same_size_stays_as_it_is():
    np.testing.assert_allclose(numpy_of(cubic_weights(7, 7, antialias=True)), np.eye(7), atol=1e-6)


@pytest.mark.parametrize("extra", [0, 3])
def test_a_map_and_its_tokens_go_over_into_each_other(extra):
    tokens, patches = noise(2, extra + 6, 4), noise(2, 2, 3, 4)
    laid_out = TokenMap(extra)([tokens, patches])
    np.testing.assert_array_equal(numpy_of(laid_out), tokens[:, extra:].reshape(2, 2, 3, 4))
    np.testing.assert_array_equal(numpy_of(MapTokens(extra)([tokens, laid_out])), tokens)


@pytest.mark.parametrize("extra", [0, 3])
def test_patches_come_behind_the_tokens_in_front_row_by_row(extra):
    layer = PatchTokens(2, extra)
    patches = noise(2, 2, 2, 4)
    layer.build(patches.shape)
    layer.set_weights([noise(*weight.shape) for weight in layer.weights])
    tokens = numpy_of(layer(patches))
    np.testing.assert_allclose(
        tokens[:, extra:], (patches + numpy_of(layer.grid)).reshape(2, 4, 4), atol=1e-6
    )
    assert tokens.shape == layer.compute_output_shape(patches.shape)
    if extra:
        np.testing.assert_allclose(tokens[1, :extra], numpy_of(layer.front))


@pytest.mark.parametrize("layer", [PatchTokens(6, 3, antialias=True), TokenMap(3), MapTokens(3)])
def test_layers_come_back_from_their_configuration(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.get_config() == layer.get_config()


def test_tokens_compute_in_low_precision_where_they_are_told_to():
    layer = PatchTokens(2, 1, dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(layer(noise(1, 3, 3, 4)).dtype) == "bfloat16"
    assert layer.grid.dtype == "float32"
