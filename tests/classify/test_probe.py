"""Frozen layers pooled, and a last layer fitted in closed form."""

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier

from atelier import models
from atelier.classify.datasets import load_datasets
from atelier.classify.multilayer import FEATURES, SCALE, blocks, directions_of, multilayer
from atelier.classify.networks import build_network
from atelier.classify.predict import evaluate_model
from atelier.classify.probe import fit_probe, refit_probe
from atelier.classify.recipe import Phase, ProbeConfig
from atelier.classify.recipes import RECIPES, get_recipe, refitted
from atelier.classify.train import train
from atelier.errors import AtelierError

EARLY, LATE = "mobilenetv2/block_1_expand_relu", "mobilenetv2/block_3_expand_relu"


@pytest.fixture
def probe_recipe(tiny_recipe):
    """A probe of two layers of a small body with random weights."""
    return tiny_recipe.replace(
        name="probe",
        network="multilayer",
        network_options={"taps": (EARLY, LATE), "directions": 6},
        weights=None,
        probe=ProbeConfig(strengths=(1.0, 10.0)),
        phases=(),
        augment=None,
    )


def network_of(recipe, classes=3, **options):
    keras.utils.set_random_seed(0)
    options = {**recipe.network_options, "image_size": recipe.image_size, **options}
    return multilayer(classes, weights=None, **options)


def pictures(recipe, count=4):
    shape = (count, *recipe.image_size, 3)
    return np.random.default_rng(0).integers(0, 256, shape).astype("float32")


def outputs(network, layer, images):
    tapped = keras.Model(network.input, network.get_layer(layer).output)
    return tapped.predict(images, verbose=0)


def test_pooling_is_mean_deviation_and_covariance(probe_recipe):
    network, images = network_of(probe_recipe), pictures(probe_recipe)
    layer = network.get_layer(directions_of(LATE))
    kernel, bias = layer.get_weights()
    layer.set_weights([50 * kernel, bias + 1])
    local = outputs(network, LATE.split("/")[1], images).reshape(4, -1, layer.input.shape[-1])
    features = outputs(network, FEATURES, images)
    mean, std, covariance = (features[:, part] for part in blocks(network)[3:])
    assert np.allclose(mean, local.mean(axis=1), atol=1e-5)
    assert np.allclose(std, local.std(axis=1), atol=2e-3)
    projected = local @ np.array(layer.kernel)[0, 0] + np.array(layer.bias)
    moments = np.einsum("npi,npj->nij", projected, projected) / projected.shape[1]
    rooted = (np.sign(moments) * np.sqrt(np.abs(moments))).reshape(4, -1)
    rooted /= np.linalg.norm(rooted, axis=1, keepdims=True)
    assert np.allclose(covariance, rooted, atol=2e-3)


def test_the_last_layer_is_the_logistic_regression(probe_recipe, tiny_collection):
    recipe = probe_recipe.replace(probe=ProbeConfig(strengths=(5.0,), calibrate=False))
    data, network = load_datasets(recipe, tiny_collection), network_of(recipe)
    fit_probe(network, recipe, data)
    parts = {part: data.pictures(part).astype("float32") for part in ("train", "val")}
    scaled = {part: outputs(network, SCALE, images) for part, images in parts.items()}
    reference = LogisticRegression(C=5.0, max_iter=3000, tol=1e-6)
    reference.fit(scaled["train"], data.labels("train"))
    answers = network.predict(parts["val"], verbose=0)
    assert np.allclose(answers, reference.predict_proba(scaled["val"]), atol=2e-2)


def test_every_block_of_features_weighs_the_same(probe_recipe, tiny_collection):
    data, network = load_datasets(probe_recipe, tiny_collection), network_of(probe_recipe)
    for layer in ("Conv1", "block_1_expand", "block_2_expand", "block_3_expand"):
        weights = network.get_layer(layer).get_weights()  # random ones would fade with depth
        network.get_layer(layer).set_weights([5 * weight for weight in weights])
    fit_probe(network, probe_recipe, data)
    scaled = outputs(network, SCALE, data.pictures("train").astype("float32"))
    shares = [scaled[:, part].var(axis=0).sum() for part in blocks(network)]
    assert np.allclose(shares, 1 / len(shares), rtol=0.05)


def test_a_probe_is_a_model_like_any_other(probe_recipe, tiny_collection, tmp_path):
    out = train(probe_recipe, tiny_collection, tmp_path / "probe")
    loaded = models.load(out)
    assert list((out / "history.csv").read_text().splitlines()[0].split(",")[:3]) == [
        "epoch",
        "phase",
        "strength",
    ]
    answers = loaded.model.predict(pictures(probe_recipe), verbose=0)
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert loaded.metrics["val"]["accuracy"] >= 0.5  # of three kinds of stripes


def test_the_ridge_is_least_squares_on_classes(probe_recipe, tiny_collection):
    probe = ProbeConfig(strengths=(0.1,), method="ridge")
    recipe = probe_recipe.replace(probe=probe)
    data, network = load_datasets(recipe, tiny_collection), network_of(recipe)
    fit_probe(network, recipe, data)
    parts = {part: data.pictures(part).astype("float32") for part in ("train", "val")}
    scaled = {part: outputs(network, SCALE, images) for part, images in parts.items()}
    reference = RidgeClassifier(alpha=0.1).fit(scaled["train"], data.labels("train"))
    answers = network.predict(parts["val"], verbose=0)
    assert np.array_equal(answers.argmax(axis=1), reference.predict(scaled["val"]))


