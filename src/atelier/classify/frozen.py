"""A frozen body is asked once: the head trains from features that are kept on disk.

What a frozen body makes of a picture never changes, so where pictures are not
augmented either, it is computed once, as float16, and the head learns from
that: the same as through the body, up to rounding, in a fraction of the time.
Features lie in the collection's workspace under a name made of the body's
weights and the pictures, so that runs of other seeds find them again.

Differs from training through the body: what the body itself draws at random
while training (EfficientNet's stochastic depth) is off.
"""

import hashlib
import logging

import keras
import numpy as np

from atelier import paths, storage
from atelier.classify.compiling import accuracy
from atelier.classify.heads import POOL
from atelier.classify.trainable import body_and_head
from atelier.data.batches import Batches

log = logging.getLogger(__name__)

EXTRACTION_BATCH = 32


def trains_from_features(recipe, phase):
    """Whether the body is frozen and the pictures are always the same."""
    return phase.trainable == "head" and recipe.augment_of(phase) is None


def split_network(network):
    """A network as two models that share its layers: what never changes, and what learns.

    Returns:
        (trunk, head): the body, with the head's pooling where it begins with one, and the rest.
    """
    body, _ = body_and_head(network)
    names = [layer.name for layer in network.layers]
    end = network.get_layer(POOL if POOL in names else body[-1].name)
    trunk = keras.Model(network.input, end.output, name="trunk")
    return trunk, keras.Model(end.output, network.output, name="head")


def head_on_features(network, recipe, data, *, start_epoch=0, progress=None):
    """The head as a model of its own, with batches of features to train and judge it.

    The network must be compiled and hold the body's final weights; the head is
    compiled with the same optimizer and loss, and shares its variables.

    Args:
        network: a compiled model.
        recipe: that it is trained by.
        data: the collection as `Datasets`.
        start_epoch: number of the first epoch; decides the order of the pictures.
        progress: called with (done, total), in pictures.

    Returns:
        (head, train_ds, val_ds).
    """
    trunk, head = split_network(network)
    head.compile(network.optimizer, network.loss, metrics=[accuracy()])
    maps = kept_features(trunk, data, ("train", "val"), progress=progress)
    pictures = {part: data.eval_ds(part) for part in ("train", "val")}
    train_ds = _batches(
        maps["train"],
        pictures["train"],
        recipe,
        shuffle=True,
        seed=recipe.seed,
        label_smoothing=recipe.label_smoothing,
        start_epoch=start_epoch,
        drop_remainder=True,
        workers=2,
    )
    return head, train_ds, _batches(maps["val"], pictures["val"], recipe)


def kept_features(trunk, data, parts, *, progress=None):
    """What a model makes of the pictures of some parts, computed once and kept on disk.

    Args:
        trunk: a model that takes pictures.
        data: the collection as `Datasets`.
        parts: of `train`, `val` and `test`.
        progress: called with (done, total), in pictures.

    Returns:
        dict of part -> (n, ...) float16, a read-only memory map in the order of `data.eval_ds(part)`.
    """
    mark = _digest(trunk)
    pictures = {part: data.eval_ds(part) for part in parts}
    count = _Count(sum(len(ds.rows) for ds in pictures.values()), progress)
    return {part: _kept_part(trunk, pictures[part], data, part, mark, count) for part in parts}


def _batches(features, pictures, recipe, **options):
    return Batches(
        features,
        np.arange(len(features)),
        pictures.labels,
        num_classes=pictures.num_classes,
        batch_size=recipe.batch_size,
        **options,
    )


class _Count:
    """How many pictures were asked about, of all."""

    def __init__(self, total, progress):
        self.done, self.total, self.progress = 0, total, progress

    def add(self, number):
        self.done += number
        if self.progress is not None:
            self.progress(self.done, self.total)


def _kept_part(trunk, pictures, data, part, mark, count):
    recipe, names = data.recipe, list(data.part(part)["path"])
    seen = data.fingerprint if part == "train" else data.split.fingerprint
    key = storage.fingerprint([mark, seen, recipe.image_size, recipe.fit, recipe.views, names])
    path = paths.workspace(data.directory) / "maps" / f"{key}.npy"
    if not path.is_file():
        with storage.atomic_path(path) as temporary:
            _compute(trunk, pictures, temporary, count)
        log.info("Features of %s: %s, %.2f GB", part, path, path.stat().st_size / 1e9)
    return np.load(path, mmap_mode="r")


def _compute(trunk, pictures, path, count):
    """Write the trunk's answers to all pictures as one array."""
    total = len(pictures.rows)
    features = np.lib.format.open_memmap(
        path,
        "w+",
        "float16",
        (total, *trunk.compute_output_shape((1, *pictures[0][0].shape[1:]))[1:]),
    )
    done = 0
    for index in range(len(pictures)):
        answers = trunk.predict_on_batch(pictures[index][0])
        features[done : done + len(answers)] = answers
        done += len(answers)
        count.add(len(answers))
    features.flush()


def _digest(trunk):
    """Hex digits that change with the trunk's layers, weights or precision."""
    digest = hashlib.sha256(f"{keras.config.dtype_policy().name}".encode())
    for layer in trunk.layers:
        digest.update(f"{type(layer).__name__} {layer.name} {layer.compute_dtype}".encode())
    for weight in trunk.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
