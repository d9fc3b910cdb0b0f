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

    Args:
        content: (height, width, 3) uint8.
        styles: list of `Style`.
        features: `Features`.
        config: a `GatysConfig`.
        size: (h, w) of the picture, pixels.
    """

    def __init__(self, content, styles, features, config, size):
        self.features, self.config = features, config
        seen = features.maps(as_batch(fit_picture(content, size)))
        self.contents = features.contents(seen)
        self.regions = [
            (None if mask is None else np.float32(fit_mask(mask, size)), weight, grams)
            for mask, weight, grams in self._regions(styles, size)
        ]

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
        config, maps = self.config, self.features.maps(picture)
        content = sum(
            losses.content_loss(found, target, scaling=config.scaling)
            for found, target in zip(self.features.contents(maps), self.contents, strict=True)
        )
        style = sum(
            share * self._style_loss(self.features.grams(maps, mask), grams)
            for mask, share, grams in self.regions
        )
        terms = {
            "content": config.content_weight * content / len(self.contents),
            "style": config.style_weight * style,
            "variation": config.tv_weight * losses.total_variation(picture),
        }
        return sum(terms.values()), terms

    def _style_loss(self, found, targets):
        weights = self.config.style_layer_weights
        return sum(
            weight * losses.style_loss(ours, theirs, scaling=self.config.scaling)
            for weight, ours, theirs in zip(weights, found, targets, strict=True)
        )


def as_batch(picture):
    """(h, w, 3) as (1, h, w, 3) float32."""
    return np.float32(picture)[None]


def fit_mask(mask, size):
    """A mask in [0, 1] at another size, (h, w) float32."""
    return cv2.resize(np.float32(mask), size[::-1], interpolation=cv2.INTER_AREA)
