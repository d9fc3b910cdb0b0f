"""The sample collection on disk: drawn once, whole or not at all, by several processes.

The layout is that of Kaggle's `ikarus777/best-artworks-of-all-time`: artists.csv
and images/images/<Artist>/<Artist>_<n>.jpg; plain photographs of like scenes lie
beside it in photos/. Every picture has a seed of its own, so that neither the
number of workers nor their order changes a byte.
"""

import csv
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from atelier import paths, storage
from atelier.data.sample import pool
from atelier.data.sample.painters import PAINTERS
from atelier.data.sample.painting import paint_picture
from atelier.data.sample.scenes import photograph
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

VERSION = 1  # of the drawing code; raise it when pictures change
SETTINGS = "sample.json"
COLUMNS = ("id", "name", "years", "genre", "nationality", "bio", "wikipedia", "paintings")
MIN_SIZE = 32
_QUALITY = 95
_WORTH_A_PROCESS = 60  # pictures; fewer are drawn sooner than another Python starts


@dataclass(frozen=True)
class Settings:
    """What decides every byte of a sample collection.

    Attributes:
        seed: of everything drawn.
        works: pictures per painter.
        size: pixels of a side.
        photos: plain photographs.
        painters: how many of PAINTERS, from the first.
    """

    seed: int = 0
    works: int = 60
    size: int = 256
    photos: int = 60
    painters: int = len(PAINTERS)


def draw_sample(
    out=None,
    *,
    seed=Settings.seed,
    works=Settings.works,
    size=Settings.size,
    photos=None,
    painters=None,
    progress=None,
    workers=None,
):
    """Draw the sample collection, unless it is there already with the same settings.

    Args:
        out: folder to make; the default is `data/sample` in the repository.
        seed: of everything drawn; the same seed gives the same bytes.
        works: pictures per painter.
        size: pixels of a side.
        photos: plain photographs; None for as many as `works`.
        painters: how many of the invented painters; None for all.
        progress: callable (done, total), called now and then.
        workers: processes; None for as many as there are cores, fewer for little work.

    Returns:
        Path of the collection.

    Raises:
        AtelierError: a setting out of range, or something else lies at `out`.
    """
    photos = works if photos is None else photos
    painters = len(PAINTERS) if painters is None else painters
    settings = Settings(seed, works, size, photos, painters)
    _check(settings)
    out = paths.data_dir() / "sample" if out is None else Path(out)
    if is_drawn(out, settings):
        return out
    _check_place(out)
    with storage.atomic_path(out) as folder:
        _prepare(folder, settings)
        pool.draw_all(
            folder, asdict(settings), _total(settings), _workers(settings, workers), progress
        )
        _write_artists(folder / "artists.csv", settings)
        storage.write_json(folder / SETTINGS, _record(settings))
    log.info("Drew %d pictures in %s.", _total(settings), out)
    return out


def is_drawn(folder, settings):
    """Whether `folder` holds the collection of these settings, by its record and its file count."""
    try:
        recorded = storage.read_json(folder / SETTINGS)
    except (OSError, ValueError):
        return False
    if recorded != _record(settings):
        return False
    return sum(1 for _ in folder.rglob("*.jpg")) == _total(settings)


def draw_one(folder, settings, index):
    """Draw picture `index` of all (painters first, then photographs) and write it as JPEG."""
    painted = settings.painters * settings.works
    if index < painted:
        who, number = divmod(index, settings.works)
        painter = PAINTERS[who]
        rng = np.random.default_rng([settings.seed, 1 + who, number])
        picture = paint_picture(painter.hand, settings.size, number, rng)
        path = Path("images", "images", painter.folder, f"{painter.folder}_{number + 1}.jpg")
    else:
        number = index - painted
        rng = np.random.default_rng([settings.seed, 0, number])
        picture = photograph(settings.size, number, rng)
        path = Path("photos", f"photo_{number + 1}.jpg")
    _write_jpeg(folder / path, picture)


def _write_jpeg(path, picture):
    flags = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), flags)
    path.write_bytes(data.tobytes())


def _total(settings):
    return settings.painters * settings.works + settings.photos


def _record(settings):
    hands = [asdict(painter) for painter in PAINTERS[: settings.painters]]
    return {"drawn": asdict(settings), "version": VERSION, "painters": storage.fingerprint(hands)}


def _check(settings):
    bounds = {
        "seed": (0, 2**32 - 1),
        "works": (1, 10_000),
        "size": (MIN_SIZE, 1024),
        "photos": (0, 100_000),
        "painters": (1, len(PAINTERS)),
    }
    for name, (low, high) in bounds.items():
        value = getattr(settings, name)
        if not isinstance(value, int) or not low <= value <= high:
            raise AtelierError(
                f"{name} from {low} to {high}", repr(value), f"Choose another {name}."
            )


def _check_place(out):
    """Only a former sample, or nothing, is ever replaced."""
    if not out.exists() or (out / SETTINGS).is_file():
        return
    if out.is_dir() and not any(out.iterdir()):
        return
    raise AtelierError(
        "a new folder, or a sample collection to draw anew",
        f"other files at {out}",
        "Name another folder or move what is there.",
    )


def _workers(settings, asked):
    if asked is not None:
        return max(1, asked)
    pixels = settings.size / 256
    useful = int(_total(settings) * max(pixels, 0.5) / _WORTH_A_PROCESS) + 1
    return max(1, min(useful, os.cpu_count() or 1, 16))


def _prepare(folder, settings):
    for painter in PAINTERS[: settings.painters]:
        (folder / "images" / "images" / painter.folder).mkdir(parents=True)
    if settings.photos:
        (folder / "photos").mkdir(parents=True)


def _write_artists(path, settings):
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        for index, painter in enumerate(PAINTERS[: settings.painters]):
            about = painter.name, painter.years, painter.genre, painter.nationality, painter.bio
            table.writerow([index, *about, "", settings.works])
