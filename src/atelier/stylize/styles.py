"""A style picture, how much of it and where: what every way to paint is given."""

import dataclasses

import numpy as np

from atelier.errors import AtelierError
from atelier.stylize.features import check_size


@dataclasses.dataclass(frozen=True)
class Style:
    """A style picture, how much of it, and where."""

    picture: np.ndarray  # (height, width, 3) uint8
    weight: float = 1.0  # against the other styles
    mask: np.ndarray | None = None  # (height, width) in [0, 1] as the content picture; None: all


def checked_styles(styles, content):
    """Styles as a list of `Style`.

    Args:
        styles: one (height, width, 3) uint8 picture, or a list of `Style`.
        content: (height, width, 3), the picture that their masks are drawn on.

    Raises:
        AtelierError: if there are none, their weights do not sum to one, or a picture or mask
            cannot be used.
    """
    styles = [Style(styles)] if isinstance(styles, np.ndarray) else list(styles)
    if not styles:
        raise AtelierError("at least one style picture", "none", "Name one.")
    weights = np.array([style.weight for style in styles], "float64")
    if (weights < 0).any() or not np.isclose(weights.sum(), 1.0, atol=1e-3):
        raise AtelierError(
            "weights of the styles that sum to one", ", ".join(map(str, weights)), "Correct them."
        )
    for style in styles:
        check_size("style", style.picture.shape[:2])
        _check_mask(style.mask, content)
    return styles


def _check_mask(mask, content):
    if mask is None:
        return
    if mask.shape != content.shape[:2]:
        raise AtelierError(
            f"a mask of the content's {content.shape[1]} x {content.shape[0]} pixels",
            f"{mask.shape[1]} x {mask.shape[0]}",
            "Draw it on the content picture.",
        )
    if not mask.any():
        raise AtelierError("a mask with a region in it", "an empty one", "Mark a region white.")
