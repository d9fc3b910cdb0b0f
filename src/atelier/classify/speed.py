"""How quickly a trained classifier answers; loading it is not counted."""

import statistics
import time

import numpy as np

from atelier import models


def answering_seconds(model, *, pictures=1, repeats=15):
    """Time a model's answers to noise of its own size; the median of several.

    Args:
        model: folder, name or alias of a trained model.
        pictures: in a batch.
        repeats: answers timed, after one that compiles.

    Returns:
        Seconds that a batch takes.
    """
    loaded = models.load(model)
    size = loaded.recipe["image_size"]
    images = np.random.default_rng(0).integers(0, 256, (pictures, *size, 3)).astype("float32")
    return _median_seconds(loaded.model, images, repeats)


def _median_seconds(network, images, repeats):
    network.predict_on_batch(images)
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        np.asarray(network.predict_on_batch(images))
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
