"""What a style transfer by optimisation minimises, at one size.

Sources as of `stylize.gatys`; comparing styles within regions is the guided Gram matrix of
Gatys et al. 2017 (arXiv:1611.07865).
"""

import cv2
import numpy as np

from atelier.data.images import fit_picture
from atelier.stylize import losses
from atelier.stylize.features import SMALLEST


class Objective:
    """What is minimised at one size: a function of the picture, its targets fixed.

    The targets are arrays, the weights among them, so that one compiled function of a body
    (`Features.compiled`) serves all pictures of a size and all weights.

    Args:
        content: (height, width, 3) uint8.
        styles: list of `Style`.
        features: `Features`.
        config: a `GatysConfig`.
        size: (h, w) of the picture, pixels.
    """

    def __init__(self, content, styles, features, config, size):
        self.features, self.scaling = features, config.scaling
        seen = features.maps(as_batch(fit_picture(content, size)))
        self.targets = {
            "contents": features.contents(seen),
            "regions": [
                (None if mask is None else fit_mask(mask, size), np.float32(weight), grams)
                for mask, weight, grams in self._regions(styles, size)
            ],
            "weights": {
                "content": np.float32(config.content_weight / len(config.content_layers)),
                "style": np.float32(config.style_weight),
                "variation": np.float32(config.tv_weight),
                "layers": np.float32(config.style_layer_weights),
            },
        }

    def _regions(self, styles, size):
        """Styles without a mask are blended into one; each of the others has its region."""
        whole = [style for style in styles if style.mask is None]
        if whole:
            total = sum(style.weight for style in whole)
            blended = [self._grams(style, size) for style in whole]
            shares = [style.weight / total for style in whole]
            yield (
                None,
                total,
                [
                    sum(share * gram for share, gram in zip(shares, layer, strict=True))
                    for layer in zip(*blended, strict=True)
                ],
            )
        for style in styles:
            if style.mask is not None:
                yield style.mask, style.weight, self._grams(style, size)

    def _grams(self, style, size):
        """A style's Gram matrices, at the size of the picture: as long on its longer side."""
        height, width = style.picture.shape[:2]
        scale = max(size) / max(height, width)
        fitted = tuple(max(SMALLEST, round(side * scale)) for side in (height, width))
        return self.features.grams(self.features.maps(as_batch(fit_picture(style.picture, fitted))))

    def __call__(self, picture):
        """Losses of a (1, h, w, 3) picture in [0, 255]: (total, dict of its weighted parts)."""
        return weighted_losses(picture, self.targets, self.features, self.scaling)


def weighted_losses(picture, targets, features, scaling):
    """(total, dict of its weighted parts) of a picture, given an `Objective`'s targets."""
    maps, weights = features.maps(picture), targets["weights"]
    content = sum(
        losses.content_loss(found, target, scaling=scaling)
        for found, target in zip(features.contents(maps), targets["contents"], strict=True)
    )
    style = 0.0
    for mask, share, grams in targets["regions"]:
        pairs = zip(features.grams(maps, mask), grams, strict=True)
        for layer, (ours, theirs) in enumerate(pairs):
            gap = losses.style_loss(ours, theirs, scaling=scaling)
            style = style + share * weights["layers"][layer] * gap
    terms = {
        "content": weights["content"] * content,
        "style": weights["style"] * style,
        "variation": weights["variation"] * losses.total_variation(picture),
    }
    return sum(terms.values()), terms


def as_batch(picture):
    """(h, w, 3) as (1, h, w, 3) float32."""
    return np.float32(picture)[None]


def fit_mask(mask, size):
    """A mask in [0, 1] at another size, (h, w) float32."""
    return cv2.resize(np.float32(mask), size[::-1], interpolation=cv2.INTER_AREA)
