"""What every training of ours does around `fit`, whatever is trained.

A run leaves a folder: `metrics.json` once it is finished, `backup/` until then.
"""

import contextlib
import importlib.util
import logging
import shutil

import keras

from atelier import models, storage
from atelier.environment import backend_name, commit, device_name, today, versions
from atelier.errors import AtelierError

log = logging.getLogger(__name__)


def finished(out, run, overwrite):
    """Whether this very run is done; what another left is removed if that was asked for."""
    found = _run_in(out)
    if found not in (None, run):
        if not overwrite:
            raise AtelierError(
                f"no run, or the same one (recipe, data, split and seed), in {out.name}",
                "what another run left",
                "Choose another --out, or replace it with --overwrite.",
            )
        shutil.rmtree(out)
    done = (out / "metrics.json").is_file()
    if done:
        log.info("%s is trained already.", out.name)
    return done


def _run_in(out):
    """Fingerprint of the finished or unfinished run in a folder, or None."""
    for place in (out / "metrics.json", out / "backup" / "state.json"):
        if place.is_file():
            return storage.read_json(place).get("run")
    return None


@contextlib.contextmanager
def one_run_at_a_time(out):
    """Refuse a second process that trains into the same folder; a dead one's lock is free."""
    out.mkdir(parents=True, exist_ok=True)
    commit()  # remembered as it is now: files may change while it trains
    if importlib.util.find_spec("fcntl") is None:  # Windows has no such lock
        yield
        return
    import fcntl

    with (out.parent / f".{out.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AtelierError(
                f"no other training in {out.name}", "one that is running", "Wait for it to end."
            ) from error
        yield


@contextlib.contextmanager
def precision(policy):
    """Build layers under a dtype policy, then put the old one back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def report_steps(progress, steps, epochs):
    """A callback that calls `progress` with (done, total) steps after each."""

    class Report(keras.callbacks.Callback):
        """Tell how many steps of the phase are done."""

        def on_epoch_begin(self, epoch, logs=None):
            self.done = epoch * steps

        def on_train_batch_end(self, batch, logs=None):
            progress(self.done + batch + 1, steps * epochs)

    return Report()


def tensorboard(folder):
    """TensorBoard's callback where TensorFlow, which writes its files, is installed."""
    if importlib.util.find_spec("tensorflow") is None:
        log.info("No TensorBoard logs: TensorFlow is not installed.")
        return []
    return [keras.callbacks.TensorBoard(folder, write_graph=False)]


def provenance(seed, history, data=None):
    """What `metrics.json` says of how a run was made.

    Args:
        seed: of the run.
        history: table of a row an epoch, with its `seconds`.
        data: fingerprint of the pictures that it was trained on.

    Returns:
        Dict of seed, data, minutes, device, backend, versions, commit (see
        `environment.commit`; of a run that was interrupted, that of its last part) and date.
    """
    return {
        "seed": seed,
        "data": data,
        "minutes": round(float(sum(history.get("seconds", ()))) / 60, 1),
        "device": device_name(),
        "backend": backend_name(),
        "versions": versions(),
        "commit": commit(),
        "date": today(),
    }


def take_weights(final, network, half):
    """Give a network another's weights, as they will be once they were kept in float16."""
    weights = network.get_weights()
    final.set_weights([models.halved(w).astype("float32") for w in weights] if half else weights)
    for layer in final.layers:
        if isinstance(layer, keras.layers.Normalization):  # EfficientNet's, which holds weights
            layer.finalize_state()
