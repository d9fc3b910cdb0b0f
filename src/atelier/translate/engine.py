"""What every training of two domains against critics shares: one loss, one compiled step.

Source: all networks share one Adam, so that one loss serves them: the critics judge what a
generator made with their own weights taken as constants, and learn from it with the generator's
taken as one. The losses of least squares are Mao et al. 2017 (arXiv:1611.04076).
"""

import keras
from keras import ops

from atelier.translate.aid import Aid, build_body
from atelier.translate.diffaugment import augment, check_policies, draw
from atelier.translate.networks import frozen
from atelier.translate.replay import ReplayBuffer


class Translation(keras.Model):
    """A generator from photo to painting, its rivals and its critics; subclasses have the loss.

    Args:
        config: a `TranslateConfig`.
        terms: names of the losses that are noted, each as it is.
    """

    def __init__(self, config, terms):
        super().__init__()
        check_policies(config.augment)
        self.config = config
        self.draws = keras.random.SeedGenerator(config.seed)
        self.terms = {name: keras.metrics.Mean(name) for name in terms}
        self.body = build_body(config)

    def aid(self, domain):
        """An `Aid` of a domain's critic, or None where the config asks for none."""
        return self.body and Aid(self.body, self.config.aid_shrink, f"{domain}_aid")

    def store(self, number):
        """A `ReplayBuffer` as the config asks for, the draws of each number its own."""
        config = self.config
        seed = config.seed + number
        return ReplayBuffer(config.replay, config.size, config.batch_size, seed=seed)

    def note(self, **values):
        """Note losses by name."""
        for name, value in values.items():
            self.terms[name].update_state(value)

    def against(self, critic, store, real, made, aid=None):
        """What a generator has to pay for being seen through, and its critic for its errors.

        All are shown the same random changes.

        Args:
            critic: pictures -> scores of patches.
            store: a `ReplayBuffer`.
            real: (b, h, w, 3) paintings or photos, b the config's batch_size.
            made: the same, of the generator.
            aid: an `Aid` of the critic; its losses are added.

        Returns:
            Two scalars: the generator's loss and the critic's.
        """
        drawn = draw(self.config.batch_size, self.draws)

        def changed(pictures):
            return augment(pictures, drawn, self.config.augment)

        seen = store(ops.stop_gradient(made))
        made, seen, real = changed(made), changed(seen), changed(real)
        wanted = 1.0 - self.config.label_smoothing
        fooled = squares(frozen(critic, made), 1.0)
        errors = squares(critic(real, training=True), wanted) + squares(
            critic(seen, training=True), 0.0
        )
        if aid is not None:
            weight = self.config.aid_weight
            fooled += weight * each_squares(aid.as_constants(made), 1.0)
            errors += weight * (each_squares(aid(real), wanted) + each_squares(aid(seen), 0.0))
        return fooled, errors / 2


def squares(scores, wanted):
    """Mean squared distance of scores to what they should be, float32."""
    return ops.mean(ops.square(ops.cast(scores, "float32") - wanted))


def each_squares(maps, wanted):
    """Mean of `squares` over several maps of scores."""
    return sum(squares(scores, wanted) for scores in maps) / len(maps)


def distance(found, wanted):
    """Mean absolute distance of pictures in [0, 255], on a scale where their range is 2."""
    return ops.mean(ops.abs(ops.cast(found, "float32") - ops.cast(wanted, "float32"))) / 127.5


class ThenLinear(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that stays for half of the steps, then falls in a straight line.

    Args:
        rate: at first.
        steps: of the whole training.
        final: part of the rate that is left at the end.
    """

    def __init__(self, rate, steps, final=0.0):
        self.rate, self.steps, self.final = rate, steps, final

    def __call__(self, step):
        """The rate at a step."""
        done = ops.cast(step, "float32") / self.steps
        falling = ops.clip(2.0 * (1.0 - done), 0.0, 1.0)
        return self.rate * (self.final + (1.0 - self.final) * falling)

    def get_config(self):
        """The schedule's arguments."""
        return {"rate": self.rate, "steps": self.steps, "final": self.final}
