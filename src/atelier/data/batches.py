"""Batches of decoded pictures, a pure function of (seed, epoch, index).

What batch `index` of epoch `epoch` holds never depends on how many threads made it,
on what was asked for before, or on whether training was interrupted in between.

Differs from other `keras.utils.PyDataset`s: Keras's own workers are not used. Their
queue is started before `fit` knows that an epoch has begun, and what is left in it is
handed out in the next one. Threads of our own make the next batches ahead instead.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from atelier.data.augment import augment_batch
from atelier.data.mixing import mix
from atelier.errors import AtelierError

ORDER_STREAM, MIX_STREAM = 2, 3  # keep the draws here apart from other uses of the same seed


class SeededBatches(keras.utils.PyDataset):
    """Batches that `make(epoch, index)` gives; a subclass has it, and `num_batches`.

    Call `fit(..., shuffle=False)`: otherwise Keras shuffles the order of the batches once
    more, and not by our seed. Epochs are counted from `start_epoch`, one for each pass
    of one `fit`. Before another `fit` call `set_epoch`, or give every `fit` the callback
    `FollowEpochs(batches)`, which takes the number from Keras.

    Args:
        workers: threads that make batches ahead; 0 makes each when it is asked for.
        start_epoch: number of the first epoch.
    """

    def __init__(self, *, workers=1, start_epoch=0):
        super().__init__()
        self._ahead = _Ahead(self.make, workers)
        self.set_epoch(start_epoch)

    def __len__(self):
        return self.num_batches

    def __getitem__(self, index):
        """Batch `index` of the present epoch."""
        if not 0 <= index < self.num_batches:
            raise IndexError(
                f"Expected a batch from 0 to {self.num_batches - 1}. Received: {index}."
            )
        return self._ahead.get(self.epoch, index, self.num_batches)

    def set_epoch(self, epoch):
        """Go to an epoch; the next `fit` begins there."""
        self.epoch = int(epoch)
        self._begun, self._opening = False, True

    def on_epoch_begin(self):
        """Keras begins a pass: an epoch, or a look at one batch to build the model."""
        self._begun = True

    def on_epoch_end(self):
        """Count an epoch that ended; `fit` calls this once before the first one, too."""
        self.epoch += self._begun and not self._opening
        self._begun = self._opening = False


class Batches(SeededBatches):
    """Pictures and one-hot labels for `fit`, `evaluate` and `predict`: see `SeededBatches`.

    Args:
        pixels: (n, height, width, 3) uint8; a memory map will do.
        rows: (m,) ints, the pictures of `pixels` to use, in order.
        labels: (m,) ints, the class of each.
        num_classes: length of a one-hot label.
        batch_size: pictures in a batch.
        shuffle: put the pictures in another order each epoch.
        seed: of order, augmentation and mixing; 0 or more.
        augment: an `AugmentConfig`, or None for pictures as they are.
        label_smoothing: part of each label that is spread over all classes.
        workers: threads that make batches ahead; 0 makes each when it is asked for.
        start_epoch: number of the first epoch.
        drop_remainder: leave out a last batch that is not full, unless it is the only one.

    Yields:
        (batch, height, width, 3) float32 in [0, 255] and (batch, num_classes) float32.

    Raises:
        AtelierError: if there are no pictures.
        ValueError: if rows and labels do not fit together or the labels the classes.
    """

    def __init__(
        self,
        pixels,
        rows,
        labels,
        *,
        num_classes,
        batch_size=32,
        shuffle=False,
        seed=0,
        augment=None,
        label_smoothing=0.0,
        workers=1,
        start_epoch=0,
        drop_remainder=False,
    ):
        super().__init__(workers=workers, start_epoch=start_epoch)
        self.pixels, self.num_classes, self.batch_size = pixels, num_classes, batch_size
        self.rows, self.labels = _checked(rows, labels, num_classes)
        self.shuffle, self.seed, self.augment = shuffle, seed, augment
        self.label_smoothing, self.drop_remainder = label_smoothing, drop_remainder
        self._order = (None, None)

    @property
    def num_batches(self):
        """Batches in an epoch."""
        full, rest = divmod(len(self.rows), self.batch_size)
        return max(1, full) if self.drop_remainder else full + (rest > 0)

    def positions(self, epoch, index):
        """Which of the pictures, as positions in `rows`, are in a batch, (batch,) ints."""
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        if not self.shuffle:
            return np.arange(len(self.rows))[part]
        known, order = self._order
        if known != epoch:
            rng = np.random.default_rng((self.seed, ORDER_STREAM, epoch))
            order = rng.permutation(len(self.rows))
            self._order = (epoch, order)
        return order[part]

    def make(self, epoch, index):
        """Make a batch, whatever the present epoch is."""
        positions = self.positions(epoch, index)
        images = self.pixels[self.rows[positions]]
        if self.augment is not None:
            images = augment_batch(
                images, self.augment, seed=self.seed, epoch=epoch, indices=positions
            )
        images, labels = images.astype(np.float32), self._one_hot(self.labels[positions])
        if self.augment is not None and self.augment.mixes:
            rng = np.random.default_rng((self.seed, MIX_STREAM, epoch, index))
            images, labels = mix(images, labels, self.augment, rng)
        return images, labels

    def _one_hot(self, labels):
        """(batch,) ints to (batch, num_classes) float32, smoothed."""
        rest = self.label_smoothing / self.num_classes
        one_hot = np.full((len(labels), self.num_classes), rest, np.float32)
        one_hot[np.arange(len(labels)), labels] += 1 - self.label_smoothing
        return one_hot


class FollowEpochs(keras.callbacks.Callback):
    """Give `Batches` the epoch's number as Keras counts it, over several calls of `fit`."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __deepcopy__(self, memo):
        return FollowEpochs(self.batches)  # KerasTuner copies callbacks; pixels stay where they are

    def on_epoch_begin(self, epoch, logs=None):
        """Set the epoch."""
        self.batches.set_epoch(epoch)


class _Ahead:
    """Makes the batches that follow one that is asked for, in threads, while it is used."""

    def __init__(self, make, workers):
        self._make, self._workers = make, workers
        self._pool = ThreadPoolExecutor(workers, "batches") if workers > 0 else None
        self._lock = threading.Lock()
        self._pending = {}  # (epoch, index) -> future; at most `workers` + 1
        self._last = None

    def get(self, epoch, index, end):
        """Batch (epoch, index), where the epoch has `end` batches."""
        if self._pool is None:
            return self._make(epoch, index)
        with self._lock:
            in_turn = index == 0 or self._last == (epoch, index - 1)
            self._last = (epoch, index)
            stop = min(end, index + 1 + self._workers) if in_turn else index + 1
            wanted = [(epoch, i) for i in range(index, stop)]
            for key in self._pending.keys() - set(wanted):
                self._pending.pop(key).cancel()
            for key in wanted:
                if key not in self._pending:
                    self._pending[key] = self._pool.submit(self._make, *key)
            future = self._pending.pop(wanted[0])
        return future.result()


def _checked(rows, labels, num_classes):
    """Rows and labels as int arrays that fit together."""
    rows, labels = np.asarray(rows, dtype=np.int64), np.asarray(labels, dtype=np.int64)
    if rows.ndim != 1 or rows.shape != labels.shape:
        raise ValueError(f"Expected one label a row. Received: {rows.shape} and {labels.shape}.")
    if len(rows) == 0:
        raise AtelierError(
            "pictures to make batches of", "none", "Check the split and its classes."
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"Expected labels from 0 to {num_classes - 1}. "
            f"Received: {labels.min()} to {labels.max()}."
        )
    return rows, labels
