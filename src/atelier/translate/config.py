"""How networks from photo to painting are built and trained, as data.

A `TranslateConfig` is what `recipe.json` of a trained network holds. The recipes are the
papers', but for the width of the generator, which is half: it answers in a page. `plan` sizes
them: as they should be trained, what a CPU can do in two hours, or what the sample needs.

Sources: CycleGAN is Zhu et al. 2017 (arXiv:1703.10593); CUT and FastCUT are Park et al. 2020
(arXiv:2007.15651), whose weights and layers are taken over.
"""

import dataclasses
import difflib

from atelier import models, paths
from atelier.environment import fast_precision, on_cpu
from atelier.errors import AtelierError

KIND = models.TRANSLATOR  # what a saved network is, among models
CYCLEGAN, CUT = "cyclegan", "cut"  # methods
STORED = 256  # pixels of both sides of the decoded pictures, at least


@dataclasses.dataclass(frozen=True)
class TranslateConfig:
    """Everything that decides what a training does, but the pictures."""

    name: str
    method: str = CYCLEGAN
    kind: str = KIND
    generator: str = "resnet"  # or "published" or "light": see `translate.networks`
    channels: int = 32  # of the generator, at full size; the papers have 64
    blocks: int = 9  # residual ones, at quarter size
    upsampling: str = "resize"  # or "transposed"
    residual: bool = False  # the generator makes what is added to a picture, not all of it
    critic_channels: int = 64  # at half size
    critic_levels: int = 3  # strides of two; three judge patches of 70 x 70 pixels
    aid: str | None = None  # a pretrained body that helps critics: see `translate.aid`
    aid_layers: tuple[str, ...] = ("block1_conv2", "block2_conv2", "block3_conv1")
    aid_shrink: int = 2  # times that pictures are smaller when it sees them
    aid_weight: float = 1.0  # times the critic's own losses
    cycle_weight: float = 10.0  # of cyclegan
    identity_weight: float = 0.5  # times the cycle's, of a painting that should stay as it is
    contrast_weight: float = 1.0  # of cut
    contrast_identity: bool = True  # of cut: a painting's patches should stay themselves, too
    contrast_layers: tuple[int, ...] = (0, 1, 2, 3, 4)  # see `translate.cut`
    patches: int = 256  # of cut, compared in each layer
    temperature: float = 0.07  # of cut
    head: int = 256  # numbers that cut describes a patch by
    replay: int = 50  # made pictures that a critic is shown again
    augment: tuple[str, ...] = ("color", "translation", "cutout")  # of what critics see
    label_smoothing: float = 0.0  # real pictures are to score one less this
    size: int = 256  # pixels of both sides while training
    load_size: int = 286  # of the picture that a detail of `size` is taken from
    flip: bool = True  # left and right, every second picture
    batch_size: int = 1
    epochs: int = 100  # of `steps` steps each
    steps: int = 500
    learning_rate: float = 2e-4
    final_rate: float = 0.0  # part of it that is left at the end; it falls in the second half
    beta_1: float = 0.5  # of Adam
    ema_momentum: float = 0.999  # of the average of the weights, which is what is kept; 0 has none
    held_out: int = 100  # photos that are never trained on, but at most a fifth
    precision: str = "mixed_bfloat16"
    seed: int = 0

    @property
    def whole_size(self):
        """Pixels of both sides of a whole picture at the scale of training, a multiple of 4."""
        return min(self.load_size, STORED) // 4 * 4

    @property
    def coin(self):
        """The loss of a critic, and of its aid where it has one, that only guesses."""
        return 0.25 * (1 + self.aid_weight) if self.aid else 0.25

    def replace(self, **changes):
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self):
        """The settings as plain values."""
        return dataclasses.asdict(self)

    def changed(self):
        """Those settings that are not their defaults: new ones leave old runs what they are."""
        return {
            field.name: value
            for field in dataclasses.fields(self)
            if (value := getattr(self, field.name)) != field.default
        }

    @classmethod
    def from_json(cls, values):
        """Settings from `to_json`'s values."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


CYCLEGAN_MONET = TranslateConfig("cyclegan_monet")
CYCLEGAN_PUBLISHED = TranslateConfig(
    "cyclegan_published",
    generator="published",
    channels=64,
    upsampling="transposed",
    augment=(),
    epochs=120,
    ema_momentum=0.0,
)
CUT_MONET = TranslateConfig("cut_monet", method=CUT)
FASTCUT_MONET = CUT_MONET.replace(
    name="fastcut_monet", contrast_weight=10.0, contrast_identity=False
)
RECIPES = {
    recipe.name: recipe for recipe in (CYCLEGAN_MONET, CYCLEGAN_PUBLISHED, CUT_MONET, FASTCUT_MONET)
}
_AIDED = {"aid": "vgg19"}  # critics alone changed nothing in 1,000 steps on a CPU
_ON_GPU = {"batch_size": 4, "epochs": 60, "steps": 500}
_ON_CPU = {
    "size": 128,
    "load_size": 143,
    "channels": 24,
    "blocks": 6,
    "epochs": 14,
    "steps": 100,
}
_LIGHT = {  # of ours, on a CPU; what is published is made smaller alone
    "load_size": 256,  # details at full size: strokes are as large as in the paintings
    "generator": "light",  # two fifths of the work of a pass, with twice the channels
    "channels": 48,
    "critic_channels": 32,
    "augment": (),  # critics see too little here to learn it by heart
    "learning_rate": 4e-4,
    "ema_momentum": 0.99,
    "residual": True,  # 4,000 steps without it still lost a tenth of every pixel on the way back
    "cycle_weight": 1.0,  # what is added has to grow from nothing; by 10 it did not
    "identity_weight": 0.0,  # a third of the passes; what adds little keeps colors by itself
    "contrast_identity": False,  # half of them
}
_ON_SAMPLE = {
    "size": 64,
    "load_size": 72,
    "channels": 12,
    "blocks": 3,
    "critic_channels": 16,
    "critic_levels": 2,
    "replay": 8,
    "patches": 64,
    "epochs": 4,
    "steps": 20,
    "ema_momentum": 0.9,
}
_SMALLEST = {
    "size": 32,
    "load_size": 36,
    "channels": 4,
    "blocks": 1,
    "critic_channels": 4,
    "critic_levels": 1,
    "replay": 2,
    "patches": 16,
    "contrast_layers": (0, 2, 3),
    "head": 8,
    "epochs": 2,
    "steps": 2,
    "ema_momentum": 0.5,
}


def is_recipe(name):
    """Whether a name is one of RECIPES."""
    return name in RECIPES


def get_recipe(name):
    """A recipe by name.

    Raises:
        AtelierError: if there is none; names that are near are listed.
    """
    if is_recipe(name):
        return RECIPES[name]
    near = difflib.get_close_matches(str(name), RECIPES, n=2, cutoff=0.3) or RECIPES
    raise AtelierError(
        f"a recipe among {', '.join(RECIPES)}", repr(name), f"Did you mean {' or '.join(near)}?"
    )


def plan(recipe, *, is_sample=False):
    """The recipe at the size that fits this machine and this collection.

    Args:
        recipe: a `TranslateConfig`.
        is_sample: whether the pictures are those of the sample collection.
    """
    ours = recipe.generator != "published"
    if paths.fast():
        sized = _SMALLEST
    elif is_sample:
        sized = _ON_SAMPLE
    elif on_cpu():
        sized = _ON_CPU | (_LIGHT | _AIDED if ours else {})
        if recipe.method == CUT:
            sized["epochs"] = 8  # one generator, and no way back
    else:
        sized = _ON_GPU | (_AIDED if ours else {})
    return recipe.replace(**sized, precision=fast_precision())
