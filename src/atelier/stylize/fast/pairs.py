"""Pairs of a photograph and a painting, a pure function of (seed, epoch, index).

A share of the pairs is a picture with itself as its style, which the network should leave
alone.
"""

import dataclasses

import numpy as np

from atelier.data.augment import IDENTITY
from atelier.data.batches import Batches, SeededBatches
from atelier.stylize.color import transport_colors

AUGMENT = dataclasses.replace(IDENTITY, zoom=(0.5, 1.0), aspect=0.15, crop=True, flip=True)
_IDENTITY_STREAM = 4  # keeps the draws here apart from other uses of the same seed


class Pairs(SeededBatches):
    """Batches of pairs for `fit` and `evaluate`: see `data.batches.SeededBatches`.

    Args:
        photos: (n, height, width, 3) uint8, what is painted.
        paintings: (m, rows, columns, 3) uint8, in whose style.
        config: a `FastConfig`.
        steps: batches of an epoch; each epoch has other pairs.
        fixed: the same pairs in every epoch, not cropped and none with itself.
        start_epoch: number of the first epoch.
        workers: threads that make batches ahead.

    Yields:
        ((content, style), same): two (b, size, size, 3) float32 in [0, 255], the content's
        colors moved to the style's where the config says so, and (b,) float32, 1 where the
        two are one picture.
    """

    def __init__(self, photos, paintings, config, *, steps, fixed=False, start_epoch=0, workers=1):
        super().__init__(workers=workers, start_epoch=start_epoch)
        self.config, self.steps, self.fixed = config, steps, fixed
        batch_size = min(config.batch_size, len(photos), len(paintings))
        self._sources = [
            _batches(pixels, batch_size, config, seed, fixed)
            for seed, pixels in enumerate((photos, paintings), start=2 * config.seed)
        ]

    @property
    def num_batches(self):
        """Batches in an epoch."""
        return self.steps

    def make(self, epoch, index):
        """Make a batch, whatever the present epoch is."""
        turn = index + (0 if self.fixed else epoch * self.steps)
        content, style = (
            source.make(*divmod(turn, source.num_batches))[0] for source in self._sources
        )
        rng = np.random.default_rng((self.config.seed, _IDENTITY_STREAM, epoch, index))
        same = rng.random(len(content)) < (0 if self.fixed else self.config.identity_share)
        style[same] = content[same]
        if self.config.move_colors:
            for row in np.flatnonzero(~same):
                content[row] = transport_colors(content[row], style[row])
        return (content, style), same.astype("float32")


def _batches(pixels, batch_size, config, seed, fixed):
    rows = np.arange(len(pixels))
    augment = IDENTITY if fixed else AUGMENT
    return Batches(
        pixels,
        rows,
        np.zeros_like(rows),
        num_classes=1,
        batch_size=batch_size,
        shuffle=not fixed,
        seed=seed,
        augment=dataclasses.replace(augment, output_size=(config.size, config.size)),
        workers=0,
        drop_remainder=True,
    )
