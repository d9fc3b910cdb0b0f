"""How much of the published work to do: as published, what fits a CPU, or the sample's size.

A plan shortens recipes and the search; it changes nothing else but the precision.
Whatever is reduced is said by `describe`, for notebooks to print.
"""

import dataclasses

from atelier import paths
from atelier.classify.bodies import on_hand, probe_on_hand
from atelier.classify.recipe import Phase
from atelier.classify.recipes import PUBLISHED_CNN
from atelier.environment import fast_precision, on_cpu


@dataclasses.dataclass(frozen=True)
class Plan:
    """Sizes of the runs that a notebook makes."""

    title: str
    epochs: int  # of the published network, at most; patience may stop it
    tuned_epochs: int  # of the tuned one, likewise
    our_epochs: int  # of ours; its schedule is squeezed or stretched to fit
    trials: int  # settings that the search tries
    executions: int  # trainings of each
    search_epochs: int  # of each training
    batch_size: int | None = None  # instead of the recipe's
    scale: float = 1.0  # of the pictures' height and width
    head_epochs: int | None = None  # of a head on a frozen body; None does as published
    body_epochs: int | None = None  # of each later phase, at most
    tuned_body_epochs: int | None = None  # the same of `resnet50_tuned`
    at_random: bool = False  # bodies without weights start at random, where none are at hand
    min_works: int | None = None  # pictures that a painter must have; None takes all painters
    subset: int | None = None  # of six-view recipes, paintings of a class in each part; None is all

    def fit(self, recipe):
        """The recipe at this plan's size."""
        asked = {"atelier_cnn": self.our_epochs, "tuned_cnn": self.tuned_epochs}
        epochs = asked.get(recipe.name, self.epochs)
        first, *rest = recipe.phases
        return self._sized(
            recipe.replace(phases=(dataclasses.replace(first, epochs=epochs), *rest))
        )

    def fit_transfer(self, recipe):
        """A recipe of a pretrained body at this plan's size, on a body whose weights are at hand."""
        recipe = on_hand(recipe, at_random=self.at_random)
        if self.head_epochs is not None:
            asked = {"resnet50_tuned": self.tuned_body_epochs}
            then = asked.get(recipe.name, self.body_epochs)
            recipe = head_first(recipe, self.head_epochs, patience=4, then=then)
        return self._sized(recipe)

    def fit_probe(self, recipe):
        """A recipe of frozen, tapped bodies at this plan's size, its precision kept.

        Features are computed once, and the model saved is float32: it should be fitted so.
        """
        recipe = probe_on_hand(recipe, at_random=self.at_random)
        return self._sized(recipe).replace(precision=recipe.precision)

    def _sized(self, recipe):
        split = recipe.split
        if split.kind != "official" and split.label == "artist":
            split = dataclasses.replace(split, min_works=self.min_works)
        sizes = {
            name: tuple(round(side * self.scale) for side in getattr(recipe, name))
            for name in ("image_size", "decode_size", "train_size")
        }
        return recipe.replace(
            **sizes,
            split=split,
            precision=fast_precision(),
            batch_size=self.batch_size or recipe.batch_size,
        )

    @property
    def search(self):
        """Arguments of `tune` for this plan's search."""
        return {
            "trials": self.trials,
            "executions": self.executions,
            "epochs": self.search_epochs,
        }

    def describe(self):
        """One line: the sizes, and what differs from the published ones."""
        search = (
            f"{self.trials} trials x {self.executions} executions x {self.search_epochs} epochs"
        )
        published = PUBLISHED.trials, PUBLISHED.executions, PUBLISHED.search_epochs
        asked = "{} x {} x {} published".format(*published)
        size = "" if self.scale == 1 else f", pictures at {self.scale:g} of the size"
        return (
            f"{self.title}: at most {self.epochs} epochs (tuned {self.tuned_epochs}, "
            f"ours {self.our_epochs}), "
            f"search {search} ({asked}), {fast_precision()}{size}"
        )


PUBLISHED = Plan("as published", PUBLISHED_CNN.phases[0].epochs, 60, 120, 5, 2, 10)
ON_CPU = Plan(
    "reduced to fit a CPU",
    10,
    40,
    32,
    4,
    1,
    3,
    head_epochs=20,
    body_epochs=4,
    tuned_body_epochs=14,
    subset=250,
)
ON_SAMPLE = Plan(
    "the sample collection",
    16,
    16,
    30,
    3,
    1,
    4,
    batch_size=16,
    scale=0.5,
    head_epochs=6,
    body_epochs=2,
    tuned_body_epochs=2,
    at_random=True,
    subset=16,
)
FAST = Plan(
    "a fast run, no result",
    2,
    2,
    2,
    2,
    1,
    1,
    head_epochs=1,
    body_epochs=1,
    tuned_body_epochs=1,
    at_random=True,
)


def choose_plan(collection):
    """The plan for a `data.choose.Collection` on this machine."""
    if paths.fast():
        plan = FAST
    elif collection.is_sample:
        plan = ON_SAMPLE
    else:
        plan = ON_CPU if on_cpu() else PUBLISHED
    return dataclasses.replace(plan, min_works=collection.min_works)


def models_home(collection):
    """Where a notebook keeps its models: `models/`, or `build/models` if made of the sample."""
    return paths.build_dir() / "models" if collection.is_sample else paths.models_dir()


def head_first(recipe, epochs, *, learning_rate=1e-3, patience=None, then=None):
    """A transfer recipe turned round for a CPU: first the head, from features, then what fits.

    Phases that train the whole body are left out, and those that train the head alone but the
    first, where it takes pictures as they are; those that train a part of the body follow.

    Args:
        recipe: of a body and a head.
        epochs: of the head, on pictures as they are.
        learning_rate: of the head.
        patience: epochs without a lower validation loss that end the head's phase.
        then: at most so many epochs in each later phase; 0 leaves them out, None as they are.
    """
    later = [phase for phase in recipe.phases if phase.trainable not in ("all", "head")]
    if then is not None:
        later = [dataclasses.replace(phase, epochs=min(phase.epochs, then)) for phase in later]
    first = recipe.phases[0]
    if first.trainable == "head" and recipe.augment_of(first) is None:
        first = dataclasses.replace(first, epochs=min(first.epochs, epochs))
    else:
        first = Phase(
            "feature_extraction",
            epochs,
            learning_rate,
            patience=patience,
            trainable="head",
            augment=None,
        )
    return recipe.replace(phases=(first, *(phase for phase in later if phase.epochs)))
