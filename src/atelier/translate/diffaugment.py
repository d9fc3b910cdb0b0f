"""Augmentation that gradients pass through, for critics that have seen few paintings.

Source: Zhao et al. 2020 (arXiv:2006.10738): colors, a shift, a hole. Differs: what is drawn and
what is done are two functions, so that real and made pictures get the same draw; a shift is a
product with a shifted unit matrix, which all backends compile alike.
"""

import keras
from keras import ops

from atelier.errors import AtelierError

POLICIES = ("color", "translation", "cutout")
_SHIFT, _HOLE = 0.125, 0.5  # parts of a side


def check_policies(policies):
    """Refuse an augmentation that there is not."""
    unknown = [name for name in policies if name not in POLICIES]
    if unknown:
        raise AtelierError(
            f"augmentations among {', '.join(POLICIES)}", ", ".join(unknown), "Correct the recipe."
        )


def draw(batch, seed):
    """Random numbers for a batch.

    Args:
        batch: pictures in it.
        seed: a `keras.random.SeedGenerator`.

    Returns:
        Dict of name -> (batch,) float32 in [0, 1).
    """
    names = ("brightness", "saturation", "contrast", "down", "across", "row", "column")
    values = keras.random.uniform((len(names), batch), seed=seed)
    return {name: values[number] for number, name in enumerate(names)}


def augment(pictures, drawn, policies):
    """Change a batch as was drawn.

    Args:
        pictures: (b, h, w, 3) in [0, 255].
        drawn: from `draw`.
        policies: some of POLICIES.

    Returns:
        The same shape, float32; colors may leave the range, and holes and what comes in over
        an edge are middle grey.
    """
    if not policies:
        return pictures
    x = ops.cast(pictures, "float32") / 127.5 - 1.0
    if "color" in policies:
        x = _colored(x, drawn)
    if "translation" in policies:
        x = _shifted(x, drawn)
    if "cutout" in policies:
        x = x * _around_a_hole(x, drawn)
    return (x + 1.0) * 127.5


def _colored(x, drawn):
    x = x + (_each(drawn["brightness"]) - 0.5)
    grey = ops.mean(x, axis=-1, keepdims=True)
    x = grey + (x - grey) * 2.0 * _each(drawn["saturation"])
    mean = ops.mean(x, axis=(1, 2, 3), keepdims=True)
    return mean + (x - mean) * (_each(drawn["contrast"]) + 0.5)


def _shifted(x, drawn):
    height, width = ops.shape(x)[1:3]
    rows = _shifts(drawn["down"], height)
    columns = _shifts(drawn["across"], width)
    x = ops.einsum("bij,bjwc->biwc", rows, x)
    return ops.einsum("bij,bhjc->bhic", columns, x)


def _shifts(drawn, length):
    """(b, length, length): unit matrices, each moved by up to an eighth either way."""
    most = int(_SHIFT * length + 0.5)
    moved = ops.cast(ops.floor(drawn * (2 * most + 1)), "int32") - most
    wanted = ops.arange(length)[None] + moved[:, None]
    return ops.cast(wanted[:, :, None] == ops.arange(length)[None, None], "float32")


def _around_a_hole(x, drawn):
    """(b, h, w, 1): zero in a square of half the side, anywhere, also over an edge."""
    height, width = ops.shape(x)[1:3]
    outside = ops.logical_or(
        _outside(drawn["row"], height)[:, :, None], _outside(drawn["column"], width)[:, None]
    )
    return ops.cast(outside, "float32")[..., None]


def _outside(drawn, length):
    """(b, length): whether a position is out of the hole's reach."""
    middle = ops.floor(drawn * (length + 1))[:, None]
    position = ops.cast(ops.arange(length), "float32")[None]
    half = int(_HOLE * length) // 2
    return ops.logical_or(position < middle - half, position >= middle + half)


def _each(drawn):
    return drawn[:, None, None, None]
