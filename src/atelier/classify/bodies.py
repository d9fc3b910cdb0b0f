"""Recipes on other bodies: where the published one's weights are missing, or to compare.

The recipe keeps its name, head, phases and data; only the body, where it is cut
and what its layers are called change.
"""

import dataclasses
import logging

from atelier import paths
from atelier.backbones import get_backbone, weights_at_hand
from atelier.errors import AtelierError

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Substitute:
    """A body to use where the published one's weights are missing."""

    backbone: str
    cut: str | None = None
    pool: int = 1  # mean over squares of so many positions before a head that flattens
    renamed: dict = dataclasses.field(default_factory=dict)  # layers that phases name


SUBSTITUTES = {
    "resnet50": Substitute("resnet50", "conv4_block6_out", pool=2),  # 7 x 7 as from the whole
    "efficientnetb0": Substitute("mobilenetv2"),
    "efficientnetb2": Substitute("mobilenetv2"),
    "densenet121": Substitute(
        "densenet169",
        renamed={
            "conv5_block15_2_conv": "conv5_block31_2_conv",
            "conv5_block16_1_conv": "conv5_block32_1_conv",
            "conv5_block16_2_conv": "conv5_block32_2_conv",
        },
    ),
}
FOLDED = ("mobilenetv2",)  # weights that may come with batch normalisation folded in: keep it so


def with_body(recipe, backbone, cut=None, *, renamed=None):
    """The recipe on another body, or on part of its own; all else stays.

    Args:
        recipe: of a body and a head.
        backbone: name of the body.
        cut: its last layer; None keeps all of it.
        renamed: what layers that the phases name are called there.

    Raises:
        AtelierError: if the recipe has no body, or there is no such body.
    """
    if recipe.backbone is None:
        raise AtelierError(
            "a recipe of a pretrained body", repr(recipe.name), "Leave out --backbone and --cut."
        )
    get_backbone(backbone)
    phases = tuple(_on_body(phase, backbone, renamed or {}) for phase in recipe.phases)
    return recipe.replace(backbone=backbone, cut=cut, phases=phases)


def _on_body(phase, backbone, renamed):
    trainable = phase.trainable
    if not isinstance(trainable, str):
        trainable = tuple(renamed.get(name, name) for name in trainable)
    batch_norm = "frozen" if backbone in FOLDED else phase.batch_norm
    return dataclasses.replace(phase, trainable=trainable, batch_norm=batch_norm)


def on_hand(recipe, *, at_random=False):
    """The recipe on its own body, or on the substitute whose weights are at hand.

    Where neither's are, the recipe stays as it is, and building it downloads them or
    says what is missing.

    Args:
        recipe: of a body and a head.
        at_random: start from random weights instead of a download, and warn; a fast run
            does so too. For invented pictures, where nothing is to be learned but the way.
    """
    if recipe.weights is None or weights_at_hand(recipe.backbone, recipe.cut):
        return recipe
    other = SUBSTITUTES.get(recipe.backbone)
    if other is not None and weights_at_hand(other.backbone, other.cut):
        part = f" cut at {other.cut}" if other.cut else ""
        log.warning("%s: %s%s instead of %s.", recipe.name, other.backbone, part, recipe.backbone)
        return _pooled(with_body(recipe, other.backbone, other.cut, renamed=other.renamed), other)
    if at_random or paths.fast():
        log.warning("%s: random weights, since none of %s are here.", recipe.name, recipe.backbone)
        return recipe.replace(weights=None)
    return recipe


def _pooled(recipe, other):
    """Bring a finer map to the size that the published head flattens."""
    if recipe.head != "flatten_512_16" or other.pool == 1:
        return recipe
    return recipe.replace(head_options={"pool": other.pool, **recipe.head_options})


def probe_on_hand(recipe, *, at_random=False):
    """A recipe of tapped bodies, at random where weights of one of them are missing.

    Args:
        recipe: of a "multilayer" network.
        at_random: as in `on_hand`; without it the recipe stays as it is.

    Raises:
        AtelierError: if the recipe has no taps.
    """
    taps = recipe.network_options.get("taps")
    if not taps:
        raise AtelierError(
            "a recipe of tapped layers", repr(recipe.name), "Choose one such as frozen_probe."
        )
    last = dict(tap.split("/") for tap in taps)  # each body's, since taps go from fine to coarse
    missing = [body for body, layer in last.items() if not weights_at_hand(body, layer)]
    if recipe.weights is None or not missing or not (at_random or paths.fast()):
        return recipe
    log.warning("%s: random weights, since none of %s are here.", recipe.name, ", ".join(missing))
    return recipe.replace(weights=None)
