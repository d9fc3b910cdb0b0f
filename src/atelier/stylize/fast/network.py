"""The network that paints any picture in any style, in one pass.

Sources: the layout is Johnson et al. 2016 (arXiv:1603.08155), with resized maps and
convolutions instead of transposed ones (Odena et al. 2016, doi:10.23915/distill.00003); a code
read off the style scales and shifts its maps as in Ghiasi et al. 2017 (arXiv:1705.06830).
Differs: nothing is normalised, since colors are matched before and since a normalised network
hides bright blobs in plain regions (Karras et al. 2020, arXiv:1912.04958, found why); maps of
full and half size go round the blocks; the style's encoder is small, learned with the rest, and
sees statistics of its own maps, as Huang & Belongie 2017 (arXiv:1703.06868) compare them.
"""

import keras
from keras import layers

from atelier.layers import ChannelStatistics, ReflectionPadding2D, StyleModulation

STRIDE = 4  # sides of pictures must be multiples of it
STYLE_ENCODER, PAINTER = "style_encoder", "painter"


def build_network(config):
    """The whole network: (content, style) pictures in [0, 255] to stylized ones.

    Args:
        config: a `FastConfig`.

    Returns:
        A Keras model of two inputs, (b, h, w, 3) and (b, rows, columns, 3), any sizes that are
        multiples of STRIDE. Its layers STYLE_ENCODER (picture -> code) and PAINTER (picture and
        code -> picture, (b, h, w, 3) float32 about [0, 255]) are models of their own.
    """
    content = keras.Input((None, None, 3), name="content")
    style = keras.Input((None, None, 3), name="style")
    encoder, painter = style_encoder(config), build_painter(config)
    return keras.Model([content, style], painter([content, encoder(style)]), name=config.name)


def style_encoder(config):
    """Pictures to codes, (b, rows, columns, 3) -> (b, code)."""
    picture = keras.Input((None, None, 3), name="style")
    x, found = layers.Rescaling(1 / 127.5, offset=-1.0)(picture), []
    for channels in config.style_channels:
        x = layers.Activation("relu")(_convolution(x, channels, 3, 2))
        found.append(ChannelStatistics()(x))
    joined = layers.Concatenate(dtype="float32")(found)
    code = layers.Dense(config.code, dtype="float32", name="code")(joined)
    return keras.Model(picture, code, name=STYLE_ENCODER)


def build_painter(config):
    """Pictures and codes to pictures."""
    picture = keras.Input((None, None, 3), name="content")
    code = keras.Input((config.code,), name="code")
    style = layers.Activation("silu", dtype="float32")(code)
    fine, middle, coarse = config.channels
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(picture)
    x = full = _styled(_convolution(x, fine, 7, 1), style)
    x = half = _styled(_convolution(x, middle, 3, 2), style)
    x = _styled(_convolution(x, coarse, 3, 2), style)
    for _ in range(config.blocks):
        y = _styled(_convolution(x, coarse, 3, 1), style)
        y = StyleModulation()([_convolution(y, coarse, 3, 1), style])
        x = layers.Add()([x, y])
    for channels, seen in ((middle, half), (fine, full)):
        x = layers.UpSampling2D(2, interpolation="nearest")(x)
        x = _convolution(x, channels, 3, 1)
        if config.skips:
            x = layers.Add()([x, _convolution(seen, channels, 1, 1)])
        x = _styled(x, style)
    x = _convolution(x, 3, 7, 1, kernel_initializer=keras.initializers.VarianceScaling(0.02))
    scaled = layers.Rescaling(127.5, offset=127.5, dtype="float32")(x)
    return keras.Model([picture, code], scaled, name=PAINTER)


def _styled(x, style):
    return layers.Activation("relu")(StyleModulation()([x, style]))


def _convolution(x, channels, kernel, stride, **options):
    """A convolution that mirrors the map at its edges; a stride of 2 halves an even size."""
    if kernel > 1:
        x = ReflectionPadding2D(kernel // 2)(x)
    return layers.Conv2D(channels, kernel, strides=stride, padding="valid", **options)(x)
