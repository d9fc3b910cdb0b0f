"""Critics' aid: what a body that has seen photographs before makes of a picture, judged by heads.

A critic that starts from nothing needs thousands of steps until it tells a photo from a painting;
a head on maps of a pretrained body needs a few dozen, and its generator learns from it at once.
The body is frozen and never kept with the networks.

Source: Kumari et al. 2022 (arXiv:2112.09130), where such heads stand beside the usual critic, and
Sauer et al. 2021 (arXiv:2111.01007), who judge maps of several depths. Differs: each head is two
convolutions that judge every position of a map; losses are those of least squares, as the critic's.
"""

import keras
from keras import layers

from atelier import backbones
from atelier.translate.networks import frozen

_WIDTH = 64  # channels of a head


class Aid(layers.Layer):
    """Heads on several maps of one frozen body, for one domain.

    Args:
        body: from `build_body`; domains share it.
        shrink: times that a picture is made smaller before it is shown.
        name: of the layer.
    """

    def __init__(self, body, shrink, name):
        super().__init__(name=name)
        self.body, self.shrink = body, layers.AveragePooling2D(shrink)
        outputs = body.outputs
        self.heads = [_head(x.shape[-1], f"{name}_{number}") for number, x in enumerate(outputs)]
        self.built = True

    def call(self, pictures, training=True):
        """(b, h, w, 3) in [0, 255] -> list of (b, rows, columns, 1) scores, float32."""
        return [
            head(x, training=training)
            for head, x in zip(self.heads, self._maps(pictures), strict=True)
        ]

    def as_constants(self, pictures):
        """The same scores, where no gradient reaches the heads."""
        return [frozen(head, x) for head, x in zip(self.heads, self._maps(pictures), strict=True)]

    def _maps(self, pictures):
        found = self.body(self.shrink(pictures), training=False)
        return found if isinstance(found, list) else [found]


def build_body(config):
    """The frozen body of a config's aid with its taps, or None where it has no aid."""
    if not config.aid:
        return None
    body = backbones.build_backbone(config.aid, taps=list(config.aid_layers))
    body.trainable = False
    return body


def _head(channels, name):
    """Two convolutions, (b, rows, columns, channels) -> (b, rows, columns, 1)."""
    initial = keras.initializers.RandomNormal(stddev=0.02)
    maps = keras.Input((None, None, channels))
    x = layers.GroupNormalization(groups=1, epsilon=1e-5, scale=False, center=False)(maps)
    x = layers.Conv2D(_WIDTH, 3, padding="same", kernel_initializer=initial)(x)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Conv2D(1, 1, kernel_initializer=initial, dtype="float32")(x)
    return keras.Model(maps, x, name=name)
