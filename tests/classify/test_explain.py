"""Explanations of pictures of any size, and what is refused."""

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from atelier import models
from atelier.classify import explain as explaining
from atelier.classify.explain import (
    Explainer,
    explain,
    explain_examples,
    onto_picture,
    overlay,
    what_it_sees,
)
from atelier.data.images import fit_picture
from atelier.errors import AtelierError

NAMES = ["Bright", "Dark"]


@pytest.fixture
def loaded(tiny_recipe):
    """A classifier whose first channel is the brightness, which speaks for Bright."""
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 255, name="scale")(inputs)
    x = keras.layers.AveragePooling2D(4, name="shrunk")(x)
    x = keras.layers.Conv2D(1, 1, kernel_initializer="ones", name="light")(x)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    x = keras.layers.Dense(2, activation="softmax", name="probabilities")(x)
    network = keras.Model(inputs, x)
    network.get_layer("probabilities").set_weights([np.float32([[1, -1]]), np.float32([0.1, 0])])
    recipe = tiny_recipe.to_json()
    return models.LoadedModel(network, NAMES, recipe, metrics={}, folder=Path("tiny"))


def with_fit(loaded, fit):
    return models.LoadedModel(
        loaded.model, NAMES, {**loaded.recipe, "fit": fit}, loaded.metrics, loaded.folder
    )


def lit(height=90, width=60, top=60, left=10, size=12):
    """A black picture with a white square."""
    picture = np.zeros((height, width, 3), "uint8")
    picture[top : top + size, left : left + size] = 255
    return picture


def hottest(heatmap):
    """Row and column of the middle of what is hot."""
    return np.argwhere(heatmap > 0.5).mean(axis=0)


@pytest.mark.parametrize("fit", ["squash", "pad", "crop"])
def test_the_heatmap_lies_where_the_evidence_is(loaded, fit):
    seen = explain(with_fit(loaded, fit), lit(top=50), layers=["light"])
    heatmap = seen.heatmaps["light"]
    assert heatmap.shape == (90, 60)
    assert heatmap.dtype == np.float32
    assert heatmap.min() >= 0
    assert heatmap.max() == 1
    assert np.allclose(hottest(heatmap), (55.5, 15.5), atol=3)
    assert seen.class_name == "Bright"
    assert seen.probability == pytest.approx(
        loaded.model.predict(
            fit_picture(lit(top=50), (32, 32), fit)[None].astype("float32"), verbose=0
        )[0, 0],
        abs=1e-4,
    )


def test_a_class_without_evidence_has_a_heatmap_of_zeros(loaded):
    seen = explain(loaded, lit(), class_name="Dark")
    assert seen.class_name == "Dark"
    assert not seen.heatmaps["light"].any()
    assert seen.caption == f"Dark, {seen.probability:.0%}"


def test_a_picture_is_read_from_its_file(loaded, tmp_path):
    Image.fromarray(lit()).save(tmp_path / "lit.png")
    explainer = Explainer(loaded)
    from_file, from_array = explainer(tmp_path / "lit.png"), explainer(lit())
    assert np.array_equal(from_file.picture, lit())
    assert np.array_equal(from_file.heatmaps["light"], from_array.heatmaps["light"])


def test_a_trained_model_is_explained_by_its_folder(tiny_model, tiny_collection):
    picture = tiny_collection / "Down" / "Down_0.png"
    seen = explain(tiny_model, picture, layers=["conv1", "conv2"])
    assert list(seen.heatmaps) == ["conv1", "conv2"]
    assert seen.class_name in ("Across", "Down", "Plain")
    assert explaining.explainable_layers(tiny_model)[-1] == "pool2"
    assert list(what_it_sees(tiny_model, picture).heatmaps) == ["conv1", "conv2"]
    assert list(what_it_sees(tiny_model, picture, layers=["pool1"]).heatmaps) == ["pool1"]


