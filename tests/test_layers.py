"""The layers of networks that paint, against NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from atelier.gradients import value_and_gradients
from atelier.layers import (
    ChannelStatistics,
    HalvingMaxPooling2D,
    ReflectionPadding2D,
    StyleModulation,
)


def test_reflection_padding_is_numpys():
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")
    layer = ReflectionPadding2D(2)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer(x)), np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect")
    )
    assert layer.compute_output_shape((None, 5, None, 3)) == (None, 9, None, 3)


def test_channel_statistics_are_numpys():
    x = np.random.default_rng(0).normal(3, 2, size=(2, 9, 8, 4)).astype("float32")
    found = ops.convert_to_numpy(ChannelStatistics()(x))
    wanted = np.concatenate([x.mean(axis=(1, 2)), x.std(axis=(1, 2))], axis=-1)
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_style_modulation_scales_and_shifts_as_the_code_says():
    x = np.random.default_rng(0).normal(3, 2, size=(2, 5, 6, 4)).astype("float32")
    code = np.float32([[1.0, 0.0], [0.0, 1.0]])
    layer = StyleModulation()
    layer.build((x.shape, code.shape))
    kernel = np.random.default_rng(1).normal(size=(2, 8)).astype("float32")
    layer.affine.set_weights([kernel, np.zeros(8, "float32")])
    gain, shift = kernel[:, None, None, :4], kernel[:, None, None, 4:]
    np.testing.assert_allclose(ops.convert_to_numpy(layer([x, code])), x * (1 + gain) + shift, 1e-4)


@pytest.mark.parametrize("size", [(6, 8), (7, 9)])
def test_halving_is_kerass_pooling_and_so_is_its_gradient(size):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *size, 4)).astype("float32")
    asked = rng.normal(size=(2, size[0] // 2, size[1] // 2, 4)).astype("float32")
    layers = HalvingMaxPooling2D(), keras.layers.MaxPooling2D()
    found, wanted = (
        value_and_gradients(lambda x: ops.sum(layer(x) * asked), x)  # noqa: B023
        for layer in layers
    )
    assert float(found[0]) == pytest.approx(float(wanted[0]), rel=1e-5)
    np.testing.assert_array_equal(*(ops.convert_to_numpy(each[1]) for each in (found, wanted)))
    assert layers[0].compute_output_shape((None, 7, None, 4)) == (None, 3, None, 4)
