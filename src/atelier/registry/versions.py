"""Versions of models: immutable copies of their folders, told apart by their bytes."""

import dataclasses
import datetime
import logging
import re
import shutil
import tempfile
from pathlib import Path

from atelier import models, paths, storage
from atelier.checksums import CHECKSUMS, compare_checksums, read_checksums
from atelier.errors import AtelierError
from atelier.registry import store
from atelier.registry.tracking import DATA, RUN, logged_run

log = logging.getLogger(__name__)

TASK = "artist"  # what is meant where no task is named
TASKS = {models.FAST_PAINTER: "fast", models.TRANSLATOR: "monet"}  # a classifier's is its label
MODEL, DIGEST = "atelier.model", "atelier.digest"  # tags
COLUMNS = ("version", "model", "aliases", "val", "test", "registered", "digest")


@dataclasses.dataclass(frozen=True)
class Version:
    """A registered version of a model."""

    task: str
    number: int
    folder: Path  # its files on this machine
    aliases: tuple[str, ...]
    digest: str  # SHA-256 of its SHA256SUMS
    model: str  # name of the folder that it is a copy of
    run: str  # MLflow's id of the training
    registered: str  # ISO 8601, UTC

    @property
    def name(self):
        """What it is called, such as `artist/3`."""
        return f"{self.task}/{self.number}"


@store.plainly()
def register(model):
    """Keep a model's folder as a version; the same bytes are the same version.

    Only the files that `SHA256SUMS` lists are kept, and belong to the run of the training. A
    version that is there, but whose files were damaged, is mended.

    Args:
        model: a folder, a name in `models/`, or a version's name.

    Returns:
        The `Version`.

    Raises:
        AtelierError: if there is no such model, or it is damaged.
    """
    folder = models.find(model)
    task, client = task_of(folder), store.client()
    with tempfile.TemporaryDirectory() as temporary, store.locked():
        copy = _listed_files(folder, Path(temporary) / folder.name)
        digest = storage.file_sha256(copy / CHECKSUMS)
        found = _with_digest(client, task, digest)
        if found is None:
            found = _create(client, task, copy, digest)
        else:
            _mend(client, found, copy)
    return version_of(client.get_model_version(task, found.version))


def task_of(folder):
    """What a model is registered as: a classifier's label, `fast` or `monet`."""
    kind = models.kind_of(folder)
    if kind == models.CLASSIFIER:
        recipe = storage.read_json(folder / "recipe.json")
        return recipe.get("split", {}).get("label", TASK)
    if kind not in TASKS:
        raise AtelierError(f"a {models.CLASSIFIER}, {', a '.join(TASKS)}", kind, "Name another.")
    return TASKS[kind]


def _listed_files(folder, copy):
    """A copy of the files that are listed, as they were listed."""
    copy.mkdir()
    for name in (*read_checksums(folder), CHECKSUMS):
        if (folder / name).is_file():
            shutil.copy2(folder / name, copy / name)
    if broken := models.broken_files(copy):
        raise AtelierError(
            f"the files of {folder.name} as they were saved",
            f"{', '.join(broken)} changed or missing",
            "Restore the folder (git checkout, or copy it again) or train anew.",
        )
    return copy


def _create(client, task, copy, digest):
    run = logged_run(client, copy)
    place = f"versions/{re.sub(r'[^A-Za-z0-9_.-]', '-', copy.name)}-{digest[:12]}"
    client.log_artifacts(run.info.run_id, str(copy), place)
    if not client.search_registered_models(f"name='{task}'"):
        client.create_registered_model(task)
    tags = {name: run.data.tags[name] for name in (RUN, DATA) if name in run.data.tags}
    tags |= {MODEL: copy.name, DIGEST: digest, **_accuracies(copy)}
    source = f"{run.info.artifact_uri}/{place}"
    return client.create_model_version(task, source, run.info.run_id, tags=tags)


