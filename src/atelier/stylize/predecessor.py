"""The predecessor's loop, rebuilt to be measured against: five sub-models, nothing kept.

Source: the predecessor's style-transfer page. Each style layer has a model of its own, the
content layer another; each is asked anew at every step, for the picture and for its target,
and nothing is compiled. Its losses are those of A. Ng's course, which it followed.
"""

import keras
from keras import ops

from atelier.backbones import build_backbone
from atelier.gradients import value_and_gradients
from atelier.stylize.steppers import HIGH, LOW


class PredecessorsLoss:
    """What the predecessor minimises: `loss(picture)` for a (1, h, w, 3) picture in [0, 255].

    Args:
        content: (1, h, w, 3) float32.
        style: (1, h, w, 3) float32, of the same size.
        config: a `GatysConfig` with "published" scaling.
        body: the body to take the layers from; None builds it.
    """

    def __init__(self, content, style, config, body=None):
        self.content, self.style, self.config = content, style, config
        names = [*config.content_layers, *config.style_layers]
        body = body or build_backbone(config.backbone, taps=names)
        tapped = [keras.Model(body.input, body.get_layer(name).output) for name in names]
        (self.content_model, *_), self.style_models = tapped[:1], tapped[1:]
        self.variables = body.variables

    def __call__(self, picture):
        """The weighted sum of both costs, a scalar."""
        config = self.config
        return config.content_weight * self._content(picture) + config.style_weight * sum(
            weight * self._style(model, picture)
            for weight, model in zip(config.style_layer_weights, self.style_models, strict=True)
        )

    def _content(self, picture):
        target, found = self.content_model(self.content), self.content_model(picture)
        return ops.sum(ops.square(found - target)) / (4 * _count(found))

    def _style(self, model, picture):
        target, found = model(self.style), model(picture)
        channels = found.shape[-1]
        positions = _count(found) / channels
        gap = ops.sum(ops.square(_gram(found) - _gram(target)))
        return gap / (4 * channels**2 * positions**2)


def _gram(x):
    rows = ops.transpose(ops.reshape(x, (-1, x.shape[-1])))
    return ops.matmul(rows, ops.transpose(rows))


def _count(x):
    _, height, width, channels = ops.shape(x)
    return float(height * width * channels)


def predecessors_step(loss, variable, optimizer):
    """One step of its loop; returns the loss before it."""
    total, gradient = value_and_gradients(loss, variable.value, variables=loss.variables)
    optimizer.apply([gradient], [variable])
    variable.assign(ops.clip(variable.value, LOW, HIGH))
    return total
