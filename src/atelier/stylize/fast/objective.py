"""What the network learns from: features of what it painted beside those of its two pictures.

Source: perceptual losses are Johnson et al. 2016 (arXiv:1603.08155), one network for any style
Ghiasi et al. 2017 (arXiv:1705.06830). Differs: Gram matrices are compared at several sizes,
so that a body that is cut early still sees long strokes; a picture painted in its own style
must come out as it is (Park & Lee 2019, arXiv:1812.02342).
"""

import functools
import operator

import keras
from keras import ops

from atelier.stylize.features import Features
from atelier.stylize.losses import content_loss, gram_matrix, style_loss, total_variation

TERMS = ("content", "style", "identity", "variation")


class StyleTrainer(keras.Model):
    """The network with its losses, for `fit` on `Pairs`.

    Args:
        network: from `build_network`.
        config: its `FastConfig`.
    """

    def __init__(self, network, config):
        super().__init__()
        self.network, self.config = network, config
        self.features = Features(
            config.backbone, config.content_layers, config.style_layers, weights=config.weights
        )
        self.body = self.features.model  # so that Keras knows of its constants
        self.terms = {name: keras.metrics.Mean(name) for name in TERMS}

    def call(self, inputs):
        """Stylized pictures of (content, style)."""
        return self.network(list(inputs))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of all terms, a scalar; each term is noted as it is."""
        (content, style), config = x, self.config
        found, wanted = self.features.maps(y_pred), self.features.maps(content)
        terms = {
            "content": _mean(
                content_loss(found[name], ops.cast(wanted[name], "float32"))
                for name in config.content_layers
            ),
            "style": self._style(found, y_pred, style),
            "identity": ops.mean(y * ops.mean(ops.abs(y_pred - content), axis=(1, 2, 3))) / 127.5,
            "variation": total_variation(y_pred),
        }
        for name, value in terms.items():
            self.terms[name].update_state(value)
        weights = (
            config.content_weight,
            config.style_weight,
            config.identity_weight,
            config.tv_weight,
        )
        return functools.reduce(
            operator.add,
            (weight * terms[name] for name, weight in zip(TERMS, weights, strict=True)),
        )

    def _style(self, found, painted, style):
        """Gaps of the Gram matrices, the mean over layers and sizes."""
        gaps, wanted = [], self.features.maps(style)
        for scale in range(self.config.scales):
            if scale:
                painted, style = _half(painted), _half(style)
                found, wanted = self.features.maps(painted), self.features.maps(style)
            gaps += [
                style_loss(gram_matrix(found[name]), gram_matrix(wanted[name]), scaling="symmetric")
                for name in self.config.style_layers
            ]
        return _mean(gaps)


def _half(pictures):
    return ops.average_pool(pictures, 2, strides=2)


def _mean(values):
    values = list(values)
    return functools.reduce(operator.add, values) / len(values)
