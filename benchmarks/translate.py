"""How long does a shipped generator take for one photo, and how much memory does that want?

A picture of random pixels, loading and the first pass aside; the memory is the process's own
peak, with Python, Keras and the model in it. Set KERAS_BACKEND for the other backend.

    python benchmarks/translate.py [--model cyclegan_monet] [--size 256] [--rounds 9] [--json]
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

from atelier.translate.paint import SHIPPED, Translator


def measure(model, size, rounds):
    """Milliseconds of a picture (the median, the least) and MB of the process at its peak."""
    paint = Translator(model)
    photo = np.random.default_rng(0).integers(0, 256, (size, size, 3), "uint8")
    paint(photo)  # compiles
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        paint(photo)
        seconds.append(time.perf_counter() - began)
    return {
        "backend": keras.backend.backend(),
        "model": model,
        "size": size,
        "milliseconds": round(1000 * statistics.median(seconds)),
        "least_milliseconds": round(1000 * min(seconds)),
        "peak_mb": round(_peak_bytes() / 1e6),
    }


def _peak_bytes():
    """What the process held at most; Linux counts in KiB, macOS in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main():
    """Measure, and print a line or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=SHIPPED)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.model, asked.size, asked.rounds)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    print(
        "{model} on {backend}, {size} x {size} pixels: {milliseconds} ms a picture "
        "({least_milliseconds} at the least), {peak_mb} MB at the peak".format(**found)
    )


if __name__ == "__main__":
    main()
