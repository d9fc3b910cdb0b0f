"""How a style transfer by optimisation is done, as data: the published settings, and ours.

Sources: `vgg19_published`, `resnet50_published` and `page_published` are the predecessor's
best settings for both bodies and those of its web page. Stated: layers, weights, Adam's rate,
and the page's steps and size; steps of the first two are ours. Ours goes from coarse to fine
as Gatys et al. 2017 (arXiv:1611.07865) and K. Crowson's style-transfer-pytorch do, from which
the factor of the square root of two and the averaged iterates are taken as well. `first_blocks`
is ours for VGG19 cut at block3_conv1, where later layers' weights are not at hand.
"""

import dataclasses
import difflib

from atelier.errors import AtelierError

PRECISIONS = ("float32", "mixed_bfloat16")
VGG19_STYLE = ("block1_conv1", "block2_conv2", "block3_conv3", "block4_conv4", "block5_conv2")
RESNET50_STYLE = (
    "conv1_relu",
    "conv2_block3_out",
    "conv3_block4_out",
    "conv4_block6_out",
    "conv5_block3_out",
)


@dataclasses.dataclass(frozen=True)
class GatysConfig:
    """Everything that decides what an optimisation does, but the pictures."""

    name: str
    backbone: str
    content_layers: tuple[str, ...]
    style_layers: tuple[str, ...]
    style_layer_weights: tuple[float, ...]  # one a style layer
    content_weight: float
    style_weight: float
    tv_weight: float = 0.0  # of the total variation
    scaling: str = "relative"  # of the losses; see `stylize.losses`
    optimizer: str = "adam"  # or "lbfgs"
    learning_rate: float = 2.0  # of Adam, in steps of [0, 255]
    steps: int = 200  # at the last size; earlier ones have as many
    size: int = 512  # longer side of the result, pixels
    sizes: int = 1  # from coarse to fine, each the square root of two larger
    init: str = "content"  # or "noise", or "picture": one that is given
    average: float = 0.0  # momentum of the average of the iterates, which is the result; 0 has none
    padding: int = 0  # pixels of reflection around the picture before it is looked at
    keep_colors: str | None = None  # "luminance" or "transport": see `stylize.color`
    seed: int = 0  # of the noise
    precision: str = "float32"  # of the body; "mixed_bfloat16" is quicker where hardware has it

    def replace(self, **changes):
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def with_style_layers(self, *layers):
        """A copy that compares the style at these layers, all alike."""
        return self.replace(style_layers=layers, style_layer_weights=(1.0,) * len(layers))

    def to_json(self):
        """The settings as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values):
        """Settings from `to_json`'s values, or from a JSON file of them."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


VGG19_PUBLISHED = GatysConfig(
    name="vgg19_published",
    backbone="vgg19",
    content_layers=("block3_conv4",),
    style_layers=VGG19_STYLE,
    style_layer_weights=(1.263, 3.505, 0.0515, 0.1844, 0.0364),
    content_weight=0.0358,
    style_weight=0.0365,
    scaling="published",
    learning_rate=2.02,
)
RESNET50_PUBLISHED = GatysConfig(
    name="resnet50_published",
    backbone="resnet50",
    content_layers=("conv3_block4_out",),
    style_layers=RESNET50_STYLE,
    style_layer_weights=(0.0805, 0.3728, 3.752, 9.886, 3.450),
    content_weight=0.0211,
    style_weight=0.0601,
    scaling="published",
    learning_rate=1.508,
)
PAGE_PUBLISHED = VGG19_PUBLISHED.replace(
    name="page_published",
    style_layer_weights=(4.0, 2.0, 1.0, 0.1, 0.1),
    content_weight=0.9,
    style_weight=0.001,
    learning_rate=20.0,
    steps=200,
    size=360,
)
ATELIER = GatysConfig(
    name="atelier",
    backbone="vgg19",
    content_layers=("block4_conv2",),
    style_layers=("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1", "block5_conv1"),
    style_layer_weights=(1.0, 1.0, 1.0, 1.0, 1.0),
    content_weight=0.03,
    style_weight=1.0,
    tv_weight=0.5,
    learning_rate=4.0,
    steps=120,
    sizes=4,
    average=0.95,
    padding=16,
)
FIRST_BLOCKS = ATELIER.replace(
    name="first_blocks",
    content_layers=("block3_conv1",),
    style_layers=("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2", "block3_conv1"),
    optimizer="lbfgs",
    average=0.0,
    steps=40,
    sizes=3,
)
PRESETS = {
    preset.name: preset
    for preset in (ATELIER, FIRST_BLOCKS, VGG19_PUBLISHED, RESNET50_PUBLISHED, PAGE_PUBLISHED)
}


def get_preset(name):
    """A preset by name.

    Raises:
        AtelierError: if there is none; names that are near are listed.
    """
    if name in PRESETS:
        return PRESETS[name]
    near = difflib.get_close_matches(str(name), PRESETS, n=2, cutoff=0.3) or PRESETS
    raise AtelierError(
        f"a preset among {', '.join(PRESETS)}", repr(name), f"Did you mean {' or '.join(near)}?"
    )
