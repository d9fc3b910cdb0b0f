"""How fast is one-pass augmentation beside Keras's five random layers in sequence?

Both get the same batch of random pictures and the published ranges, on the CPU. The
layers run as called and compiled into one graph (`predict_on_batch`); the ratio is to
the faster. Rounds alternate, so that other load on the machine meets all of them.

    python benchmarks/augment.py [--batch 32] [--size 224] [--rounds 5] [--json]
    KERAS_BACKEND=jax python benchmarks/augment.py
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from atelier.data.augment import PAINTING, PUBLISHED, augment_batch


def keras_layers(config):
    """Keras's layers with the ranges of a config; its shear is a part of the side."""
    fill = {"fill_mode": config.fill}
    zoom = (config.zoom[0] - 1, config.zoom[1] - 1)
    return [
        keras.layers.RandomRotation(config.rotation / 360, **fill),
        keras.layers.RandomTranslation(config.shift, config.shift, **fill),
        keras.layers.RandomShear(float(np.tan(np.deg2rad(config.shear))), 0.0, **fill),
        keras.layers.RandomZoom(zoom, zoom, **fill),
        keras.layers.RandomFlip("horizontal"),
    ]


class InSequence(keras.layers.Layer):
    """Random layers one after another, in prediction too, so that they are compiled alone."""

    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def call(self, images):
        """(batch, height, width, 3) float32 to the same, augmented."""
        for layer in self.layers:
            images = layer(images, training=True)
        return images


def contestants(images):
    """Name -> a function that augments the batch and waits for the result."""
    layers = keras_layers(PUBLISHED)
    floats = images.astype("float32")

    def one_by_one():
        result = floats
        for layer in layers:
            result = layer(result, training=True)
        return np.asarray(result)

    model = keras.Sequential([InSequence(keras_layers(PUBLISHED))])
    if np.array_equal(model.predict_on_batch(floats), floats):
        raise RuntimeError("Expected augmented pictures. Received: the pictures as they were.")

    def one_pass(config):
        numbers = {"seed": 0, "epoch": 0, "indices": range(len(images))}
        return lambda: augment_batch(images, config, **numbers).astype("float32")

    return {
        "five Keras layers": one_by_one,
        "five Keras layers, compiled": lambda: model.predict_on_batch(floats),
        "one pass, published ranges": one_pass(PUBLISHED),
        "one pass, painting preset": one_pass(PAINTING),
    }


def measure(functions, count, rounds):
    """Median wall and processor time of each, ms a picture, after one round to warm up."""
    times = {name: ([], []) for name in functions}
    for turn in range(rounds + 1):
        for name, function in functions.items():
            wall, cpu = time.perf_counter(), time.process_time()
            function()
            spent = time.perf_counter() - wall, time.process_time() - cpu
            if turn > 0:
                for series, seconds in zip(times[name], spent, strict=True):
                    series.append(1000 * seconds / count)
    return {name: [statistics.median(series) for series in pair] for name, pair in times.items()}


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=32, help="pictures")
    parser.add_argument("--size", type=int, default=224, help="pixels a side")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    options = parser.parse_args()
    shape = (options.batch, options.size, options.size, 3)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    medians = measure(contestants(images), options.batch, options.rounds)
    layers = [pair for name, pair in medians.items() if "Keras" in name]
    wall, cpu = (min(pair[which] for pair in layers) for which in (0, 1))
    rows = [
        {
            "augmentation": name,
            "wall_ms": round(ms, 3),
            "cpu_ms": round(cpu_ms, 3),
            "pictures_per_second": round(1000 / ms),
            "times_faster": round(wall / ms, 1),
            "times_less_cpu": round(cpu / cpu_ms, 1),
        }
        for name, (ms, cpu_ms) in medians.items()
    ]
    if options.json:
        facts = {"backend": keras.backend.backend(), "cores": os.cpu_count(), **vars(options)}
        print(json.dumps({**facts, "results": rows}, indent=2))
        return
    print(
        f"{options.batch} pictures of {options.size} px, median of {options.rounds} rounds, "
        f"{os.cpu_count()} cores, Keras {keras.__version__} on {keras.backend.backend()}\n"
    )
    print(f"{'':28} {'ms wall':>8} {'ms CPU':>8} {'1/s':>7} {'x wall':>7} {'x CPU':>7}")
    for row in rows:
        print("{:28} {:8.2f} {:8.2f} {:7} {:7} {:7}".format(*row.values()))


if __name__ == "__main__":
    main()
