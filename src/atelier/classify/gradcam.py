"""Grad-CAM: where in a picture a network sees a class.

Source: Selvaraju et al. 2016, arXiv:1610.02391. A channel's weight is the gradient of
the class's score before the softmax, averaged over positions; the heatmap is the
positive part of the weighted sum of channels.

That mean is computed as the gradient with respect to an offset of the whole channel,
divided by the number of positions, which is the same. So one backward pass serves
layers of any size, several at once, and inside residual blocks too.
"""

import dataclasses
import math

import keras
import numpy as np
from keras import layers as keras_layers
from keras import ops

from atelier.classify.multilayer import DIRECTIONS
from atelier.errors import AtelierError
from atelier.gradients import gradient_function
from atelier.weights import check_layer


@dataclasses.dataclass(frozen=True)
class Heatmaps:
    """What a network sees in a batch of pictures."""

    maps: dict[str, np.ndarray]  # layer -> (batch, rows, columns) float32, at least 0
    classes: np.ndarray  # (batch,) integers: what is explained
    probabilities: np.ndarray  # (batch, num_classes)


class GradCam:
    """Grad-CAM of one network at some of its layers, compiled once for all pictures.

    Args:
        network: a flat functional or sequential classifier, (batch, height, width, 3) ->
            (batch, num_classes). Its score is what enters the final softmax, or its
            output where it does not end in one.
        layers: names of layers with feature maps; None takes the last one.

    Raises:
        AtelierError: if a layer does not exist or has no feature map.
    """

    def __init__(self, network, layers=None):
        self.layers = _usable(network, layers)
        self._graph = _with_offsets(network, self.layers)
        self._channels = [network.get_layer(name).output.shape[-1] for name in self.layers]
        self._gradients = gradient_function(self._score, network.variables, has_aux=True)

    def __call__(self, images, classes=None):
        """Explain pictures of the network's size.

        Args:
            images: (batch, height, width, 3), RGB in [0, 255].
            classes: (batch,) integers to explain; None explains the likeliest.

        Returns:
            `Heatmaps`, not normalized.
        """
        offsets = [np.zeros((len(images), 1, 1, c), "float32") for c in self._channels]
        images = np.asarray(images, "float32")
        if classes is not None:
            classes = np.asarray(classes, "int32")
        (_, told), gradients = self._gradients(offsets, images, classes)
        features, classes, probabilities = keras.tree.map_structure(ops.convert_to_numpy, told)
        maps = [
            _heatmap(feature, ops.convert_to_numpy(gradient))
            for feature, gradient in zip(features, gradients, strict=True)
        ]
        return Heatmaps(dict(zip(self.layers, maps, strict=True)), classes, probabilities)

    def _score(self, offsets, images, classes):
        """Score of the classes, summed over the batch; feature maps, classes, probabilities."""
        scores, probabilities, *features = self._graph([images, *offsets], training=False)
        if classes is None:
            classes = ops.argmax(scores, axis=-1)
        chosen = ops.take_along_axis(scores, ops.expand_dims(classes, -1), axis=-1)
        return ops.sum(chosen), (features, classes, probabilities)


def spatial_layers(network):
    """Names of the layers that give feature maps, (batch, height, width, channels), in order.

    A probe's projections of a layer are left out: they show what that layer shows.
    """
    return [layer.name for layer in network.layers if _has_map(layer)]


def stage_layers(network, image_size, count=4):
    """The last layer of each of the last `count` stages; a stage halves the resolution.

    Stages without a layer that learns, and layers that only pad, are passed over.

    Args:
        network: a classifier.
        image_size: (height, width) of its pictures, pixels.
        count: how many stages.

    Returns:
        Names of layers, from fine to coarse; fewer where there are fewer stages.
    """
    default = _usable(network, None)
    found = [network.get_layer(name) for name in spatial_layers(network)]
    found = [layer for layer in found if not isinstance(layer, keras_layers.ZeroPadding2D)]
    maps = keras.Model(network.inputs[0], {layer.name: layer.output for layer in found})
    shapes = maps.compute_output_shape((1, *image_size, 3))
    last, learning = {}, set()
    for layer in found:
        _, height, width, _ = shapes[layer.name]
        stage = round(math.log2(image_size[0] * image_size[1] / (height * width)) / 2)
        last[stage] = layer.name
        if layer.weights:
            learning.add(stage)
    return [last[stage] for stage in sorted(learning)][-count:] or default


def _has_map(layer):
    shape = getattr(layer.output, "shape", ())  # a layer of several outputs has a list of them
    if isinstance(layer, keras_layers.InputLayer) or layer.name.endswith(DIRECTIONS):
        return False
    return len(shape) == 4 and tuple(shape[1:3]) != (1, 1)


def _usable(network, layers):
    """The layers asked for, or the last that can be explained, once all of them can be."""
    usable = spatial_layers(network)
    if not usable:
        raise AtelierError(
            "a network with feature maps, (batch, height, width, channels)",
            f"none in {network.name}",
            "Explain a convolutional network.",
        )
    chosen = list(dict.fromkeys(layers or usable[-1:]))
    for name in chosen:
        check_layer([layer.name for layer in network.layers], name, network.name)
        if name not in usable:
            shape = getattr(network.get_layer(name).output, "shape", "several outputs")
            raise AtelierError(
                "a layer with a feature map, (batch, height, width, channels)",
                f"{name} with {shape}",
                f"The last that has one is {usable[-1]}.",
            )
    return chosen


def _with_offsets(network, layers):
    """The same layers as a graph that adds an offset to the channels of some of them.

    Takes pictures and offsets, (batch, 1, 1, channels) for each layer; gives the scores
    before the softmax, the probabilities, and the feature maps.
    """
    image = keras.Input(network.inputs[0].shape[1:], name="image")
    offsets = {
        name: keras.Input((1, 1, network.get_layer(name).output.shape[-1]), name=f"offset_{number}")
        for number, name in enumerate(layers)
    }
    features, scores = {}, []
    last = keras.Model(network.inputs[0], network.outputs[0]).operations[-1]

    def call(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        if layer.name in offsets:
            features[layer.name] = outputs = ops.add(outputs, offsets[layer.name])
        if layer is last:
            scores.append(_before_softmax(layer, args[0], outputs))
        return outputs

    unused = [keras.Input(offset.shape[1:]) for offset in offsets.values()]
    graph = keras.models.clone_model(
        keras.Model([network.inputs[0], *unused], network.outputs[0]),
        input_tensors=[image, *offsets.values()],
        clone_function=lambda layer: layer,
        call_function=call,
    )
    maps = [features[name] for name in layers]
    return keras.Model(graph.inputs, [*scores, graph.outputs[0], *maps])


def _before_softmax(last, inputs, outputs):
    """What the last layer's softmax receives, (batch, num_classes)."""
    if isinstance(last, keras_layers.Dense):
        scores = ops.matmul(inputs, last.kernel)
        return scores if last.bias is None else ops.add(scores, last.bias)
    activation = getattr(last, "activation", None)
    if isinstance(last, keras_layers.Softmax) or activation is keras.activations.softmax:
        return inputs
    return outputs


def _heatmap(feature, gradient):
    """Positive part of the weighted sum of channels, (batch, rows, columns)."""
    _, rows, columns, _ = feature.shape
    weights = gradient[:, 0, 0] / (rows * columns)
    return np.maximum(np.einsum("bhwc,bc->bhw", np.float32(feature), weights), 0)
