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
    ResizeConv2D,
    StyleModulation,
)


def test_reflection_padding_is_numpys():
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")
    layer = ReflectionPadding2D(2)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(layer(x)), np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), "reflect")
    )
    assert layer.compute_output_shape((None, 5, None, 3)) == (None, 9, None, 3)


@pytest.mark.parametrize("kernel_size", [3, 5, 7])
def test_resizing_and_convolving_at_once_is_doubling_and_then_convolving(kernel_size):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    layer, half = ResizeConv2D(4, kernel_size), kernel_size // 2
    layer.build(x.shape)
    layer.bias.assign(rng.normal(size=4))
    doubled = x.repeat(2, axis=1).repeat(2, axis=2)
    doubled = np.pad(doubled, ((0, 0), (half, half), (half, half), (0, 0)), "symmetric")
    wanted = ops.conv(doubled, layer.kernel, padding="valid") + layer.bias
    found = layer(x)
    np.testing.assert_allclose(*map(ops.convert_to_numpy, (found, wanted)), atol=1e-5)
    assert layer.compute_output_shape((None, 5, None, 3)) == (None, 10, None, 4)
    again = ResizeConv2D.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()


@pytest.mark.once
@pytest.mark.parametrize("kernel_size", [1, 4])
def test_kernels_without_a_middle_are_refused(kernel_size):
    with pytest.raises(ValueError, match="odd kernel_size"):
        ResizeConv2D(4, kernel_size)


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
