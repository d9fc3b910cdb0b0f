"""Random search over the published CNN's hidden width and learning rate, with KerasTuner.

Source: the predecessor's search: units 32 to 512 by 32, learning rate 1e-2,
1e-3 or 1e-4, five trials of two executions and ten epochs each; the trial with
the highest validation accuracy wins (O'Malley et al. 2019, KerasTuner).

The search resumes where it was stopped: finished trials are not repeated. It
runs on several machines that share the output folder, as KerasTuner does it:
one process is the chief, which hands out trials, the others are workers. Give
all of them the same command and

    KERASTUNER_TUNER_ID=chief  (or worker1, worker2, ...)
    KERASTUNER_ORACLE_IP=<the chief's address>  KERASTUNER_ORACLE_PORT=8000
"""

import contextlib
import dataclasses
import io
import logging
import os
import shutil
from pathlib import Path

import keras
import keras_tuner
import pandas as pd

from atelier import storage
from atelier.classify.building import build_options
from atelier.classify.compiling import compile_network
from atelier.classify.datasets import load_datasets
from atelier.classify.networks import build_network
from atelier.classify.recipes import fast_recipe
from atelier.errors import AtelierError
from atelier.registry import log_search
from atelier.runs import precision

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """What the predecessor's search varied."""

    units: tuple[int, int, int] = (32, 512, 32)  # least, most and step of the hidden layer
    learning_rates: tuple[float, ...] = (1e-2, 1e-3, 1e-4)


PUBLISHED_SPACE = SearchSpace()


def tune(
    recipe,
    directory,
    out,
    *,
    trials=5,
    executions=2,
    epochs=10,
    space=PUBLISHED_SPACE,
    subset=None,
    overwrite=False,
    progress=None,
):
    """Search at random for the best hidden width and learning rate.

    Args:
        recipe: of the published CNN; its phases are replaced by one of `epochs`.
        directory: root of a collection.
        out: folder of the search; the same folder resumes it.
        trials: settings tried.
        executions: trainings of each setting, averaged.
        epochs: of each training; the best epoch counts.
        space: see `SearchSpace`.
        subset: at most so many pictures of each class in each part.
        overwrite: replace what another search left in `out`; the same one is still resumed.
        progress: called with (done, total) in epochs.

    Returns:
        The folder, with `trials.csv` (trial, units, learning_rate, score) and
        `best_recipe.json`, which `train` takes as a recipe.

    Raises:
        AtelierError: if the recipe has no hidden layer to tune, or another
            search is in `out`.
    """
    out = Path(out)
    recipe = fast_recipe(recipe)
    if "units" not in recipe.network_options:
        raise AtelierError(
            "a recipe with a hidden layer, such as published_cnn",
            repr(recipe.name),
            "Tune published_cnn.",
        )
    data = load_datasets(recipe, directory, subset=subset)
    settings = {"trials": trials, "executions": executions, "epochs": epochs}
    _claim(out, [recipe.to_json(), data.split.fingerprint, settings, space, subset], overwrite)
    hypermodel = _Published(recipe, data, space, epochs, progress, trials * executions * epochs)
    tuner = _tuner(hypermodel, out, trials, executions, recipe.seed)
    tuner.search(epochs=epochs, verbose=0)
    if os.environ.get("KERASTUNER_TUNER_ID", "chief").startswith("chief"):
        _write_results(tuner, recipe, out)
        log_search(out, data.split.fingerprint)
    return out


def _claim(out, values, overwrite):
    """Mark the folder as this search's; refuse to mix it with another."""
    run, path = storage.fingerprint(values), out / "search.json"
    if path.is_file() and storage.read_json(path)["run"] != run:
        if not overwrite:
            raise AtelierError(
                f"no search, or the same search, in {out.name}",
                "one with other settings or data",
                "Choose another --out, or replace it with --overwrite.",
            )
        shutil.rmtree(out)
    storage.write_json(path, {"run": run})


def _tuner(hypermodel, out, trials, executions, seed):
    with contextlib.redirect_stdout(io.StringIO()) as said:  # it prints that it reloads
        tuner = keras_tuner.RandomSearch(
            hypermodel,
            objective="val_accuracy",
            max_trials=trials,
            executions_per_trial=executions,
            seed=seed,
            directory=out.resolve(),
            project_name="tuner",
        )
    if said.getvalue():
        log.info("Resuming the search: %d trial(s) are there.", len(tuner.oracle.trials))
    return tuner


class _Published(keras_tuner.HyperModel):
    """The published CNN with its two open hyperparameters."""

    def __init__(self, recipe, data, space, epochs, progress, total):
        super().__init__()
        self.recipe, self.data, self.space, self.epochs = recipe, data, space, epochs
        self.progress, self.total, self.done = progress, total, 0

    def build(self, hp):
        low, high, step = self.space.units
        units = hp.Int("units", low, high, step=step)
        rate = hp.Choice("learning_rate", list(self.space.learning_rates))
        recipe = with_hyperparameters(self.recipe, units, rate, self.epochs)
        with precision(recipe.precision):
            network = build_network(
                recipe.network,
                len(self.data.class_names),
                **build_options(recipe, recipe.train_size),
            )
        steps = len(self.data.table[self.data.table["split"] == "train"]) // recipe.batch_size
        compile_network(network, recipe, recipe.phases[0], steps=max(1, steps))
        return network

    def fit(self, hp, model, *args, callbacks=(), **kwargs):
        count = keras.callbacks.LambdaCallback(on_epoch_end=self._count)
        return model.fit(
            self.data.train_ds(),
            validation_data=self.data.eval_ds("val"),
            shuffle=False,
            callbacks=[*callbacks, count],
            **kwargs,
        )

    def _count(self, epoch, logs):
        self.done += 1
        log.info("epoch %d: validation accuracy %.3f", epoch + 1, logs["val_accuracy"])
        if self.progress is not None:
            self.progress(min(self.done, self.total), self.total)


def with_hyperparameters(recipe, units, learning_rate, epochs, patience=None):
    """The recipe with another hidden width, and its first phase at another learning rate alone."""
    phase = dataclasses.replace(
        recipe.phases[0], learning_rate=learning_rate, epochs=epochs, patience=patience
    )
    options = {**recipe.network_options, "units": units}
    return recipe.replace(network_options=options, phases=(phase,))


def _write_results(tuner, recipe, out):
    """The table of trials and the winner as a recipe, trained as long as the original."""
    rows = [
        {"trial": number, **trial.hyperparameters.values, "score": trial.score}
        for number, trial in enumerate(tuner.oracle.trials.values(), start=1)
        if trial.score is not None
    ]
    table = pd.DataFrame(rows).sort_values("score", ascending=False)
    with storage.atomic_path(out / "trials.csv") as temporary:
        table.to_csv(temporary, index=False)
    first, best = recipe.phases[0], table.iloc[0]
    found = with_hyperparameters(
        recipe, int(best["units"]), float(best["learning_rate"]), first.epochs, first.patience
    )
    storage.write_json(out / "best_recipe.json", found.to_json())
