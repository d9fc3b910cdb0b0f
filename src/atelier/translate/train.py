"""Training networks from photo to painting, and their folder in `models/`.

A run may be killed at any moment: called again, it goes on after the last whole epoch, with the
store of made pictures, the optimizer and all draws as they were. What it trained on, its losses
and a grid of pictures an epoch are kept beside the networks.
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import ops

from atelier import models, storage
from atelier.checkpoint import Checkpoint, Watch
from atelier.data.batches import FollowEpochs
from atelier.environment import cpu_count
from atelier.errors import AtelierError
from atelier.registry import log_training
from atelier.runs import (
    finished,
    one_run_at_a_time,
    precision,
    provenance,
    report_steps,
    take_weights,
    tensorboard,
)
from atelier.translate.cards import card_text
from atelier.translate.config import CUT, CYCLEGAN, KIND
from atelier.translate.cut import Cut
from atelier.translate.cyclegan import CycleGan
from atelier.translate.domains import Unpaired, load_domains
from atelier.translate.engine import ThenLinear
from atelier.translate.networks import SMALLEST, STRIDE
from atelier.translate.watch import PICTURES, SHOWN, SNAPSHOTS, Finite, Watching

METHODS = {CYCLEGAN: CycleGan, CUT: Cut}
LOGS = "logs"  # TensorBoard's folder beside the networks
_SNAPSHOTS = 8  # generators that are kept on the way, at most


def train(config, directory, out, *, epochs=None, overwrite=False, progress=None):
    """Train a generator from photo to painting, and save it; resume or return what is there.

    Args:
        config: a `TranslateConfig`.
        directory: root of a collection with both domains: see `translate.domains`.
        out: the model's folder.
        epochs: no more than these; None takes the config's.
        overwrite: replace what another run left in `out`.
        progress: called with (done, total) training steps.

    Returns:
        The model's folder.

    Raises:
        AtelierError: if the collection or the config cannot be used, or another run is in `out`.
    """
    out = Path(out)
    config = config.replace(epochs=min(config.epochs, epochs or config.epochs))
    check_config(config)
    domains = load_domains(directory, size=config.size, held_out=config.held_out)
    run = storage.fingerprint([config.changed(), domains.mark])
    if finished(out, run, overwrite):
        return out
    with one_run_at_a_time(out):
        checkpoint = Checkpoint(out / "backup", run)
        trained = _fit(config, domains, checkpoint, out, progress)
        _save(out, trained, config, domains, checkpoint)
    return log_training(out, domains.mark)


def check_config(config):
    """Refuse settings that no training can have.

    Raises:
        AtelierError: which says what would do.
    """
    if config.method not in METHODS:
        raise AtelierError(f"a method among {', '.join(METHODS)}", config.method, "Name one.")
    if config.size % STRIDE or config.size < SMALLEST:
        raise AtelierError(
            f"a size of at least {SMALLEST} pixels that is a multiple of {STRIDE}",
            config.size,
            "Correct the recipe.",
        )


def build(config):
    """The networks of a method with their loss, under the config's precision."""
    keras.utils.set_random_seed(config.seed)
    with precision(config.precision):
        return METHODS[config.method](config)


def compile_translation(translation, config):
    """Give all networks their one optimizer."""
    rate = ThenLinear(config.learning_rate, config.epochs * config.steps, config.final_rate)
    average = {"use_ema": True, "ema_momentum": config.ema_momentum}
    optimizer = keras.optimizers.Adam(
        rate, beta_1=config.beta_1, **(average if config.ema_momentum else {})
    )
    translation.compile(optimizer)
    optimizer.build(translation.trainable_variables)


def _fit(config, domains, checkpoint, out, progress):
    """Train all epochs that are still to do; returns the networks with their final weights."""
    translation = build(config)
    compile_translation(translation, config)
    checkpoint.begin_phase(0, Watch("training"), translation)
    checkpoint.restore()
    if checkpoint.epoch >= config.epochs:
        translation.optimizer.finalize_variable_values(translation.trainable_variables)
        return translation  # as `fit` does
    train_ds = Unpaired(
        domains, config, start_epoch=checkpoint.epoch, workers=max(1, cpu_count() // 2)
    )
    callbacks = [
        FollowEpochs(train_ds),
        Finite(checkpoint),
        *tensorboard(out / LOGS),
        Watching(_shown(domains, config.whole_size), out, -(-config.epochs // _SNAPSHOTS)),
        checkpoint,
    ]
    if progress is not None:
        callbacks.append(report_steps(progress, config.steps, config.epochs))
    translation.fit(
        train_ds,
        epochs=config.epochs,
        initial_epoch=checkpoint.epoch,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    return translation


def _shown(domains, size):
    """The held-out photos of the grid, at the scale of training."""
    small = ops.image.resize(
        np.float32(domains.held_out[:SHOWN]),
        (size, size),
        antialias=True,
        data_format="channels_last",
    )
    return np.uint8(np.rint(np.clip(ops.convert_to_numpy(small), 0, 255)))


def _save(out, trained, config, domains, checkpoint):
    """Save the networks as one float32 model, kernels kept in float16."""
    final = build(config.replace(precision="float32")).product()
    take_weights(final, trained.product(), half=True)
    history = pd.DataFrame(checkpoint.history)
    metrics = {
        "run": checkpoint.run,
        "recipe": config.name,
        "kind": KIND,
        "photos": domains.titles[0],
        "paintings": domains.titles[1],
        "counts": {
            field.name: len(getattr(domains, field.name))
            for field in dataclasses.fields(domains)
            if field.name in ("photos", "held_out", "monets")
        },
        "losses": {
            name: float(value)
            for name, value in history.iloc[-1].items()
            if name not in ("epoch", "phase", "seconds", "learning_rate")
        },
        "parameters": final.get_layer("to_monet").count_params(),
        "steps": int(len(history) * config.steps),
        "pictures_seen": int(len(history) * config.steps * config.batch_size),
        **provenance(config.seed, history, domains.mark),
    }
    return models.save(
        out,
        final,
        recipe=config.to_json(),
        metrics=metrics,
        history=history,
        card=card_text(config, metrics),
        half=True,
        keep=(PICTURES, SNAPSHOTS, LOGS),
    )
