"""Seconds a step of style transfer: ours beside a rebuild of the predecessor's loop.

Same body, layers, weights, pictures, size and machine, in one run; steps of both alternate, so
that other load on the machine meets both. The predecessor asks five sub-models and a content
model for everything at every step, uncompiled; ours keeps the targets and compiles one body with
several taps, in float32 and in bfloat16. Weights are random: speed does not depend on them. Set
KERAS_BACKEND for the other backend.

    python benchmarks/gatys.py [--size 256] [--rounds 3] [--steps 4] [--json]
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import ops

from atelier.backbones import build_backbone
from atelier.stylize.gatys import compiled_gradients, features_of
from atelier.stylize.objective import Objective
from atelier.stylize.predecessor import PredecessorsLoss, predecessors_step
from atelier.stylize.presets import PRECISIONS, get_preset
from atelier.stylize.steppers import adam
from atelier.stylize.styles import Style


def contestants(config, size):
    """Functions that take so many steps of the same optimisation: the predecessor's and ours."""
    rng = np.random.default_rng(0)
    content, style = rng.integers(0, 256, (2, size, size, 3), "uint8")
    start = np.float32(content)[None]
    names = [*config.content_layers, *config.style_layers]
    body = build_backbone(config.backbone, taps=list(dict.fromkeys(names)), weights=None)
    theirs = PredecessorsLoss(start, np.float32(style)[None], config, body)
    variable = keras.Variable(start)
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build([variable])

    def predecessor(steps):
        for _ in range(steps):
            ops.convert_to_numpy(predecessors_step(theirs, variable, optimizer))

    def ours(precision):
        features = features_of(config.replace(precision=precision), weights=None)
        targets = Objective(content, [Style(style)], features, config, (size, size)).targets
        compiled = compiled_gradients(features, config.scaling)
        return lambda steps: adam(
            lambda x: compiled(x, targets),
            start,
            config.replace(steps=steps),
            lambda losses, _: float(losses["total"]),
        )

    return {"predecessor's": predecessor} | {f"ours, {name}": ours(name) for name in PRECISIONS}


def measure(config, size, rounds, steps):
    """Rows of body, loop, seconds a step (the median round) and how many times faster."""
    runs = contestants(config, size)
    seconds = {name: [] for name in runs}
    for run in runs.values():
        run(1)  # compiles
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run(steps)
            seconds[name].append((time.perf_counter() - started) / steps)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return [
        {
            "body": config.backbone,
            "loop": name,
            "seconds_a_step": round(value, 3),
            "times_faster": round(middle["predecessor's"] / value, 2),
        }
        for name, value in middle.items()
    ]


def main():
    """Measure both bodies and print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = []
    for name in ("vgg19_published", "resnet50_published"):
        rows += measure(get_preset(name), asked.size, asked.rounds, asked.steps)
    if asked.json:
        print(json.dumps({"backend": keras.backend.backend(), "rows": rows}, indent=2))
        return
    print(f"Keras on {keras.backend.backend()}, {asked.size} x {asked.size} pixels")
    for row in rows:
        print("{body:9s} {loop:20s} {seconds_a_step:7.3f} s {times_faster:6.2f} x".format(**row))


if __name__ == "__main__":
    main()
