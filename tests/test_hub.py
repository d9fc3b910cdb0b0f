"""Encoders of keras-hub as bodies, on tiny ones with random weights."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from atelier import hub, models
from atelier.backbones import BACKBONES, build_backbone, get_backbone, weights_at_hand
from atelier.classify.bodies import with_body
from atelier.classify.gradcam import GradCam, spatial_layers
from atelier.classify.networks import multilayer, transfer
from atelier.classify.recipes import RECIPES
from atelier.errors import AtelierError
from atelier.weights import weight_files

SIZES = {"patch_size": 8, "num_layers": 2, "hidden_dim": 16, "num_heads": 2, "intermediate_dim": 32}
DINOV2 = {**SIZES, "image_shape": (32, 32, 3), "position_embedding_shape": (48, 48)}
REGISTERS = {**DINOV2, "num_register_tokens": 3, "antialias_in_interpolation": True}
SIGLIP = {**SIZES, "image_shape": (32, 32, 3)}
TINY = {
    "tiny_dinov2": ("dinov2_small", DINOV2),
    "tiny_registers": ("dinov2_with_registers_small", REGISTERS),
    "tiny_siglip": ("siglip_base", SIGLIP),
}


@pytest.fixture
def tiny(monkeypatch):
    """Small encoders, known to `backbones` by the names above; none of them can be fetched."""
    keras_hub = pytest.importorskip("keras_hub")
    for name, (large, options) in TINY.items():
        changes = {"name": name, "handle": f"keras/tiny/keras/{name}", "options": options}
        small = dataclasses.replace(BACKBONES[large], **changes)
        monkeypatch.setitem(BACKBONES, name, small)

    def offline(preset, **options):
        raise ConnectionError(f"no network for {preset}")

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", offline)
    keras.utils.set_random_seed(0)


@pytest.fixture
def weights_dir(tmp_path, monkeypatch):
    """An empty `ATELIER_WEIGHTS`, and an empty cache of kagglehub's."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    return folder


def pictures(height=32, width=32):
    return np.random.default_rng(0).integers(0, 256, (2, height, width, 3)).astype("float32")


def told(model, images=None):
    return model.predict(pictures() if images is None else images, verbose=0)


def stirred(encoder):
    """The encoder with no weight at zero or one, as after training."""
    rng = np.random.default_rng(1)
    for weight in encoder.weights:
        if not weight.path.endswith(("interpolated_position_embeddings", "position_ids")):
            weight.assign_add(rng.normal(size=weight.shape, scale=0.1).astype("float32"))
    return encoder


def scaled(name, images):
    if name == "tiny_siglip":
        return images / 127.5 - 1
    return (images / 255 - (0.485, 0.456, 0.406)) / np.array((0.229, 0.224, 0.225))


def patch_tokens(name, encoder):
    """keras-hub's own tokens of patches, after the first block and at the end."""
    if name == "tiny_siglip":
        ends = [encoder.encoder_layers[0].output, encoder.post_layer_norm.output]
    else:
        ends = [encoder.pyramid_outputs["stage1"], encoder.output]
    tokens = keras.Model(encoder.inputs[0], ends).predict(scaled(name, pictures()), verbose=0)
    return [answer[:, -16:].reshape(2, 4, 4, 16) for answer in tokens]


@pytest.mark.parametrize("name", TINY)
def test_maps_are_the_patch_tokens_of_keras_hubs_encoder(name, tiny, weights_dir):
    encoder = stirred(hub.encoder(BACKBONES[name]))
    encoder.save_weights(weights_dir / f"{name}_notop.weights.h5")
    encoder.load_weights(weights_dir / f"{name}_notop.weights.h5")  # resizes its positions
    ours = told(build_backbone(name, taps=["block_1_map", "norm_map"]))
    for mine, theirs in zip(ours, patch_tokens(name, encoder), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-2)  # TensorFlow resizes by a table
    np.testing.assert_array_equal(told(build_backbone(name)), ours[1])


