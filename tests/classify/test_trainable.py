"""What learns in a phase, in a network of a small body and a head."""

import keras
import numpy as np
import pytest

from atelier.classify.compiling import compile_network
from atelier.classify.networks import transfer
from atelier.classify.recipe import Phase
from atelier.classify.trainable import body_and_head, rates, set_trainable
from atelier.errors import AtelierError


@pytest.fixture
def network(tiny_body):
    keras.utils.set_random_seed(0)
    options = {"dropout": 0.2, "batch_norm": True}
    return transfer(3, backbone=tiny_body, weights=None, head="pooled", head_options=options)


def phase(trainable="all", **options):
    return Phase("p", 1, 1e-3, trainable=trainable, **options)


def learning(network):
    """Layers of the body that have something to learn."""
    body, _ = body_and_head(network)
    return [layer.name for layer in body if layer.trainable_variables]


CONV3 = ["conv3", "conv3_bn"]


@pytest.mark.parametrize(
    ("trainable", "expected"),
    [
        ("head", []),
        ("last:3", CONV3),
        ("last:2", ["conv3_bn"]),
        ("after:8", CONV3),  # the input and the preprocessing count too
        ("after:0", ["conv1", "conv1_bn", "conv2", "conv2_bn", *CONV3]),
        (("conv2", "*bn"), ["conv1_bn", "conv2", "conv2_bn", "conv3_bn"]),
    ],
)
def test_a_phase_names_what_learns(network, trainable, expected):
    set_trainable(network, phase(trainable))
    assert learning(network) == expected
    assert all(layer.trainable for layer in body_and_head(network)[1])


def test_a_later_phase_wakes_what_an_earlier_one_froze(network):
    set_trainable(network, phase("head"))
    set_trainable(network, phase("all"))
    assert len(learning(network)) == 6


def test_head_layers_are_told_by_their_names(network):
    _, head = body_and_head(network)
    names = [layer.name for layer in head]
    assert names == ["head_pool", "head_dropout", "head_norm", "probabilities"]


@pytest.mark.parametrize(
    ("trainable", "batch_norm", "moved"),
    [
        ("head", "train", set()),
        ("all", "frozen", {"kernel", "bias"}),
        ("all", "train", {"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"}),
    ],
)
def test_what_is_frozen_stays_as_it_was(network, tiny_recipe, trainable, batch_norm, moved):
    chosen = phase(trainable, batch_norm=batch_norm)
    set_trainable(network, chosen)
    compile_network(network, tiny_recipe, chosen, steps=1)
    variables = [v for layer in body_and_head(network)[0] for v in layer.weights]
    before = [keras.ops.convert_to_numpy(v) for v in variables]
    pictures = np.random.default_rng(0).uniform(0, 255, (6, 32, 32, 3)).astype("float32")
    network.train_on_batch(pictures, np.eye(3, dtype="float32")[[0, 1, 2] * 2])
    changed = {
        v.name
        for v, old in zip(variables, before, strict=True)
        if not np.array_equal(keras.ops.convert_to_numpy(v), old)
    }
    assert changed == moved


def test_weights_keep_their_order_whatever_learns(network):
    before = [id(v) for v in network.weights]
    set_trainable(network, phase(("conv2",)))
    assert [id(v) for v in network.weights] == before


def test_the_body_has_its_own_rate(network):
    set_trainable(network, phase("last:3", body_rate=0.1))
    names = [v.path.split("/")[0] for v in network.trainable_variables]
    assert rates(network, 0.1) == [0.1 if name in CONV3 else 1.0 for name in names]
    assert 0.1 in rates(network, 0.1)


@pytest.mark.parametrize("trainable", ["first:3", "last", "last:x", "most"])
def test_a_rule_that_is_none_is_refused(network, trainable):
    with pytest.raises(AtelierError, match=r"all, head, last:N, after:N"):
        set_trainable(network, phase(trainable))


def test_more_layers_than_there_are_are_refused(network):
    with pytest.raises(AtelierError, match="at most the body's 11 layers"):
        set_trainable(network, phase("last:50"))


def test_a_layer_that_is_not_there_is_answered_with_near_names(network):
    with pytest.raises(AtelierError, match=r"'conv2_bm'.*conv2_bn"):
        set_trainable(network, phase(("conv2_bm",)))
