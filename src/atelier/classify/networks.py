"""Networks that tell paintings apart: from scratch, or a pretrained body with a head.

Each takes RGB in [0, 255] as (batch, height, width, 3) and carries its own
scaling; each ends in class probabilities in float32, whatever the precision.

Sources: `published_cnn` follows the predecessor's notebook layer by layer.
`atelier_cnn` follows the basic residual block of He et al. 2015,
arXiv:1512.03385, with the average-pooled shortcut of He et al. 2018,
arXiv:1812.01187, and zero-initialised last scales (Goyal et al. 2017,
arXiv:1706.02677).
"""

import keras
from keras import layers

from atelier.backbones import build_backbone
from atelier.classify.heads import FIXED_SIZE, build_head, probabilities
from atelier.classify.multilayer import multilayer
from atelier.errors import AtelierError


def published_cnn(
    num_classes, *, image_size=(224, 224), units=64, dropout=0.5, filters=(32, 64, 128)
):
    """The predecessor's network: three convolutions, one hidden layer.

    Args:
        num_classes: painters to tell apart.
        image_size: (height, width) in pixels; fixed, since the feature map is flattened.
        units: width of the hidden layer; the tuner's first hyperparameter.
        dropout: share of hidden units dropped while training.
        filters: output channels of each 3x3 convolution; each is followed by 2x2 max pooling.

    Returns:
        An uncompiled model, (batch, height, width, 3) in [0, 255] -> (batch, num_classes).
    """
    inputs = keras.Input((*image_size, 3), name="image")
    x = layers.Rescaling(1 / 255, name="scale")(inputs)
    for index, channels in enumerate(filters, start=1):
        x = layers.Conv2D(channels, 3, activation="relu", name=f"conv{index}")(x)
        x = layers.MaxPooling2D(2, name=f"pool{index}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(units, activation="relu", name="hidden")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, probabilities(x, num_classes), name="published_cnn")


def atelier_cnn(
    num_classes, *, image_size=(None, None), stem=32, widths=(64, 128, 256), blocks=2, dropout=0.2
):
    """Ours: a small residual network that looks at brushwork and composition alike.

    Every stage's mean activation reaches the classifier, so that the middle
    layers, which see strokes, count beside the last, which see things.

    Args:
        num_classes: painters to tell apart.
        image_size: (height, width) in pixels; None leaves either free.
        stem: channels of the first convolution, which with its pooling quarters the picture.
        widths: channels of each stage; every stage after the first halves the resolution.
        blocks: residual blocks in each stage.
        dropout: share of pooled features dropped while training.

    Returns:
        An uncompiled model, (batch, height, width, 3) in [0, 255] -> (batch, num_classes).
    """
    inputs = keras.Input((*image_size, 3), name="image")
    x = layers.Rescaling(1 / 64, offset=-2.0, name="scale")(inputs)
    x = _convolution(x, stem, 5, strides=2, name="stem")
    x = layers.ReLU(name="stem_relu")(x)
    x = layers.MaxPooling2D(2, name="stem_pool")(x)
    pooled = []
    for stage, channels in enumerate(widths, start=1):
        for block in range(1, blocks + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            x = _residual_block(x, channels, strides, name=f"stage{stage}_block{block}")
        pooled.append(layers.GlobalAveragePooling2D(name=f"stage{stage}_mean")(x))
    x = layers.Concatenate(name="means")(pooled) if len(pooled) > 1 else pooled[0]
    x = layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(inputs, probabilities(x, num_classes), name="atelier_cnn")


def _residual_block(x, channels, strides, name):
    """Two 3x3 convolutions and a shortcut; it starts as the identity."""
    shortcut = x
    if strides > 1:
        shortcut = layers.AveragePooling2D(strides, padding="same", name=f"{name}_shrink")(shortcut)
    if shortcut.shape[-1] != channels:
        shortcut = _convolution(shortcut, channels, 1, name=f"{name}_project")
    y = _convolution(x, channels, 3, strides=strides, name=f"{name}_first")
    y = layers.ReLU(name=f"{name}_relu")(y)
    y = _convolution(y, channels, 3, name=f"{name}_second", gamma="zeros")
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([shortcut, y]))


def _convolution(x, channels, size, *, name, strides=1, gamma="ones"):
    """Convolution without bias, then batch normalisation."""
    x = layers.Conv2D(
        channels,
        size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(gamma_initializer=gamma, name=f"{name}_norm")(x)


def transfer(
    num_classes,
    *,
    backbone,
    head,
    cut=None,
    weights="imagenet",
    head_options=None,
    image_size=(None, None),
):
    """A pretrained body and a head, as one flat model.

    Args:
        num_classes: classes to tell apart.
        backbone: name of the body; see `atelier.backbones`.
        head: name of the head; see `classify.heads`.
        cut: the body's last layer; None keeps all of it.
        weights: "imagenet", or None for random ones.
        head_options: of the head.
        image_size: (height, width) in pixels; used where the head needs it, else left free.

    Returns:
        An uncompiled model, (batch, height, width, 3) in [0, 255] -> (batch, num_classes).
    """
    size = tuple(image_size) if head in FIXED_SIZE else (None, None)
    body = build_backbone(backbone, cut=cut, image_size=size, weights=weights)
    x = build_head(head, body.output, **(head_options or {}))
    return keras.Model(body.input, probabilities(x, num_classes), name=f"{backbone}_{head}")


NETWORKS = {
    network.__name__: network for network in (published_cnn, atelier_cnn, transfer, multilayer)
}


def build_network(name, num_classes, **options):
    """Build a network by name.

    Raises:
        AtelierError: if no network has that name.
    """
    if name not in NETWORKS:
        raise AtelierError(
            f"one of the networks {', '.join(NETWORKS)}",
            repr(name),
            "Correct the recipe's network.",
        )
    return NETWORKS[name](num_classes, **options)
