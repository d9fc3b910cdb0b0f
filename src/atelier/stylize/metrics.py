"""How good a style transfer is, judged alike whatever made the picture.

Sources: Gram distances are Gatys et al. 2015 (arXiv:1508.06576); the sliced Wasserstein
distance of features is Heitz et al. 2020 (arXiv:2006.07229); the perceptual distance has the form of LPIPS, Zhang
et al. 2018 (arXiv:1801.03924), with all channels alike; ArtFID, (1 + content distance) (1 + FID),
is Wright & Ommer 2022 (arXiv:2207.12280). Differs: features come from any of our bodies, and
`StyleJudge.describe` says from which, so that no number is that of a paper.
"""

import cv2
import numpy as np
from keras import ops

from atelier.data.images import fit_picture
from atelier.distances import frechet_distance
from atelier.stylize.features import Features
from atelier.stylize.losses import content_loss, gram_matrix, style_loss
from atelier.stylize.objective import as_batch

METRICS = ("content", "perceptual", "style", "wasserstein", "color")
_DIRECTIONS = 64  # that distributions are projected on
_LEVELS = 256  # quantiles that projections are compared at
_EPSILON = 1e-8
_KEPT = 48  # pictures whose maps stay, some 10 MB each


class StyleJudge:
    """Distances of stylized pictures to their content and to their style.

    Args:
        backbone: see `atelier.backbones`.
        content_layers: whose maps are compared.
        style_layers: whose statistics are compared.
        size: pictures are looked at with so many pixels on their longer side.
        weights: of the body; None takes random ones.
    """

    def __init__(self, backbone, content_layers, style_layers, *, size=256, weights="imagenet"):
        self.size, self.backbone = size, backbone
        self.features = Features(backbone, content_layers, style_layers, weights=weights)
        self._kept = {}  # maps of the pictures that were seen last, by their pixels

    def describe(self):
        """One line: which features the numbers are of."""
        see = self.features
        return (
            f"{self.backbone}: content at {', '.join(see.content_layers)}; style at "
            f"{', '.join(see.style_layers)}; longer side {self.size} pixels"
        )

    def __call__(self, stylized, content, style):
        """Distances of one picture, none of them with a weight in it; less is nearer.

        Args:
            stylized: (h, w, 3) in [0, 255].
            content: (rows, columns, 3) in [0, 255], of any size.
            style: the same.

        Returns:
            Dict of METRICS: content (relative squared), perceptual (mean cosine gap of positions),
            style (relative squared, of Gram matrices), wasserstein (of features, over their
            spread) and color (sliced Wasserstein in CIELAB, in its units).
        """
        stylized = self._fitted(stylized)
        content = fit_picture(np.uint8(content), stylized.shape[:2])
        style = self._fitted(style)
        found, targets, styles = (self._seen(x) for x in (stylized, content, style))
        contents, own = self.features.content_layers, self.features.style_layers
        return {
            "content": _mean(content_loss(found[n], targets[n]) for n in contents),
            "perceptual": _mean(perceptual_gap(found[n], targets[n]) for n in contents),
            "style": _mean(style_loss(gram_matrix(found[n]), gram_matrix(styles[n])) for n in own),
            "wasserstein": _mean(
                sliced_wasserstein(_rows(found[n]), _rows(styles[n]), relative=True) for n in own
            ),
            "color": sliced_wasserstein(_lab(stylized), _lab(style)),
        }

    def style_vector(self, picture):
        """Means and deviations of the last style layer's channels, (2 c,) float64."""
        rows = _rows(self._seen(self._fitted(picture))[self.features.style_layers[-1]])
        return np.concatenate([rows.mean(axis=0), rows.std(axis=0)]).astype("float64")

    def _fitted(self, picture):
        height, width = picture.shape[:2]
        scale = self.size / max(height, width)
        size = tuple(max(1, round(side * scale)) for side in (height, width))
        return fit_picture(np.uint8(np.rint(np.clip(picture, 0, 255))), size)

    def _seen(self, picture):
        mark = (picture.shape, picture.tobytes())
        if mark not in self._kept:
            while len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            maps = self.features.maps(as_batch(picture))
            self._kept[mark] = {
                name: ops.convert_to_numpy(x).astype("float32") for name, x in maps.items()
            }
        return self._kept[mark]


def _mean(values):
    return float(np.mean([float(value) for value in values]))


def _rows(x):
    return x.reshape(-1, x.shape[-1])


def _lab(picture):
    return _rows(cv2.cvtColor(np.float32(picture) / 255, cv2.COLOR_RGB2LAB))


def perceptual_gap(found, target):
    """Mean squared gap of unit-length feature vectors, position by position; at most 4.

    Args:
        found: (1, h, w, c) float32.
        target: the same.
    """
    ours, theirs = (
        x / (np.linalg.norm(x, axis=-1, keepdims=True) + _EPSILON) for x in (found, target)
    )
    return float(np.square(ours - theirs).sum(axis=-1).mean())


def sliced_wasserstein(ours, theirs, *, relative=False, seed=0):
    """Root mean square, over directions, of the 2-Wasserstein distance of projections.

    Args:
        ours: (n, c) points.
        theirs: (m, c) points; as many are not needed.
        relative: over the root mean square spread of `theirs`.
        seed: of the directions.

    Returns:
        A float, in the units of the points.
    """
    rng = np.random.default_rng(seed)
    directions = rng.normal(size=(theirs.shape[1], _DIRECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    at = (np.arange(_LEVELS) + 0.5) / _LEVELS
    first, second = (np.quantile(x @ directions, at, axis=0) for x in (ours, theirs))
    squared = np.square(first - second).mean()
    if relative:
        squared /= (theirs @ directions).var(axis=0).mean() + _EPSILON
    return float(np.sqrt(squared))


def artfid(content_distances, ours, theirs):
    """(1 + mean content distance) times (1 + Frechet distance of style vectors).

    Args:
        content_distances: (n,) of the stylized pictures.
        ours: (n, d) style vectors of the stylized pictures.
        theirs: (m, d) style vectors of the style pictures.
    """
    return (1 + float(np.mean(content_distances))) * (1 + frechet_distance(ours, theirs))
