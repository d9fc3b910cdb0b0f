"""Gradients against closed forms, on whichever backend runs the tests."""

import keras
import numpy as np
import pytest
from keras import ops

from atelier.errors import AtelierError
from atelier.gradients import gradient_function, value_and_gradients


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def as_numpy(tensors):
    return keras.tree.map_structure(ops.convert_to_numpy, tensors)


@pytest.fixture
def dense():
    keras.utils.set_random_seed(0)
    layer = keras.layers.Dense(3, activation="tanh")
    layer.build((None, 4))
    return layer


def test_gradients_of_a_quadratic_form_are_those_of_the_closed_form():
    x, matrix = numbers(5), numbers(5, 5, seed=1)
    value, gradient = as_numpy(value_and_gradients(lambda x: ops.dot(x, ops.matmul(matrix, x)), x))
    assert np.allclose(value, x @ matrix @ x, atol=1e-4)
    assert np.allclose(gradient, (matrix + matrix.T) @ x, atol=1e-4)


def test_compiled_and_plain_gradients_agree():
    def energy(x):
        return ops.sum(ops.square(ops.sin(x)))

    x = numbers(2, 6, 6, 3)
    value, gradient = gradient_function(energy)(x)
    plain_value, plain_gradient = value_and_gradients(energy, x)
    assert np.allclose(value, plain_value, rtol=1e-5)
    assert np.allclose(gradient, plain_gradient, atol=1e-5)
    assert np.allclose(gradient, np.sin(2 * x), atol=1e-5)


def test_a_compiled_function_is_traced_once_for_a_shape():
    traced = []

    def energy(x, scale):
        traced.append(x.shape)
        return ops.sum(scale * ops.square(x))

    gradients = gradient_function(energy)
    for scale in np.float32([1, 2, 3]):
        _, gradient = gradients(numbers(4), np.asarray(scale))
        assert np.allclose(gradient, 2 * scale * numbers(4), atol=1e-5)
    assert len(traced) == 1
    gradients(numbers(7), np.float32(1).reshape(()))
    assert len(traced) == 2


def test_only_the_inputs_are_differentiated_and_weights_stay(dense):
    x = numbers(1, 4)
    kernel = ops.convert_to_numpy(dense.kernel)
    gradients = gradient_function(lambda x: ops.sum(dense(x)), dense.variables)
    _, gradient = gradients(x)
    slope = 1 - np.tanh(x @ kernel) ** 2
    assert np.allclose(gradient, slope @ kernel.T, atol=1e-5)
    assert np.array_equal(kernel, ops.convert_to_numpy(dense.kernel))


def test_a_compiled_function_sees_weights_that_changed(dense):
    gradients = gradient_function(lambda x: ops.sum(dense(x)), dense.variables)
    gradients(numbers(1, 4))
    dense.kernel.assign(np.zeros((4, 3)))
    _, gradient = gradients(numbers(1, 4))
    assert not np.any(gradient)


def test_inputs_may_be_nested_and_unused_ones_have_zero_gradients():
    inputs = {"a": numbers(3), "b": [numbers(2, seed=1), numbers(4, seed=2)]}
    _, gradients = gradient_function(lambda x: ops.sum(ops.square(x["b"][0])))(inputs)
    gradients = as_numpy(gradients)
    assert np.allclose(gradients["b"][0], 2 * inputs["b"][0])
    assert not gradients["a"].any()
    assert gradients["b"][1].shape == (4,)
    assert not gradients["b"][1].any()


def test_aux_comes_along_undifferentiated():
    def energy(x, factor):
        return ops.sum(x) * 2, {"doubled": x * factor}

    compute = gradient_function(energy, has_aux=True)
    (value, aux), gradient = as_numpy(compute(numbers(3), np.float32(2).reshape(())))
    assert np.allclose(value, 2 * numbers(3).sum(), atol=1e-5)
    assert np.allclose(aux["doubled"], 2 * numbers(3))
    assert np.allclose(gradient, 2)


def test_whole_numbers_are_differentiated_as_float32():
    _, gradient = value_and_gradients(lambda x: ops.sum(ops.square(x)), np.arange(3))
    assert keras.backend.standardize_dtype(gradient.dtype) == "float32"
    assert np.allclose(gradient, [0, 2, 4])


@pytest.mark.once
def test_another_backend_is_refused(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(AtelierError, match=r"tensorflow or jax.*torch.*KERAS_BACKEND"):
        gradient_function(ops.sum)
