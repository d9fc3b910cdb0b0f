"""What a recipe trains on and is judged on: a split collection as batches."""

import dataclasses

import numpy as np

from atelier.data.batches import Batches
from atelier.data.images import decode
from atelier.data.splits import load_split
from atelier.errors import AtelierError


@dataclasses.dataclass(frozen=True)
class Datasets:
    """A collection split and decoded for one recipe."""

    recipe: object
    directory: object
    split: object  # atelier.data.splits.Split
    table: object  # DataFrame: path, label, leak_group, split, class_index

    @property
    def class_names(self):
        """Names of the classes, in the order of the model's outputs."""
        return list(self.split.class_names)

    def train_ds(self, *, start_epoch=0):
        """Shuffled, augmented batches of the training pictures."""
        recipe = self.recipe
        augment = recipe.augment
        if augment is not None:
            augment = dataclasses.replace(augment, output_size=tuple(recipe.train_size))
        return self._batches(
            "train",
            recipe.decode_size,
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
        return Batches(
            images.pixels,
            images.rows(list(rows["path"])),
            rows["class_index"].to_numpy(),
            num_classes=len(self.split.class_names),
            batch_size=self.recipe.batch_size,
            **options,
        )


def load_datasets(recipe, directory, *, subset=None, progress=None):
    """Split and decode a collection for a recipe.

    Args:
        recipe: see `classify.recipes`.
        directory: root of a collection.
        subset: at most so many pictures of each class in each part; None takes all.
        progress: called with (done, total) while pictures are read.
    """
    split = load_split(directory, recipe.split, progress=progress)
    index = {name: number for number, name in enumerate(split.class_names)}
    table = split.table.assign(class_index=split.table["label"].map(index))
    if subset is not None:
        table = _subset(table, subset, recipe.seed)
    for size in {tuple(recipe.decode_size), tuple(recipe.image_size)}:
        images = _decode(recipe, directory, table, size, progress)
        table = table[~table["path"].isin(list(images.skipped))]
    return Datasets(recipe, directory, split, table)


def _decode(recipe, directory, table, size, progress=None):
    return decode(
        directory, list(table["path"]), image_size=tuple(size), fit=recipe.fit, progress=progress
    )


def _subset(table, works, seed):
    if works < 1:
        raise AtelierError("a subset of 1 picture or more", str(works), "Correct --subset.")
    order = np.random.default_rng(seed).permutation(len(table))
    rank = table.iloc[order].groupby(["label", "split"]).cumcount()
    return table[rank.reindex(table.index) < works]
