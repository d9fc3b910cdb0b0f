"""Mixup and cutmix: two pictures of a batch in one, and their labels with them.

Sources: mixup, Zhang et al. 2017, arXiv:1710.09412; CutMix, Yun et al. 2019,
arXiv:1905.04899. Differs: each picture draws its own share, not the whole batch one;
a cutmix rectangle lies wholly inside the picture, so it has the area that was drawn.
"""

import numpy as np


def mix(images, labels, config, rng):
    """Mixup or cutmix a batch with itself in another order; one of them, if both are on.

    Args:
        images: (batch, height, width, 3) float32; not changed.
        labels: (batch, classes) float32, each row sums to 1; not changed.
        config: an `AugmentConfig`.
        rng: a numpy Generator.

    Returns:
        New images and labels; a picture's own part of its label is its part of the
        picture's weight (mixup) or area (cutmix).
    """
    if not config.mixes or rng.random() >= config.mix_probability:
        return images, labels
    partners = rng.permutation(len(images))
    both = config.mixup > 0 and config.cutmix > 0
    if config.cutmix > 0 and (not both or rng.random() < 0.5):
        images, share = _cutmix(images, partners, config.cutmix, rng)
    else:
        share = rng.beta(config.mixup, config.mixup, len(images)).astype(np.float32)
        weights = share[:, None, None, None]
        images = images * weights + images[partners] * (1 - weights)
    share = share[:, None]
    return images, labels * share + labels[partners] * (1 - share)


def _cutmix(images, partners, alpha, rng):
    """Paste one rectangle of each partner; returns pictures and what is left of each, as a part."""
    count, height, width = images.shape[:3]
    side = np.sqrt(1 - rng.beta(alpha, alpha, count))
    tall, wide = np.rint(side * height).astype(int), np.rint(side * width).astype(int)
    top, left = rng.integers(0, height - tall + 1), rng.integers(0, width - wide + 1)
    mixed = images.copy()
    for row, partner in enumerate(partners):
        box = np.s_[top[row] : top[row] + tall[row], left[row] : left[row] + wide[row]]
        mixed[row][box] = images[partner][box]
    return mixed, (1 - tall * wide / (height * width)).astype(np.float32)
