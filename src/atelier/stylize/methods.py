"""The ways to paint that are compared: what is there for nothing, one pass, and optimisation."""

import dataclasses
import functools
import json
import statistics
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from atelier import models
from atelier.data.images import fit_picture
from atelier.errors import AtelierError
from atelier.stylize.color import transport_colors
from atelier.stylize.compare import peak_bytes
from atelier.stylize.fast.paint import SHIPPED, FastPainter
from atelier.stylize.gatys import features_of, stylize
from atelier.stylize.plans import choose_plan
from atelier.stylize.presets import RESNET50_PUBLISHED, VGG19_PUBLISHED

QUICK = 1.0  # seconds; what takes less is timed several times


@dataclasses.dataclass(frozen=True)
class Method:
    """A way to paint.

    Attributes:
        name: for tables.
        paint: function of a content and a style, (h, w, 3) uint8 each, to (h, w, 3) in [0, 255].
        settings: JSON-able, what decides its result.
        arguments: of `atelier stylize` that do the same, or None where it does no such thing.
    """

    name: str
    paint: object
    settings: dict
    arguments: list | None = None


def methods(painter, collection):
    """Every `Method`, at the sizes of this machine's plan.

    Args:
        painter: a `fast.paint.FastPainter`.
        collection: a `data.choose.Collection`, whose plan is taken.
    """
    plan = choose_plan(collection)
    size = plan.table_size
    ours = plan.study(plan.ours).replace(name="gatys, ours", size=size, sizes=2)
    published = [
        plan.published(config).replace(name=name, size=size, steps=plan.table_steps)
        for name, config in (
            ("gatys, VGG19 as published", VGG19_PUBLISHED),
            ("gatys, ResNet50 as published", RESNET50_PUBLISHED),
        )
    ]
    return [
        Method("the content itself", lambda content, style: _fitted(content, size), {"size": size}),
        Method(
            "its colors moved",
            lambda content, style: transport_colors(_fitted(content, size), style),
            {"size": size},
        ),
        Method(
            "fast",
            lambda content, style: painter(content, style, size=size),
            {"size": size, "run": painter.run},
            ["--method", "fast", "--model", str(painter.folder), "--size", str(size)],
        ),
        *(_optimised(config, plan) for config in (*published, ours)),
    ]


def _optimised(config, plan):
    weights = plan.weights(config)
    seen = functools.cache(lambda: features_of(config, weights))  # built once, when it is needed

    def paint(content, style):
        return stylize(content, style, config, features=seen()).pixels

    settings = config.to_json() | {"weights": weights}
    return Method(config.name, paint, settings, _arguments(config) if weights else None)


def _arguments(config):
    """Of `atelier stylize`; steps are few, since memory does not grow with them."""
    layers = [("--content-layer", name) for name in config.content_layers]
    layers += [("--style-layer", name) for name in config.style_layers]
    named = [word for pair in layers for word in pair]
    sizes = ["--size", str(config.size), "--steps", "2", "--optimizer", config.optimizer]
    return ["--backbone", config.backbone, *named, *sizes]


def for_photos(collection, paintings, *, size, model=None):
    """Ways to paint one photo in the style of a painting, another one for each photo.

    Args:
        collection: a `data.choose.Collection`, whose plan is taken.
        paintings: (m, h, w, 3) uint8; which is taken is drawn by the photo's pixels.
        size: pixels of the longer side.
        model: of the feed-forward network; None takes the shipped one where it is.

    Returns:
        Dict of name -> (function of an (h, w, 3) uint8 photo, text that decides its result).
    """
    plan, ways = choose_plan(collection), {}

    def style(photo):
        return paintings[zlib.crc32(np.ascontiguousarray(photo).tobytes()) % len(paintings)]

    if model is not None or _is_there(SHIPPED):
        painter = FastPainter(model or SHIPPED)
        ways["fast style transfer"] = (
            lambda photo: painter(photo, style(photo), size=size),
            f"{painter.run} {size}",
        )
    config = plan.study(plan.ours).replace(name="gatys, ours", size=size, sizes=2)
    optimise = _optimised(config, plan).paint
    ways["optimisation"] = (
        lambda photo: optimise(photo, style(photo)),
        json.dumps(config.to_json()),
    )
    return ways


def _is_there(name):
    try:
        return bool(models.find(name, models.FAST_PAINTER))
    except AtelierError:
        return False


def _fitted(picture, size):
    scale = size / max(picture.shape[:2])
    return fit_picture(picture, tuple(round(side * scale) for side in picture.shape[:2]))


def with_costs(table, ways, content, style):
    """Add what a picture costs by each method: `milliseconds` and peak `megabytes`.

    Time is measured in this process, networks loaded and compiled, the median of five where it
    is short; memory is the peak of `atelier stylize` in a process of its own, Keras included.

    Args:
        table: with a `method` a row.
        ways: list of `Method`.
        content: an `examples.Example`.
        style: the same.
    """
    costs = {
        way.name: (_milliseconds(way, content, style), _megabytes(way, content, style))
        for way in ways
    }
    return table.assign(
        milliseconds=[costs[name][0] for name in table["method"]],
        megabytes=[costs[name][1] for name in table["method"]],
    )


def _milliseconds(way, content, style):
    def once():
        began = time.perf_counter()
        np.asarray(way.paint(content.pixels, style.pixels))
        return time.perf_counter() - began

    first = once()
    return 1000 * (first if first > 5 * QUICK else statistics.median(once() for _ in range(5)))


def _megabytes(way, content, style):
    if way.arguments is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch) / f"{name}.png" for name in ("content", "style", "out")]
        for file, example in zip(files, (content, style), strict=False):
            Image.fromarray(example.pixels).save(file)
        peak = peak_bytes([*files[:2], "-o", files[2], *way.arguments])
    return None if peak is None else peak / 1e6