def _accuracies(folder):
    metrics = storage.read_json(folder / "metrics.json")
    judged = {part: metrics.get(part, {}).get("accuracy") for part in ("val", "test")}
    return {part: repr(value) for part, value in judged.items() if value is not None}


def _with_digest(client, task, digest):
    wanted = f"name='{task}' and tags.`{DIGEST}`='{digest}'"
    return next(iter(client.search_model_versions(wanted, max_results=1)), None)


def _mend(client, found, copy):
    """Write a version's files again if they are not what they were."""
    folder = _folder(found)
    states = compare_checksums(folder).values() if (folder / CHECKSUMS).is_file() else ["missing"]
    if _digest(folder) == found.tags[DIGEST] and set(states) == {"ok"}:
        return
    store.experiment(client)  # so that files go where the registry is now
    _, _, place = found.source.partition(f"{found.run_id}/artifacts/")
    client.log_artifacts(found.run_id, str(copy), place)
    if store.database() is None:
        shutil.rmtree(folder, ignore_errors=True)
    log.warning("The files of %s/%s were damaged, and are mended.", found.name, found.version)


def version_of(found):
    """MLflow's version as a `Version`."""
    made = datetime.datetime.fromtimestamp(found.creation_timestamp / 1000, datetime.UTC)
    return Version(
        task=found.name,
        number=int(found.version),
        folder=_folder(found),
        aliases=tuple(sorted(found.aliases)),
        digest=found.tags[DIGEST],
        model=found.tags[MODEL],
        run=found.run_id,
        registered=made.isoformat(timespec="seconds"),
    )


def _folder(found):
    """A version's files on this machine; a server's are fetched once."""
    if store.database() is not None:
        return store.local_folder(found.run_id, found.source)
    folder = paths.build_dir() / "registry" / found.source.rpartition("/")[2]
    if _digest(folder) != found.tags[DIGEST]:
        _fetch(found, folder)
    return folder


def _fetch(found, folder):
    from mlflow.artifacts import download_artifacts

    _, _, place = found.source.partition(f"{found.run_id}/artifacts/")
    with tempfile.TemporaryDirectory() as temporary, storage.atomic_path(folder) as fetched:
        got = download_artifacts(
            run_id=found.run_id,
            artifact_path=place,
            dst_path=temporary,
            tracking_uri=store.address(),
        )
        shutil.copytree(got, fetched)


def _digest(folder):
    """SHA-256 of the folder's list of checksums, or None."""
    path = folder / CHECKSUMS
    return storage.file_sha256(path) if path.is_file() else None


def check(version):
    """Refuse a version whose list of checksums is not the one that was registered."""
    if _digest(version.folder) != version.digest:
        raise AtelierError(
            f"the files of {version.name} as they were registered",
            f"{CHECKSUMS} changed or missing",
            f"Mend them with `atelier models register {version.model}`, or roll back.",
        )


@store.plainly()
def versions(task=None):
    """All registered versions, newest first.

    Args:
        task: only this one's.

    Returns:
        DataFrame of version (such as artist/3), model, aliases (a tuple), val and test (accuracy),
        registered (ISO 8601) and digest.

    Raises:
        AtelierError: if the registry cannot be read.
    """
    import pandas as pd

    rows = []
    if store.exists():
        client = store.client()
        for registered in client.search_registered_models():
            if task in (None, registered.name):
                found = client.search_model_versions(f"name='{registered.name}'")
                rows += [_row(one, registered.aliases) for one in found]
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(
        "registered", ascending=False, kind="stable", ignore_index=True
    )


def _row(found, aliases):
    tags, made = found.tags, found.creation_timestamp / 1000
    held = sorted(name for name, number in aliases.items() if int(number) == int(found.version))
    made = datetime.datetime.fromtimestamp(made, datetime.UTC).isoformat(timespec="seconds")
    scores = [float(tags[part]) if part in tags else None for part in ("val", "test")]
    name = f"{found.name}/{found.version}"
    return (name, tags.get(MODEL), tuple(held), *scores, made, tags.get(DIGEST))
