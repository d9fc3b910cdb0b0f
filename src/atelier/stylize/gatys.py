"""Style transfer by optimisation: a picture's own pixels are what is learned.

Source: Gatys, Ecker & Bethge 2015 (arXiv:1508.06576); one size after another, each from the
last one's result, is Gatys et al. 2017 (arXiv:1611.07865). The average of the iterates is
Polyak & Juditsky 1992. Differs: targets are computed once a size; several styles are blended
in their Gram matrices; where a style has a mask, its Gram matrix is compared within it alone.
"""

import dataclasses
import logging
import time

import numpy as np
import pandas as pd
from keras import ops

from atelier.data.images import fit_picture
from atelier.errors import AtelierError
from atelier.gradients import gradient_function
from atelier.stylize import losses
from atelier.stylize.color import check_keeper, keep_colors
from atelier.stylize.features import SMALLEST, Features, check_size
from atelier.stylize.memory import check_memory
from atelier.stylize.objective import Objective, as_batch, weighted_losses
from atelier.stylize.presets import PRECISIONS
from atelier.stylize.steppers import STEPPERS, DivergedError
from atelier.stylize.styles import checked_styles

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where an optimisation stands; the command line, notebooks and the web page are all told so."""

    step: int  # of all sizes together, from 1
    steps: int
    size: tuple[int, int]  # (height, width) at present, pixels
    losses: dict  # name -> weighted loss, and "total"
    picture: np.ndarray | None  # (height, width, 3) uint8, every so many steps


@dataclasses.dataclass(frozen=True)
class Stylized:
    """What came of an optimisation."""

    pixels: np.ndarray  # (height, width, 3) float32 in [0, 255]
    history: pd.DataFrame  # step, size, seconds, and the losses
    config: object  # the `GatysConfig` that was run
    problem: str | None = None  # why it ended before its last step, where it did

    @property
    def picture(self):
        """The pixels as (height, width, 3) uint8."""
        return as_uint8(self.pixels)


def stylize(
    content,
    styles,
    config,
    *,
    start=None,
    every=10,
    on_progress=None,
    weights="imagenet",
    features=None,
):
    """Paint a picture in the style of others.

    Args:
        content: (height, width, 3) uint8.
        styles: one (height, width, 3) uint8 picture, or a list of `Style`.
        config: see `stylize.presets`.
        start: (height, width, 3) uint8 to start from, where the config says "picture".
        every: steps between two pictures that `on_progress` is shown.
        on_progress: called with a `Progress`; if it returns False, the optimisation ends
            and keeps what there is. So does an interruption by the keyboard.
        weights: of the body; None takes random ones.
        features: `Features` of the config's body and layers that were built before.

    Returns:
        A `Stylized`. Losses that are not finite end it; the last good picture is kept.

    Raises:
        AtelierError: if pictures, masks, weights or layers cannot be used.
    """
    styles = _checked(content, styles, config, start)
    features = features or features_of(config, weights)
    sizes, picture = sizes_of(content.shape[:2], config), None
    check_memory(features, sizes[-1])
    told = _Told(len(sizes) * config.steps, every, on_progress)
    try:
        for told.size in sizes:
            size, picture = told.size, _starting(picture, content, start, told.size, config)
            told.last = as_batch(picture)
            picture = _at_size(picture, content, styles, features, config, size, told)
    except (_StoppedError, KeyboardInterrupt):
        told.problem = "stopped"
        picture = told.last
    except DivergedError as error:
        told.problem = str(error)
        log.warning("%s", error)
        picture = told.last
    pixels = np.clip(ops.convert_to_numpy(picture)[0], 0, 255)
    if config.keep_colors:
        pixels = keep_colors(pixels, fit_picture(content, pixels.shape[:2]), config.keep_colors)
    return Stylized(pixels, pd.DataFrame(told.rows), config, told.problem)


def features_of(config, weights="imagenet"):
    """The `Features` that settings ask for."""
    return Features(
        config.backbone,
        config.content_layers,
        config.style_layers,
        padding=config.padding,
        weights=weights,
        precision=config.precision,
    )


def sizes_of(content_size, config):
    """(height, width) of every size that is gone through, coarse to fine, proportions kept."""
    height, width = content_size
    scale = config.size / max(height, width)
    found = []
    for step in reversed(range(config.sizes)):
        size = tuple(max(1, round(side * scale / 2 ** (step / 2))) for side in (height, width))
        if min(size) >= SMALLEST or step == 0:
            found.append(size)
    return found


def as_uint8(pixels):
    """Pixels in [0, 255] as uint8."""
    return np.uint8(np.rint(np.clip(ops.convert_to_numpy(pixels), 0, 255)))


def _checked(content, styles, config, start):
    """The styles as a list of `Style`; refuses what cannot be used."""
    styles = checked_styles(styles, content)
    losses.check_scaling(config.scaling)
    check_keeper(config.keep_colors)
    if config.optimizer not in STEPPERS:
        raise AtelierError(
            f"an optimizer among {', '.join(STEPPERS)}", repr(config.optimizer), "Name one of them."
        )
    if config.precision not in PRECISIONS:
        raise AtelierError(
            f"a precision among {', '.join(PRECISIONS)}",
            repr(config.precision),
            "Name one of them.",
        )
    if len(config.style_layers) != len(config.style_layer_weights):
        raise AtelierError(
            f"{len(config.style_layers)} weights, one a style layer",
            f"{len(config.style_layer_weights)}",
            "Correct the preset.",
        )
    if config.style_weight <= 0:
        raise AtelierError(
            "a style weight above zero", config.style_weight, "Raise it; a small one paints little."
        )
    if (config.init == "picture") != (start is not None):
        raise AtelierError(
            "a picture to start from where the start is `picture`, and there alone",
            f"start {config.init!r}, {'a' if start is not None else 'no'} picture",
            "Give both, or neither.",
        )
    check_size("content", sizes_of(content.shape[:2], config)[-1])
    return styles


def _starting(last, content, start, size, config):
    """What a size starts from: the result of the one before it, or what the config says."""
    if last is not None:
        return fit_picture(as_uint8(last[0]), size)
    if config.init == "noise":
        rng = np.random.default_rng(config.seed)
        return np.clip(rng.normal(127.5, 40.0, (*size, 3)), 0, 255)
    if config.init in ("content", "picture"):
        return fit_picture(content if start is None else start, size)
    raise AtelierError(
        "a start from content, noise or picture", repr(config.init), "Choose one of them."
    )


def _at_size(picture, content, styles, features, config, size, told):
    """Optimise at one size; returns (1, h, w, 3) float32."""
    targets = Objective(content, styles, features, config, size).targets
    gradients = compiled_gradients(features, config.scaling)
    return STEPPERS[config.optimizer](
        lambda x: gradients(x, targets), np.float32(picture)[None], config, told
    )


def compiled_gradients(features, scaling):
    """The compiled gradients of a body's losses, kept with it: they serve all targets.

    The body's variables are left out, and so taken as constants, whose order in memory XLA
    chooses once.
    """
    if scaling not in features.compiled:

        def objective(picture, targets):
            return weighted_losses(picture, targets, features, scaling)

        compiled = gradient_function(objective, has_aux=True)
        features.compiled[scaling] = compiled
    return features.compiled[scaling]


class _StoppedError(Exception):
    """Whoever watches wants no more steps."""


class _Told:
    """Keeps the history and the last picture, and tells whoever watches."""

    def __init__(self, total, every, on_progress):
        self.total, self.every, self.on_progress = total, every, on_progress
        self.rows, self.last, self.problem, self.size = [], None, None, None
        self._since = time.perf_counter()

    def __call__(self, terms, picture):
        now = time.perf_counter()
        terms, self.last = losses.as_numbers(terms), picture
        step = len(self.rows) + 1
        seconds, self._since = now - self._since, now
        self.rows.append({"step": step, "size": max(self.size), "seconds": seconds, **terms})
        if self.on_progress is None:
            return
        shown = as_uint8(picture[0]) if step % self.every == 0 or step == self.total else None
        if self.on_progress(Progress(step, self.total, self.size, terms, shown)) is False:
            raise _StoppedError
