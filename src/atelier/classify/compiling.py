"""Loss, optimizer and learning rate of one phase, from the recipe that names them.

Sources: focal loss is Lin et al. 2017 (arXiv:1708.02002) in Keras's form for
several classes, one alpha for all. A smaller rate for a pretrained body than
for its new head is the discriminative fine-tuning of Howard & Ruder 2018
(arXiv:1801.06146), with two groups of layers. Differs: decoupled weight decay
follows the phase's rate in both groups.
"""

import keras

from atelier.classify.trainable import rates
from atelier.errors import AtelierError


def compile_network(network, recipe, phase, *, steps):
    """Compile for one phase; `steps` is the number of batches in an epoch."""
    optimizer = _optimizer(network, recipe, phase, learning_rate(phase, steps))
    network.compile(optimizer, loss_of(recipe), metrics=[accuracy()])
    optimizer.build(network.trainable_variables)


def accuracy():
    """The share of right answers, as a metric whose variables are there before the first batch.

    Of a metric that is named only, Keras makes them while TensorFlow traces the first step, and
    TensorFlow then traces the whole step a second time, which takes long for a deep body.
    """
    return keras.metrics.CategoricalAccuracy(name="accuracy")


def loss_of(recipe):
    """The recipe's loss.

    Raises:
        AtelierError: if there is no such loss.
    """
    if recipe.loss == "focal":
        return keras.losses.CategoricalFocalCrossentropy(**recipe.loss_options)
    if recipe.loss != "categorical_crossentropy":
        raise AtelierError(
            "the loss categorical_crossentropy or focal",
            repr(recipe.loss),
            "Correct the recipe's loss.",
        )
    return recipe.loss


def learning_rate(phase, steps):
    """A phase's learning rate: a number, or a schedule over its batches.

    Args:
        phase: see `recipe.Phase`.
        steps: batches in an epoch.
    """
    schedules, rate, total = keras.optimizers.schedules, phase.learning_rate, steps * phase.epochs
    if phase.schedule == "cosine":
        warmup = max(1, round(steps * phase.warmup_epochs))
        return schedules.CosineDecay(
            rate / 20,
            max(1, min(phase.schedule_steps or total, total) - warmup),
            alpha=0.0,
            warmup_target=rate,
            warmup_steps=warmup,
        )
    if phase.schedule == "restarts":
        return schedules.CosineDecayRestarts(rate, min(phase.schedule_steps, total), t_mul=1.0)
    if phase.schedule in ("exponential", "halve"):
        factor = 0.5 if phase.schedule == "halve" else phase.schedule_factor
        return schedules.ExponentialDecay(
            rate, steps * phase.schedule_epochs, factor, staircase=True
        )
    return rate


def _optimizer(network, recipe, phase, rate):
    average = {"use_ema": True, "ema_momentum": recipe.ema_momentum} if recipe.ema_momentum else {}
    plain, discriminative = {
        "adam": (keras.optimizers.Adam, DiscriminativeAdam),
        "adamw": (keras.optimizers.AdamW, DiscriminativeAdamW),
    }[recipe.optimizer]
    decay = recipe.weight_decay or None
    if phase.body_rate == 1:
        optimizer = plain(rate, weight_decay=decay, **average)
    else:
        optimizer = discriminative(rate, weight_decay=decay, **average)
        optimizer.multiples = rates(network, phase.body_rate)
    if decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


class _Discriminative:
    """Steps whose length is multiplied variable by variable.

    Attributes:
        multiples: one number for each variable that the optimizer is built with, in order.
    """

    multiples = ()

    def update_step(self, gradient, variable, learning_rate):
        """Step at this variable's own multiple of the learning rate."""
        multiple = self.multiples[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * multiple)


class DiscriminativeAdam(_Discriminative, keras.optimizers.Adam):
    """Adam with a learning rate for each variable."""


class DiscriminativeAdamW(_Discriminative, keras.optimizers.AdamW):
    """AdamW with a learning rate for each variable."""
