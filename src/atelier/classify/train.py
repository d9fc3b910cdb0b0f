"""One engine for every recipe: build, train phase by phase, save, judge on validation.

A run leaves a model folder (see `atelier.models`). It may be killed at any
moment: called again, it goes on after the last whole epoch with the same
random numbers, and a finished run of the same recipe, data and split is
returned as it is. The test part is not looked at here.
"""

import logging
from pathlib import Path

import keras
import pandas as pd

from atelier import models, storage
from atelier.checkpoint import Checkpoint
from atelier.classify.building import build_options
from atelier.classify.cards import card_text
from atelier.classify.compiling import compile_network
from atelier.classify.datasets import load_datasets
from atelier.classify.evaluate import judge
from atelier.classify.frozen import head_on_features, trains_from_features
from atelier.classify.networks import build_network
from atelier.classify.probe import PROBE, fit_probe, refit_probe
from atelier.classify.recipes import fast_recipe
from atelier.classify.trainable import set_trainable
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

log = logging.getLogger(__name__)

HALF_ABOVE = 1_000_000  # parameters; larger networks are kept in float16


def train(
    recipe,
    directory,
    out,
    *,
    epochs=None,
    seed=None,
    subset=None,
    feedback=None,
    overwrite=False,
    progress=None,
):
    """Train a recipe on a collection and save the model; resume or return what is there.

    Args:
        recipe: see `classify.recipes`; `ATELIER_FAST` shrinks it.
        directory: root of a collection.
        out: the model's folder.
        epochs: at most so many in each phase, instead of the recipe's.
        seed: instead of the recipe's.
        subset: at most so many pictures of each class in each part.
        feedback: folder of pictures by artist that join the training part (see
            `atelier.data.corrections`); other pictures, another run.
        overwrite: replace what another run left in `out`; the same run is still resumed.
        progress: called with (done, total), in pictures read, then in training steps.

    Returns:
        The model's folder.

    Raises:
        AtelierError: if the collection cannot be used, or another run is in `out`.
    """
    out = Path(out)
    recipe = fast_recipe(recipe).reduced(epochs=epochs)
    if seed is not None:
        recipe = recipe.replace(seed=seed)
    data = load_datasets(recipe, directory, subset=subset, feedback=feedback, progress=progress)
    run = storage.fingerprint([recipe.to_json(), data.fingerprint, subset])
    if finished(out, run, overwrite):
        return out
    with one_run_at_a_time(out):
        checkpoint = Checkpoint(out / "backup", run)
        network = _fit(recipe, data, checkpoint, out / "logs", progress)
        _save(out, network, recipe, data, checkpoint, run)
    return log_training(out, data.fingerprint)


def _fit(recipe, data, checkpoint, logs, progress):
    """Train all phases that are still to do; returns the network with its final weights."""
    keras.utils.set_random_seed(recipe.seed)
    with precision(recipe.precision):
        network = build_network(
            recipe.network, len(data.class_names), **build_options(recipe, recipe.train_size)
        )
    if recipe.probe is not None and not checkpoint.history:
        _probe(network, recipe, data, checkpoint, progress)
    for index, phase in enumerate(recipe.phases):
        if index >= checkpoint.phase:
            set_trainable(network, phase)
            checkpoint.begin_phase(index, phase, network)
            _fit_phase(network, recipe, phase, data, checkpoint, logs, progress)
            checkpoint.restore_best()
    if recipe.probe is not None and recipe.phases:
        _probe(network, recipe, data, checkpoint, progress)  # the features are others now
    return network


def _probe(network, recipe, data, checkpoint, progress):
    """Fit the last layer; its rows follow what the history has."""
    rows = fit_probe(network, recipe, data, progress=progress)
    done = len(checkpoint.history)
    checkpoint.history += [{"epoch": done + n, **row} for n, row in enumerate(rows, start=1)]


def _fit_phase(network, recipe, phase, data, checkpoint, logs, progress):
    """Train one phase, or what is left of it."""
    start = len(checkpoint.history)
    train_ds = data.train_ds(start_epoch=start, augment=phase.augment)
    compile_network(network, recipe, phase, steps=len(train_ds))
    checkpoint.restore()
    if checkpoint.epoch >= phase.epochs or checkpoint.stopped:
        network.optimizer.finalize_variable_values(network.trainable_variables)  # as `fit` does
        return
    if trains_from_features(recipe, phase):
        model, train_ds, val_ds = head_on_features(
            network, recipe, data, start_epoch=start, progress=progress
        )
    else:
        model, val_ds = network, data.eval_ds("val")
    callbacks = [*tensorboard(logs / phase.name), checkpoint]
    if progress is not None:
        callbacks.append(report_steps(progress, len(train_ds), phase.epochs))
    model.fit(
        train_ds,
        epochs=phase.epochs,
        initial_epoch=checkpoint.epoch,
        validation_data=val_ds,
        class_weight=data.class_weight() if recipe.class_weights else None,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )


def _save(out, network, recipe, data, checkpoint, run):
    """Save the network as a float32 model, judged with the very weights kept; the backup goes.

    A probe that takes in the validation pictures at last does so once it has been judged by them.
    """
    options = build_options(recipe.replace(weights=None), recipe.image_size)
    final = build_network(recipe.network, len(data.class_names), **options)
    half = final.count_params() > HALF_ABOVE
    take_weights(final, network, half)
    metrics = _facts(final, recipe, data, checkpoint, run)
    probabilities = data.average(data.answers(final, "val"))
    metrics["val"] = judge(
        probabilities, data.labels("val"), data.class_names, groups=data.part("val")["leak_group"]
    )
    if recipe.probe is not None and recipe.probe.refit:
        refit_probe(network, recipe, data, _last_probe(checkpoint.history))
        take_weights(final, network, half)
    history = pd.DataFrame(checkpoint.history)
    return models.save(
        out,
        final,
        class_names=data.class_names,
        recipe=recipe.to_json(),
        metrics=metrics,
        history=history,
        card=card_text(recipe, metrics),
        half=half,
        keep=("logs",),
    )


def _last_probe(history):
    """The rows of the last time that a probe was fitted."""
    phases = [row["phase"] for row in history]
    trained = [index for index, phase in enumerate(phases) if phase != PROBE]
    return history[trained[-1] + 1 :] if trained else history


def _facts(network, recipe, data, checkpoint, run):
    """What a reader needs to trust the numbers that follow."""
    counts = data.table.groupby(["split", "label"]).size()
    feedback = {"feedback": data.corrections.facts()} if data.corrections else {}
    return {
        "run": run,
        "recipe": recipe.name,
        "collection": Path(data.directory).name,
        "split": {**recipe.to_json()["split"], "fingerprint": data.split.fingerprint},
        "counts": {
            part: {label: int(n) for label, n in counts[part].items()}
            for part in counts.index.unique(level="split")
        },
        **feedback,
        "parameters": network.count_params(),
        "epochs": sum("strength" not in row for row in checkpoint.history),  # probes have none
        **provenance(recipe.seed, pd.DataFrame(checkpoint.history), data.fingerprint),
    }
