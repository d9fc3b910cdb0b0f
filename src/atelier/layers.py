"""Layers of networks that paint, written in `keras.ops` and known to Keras by name.

Sources: reflection padding is Johnson et al. 2016 (arXiv:1603.08155); a scale and shift that
another picture decides is Perez et al. 2018 (arXiv:1709.07871).
"""

import keras
import numpy as np
from keras import ops

_EPSILON = 1e-5


@keras.saving.register_keras_serializable(package="atelier")
class ReflectionPadding2D(keras.layers.Layer):
    """Mirror a map at its edges: (b, h, w, c) -> (b, h + 2 p, w + 2 p, c).

    Args:
        padding: p, positions on every side; less than h and w.
    """

    def __init__(self, padding, **options):
        super().__init__(**options)
        self.padding = padding

    def call(self, x):
        """Pad the rows and columns."""
        edge = (self.padding, self.padding)
        return ops.pad(x, ((0, 0), edge, edge, (0, 0)), mode="reflect")

    def compute_output_shape(self, shape):
        """Rows and columns grow, where they are known."""
        batch, *sides, channels = shape
        grown = (None if side is None else side + 2 * self.padding for side in sides)
        return (batch, *grown, channels)

    def get_config(self):
        """The layer's arguments."""
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable(package="atelier")
class ResizeConv2D(keras.layers.Layer):
    """Enlarge a map twice and convolve it: (b, h, w, c) -> (b, 2 h, 2 w, filters).

    The same as doubling rows and columns (nearest), mirroring the doubled map at its edges
    (symmetric) and a convolution, but computed at the size before: a kernel that sees every
    position twice is four smaller ones, one for each position of a square of 2 x 2. That takes
    less than half of the products.

    Args:
        filters: channels of the result.
        kernel_size: an odd number of positions, 3 or more.
        kernel_initializer: of the kernel as it would be after doubling.
    """

    def __init__(self, filters, kernel_size, kernel_initializer="glorot_uniform", **options):
        super().__init__(**options)
        if kernel_size < 3 or not kernel_size % 2:
            raise ValueError(f"Expected an odd kernel_size of 3 or more. Received: {kernel_size}.")
        self.filters, self.kernel_size = filters, kernel_size
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, shape):
        """Make the kernel and the bias."""
        size = self.kernel_size
        self.kernel = self.add_weight(
            (size, size, shape[-1], self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        self.bias = self.add_weight((self.filters,), initializer="zeros", name="bias")

    def call(self, x):
        """Convolve once for all four positions, then put them side by side."""
        height, width = ops.shape(x)[1:3]
        edge = (self.kernel_size + 1) // 4
        x = ops.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)), mode="symmetric")
        made = ops.conv(x, self._folded(x.dtype), padding="valid")
        apart = self.kernel_size % 4 == 3  # whether the second position's taps begin one later
        low = (0, int(apart))
        made = ops.reshape(made, (-1, height + apart, width + apart, 2, 2, self.filters))
        rows = [
            ops.stack(
                [made[:, low[p] : low[p] + height, low[q] : low[q] + width, p, q] for q in (0, 1)],
                axis=3,
            )
            for p in (0, 1)
        ]
        made = ops.reshape(ops.stack(rows, axis=2), (-1, 2 * height, 2 * width, self.filters))
        return made + ops.cast(self.bias, made.dtype)

    def _folded(self, dtype):
        """The kernel as four on the map before, (taps, taps, c, 4 filters)."""
        folds = ops.convert_to_tensor(_folds(self.kernel_size), "float32")
        kernel = ops.cast(self.kernel, "float32")
        kernel = ops.einsum("pik,qjl,klcf->ijcpqf", folds, folds, kernel)
        taps, channels = folds.shape[1], self.kernel.shape[2]
        return ops.cast(ops.reshape(kernel, (taps, taps, channels, 4 * self.filters)), dtype)

    def compute_output_shape(self, shape):
        """Twice the rows and columns, where they are known."""
        batch, *sides, _ = shape
        return (batch, *(None if side is None else 2 * side for side in sides), self.filters)

    def get_config(self):
        """The layer's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


def _folds(kernel_size):
    """Which taps of a kernel see the same position before doubling, (2, taps, kernel_size)."""
    offsets = np.arange(kernel_size) - kernel_size // 2
    seen = np.stack([(phase + offsets) // 2 for phase in (0, 1)])
    seen -= seen[:, :1]
    return np.float32(seen[:, None] == np.arange(seen.max() + 1)[:, None])


@keras.saving.register_keras_serializable(package="atelier")
class ChannelStatistics(keras.layers.Layer):
    """Mean and standard deviation of every channel: (b, h, w, c) -> (b, 2 c), float32."""

    def __init__(self, **options):
        super().__init__(**{**options, "dtype": "float32"})

    def call(self, x):
        """Means first, then deviations."""
        mean, variance = ops.moments(x, axes=(1, 2))
        return ops.concatenate([mean, ops.sqrt(variance + _EPSILON)], axis=-1)

    def compute_output_shape(self, shape):
        """Two numbers a channel."""
        return (shape[0], 2 * shape[-1])


@keras.saving.register_keras_serializable(package="atelier")
class StyleModulation(keras.layers.Layer):
    """Scale and shift every channel as a style code says (FiLM).

    Takes a (b, h, w, c) map and (b, d) codes; gives a map of the same shape. Every position is
    treated alike and by itself, so that what becomes of it does not depend on the picture's size.
    """

    def build(self, shapes):
        """A linear map from the code to 2 c numbers, small at first."""
        (*_, channels), code = shapes
        self.affine = keras.layers.Dense(
            2 * channels,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
            dtype="float32",
            name="affine",
        )
        self.affine.build(code)

    def call(self, inputs):
        """One plus the gain, times the map, plus the shift."""
        x, code = inputs
        gain, shift = ops.split(self.affine(code)[:, None, None], 2, axis=-1)
        return x * ops.cast(1.0 + gain, x.dtype) + ops.cast(shift, x.dtype)

    def compute_output_shape(self, shapes):
        """That of the map."""
        return shapes[0]


@keras.saving.register_keras_serializable(package="atelier")
class HalvingMaxPooling2D(keras.layers.Layer):
    """Largest of every 2 x 2 positions: (b, h, w, c) -> (b, h // 2, w // 2, c).

    What `MaxPooling2D` gives, by three comparisons of slices: the gradient of a pooling window is
    many times slower with XLA on a CPU. Where several positions are the largest, they share the
    gradient.
    """

    def call(self, x):
        """Compare rows, then columns; an odd last one is left out."""
        rows, columns = (side // 2 * 2 for side in ops.shape(x)[1:3])
        x = ops.maximum(x[:, 0:rows:2], x[:, 1:rows:2])
        return ops.maximum(x[:, :, 0:columns:2], x[:, :, 1:columns:2])

    def compute_output_shape(self, shape):
        """Half of the rows and columns, where they are known."""
        batch, *sides, channels = shape
        return (batch, *(None if side is None else side // 2 for side in sides), channels)
