"""Embeddings of a collection: what a trained classifier's last Dense layer is given.

Scaled to length 1 and kept as an index in the collection's workspace, beside its
manifest: `similar/MODEL/` holds `embeddings.npy` (float16), `pictures.parquet`, and
`index.json`, which names the model's weights and the collection's state. It is made
again when either has changed, or when what is kept is not whole.
"""

import dataclasses
import functools
import logging
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from atelier import models, paths, storage
from atelier.classify.neighbors import normalized
from atelier.classify.recipes import Recipe
from atelier.data.images import SIX_VIEWS, decode
from atelier.data.manifest import load_manifest
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

INDEX_VERSION = 1  # raise it when the same model and collection should give another index
BATCH = 32  # pictures embedded at a time
_EMBEDDINGS, _PICTURES, _NOTE = "embeddings.npy", "pictures.parquet", "index.json"


@dataclasses.dataclass(frozen=True)
class Index:
    """The embeddings of a collection's readable pictures, row by row."""

    embeddings: np.ndarray  # (n, d) float16 of length 1, a read-only memory map
    pictures: pd.DataFrame  # path, label, artist, leak_group, sha256
    folder: Path

    @property
    def groups(self):
        """Leak groups, (n,) int64."""
        return self.pictures["leak_group"].to_numpy("int64")


def embedding_model(model):
    """The part of a classifier that ends where its last Dense layer begins.

    Args:
        model: (batch, height, width, 3) in [0, 255] -> (batch, num_classes).

    Returns:
        keras.Model with the same input -> (batch, d); weights are shared.

    Raises:
        AtelierError: if there is no Dense layer, or it is given no vectors.
    """
    dense = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    if not dense:
        kinds = ", ".join(dict.fromkeys(type(layer).__name__ for layer in model.layers))
        raise AtelierError("a classifier with a Dense layer", kinds, "Use another model.")
    vectors = dense[-1].input
    if len(vectors.shape) != 2:
        raise AtelierError(
            f"vectors before the layer {dense[-1].name}", f"{vectors.shape}", "Use another model."
        )
    return keras.Model(model.inputs, vectors, name="embedding")


def embed(network, pixels, *, rows=None, progress=None):
    """Embeddings of pictures.

    Args:
        network: from `embedding_model`.
        pixels: (n, height, width, 3) in [0, 255], or (n, views, height, width, 3), whose
            vectors are averaged; a memory map will do.
        rows: (m,) pictures of it to embed, in order; default all.
        progress: called with (done, total) pictures.

    Returns:
        (m, d) float32 of length 1.

    Raises:
        AtelierError: if an embedding is no number.
    """
    rows = np.arange(len(pixels)) if rows is None else np.asarray(rows)
    parts = []
    for low in range(0, len(rows), BATCH):
        batch = np.float32(pixels[rows[low : low + BATCH]])
        vectors = network.predict_on_batch(batch.reshape(-1, *batch.shape[-3:]))
        parts.append(normalized(vectors.reshape(len(batch), -1, vectors.shape[-1]).mean(axis=1)))
        if progress is not None:
            progress(low + len(batch), len(rows))
    return np.concatenate(parts)


def load_index(model, directory, *, progress=None):
    """The index of a collection for a model; kept, or made where it is not there or out of date.

    Args:
        model: a model's folder, name or alias, or a `models.LoadedModel`.
        directory: root of a collection; all its readable pictures take part, whether
            their painters are among the model's classes or not.
        progress: called with (stage, done, total); stages are names for a bar.

    Returns:
        An `Index`; its label is the one that the model's recipe predicts.

    Raises:
        AtelierError: if the model is damaged, or the collection has no readable pictures.
    """
    loaded = model if isinstance(model, models.LoadedModel) else models.load(model)
    recipe = Recipe.from_json(loaded.recipe)
    manifest = load_manifest(directory, progress=_stage(progress, "Reading the collection"))
    note = _note(loaded, recipe, manifest)
    folder = paths.workspace(directory) / "similar" / loaded.folder.name
    index = _read_kept(folder, note)
    if index is None:
        with storage.atomic_path(folder) as temporary:
            _write(temporary, loaded, recipe, manifest, directory, note, progress)
        index = _read_kept(folder, note)
    return index


def _stage(progress, name):
    return None if progress is None else functools.partial(progress, name)


def _note(loaded, recipe, manifest):
    """What an index depends on; a model's metrics and card may change without harm."""
    files = (models.WHOLE, models.ARCHITECTURE, models.WEIGHTS)
    found = [loaded.folder / name for name in files if (loaded.folder / name).is_file()]
    return {
        "version": INDEX_VERSION,
        "model": {path.name: storage.file_sha256(path) for path in found},
        "image_size": list(recipe.image_size),
        "fit": _fit(recipe),
        "label": recipe.split.label,
        "collection": manifest.attrs["fingerprint"],
    }


def _fit(recipe):
    return SIX_VIEWS if recipe.views else recipe.fit


def _read_kept(folder, note):
    """The kept index, or None where there is none, it is out of date, or it is damaged."""
    if not (folder / _NOTE).is_file():
        return None
    try:
        kept = storage.read_json(folder / _NOTE)
        if kept != note:
            log.info("Model or collection has changed since the index in %s", folder)
            return None
        embeddings = np.load(folder / _EMBEDDINGS, mmap_mode="r")
        pictures = pd.read_parquet(folder / _PICTURES)
        if embeddings.ndim != 2 or len(embeddings) != len(pictures):
            raise ValueError(f"{embeddings.shape} embeddings of {len(pictures)} pictures")
    except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
        log.warning("The index in %s cannot be used (%s): it is made anew", folder, error)
        return None
    return Index(embeddings, pictures, folder)


def _write(folder, loaded, recipe, manifest, directory, note, progress):
    """Embed a collection's readable pictures into a new folder."""
    folder.mkdir()
    pictures = _pictures(manifest, recipe.split.label)
    images = decode(
        directory,
        list(pictures["path"]),
        image_size=tuple(recipe.image_size),
        fit=_fit(recipe),
        progress=_stage(progress, "Decoding"),
    )
    pictures = pictures[~pictures["path"].isin(list(images.skipped))].reset_index(drop=True)
    embeddings = embed(
        embedding_model(loaded.model),
        images.pixels,
        rows=images.rows(list(pictures["path"])),
        progress=_stage(progress, "Looking at the pictures"),
    )
    np.save(folder / _EMBEDDINGS, embeddings.astype("float16"))
    pictures.to_parquet(folder / _PICTURES, index=False)
    storage.write_json(folder / _NOTE, note)


def _pictures(manifest, label):
    if label not in manifest:
        known = ", ".join(manifest.columns)
        raise AtelierError(f"the label {label} among {known}", "none", "Use another model.")
    table = manifest.assign(label=manifest[label])[manifest["readable"].fillna(False)]
    if table.empty:
        raise AtelierError("readable pictures", "none", "Run `atelier data audit DIR`.")
    return table[["path", "label", "artist", "leak_group", "sha256"]].reset_index(drop=True)
