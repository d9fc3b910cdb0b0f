"""Grad-CAM against closed forms, on whichever backend runs the tests."""

import keras
import numpy as np
import pytest
from keras import layers

from atelier.classify.gradcam import GradCam, spatial_layers, stage_layers
from atelier.classify.networks import atelier_cnn, published_cnn
from atelier.errors import AtelierError


def pictures(count=2, size=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3)).astype("float32")


def assert_close(ours, expected, tolerance=1e-4):
    """Equal but for a part of the maximum, which is not zero."""
    assert expected.max() > 0
    assert np.abs(ours - expected).max() < tolerance * expected.max()


def convolved():
    """Input, and feature maps of it, (8, 8, 6) of either sign, so that all classes have evidence."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    return inputs, layers.Conv2D(6, 3, strides=2, padding="same", name="map")(x)


def pooled_linear(head="dense"):
    """A global-average-pooled linear classifier of four classes, with each kind of ending."""
    inputs, x = convolved()
    x = layers.GlobalAveragePooling2D()(x)
    if head == "dense":
        x = layers.Dense(4, activation="softmax", name="probabilities")(x)
    elif head == "logits":
        x = layers.Dense(4, name="probabilities")(x)
    else:
        x = layers.Dense(4, name="probabilities")(x)
        x = layers.Softmax()(x) if head == "softmax" else layers.Activation("softmax")(x)
    return keras.Model(inputs, x)


def closed_form(network, images, classes):
    """ReLU of the maps weighted by the classes' own weights over the number of positions."""
    maps = keras.Model(network.inputs, network.get_layer("map").output)
    features = maps.predict(images, verbose=0)
    kernel = network.get_layer("probabilities").get_weights()[0]
    _, rows, columns, _ = features.shape
    weighted = np.einsum("bhwc,bc->bhw", features, kernel[:, classes].T / (rows * columns))
    return np.maximum(weighted, 0)


@pytest.mark.parametrize("head", ["dense", "logits", "softmax", "activation"])
def test_a_pooled_linear_head_gives_the_class_activation_map(head):
    network = pooled_linear(head)
    for classes in ([0, 1], [2, 3]):
        seen = GradCam(network, ["map"])(pictures(), classes)
        assert_close(seen.maps["map"], closed_form(network, pictures(), classes))
        assert seen.classes.tolist() == classes


def test_the_likeliest_class_is_explained_where_none_is_asked_for():
    network = pooled_linear()
    probabilities = network.predict(pictures(8), verbose=0)
    seen = GradCam(network, ["map"])(pictures(8))
    assert np.allclose(seen.probabilities, probabilities, atol=1e-5)
    assert seen.classes.tolist() == probabilities.argmax(axis=1).tolist()
    assert_close(seen.maps["map"], closed_form(network, pictures(8), seen.classes))


def test_a_sure_classifier_is_explained_although_its_softmax_is_saturated():
    network = pooled_linear()
    dense = network.get_layer("probabilities")
    dense.bias.assign([1000.0, 0, 0, 0])
    seen = GradCam(network, ["map"])(pictures(), [0, 0])
    assert np.allclose(seen.probabilities[:, 0], 1)
    assert_close(seen.maps["map"], closed_form(network, pictures(), [0, 0]))


def test_a_head_without_bias_and_a_sequential_model():
    keras.utils.set_random_seed(1)
    network = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            layers.Conv2D(6, 3, activation="relu", name="map"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax", use_bias=False, name="probabilities"),
        ]
    )
    seen = GradCam(network)(pictures(), [1, 2])
    assert_close(seen.maps["map"], closed_form(network, pictures(), [1, 2]))


def test_a_layer_inside_a_residual_block_agrees_with_finite_differences():
    keras.utils.set_random_seed(0)
    network = atelier_cnn(3, stem=4, widths=(4,), blocks=2)
    for layer in network.layers:
        if "second_norm" in layer.name:
            layer.gamma.assign(np.ones(4))
    name, classes = "stage1_block1_second_norm", [1]
    seen = GradCam(network, [name])(pictures(1, 32), classes)
    norm, dense = network.get_layer(name), network.get_layer("probabilities")
    before = keras.Model(network.inputs[0], [dense.input, norm.output])
    kernel, bias = dense.get_weights()
    slopes = []
    start, step = np.array(norm.beta), 1e-2
    for channel in np.eye(4):
        scores = []
        for sign in (1, -1):
            norm.beta.assign(start + sign * step * channel)
            scores.append((np.array(before(pictures(1, 32))[0]) @ kernel + bias)[0, 1])
        slopes.append((scores[0] - scores[1]) / (2 * step))
    norm.beta.assign(start)
    features = np.array(before(pictures(1, 32))[1])
    expected = np.maximum(features @ np.array(slopes) / features[0, :, :, 0].size, 0)
    assert_close(seen.maps[name], expected, 0.02)


def test_several_layers_in_one_pass_are_those_of_one_at_a_time():
    keras.utils.set_random_seed(0)
    network = published_cnn(3, image_size=(32, 32), units=8, filters=(4, 8))
    together = GradCam(network, ["conv1", "pool2"])(pictures(2, 32))
    for name, shape in (("conv1", (2, 30, 30)), ("pool2", (2, 6, 6))):
        alone = GradCam(network, [name])(pictures(2, 32))
        assert together.maps[name].shape == shape
        assert_close(together.maps[name], alone.maps[name])


