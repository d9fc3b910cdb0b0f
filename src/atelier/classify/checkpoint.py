"""Training that may be killed at any moment and goes on from its last whole epoch.

Keras's `BackupAndRestore` keeps the weights and the optimizer, but neither the
state of the dropout generators nor what early stopping has seen, so a resumed
run drifts from an uninterrupted one. Here all of it is kept: every variable,
the history, the best weights. A state file is renamed into place last and
names the files that belong to it, so that there is always one whole state.
"""

import logging
import time
from pathlib import Path

import keras
import numpy as np

from atelier import storage

log = logging.getLogger(__name__)


class Checkpoint(keras.callbacks.Callback):
    """After every epoch: keep everything, and stop when the validation loss no longer falls.

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
        self.patience, self.best, self.wait = None, None, 0
        self.files = {}
        if (self.folder / "state.json").is_file():
            self._read_state()

    def _read_state(self):
        state = storage.read_json(self.folder / "state.json")
        for name in ("history", "phase", "epoch", "best", "wait", "files"):
            setattr(self, name, state[name])
        log.info("Resuming after epoch %d.", len(self.history))

    def begin_phase(self, index, name, patience):
        """Say which phase comes; where it is another than the one in progress, forget its best."""
        if index != self.phase:
            self.phase, self.epoch, self.best, self.wait = index, 0, None, 0
        self.name, self.patience = name, patience

    @property
    def stopped(self):
        """Whether the phase in progress ran out of patience."""
        return self.patience is not None and self.wait >= self.patience

    def restore(self, model):
        """Put every variable back as it was after the last whole epoch of this phase, if any."""
        if self.epoch:
            _assign(_all_variables(model), self.folder / self.files["last"])

    def restore_best(self, model):
        """Put back the weights of the lowest validation loss, where the phase watches it."""
        if self.patience is not None and self.best is not None:
            _assign(model.weights, self.folder / self.files["best"])

    def on_epoch_begin(self, epoch, logs=None):
        """Start the clock."""
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        """Keep the state; ask Keras to stop when patience is out."""
        values = {key: float(value) for key, value in (logs or {}).items()}
        seconds = round(time.perf_counter() - self._began, 2)
        row = {"epoch": len(self.history) + 1, "phase": self.name, **values, "seconds": seconds}
        self.history.append(row)
        self.epoch = epoch + 1
        files = {"last": f"last-{len(self.history):04d}.npz"}
        _write(_all_variables(self.model), self.folder / files["last"])
        files.update(self._watch(values))
        self._write_state(files)
        log.info("%s", "  ".join(f"{k} {v:.4g}" for k, v in row.items() if k != "phase"))
        if self.stopped:
            self.model.stop_training = True

    def _watch(self, values):
        """Compare the validation loss with the best one so far."""
        if self.patience is None:
            return {}
        if self.best is None or values["val_loss"] < self.best:
            self.best, self.wait = values["val_loss"], 0
            name = f"best-{len(self.history):04d}.npz"
            _write(self.model.weights, self.folder / name)
            return {"best": name}
        self.wait += 1
        return {"best": self.files["best"]}

    def _write_state(self, files):
        state = {"run": self.run, "phase": self.phase, "epoch": self.epoch, "best": self.best}
        state.update(wait=self.wait, files=files, history=self.history)
        storage.write_json(self.folder / "state.json", state)
        self.files = files
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
