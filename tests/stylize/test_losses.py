"""Losses of style transfer against plain NumPy."""

import numpy as np
import pytest
from keras import ops

from atelier.errors import AtelierError
from atelier.gradients import value_and_gradients
from atelier.stylize.losses import (
    check_scaling,
    content_loss,
    gram_matrix,
    mask_at,
    style_loss,
    total_variation,
)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def value(tensor):
    return ops.convert_to_numpy(tensor)


def test_a_gram_matrix_is_the_mean_product_of_channels():
    x = numbers(2, 5, 7, 3)
    expected = np.einsum("bhwi,bhwj->bij", x, x) / 35
    np.testing.assert_allclose(value(gram_matrix(x)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_the_gradient_of_a_gram_matrix_is_that_of_the_formula(count, masked):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 5, 4, 3)).astype("float32")
    asked = rng.normal(size=(count, 3, 3)).astype("float32")  # not symmetric
    mask = rng.uniform(size=(5, 4)).astype("float32") if masked else None
    found = value_and_gradients(lambda x: ops.sum(gram_matrix(x, mask) * asked), x)[1]
    rows = x.reshape(count, 20, 3) * (1 if mask is None else mask.reshape(1, 20, 1))
    expected = rows @ (asked + asked.transpose(0, 2, 1)) / (20 if mask is None else mask.sum())
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected.reshape(x.shape), atol=1e-5)


def test_a_gram_matrix_ignores_where_features_are():
    x = numbers(1, 6, 6, 4)
    shuffled = np.random.default_rng(1).permutation(x.reshape(36, 4)).reshape(1, 6, 6, 4)
    np.testing.assert_allclose(value(gram_matrix(x)), value(gram_matrix(shuffled)), atol=1e-5)


def test_a_masked_gram_matrix_is_that_of_the_region():
    x, mask = numbers(1, 6, 8, 3), np.zeros((6, 8), "float32")
    mask[1:4, 2:7] = 1
    inside = x[:, 1:4, 2:7]
    np.testing.assert_allclose(
        value(gram_matrix(x, mask)), value(gram_matrix(inside)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("scaling", ["relative", "published"])
def test_losses_of_a_picture_with_itself_are_zero(scaling):
    x = numbers(1, 4, 4, 3)
    gram = gram_matrix(x)
    assert value(content_loss(x, x, scaling=scaling)) == 0
    assert value(style_loss(gram, gram, scaling=scaling)) == 0


def test_relative_losses_do_not_change_with_the_scale_of_features():
    x, y = numbers(1, 4, 4, 3), numbers(1, 4, 4, 3, seed=1)
    grams = [[gram_matrix(scale * z) for z in (x, y)] for scale in (1, 50)]
    once, scaled = (value(style_loss(*pair)) for pair in grams)
    assert once == pytest.approx(scaled, rel=1e-4)
    assert value(content_loss(x, y)) == pytest.approx(value(content_loss(50 * x, 50 * y)), rel=1e-4)


def test_published_losses_are_those_of_the_formula():
    x, y = numbers(1, 4, 4, 3), numbers(1, 4, 4, 3, seed=1)
    assert value(content_loss(x, y, scaling="published")) == pytest.approx(
        np.square(x - y).mean() / 4, rel=1e-5
    )
    ours, theirs = value(gram_matrix(x)), value(gram_matrix(y))
    assert value(style_loss(ours, theirs, scaling="published")) == pytest.approx(
        np.square(ours - theirs).sum() / (4 * 9), rel=1e-5
    )


def test_total_variation_is_that_of_the_steps():
    picture = np.zeros((1, 2, 2, 3), "float32")
    picture[0, 0, 0] = 255
    assert value(total_variation(picture)) == pytest.approx(1.0)  # one step of two, both ways
    assert value(total_variation(np.full((1, 3, 3, 3), 9.0, "float32"))) == 0


def test_a_mask_keeps_its_share_at_another_size():
    mask = np.zeros((32, 32), "float32")
    mask[:, :16] = 1
    small = value(mask_at(mask, (8, 8)))
    assert small.shape == (8, 8)
    assert small.mean() == pytest.approx(0.5, abs=0.02)
    assert small.min() >= 0
    assert small.max() <= 1


def test_an_unknown_scaling_is_refused():
    with pytest.raises(AtelierError, match="published or relative"):
        check_scaling("absolute")
