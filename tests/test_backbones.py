"""Bodies by name: preprocessing, cuts, taps, and where weights are looked for."""

import keras
import numpy as np
import pytest

from atelier.backbones import BACKBONES, Backbone, build_backbone, get_backbone
from atelier.errors import AtelierError
from atelier.weights import weight_files

CUT = "block_3_expand_relu"
EARLIER, LATER = "block_1_expand_relu", "block_6_expand_relu"


@pytest.fixture
def weights_dir(tmp_path, monkeypatch, offline):
    """An empty `ATELIER_WEIGHTS`, an empty cache of Keras, and no network."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("ATELIER_WEIGHTS", str(folder))
    offline("MobileNetV2")
    return folder


def pictures():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3)).astype("float32")


def plain_mobilenet(cut=None):
    keras.utils.set_random_seed(0)
    body = keras.applications.MobileNetV2(include_top=False, weights=None)
    return keras.Model(body.input, body.get_layer(cut).output) if cut else body


def features(model):
    return model.predict(pictures(), verbose=0)


def expected(cut):
    plain = plain_mobilenet(cut)
    return plain.predict(pictures() / 127.5 - 1, verbose=0)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("resnet50", "resnet"),
        ("densenet121", "densenet"),
        ("mobilenetv2", "mobilenet_v2"),
        ("inceptionv3", "inception_v3"),
    ],
)
def test_preprocessing_is_the_applications(name, module):
    body = build_backbone(name, weights=None)
    scaled = keras.Model(body.input, body.get_layer("preprocess").output)
    reference = getattr(keras.applications, module).preprocess_input(pictures().copy())
    assert np.allclose(features(scaled), reference, atol=1e-4)


def test_efficientnet_scales_as_keras_does_with_its_own_weights(weights_dir):
    mean, std = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    plain = keras.applications.EfficientNetB0(include_top=False, weights=None)
    statistics = next(x for x in plain.layers if isinstance(x, keras.layers.Normalization))
    statistics.load_own_variables({"0": mean, "1": std**2, "2": np.int64(0)})
    plain.save_weights(weights_dir / "efficientnetb0_notop.weights.h5")
    body = build_backbone("efficientnetb0", cut="stem_conv_pad")
    seen = features(body)[:, :64, :64]
    assert np.allclose(seen, (pictures() / 255 - mean) / std / np.sqrt(std), atol=1e-4)


@pytest.mark.parametrize("name", ["resnet50v2", "efficientnetv2b0", "convnext_tiny"])
def test_bodies_of_the_catalog_can_be_built(name):
    body = build_backbone(name, weights=None)
    assert body.input_shape == (None, None, None, 3)
    assert len(body.output_shape) == 4


def test_every_body_but_the_hubs_is_an_application_of_keras():
    ours = [body for body in BACKBONES.values() if isinstance(body, Backbone)]
    assert all(hasattr(keras.applications, body.application) for body in ours)


def test_a_whole_file_serves_a_cut_body(weights_dir):
    plain_mobilenet().save_weights(weights_dir / "mobilenetv2_notop.weights.h5")
    assert np.allclose(features(build_backbone("mobilenetv2", cut=CUT)), expected(CUT), atol=1e-5)
    whole = build_backbone("mobilenetv2")
    assert np.allclose(features(whole), expected(None), atol=1e-5)


def test_a_cut_file_serves_a_body_that_is_cut_there_or_earlier(weights_dir):
    plain_mobilenet(CUT).save_weights(weights_dir / f"mobilenetv2_to_{CUT}.weights.h5")
    for cut in (CUT, EARLIER):
        body = build_backbone("mobilenetv2", cut=cut)
        assert np.allclose(features(body), expected(CUT if cut == CUT else cut), atol=1e-5)


def test_taps_give_one_output_each(weights_dir):
    plain_mobilenet(CUT).save_weights(weights_dir / f"mobilenetv2_to_{CUT}.weights.h5")
    early, late = features(build_backbone("mobilenetv2", taps=[EARLIER, CUT]))
    assert np.allclose(late, expected(CUT), atol=1e-5)
    assert early.shape[1] == 2 * late.shape[1]


def test_a_saved_body_takes_the_same_pictures_in_safe_mode(tmp_path):
    body = build_backbone("resnet50", cut="conv2_block1_out", weights=None)
    body.save(tmp_path / "body.keras")
    again = keras.models.load_model(tmp_path / "body.keras", safe_mode=True)
    assert np.allclose(features(again), features(body), atol=1e-5)


def test_missing_weights_name_the_file_and_the_place(weights_dir):
    plain_mobilenet(CUT).save_weights(weights_dir / f"mobilenetv2_to_{CUT}.weights.h5")
    with pytest.raises(AtelierError) as raised:
        build_backbone("mobilenetv2", cut=LATER)
    said = str(raised.value)
    for part in (f"mobilenetv2_to_{LATER}.weights.h5", str(weights_dir), f"to_{CUT}", ".keras"):
        assert part in said


def test_weights_of_another_shape_are_refused(weights_dir):
    narrow = keras.applications.MobileNetV2(include_top=False, weights=None, alpha=0.35)
    narrow.save_weights(weights_dir / "mobilenetv2_notop.weights.h5")
    with pytest.raises(AtelierError, match=r"weights of mobilenetv2 in .*notop"):
        build_backbone("mobilenetv2")


def test_a_file_that_names_no_layer_is_refused(weights_dir):
    name = "mobilenetv2_to_block_99.weights.h5"
    (weights_dir / name).write_bytes(b"")
    with pytest.raises(AtelierError, match="mobilenetv2"):
        build_backbone("mobilenetv2", cut=CUT)


def test_unknown_names_list_those_that_are_near():
    with pytest.raises(AtelierError, match="Did you mean resnet50"):
        build_backbone("resnet51", weights=None)
    with pytest.raises(AtelierError, match=CUT):
        build_backbone("mobilenetv2", cut="block_3_expanded_relu", weights=None)


def test_a_tap_after_the_cut_is_refused():
    with pytest.raises(AtelierError, match="no later than the cut"):
        build_backbone("mobilenetv2", cut=EARLIER, taps=[CUT], weights=None)


def test_files_that_would_do_are_told():
    assert weight_files(get_backbone("resnet50"), "conv4_block6_out")[0] == (
        "resnet50_to_conv4_block6_out.weights.h5"
    )
