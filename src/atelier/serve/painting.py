"""Painting a picture in the style of others: at once, or pixel by pixel while one looks on."""

import dataclasses
import queue
import threading

import numpy as np

from atelier.backbones import weights_at_hand
from atelier.data.images import fit_picture
from atelier.errors import AtelierError
from atelier.serve.shelf import weight_bytes
from atelier.stylize import gatys
from atelier.stylize.fast.paint import SHIPPED, FastPainter
from atelier.stylize.plans import on_hand
from atelier.stylize.presets import ATELIER, FIRST_BLOCKS, RESNET50_PUBLISHED
from atelier.stylize.styles import Style
from atelier.translate.metrics import edge_preservation

PRESETS = {"VGG19": (ATELIER, FIRST_BLOCKS), "ResNet50": (RESNET50_PUBLISHED,)}
_EVERY = 5  # steps between two pictures


@dataclasses.dataclass(frozen=True)
class Step:
    """Where an optimisation stands: `picture` is (height, width, 3) uint8."""

    step: int
    steps: int
    picture: np.ndarray | None
    problem: str | None = None  # why it ended early, in the last one


class Painting:
    """Both ways to paint; networks are loaded when they are asked for.

    Args:
        shelf: a `shelf.Shelf`.
        settings: a `settings.Settings`.
    """

    def __init__(self, shelf, settings):
        self.shelf, self.settings = shelf, settings

    def fast(self, content, styles, *, size=None, strength=1.0, keep=None):
        """Paint in one pass.

        Args:
            content: (height, width, 3) uint8.
            styles: list of (picture, weight); weights are brought to a sum of one.
            size: pixels of the result's longer side; None keeps the content's.
            strength: from 0, the picture almost as it is, to 1.
            keep: "luminance" or "transport" keeps the content's colors.

        Returns:
            (h, w, 3) float32 in [0, 255].

        Raises:
            AtelierError: if pictures or numbers cannot be used, or memory is short.
        """
        return self.painter()(content, blended(styles), size=size, strength=strength, keep=keep)

    def distances(self, content, styles, pixels):
        """How far a painted picture is from what it was made of, whichever way it was painted.

        Args:
            content: (height, width, 3) uint8.
            styles: as `fast` takes them.
            pixels: (h, w, 3) in [0, 255].

        Returns:
            Dict of content_distance, 1 - the correlation of edges, which is 0 where all are kept;
            and style_distance, of the network's codes of styles, over that of the content: 0 is
            the style's own, None where content and style are alike.
        """
        painter, pixels = self.painter(), np.float32(pixels)
        kept = edge_preservation([fit_picture(content, pixels.shape[:2])], [pixels])
        wanted = sum(style.weight * painter.code(style.picture) for style in blended(styles))
        far = np.linalg.norm(painter.code(content) - wanted)
        near = np.linalg.norm(painter.code(pixels) - wanted)
        return {
            "content_distance": float(1 - kept),
            "style_distance": float(near / far) if far > 0 else None,
        }

    def painter(self):
        """The feed-forward network that comes with the repository."""
        return self.shelf.get(
            ("fast painter", SHIPPED),
            FastPainter,
            lambda painter: weight_bytes(painter.encoder, painter.painter),
        )

    def gatys(self, content, styles, config, stop):
        """Paint pixel by pixel; yields a `Step` now and then, and ends when `stop` is set.

        Whoever stops listening ends the work, too: it is done in a thread that is told.

        Args:
            content: (height, width, 3) uint8.
            styles: as `fast` takes them.
            config: a `stylize.presets.GatysConfig`.
            stop: a `threading.Event`.
        """
        told, steps, left = blended(styles), queue.Queue(maxsize=2), threading.Event()
        features = self._features(config)

        def on_progress(progress):
            if progress.picture is not None:
                steps.put(Step(progress.step, progress.steps, progress.picture))
            return not (stop.is_set() or left.is_set())

        def work():
            try:
                made = gatys.stylize(
                    content, told, config, every=_EVERY, features=features, on_progress=on_progress
                )
                done = len(made.history)
                total = config.steps * config.sizes
                steps.put(Step(done, total, made.picture, made.problem))
                steps.put(None)
            except Exception as error:  # told to whoever listens
                steps.put(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            while (said := steps.get()) is not None:
                if isinstance(said, Exception):
                    raise said
                yield said
        finally:
            left.set()
            while thread.is_alive():  # it may wait to tell of a step
                _drain(steps)
                thread.join(0.1)

    def _features(self, config):
        key = (
            "features",
            config.backbone,
            config.content_layers,
            config.style_layers,
            config.padding,
            config.precision,
        )
        return self.shelf.get(
            key, lambda: gatys.features_of(config), lambda seen: weight_bytes(seen.model)
        )


def _drain(steps):
    try:
        while True:
            steps.get_nowait()
    except queue.Empty:
        pass


def preset_for(body):
    """The settings for a body with the latest layers whose weights are at hand.

    Args:
        body: "VGG19" or "ResNet50".

    Raises:
        AtelierError: if none of its weights are here: what to do is said.
    """
    wanted = PRESETS[body][0]
    for config in PRESETS[body]:
        layers = (*config.style_layers, *config.content_layers)
        if all(weights_at_hand(config.backbone, layer) for layer in layers):
            return config
    if any(weights_at_hand(wanted.backbone, layer) for layer in wanted.style_layers):
        return on_hand(wanted)
    raise AtelierError(
        f"weights of {body}",
        "none in ATELIER_WEIGHTS or in Keras's cache",
        f'Run `python -c "import keras; keras.applications.{body}(include_top=False)"` once with '
        "a network, or put them into ATELIER_WEIGHTS.",
    )


def blended(styles):
    """List of `Style` whose weights sum to one, of (picture, weight).

    Raises:
        AtelierError: if there is none, or none has a weight.
    """
    styles = [(picture, float(weight)) for picture, weight in styles if weight > 0]
    total = sum(weight for _, weight in styles)
    if not styles:
        raise AtelierError("a style picture with a weight", "none", "Choose one.")
    return [Style(picture, weight / total) for picture, weight in styles]
