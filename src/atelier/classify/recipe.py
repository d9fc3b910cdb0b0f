"""What a recipe is: how a classifier is trained, as data that one engine reads.

A recipe says which network, on which pictures and split, with which
augmentation and loss, in which phases. It is saved as `recipe.json` beside the
weights, and is all that is needed to build the network again.

A recipe's fingerprint tells a finished run from another. A field that was added
later is left out of the JSON while it holds its default, so that older runs
keep theirs: add new fields at a dataclass's end, with a default that changes nothing.
"""

import dataclasses

from atelier import storage
from atelier.data.augment import PUBLISHED, AugmentConfig
from atelier.data.splits import SplitConfig
from atelier.errors import AtelierError

ELEVEN_PAINTERS = SplitConfig(min_works=200)  # those of the main collection
SCHEDULES = ("constant", "cosine", "restarts", "exponential", "halve")

# The last field of each when fingerprints began; later ones are left out at their default.
_LAST_AT_FIRST = {
    "Recipe": "seed",
    "Phase": "patience",
    "SplitConfig": "top",
    "AugmentConfig": "output_size",
    "ProbeConfig": "method",
}


@dataclasses.dataclass(frozen=True)
class Phase:
    """One stretch of training: what learns, at which rate, for how long."""

    name: str
    epochs: int
    learning_rate: float
    schedule: str = "constant"  # or "cosine": down to a twentieth of a percent of the rate;
    # "restarts": cosines of `schedule_steps` one after the other; "exponential" and "halve":
    # times `schedule_factor`, or a half, after every `schedule_epochs`
    warmup_epochs: float = 0.0  # linear, before the cosine
    patience: int | None = None  # epochs without a lower validation loss; then the best weights
    trainable: str | tuple[str, ...] = "all"  # of the body; see `classify.trainable`
    batch_norm: str = "train"  # of the body; or "frozen": ImageNet's statistics and scales
    schedule_steps: int | None = None  # length of a cosine, batches; at most the phase's
    schedule_factor: float = 1.0
    schedule_epochs: int = 1
    reduce_on_plateau: tuple[float, int, float] | None = None  # factor, patience, least rate
    body_rate: float = 1.0  # the body's learning rate as a multiple of the head's
    augment: AugmentConfig | str | None = "recipe"  # the recipe's, or the phase's own; None is off

    def __post_init__(self):
        """Refuse what the engine could not follow."""
        checks = {
            f"a schedule among {', '.join(SCHEDULES)}": (
                self.schedule in SCHEDULES,
                repr(self.schedule),
            ),
            "batch_norm train or frozen": (
                self.batch_norm in ("train", "frozen"),
                repr(self.batch_norm),
            ),
            "schedule_steps for restarts": (
                self.schedule != "restarts" or (self.schedule_steps or 0) >= 1,
                repr(self.schedule_steps),
            ),
            "a constant schedule where plateaus reduce the rate": (
                self.reduce_on_plateau is None or self.schedule == "constant",
                repr(self.schedule),
            ),
            "the augmentation 'recipe', one of its own, or None": (
                self.augment in ("recipe", None) or isinstance(self.augment, AugmentConfig),
                repr(self.augment),
            ),
        }
        for expected, (good, found) in checks.items():
            if not good:
                raise AtelierError(expected, found, f"Correct the phase {self.name!r}.")


@dataclasses.dataclass(frozen=True)
class ProbeConfig:
    """How the last layer on frozen features is fitted; see `classify.probe`."""

    strengths: tuple[float, ...] = (3.0, 10.0, 30.0, 100.0, 300.0)  # C of the logistic
    # regression, or alpha of the ridge; the one of least calibrated validation loss is taken
    calibrate: bool = True  # divide by the temperature of least validation loss
    method: str = "logistic"  # or "ridge": least squares on 0 and 1, quicker, for many features
    refit: bool = False  # once chosen and judged, fit again with the validation pictures too


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Everything that decides what a training run does, but the collection."""

    name: str
    source: str  # the project or paper followed
    network: str  # see `classify.networks`; "transfer" is a pretrained body with a head
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
    backbone: str | None = None  # of a "transfer" network; see `atelier.backbones`
    cut: str | None = None  # the body's last layer; None keeps all
    weights: str | None = "imagenet"  # what the body starts from; None is at random
    head: str | None = None  # see `classify.heads`
    head_options: dict = dataclasses.field(default_factory=dict)
    loss: str = "categorical_crossentropy"  # or "focal"
    loss_options: dict = dataclasses.field(default_factory=dict)  # gamma and alpha of "focal"
    class_weights: bool = False  # weigh classes against their frequency, as scikit-learn does
    views: str | None = None  # "six": the whole picture, four corners and the middle
    probe: ProbeConfig | None = None  # fits a "multilayer" network's last layer, before
    # the phases and once more after them
    mirror: bool = False  # answers are the mean over a picture and its mirror image

    def to_json(self):
        """The recipe as plain values; `from_json` reads them back."""
        return _plain(self)

    @classmethod
    def from_json(cls, values):
        """Build a recipe from `to_json`'s values, or from a JSON file of them."""
        values = dict(values)
        values["augment"] = _augment(values.get("augment"))
        values["split"] = _frozen(SplitConfig, values["split"])
        if values.get("probe") is not None:
            values["probe"] = _frozen(ProbeConfig, values["probe"])
        values["phases"] = tuple(
            _frozen(Phase, {**phase, "augment": _augment(phase.get("augment", "recipe"))})
            for phase in values["phases"]
        )
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

    def augment_of(self, phase):
        """The augmentation of one of its phases."""
        return self.augment if phase.augment == "recipe" else phase.augment

    @property
    def fingerprint(self):
        """Changes when anything that a run depends on changes."""
        return storage.fingerprint(self.to_json())


def _plain(value):
    """Plain values of a dataclass, without later fields that hold their default."""
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    if not dataclasses.is_dataclass(value):
        return value
    values, fields = {}, dataclasses.fields(value)
    names = [field.name for field in fields]
    first = names.index(_LAST_AT_FIRST[type(value).__name__]) + 1
    for place, field in enumerate(fields):
        item = getattr(value, field.name)
        if place < first or item != _default(field):
            values[field.name] = _plain(item)
    return values


def _default(field):
    missing = field.default_factory is dataclasses.MISSING
    return field.default if missing else field.default_factory()


def _augment(value):
    return _frozen(AugmentConfig, value) if isinstance(value, dict) else value


def _frozen(cls, values):
    """A frozen dataclass from JSON values, where tuples came back as lists."""
    return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in dict(values).items()})
