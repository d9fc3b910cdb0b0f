"""Training that may be killed at any moment and goes on from its last whole epoch.

Keras's `BackupAndRestore` keeps the weights and the optimizer, but neither the
state of the dropout generators nor what early stopping and plateaus have seen,
so a resumed run drifts from an uninterrupted one. Here all of it is kept: every
variable, the frozen ones too, the history, the best weights. A state file is renamed into place last and
names the files that belong to it, so that there is always one whole state.
"""

import dataclasses
import logging
import time
from pathlib import Path

import keras
import numpy as np

from atelier import storage

log = logging.getLogger(__name__)

PLATEAU_GAIN = 1e-4  # a loss must fall by more to end a plateau, as in Keras
_KEPT = ("history", "phase", "epoch", "best", "wait", "plateau", "files")


@dataclasses.dataclass(frozen=True)
class Watch:
    """What a checkpoint must know of a phase; a classifier's `Phase` says it as well."""

    name: str
    patience: int | None = None  # epochs without a better validation loss; None does not watch it
    reduce_on_plateau: tuple | None = None  # factor, patience, least rate


class Checkpoint(keras.callbacks.Callback):
    """After every epoch: keep everything; lower the rate or stop when validation loss stays.

    The whole network is kept even where only its head is fitted, so that a
    later phase finds the body as this one left it.

    Args:
        folder: where the state is kept.
        run: fingerprint of recipe, data and split, kept with the state.

    Attributes:
        history: list of dicts, one a finished epoch, all phases.
        phase: index of the phase in progress.
        epoch: epochs finished in it.
    """

    def __init__(self, folder, run):
        super().__init__()
        self.folder, self.run = Path(folder), run
        self.history, self.phase, self.epoch = [], 0, 0
        self.best, self.wait, self.plateau = None, 0, {"best": None, "wait": 0}
        self.files, self.patience = {}, None
        if (self.folder / "state.json").is_file():
            self._read_state()

    def _read_state(self):
        state = storage.read_json(self.folder / "state.json")
        for name in _KEPT:
            setattr(self, name, state.get(name, getattr(self, name)))
        log.info("Resuming after epoch %d.", len(self.history))

    def begin_phase(self, index, phase, network):
        """Say which phase comes.

        The best of the phase before stays the one to beat where both watch the validation
        loss: a phase that only does harm, such as fine-tuning at too high a rate, leaves
        nothing behind.

        Args:
            index: of the phase.
            phase: a `Watch` or `Phase`, for its patience and what it does on a plateau.
            network: what is kept: the model that is fitted, or one that holds it.
        """
        if index != self.phase:
            self.phase, self.epoch, self.wait = index, 0, 0
            if self.patience is None or phase.patience is None:
                self.best = None
            self.plateau = {"best": None, "wait": 0}
        self.name, self.patience = phase.name, phase.patience
        self.reduce, self.network = phase.reduce_on_plateau, network

    @property
    def stopped(self):
        """Whether the phase in progress ran out of patience."""
        return self.patience is not None and self.wait >= self.patience

    def restore(self):
        """Put every variable back as it was after the last whole epoch of this phase, if any."""
        if self.epoch:
            _assign(_all_variables(self.network), self.folder / self.files["last"])

    def restore_best(self):
        """Put back the weights of the lowest validation loss, where the phase watches it."""
        if self.patience is not None and self.best is not None:
            _assign(self.network.weights, self.folder / self.files["best"])

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Keep the state; ask Keras to stop when patience is out."""
        values = {key: float(value) for key, value in (logs or {}).items()}
        seconds = round(time.perf_counter() - self._began, 2)
        row = {"epoch": len(self.history) + 1, "phase": self.name, **values}
        row.update(learning_rate=self._rate(), seconds=seconds)
        self.history.append(row)
        self.epoch = epoch + 1
        self._reduce(values)
        files = {"last": f"last-{len(self.history):04d}.npz"}
        _write(_all_variables(self.network), self.folder / files["last"])
        files.update(self._watch(values))
        self._write_state(files)
        log.info("%s", "  ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "phase"))
        if self.stopped:
            self.model.stop_training = True

    def _rate(self):
        return float(keras.ops.convert_to_numpy(self.network.optimizer.learning_rate))

    def _reduce(self, values):
        """Lower the learning rate where the validation loss stays on a plateau."""
        if self.reduce is None:
            return
        (factor, patience, least), seen, loss = self.reduce, self.plateau, values["val_loss"]
        if seen["best"] is None or loss < seen["best"] - PLATEAU_GAIN:
            self.plateau = {"best": loss, "wait": 0}
        elif seen["wait"] + 1 < patience:
            self.plateau = {**seen, "wait": seen["wait"] + 1}
        else:
            self.plateau = {**seen, "wait": 0}
            self.network.optimizer.learning_rate = max(least, self._rate() * factor)

    def _watch(self, values):
        """Compare the validation loss with the best one so far."""
        if self.patience is None:
            return {}
        if self.best is None or values["val_loss"] < self.best:
            self.best, self.wait = values["val_loss"], 0
            name = f"best-{len(self.history):04d}.npz"
            _write(self.network.weights, self.folder / name)
            return {"best": name}
        self.wait += 1
        return {"best": self.files["best"]}

    def _write_state(self, files):
        self.files = files
        state = {"run": self.run, **{name: getattr(self, name) for name in _KEPT}}
        storage.write_json(self.folder / "state.json", state)
        for path in self.folder.glob("*.npz"):
            if path.name not in files.values():
                path.unlink()


def _all_variables(model):
    """Weights, generator states and the optimizer's variables, in a fixed order."""
    return [*model.variables, *model.optimizer.variables]


def _write(variables, path):
    arrays = [keras.ops.convert_to_numpy(variable) for variable in variables]
    with storage.atomic_path(path) as temporary:
        np.savez(temporary, *arrays)


def _assign(variables, path):
    with np.load(path, allow_pickle=False) as arrays:
        for index, variable in enumerate(variables):
            variable.assign(arrays[f"arr_{index}"])
