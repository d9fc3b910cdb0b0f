"""Layers of networks that paint, written in `keras.ops` and known to Keras by name.

Sources: reflection padding is Johnson et al. 2016 (arXiv:1603.08155); a scale and shift that
another picture decides is Perez et al. 2018 (arXiv:1709.07871).
"""

import keras
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
