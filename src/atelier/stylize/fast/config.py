"""How the feed-forward network is built and trained, as data.

A `FastConfig` is what `recipe.json` of a trained network holds. `plan` sizes it: as it should
be trained, what a CPU can do in an hour, or what the sample collection needs.
"""

import dataclasses

from atelier import models, paths
from atelier.backbones import weights_at_hand
from atelier.environment import fast_precision, on_cpu

KIND = models.FAST_PAINTER  # what a saved network is, among models
VGG19_LAYERS = ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1")


@dataclasses.dataclass(frozen=True)
class FastConfig:
    """Everything that decides what a training does, but the pictures."""

    name: str = "fast"
    kind: str = KIND
    channels: tuple[int, int, int] = (24, 48, 96)  # at full, half and quarter size
    blocks: int = 5  # residual ones, at quarter size
    style_channels: tuple[int, ...] = (32, 64, 128)  # of the style's encoder, each at half the size
    code: int = 128  # numbers that say a style
    move_colors: bool = True  # the content's to the style's, before the network sees it
    skips: bool = True  # maps of full and half size go round the blocks, so that edges stay sharp
    backbone: str = "vgg19"  # whose features are compared; not needed once it is trained
    content_layers: tuple[str, ...] = ("block3_conv1",)
    style_layers: tuple[str, ...] = VGG19_LAYERS
    scales: int = 2  # sizes that the style is compared at, each half of the one before
    content_weight: float = 1.0
    style_weight: float = 30.0
    identity_weight: float = 10.0  # of a picture painted in its own style
    tv_weight: float = 1.0
    identity_share: float = 0.125  # of the pairs
    size: int = 256  # pixels of both sides while training
    batch_size: int = 16
    epochs: int = 40  # of `steps` steps each
    steps: int = 500
    learning_rate: float = 1e-3
    clip: float = 5.0  # norm of all gradients together
    ema_momentum: float = 0.995  # of the average of the weights, which is what is kept
    precision: str = "mixed_bfloat16"
    weights: str | None = "imagenet"  # of the body; None takes random ones
    seed: int = 0

    def replace(self, **changes):
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self):
        """The settings as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values):
        """Settings from `to_json`'s values."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


FAST = FastConfig()
ON_CPU = FAST.replace(size=128, batch_size=4, epochs=30, steps=200)
ON_SAMPLE = FAST.replace(size=64, batch_size=4, epochs=3, steps=20)
SMALLEST = FAST.replace(
    channels=(8, 8, 8),
    blocks=1,
    style_channels=(8, 8),
    code=8,
    size=32,
    scales=1,
    batch_size=2,
    epochs=1,
    steps=2,
)


def plan(*, is_sample=False):
    """The settings that fit this machine and this collection.

    Args:
        is_sample: whether the pictures are those of the sample collection, for which nothing is
            downloaded: where the body's weights are not at hand it is random.
    """
    if paths.fast() or is_sample:
        config = SMALLEST if paths.fast() else ON_SAMPLE
        there = weights_at_hand(config.backbone, config.style_layers[-1])
        config = config.replace(weights="imagenet" if there else None)
    else:
        config = ON_CPU if on_cpu() else FAST
    return config.replace(precision=fast_precision())
