"""Painting with a trained feed-forward network: any picture, any styles, in one pass.

Source: strength as a blend of codes, and several styles as the same, are Ghiasi et al. 2017
(arXiv:1705.06830). Differs: colors are moved by the linear map that is the optimal transport,
on the host, so that strength and blends act on them as on the strokes.
"""

import math

import numpy as np
from keras import ops

from atelier import models
from atelier.data.images import fit_picture
from atelier.errors import AtelierError
from atelier.lean import run_lean
from atelier.stylize.color import check_keeper, keep_colors, transport_colors
from atelier.stylize.fast.config import KIND, FastConfig
from atelier.stylize.fast.network import PAINTER, STRIDE, STYLE_ENCODER
from atelier.stylize.features import SMALLEST, check_size
from atelier.stylize.memory import free_bytes
from atelier.stylize.styles import checked_styles

SHIPPED = "fast"  # the model that comes with the repository
STYLE_SIZE = 256  # pixels of a style's longer side, as the network has seen them
_MAPS = 2.2  # of the most channels at full size, in float32, that are in memory at once: measured


class FastPainter:
    """A trained network, ready to paint.

    Args:
        name: a folder, a name in `models/`, or an alias.

    Raises:
        AtelierError: if there is no such model.
    """

    def __init__(self, name=SHIPPED):
        loaded = models.load(name, kind=KIND)
        self.folder, self.config = loaded.folder, FastConfig.from_json(loaded.recipe)
        self.run = loaded.metrics["run"]
        self.encoder = loaded.model.get_layer(STYLE_ENCODER)
        self.painter = loaded.model.get_layer(PAINTER)

    def __call__(self, content, styles, *, size=None, strength=1.0, keep=None):
        """Paint a picture in the style of others.

        Args:
            content: (height, width, 3) uint8.
            styles: one (rows, columns, 3) uint8 picture, or a list of `Style`. Styles with a
                mask are painted there alone; the others go over the whole picture.
            size: pixels of the result's longer side; None keeps the content's.
            strength: from 0, the picture almost as it is, to 1.
            keep: "luminance" or "transport" keeps the content's colors: see `stylize.color`.

        Returns:
            (h, w, 3) float32 in [0, 255].

        Raises:
            AtelierError: if pictures, masks or numbers cannot be used, or memory is short.
        """
        styles = checked_styles(styles, content)
        _check(strength, keep)
        content = fit_picture(content, _size_of(content, size))
        check_size("content", content.shape[:2])
        self._check_memory(content.shape[:2])
        whole = [style for style in styles if style.mask is None]
        painted = np.float32(content)
        if whole:
            painted = self._paint(content, whole, strength, keep)
        for style in styles:
            if style.mask is not None:
                mask = fit_picture(_grey(style.mask), content.shape[:2])[..., :1] / np.float32(255)
                region = self._paint(content, [style], strength, keep)
                painted = mask * region + (1 - mask) * painted
        return painted if keep is None else keep_colors(painted, content, keep)

    def code(self, picture):
        """What the network knows of a style, (code,) float32.

        Args:
            picture: (rows, columns, 3) in [0, 255].
        """
        rows, columns = picture.shape[:2]
        scale = STYLE_SIZE / max(rows, columns)
        fitted = [max(SMALLEST, round(side * scale / STRIDE) * STRIDE) for side in (rows, columns)]
        small = fit_picture(np.uint8(np.rint(picture)), tuple(fitted))
        return ops.convert_to_numpy(self.encoder(np.float32(small)[None], training=False))[0]

    def _paint(self, content, styles, strength, keep):
        """One pass, with the blend of all codes."""
        total = sum(style.weight for style in styles)
        shares = [style.weight / total for style in styles]
        pictures = [style.picture for style in styles]
        if keep is not None:
            pictures = [transport_colors(picture, content) for picture in pictures]
        code = _blend([self.code(picture) for picture in pictures], shares)
        start = np.float32(content)
        if strength < 1:
            code = strength * code + (1 - strength) * self.code(content)
        if keep is None and self.config.move_colors:
            moved = _blend([transport_colors(content, picture) for picture in pictures], shares)
            start = strength * moved + (1 - strength) * start
        return self._pass(start, code)

    def _pass(self, picture, code):
        """The network on a picture of any size, its edges mirrored up to the next multiple."""
        height, width = picture.shape[:2]
        edges = [(0, -side % STRIDE) for side in (height, width)]
        padded = np.pad(picture, (*edges, (0, 0)), mode="reflect")
        found = run_lean(self.painter, padded[None], code[None])
        return np.clip(ops.convert_to_numpy(found)[0, :height, :width], 0, 255)

    def _check_memory(self, size):
        """Refuse a size that will not fit, naming one that does."""
        wanted = _MAPS * 4 * max(self.config.channels) * math.prod(size)
        if wanted <= free_bytes():
            return
        fits = int(max(size) * math.sqrt(free_bytes() / wanted)) // 32 * 32
        raise AtelierError(
            f"{wanted / 1e9:.1f} GB of free memory for {size[1]} x {size[0]} pixels",
            f"{free_bytes() / 1e9:.1f} GB",
            f"Choose a size of {fits} or less.",
        )


def _check(strength, keep):
    if not 0 <= strength <= 1:
        raise AtelierError("a strength from 0 to 1", strength, "Correct it.")
    check_keeper(keep)


def _size_of(picture, size):
    height, width = picture.shape[:2]
    scale = 1 if size is None else size / max(height, width)
    return tuple(max(1, round(side * scale)) for side in (height, width))


def _grey(mask):
    return np.repeat(np.uint8(np.rint(mask * 255))[..., None], 3, axis=-1)


def _blend(arrays, shares):
    return sum(share * array for share, array in zip(shares, arrays, strict=True))
