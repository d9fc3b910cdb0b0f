"""A vision transformer's tokens and the feature maps that its patches make: layers for both ways.

Patches become tokens with their positions added; tokens that are no patches (the
class token, registers) stand in front. Between blocks the patches are laid out as a
map and gathered again, so that a body can be cut, tapped and explained there.

Sources: patches as tokens are Dosovitskiy et al. 2020 (arXiv:2010.11929), registers
Darcet et al. 2023 (arXiv:2309.16588); positions are resized by the cubic convolution
of Keys 1981. Differs: positions are kept as they were trained and resized in every
call, so that pictures may have any size, and nothing is lost where they are saved.
"""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="atelier")
class PatchTokens(layers.Layer):
    """A map of patches -> tokens, (b, rows, columns, c) -> (b, extra + rows * columns, c).

    Args:
        side: rows, and columns, of the grid that positions were trained on.
        extra: tokens in front that are no patches.
        antialias: whether positions are blurred where their grid shrinks.
    """

    def __init__(self, side, extra=0, antialias=False, **kwargs):
        super().__init__(**kwargs)
        self.side, self.extra, self.antialias = side, extra, antialias

    def build(self, input_shape):
        """Make `grid`, (side, side, c), and `front`, (extra, c), which holds its positions too."""
        width = input_shape[-1]
        self.grid = self.add_weight(
            (self.side, self.side, width), "zeros", name="grid", autocast=False
        )
        if self.extra:
            self.front = self.add_weight((self.extra, width), "zeros", name="front")

    def call(self, patches):
        """Add positions, put what is no patch in front."""
        batch, rows, columns, width = ops.shape(patches)
        positions = ops.cast(resized(self.grid, rows, columns, self.antialias), patches.dtype)
        x = ops.reshape(patches + positions, (batch, rows * columns, width))
        if not self.extra:
            return x
        front = ops.broadcast_to(ops.cast(self.front, patches.dtype), (batch, self.extra, width))
        return ops.concatenate([front, x], axis=1)

    def compute_output_shape(self, input_shape):
        """As many tokens as patches, and those in front."""
        batch, rows, columns, width = input_shape
        count = None if None in (rows, columns) else self.extra + rows * columns
        return batch, count, width

    def get_config(self):
        """What the layer is built with."""
        own = {"side": self.side, "extra": self.extra, "antialias": self.antialias}
        return {**super().get_config(), **own}


class _Between(layers.Layer):
    """A layer that knows how many tokens stand in front."""

    def __init__(self, extra=0, **kwargs):
        super().__init__(**kwargs)
        self.extra = extra

    def get_config(self):
        return {**super().get_config(), "extra": self.extra}


@keras.saving.register_keras_serializable(package="atelier")
class TokenMap(_Between):
    """[tokens, any map of their patches] -> the patches' tokens, (b, rows, columns, c)."""

    def call(self, inputs):
        """Drop what is no patch, lay out the rest in rows and columns."""
        tokens, patches = inputs
        batch, rows, columns, _ = ops.shape(patches)
        return ops.reshape(tokens[:, self.extra :], (batch, rows, columns, tokens.shape[-1]))

    def compute_output_shape(self, input_shape):
        """Rows and columns of the map, channels of the tokens."""
        tokens, patches = input_shape
        return *patches[:3], tokens[-1]


@keras.saving.register_keras_serializable(package="atelier")
class MapTokens(_Between):
    """[tokens, map of their patches] -> the same tokens, the patches' taken from the map."""

    def call(self, inputs):
        """Keep what is no patch, put the map's positions behind it one by one."""
        tokens, patches = inputs
        batch, rows, columns, width = ops.shape(patches)
        x = ops.reshape(patches, (batch, rows * columns, width))
        return ops.concatenate([tokens[:, : self.extra], x], axis=1) if self.extra else x

    def compute_output_shape(self, input_shape):
        """That of the tokens."""
        return tuple(input_shape[0])


def resized(grid, rows, columns, antialias=False):
    """A grid at another size, (side, side, c) -> (rows, columns, c), float32.

    Two matrix products, since TensorFlow's bicubic resize cannot be compiled by XLA.
    """
    down, across = (cubic_weights(n, grid.shape[0], antialias) for n in (rows, columns))
    return ops.einsum("yi,xj,ijc->yxc", down, across, ops.cast(grid, "float32"))


def cubic_weights(size, source, antialias=False):
    """How much each of `source` places counts for each of `size`, (size, source); rows sum to 1.

    Args:
        size: places wanted along a side, an integer or a scalar tensor.
        source: places that there are.
        antialias: widen the kernel where places become fewer.
    """
    scale = source / ops.cast(size, "float32")
    centers = (ops.cast(ops.arange(size), "float32") + 0.5) * scale - 0.5
    away = ops.abs(centers[:, None] - ops.cast(ops.arange(source), "float32")[None, :])
    away = away / ops.maximum(scale, 1.0) if antialias else away
    near = (1.5 * away - 2.5) * away * away + 1
    far = ((-0.5 * away + 2.5) * away - 4) * away + 2
    weights = ops.where(away < 1, near, ops.where(away < 2, far, 0.0))
    return weights / ops.sum(weights, axis=1, keepdims=True)
