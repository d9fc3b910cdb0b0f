"""How many pictures a second: our training and answers beside the predecessor's pipeline.

Training steps of the custom CNN and of ResNet50, same body, same machine, one run. The
predecessor's pipeline is Keras's `ImageDataGenerator` on a folder: it opens, resizes and
augments one picture at a time, in the training's own process. Ours decodes once (not timed)
and augments in one pass, in threads. Both train in float32; ours is also shown in
bfloat16, which the recipes use where a CPU has it. Rounds alternate, so that other load on
the machine meets all of them. Then the time of one answer of a trained model.

    python benchmarks/classify.py [--data DIR] [--steps 12] [--rounds 3] [--model NAME] [--json]
"""

import argparse
import itertools
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras._tf_keras.keras.preprocessing.image import ImageDataGenerator

from atelier.classify.building import build_options, precision
from atelier.classify.compiling import compile_network
from atelier.classify.datasets import load_datasets
from atelier.classify.networks import build_network
from atelier.classify.recipes import get_recipe
from atelier.classify.speed import answering_seconds
from atelier.data.augment import PUBLISHED
from atelier.data.sample import draw_sample
from atelier.data.splits import SplitConfig

RECIPES = {"custom CNN": "published_cnn", "ResNet50": "resnet50_two_phase"}


def recipe_of(name, batch, dtype):
    """A published recipe on random weights and all classes: speed does not depend on either."""
    recipe = get_recipe(name).replace(
        split=SplitConfig(), batch_size=batch, augment=PUBLISHED, precision=dtype
    )
    if recipe.backbone:
        recipe = recipe.replace(weights=None, head="pooled", head_options={})
    return recipe


def predecessors_batches(directory, table, batch):
    """The predecessor's generator over the training pictures of a split."""
    generator = ImageDataGenerator(
        rotation_range=PUBLISHED.rotation,
        width_shift_range=PUBLISHED.shift,
        height_shift_range=PUBLISHED.shift,
        shear_range=PUBLISHED.shear,
        zoom_range=PUBLISHED.zoom[1] - 1,
        horizontal_flip=True,
        fill_mode="nearest",
    )
    rows = table[table["split"] == "train"]
    frame = rows.assign(path=[str(directory / path) for path in rows["path"]])
    return generator.flow_from_dataframe(
        frame,
        x_col="path",
        y_col="label",
        target_size=(224, 224),
        batch_size=batch,
        class_mode="categorical",
        seed=0,
    )


def contestant(recipe, data, batches):
    """A function that takes so many training steps, pictures made ready included."""
    with precision(recipe.precision):
        network = build_network(
            recipe.network, len(data.class_names), **build_options(recipe, recipe.train_size)
        )
    compile_network(network, recipe, recipe.phases[0], steps=1)
    endless = itertools.cycle(range(len(batches)))

    def steps(count):
        for _ in range(count):
            images, labels = batches[next(endless)]
            network.train_on_batch(images, labels)

    return steps


def training(directory, batch, steps, rounds):
    """Rows of pictures a second for every network and pipeline."""
    rows = []
    for title, name in RECIPES.items():
        data = load_datasets(recipe_of(name, batch, "float32"), directory)
        pipelines = {"predecessor's, float32": ("float32", None)}
        pipelines |= {f"ours, {kind}": (kind, "ours") for kind in ("float32", "mixed_bfloat16")}
        runs = {}
        for pipeline, (dtype, ours) in pipelines.items():
            recipe = recipe_of(name, batch, dtype)
            batches = (
                data.train_ds() if ours else predecessors_batches(directory, data.table, batch)
            )
            runs[pipeline] = contestant(recipe, data, batches)
            runs[pipeline](2)  # compiles
        times = {pipeline: [] for pipeline in runs}
        for _ in range(rounds):
            for pipeline, run in runs.items():
                started = time.perf_counter()
                run(steps)
                times[pipeline].append(time.perf_counter() - started)
        speeds = {key: batch * steps / statistics.median(value) for key, value in times.items()}
        least = speeds["predecessor's, float32"]
        rows += [
            {"network": title, "pipeline": key, "pictures_a_second": value, "ratio": value / least}
            for key, value in speeds.items()
        ]
    return rows


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="a collection; the sample by default")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="atelier_cnn", help="whose answers are timed")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    directory = Path(arguments.data) if arguments.data else draw_sample()
    rows = training(directory, arguments.batch, arguments.steps, arguments.rounds)
    one, many = (
        answering_seconds(arguments.model, pictures=count, repeats=5 * arguments.rounds)
        for count in (1, 32)
    )
    answer = {
        "model": arguments.model,
        "ms_one_picture": 1e3 * one,
        "pictures_a_second": 32 / many,
    }
    if arguments.json:
        print(json.dumps({"backend": keras.backend.backend(), "training": rows, "answer": answer}))
        return
    print(f"Keras {keras.__version__} on {keras.backend.backend()}, batches of {arguments.batch}")
    for row in rows:
        print(
            f"{row['network']:<12} {row['pipeline']:<24} {row['pictures_a_second']:8.1f} pictures/s"
            f"  {row['ratio']:5.2f} x"
        )
    print(
        f"{answer['model']}: one picture in {answer['ms_one_picture']:.0f} ms, "
        f"{answer['pictures_a_second']:.0f} pictures/s in batches of 32"
    )


if __name__ == "__main__":
    main()
