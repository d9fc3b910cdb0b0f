"""What a recipe trains on and is judged on: a split collection as batches."""

import dataclasses

import keras
import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_class_weight

from atelier import storage
from atelier.data.batches import Batches
from atelier.data.corrections import load_corrections
from atelier.data.images import SIX_VIEWS, decode, fit_picture
from atelier.data.splits import load_split
from atelier.data.views import VIEWS, average_views, six_views
from atelier.errors import AtelierError


@dataclasses.dataclass(frozen=True)
class Datasets:
    """A collection split and decoded for one recipe.

    Batches hold pictures; where the recipe takes six views of a painting, they hold views,
    one after the other. `part`, `labels` and `pictures` are one a painting, and so are
    probabilities once `average` has gone over them.
    """

    recipe: object
    directory: object
    split: object  # atelier.data.splits.Split
    table: object  # DataFrame: path, label, leak_group, split, class_index
    corrections: object = None  # atelier.data.corrections.Corrections, where feedback was added

    @property
    def fingerprint(self):
        """What training depends on: the split, and the feedback where any was added."""
        if self.corrections is None:
            return self.split.fingerprint
        return storage.fingerprint([self.split.fingerprint, self.corrections.fingerprint])

    @property
    def class_names(self):
        """Names of the classes, in the order of the model's outputs."""
        return list(self.split.class_names)

    def train_ds(self, *, start_epoch=0, augment="recipe"):
        """Shuffled, augmented batches of the training pictures; each view is one of them.

        Args:
            start_epoch: number of the first epoch.
            augment: the recipe's augmentation, an `AugmentConfig` instead of it, or None
                for pictures as they are, of the recipe's `train_size`.
        """
        recipe = self.recipe
        augment, size = recipe.augment if augment == "recipe" else augment, recipe.train_size
        if augment is not None:
            augment = dataclasses.replace(augment, output_size=tuple(size))
            size = recipe.decode_size
        return self._batches(
            "train",
            size,
            shuffle=True,
            seed=recipe.seed,
            augment=augment,
            label_smoothing=recipe.label_smoothing,
            start_epoch=start_epoch,
            drop_remainder=True,
            workers=2,
        )

    def eval_ds(self, part):
        """The pictures of `train`, `val` or `test` in order, untouched."""
        return self._batches(part, self.recipe.image_size)

    def answers(self, network, part):
        """What a network says of a part, as it is judged: view by view, mirrored where asked.

        Args:
            network: a Keras model of pictures or views.
            part: train, val or test.

        Returns:
            (pictures or views, num_classes) probabilities; see `average`.
        """
        batches = self.eval_ds(part)
        found = network.predict(batches, verbose=0)
        if not self.recipe.mirror:
            return found
        return (found + network.predict(_Mirrored(batches), verbose=0)) / 2

    def average(self, probabilities):
        """A model's answers to `eval_ds` as one row a painting: the mean over its views.

        Args:
            probabilities: (pictures or views, num_classes).

        Returns:
            (paintings, num_classes), in the order of `part`.
        """
        return average_views(probabilities) if self.recipe.views else probabilities

    def labels(self, part):
        """Numbers of the classes of a part's paintings, (paintings,) int64."""
        return self.part(part)["class_index"].to_numpy("int64")

    def pictures(self, part):
        """The paintings of a part as the model sees them whole, (paintings, h, w, 3) uint8."""
        images = _decode(self.recipe, self.directory, self.table, self.recipe.image_size)
        pixels = images.pixels[images.rows(list(self.part(part)["path"]))]
        return pixels[:, 0] if self.recipe.views else pixels

    def class_weight(self):
        """Class number -> weight that makes up for how rare it is in training, for `fit`.

        Raises:
            AtelierError: if a class has no training picture.
        """
        labels, classes = self.labels("train"), np.arange(len(self.class_names))
        absent = [self.class_names[number] for number in np.setdiff1d(classes, labels)]
        if absent:
            raise AtelierError(
                "training pictures of every class",
                f"none of {', '.join(absent)}",
                "Leave these classes out, or see why their pictures cannot be read.",
            )
        weights = compute_class_weight("balanced", classes=classes, y=labels)
        return dict(enumerate(weights.tolist()))

    def part(self, name):
        """The rows of one part of the split.

        Raises:
            AtelierError: if the split has no such part.
        """
        rows = self.table[self.table["split"] == name]
        if rows.empty:
            there = ", ".join(sorted(self.table["split"].unique()))
            raise AtelierError(
                f"a part of the split among {there}", repr(name), "Name one of these parts."
            )
        return rows

    def _batches(self, part, size, **options):
        rows = self.part(part)
        images = _decode(self.recipe, self.directory, self.table, size)
        pixels, places = images.pixels, images.rows(list(rows["path"]))
        labels = rows["class_index"].to_numpy()
        if self.recipe.views:
            pixels = pixels.reshape(-1, *pixels.shape[2:])
            places = (places[:, None] * len(VIEWS) + np.arange(len(VIEWS))).ravel()
            labels = labels.repeat(len(VIEWS))
        return Batches(
            pixels,
            places,
            labels,
            num_classes=len(self.split.class_names),
            batch_size=self.recipe.batch_size,
            **options,
        )


