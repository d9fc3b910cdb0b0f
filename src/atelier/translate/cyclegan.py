"""CycleGAN: two generators, each of which must undo the other, and a critic of each domain.

Source: Zhu et al. 2017 (arXiv:1703.10593): least squares, a cycle's weight of 10, half of it for
a painting that its own generator should leave alone, a store of 50 pictures. Differs: one loss
and one optimizer serve all four networks (see `translate.engine`); both passes of a generator
on real pictures are one batch.
"""

import keras
from keras import ops

from atelier.translate.engine import Translation, distance
from atelier.translate.networks import build_critic, build_generator

TERMS = (
    "to_monet",
    "to_photo",
    "cycle",
    "identity",
    "monet_critic",
    "photo_critic",
)


class CycleGan(Translation):
    """The four networks and their loss, for `fit` on batches of (photo, monet).

    Args:
        config: a `TranslateConfig`.
    """

    def __init__(self, config):
        self.keeps = config.identity_weight > 0  # else pictures of its own are not passed at all
        super().__init__(config, [name for name in TERMS if self.keeps or name != "identity"])
        self.to_monet = build_generator(config, "to_monet")
        self.to_photo = build_generator(config, "to_photo")
        self.monet_critic = build_critic(config, "monet_critic")
        self.photo_critic = build_critic(config, "photo_critic")
        self.monets = self.store(0)
        self.photos = self.store(1)
        self.monet_aid, self.photo_aid = self.aid("monet"), self.aid("photo")

    def call(self, inputs, training=True):
        """All pictures of one step, as a dict."""
        photo, monet = inputs
        painted, own_monet = self._pass(self.to_monet, photo, monet, training)
        photographed, own_photo = self._pass(self.to_photo, monet, photo, training)
        return {
            "painted": painted,
            "monet_as_it_is": own_monet,
            "photographed": photographed,
            "photo_as_it_is": own_photo,
            "photo_again": self.to_photo(painted, training=training),
            "monet_again": self.to_monet(photographed, training=training),
        }

    def _pass(self, generator, pictures, own, training):
        """What a generator makes of pictures, and of those of its own domain, in one batch."""
        if not self.keeps:
            return generator(pictures, training=training), own
        count = ops.shape(pictures)[0]
        made = generator(ops.concatenate([pictures, own]), training=training)
        return made[:count], made[count:]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The sum of all networks' losses, a scalar; each is noted by itself."""
        (photo, monet), made = x, y_pred
        to_monet, monet_critic = self.against(
            self.monet_critic, self.monets, monet, made["painted"], self.monet_aid
        )
        to_photo, photo_critic = self.against(
            self.photo_critic, self.photos, photo, made["photographed"], self.photo_aid
        )
        cycle = distance(made["photo_again"], photo) + distance(made["monet_again"], monet)
        self.note(
            to_monet=to_monet,
            to_photo=to_photo,
            cycle=cycle,
            monet_critic=monet_critic,
            photo_critic=photo_critic,
        )
        if self.keeps:
            own = distance(made["photo_as_it_is"], photo) + distance(made["monet_as_it_is"], monet)
            self.note(identity=own)
            cycle += self.config.identity_weight * own
        return to_monet + to_photo + self.config.cycle_weight * cycle + monet_critic + photo_critic

    def product(self):
        """What is kept: both generators and the critic of paintings, as one functional model."""
        return joined(self.to_monet, self.to_photo, self.monet_critic)


def joined(to_monet, to_photo, monet_critic):
    """Networks as one model of two inputs, a photo and a painting; `to_photo` may be None."""
    photo = keras.Input((None, None, 3), name="photo")
    monet = keras.Input((None, None, 3), name="monet")
    outputs = [to_monet(photo), monet_critic(monet)]
    if to_photo is not None:
        outputs.append(to_photo(monet))
    return keras.Model([photo, monet], outputs, name="translation")
