"""Trained models as folders: saved whole, checked byte by byte, loaded without running code.

A folder holds `model.keras`, or `architecture.json` with `model.weights.h5`, kernels in
float16, where that is asked for; `recipe.json`, `metrics.json`, `history.csv`, `card.md` and
`SHA256SUMS`. A saved model takes RGB in [0, 255]. A classifier has a `classes.json` besides,
and gives probabilities in its order; what else a model may be, its recipe says as `kind`.

Imports nothing of `classify`, so that every room that trains can save here.
"""

import dataclasses
import functools
import importlib
import logging
from pathlib import Path

from atelier import paths, storage
from atelier.checksums import CHECKSUMS, compare_checksums, read_checksums, write_checksums
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

CLASSIFIER, FAST_PAINTER, TRANSLATOR = "classifier", "fast painter", "translator"  # kinds
WHOLE, ARCHITECTURE, WEIGHTS = "model.keras", "architecture.json", "model.weights.h5"


@dataclasses.dataclass(frozen=True)
class LoadedModel:
    """A trained model and what travels with it."""

    model: object  # keras.Model of (batch, height, width, 3) in [0, 255]
    class_names: list[str] | None  # of a classifier's outputs
    recipe: dict
    metrics: dict
    folder: Path


def save(folder, model, *, recipe, metrics, history, card, class_names=None, half=False, keep=()):
    """Write a model folder, whole or not at all.

    Args:
        folder: where; a folder that is there already is replaced.
        model: Keras model with its preprocessing inside.
        recipe: plain values of the recipe that trained it; its `kind` says what it is
            if it is no classifier.
        metrics: plain values; see `classify.train`.
        history: DataFrame with one row an epoch.
        card: the card's text, Markdown.
        class_names: of a classifier, one name for each output, in order.
        half: store kernels in float16 beside the architecture: half the size, and
            probabilities move by about 1e-3.
        keep: names inside an existing folder (logs, say) that the new one takes over.

    Returns:
        The folder.
    """
    folder = Path(folder)
    with storage.atomic_path(folder) as temporary:
        temporary.mkdir()
        if half:
            _save_half(model, temporary)
        else:
            model.save(temporary / WHOLE)
        if class_names is not None:
            storage.write_json(temporary / "classes.json", list(class_names))
        storage.write_json(temporary / "recipe.json", recipe)
        storage.write_json(temporary / "metrics.json", metrics)
        history.to_csv(temporary / "history.csv", index=False)
        storage.write_text(temporary / "card.md", card)
        write_checksums(temporary)
        for name in keep:
            if (folder / name).exists():
                (folder / name).rename(temporary / name)
    return folder


def halved(weight):
    """A weight as a half model keeps it: kernels in float16, vectors as they are.

    Scales and running statistics are vectors: they cost little, and may be too large for float16.
    """
    return weight.astype("float16") if weight.ndim > 1 and weight.dtype.kind == "f" else weight


def _save_half(model, folder):
    import h5py

    storage.write_text(folder / ARCHITECTURE, model.to_json())
    model.save_weights(folder / WEIGHTS)
    with h5py.File(folder / WEIGHTS, "r") as full, h5py.File(folder / "half.h5", "w") as half:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                half.require_group(name)
            else:
                half[name] = halved(item[()])
            half[name].attrs.update(item.attrs)

        half.attrs.update(full.attrs)
        full.visititems(copy)
    (folder / "half.h5").replace(folder / WEIGHTS)


def find(name, kind=None):
    """The folder of a model: a path, a name in `models/`, or a version of the registry's.

    Args:
        name: which; a version is `artist/3`, `artist@champion`, or `champion`, the artist's.
        kind: what it must be, such as CLASSIFIER; None takes any.

    Raises:
        AtelierError: if there is none of that kind; those that are there are named.
    """
    folder = _found(name)
    if folder is None:
        there = ", ".join(names(kind)) or "none"
        raise AtelierError(
            "a model's folder, its name in models/, or a version such as artist@champion",
            f"{str(name)!r} (in models/: {there})",
            "Train one with `atelier train RECIPE --data DIR`, or correct the name.",
        )
    if kind not in (None, kind_of(folder)):
        there = ", ".join(names(kind)) or "none"
        raise AtelierError(
            f"a {kind}", f"{folder.name}, a {kind_of(folder)}", f"Name one of them ({there})."
        )
    return folder


def _found(name):
    """The folder that a name means, or None; a registry is asked last, if there is one."""
    for folder in (Path(name), paths.models_dir() / name):
        if _is_model(folder):
            return folder
    from atelier import registry

    version = registry.resolve(name)
    return version and version.folder


def _is_model(folder):
    """Whether a finished run left this folder, whatever may have been lost since."""
    names = ("recipe.json", "metrics.json")
    return (folder / "classes.json").is_file() or all((folder / name).is_file() for name in names)


