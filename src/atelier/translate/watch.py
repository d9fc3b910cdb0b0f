"""Callbacks of a training: a fixed grid of pictures after every epoch, and a guard.

The guard says what commonly goes wrong with critics: see `problems_of`.
"""

import contextlib
import logging

import cv2
import keras
import numpy as np
from keras import ops

from atelier import models, storage
from atelier.data.writing import write_picture
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

PICTURES, SNAPSHOTS = "pictures", "snapshots"  # folders beside the networks
SHOWN = 6  # photos of the grid
_LOST = 0.01  # a critic's loss below this teaches its generator nothing; a coin's is 0.25
_PLAIN = 4.0  # deviation, in levels, below which all pictures look alike
_EVERY = 20  # steps between two looks at the losses
_INVERTED = -0.3  # correlation of luminance below which colors are turned round


class Watching(keras.callbacks.Callback):
    """Paint the same photos after every epoch, and keep the generator now and then.

    Both are done with the averages of the weights, where the config has them, since these are
    what is kept in the end.

    Args:
        photos: (n, h, w, 3) uint8.
        folder: of the model; its `pictures/epoch-0001.png` and so on show one photo a row: photo,
            painting, photo again; `snapshots/epoch-0008.npz` and so on hold generators.
        every: epochs between two generators that are kept.
    """

    def __init__(self, photos, folder, every):
        super().__init__()
        self.photos, self.folder, self.every = photos, folder, every

    def on_epoch_end(self, epoch, logs=None):
        """Paint, look for signs of a collapse, and keep what is to be kept."""
        name = f"epoch-{epoch + 1:04d}"
        with averaged(self.model):
            shown = [self.photos, *self.pictures()]
            if (epoch + 1) % self.every == 0:
                keep_snapshot(self.model.to_monet, self.folder / SNAPSHOTS / f"{name}.npz")
        grid = np.concatenate([np.concatenate(list(column), axis=0) for column in shown], axis=1)
        write_picture(self.folder / PICTURES / f"{name}.png", grid)
        for problem in problems_of(self.photos, shown[1], logs or {}):
            log.warning("Epoch %d: %s", epoch + 1, problem)

    def pictures(self):
        """What the generators make of the photos: paintings, and photos again where there are."""
        painted = seen_by(self.model.to_monet, self.photos)
        back = getattr(self.model, "to_photo", None)
        return [painted] if back is None else [painted, seen_by(back, painted)]


@contextlib.contextmanager
def averaged(model):
    """A model with the averages of its weights, as its optimizer has them; then as it was."""
    if not model.optimizer.use_ema:
        yield
        return
    averages = model.optimizer._model_variables_moving_average  # as Keras's SwapEMAWeights does
    before = [ops.convert_to_numpy(variable) for variable in model.trainable_variables]
    for variable, average in zip(model.trainable_variables, averages, strict=True):
        variable.assign(average)
    try:
        yield
    finally:
        for variable, value in zip(model.trainable_variables, before, strict=True):
            variable.assign(value)


def keep_snapshot(network, path):
    """Write a network's weights, kernels in float16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with storage.atomic_path(path) as temporary:
        np.savez(temporary, *(models.halved(weight) for weight in network.get_weights()))


def load_snapshot(network, path):
    """Give a network the weights of a snapshot."""
    with np.load(path, allow_pickle=False) as arrays:
        network.set_weights([arrays[name].astype("float32") for name in arrays.files])


def seen_by(network, pictures):
    """What a network makes of (n, h, w, 3) pictures, one at a time, as uint8."""
    made = [network(np.float32(picture)[None], training=False) for picture in pictures]
    return np.uint8(np.rint(np.clip([ops.convert_to_numpy(x)[0] for x in made], 0, 255)))


def problems_of(photos, painted, losses):
    """Signs that a training has collapsed, a sentence each.

    Args:
        photos: (n, h, w, 3) uint8.
        painted: the same, what was made of them.
        losses: dict of name -> mean loss of the epoch.

    Returns:
        List of sentences: a critic that is never wrong, one picture for all photos, colors that
        are turned round.
    """
    found = [
        f"{name} is never wrong any more (loss {value:.4f}): raise label_smoothing, "
        "or add an augmentation."
        for name, value in losses.items()
        if name.endswith("_critic") and value < _LOST
    ]
    made = painted.astype("float32")
    if len(made) > 1 and made.std(axis=0).mean() < _PLAIN:
        found.append("all photos become one and the same picture: train again with another seed.")
    grey = [
        [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY).ravel() for x in side] for side in (photos, painted)
    ]
    alike = [
        np.corrcoef(photo, made)[0, 1]
        for photo, made in zip(*grey, strict=True)
        if photo.std() and made.std()
    ]
    if alike and np.mean(alike) < _INVERTED:
        found.append("light and dark are turned round: train again with another seed.")
    return found


class Finite(keras.callbacks.Callback):
    """End a training whose losses are no numbers; its last whole epoch stays as it was kept."""

    def __init__(self, checkpoint):
        super().__init__()
        self.checkpoint = checkpoint

    def on_train_batch_end(self, batch, logs=None):
        """Look at the means so far, now and then: on an accelerator that waits for the step."""
        if (batch + 1) % _EVERY == 0:
            self._check(batch, logs)

    def on_epoch_end(self, epoch, logs=None):
        """Look once more, before the epoch is kept."""
        self._check(self.params["steps"] - 1, logs)

    def _check(self, batch, logs):
        bad = [name for name, value in (logs or {}).items() if not np.isfinite(float(value))]
        if bad:
            raise AtelierError(
                "losses that are numbers",
                f"none in {', '.join(bad)}, step {batch + 1}",
                f"The state after epoch {self.checkpoint.epoch} is kept; start again with a lower "
                "learning_rate, or in float32.",
            )