@pytest.mark.once
@pytest.mark.parametrize("fit", ["squash", "pad", "crop"])
@pytest.mark.parametrize("size", [(90, 60), (50, 71), (16, 16), (1, 40)])
def test_mapping_back_undoes_the_fit(fit, size):
    height, width = size
    ramp = np.linspace(30, 220, height * width).reshape(size)
    picture = np.repeat(ramp[..., None], 3, axis=2).astype("uint8")
    heatmap = fit_picture(picture, (32, 48), fit)[..., 0]
    back = onto_picture(heatmap, size, (32, 48), fit)
    assert back.shape == size
    inside = back > 0
    assert inside.any()
    if fit != "crop":
        assert inside.all()
    gap = np.abs(back - picture[..., 0])[inside]
    assert np.median(gap) < 8


@pytest.mark.once
def test_what_is_cropped_away_is_zero_and_what_is_padded_is_left_out():
    full = np.ones((4, 4), "float32")
    cropped = onto_picture(full, (20, 40), (32, 32), "crop")
    assert np.array_equal(cropped.any(axis=0), np.arange(40) // 10 % 3 != 0)
    assert np.allclose(cropped[:, 10:30], 1)
    edge = np.zeros((4, 4), "float32")
    edge[[0, 3]] = 1  # rows that hold nothing of a picture twice as wide as high
    assert onto_picture(edge, (20, 40), (32, 32), "pad")[8:12].max() < 0.1
    assert np.allclose(onto_picture(full, (20, 40), (32, 32), "pad"), 1)


@pytest.mark.once
def test_an_overlay_is_a_blend_of_the_picture_and_the_heat():
    picture, heatmap = lit(), np.zeros((90, 60), "float32")
    heatmap[:45] = 1
    assert np.array_equal(overlay(picture, heatmap, 0), picture)
    colors = overlay(picture, heatmap, 1)
    assert len(np.unique(colors.reshape(-1, 3), axis=0)) == 2
    assert colors[0, 0].sum() > colors[-1, -1].sum()
    half = overlay(picture, heatmap, 0.5)
    assert half.dtype == np.uint8
    assert np.allclose(half, (picture.astype(float) + colors) / 2, atol=0.51)


@pytest.mark.once
def test_an_overlay_of_another_size_or_opacity_is_refused():
    with pytest.raises(AtelierError, match=r"\(90, 60\).*\(4, 4\)"):
        overlay(lit(), np.zeros((4, 4)))
    with pytest.raises(AtelierError, match=r"0 to 1.*1\.5"):
        overlay(lit(), np.zeros((90, 60)), 1.5)


@pytest.mark.once
def test_an_unknown_class_is_answered_with_near_ones(loaded):
    with pytest.raises(AtelierError, match=r"'Brigth'.*Did you mean Bright"):
        explain(loaded, lit(), class_name="Brigth")


@pytest.mark.once
def test_unknown_and_flat_layers_are_refused(loaded):
    with pytest.raises(AtelierError, match=r"'ligth'.*light"):
        explain(loaded, lit(), layers=["ligth"])
    with pytest.raises(AtelierError, match=r"feature map.*mean"):
        explain(loaded, lit(), layers=["mean"])


@pytest.mark.once
def test_what_is_no_picture_is_refused(loaded, tmp_path):
    (tmp_path / "bad.jpg").write_text("not a picture")
    with pytest.raises(AtelierError, match=r"bad\.jpg"):
        explain(loaded, tmp_path / "bad.jpg")


def test_examples_are_of_as_many_classes_as_can_be_and_may_be_shown(
    tiny_model, tiny_collection, monkeypatch
):
    examples = explain_examples(tiny_model, tiny_collection, layers=["conv1"], count=3)
    assert {caption.split(";")[0] for *_, caption in examples} == {"Across", "Down", "Plain"}
    picture, overlays, _ = examples[0]
    assert list(overlays) == ["conv1"]
    assert overlays["conv1"].shape == picture.shape
    monkeypatch.setattr(
        explaining,
        "pictures_may_be_shown",
        lambda _, pictures: pictures.str.startswith("Down").to_numpy(bool),
    )
    captions = [caption for *_, caption in explain_examples(tiny_model, tiny_collection)]
    assert {caption.split(";")[0] for caption in captions} == {"Down"}
