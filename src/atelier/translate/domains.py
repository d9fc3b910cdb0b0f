"""The two domains, photo and monet, and batches of both, a pure function of (seed, epoch, index).

Photos are held out by a draw among their names, so that the same ones are whatever else is asked.
In the sample collection the paintings of its first painter stand where Monet's do.
"""

import dataclasses
from pathlib import Path

import numpy as np

from atelier import storage
from atelier.data.augment import IDENTITY
from atelier.data.batches import Batches, SeededBatches
from atelier.data.choose import collection_at
from atelier.data.images import decode
from atelier.data.manifest import load_manifest
from atelier.data.photographs import photographs_in
from atelier.errors import AtelierError
from atelier.translate.config import STORED

MONETS = "monet_jpg"  # the folder of gan-getting-started
_HELD_OUT_STREAM = 5  # keeps the draw here apart from other uses of a seed


@dataclasses.dataclass(frozen=True)
class Domains:
    """Decoded pictures of both domains, (n, side, side, 3) uint8 each.

    Attributes:
        photos: to train on.
        held_out: photos that are never trained on.
        monets: paintings; all are trained on and compared with.
        titles: of the photos and of the paintings, for captions.
        mark: fingerprint of which pictures these are.
    """

    photos: np.ndarray
    held_out: np.ndarray
    monets: np.ndarray
    titles: tuple[str, str]
    mark: str


def load_domains(directory, *, size=STORED, held_out=100):
    """Decode both domains of a collection.

    Args:
        directory: gan-getting-started, or the sample.
        size: pixels of both sides that are wanted; fewer than STORED are not decoded.
        held_out: photos to set aside, but at most a fifth of them.

    Raises:
        AtelierError: if a domain has fewer than two pictures that can be read.
    """
    directory, side = Path(directory), max(STORED, size)
    photos, (monets, title) = photographs_in(directory), paintings_in(directory)
    order = np.random.default_rng(_HELD_OUT_STREAM).permutation(len(photos))
    aside = min(held_out, max(1, len(photos) // 5))
    parts = {
        "photos": [photos[row] for row in sorted(order[aside:])],
        "held_out": [photos[row] for row in sorted(order[:aside])],
        "monets": monets,
    }
    images = decode(
        directory,
        [path for part in parts.values() for path in part],
        image_size=(side, side),
        fit="crop",
    )
    read = {name: [p for p in part if p not in images.skipped] for name, part in parts.items()}
    for name in ("photos", "monets"):
        if len(read[name]) < 2:
            raise AtelierError(
                f"two {name} or more to train on",
                f"{len(read[name])} in {directory.name}",
                "Add some.",
            )
    return Domains(
        *(np.asarray(images.pixels[images.rows(part)]) for part in read.values()),
        titles=(directory.name, title),
        mark=storage.fingerprint([read, side]),
    )


def paintings_in(directory):
    """Paths of the paintings of a collection, relative to its root, and whose they are.

    Raises:
        AtelierError: if it is neither gan-getting-started nor the sample, or has fewer than two.
    """
    directory = Path(directory)
    found = sorted((directory / MONETS).glob("*.jpg"))
    title = "Monet"
    if not found and collection_at(directory).is_sample:
        table = load_manifest(directory)
        title = min(table["artist"])
        found = [directory / path for path in sorted(table["path"][table["artist"] == title])]
    if len(found) < 2:
        raise AtelierError(
            f"paintings in {MONETS}, or the sample collection",
            f"{len(found)} in {directory.name}",
            "Fetch them with `atelier data fetch gan-getting-started`.",
        )
    return [path.relative_to(directory).as_posix() for path in found], title


class Unpaired(SeededBatches):
    """Batches of photos and paintings that have nothing to do with each other, for `fit`.

    Args:
        domains: `Domains`.
        config: a `TranslateConfig`.
        start_epoch: number of the first epoch.
        workers: threads that make batches ahead.

    Yields:
        ((photo, monet),): two (b, size, size, 3) float32 in [0, 255], random details.
    """

    def __init__(self, domains, config, *, start_epoch=0, workers=1):
        super().__init__(workers=workers, start_epoch=start_epoch)
        self.steps = config.steps
        self._sources = [
            _batches(pixels, config, seed)
            for seed, pixels in enumerate((domains.photos, domains.monets), start=2 * config.seed)
        ]

    @property
    def num_batches(self):
        """Batches in an epoch."""
        return self.steps

    def make(self, epoch, index):
        """Make a batch, whatever the present epoch is."""
        turn = index + epoch * self.steps
        pictures = (s.make(*divmod(turn, s.num_batches))[0] for s in self._sources)
        return (tuple(pictures),)


def _batches(pixels, config, seed):
    if config.size > config.load_size:
        raise AtelierError(
            f"a size of at most load_size {config.load_size}", config.size, "Correct the recipe."
        )
    if len(pixels) < config.batch_size:
        raise AtelierError(
            f"{config.batch_size} pictures or more, a batch", len(pixels), "Make batches smaller."
        )
    part = config.size / config.load_size
    augment = dataclasses.replace(
        IDENTITY,
        zoom=(part, part),
        crop=True,
        flip=config.flip,
        output_size=(config.size, config.size),
    )
    rows = np.arange(len(pixels))
    return Batches(
        pixels,
        rows,
        np.zeros_like(rows),
        num_classes=1,
        batch_size=config.batch_size,
        shuffle=True,
        seed=seed,
        augment=augment,
        workers=0,
        drop_remainder=True,
    )
