"""How a classifier is trained, as data: one engine reads every recipe.

A recipe says which network, on which pictures and split, with which
augmentation and loss, in which phases. It is saved as `recipe.json` beside the
weights, and is all that is needed to build the network again.

Sources: `published_cnn` is the predecessor's custom CNN on 11 painters (57.6 %
on a random, leaking validation set, as they report). `tuned_cnn` is the same
with the hyperparameters that the search found. `atelier_cnn` is ours; it takes
label smoothing from Szegedy et al. 2015 (arXiv:1512.00567), the cosine
schedule from Loshchilov & Hutter 2016 (arXiv:1608.03983), decoupled weight
decay from the same authors (arXiv:1711.05101) and the average of the iterates
from Polyak & Juditsky 1992.
"""

import dataclasses
import difflib

from atelier import paths, storage
from atelier.data.augment import PAINTING, PUBLISHED, AugmentConfig
from atelier.data.splits import SplitConfig
from atelier.errors import AtelierError

ELEVEN_PAINTERS = SplitConfig(min_works=200)  # those of the main collection


@dataclasses.dataclass(frozen=True)
class Phase:
    """One stretch of training at one learning rate and schedule."""

    name: str
    epochs: int
    learning_rate: float
    schedule: str = "constant"  # or "cosine": down to a twentieth of a percent of the rate
    warmup_epochs: float = 0.0  # linear, before the cosine
    patience: int | None = None  # epochs without a lower validation loss; then the best weights


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run does, but the collection."""

    name: str
    source: str  # the project or paper followed
    network: str
    phases: tuple[Phase, ...]
    network_options: dict = dataclasses.field(default_factory=dict)
    split: SplitConfig = ELEVEN_PAINTERS
    image_size: tuple[int, int] = (224, 224)  # what the model is judged at, pixels
    decode_size: tuple[int, int] = (224, 224)  # what training crops are cut from, pixels
    train_size: tuple[int, int] = (224, 224)  # of a training crop, pixels
    fit: str = "squash"
    augment: AugmentConfig | None = PUBLISHED
    batch_size: int = 32
    optimizer: str = "adam"  # or "adamw"
    weight_decay: float = 0.0  # of the weights, times the learning rate
    label_smoothing: float = 0.0
    ema_momentum: float | None = None  # average of the iterates that replaces them at the end
    precision: str = "float32"  # or "mixed_bfloat16"; what is saved is float32 either way
    seed: int = 0

    def to_json(self):
        """The recipe as plain values; `from_json` reads them back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values):
        """Build a recipe from `to_json`'s values, or from a JSON file of them."""
        values = dict(values)
        augment = values.get("augment")
        values["augment"] = None if augment is None else _frozen(AugmentConfig, augment)
        values["split"] = _frozen(SplitConfig, values["split"])
        values["phases"] = tuple(Phase(**phase) for phase in values["phases"])
        return _frozen(cls, values)

    def replace(self, **changes):
        """A copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def reduced(self, *, epochs=None, patience=None):
        """A copy with no phase longer than `epochs`; the schedule is squeezed to fit."""
        phases = self.phases
        if epochs is not None:
            phases = tuple(
                dataclasses.replace(
                    phase,
                    epochs=min(phase.epochs, epochs),
                    warmup_epochs=min(phase.warmup_epochs, epochs / 5),
                )
                for phase in phases
            )
        if patience is not None:
            phases = tuple(dataclasses.replace(phase, patience=patience) for phase in phases)
        return dataclasses.replace(self, phases=phases)

    @property
    def fingerprint(self):
        """Changes when anything that a run depends on changes."""
        return storage.fingerprint(self.to_json())


def _frozen(cls, values):
    """A frozen dataclass from JSON values, where tuples came back as lists."""
    return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in dict(values).items()})


PUBLISHED_CNN = Recipe(
    name="published_cnn",
    source="the predecessor's custom CNN on 11 painters; 57.6 % validation accuracy reported",
    network="published_cnn",
    network_options={"units": 64, "dropout": 0.5},
    phases=(Phase("training", epochs=30, learning_rate=1e-3, patience=3),),
    augment=PUBLISHED,
)

TUNED_CNN = PUBLISHED_CNN.replace(
    name="tuned_cnn",
    source="the predecessor's custom CNN, its width and learning rate found by `atelier tune`; "
    "milder augmentation and more patience than published, then five epochs at a lower rate",
    network_options={"units": 256, "dropout": 0.5},
    phases=(
        Phase("training", epochs=60, learning_rate=1e-4, patience=8),
        Phase("polishing", epochs=5, learning_rate=2e-5, schedule="cosine", patience=5),
    ),
    augment=dataclasses.replace(
        PAINTING, zoom=(0.75, 1.05), brightness=0.0, contrast=0.0, saturation=0.0
    ),
)

ATELIER_CNN = Recipe(
    name="atelier_cnn",
    source="ours, from scratch: residual blocks, crops, label smoothing, cosine, averaged weights",
    network="atelier_cnn",
    network_options={"stem": 32, "widths": (64, 128, 256), "blocks": 2, "dropout": 0.2},
    phases=(
        Phase("training", epochs=120, learning_rate=2e-3, schedule="cosine", warmup_epochs=2.0),
    ),
    image_size=(192, 192),
    decode_size=(256, 256),
    train_size=(128, 128),
    augment=dataclasses.replace(PAINTING, zoom=(0.45, 0.95)),
    optimizer="adamw",
    weight_decay=0.05,
    label_smoothing=0.1,
    ema_momentum=0.99,
    precision="mixed_bfloat16",
)

RECIPES = {recipe.name: recipe for recipe in (PUBLISHED_CNN, TUNED_CNN, ATELIER_CNN)}


def get_recipe(name):
    """A recipe by name, or from a `recipe.json` file.

    Raises:
        AtelierError: if there is none; names that are near are listed.
    """
    if str(name).endswith(".json"):
        return _read_recipe(name)
    if name in RECIPES:
        return RECIPES[name]
    near = difflib.get_close_matches(str(name), RECIPES, n=3, cutoff=0.3) or list(RECIPES)
    raise AtelierError(
        f"a recipe among {', '.join(RECIPES)}", repr(name), f"Did you mean {' or '.join(near)}?"
    )


def _read_recipe(path):
    try:
        return Recipe.from_json(storage.read_json(path))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise AtelierError(
            f"a recipe as JSON in {path}",
            f"{type(error).__name__}: {error}",
            "Give a recipe.json that Atelier wrote, or a recipe's name.",
        ) from error


def randomly_split(recipe):
    """The recipe on the predecessor's kind of split: 80/20 at random, copies and all; it leaks."""
    split = dataclasses.replace(recipe.split, kind="random", fractions=None)
    return recipe.replace(name=f"{recipe.name}_random", split=split)


def fast_recipe(recipe):
    """The smallest honest run of a recipe, where `ATELIER_FAST` asks for it; else the recipe.

    Two epochs at 64 pixels: enough to see that everything runs, never a result.
    """
    if not paths.fast():
        return recipe
    small = dict.fromkeys(("image_size", "decode_size", "train_size"), (64, 64))
    return recipe.reduced(epochs=2).replace(precision="float32", **small)
