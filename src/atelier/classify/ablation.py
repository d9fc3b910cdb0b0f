"""What each part of our classifier adds: the same probe, one thing changed at a time."""

import dataclasses

from atelier.classify.published import FROZEN_PROBE
from atelier.classify.recipes import ATELIER, ATELIER_PROBE

DENSENET169_TAPS = tuple(
    f"densenet169/{layer}" for layer in ("pool2_relu", "pool3_relu", "conv4_block32_concat", "relu")
)


def ablation(*, short=False):
    """Recipes from the plainest to ours.

    Args:
        short: only the plainest and ours, for collections where the steps between them
            cannot be told apart.

    Returns:
        dict of title -> recipe, each with one thing more than the one before it, but
        the last, which leaves out the second body.
    """
    ridge = FROZEN_PROBE.replace(probe=ATELIER_PROBE.probe)
    second_order = _with(ridge, pooling=("mean", "std", "covariance"), directions=96)
    layers = _with(second_order, taps=ATELIER_PROBE.network_options["taps"])
    bodies = _with(ATELIER_PROBE, taps=(*ATELIER_PROBE.network_options["taps"], *DENSENET169_TAPS))
    steps = {
        "one layer's means, logistic": FROZEN_PROBE,
        "a ridge instead": ridge.replace(name="ablation_ridge"),
        "deviations and covariances": second_order.replace(name="ablation_second_order"),
        "four earlier layers": layers.replace(name="ablation_layers"),
        "256 px, 160 directions": ATELIER_PROBE,
        "a second body, DenseNet169": bodies.replace(name="ablation_bodies"),
        "one body, fine-tuned": ATELIER,
    }
    return dict([*steps.items()][:: len(steps) - 1]) if short else steps


def _with(recipe, **options):
    return recipe.replace(network_options={**recipe.network_options, **options})


def of_all_painters(recipe):
    """The recipe on every painter of a collection, however few their pictures."""
    return recipe.replace(
        name=f"{recipe.name}_all_painters",
        split=dataclasses.replace(recipe.split, min_works=None),
    )


def split_by(recipe, seed):
    """The recipe on another division of the same pictures."""
    return recipe.replace(split=dataclasses.replace(recipe.split, seed=seed))
