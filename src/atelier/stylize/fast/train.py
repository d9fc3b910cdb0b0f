"""Training the feed-forward network, and its folder in `models/`.

A run may be killed at any moment: called again, it goes on after the last whole epoch. The
validation pairs are photographs and paintings that training never sees: paintings of the
leak-free split's validation part, photographs set aside by their names' order.
"""

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from atelier import models, storage
from atelier.checkpoint import Checkpoint, Watch
from atelier.data.batches import FollowEpochs
from atelier.data.images import decode
from atelier.data.photographs import photographs_in
from atelier.data.splits import SplitConfig, load_split
from atelier.environment import cpu_count
from atelier.registry import log_training
from atelier.runs import (
    finished,
    one_run_at_a_time,
    precision,
    provenance,
    report_steps,
    take_weights,
)
from atelier.stylize.fast.cards import card_text
from atelier.stylize.fast.config import KIND
from atelier.stylize.fast.network import build_network
from atelier.stylize.fast.objective import StyleTrainer
from atelier.stylize.fast.pairs import Pairs

STORED = 256  # pixels of both sides of the decoded pictures
VAL_PAIRS = 32
VAL_SHARE = 0.05  # of the photographs


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Decoded pictures to train on and to judge by, (n, STORED, STORED, 3) uint8 each."""

    photos: dict  # "train" and "val"
    paintings: dict
    mark: str  # of the files


def train(config, paintings, photographs, out, *, overwrite=False, progress=None):
    """Train a network that paints in any style, and save it; resume or return what is there.

    Args:
        config: a `FastConfig`.
        paintings: root of a collection, whose pictures are styles.
        photographs: root of a collection with photographs, what is painted.
        out: the model's folder.
        overwrite: replace what another run left in `out`.
        progress: called with (done, total) training steps.

    Returns:
        The model's folder.

    Raises:
        AtelierError: if a collection cannot be used, or another run is in `out`.
    """
    out = Path(out)
    pictures = load_pictures(paintings, photographs, config.size)
    run = storage.fingerprint([config.to_json(), pictures.mark])
    if finished(out, run, overwrite):
        return out
    with one_run_at_a_time(out):
        checkpoint = Checkpoint(out / "backup", run)
        network = _fit(config, pictures, checkpoint, progress)
        _save(out, network, config, pictures, checkpoint, (paintings, photographs))
    return log_training(out, pictures.mark)


def load_pictures(paintings, photographs, size):
    """Decode photographs and paintings, each in two parts.

    Args:
        paintings: as of `train`.
        photographs: the same.
        size: pixels of a side that a network is trained at; it takes details of larger ones.

    Raises:
        AtelierError: if there are no photographs.
    """
    size = max(STORED, size)
    table = load_split(paintings, SplitConfig()).table
    parts = {part: table["path"][table["split"] == part].tolist() for part in ("train", "val")}
    photos = photographs_in(photographs)
    aside = max(1, round(VAL_SHARE * len(photos)))
    shown = {"train": photos[aside:], "val": photos[:aside]}
    return Pictures(
        _decoded(photographs, shown, size),
        _decoded(paintings, parts, size),
        storage.fingerprint([parts, shown, size]),
    )


def _decoded(directory, parts, size):
    images = decode(
        directory,
        [path for part in parts.values() for path in part],
        image_size=(size, size),
        fit="crop",
    )
    left = {name: [p for p in part if p not in images.skipped] for name, part in parts.items()}
    return {name: np.asarray(images.pixels[images.rows(part)]) for name, part in left.items()}


def _fit(config, pictures, checkpoint, progress):
    """Train all epochs that are still to do; returns the network with its final weights."""
    keras.utils.set_random_seed(config.seed)
    with precision(config.precision):
        network = build_network(config)
        trainer = StyleTrainer(network, config)
    rate = keras.optimizers.schedules.CosineDecay(
        config.learning_rate, config.epochs * config.steps
    )
    optimizer = keras.optimizers.Adam(
        rate, global_clipnorm=config.clip, use_ema=True, ema_momentum=config.ema_momentum
    )
    trainer.compile(optimizer)
    optimizer.build(trainer.trainable_variables)
    checkpoint.begin_phase(0, Watch("training"), trainer)
    checkpoint.restore()
    train_ds = Pairs(
        pictures.photos["train"],
        pictures.paintings["train"],
        config,
        steps=config.steps,
        start_epoch=checkpoint.epoch,
        workers=max(1, cpu_count() // 2),
    )
    val_ds = Pairs(
        pictures.photos["val"],
        pictures.paintings["val"],
        config,
        steps=max(1, VAL_PAIRS // config.batch_size),
        fixed=True,
    )
    callbacks = [FollowEpochs(train_ds), checkpoint]
    if progress is not None:
        callbacks.append(report_steps(progress, config.steps, config.epochs))
    if checkpoint.epoch >= config.epochs:
        optimizer.finalize_variable_values(trainer.trainable_variables)  # as `fit` does
        return network
    trainer.fit(
        train_ds,
        epochs=config.epochs,
        initial_epoch=checkpoint.epoch,
        validation_data=val_ds,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    return network


def _save(out, network, config, pictures, checkpoint, directories):
    """Save the network as a float32 model, its kernels kept in float16."""
    with precision("float32"):
        final = build_network(config)
    take_weights(final, network, half=True)
    history = pd.DataFrame(checkpoint.history)
    metrics = {
        "run": checkpoint.run,
        "recipe": config.name,
        "kind": KIND,
        "paintings": Path(directories[0]).name,
        "photographs": Path(directories[1]).name,
        "counts": {
            part: {"photographs": len(pictures.photos[part]), "paintings": len(paintings)}
            for part, paintings in pictures.paintings.items()
        },
        "val_losses": {
            name.removeprefix("val_"): float(value)
            for name, value in history.iloc[-1].items()
            if name.startswith("val_")
        },
        "parameters": final.count_params(),
        "pairs_seen": int(len(history) * config.steps * config.batch_size),
        **provenance(config.seed, history, pictures.mark),
    }
    return models.save(
        out,
        final,
        recipe=config.to_json(),
        metrics=metrics,
        history=history,
        card=card_text(config, metrics),
        half=True,
    )