def kind_of(folder):
    """What the model in a folder is: CLASSIFIER, or what its recipe says."""
    folder = Path(folder)
    if (folder / "classes.json").is_file():
        return CLASSIFIER
    return storage.read_json(folder / "recipe.json").get("kind", "model without classes")


def load(name, kind=CLASSIFIER):
    """Load a trained model in safe mode, after checking every byte.

    The networks loaded last are kept: asked for again, they answer at once, and they are
    the same objects. Clone one before changing it.

    Args:
        name: as of `find`.
        kind: what it must be; None takes any.

    Raises:
        AtelierError: if there is no such model, or a file was changed, is missing or unreadable.
    """
    folder = find(name, kind)
    if broken := broken_files(folder):
        raise AtelierError(
            f"the files of {folder.name} as they were saved",
            f"{', '.join(broken)} changed or missing",
            "Restore the folder (git checkout, or copy it again) or train anew; a version is"
            " mended by `atelier models register` of the model it is a copy of.",
        )
    classes = folder / "classes.json"
    return LoadedModel(
        model=_network(folder, *_digests(folder)),
        class_names=storage.read_json(classes) if classes.is_file() else None,
        recipe=storage.read_json(folder / "recipe.json"),
        metrics=storage.read_json(folder / "metrics.json"),
        folder=folder,
    )


def _digests(folder):
    """Checksums of the files that a network is read from."""
    noted = read_checksums(folder)
    return [noted[name] for name in (WHOLE, ARCHITECTURE, WEIGHTS) if name in noted]


@functools.lru_cache(maxsize=3)
def _network(folder, *digests):
    """The network in a folder; read again when its checksums are others."""
    from atelier import hub  # its layers are known to Keras once they are imported

    importlib.import_module("atelier.layers")  # and so are these

    try:
        return _read_network(folder)
    except TypeError as error:
        if "keras_hub" in str(error):
            hub.load_keras_hub()  # says so where it is missing
        raise


def forget():
    """Let go of the networks that were loaded last; whoever holds one still has it."""
    _network.cache_clear()


def _read_network(folder):
    import keras

    if (folder / WHOLE).is_file():
        return keras.models.load_model(folder / WHOLE, compile=False, safe_mode=True)
    text = (folder / ARCHITECTURE).read_text(encoding="utf-8")
    model = keras.models.model_from_json(text)  # safe mode is Keras's default here
    model.load_weights(folder / WEIGHTS)
    return model


def verify(name):
    """Compare a model's files with their checksums.

    Returns:
        dict of file name -> "ok", "changed" or "missing".

    Raises:
        AtelierError: if there is no such model, or it has no checksums.
    """
    return compare_checksums(find(name))


def broken_files(folder):
    """Names of the files that are not what their checksums say."""
    return [file for file, state in compare_checksums(Path(folder)).items() if state != "ok"]


def record(folder, metrics, card):
    """Replace a model's metrics and card, and their checksums with them.

    A registered version stays as it is, with a warning.
    """
    from atelier import registry

    folder = Path(folder)
    if registry.is_copy(folder):
        log.warning("%s is a registered version, so nothing is noted there.", folder.name)
        return
    storage.write_json(folder / "metrics.json", metrics)
    storage.write_text(folder / "card.md", card)
    write_checksums(folder)


def card(name):
    """A model's card, Markdown."""
    return (find(name) / "card.md").read_text(encoding="utf-8")


def list_models():
    """One row for each model in `models/`, a DataFrame.

    Its columns: name, recipe, kind, classes, val, test, megabytes; the newest version that has
    these very bytes, such as artist/3, or None; and its aliases.
    """
    import pandas as pd

    from atelier import registry

    versions = registry.versions().drop_duplicates("digest").set_index("digest")
    columns = ["name", "recipe", "kind", "classes", "val", "test", "megabytes", "version"]
    rows = [_row(name, versions) for name in names()]
    return pd.DataFrame(rows, columns=[*columns, "aliases"])


def _row(name, versions):
    folder = paths.models_dir() / name
    metrics, classes = storage.read_json(folder / "metrics.json"), folder / "classes.json"
    size = sum(p.stat().st_size for p in folder.iterdir() if p.is_file())
    sums = folder / CHECKSUMS
    digest = storage.file_sha256(sums) if sums.is_file() else None
    version = versions.loc[digest] if digest in versions.index else None
    return {
        "name": name,
        "recipe": storage.read_json(folder / "recipe.json").get("name"),
        "kind": kind_of(folder),
        "classes": len(storage.read_json(classes)) if classes.is_file() else None,
        "val": metrics.get("val", {}).get("accuracy"),
        "test": metrics.get("test", {}).get("accuracy"),
        "megabytes": round(size / 1e6, 1),
        "version": None if version is None else version["version"],
        "aliases": "" if version is None else ", ".join(version["aliases"]),
    }


def names(kind=None):
    """Names of the models in `models/`, sorted; of one kind only, if it is named."""
    there = filter(_is_model, sorted(paths.models_dir().glob("*/")))
    return [folder.name for folder in there if kind in (None, kind_of(folder))]