def test_weights_of_a_cut_body_serve_it_and_shorter_ones(tiny, weights_dir):
    cut = build_backbone("tiny_dinov2", cut="block_2_map", weights=None)
    cut.save_weights(weights_dir / "tiny_dinov2_to_block_2_map.weights.h5")
    np.testing.assert_allclose(
        told(build_backbone("tiny_dinov2", cut="block_2_map")), told(cut), atol=1e-5
    )
    shorter = build_backbone("tiny_dinov2", cut="block_1_map")
    np.testing.assert_allclose(
        told(shorter), told(keras.Model(cut.input, cut.get_layer("block_1_map").output)), atol=1e-5
    )


@pytest.mark.parametrize("name", ["tiny_registers", "tiny_siglip"])
def test_pictures_need_be_neither_square_nor_of_one_size(name, tiny):
    body = build_backbone(name, weights=None)
    assert body.input_shape == (None, None, None, 3)
    fixed = build_backbone(name, weights=None, image_size=(24, 45))
    assert fixed.output_shape == (None, 3, 5, 16)
    fixed.set_weights(body.get_weights())
    images = pictures(24, 45)
    np.testing.assert_allclose(told(body, images), told(fixed, images), atol=1e-5)
    assert told(body, pictures(16, 16)).shape == (2, 2, 2, 16)


@pytest.mark.parametrize("asked", [{"cut": "block_1_mapp"}, {"taps": ["block_1"]}])
def test_only_maps_can_be_tapped_and_the_error_lists_them(tiny, asked):
    with pytest.raises(AtelierError, match="block_1_map"):
        build_backbone("tiny_dinov2", weights=None, **asked)


def tapped(num_classes=3):
    taps = ["tiny_registers/block_1_map", "tiny_siglip/block_2_map", "tiny_siglip/norm_map"]
    return multilayer(num_classes, taps=taps, directions=4, image_size=(32, 32), weights=None)


def test_a_saved_network_of_two_encoders_says_the_same_in_a_fresh_process(
    save_network, tiny, tmp_path
):
    network = tapped()
    for weight in network.weights:
        weight.assign(ops.cast(ops.cast(weight, "float16"), weight.dtype))  # as it is saved
    folder = save_network(network, "tapped", half=True)
    assert (folder / models.ARCHITECTURE).is_file()
    np.save(tmp_path / "pictures.npy", pictures())
    code = (
        "import sys, numpy as np\n"
        "from atelier import models\n"
        "network = models.load(sys.argv[1]).model\n"
        "np.save('told.npy', network.predict(np.load('pictures.npy'), verbose=0))\n"
    )
    command = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "told.npy"), told(network), atol=1e-5)


def test_a_few_steps_lower_the_loss_and_learned_positions_are_kept(tiny):
    network = transfer(3, backbone="tiny_registers", head="pooled", weights=None)
    before = network.get_layer("tokens").get_weights()
    network.compile("adam", "categorical_crossentropy", jit_compile=True)
    network.optimizer.learning_rate = 1e-3
    labels = np.eye(3, dtype="float32")[[0, 2]]
    losses = [network.train_on_batch(pictures(), labels) for _ in range(8)]
    assert losses[-1] < losses[0]
    learned = network.get_layer("tokens").get_weights()
    assert all(np.abs(now - then).max() > 1e-4 for now, then in zip(learned, before, strict=True))
    network.save(models.paths.root() / "network.keras")
    again = keras.models.load_model(models.paths.root() / "network.keras", compile=False)
    np.testing.assert_allclose(told(again), told(network), atol=1e-6)


