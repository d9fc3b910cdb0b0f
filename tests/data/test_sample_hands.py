"""Who painted a sample picture is told by its strokes, not by its colors."""

import cv2
import keras
import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

from atelier.classify.networks import published_cnn
from atelier.data.sample import PAINTERS, draw_sample

pytestmark = [pytest.mark.once, pytest.mark.timeout(1200)]

SIDE = 96  # pixels that the network sees


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    """Pictures (n, 128, 128, 3) uint8 RGB, painters (n,), rows to train on and rows held out."""
    folder = draw_sample(tmp_path_factory.mktemp("hands") / "sample", size=128, photos=0)
    pictures, painters = [], []
    for index, painter in enumerate(PAINTERS):
        for path in sorted((folder / "images" / "images" / painter.folder).iterdir()):
            pictures.append(cv2.imread(str(path))[..., ::-1])
            painters.append(index)
    painters = np.array(painters)
    rows = np.arange(len(painters))
    train, test = train_test_split(rows, test_size=0.3, stratify=painters, random_state=0)
    return np.ascontiguousarray(pictures), painters, train, test


def mean_color(picture):
    return picture.mean((0, 1))


def rgb_histogram(picture):
    """Shares of 8 x 8 x 8 colors."""
    counts = cv2.calcHist([picture], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return counts.ravel() / counts.sum()


def hsv_histograms(picture):
    """Shares of 16 hues, 16 saturations, 16 values."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
    ends = (180, 256, 256)
    counts = [cv2.calcHist([hsv], [c], None, [16], [0, end]) for c, end in enumerate(ends)]
    return np.concatenate(counts).ravel() / picture[..., 0].size


def color_accuracy(gallery, feature):
    """Best accuracy on held-out pictures of a nearest neighbor by a color feature."""
    pictures, painters, train, test = gallery
    features = np.array([feature(picture) for picture in pictures])
    accuracies = []
    for metric in ("manhattan", "euclidean"):
        classifier = KNeighborsClassifier(1, metric=metric).fit(features[train], painters[train])
        accuracies.append(classifier.score(features[test], painters[test]))
    return max(accuracies)


@pytest.mark.parametrize("feature", [mean_color, rgb_histogram, hsv_histograms])
def test_colors_alone_do_not_tell_the_painter(gallery, feature):
    assert color_accuracy(gallery, feature) < 0.7


def test_the_published_cnn_tells_the_painter_where_colors_do_not(gallery):
    pictures, painters, train, test = gallery
    images = np.stack([cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in pictures])
    images = images.astype("float32")
    keras.utils.set_random_seed(0)
    model = published_cnn(len(PAINTERS), image_size=(SIDE, SIDE))
    epochs, batch_size = 36, 32
    steps = epochs * -(-len(train) // batch_size)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(images[train], painters[train], batch_size=batch_size, epochs=epochs, verbose=0)
    guesses = model.predict(images[test], verbose=0).argmax(1)
    accuracy = (guesses == painters[test]).mean()
    colors = max(color_accuracy(gallery, f) for f in (mean_color, rgb_histogram, hsv_histograms))
    assert accuracy > max(0.7, colors)
