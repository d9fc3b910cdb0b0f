"""Pictures a second in training CycleGAN: ours beside the same step written plainly.

The plain step is that of Keras's example and of the predecessor's notebook: four losses, a
gradient and an Adam of its own for each network, compiled as a whole. Ours has one loss, one
gradient, one Adam. Same networks, pictures, size, precision and machine, in one run, and steps of
all alternate. Set KERAS_BACKEND for the other backend.

    python benchmarks/cyclegan.py [--size 128] [--channels 32] [--rounds 3] [--steps 4] [--json]
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

from atelier.translate.config import CYCLEGAN_MONET
from atelier.translate.engine import distance, squares
from atelier.translate.train import build, compile_translation

NETWORKS = ("to_monet", "to_photo", "monet_critic", "photo_critic")


def plain_losses(gan, photo, monet):
    """One loss a network, as they are usually written."""
    painted, photographed = gan.to_monet(photo), gan.to_photo(monet)
    cycle = distance(gan.to_photo(painted), photo) + distance(gan.to_monet(photographed), monet)
    to_monet = squares(gan.monet_critic(painted), 1.0) + 5 * distance(gan.to_monet(monet), monet)
    to_photo = squares(gan.photo_critic(photographed), 1.0) + 5 * distance(
        gan.to_photo(photo), photo
    )

    def critic(network, real, made):
        return (squares(network(real), 1.0) + squares(network(made), 0.0)) / 2

    return (
        to_monet + 10 * cycle,
        to_photo + 10 * cycle,
        critic(gan.monet_critic, monet, ops.stop_gradient(painted)),
        critic(gan.photo_critic, photo, ops.stop_gradient(photographed)),
    )


def plain_step(gan, photo, monet):
    """A function that takes one step of all four networks, each by itself."""
    groups = [getattr(gan, name).trainable_variables for name in NETWORKS]
    optimizers = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in groups]
    for optimizer, variables in zip(optimizers, groups, strict=True):
        optimizer.build(variables)
    gradients = _BACKENDS[keras.backend.backend()](gan, groups, photo, monet)

    def step():
        for optimizer, variables, found in zip(optimizers, groups, gradients(), strict=True):
            optimizer.apply(found, variables)
        ops.convert_to_numpy(groups[0][0])

    return step


def _on_tensorflow(gan, groups, photo, monet):
    import tensorflow as tf

    @tf.function
    def gradients():
        with tf.GradientTape(persistent=True) as tape:
            losses = plain_losses(gan, photo, monet)
        return [
            tape.gradient(loss, [variable.value for variable in variables])
            for loss, variables in zip(losses, groups, strict=True)
        ]

    return gradients


def _on_jax(gan, groups, photo, monet):
    import jax

    everything = [variable for variables in groups for variable in variables]

    def loss_of(number, own, values):
        values = {**values, number: own}
        flat = [value for index in range(len(groups)) for value in values[index]]
        with keras.StatelessScope(state_mapping=list(zip(everything, flat, strict=True))):
            return plain_losses(gan, photo, monet)[number]

    @jax.jit
    def all_gradients(values):
        return [
            jax.grad(lambda own, n=number: loss_of(n, own, values))(values[number])
            for number in range(len(groups))
        ]

    return lambda: all_gradients(
        {
            number: [variable.value for variable in variables]
            for number, variables in enumerate(groups)
        }
    )


_BACKENDS = {"tensorflow": _on_tensorflow, "jax": _on_jax}


def our_step(config, photo, monet):
    """A function that takes one of our steps, as `fit` does."""
    gan = build(config)
    compile_translation(gan, config)

    def step():
        gan.train_on_batch((photo, monet))

    return step


def measure(config, precisions, rounds, steps):
    """Rows of step, precision, pictures a second (the median round) and ratio to the plain one."""
    rng = np.random.default_rng(0)
    shape = (config.batch_size, config.size, config.size, 3)
    photo, monet = (rng.uniform(0, 255, shape).astype("float32") for _ in range(2))
    runs = {}
    for precision in precisions:
        sized = config.replace(precision=precision)
        runs["plain", precision] = plain_step(build(sized), photo, monet)
        runs["ours", precision] = our_step(sized, photo, monet)
    seconds = {name: [] for name in runs}
    for run in runs.values():
        run()  # compiles
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            began = time.perf_counter()
            for _ in range(steps):
                run()
            seconds[name].append((time.perf_counter() - began) / steps)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    return [
        {
            "step": step,
            "precision": precision,
            "pictures_a_second": round(config.batch_size / value, 2),
            "times_faster": round(middle["plain", precision] / value, 2),
        }
        for (step, precision), value in middle.items()
    ]


def main():
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--channels", type=int, default=32)
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    config = CYCLEGAN_MONET.replace(
        size=asked.size,
        channels=asked.channels,
        blocks=asked.blocks,
        batch_size=asked.batch_size,
        augment=(),
        replay=0,
        ema_momentum=0.0,
    )
    rows = measure(config, ("float32", "mixed_bfloat16"), asked.rounds, asked.steps)
    if asked.json:
        print(json.dumps({"backend": keras.backend.backend(), "rows": rows}, indent=2))
        return
    print(f"Keras on {keras.backend.backend()}, {asked.size} x {asked.size} pixels")
    for row in rows:
        print(
            "{step:6s} {precision:15s} {pictures_a_second:8.2f} a second {times_faster:6.2f} x".format(
                **row
            )
        )


if __name__ == "__main__":
    main()