@pytest.mark.parametrize("name", ["tiny_registers", "tiny_siglip"])
def test_grad_cam_sees_every_block(name, tiny):
    network = transfer(3, backbone=name, head="pooled", weights=None)
    maps = [layer for layer in spatial_layers(network) if layer.endswith("_map")]
    assert maps == ["block_1_map", "block_2_map", "norm_map"]
    heatmaps = GradCam(network, maps)(pictures(), [0, 1])
    features = told(keras.Model(network.input, network.get_layer("norm_map").output))
    kernel = network.get_layer("probabilities").get_weights()[0].T / 16
    expected = np.maximum(np.einsum("bhwc,bc->bhw", features, kernel[[0, 1]]), 0)
    np.testing.assert_allclose(heatmaps.maps["norm_map"], expected, atol=1e-5)
    assert all(heatmaps.maps[layer].max() > 0 for layer in maps)


def test_missing_weights_name_the_file_and_the_place(tiny, weights_dir):
    with pytest.raises(AtelierError) as raised:
        build_backbone("tiny_dinov2")
    said = str(raised.value)
    for part in ("tiny_dinov2_notop.weights.h5", str(weights_dir), "kagglehub", "ConnectionError"):
        assert part in said


def test_weights_of_another_encoder_are_refused(tiny, weights_dir):
    other = hub.encoder(BACKBONES["tiny_siglip"])
    other.save_weights(weights_dir / "tiny_dinov2_notop.weights.h5")
    with pytest.raises(AtelierError, match=r"weights of tiny_dinov2 in .*notop"):
        build_backbone("tiny_dinov2")


def test_a_fetched_preset_gives_its_picture_encoder(tiny, weights_dir, monkeypatch):
    import keras_hub

    theirs = stirred(hub.encoder(BACKBONES["tiny_siglip"]))
    both = type("Both", (), {"vision_encoder": theirs})
    asked = []
    monkeypatch.setattr(
        keras_hub.models.Backbone, "from_preset", lambda preset: asked.append(preset) or both
    )
    ours = told(build_backbone("tiny_siglip"))
    np.testing.assert_allclose(ours, patch_tokens("tiny_siglip", theirs)[1], atol=1e-4)
    assert asked == ["tiny_siglip"]


def test_the_catalog_names_presets_of_keras_hub():
    keras_hub = pytest.importorskip("keras_hub")
    presets = keras_hub.models.Backbone.presets
    for entry in hub.CATALOG:
        preset = presets[entry.handle.rsplit("/", 1)[-1]]
        assert preset["kaggle_handle"].startswith(f"kaggle://{entry.handle}/")
        assert hasattr(keras_hub.models, entry.model)


def test_without_keras_hub_the_remedy_is_named(monkeypatch, weights_dir):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(AtelierError, match=r"keras-hub.*not installed.*pip install keras-hub"):
        build_backbone("dinov2_small", weights=None)


def test_a_saved_network_that_needs_keras_hub_says_so_without_it(save_network, tiny, monkeypatch):
    network = transfer(3, backbone="tiny_dinov2", head="pooled", weights=None)
    folder = save_network(network, "small", half=True)
    for module in [name for name in sys.modules if name.split(".")[0] == "keras_hub"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(AtelierError, match=r"keras-hub.*not installed"):
        models.load(folder)


def test_names_files_and_recipes_know_the_encoders_without_keras_hub(weights_dir, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    assert weight_files(get_backbone("siglip_base")) == ["siglip_base_notop.weights.h5"]
    recipe = with_body(RECIPES["resnet50_two_phase"], "dinov2_small", "block_8_map")
    assert (recipe.backbone, recipe.cut) == ("dinov2_small", "block_8_map")
    with pytest.raises(AtelierError, match="Did you mean dinov2_small"):
        build_backbone("dino_v2_small")
    assert not weights_at_hand("dinov2_small")
    (weights_dir / "dinov2_small_notop.weights.h5").touch()
    BACKBONES["dinov2_base"].cached.mkdir(parents=True)
    assert weights_at_hand("dinov2_small")
    assert weights_at_hand("dinov2_base")
