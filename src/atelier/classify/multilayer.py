"""A classifier that reads several layers of one or more pretrained bodies at once.

Middle layers see brushwork, last layers see objects. Each layer's map becomes
vectors by its channels' mean, standard deviation, or covariance; all are
brought to one scale and joined, and one Dense layer decides. That layer and the
scales can be fitted by a regression (see `classify.probe`), and all of it can be
fine-tuned.

Sources: second-order pooling of convolutional features is Lin et al. 2015
(arXiv:1504.07889), with their signed square root and unit length; as a
description of style it is Gatys et al. 2015 (arXiv:1508.06576). Differs:
channels are first projected on a few directions, so that the vector stays short.
"""

import keras
import numpy as np
from keras import layers, ops

from atelier.backbones import build_backbone
from atelier.classify.heads import probabilities
from atelier.errors import AtelierError

POOLINGS = ("mean", "std", "covariance")
FEATURES, SCALE = "pooled_features", "feature_scale"  # layers that the probe fills
DIRECTIONS = "_directions"  # how the names of layers that project channels end
_EPSILON = 1e-6


def multilayer(
    num_classes,
    *,
    taps,
    pooling=POOLINGS,
    directions=96,
    dropout=0.0,
    image_size=(224, 224),
    weights="imagenet",
):
    """Several layers of pretrained bodies, pooled, and a Dense layer on all of them.

    Args:
        num_classes: classes to tell apart.
        taps: names of layers with their body, such as "resnet50/conv4_block2_out".
        pooling: what is taken of each layer; see POOLINGS.
        directions: that channels are projected on before their covariance is taken.
        dropout: share of features dropped while training.
        image_size: (height, width) in pixels; fixed, since positions are counted.
        weights: "imagenet", or None for random ones.

    Returns:
        An uncompiled model, (batch, height, width, 3) in [0, 255] -> (batch, num_classes).

    Raises:
        AtelierError: if a tap names no body or no layer of it, or a pooling is unknown.
    """
    _check(taps, pooling)
    inputs = keras.Input((*image_size, 3), name="image")
    pooled = []
    for tap, x in _tapped(inputs, _by_body(taps), image_size, weights):
        pooled += [_POOL[how](x, directions, tap.replace("/", "_")) for how in pooling]
    x = layers.Concatenate(name=FEATURES, dtype="float32")(pooled)
    # Its statistics are the training pictures', set once by the probe.
    x = layers.BatchNormalization(
        center=False, scale=False, epsilon=1e-12, name=SCALE, dtype="float32"
    )(x)
    if dropout:
        x = layers.Dropout(dropout, name="head_dropout", dtype="float32")(x)
    return keras.Model(inputs, probabilities(x, num_classes), name="multilayer")


def _check(taps, pooling):
    wrong = [tap for tap in taps if "/" not in tap]
    if wrong or not taps:
        raise AtelierError(
            "taps such as resnet50/conv4_block2_out",
            ", ".join(wrong) or "none",
            "Correct the taps.",
        )
    unknown = [how for how in pooling if how not in POOLINGS]
    if unknown or not pooling:
        raise AtelierError(
            f"pooling by {', '.join(POOLINGS)}",
            ", ".join(unknown) or "none",
            "Correct the pooling.",
        )


def _by_body(taps):
    """Dict of body -> its layers, in the order given."""
    bodies = {}
    for tap in taps:
        body, _, layer = tap.partition("/")
        bodies.setdefault(body, []).append(layer)
    return bodies


def _tapped(inputs, bodies, image_size, weights):
    """Pairs of (tap, its map) for all bodies, as one flat graph over the same input."""
    for name, wanted in bodies.items():
        body = build_backbone(name, taps=wanted, image_size=image_size, weights=weights)
        maps = _grafted(body, inputs, f"{name}_" if len(bodies) > 1 else "")
        for layer, x in zip(wanted, maps, strict=True):
            yield f"{name}/{layer}", x


def _grafted(body, inputs, prefix):
    """A body's outputs over another input, its layers under names of their own."""

    def renamed(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "name": f"{prefix}{layer.name}"})

    copy = keras.models.clone_model(body, input_tensors=inputs, clone_function=renamed)
    copy.set_weights(body.get_weights())
    return copy.outputs


def _mean(x, directions, name):
    return layers.GlobalAveragePooling2D(name=f"{name}_mean", dtype="float32")(x)


def _std(x, directions, name):
    x = ops.cast(x, "float32")
    mean = ops.mean(x, axis=(1, 2))
    variance = ops.mean(ops.square(x), axis=(1, 2)) - ops.square(mean)
    return ops.sqrt(ops.maximum(variance, 0.0) + _EPSILON)


def _covariance(x, directions, name):
    """(b, h, w, c) -> (b, k * k): second moments of k projections, whose mean the bias removes."""
    rows, columns, channels = x.shape[1:]
    kept = min(directions, channels)
    x = layers.Conv2D(kept, 1, name=directions_of(name), dtype="float32")(x)
    x = layers.Reshape((rows * columns, kept), name=f"{name}_places")(x)
    x = layers.Dot(axes=1, name=f"{name}_moments", dtype="float32")([x, x])
    x = layers.Reshape((kept * kept,), name=f"{name}_covariance")(x)
    x = layers.Rescaling(1 / (rows * columns), name=f"{name}_per_place", dtype="float32")(x)
    x = ops.sign(x) * (ops.sqrt(ops.abs(x) + _EPSILON) - _EPSILON**0.5)
    return layers.UnitNormalization(name=f"{name}_unit", dtype="float32")(x)


def directions_of(tap):
    """Name of the layer that projects a tap's channels."""
    return f"{tap.replace('/', '_')}{DIRECTIONS}"


_POOL = {"mean": _mean, "std": _std, "covariance": _covariance}


def blocks(network):
    """Slices of the joined features, one for each tap and pooling, in order."""
    joined = network.get_layer(FEATURES).input
    widths = [x.shape[-1] for x in (joined if isinstance(joined, list) else [joined])]
    ends = np.cumsum(widths)
    return [slice(int(end - width), int(end)) for end, width in zip(ends, widths, strict=True)]
