"""Heads on feature maps: what they are made of, and that they learn and load."""

import keras
import numpy as np
import pytest

from atelier.classify.heads import FIXED_SIZE, HEADS, build_head, probabilities
from atelier.classify.networks import transfer
from atelier.errors import AtelierError

SMALL = {
    "flatten_512_16": {"units": (8, 4)},
    "pooled": {"dropout": 0.5, "batch_norm": True},
    "artist": {"units": 16, "last": 8, "squeeze": 4},
    "stack": {"units": (16, 8, 8)},
    "cnn_gru": {"units": 4, "columns": True},
}


def model(name, **options):
    keras.utils.set_random_seed(0)
    maps = keras.Input((4, 6, 5))
    return keras.Model(maps, probabilities(build_head(name, maps, **options), 3))


def kinds(name, **options):
    return [type(layer).__name__ for layer in model(name, **options).layers[1:]]


def test_the_flattened_head_is_as_published():
    block = ["Dense", "BatchNormalization", "ReLU"]
    assert kinds("flatten_512_16") == ["Flatten", *block * 2, "Dense"]
    widths = [w.shape for w in model("flatten_512_16").get_weights() if w.ndim == 2]
    assert widths == [(120, 512), (512, 16), (16, 3)]


def test_densenets_head_is_as_published():
    expected = ["GlobalAveragePooling2D", "Dropout", "BatchNormalization", "Dense"]
    assert kinds("pooled", dropout=0.5, batch_norm=True) == expected


def test_the_published_widths_and_shares_are_the_defaults():
    artist, stack = model("artist"), model("stack")
    assert artist.get_layer("head_residual").units == 1536
    assert artist.get_layer("head_last").units == 768
    shares = [layer.rate for layer in artist.layers if isinstance(layer, keras.layers.Dropout)]
    assert shares == [0.4, 0.3]
    assert [layer.units for layer in stack.layers if isinstance(layer, keras.layers.Dense)] == [
        *(1024, 512, 256),
        3,
    ]


def test_the_gated_unit_reads_rows_and_columns_in_order():
    network = model("cnn_gru", units=4, columns=True, dropout=0.0)
    assert network.get_layer("head_rows").output.shape == (None, 4, 30)
    assert network.get_layer("head_columns").output.shape == (None, 6, 20)
    maps = np.random.default_rng(0).normal(size=(1, 4, 6, 5)).astype("float32")
    rows = keras.Model(network.input, network.get_layer("head_rows").output)
    columns = keras.Model(network.input, network.get_layer("head_columns").output)
    np.testing.assert_array_equal(rows.predict(maps, verbose=0)[0, 2], maps[0, 2].ravel())
    np.testing.assert_array_equal(columns.predict(maps, verbose=0)[0, 5], maps[0, :, 5].ravel())


@pytest.mark.parametrize("name", HEADS)
def test_a_few_steps_lower_the_loss(name):
    network = model(name, **SMALL[name])
    network.compile(keras.optimizers.Adam(1e-2), "categorical_crossentropy")
    rng = np.random.default_rng(0)
    labels = np.arange(12) % 3
    maps = rng.normal(size=(12, 4, 6, 5)).astype("float32") + labels[:, None, None, None]
    one_hot = np.eye(3, dtype="float32")[labels]
    losses = [float(network.train_on_batch(maps, one_hot)) for _ in range(20)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


@pytest.mark.parametrize("name", HEADS)
def test_a_classifier_is_flat_and_loads_in_safe_mode(name, tiny_body, tmp_path):
    network = transfer(
        3,
        backbone=tiny_body,
        weights=None,
        head=name,
        head_options=SMALL[name],
        image_size=(32, 48),
    )
    assert not any(isinstance(layer, keras.Model) for layer in network.layers)
    assert network.input_shape == (None, *((32, 48) if name in FIXED_SIZE else (None, None)), 3)
    network.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True, compile=False)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 32, 48, 3)).astype("float32")
    np.testing.assert_allclose(
        again.predict(pictures, verbose=0), network.predict(pictures, verbose=0), atol=1e-6
    )


def test_probabilities_are_float32_in_mixed_precision(tiny_body):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = transfer(3, backbone=tiny_body, weights=None, head="pooled")
    finally:
        keras.config.set_dtype_policy(before)
    answers = network.predict(np.zeros((1, 32, 32, 3), "float32"), verbose=0)
    assert answers.dtype == np.float32
    assert network.get_layer("conv1").compute_dtype == "bfloat16"


def test_an_unknown_head_or_option_is_refused():
    maps = keras.Input((4, 6, 5))
    with pytest.raises(AtelierError, match=r"flatten_512_16.*'dense'"):
        build_head("dense", maps)
    with pytest.raises(AtelierError, match=r"options of pooled among dropout, batch_norm.*units"):
        build_head("pooled", maps, units=3)


def test_an_unknown_body_is_refused():
    with pytest.raises(AtelierError, match=r"a backbone among.*'resnet5'.*resnet50"):
        transfer(3, backbone="resnet5", head="pooled", weights=None)
