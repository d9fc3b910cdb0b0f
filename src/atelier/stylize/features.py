"""One body with several taps: what a style transfer sees of a picture.

Source: the taps are Gatys et al. 2015 (arXiv:1508.06576); reflection around the picture
keeps the body's own padding with zeros from being painted as a frame. Differs: maps are cut
back to the picture, so the reflection itself is never compared.
"""

import math

import keras
from keras import ops

from atelier import backbones, runs
from atelier.errors import AtelierError
from atelier.layers import HalvingMaxPooling2D
from atelier.stylize.losses import gram_matrix, mask_at

SMALLEST = 32  # pixels of the shorter side that bodies can make something of


class Features:
    """The maps of some layers of a pretrained body.

    Args:
        backbone: see `atelier.backbones`.
        content_layers: names of layers whose maps are wanted.
        style_layers: the same, of those whose Gram matrices are.
        padding: pixels of reflection around the picture.
        weights: "imagenet", or None for random ones.
        precision: "float32" or "mixed_bfloat16" of the body; Gram matrices are in float32 either
            way. None takes Keras's at present.

    Raises:
        AtelierError: if there is no such layer, or the weights at hand end before it;
            it lists the layers that are there.
    """

    def __init__(
        self,
        backbone,
        content_layers,
        style_layers,
        *,
        padding=0,
        weights="imagenet",
        precision=None,
    ):
        self.content_layers, self.style_layers = tuple(content_layers), tuple(style_layers)
        self.padding, self.compiled = padding, {}  # what a loss compiles for this body
        self.layers = names = list(dict.fromkeys((*self.content_layers, *self.style_layers)))
        if not self.style_layers or not self.content_layers:
            raise AtelierError("at least one content and one style layer", "none", "Name some.")
        with runs.precision(precision or keras.config.dtype_policy()):
            self.model = _quicker(backbones.build_backbone(backbone, taps=names, weights=weights))
        self.model.trainable = False
        shapes = self.model.compute_output_shape((1, 256, 256, 3))
        shapes = [shapes] if len(names) == 1 else shapes
        self._strides = {name: 256 // shape[1] for name, shape in zip(names, shapes, strict=True)}

    def maps(self, picture):
        """Dict of layer -> (b, rows, columns, channels), of (b, h, w, 3) pictures in [0, 255]."""
        if self.padding:
            edge = (self.padding, self.padding)
            picture = ops.pad(picture, ((0, 0), edge, edge, (0, 0)), mode="reflect")
        found = self.model(picture, training=False)
        found = found if isinstance(found, list) else [found]
        return {
            name: self._within(x, self._strides[name])
            for name, x in zip(self._strides, found, strict=True)
        }

    def _within(self, x, stride):
        """Cut a map back to the picture."""
        edge = self.padding // stride
        if not edge:
            return x
        rows, columns = ops.shape(x)[1:3]
        return x[:, edge : rows - edge, edge : columns - edge]

    def grams(self, maps, mask=None):
        """Gram matrices of the style layers, (b, c, c) each; of a region where there is a mask."""
        return [self._gram(maps[name], mask) for name in self.style_layers]

    def contents(self, maps):
        """Maps of the content layers in float32."""
        return [ops.cast(maps[name], "float32") for name in self.content_layers]

    @staticmethod
    def _gram(x, mask):
        size = tuple(ops.shape(x)[1:3])
        return gram_matrix(x, None if mask is None else mask_at(mask, size))


def _quicker(body):
    """A body with the same weights, whose poolings have quick gradients on JAX too."""
    if keras.backend.backend() != "jax":
        return body

    def quicker(layer):
        halving = isinstance(layer, keras.layers.MaxPooling2D) and layer.pool_size == (2, 2)
        if not halving or layer.strides != (2, 2) or layer.padding != "valid":
            return layer.__class__.from_config(layer.get_config())
        return HalvingMaxPooling2D(name=layer.name, dtype=layer.dtype_policy)

    found = keras.models.clone_model(body, clone_function=quicker)
    found.set_weights(body.get_weights())
    return found


def check_size(name, size, *, least=SMALLEST):
    """Refuse a picture that is too small to be looked at.

    Args:
        name: what picture it is, for the message.
        size: (height, width) in pixels.
        least: pixels that its shorter side must have.
    """
    if min(size) < least:
        raise AtelierError(
            f"a {name} picture of at least {least} pixels on its shorter side",
            f"{size[1]} x {size[0]}",
            "Choose a larger size, or a picture that is less narrow.",
        )


def map_bytes(features, size):
    """Bytes of every map that one pass over a picture computes, in float32.

    Args:
        features: `Features`.
        size: (height, width) in pixels.

    Returns:
        List of a number a layer.
    """
    height, width = (side + 2 * features.padding for side in size)
    outputs = [layer.output for layer in features.model.layers[1:]]
    every = keras.Model(features.model.input, outputs)
    shapes = every.compute_output_shape((1, height, width, 3))
    return [4 * math.prod(shape) for shape in shapes]
