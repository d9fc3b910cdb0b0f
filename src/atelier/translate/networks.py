"""Generators and critics of unpaired translation, as functional models on pictures in [0, 255].

Sources: the generator of residual blocks and the 70 x 70 PatchGAN are those of Zhu et al. 2017
(arXiv:1703.10593); `published` is the predecessor's, an encoder with strides, residual blocks
and a decoder that sees the encoder's maps again. Differs: maps are enlarged by resizing and a
convolution (Odena et al. 2016, doi:10.23915/distill.00003); transposed convolutions, which leave
a checkerboard, are an option. So is a generator that makes what is added to a picture, as
DeblurGAN's (Kupyn et al. 2018, arXiv:1711.07064): it begins with the picture itself, which a short
training does not get back to otherwise.
"""

import keras
from keras import layers

from atelier.errors import AtelierError
from atelier.layers import ReflectionPadding2D, ResizeConv2D

STRIDE = 4  # sides of pictures must be multiples of it
SMALLEST = 16  # pixels of a side that the critic's four levels can make something of
GENERATORS, UPSAMPLINGS = ("resnet", "published", "light"), ("resize", "transposed")
_DEVIATION = 0.02  # of the initial weights, as in the paper


def build_generator(config, name):
    """A network from pictures to pictures of the same size.

    Args:
        config: a `TranslateConfig`: generator, channels, blocks, upsampling and residual.
        name: of the model.

    Returns:
        (b, h, w, 3) in [0, 255] -> (b, h, w, 3) float32 in [0, 255]; sides are multiples of STRIDE.

    Raises:
        AtelierError: if there is no such generator or upsampling.
    """
    for found, known in ((config.generator, GENERATORS), (config.upsampling, UPSAMPLINGS)):
        if found not in known:
            raise AtelierError(f"one of {', '.join(known)}", repr(found), "Correct the recipe.")
    picture = keras.Input((None, None, 3), name="picture")
    scaled = layers.Rescaling(1 / 127.5, offset=-1.0)(picture)
    deviation = _DEVIATION / 10 if config.residual else _DEVIATION
    x = _BODIES[config.generator](scaled, config)
    if config.generator == "light":
        x = ResizeConv2D(3, 5, kernel_initializer=_initial(deviation))(x)
    else:
        x = _convolution(x, 3, 7, deviation=deviation)
    x = layers.Activation("tanh", dtype="float32")(x)
    if config.residual:
        x = layers.Add(dtype="float32")([scaled, x])
        x = layers.Activation("hard_tanh", dtype="float32")(x)
    painted = layers.Rescaling(127.5, offset=127.5, dtype="float32")(x)
    return keras.Model(picture, painted, name=name)


def _resnet(x, config):
    """Two strides down, residual blocks, two steps up."""
    x = _block(x, config.channels, 7)
    x = _block(x, 2 * config.channels, 3, 2)
    x = _block(x, 4 * config.channels, 3, 2)
    for _ in range(config.blocks):
        x = _residual(x, 4 * config.channels)
    x = _larger(x, 2 * config.channels, config.upsampling)
    return _larger(x, config.channels, config.upsampling)


def _published(x, config):
    """The same with maps of full and of half size led round the blocks."""
    full = _block(x, config.channels, 7)
    half = _block(full, 2 * config.channels, 3, 2)
    x = _block(half, 4 * config.channels, 3, 2)
    for _ in range(config.blocks):
        x = _residual(x, 4 * config.channels)
    x = layers.Concatenate()([_larger(x, 2 * config.channels, config.upsampling), half])
    x = layers.Concatenate()([_larger(x, config.channels, config.upsampling), full])
    return _block(x, config.channels, 3)


def _light(x, config):
    """The same with no maps of full size, which cost a CPU most and are the fewest channels."""
    x = _block(x, config.channels, 5, 2)
    x = _block(x, 2 * config.channels, 3, 2)
    for _ in range(config.blocks):
        x = _residual(x, 2 * config.channels)
    return _larger(x, config.channels, config.upsampling)


_BODIES = {"resnet": _resnet, "published": _published, "light": _light}


def _block(x, channels, kernel, stride=1):
    return layers.Activation("relu")(_normal(_convolution(x, channels, kernel, stride)))


def _residual(x, channels):
    y = _block(x, channels, 3)
    return layers.Add()([x, _normal(_convolution(y, channels, 3))])


def _larger(x, channels, upsampling):
    """Twice the rows and columns."""
    if upsampling == "resize":
        y = ResizeConv2D(channels, 3, kernel_initializer=_initial())(x)
        return layers.Activation("relu")(_normal(y))
    y = layers.Conv2DTranspose(
        channels, 3, strides=2, padding="same", kernel_initializer=_initial()
    )(x)
    return layers.Activation("relu")(_normal(y))


def _convolution(x, channels, kernel, stride=1, deviation=_DEVIATION):
    """A convolution that mirrors the map at its edges; a stride of 2 halves an even size."""
    x = ReflectionPadding2D(kernel // 2)(x)
    initial = _initial(deviation)
    return layers.Conv2D(channels, kernel, strides=stride, kernel_initializer=initial)(x)


def _normal(x):
    """Instance normalization."""
    return layers.GroupNormalization(groups=-1, epsilon=1e-5)(x)


def _initial(deviation=_DEVIATION):
    return keras.initializers.RandomNormal(stddev=deviation)


def build_critic(config, name):
    """A PatchGAN: every output judges a patch of 70 x 70 pixels, at three levels of strides.

    Args:
        config: a `TranslateConfig`: critic_channels and critic_levels.
        name: of the model.

    Returns:
        (b, h, w, 3) in [0, 255] -> (b, rows, columns, 1) float32, about 1 where a picture looks
        real and about 0 where it looks made.
    """
    picture = keras.Input((None, None, 3), name="picture")
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(picture)
    for level in range(config.critic_levels + 1):
        last = level == config.critic_levels
        x = _patches(x, min(8, 2**level) * config.critic_channels, 1 if last else 2)
        if level:
            x = _normal(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Activation("linear", dtype="float32", name="score")(_patches(x, 1, 1))
    return keras.Model(picture, x, name=name)


def _patches(x, channels, stride):
    """A convolution of 4 x 4 positions."""
    x = layers.ZeroPadding2D(1)(x)
    return layers.Conv2D(channels, 4, strides=stride, kernel_initializer=_initial())(x)


def frozen(network, x):
    """What a network makes of x, its weights taken as constants: no gradient reaches them."""
    weights = [keras.ops.stop_gradient(variable.value) for variable in network.trainable_variables]
    constants = [variable.value for variable in network.non_trainable_variables]
    return network.stateless_call(weights, constants, x, training=True)[0]
