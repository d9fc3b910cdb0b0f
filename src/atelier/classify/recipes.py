"""The recipes there are, by name: every published training, and ours.

Sources: `published_cnn` is the predecessor's custom CNN on 11 painters (57.6 %
on a random, leaking validation set, as they report). `tuned_cnn` is the same
with the hyperparameters that the search found. `atelier_cnn` is ours; it takes
label smoothing from Szegedy et al. 2015 (arXiv:1512.00567), the cosine
schedule from Loshchilov & Hutter 2016 (arXiv:1608.03983), decoupled weight
decay from the same authors (arXiv:1711.05101) and the average of the iterates
from Polyak & Juditsky 1992. Transfer learning is in `classify.published`.
"""

import dataclasses
import difflib

from atelier import paths, storage
from atelier.classify.published import TRANSFER
from atelier.classify.recipe import ELEVEN_PAINTERS, Phase, ProbeConfig, Recipe
from atelier.data.augment import PAINTING, PUBLISHED
from atelier.errors import AtelierError

__all__ = ["ELEVEN_PAINTERS", "RECIPES", "Phase", "Recipe", "fast_recipe", "get_recipe"]

PUBLISHED_CNN = Recipe(
    name="published_cnn",
    source="the predecessor's custom CNN on 11 painters; 57.6 % validation accuracy reported",
    network="published_cnn",
    network_options={"units": 64, "dropout": 0.5},
    phases=(Phase("training", epochs=30, learning_rate=1e-3, patience=3),),
    augment=PUBLISHED,
)

SEARCHED_CNN = PUBLISHED_CNN.replace(
    name="searched_cnn",
    source="the predecessor's custom CNN as `atelier tune` tries it: milder augmentation and more "
    "patience than published",
    phases=(Phase("training", epochs=60, learning_rate=1e-4, patience=8),),
    augment=dataclasses.replace(
        PAINTING, zoom=(0.75, 1.05), brightness=0.0, contrast=0.0, saturation=0.0
    ),
)

TUNED_CNN = SEARCHED_CNN.replace(
    name="tuned_cnn",
    source="the predecessor's custom CNN, its width and learning rate found by `atelier tune`; "
    "milder augmentation, label smoothing, a cosine schedule and averaged weights instead of "
    "early stopping",
    network_options={"units": 384, "dropout": 0.5},
    phases=(
        Phase("training", epochs=60, learning_rate=2e-4, schedule="cosine", warmup_epochs=1.0),
    ),
    augment=dataclasses.replace(
        PAINTING, zoom=(0.7, 1.05), brightness=0.1, contrast=0.1, saturation=0.1
    ),
    optimizer="adamw",
    weight_decay=0.05,
    label_smoothing=0.1,
    ema_momentum=0.99,
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

# ResNet50 as far as conv4: where brushwork is seen. Later layers see objects.
_RESNET50_TAPS = tuple(
    f"resnet50/{layer}"
    for layer in (
        "conv2_block3_out",
        "conv3_block4_out",
        "conv4_block2_out",
        "conv4_block4_out",
        "conv4_block6_out",
    )
)

ATELIER_PROBE = Recipe(
    name="atelier_probe",
    source="ours: means, deviations and covariances of five layers of a frozen ResNet50, and a "
    "ridge regression",
    network="multilayer",
    network_options={"taps": _RESNET50_TAPS, "directions": 160},
    phases=(),
    image_size=(256, 256),
    decode_size=(256, 256),
    train_size=(256, 256),
    probe=ProbeConfig(strengths=(0.003, 0.01, 0.03, 0.1, 0.3), method="ridge"),
    augment=None,
)

# What is shown takes objects too: the later layers of two whole bodies.
_OBJECT_TAPS = (
    "densenet169/pool2_relu",
    "densenet169/pool3_relu",
    "densenet169/pool4_relu",
    "densenet169/conv5_block16_concat",
    "densenet169/relu",
    "mobilenetv2/block_12_add",
    "mobilenetv2/out_relu",
)

ATELIER_THREE_BODIES = ATELIER_PROBE.replace(
    name="atelier_three_bodies",
    source="ours: means, deviations and covariances of layers of a frozen ResNet50, DenseNet169 "
    "and MobileNetV2, and a ridge regression",
    network_options={"taps": (*_RESNET50_TAPS, *_OBJECT_TAPS), "directions": 160},
)

ATELIER = ATELIER_PROBE.replace(
    name="atelier",
    source="ours: means, deviations and covariances of five layers of ResNet50, a ridge "
    "regression, everything fine-tuned at a low rate, and the regression once more",
    phases=(
        Phase(
            "fine_tuning",
            epochs=1,
            learning_rate=1e-5,
            schedule="cosine",
            warmup_epochs=0.2,
            batch_norm="frozen",
        ),
    ),
    augment=dataclasses.replace(PAINTING, zoom=(0.6, 1.0)),
    optimizer="adamw",
    weight_decay=0.01,
    label_smoothing=0.1,
    ema_momentum=0.99,
    precision="mixed_bfloat16",
)

_OURS = (ATELIER_PROBE, ATELIER_THREE_BODIES, ATELIER)
_FROM_SCRATCH = (PUBLISHED_CNN, SEARCHED_CNN, TUNED_CNN, ATELIER_CNN)
RECIPES = {recipe.name: recipe for recipe in (*_FROM_SCRATCH, *TRANSFER, *_OURS)}


def get_recipe(name, others=()):
    """A recipe by name, or from a `recipe.json` file.

    Args:
        name: which.
        others: names of recipes that are none of a classifier's, to be listed with these.

    Raises:
        AtelierError: if there is none; names that are near are listed.
    """
    if str(name).endswith(".json"):
        return _read_recipe(name)
    if name in RECIPES:
        return RECIPES[name]
    known = [*RECIPES, *others]
    near = difflib.get_close_matches(str(name), known, n=3, cutoff=0.3) or known
    raise AtelierError(
        f"a recipe among {', '.join(known)}", repr(name), f"Did you mean {' or '.join(near)}?"
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


def tuned(found):
    """`TUNED_CNN` with what a search found: its width, and its learning rate as the cosine's mean."""
    rate = 2 * found.phases[0].learning_rate
    phase = dataclasses.replace(TUNED_CNN.phases[0], learning_rate=rate)
    return TUNED_CNN.replace(network_options=found.network_options, phases=(phase,))


def refitted(recipe):
    """A probe that is fitted once more, with the validation pictures too, once they have chosen."""
    return recipe.replace(probe=dataclasses.replace(recipe.probe, refit=True))


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
