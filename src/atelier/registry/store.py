"""Where the registry lies, and MLflow's client of it.

The local registry may be moved with the repository: files are found from the database's place,
and the places noted in it are corrected before anything is written.
"""

import contextlib
import functools
import importlib.util
import logging
import os
import sqlite3
import threading
import time
import warnings
from pathlib import Path

from atelier import paths
from atelier.errors import AtelierError

DATABASE, ARTIFACTS, EXPERIMENT = "registry.db", "artifacts", "atelier"
BELIEVED = 5.0  # seconds, for which a server's answer is taken again
SETTLED = 2.0  # seconds after which a file's time is sure to change with its content
_SQLITE = "sqlite:///"
_PLACES = (  # columns of MLflow's that hold absolute places of files
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
_QUIET = {  # MLflow reads them when it is imported
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
}
_OPENING, _WRITING = threading.Lock(), threading.Lock()


def address():
    """The registry's URI: `MLFLOW_TRACKING_URI`, or the database in `models/`."""
    named = os.environ.get("MLFLOW_TRACKING_URI")
    return named or f"{_SQLITE}{(paths.models_dir() / DATABASE).as_posix()}"


def database():
    """The local registry's file, be it there or not; None where a server keeps the registry."""
    uri = address()
    if not uri.startswith(_SQLITE):
        return None
    return Path(uri.removeprefix(_SQLITE).partition("?")[0]).absolute()


def exists():
    """Whether there is a registry: its file, or a server that was named."""
    file = database()
    return file is None or file.is_file()


@contextlib.contextmanager
def plainly():
    """Say what MLflow and its database refuse as an AtelierError; also a decorator."""
    try:
        yield
    except Exception as error:
        makers = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
        if not makers & {"mlflow", "sqlalchemy", "sqlite3"}:
            raise
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise AtelierError(
            "a registry that does this", said[:300], "Correct that, or MLFLOW_TRACKING_URI."
        ) from error


def client():
    """MLflow's client of the registry, which is made if it is not there; kept.

    Raises:
        AtelierError: if it cannot be opened.
    """
    with plainly(), _OPENING:
        return _opened(address())


@functools.lru_cache(maxsize=4)
def _opened(uri):
    """A client that has asked once, so that tables are there and warnings are over."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # its errors are raised
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if file := database():
        file.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, of what it is built on
        from mlflow import MlflowClient

        opened = MlflowClient(tracking_uri=uri, registry_uri=uri)
        opened.search_experiments(max_results=1)
        opened.search_registered_models(max_results=1)
    return opened


def missing(error):
    """Whether MLflow's error says that there is no such thing."""
    return getattr(error, "error_code", None) in (
        "RESOURCE_DOES_NOT_EXIST",
        "INVALID_PARAMETER_VALUE",
    )


def experiment(client):
    """The number of the experiment that all runs belong to; call it `locked`, before writing."""
    found, file = client.get_experiment_by_name(EXPERIMENT), database()
    place = None if file is None else (file.parent / ARTIFACTS).as_uri()
    if found is None:
        return client.create_experiment(EXPERIMENT, artifact_location=place)
    if file is not None and found.artifact_location != place:
        _moved(file, found.artifact_location, place)
    return found.experiment_id


def _moved(file, old, new):
    """Correct the places in a registry that was moved, all or none."""
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        for table, column in _PLACES:
            connection.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?)"
                f" WHERE substr({column}, 1, ?) = ?",
                (new, len(old) + 1, len(old), old),
            )


def local_folder(run, source):
    """Where a local registry has what MLflow calls `source`, wherever it lay when it was noted.

    Args:
        run: the id of the run that holds it.
        source: a URI that has the run's id in it.
    """
    return database().parent / ARTIFACTS / run / source.partition(f"{run}/")[2]


def is_copy(folder):
    """Whether a folder holds a version's files, which nobody is to change."""
    file, folder = database(), Path(folder).absolute()
    home = paths.build_dir() / "registry" if file is None else file.parent / ARTIFACTS
    return folder.is_relative_to(home)


@contextlib.contextmanager
def locked():
    """One writer at a time: processes for a local registry, threads alone for a server."""
    file = database()
    with _WRITING, contextlib.ExitStack() as stack:
        if file is not None and importlib.util.find_spec("fcntl"):  # Windows has no such lock
            import fcntl

            file.parent.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((file.parent / ".registry.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def stamp():
    """What changes when the registry may have changed; cheap.

    The database is not opened for it: closing it would drop SQLite's locks of this process.
    """
    file = database()
    if file is None:
        return (int(time.monotonic() / BELIEVED),)
    return tuple(_times(file.with_name(file.name + end)) for end in ("", "-wal", "-journal"))


def _times(file):
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def settled(stamp):
    """Whether a stamp tells of the next change: two in one tick of the clock would look alike."""
    if database() is None:
        return True
    return all(time.time_ns() - times[0] > SETTLED * 1e9 for times in stamp if times)