def test_each_picture_is_explained_as_if_it_were_alone():
    network = pooled_linear()
    grad_cam = GradCam(network)
    together = grad_cam(pictures(3), [0, 1, 2]).maps["map"]
    for number in range(3):
        alone = grad_cam(pictures(3)[number : number + 1], [number]).maps["map"]
        assert_close(together[number], alone[0])


def test_zero_gradients_give_zeros():
    network = pooled_linear()
    network.get_layer("probabilities").kernel.assign(np.zeros((6, 4)))
    assert not GradCam(network)(pictures()).maps["map"].any()


def test_weights_that_changed_since_are_seen():
    network = pooled_linear()
    grad_cam = GradCam(network)
    grad_cam(pictures(), [0, 0])
    dense = network.get_layer("probabilities")
    dense.kernel.assign(-np.array(dense.kernel))
    after = grad_cam(pictures(), [0, 0]).maps["map"]
    assert_close(after, closed_form(network, pictures(), [0, 0]))


def test_a_network_is_the_same_afterwards(tmp_path):
    network = pooled_linear()
    before = network.predict(pictures(), verbose=0)
    GradCam(network)(pictures())
    assert np.array_equal(network.predict(pictures(), verbose=0), before)
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras", safe_mode=True)
    assert np.allclose(again.predict(pictures(), verbose=0), before, atol=1e-6)
    assert spatial_layers(again) == spatial_layers(network)


def test_a_mean_of_softmaxes_is_explained_by_its_own_output():
    inputs, x = convolved()
    x = layers.GlobalAveragePooling2D()(x)
    heads = [layers.Dense(4, activation="softmax")(x) for _ in range(2)]
    network = keras.Model(inputs, layers.Average()(heads))
    seen = GradCam(network)(pictures())
    assert np.isfinite(seen.maps["map"]).all()
    assert seen.probabilities.sum() == pytest.approx(2, abs=1e-5)


@pytest.mark.once
def test_layers_with_a_map_are_listed_and_the_last_is_the_default():
    inputs, x = convolved()
    gate = layers.Reshape((1, 1, 6), name="squeezed")(layers.GlobalAveragePooling2D()(x))
    x = layers.Multiply(name="excited")([x, layers.Conv2D(6, 1, name="gate")(gate)])
    x = layers.Flatten(name="flat")(x)
    network = keras.Model(inputs, layers.Dense(4, activation="softmax")(x))
    assert spatial_layers(network)[-2:] == ["map", "excited"]
    assert not {"squeezed", "gate", "flat"} & set(spatial_layers(network))
    assert GradCam(network).layers == ["excited"]


@pytest.mark.once
def test_stages_are_known_whatever_the_size_and_the_padding():
    assert stage_layers(published_cnn(3, image_size=(64, 64)), (64, 64)) == [
        "conv1",
        "conv2",
        "conv3",
    ]
    ours = stage_layers(atelier_cnn(3), (64, 96))
    assert ours == ["stem_relu", *(f"stage{stage}_block2_out" for stage in (1, 2, 3))]
    assert stage_layers(atelier_cnn(3), (64, 96), count=2) == ours[-2:]


@pytest.mark.once
def test_stages_of_a_pretrained_body():
    body = keras.applications.ResNet50(include_top=False, weights=None)
    x = layers.GlobalAveragePooling2D()(body.output)
    network = keras.Model(body.input, layers.Dense(3, activation="softmax")(x))
    stages = ("conv2_block3", "conv3_block4", "conv4_block6", "conv5_block3")
    assert stage_layers(network, (224, 224)) == [f"{stage}_out" for stage in stages]


@pytest.mark.once
def test_an_unknown_layer_is_answered_with_near_names():
    with pytest.raises(AtelierError, match=r"'conv22'.*conv2"):
        GradCam(published_cnn(3, image_size=(32, 32)), ["conv22"])


@pytest.mark.once
def test_a_layer_without_a_map_is_refused():
    with pytest.raises(AtelierError, match=r"feature map.*hidden.*\(None, 64\).*pool3"):
        GradCam(published_cnn(3, image_size=(32, 32)), ["pool1", "hidden"])


@pytest.mark.once
def test_a_network_without_maps_is_refused():
    inputs = keras.Input((8, 8, 3))
    network = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(inputs)))
    with pytest.raises(AtelierError, match="convolutional"):
        GradCam(network)
    with pytest.raises(AtelierError, match="convolutional"):
        stage_layers(network, (8, 8))


def test_a_probes_projections_are_not_what_is_explained():
    inputs, x = convolved()
    projected = layers.Conv2D(2, 1, name="map_directions")(x)
    pooled = [layers.GlobalAveragePooling2D()(each) for each in (x, projected)]
    joined = layers.Concatenate()(pooled)
    network = keras.Model(inputs, layers.Dense(4, activation="softmax")(joined))
    assert spatial_layers(network)[-1] == "map"
