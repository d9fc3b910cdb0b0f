"""Runs in the registry: what a training was given, what it did and what came of it."""

import functools
import json
import logging
import math
import os
import re
import tempfile
import time
from pathlib import Path

from atelier import environment, models, paths, storage
from atelier.checksums import CHECKSUMS
from atelier.registry import store

log = logging.getLogger(__name__)

TRAINING, RUN, DATA = "atelier.training", "atelier.run", "atelier.data"  # tags
_COMMIT = "mlflow.source.git.commit"  # MLflow's own name of it
_NO_SCORES = ("split", "counts", "seed")
_LONGEST = 6000  # characters of a parameter's value
_PARAMS, _METRICS = 100, 1000  # in one request
_KEPT = ("card.md", "recipe.json", "metrics.json", "history.csv")


def tracked():
    """Whether trainings are logged: see `ATELIER_TRACKING`."""
    asked = os.environ.get("ATELIER_TRACKING") or ("off" if paths.fast() else "on")
    return asked.lower() not in ("off", "0")


def log_training(folder, data=None):
    """Log a finished training, once; what fails here is warned of and costs no training.

    Args:
        folder: the model's folder, as `models.save` left it.
        data: fingerprint of the pictures that it was trained on.

    Returns:
        The folder.
    """
    return _careful(folder, lambda client: logged_run(client, folder, data, _commit()))


def log_search(folder, data=None):
    """Log a finished search, once: its trials and the best recipe; as `log_training`.

    Args:
        folder: what `classify.tune` left.
        data: fingerprint of the pictures.

    Returns:
        The folder.
    """
    return _careful(folder, lambda client: _logged_search(client, Path(folder), data))


def _careful(folder, write):
    if tracked():
        try:
            with store.locked():
                write(store.client())
        except Exception as error:  # whatever it is, the training is done and saved
            said = " ".join(str(error).split())[:300]
            log.warning("%s is finished, but not logged: %s", Path(folder).name, said)
    return folder


def logged_run(client, folder, data=None, commit=None):
    """The MLflow run of a training, logged now if it is not yet; call it `locked`.

    A training is known by its fingerprint and its history, whose seconds no other shares.
    """
    folder = Path(folder)
    metrics = storage.read_json(folder / "metrics.json")
    run = metrics.get("run") or storage.file_sha256(folder / CHECKSUMS)
    mark = storage.fingerprint([run, storage.file_sha256(folder / "history.csv")])
    data = data or metrics.get("split", {}).get("fingerprint")
    tags = {
        RUN: run,
        DATA: data,
        _COMMIT: commit,
        "kind": models.kind_of(folder),
        "device": metrics.get("device"),
        "date": metrics.get("date"),
        "versions": json.dumps(metrics["versions"]) if "versions" in metrics else None,
    }
    history = _history(folder / "history.csv")
    return _once(
        client,
        mark,
        folder,
        tags,
        params=_flat(storage.read_json(folder / "recipe.json")),
        metrics=[*_scores(metrics), *_steps(history)],
        files=[folder / name for name in _KEPT],
        figure=functools.partial(_curves, history, models.kind_of(folder), folder.name),
        minutes=metrics.get("minutes", 0),
    )


def _logged_search(client, folder, data):
    import pandas as pd

    from atelier.plots.training import tuner_trials

    trials = pd.read_csv(folder / "trials.csv")
    run = storage.read_json(folder / "search.json")["run"]
    steps = trials.sort_values("trial").rename(columns={"trial": "epoch"})
    return _once(
        client,
        storage.fingerprint([run, storage.file_sha256(folder / "trials.csv")]),
        folder,
        {RUN: run, DATA: data, _COMMIT: _commit(), "kind": "search"},
        params=_flat(storage.read_json(folder / "best_recipe.json")),
        metrics=[("best/score", float(trials["score"].max()), 0), *_steps(steps)],
        files=[folder / "trials.csv", folder / "best_recipe.json"],
        figure=functools.partial(tuner_trials, trials, title=folder.name),
    )


def _once(client, mark, folder, tags, *, params, metrics, files, figure, minutes=0):
    """Write a run, unless a whole one has this mark; the mark comes last."""
    experiment = store.experiment(client)
    found = client.search_runs([experiment], f"tags.`{TRAINING}` = '{mark}'", max_results=1)
    if found:
        return found[0]
    ended = int(files[-1].stat().st_mtime * 1000)
    run = client.create_run(
        experiment,
        start_time=ended - round(minutes * 60_000),
        run_name=folder.name,
        tags={name: str(value) for name, value in tags.items() if value is not None},
    )
    _write_numbers(client, run.info.run_id, params, metrics)
    _write_files(client, run.info.run_id, files, figure)
    client.set_terminated(run.info.run_id, "FINISHED", end_time=ended)
    client.set_tag(run.info.run_id, TRAINING, mark)
    return client.get_run(run.info.run_id)


def _write_numbers(client, run, params, metrics):
    from mlflow.entities import Metric, Param

    now = int(time.time() * 1000)
    params = [Param(_key(name), str(value)[:_LONGEST]) for name, value in params.items()]
    metrics = [Metric(_key(name), value, now, step) for name, value, step in metrics]
    for start in range(0, len(params), _PARAMS):
        client.log_batch(run, params=params[start : start + _PARAMS])
    for start in range(0, len(metrics), _METRICS):
        client.log_batch(run, metrics=metrics[start : start + _METRICS])


def _write_files(client, run, files, figure):
    from atelier.plots.saving import save_figure

    for file in files:
        client.log_artifact(run, str(file), "training")
    with tempfile.TemporaryDirectory() as folder:
        try:
            save_figure(figure(), "curves", folder=folder)
        except ValueError as error:  # nothing to draw: no epochs, or none of a known loss
            log.info("No figure of %s: %s", run, error)
        else:
            client.log_artifacts(run, folder, "figures")


def _curves(history, kind, title):
    if kind == models.TRANSLATOR:
        from atelier.plots.translating import adversarial_losses

        return adversarial_losses(history, title=title)
    from atelier.plots.training import learning_curves

    return learning_curves(history, title=title)


def _history(path):
    import pandas as pd

    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def _key(name):
    """A name as MLflow takes it."""
    return re.sub(r"[^\w./ -]", "_", name, flags=re.ASCII)[:250]


def _flat(value, name=""):
    """Nested plain values as one dict of dotted names; lists of plain values stay lists."""
    nested = isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)
    if not (value and (isinstance(value, dict) or nested)):
        return {name: value if isinstance(value, str) else json.dumps(value)}
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    flat = {}
    for key, item in inner:
        flat.update(_flat(item, f"{name}.{key}" if name else str(key)))
    return flat


def _scores(metrics):
    """(name, value, step) of the numbers in `metrics.json`, and of those one level below."""
    for name, value in metrics.items():
        if name not in _NO_SCORES:
            inner = value.items() if isinstance(value, dict) else [("", value)]
            for key, number in inner:
                if _is_number(number):
                    yield "/".join(filter(None, (name, key))), float(number), 0


def _steps(history):
    """(name, value, epoch) of the numbers of each epoch; what an epoch lacks is left out."""
    numeric = history.select_dtypes("number")
    for row in numeric.to_dict("records"):
        step = int(row.pop("epoch", 0))
        yield from ((name, float(value), step) for name, value in row.items() if _is_number(value))


def _is_number(value):
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return plain and math.isfinite(value)


def _commit():
    """The repository's commit, or None where this is no clone."""
    found = environment.commit()
    return found and found.removesuffix(environment.CHANGED)
