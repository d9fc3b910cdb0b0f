"""How much of style transfer to do, and with which layers: by the machine and the weights at hand.

A plan never takes other layers in silence: `on_hand` logs what it leaves out, and `describe`
says it for notebooks to print.
"""

import dataclasses
import logging

from atelier import paths
from atelier.backbones import weights_at_hand
from atelier.environment import on_cpu
from atelier.errors import AtelierError
from atelier.stylize.presets import ATELIER, FIRST_BLOCKS

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class StylePlan:
    """Sizes of the runs that a notebook makes."""

    title: str
    size: int  # longer side of pictures to be shown, pixels
    study_size: int  # of those that are made to compare
    steps: int | None  # of ours at each size; None keeps the preset's
    published_steps: int
    study_steps: int
    trials: int  # of the random search
    table_size: int  # of the pictures that methods are compared by, pixels
    table_steps: int  # of the published settings there
    table_pictures: tuple[int, int]  # contents and styles there
    at_random: bool = False  # bodies without weights start at random, where none are at hand

    @property
    def ours(self):
        """Our preset with the latest layers whose weights are at hand, at this plan's size."""
        cut = _there(FIRST_BLOCKS) and _there(ATELIER) != _layers(ATELIER)
        config = FIRST_BLOCKS if cut or self.at_random else ATELIER
        return config.replace(size=self.size, steps=self.steps or config.steps)

    def published(self, config):
        """A published preset with the layers whose weights are at hand, at this plan's size."""
        return on_hand(config).replace(size=self.study_size, steps=self.published_steps)

    def study(self, config):
        """Settings for a quick look: one size, few steps."""
        return config.replace(size=self.study_size, steps=self.study_steps, sizes=1)

    def weights(self, config):
        """What a config's body starts from: "imagenet", or None for random weights."""
        return None if self.at_random and not _there(config) else "imagenet"

    def describe(self):
        """One line for a notebook."""
        ours = self.ours
        return (
            f"{self.title}: {self.size} pixels; ours on {ours.backbone} up to "
            f"{ours.content_layers[-1]}, {ours.optimizer}, {ours.sizes} x {ours.steps} steps; "
            f"published settings {self.published_steps} steps at {self.study_size}; "
            f"{self.trials} trials of {self.study_steps} steps; weights {self.weights(ours) or 'random'}"
        )


AS_PUBLISHED = StylePlan("as published", 512, 400, None, 200, 100, 40, 256, 200, (10, 12))
ON_CPU = StylePlan("what a CPU does in minutes", 400, 256, None, 200, 40, 24, 160, 40, (10, 12))
ON_SAMPLE = StylePlan(
    "the sample collection", 128, 96, 10, 20, 10, 6, 96, 4, (3, 4), at_random=True
)
FAST = StylePlan("a fast run, no result", 48, 48, 2, 2, 2, 2, 48, 2, (2, 2), at_random=True)


def choose_plan(collection):
    """The plan for a `data.choose.Collection` on this machine."""
    if paths.fast():
        return FAST
    if collection.is_sample:
        return ON_SAMPLE
    return ON_CPU if on_cpu() else AS_PUBLISHED


def on_hand(config):
    """Settings without the layers whose weights are beyond those at hand.

    Where none of a body's weights are here, the settings stay, and building the body downloads
    them or says what is missing.

    Args:
        config: a `GatysConfig`.

    Returns:
        The settings: layers that are missing are left out, and the content is compared at the
        latest style layer there where its own is missing.

    Raises:
        AtelierError: if no style layer is left.
    """
    there = _there(config)
    if there == _layers(config) or not there:
        return config
    kept = [
        (layer, weight)
        for layer, weight in zip(config.style_layers, config.style_layer_weights, strict=True)
        if layer in there
    ]
    if not kept:
        raise AtelierError(
            f"weights of {config.backbone} up to one of {', '.join(config.style_layers)}",
            "earlier ones alone",
            "Put more of it into ATELIER_WEIGHTS.",
        )
    layers, weights = zip(*kept, strict=True)
    content = tuple(layer for layer in config.content_layers if layer in there) or layers[-1:]
    left = [layer for layer in _layers(config) if layer not in (*layers, *content)]
    log.warning("%s without %s, which are not at hand.", config.name, ", ".join(left))
    return config.replace(style_layers=layers, style_layer_weights=weights, content_layers=content)


def _layers(config):
    return list(dict.fromkeys((*config.style_layers, *config.content_layers)))


def _there(config):
    """Those layers of a config whose weights are at hand."""
    return [layer for layer in _layers(config) if weights_at_hand(config.backbone, layer)]
