"""Pretrained bodies by name, each with its preprocessing inside.

A body takes RGB in [0, 255] and gives feature maps. It can be cut at a named
layer, and tapped at several. Weights are ImageNet's, and are looked for in
`ATELIER_WEIGHTS`, then in Keras's cache, then downloaded: see `atelier.weights`.

Sources: the architectures, weights and preprocessing are those of Keras
applications (https://keras.io/api/applications), each with its own paper there,
and of keras-hub's image encoders (see `atelier.hub`).
"""

import dataclasses
import difflib
import os
from pathlib import Path

import keras
import numpy as np
from keras import layers

from atelier import hub
from atelier import weights as weights_of
from atelier.errors import AtelierError
from atelier.weights import check_layer

# ImageNet's statistics as Keras's `preprocess_input` uses them.
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)
TORCH_MEAN_RGB = tuple(255 * value for value in (0.485, 0.456, 0.406))
TORCH_STD = (0.229, 0.224, 0.225)


@dataclasses.dataclass(frozen=True)
class Backbone:
    """A body of Keras applications and what it expects."""

    name: str
    application: str  # of keras.applications
    preprocessing: str  # "caffe", "torch", "tf"; "inside" where the body scales by itself;
    # "efficientnet" where it does so, but for one factor
    file: str  # what Keras calls the weights without the top
    options: tuple = ()  # further arguments of the application
    size: int = 224  # pixels that the weights were trained at

    @property
    def cached(self):
        """Where Keras keeps the weights that it fetched."""
        home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
        return home / "models" / self.file


_KERNELS = "weights_tf_dim_ordering_tf_kernels"
_CATALOG = (
    Backbone("resnet50", "ResNet50", "caffe", f"resnet50_{_KERNELS}_notop.h5"),
    Backbone("resnet50v2", "ResNet50V2", "tf", f"resnet50v2_{_KERNELS}_notop.h5"),
    Backbone("vgg19", "VGG19", "caffe", f"vgg19_{_KERNELS}_notop.h5"),
    Backbone("densenet121", "DenseNet121", "torch", f"densenet121_{_KERNELS}_notop.h5"),
    Backbone("densenet169", "DenseNet169", "torch", f"densenet169_{_KERNELS}_notop.h5"),
    Backbone("mobilenetv2", "MobileNetV2", "tf", f"mobilenet_v2_{_KERNELS}_1.0_224_no_top.h5"),
    Backbone("efficientnetb0", "EfficientNetB0", "efficientnet", "efficientnetb0_notop.h5"),
    Backbone(
        "efficientnetb2", "EfficientNetB2", "efficientnet", "efficientnetb2_notop.h5", size=260
    ),
    Backbone(
        "efficientnetb4", "EfficientNetB4", "efficientnet", "efficientnetb4_notop.h5", size=380
    ),
    Backbone("efficientnetv2b0", "EfficientNetV2B0", "inside", "efficientnetv2-b0_notop.h5"),
    Backbone("efficientnetv2s", "EfficientNetV2S", "inside", "efficientnetv2-s_notop.h5", size=384),
    Backbone(  # of its layers only mixed0 to mixed10 keep their names
        "inceptionv3", "InceptionV3", "tf", f"inception_v3_{_KERNELS}_notop.h5", size=299
    ),
    Backbone("convnext_tiny", "ConvNeXtTiny", "inside", "convnext_tiny_notop.h5"),
    Backbone("convnext_small", "ConvNeXtSmall", "inside", "convnext_small_notop.h5"),
)
BACKBONES = {backbone.name: backbone for backbone in (*_CATALOG, *hub.CATALOG)}


def get_backbone(name):
    """A `Backbone` or `HubBackbone` by name.

    Raises:
        AtelierError: if there is none; names that are near are listed.
    """
    if name in BACKBONES:
        return BACKBONES[name]
    near = difflib.get_close_matches(str(name).lower(), BACKBONES, n=3, cutoff=0.3)
    raise AtelierError(
        f"a backbone among {', '.join(BACKBONES)}",
        repr(name),
        f"Did you mean {' or '.join(near or BACKBONES)}?",
    )


def build_backbone(name, *, cut=None, taps=None, image_size=(None, None), weights="imagenet"):
    """Build a body whose input is RGB in [0, 255].

    Args:
        name: see `BACKBONES`.
        cut: name of the last layer to keep; None keeps all but the classifier.
        taps: names of layers whose outputs are wanted, in order; None gives the
            last layer's alone. With taps and no cut, the body ends at the last of them.
        image_size: (height, width) in pixels; None leaves either free.
        weights: "imagenet", or None for random ones.

    Returns:
        A model, (batch, height, width, 3) -> (batch, rows, columns, channels), or a
        list of these, one for each tap.

    Raises:
        AtelierError: if there is no such body, no such layer with feature maps, or no weights.
    """
    backbone = get_backbone(name)
    inputs = keras.Input((*image_size, 3), name="image")
    body = weights_of.application(backbone, _preprocess(inputs, backbone.preprocessing))
    last = _last_layer(body, backbone.name, cut, taps or [])
    body = weights_of.until(body, [last], inputs)
    if weights is not None:
        body.set_weights(weights_of.pretrained(backbone, last).get_weights())
        _settle(body, backbone.preprocessing)
    return weights_of.until(body, taps, inputs) if taps else body


def _last_layer(body, name, cut, taps):
    """Name of the layer where the body ends; None for its own end."""
    order = [layer.name for layer in body.layers if len(layer.output.shape) == 4]
    wanted = [*taps, *([cut] if cut else [])]
    for layer in wanted:
        check_layer(order, layer, name)
    last = max(wanted, key=order.index, default=None)
    if cut and last != cut:
        raise AtelierError(
            f"taps of {name} no later than the cut at {cut}", last, "Cut later, or tap earlier."
        )
    return None if last == order[-1] else last


def weights_at_hand(name, last=None):
    """Whether a body's weights up to a layer are at hand; see `atelier.weights.at_hand`."""
    return weights_of.at_hand(get_backbone(name), last)


def _preprocess(x, how):
    """What the application's `preprocess_input` does, as layers that are saved with the model."""
    if how == "caffe":
        x = keras.ops.flip(x, axis=-1)  # RGB -> BGR
        return layers.Normalization(mean=CAFFE_MEAN_BGR, variance=(1.0,) * 3, name="preprocess")(x)
    if how == "torch":
        return layers.Normalization(
            mean=TORCH_MEAN_RGB,
            variance=tuple((255 * value) ** 2 for value in TORCH_STD),
            name="preprocess",
        )(x)
    if how == "tf":
        return layers.Rescaling(1 / 127.5, offset=-1.0, name="preprocess")(x)
    return x


def _settle(body, how):
    """Let normalisation layers take up their weights, and what EfficientNet keeps beside them.

    Keras divides EfficientNet's normalised input by the square root of ImageNet's
    deviation once more, but only where it loads ImageNet's weights by itself.
    """
    for layer in body.layers:
        if isinstance(layer, layers.Normalization) and layer.weights:
            if how == "efficientnet":
                layer.adapt_variance.assign(layer.adapt_variance * np.float32(TORCH_STD))
            layer.finalize_state()