class _Mirrored(keras.utils.PyDataset):
    """The same batches, left and right exchanged."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        images, labels = self.batches[index]
        return images[:, :, ::-1], labels


def load_datasets(recipe, directory, *, subset=None, feedback=None, progress=None):
    """Split and decode a collection for a recipe.

    Args:
        recipe: see `classify.recipes`.
        directory: root of a collection.
        subset: at most so many pictures of each class in each part; None takes all.
        feedback: folder of pictures by artist that join the training part, the subset or not;
            see `atelier.data.corrections`.
        progress: called with (done, total) while pictures are read.
    """
    split = load_split(directory, recipe.split, progress=progress)
    index = {name: number for number, name in enumerate(split.class_names)}
    table = split.table.assign(class_index=split.table["label"].map(index))
    if subset is not None:
        table = _subset(table, subset, recipe.seed)
    corrections = None
    if feedback is not None:
        corrections = load_corrections(feedback, directory, split, progress=progress)
        added = corrections.table.assign(class_index=corrections.table["label"].map(index))
        table = pd.concat([table, added.astype(table.dtypes)], ignore_index=True)
    for size in {tuple(recipe.decode_size), tuple(recipe.image_size)}:
        images = _decode(recipe, directory, table, size, progress)
        table = table[~table["path"].isin(list(images.skipped))]
    return Datasets(recipe, directory, split, table, corrections)


def model_input(image, recipe):
    """A picture as a recipe's model takes it, alone or as its six views, and these mirrored.

    Args:
        image: (height, width, 3) uint8, of the file's size.
        recipe: see `classify.recipes`.

    Returns:
        (1 or 6, or twice as many, *recipe.image_size, 3) uint8; the answers to several are to
        be averaged.
    """
    if recipe.views:
        found = six_views(image, recipe.image_size)
    else:
        found = fit_picture(image, recipe.image_size, recipe.fit)[None]
    return np.concatenate([found, found[:, :, ::-1]]) if recipe.mirror else found


def _decode(recipe, directory, table, size, progress=None):
    fit = SIX_VIEWS if recipe.views else recipe.fit
    return decode(
        directory, list(table["path"]), image_size=tuple(size), fit=fit, progress=progress
    )


def _subset(table, works, seed):
    if works < 1:
        raise AtelierError("a subset of 1 picture or more", str(works), "Correct --subset.")
    order = np.random.default_rng(seed).permutation(len(table))
    rank = table.iloc[order].groupby(["label", "split"]).cumcount()
    return table[rank.reindex(table.index) < works]
