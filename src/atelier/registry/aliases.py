"""Aliases: which version is meant, and what was meant before.

What an alias meant is noted with the registered model before the alias moves, so that a process
that is killed between the two leaves nothing that `rollback` would go astray by.
"""

import json

from atelier import models
from atelier.errors import AtelierError
from atelier.registry import store
from atelier.registry.versions import TASK, check, register, version_of

_BEFORE = "atelier.before."  # tag of a registered model, followed by the alias
_REMEMBERED = 100  # promotions
_SIDE = 64  # pixels of a picture for a network that takes any


@store.plainly()
def promote(model, alias="champion"):
    """Let an alias mean this model from now on; what it meant before is remembered.

    Args:
        model: a model's folder or name, which is registered if it is not yet, or a version's
            name, such as `artist/3`.
        alias: which; each task has its own.

    Returns:
        The `Version`.

    Raises:
        AtelierError: if there is no such model, it is damaged, or it does not answer.
    """
    version, client = register(model), store.client()
    _try_out(version)
    with store.locked():
        before, now = _meaning(client, version.task, alias), version.number
        if before is not None and before != now:
            _remember(client, version.task, alias, [*_past(client, version.task, alias), before])
        client.set_registered_model_alias(version.task, alias, str(now))
    return version_of(client.get_model_version(version.task, str(now)))


@store.plainly()
def rollback(alias="champion", task=TASK):
    """Let an alias mean what it meant before its last promotion.

    Args:
        alias: which.
        task: whose: artist, style, genre, movement, fast or monet.

    Returns:
        The `Version` that it means again.

    Raises:
        AtelierError: if there is no earlier version to go back to, or its files were changed.
    """
    client = store.client() if store.exists() else None
    with store.locked():
        past = _past(client, task, alias) if client else []
        now = _meaning(client, task, alias) if client else None
        found = None
        while past and found is None:
            number = past.pop()
            found = _existing(client, task, number) if number != now else None
        if found is None:
            raise AtelierError(
                f"an earlier version under {task}@{alias}",
                "none" if now is None else f"only {task}/{now}",
                "Promote a model with `atelier models promote MODEL`.",
            )
        version = version_of(found)
        _check_files(version)
        client.set_registered_model_alias(task, alias, str(version.number))
        _remember(client, task, alias, past)
    return version_of(client.get_model_version(task, str(version.number)))


def _try_out(version):
    """Load a version, and have it answer once."""
    import keras
    import numpy as np

    network = models.load(version.folder, kind=None).model
    shapes = [[1, *(side or _SIDE for side in array.shape[1:])] for array in network.inputs]
    asked = [np.full(shape, 127.0, "float32") for shape in shapes]
    said = keras.tree.flatten(network(asked if len(asked) > 1 else asked[0], training=False))
    if not all(np.isfinite(keras.ops.convert_to_numpy(array)).all() for array in said):
        raise AtelierError(
            f"numbers from {version.name} ({version.model}) when it is asked",
            "infinite ones, or none",
            "Train it anew, or promote another.",
        )


def _check_files(version):
    check(version)
    if broken := models.broken_files(version.folder):
        raise AtelierError(
            f"the files of {version.name} as they were registered",
            f"{', '.join(broken)} changed or missing",
            f"Mend them with `atelier models register {version.model}`, or promote another.",
        )


def _registered(client, task):
    return next(iter(client.search_registered_models(f"name='{task}'")), None)


def _meaning(client, task, alias):
    """The number of the version that an alias means, or None."""
    registered = _registered(client, task)
    number = registered.aliases.get(alias) if registered else None
    return None if number is None else int(number)


def _past(client, task, alias):
    """Numbers of the versions that an alias meant before, oldest first."""
    registered = _registered(client, task)
    return json.loads(registered.tags.get(_BEFORE + alias, "[]")) if registered else []


def _remember(client, task, alias, numbers):
    client.set_registered_model_tag(task, _BEFORE + alias, json.dumps(numbers[-_REMEMBERED:]))


def _existing(client, task, number):
    """MLflow's version of that number, or None if somebody has deleted it."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version(task, str(number))
    except MlflowException as error:
        if not store.missing(error):
            raise
        return None
