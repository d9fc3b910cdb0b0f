import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from atelier.classify.networks import atelier_cnn, build_network, published_cnn
from atelier.errors import AtelierError


def test_published_cnn_is_the_published_architecture():
    network = published_cnn(11)
    kinds = [type(layer).__name__ for layer in network.layers]
    convolution = ["Conv2D", "MaxPooling2D"]
    assert kinds == [
        *("InputLayer", "Rescaling"),
        *convolution * 3,
        *("Flatten", "Dense", "Dropout", "Dense"),
    ]
    assert network.input_shape == (None, 224, 224, 3)
    # 3x3 kernels and biases; 26 x 26 x 128 values reach the hidden layer.
    convolutions = (9 * 3 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 128
    assert network.count_params() == convolutions + (26 * 26 * 128 + 1) * 64 + 65 * 11


def test_atelier_cnn_stays_under_three_million_parameters():
    assert atelier_cnn(11).count_params() < 3_000_000


def test_atelier_cnn_takes_pictures_of_any_size():
    network = atelier_cnn(3, stem=4, widths=(4, 8), blocks=1)
    for height, width in ((32, 32), (48, 40)):
        probabilities = network.predict(np.zeros((2, height, width, 3), "float32"), verbose=0)
        assert probabilities.shape == (2, 3)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_residual_blocks_start_as_the_identity():
    network = atelier_cnn(3, stem=4, widths=(4,), blocks=1)
    middle = keras.Model(
        network.input,
        [network.get_layer("stem_pool").output, network.get_layer("stage1_block1_out").output],
    )
    before, after = middle.predict(
        np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)), verbose=0
    )
    np.testing.assert_allclose(after, before, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("published_cnn", {"image_size": (32, 32), "units": 8, "filters": (4, 8)}),
        ("atelier_cnn", {"stem": 4, "widths": (4, 8), "blocks": 1}),
    ],
)
def test_networks_survive_a_configuration_round_trip(name, options):
    network = build_network(name, 3, **options)
    again = keras.Model.from_config(network.get_config())
    again.set_weights(network.get_weights())
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_allclose(
        again.predict(pictures, verbose=0), network.predict(pictures, verbose=0), atol=1e-6
    )


def test_a_few_steps_lower_the_loss():
    network = atelier_cnn(2, stem=4, widths=(4, 8), blocks=1)
    network.compile(keras.optimizers.Adam(1e-2), "categorical_crossentropy")
    pictures = np.random.default_rng(0).uniform(0, 255, (8, 32, 32, 3)).astype("float32")
    pictures[:4] /= 2
    labels = np.eye(2)[[0] * 4 + [1] * 4]
    losses = [network.train_on_batch(pictures, labels) for _ in range(12)]
    assert losses[-1] < losses[0]


def test_an_unknown_network_is_refused_by_name():
    with pytest.raises(AtelierError, match=r"published_cnn.*'vgg99'"):
        build_network("vgg99", 3)


def test_a_saved_network_says_the_same_in_a_fresh_process(tmp_path):
    network = atelier_cnn(3, stem=4, widths=(4, 8), blocks=1)
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    network.save(tmp_path / "model.keras")
    np.save(tmp_path / "pictures.npy", pictures)
    code = (
        "import sys, json, numpy, keras\n"
        "model = keras.models.load_model('model.keras', safe_mode=True, compile=False)\n"
        "answer = model.predict(numpy.load('pictures.npy'), verbose=0)\n"
        "print(json.dumps(answer.tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    np.testing.assert_allclose(answer, network.predict(pictures, verbose=0), atol=1e-5)
