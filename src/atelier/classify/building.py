"""From a recipe to what its network is built with: options and sizes."""

from atelier.classify.heads import FIXED_SIZE
from atelier.errors import AtelierError


def build_options(recipe, size):
    """The recipe's network options; a network of fixed size gets the size too.

    Raises:
        AtelierError: if a body with a head lacks either, or its sizes do not agree.
    """
    fixed = {} if recipe.network == "atelier_cnn" else {"image_size": tuple(size)}
    if recipe.network == "transfer":
        _check_transfer(recipe)
        names = ("backbone", "cut", "weights", "head", "head_options")
        fixed.update((name, getattr(recipe, name)) for name in names)
    if recipe.network == "multilayer":
        fixed["weights"] = recipe.weights
    return {**fixed, **recipe.network_options}


def _check_transfer(recipe):
    if recipe.backbone is None or recipe.head is None:
        found = f"backbone {recipe.backbone!r}, head {recipe.head!r}"
        raise AtelierError("a backbone and a head", found, "Name both in the recipe.")
    if recipe.head in FIXED_SIZE and tuple(recipe.train_size) != tuple(recipe.image_size):
        raise AtelierError(
            f"one size for training and judging, as {recipe.head} needs it",
            f"train_size {recipe.train_size}, image_size {recipe.image_size}",
            "Make them equal, or choose a head that pools.",
        )
