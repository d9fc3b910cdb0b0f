"""Contrastive unpaired translation: a patch must stay recognisable among others of its picture.

Source: CUT and FastCUT are Park et al. 2020 (arXiv:2007.15651); layers, 256 patches, heads of
two layers, temperature 0.07. Differs: the loss and the optimizer are shared with the critic's
(see `translate.engine`); the store of made pictures is CycleGAN's, so that both are compared on
the same terms.
"""

import keras
from keras import layers, ops

from atelier.translate.cyclegan import joined
from atelier.translate.engine import Translation, distance
from atelier.translate.networks import build_critic, build_generator

TERMS = ("to_monet", "contrast", "identity", "monet_critic")


class Cut(Translation):
    """One generator, its critic, and heads that describe patches, for `fit` on (photo, monet).

    Args:
        config: a `TranslateConfig`.
    """

    def __init__(self, config):
        super().__init__(
            config, [name for name in TERMS if config.contrast_identity or name != "identity"]
        )
        self.to_monet = build_generator(config, "to_monet")
        self.monet_critic = build_critic(config, "monet_critic")
        self.monets = self.store(0)
        self.monet_aid = self.aid("monet")
        self.encoder = encoder_of(self.to_monet, config.contrast_layers)
        self.heads = [_head(config.head, x.shape[-1]) for x in self.encoder.outputs]

    def call(self, inputs, training=True):
        """The painted photo and, where that is compared, the painting as the generator leaves it."""
        photo, monet = inputs
        if not self.config.contrast_identity:
            return {"painted": self.to_monet(photo, training=training)}
        count = ops.shape(photo)[0]
        made = self.to_monet(ops.concatenate([photo, monet]), training=training)
        return {"painted": made[:count], "monet_as_it_is": made[count:]}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The sum of the generator's, the heads' and the critic's losses, a scalar."""
        (photo, monet), made = x, y_pred
        to_monet, monet_critic = self.against(
            self.monet_critic, self.monets, monet, made["painted"], self.monet_aid
        )
        contrast = whole = self.contrast(photo, made["painted"])
        self.note(to_monet=to_monet, contrast=contrast, monet_critic=monet_critic)
        if self.config.contrast_identity:
            whole = (contrast + self.contrast(monet, made["monet_as_it_is"])) / 2
            self.note(identity=distance(made["monet_as_it_is"], monet))
        return to_monet + self.config.contrast_weight * whole + monet_critic

    def contrast(self, picture, made):
        """Mean loss of telling each patch of what was made among those of its picture."""
        wanted, found = _maps(self.encoder, picture), _maps(self.encoder, made)
        losses = []
        for head, keys, queries in zip(self.heads, wanted, found, strict=True):
            positions = int(keys.shape[1] * keys.shape[2])
            count = min(self.config.patches, positions)
            chosen = keras.random.shuffle(ops.arange(positions), seed=self.draws)[:count]
            losses.append(
                patch_loss(
                    head(_rows(queries, chosen)),
                    ops.stop_gradient(head(_rows(keys, chosen))),
                    self.config.temperature,
                )
            )
        return sum(losses) / len(losses)

    def product(self):
        """What is kept: the generator and the critic, as one functional model."""
        return joined(self.to_monet, None, self.monet_critic)


def encoder_of(generator, places):
    """The first half of a generator, with its maps at several places, weights shared.

    Args:
        generator: from `build_generator`.
        places: numbers among 0 the picture, 1 and 2 what both strides give, 3 the first
            residual block and 4 the one at two thirds.

    Returns:
        A model, pictures -> list of maps.
    """
    strided = [
        layer.output
        for layer in generator.layers
        if isinstance(layer, layers.Conv2D) and layer.strides == (2, 2)
    ]
    blocks = [
        layer.output
        for layer in generator.layers
        if isinstance(layer, layers.Add) and layer.output.shape[-1] > 3  # not that of the pictures
    ]
    scaled = next(x.output for x in generator.layers if isinstance(x, layers.Rescaling))
    there = [scaled, *strided[:2], blocks[0], blocks[2 * (len(blocks) - 1) // 3]]
    return keras.Model(generator.input, [there[place] for place in places], name="encoder")


def patch_loss(queries, keys, temperature):
    """Cross-entropy of picking the right key for every query, among those of the same picture.

    Args:
        queries: (b, n, d) of unit length.
        keys: the same; row i belongs to query i.
        temperature: that cosines are divided by.

    Returns:
        A scalar, float32.
    """
    cosines = ops.matmul(queries, ops.transpose(keys, (0, 2, 1))) / temperature
    right = ops.sum(queries * keys, axis=-1) / temperature
    return ops.mean(ops.logsumexp(cosines, axis=-1) - right)


def _head(width, channels):
    """Two layers and a division by the length, (b, n, c) -> (b, n, width), float32."""
    patch = keras.Input((None, channels))
    initial = keras.initializers.RandomNormal(stddev=0.02)
    x = layers.Dense(width, activation="relu", kernel_initializer=initial)(patch)
    x = layers.Dense(width, kernel_initializer=initial)(x)
    return keras.Model(patch, layers.UnitNormalization(dtype="float32")(x))


def _maps(encoder, pictures):
    found = encoder(pictures, training=True)
    return found if isinstance(found, list) else [found]


def _rows(x, chosen):
    """(b, n, c): some positions of a (b, h, w, c) map."""
    _, height, width, channels = x.shape
    return ops.take(ops.reshape(x, (-1, height * width, channels)), chosen, axis=1)
