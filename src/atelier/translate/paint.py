"""Painting with a trained generator: a photo of any size, or a painting back to a photo.

Large pictures go through in overlapping tiles. Instance normalization looks at a whole picture,
so tiles of their own would each come out in another tone: all tiles are normalized by the
statistics of the whole picture, measured on it where it is small enough, else on a smaller copy.

Source: statistics of a small copy for all tiles are Chen et al. 2022 (arXiv:2203.06321).
"""

import keras
import numpy as np
from keras import ops

from atelier import models
from atelier.data.images import fit_picture
from atelier.errors import AtelierError
from atelier.lean import run_lean
from atelier.translate.config import KIND, TranslateConfig
from atelier.translate.networks import SMALLEST, STRIDE

SHIPPED = "cyclegan_monet"  # the model that comes with the repository
WHOLE = 1024  # pixels of the longer side up to which a picture goes through in one piece
TILE = 512  # pixels of both sides of a tile


class Translator:
    """A trained generator, ready to paint.

    Args:
        name: a folder, a name in `models/`, or an alias.
        reverse: from painting to photo.
        whole: pixels of the longer side up to which a picture goes through in one piece.
        tile: pixels of both sides of a tile.

    Raises:
        AtelierError: if there is no such model, or it has no way back.
    """

    def __init__(self, name=SHIPPED, *, reverse=False, whole=WHOLE, tile=TILE):
        loaded = models.load(name, kind=KIND)
        self.folder, self.config = loaded.folder, TranslateConfig.from_json(loaded.recipe)
        self.run, self.whole, self.tile = loaded.metrics["run"], whole, tile
        self.generator = _part(loaded, "to_photo" if reverse else "to_monet")
        self.critic = _part(loaded, "monet_critic")

    def __call__(self, photo, *, size=None, strength=1.0):
        """Paint a photo.

        Args:
            photo: (height, width, 3) uint8.
            size: pixels of the result's longer side; None keeps the photo's.
            strength: from 0, the photo as it is, to 1.

        Returns:
            (h, w, 3) float32 in [0, 255].

        Raises:
            AtelierError: if the photo is too small, or the strength out of range.
        """
        if not 0 <= strength <= 1:
            raise AtelierError("a strength from 0 to 1", strength, "Correct it.")
        photo = _at_size(photo, size)
        whole = max(photo.shape[:2]) <= self.whole
        painted = self._pass(photo) if whole else self._by_tiles(photo)
        return strength * painted + (1 - strength) * np.float32(photo)

    def score(self, picture):
        """How much like a Monet the critic finds a picture: about 1 is real, about 0 is made."""
        scores = self.critic(np.float32(_padded(_at_size(picture, None)))[None], training=False)
        return float(ops.mean(scores))

    def _pass(self, picture):
        """The generator on a whole picture."""
        made = run_lean(self.generator, np.float32(_padded(picture))[None])
        return _cut(ops.convert_to_numpy(made)[0], picture)

    def _by_tiles(self, picture):
        """The generator on overlapping tiles, of which the middles are kept."""
        reach = reach_of(self.config)
        if self.tile % STRIDE or self.tile <= 2 * reach:
            raise AtelierError(
                f"tiles of more than {2 * reach} pixels, in multiples of {STRIDE}",
                self.tile,
                "Make them larger.",
            )
        seen = _at_size(picture, min(self.whole, max(picture.shape[:2])))
        fixed = measured(self.generator, _padded(seen))
        padded = _padded(picture)
        painted = np.zeros(padded.shape, "float32")
        for rows, inner_rows in _spans(padded.shape[0], self.tile, reach):
            for columns, inner_columns in _spans(padded.shape[1], self.tile, reach):
                tile = np.float32(padded[rows, columns])[None]
                made = run_lean(self.generator, tile, instead=fixed)
                painted[inner_rows, inner_columns] = ops.convert_to_numpy(made)[0][
                    _within(rows, inner_rows), _within(columns, inner_columns)
                ]
        return _cut(painted, picture)


def reach_of(config):
    """Pixels beyond which a generator sees nothing of a position, a multiple of STRIDE."""
    outer, strided, blocks, larger = 3 + 3, 1 + 2, 2 * 4 * config.blocks, 2 + 1
    skip = 1 if config.generator == "published" else 0
    reach = outer + strided + blocks + larger + skip + STRIDE
    return -(-reach // STRIDE) * STRIDE


def measured(generator, picture):
    """A generator's instance normalizations with the statistics of a picture.

    Args:
        generator: from `networks.build_generator`.
        picture: (height, width, 3) in [0, 255].

    Returns:
        Dict of layer -> function of maps that takes its place, for `run_lean`.
    """
    fixed = {}

    def measuring(norm):
        def call(x):
            mean, variance = (
                np.float64(ops.convert_to_numpy(m)) for m in ops.moments(x, (0, 1, 2))
            )
            gain = ops.convert_to_numpy(norm.gamma) / np.sqrt(variance + norm.epsilon)
            shift = ops.convert_to_numpy(norm.beta) - gain * mean
            gain, shift = np.float32(gain), np.float32(shift)
            fixed[norm] = lambda y: y * gain + shift
            return fixed[norm](x)

        return call

    norms = [x for x in generator.layers if isinstance(x, keras.layers.GroupNormalization)]
    run_lean(
        generator, np.float32(picture)[None], instead={norm: measuring(norm) for norm in norms}
    )
    return fixed


def _spans(length, tile, reach):
    """Slices of tiles, each with the slice of what is kept of it; together they cover a length."""
    if length <= tile:
        yield slice(0, length), slice(0, length)
        return
    step = tile - 2 * reach
    starts = [*range(0, length - tile, step), length - tile]
    kept = 0
    for start in starts:
        end = length if start + tile == length else start + tile - reach
        yield slice(start, start + tile), slice(kept, end)
        kept = end


def _within(tile, kept):
    return slice(kept.start - tile.start, kept.stop - tile.start)


def _at_size(photo, size):
    """A photo whose longer side has so many pixels; refuses what is too small."""
    height, width = photo.shape[:2]
    scale = 1.0 if size is None else size / max(height, width)
    fitted = tuple(max(1, round(side * scale)) for side in (height, width))
    if min(fitted) < SMALLEST:
        raise AtelierError(
            f"a photo of at least {SMALLEST} pixels on its shorter side",
            f"{fitted[1]} x {fitted[0]}",
            "Choose a larger size, or a photo that is less narrow.",
        )
    return photo if fitted == (height, width) else fit_picture(photo, fitted)


def _padded(picture):
    """A picture mirrored at its lower and right edge up to multiples of STRIDE."""
    edges = [(0, -side % STRIDE) for side in picture.shape[:2]]
    return np.pad(picture, (*edges, (0, 0)), mode="reflect")


def _cut(made, picture):
    """What was made, without the mirrored edges."""
    return made[: picture.shape[0], : picture.shape[1]]


def _part(loaded, name):
    """One network of a model."""
    if name not in [layer.name for layer in loaded.model.layers]:
        raise AtelierError(
            "a model that knows the way back to photos",
            f"{loaded.folder.name}, which goes from photo to painting alone",
            "Name one that was trained as CycleGAN.",
        )
    return loaded.model.get_layer(name)