def test_calibration_never_raises_the_validation_loss(probe_recipe, tiny_collection, tmp_path):
    judged = {}
    for calibrate in (False, True):
        probe = ProbeConfig(strengths=(100.0,), calibrate=calibrate)
        out = train(probe_recipe.replace(probe=probe), tiny_collection, tmp_path / f"{calibrate}")
        judged[calibrate] = models.load(out).metrics["val"]["log_loss"]
    assert judged[True] <= judged[False] + 1e-3


def test_a_refitted_probe_is_the_regression_on_both_parts(probe_recipe, tiny_collection):
    recipe = refitted(probe_recipe.replace(probe=ProbeConfig(strengths=(0.1, 3.0), method="ridge")))
    data, network = load_datasets(recipe, tiny_collection), network_of(recipe)
    tried = fit_probe(network, recipe, data)
    before = network.get_layer(SCALE).get_weights()
    refit_probe(network, recipe, data, tried)
    for old, new in zip(before, network.get_layer(SCALE).get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    chosen = min(tried, key=lambda row: row["val_loss"])
    parts = ("train", "val", "test")
    scaled = {p: outputs(network, SCALE, data.pictures(p).astype("float32")) for p in parts}
    labels = np.concatenate([data.labels("train"), data.labels("val")])
    reference = Ridge(alpha=chosen["strength"])
    reference.fit(np.concatenate([scaled["train"], scaled["val"]]), np.eye(3)[labels])
    expected = softmax(reference.predict(scaled["test"]) / chosen["temperature"], axis=1)
    answers = network.predict(data.pictures("test").astype("float32"), verbose=0)
    np.testing.assert_allclose(answers, expected, atol=2e-2)


def test_validation_judges_before_the_last_fit_and_never_again(
    probe_recipe, tiny_collection, tmp_path, caplog
):
    plain = models.load(train(probe_recipe, tiny_collection, tmp_path / "plain"))
    out = train(refitted(probe_recipe), tiny_collection, tmp_path / "refitted")
    again = models.load(out)
    assert again.metrics["val"] == plain.metrics["val"]
    kernels = [m.model.get_layer("probabilities").get_weights()[0] for m in (plain, again)]
    assert not np.allclose(*kernels)
    evaluate_model(out, tiny_collection, split="val")
    assert "fitted to these pictures" in caplog.text
    evaluate_model(out, tiny_collection, split="test")
    assert models.load(out).metrics["val"] == plain.metrics["val"]
    assert "test" in models.load(out).metrics
    assert "fitted once more" in (out / "card.md").read_text(encoding="utf-8")


def test_a_probe_can_be_fine_tuned(probe_recipe, tiny_collection, tmp_path):
    fine = Phase("fine_tuning", 1, 1e-3, batch_norm="frozen", body_rate=0.1)
    # Not too sure of itself: where a probability is 1, JAX's loss, unlike TensorFlow's, has no slope.
    unsure = ProbeConfig(strengths=(0.01,), calibrate=False)
    probe_recipe = probe_recipe.replace(probe=unsure)
    start = models.load(train(probe_recipe, tiny_collection, tmp_path / "probe"))
    tuned = models.load(
        train(probe_recipe.replace(phases=(fine,)), tiny_collection, tmp_path / "fine")
    )
    weights = [model.model.get_layer("Conv1").get_weights()[0] for model in (start, tuned)]
    assert not np.allclose(*weights, atol=1e-9)
    phases = pd.read_csv(tuned.folder / "history.csv")["phase"].tolist()
    assert phases == ["probe", "fine_tuning", "probe"]
    assert tuned.metrics["epochs"] == 1
    assert abs(start.metrics["val"]["log_loss"] - tuned.metrics["val"]["log_loss"]) < 0.2


def test_two_bodies_keep_their_layers_apart(probe_recipe):
    network = network_of(
        probe_recipe, taps=(EARLY, "resnet50/conv2_block1_out"), pooling=("mean",), classes=2
    )
    names = [layer.name for layer in network.layers]
    assert "mobilenetv2_Conv1" in names
    assert "resnet50_conv2_block1_out" in names
    assert network.predict(pictures(probe_recipe, 1), verbose=0).shape == (1, 2)


def test_the_catalog_has_a_probe():
    assert get_recipe("frozen_probe").probe is not None
    assert (
        type(get_recipe("frozen_probe")).from_json(get_recipe("frozen_probe").to_json())
        == (RECIPES["frozen_probe"])
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"taps": ("conv4_block6_out",)}, "taps such as"),
        ({"taps": ()}, "taps such as"),
        ({"taps": ("mobilenetv2/block_99",)}, "a layer of mobilenetv2"),
        ({"taps": (EARLY,), "pooling": ("median",)}, "pooling by"),
    ],
)
def test_wrong_features_are_refused(options, said):
    with pytest.raises(AtelierError, match=said):
        build_network("multilayer", 2, image_size=(32, 32), weights=None, **options)


def test_an_unknown_method_is_refused(probe_recipe, tiny_collection, tmp_path):
    probe = ProbeConfig(method="forest")
    with pytest.raises(AtelierError, match="logistic or ridge"):
        train(probe_recipe.replace(probe=probe), tiny_collection, tmp_path / "probe")


def test_a_probe_of_another_network_is_refused(tiny_recipe, tiny_collection, tmp_path):
    with pytest.raises(AtelierError, match="multilayer"):
        train(tiny_recipe.replace(probe=ProbeConfig()), tiny_collection, tmp_path / "probe")
