"""Names as people write them, from names as archives left them.

Kaggle's Best Artworks of All Time holds Dürer twice, in folders whose UTF-8
names were unpacked as code page 437 once and twice. The damage is undone the
way it was done, so that any such name is mended, not only his.
"""

import logging
import os
import re
import unicodedata
from pathlib import Path

log = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
)
_WRONG_PAGES = ("cp437", "cp1252", "latin-1")  # what zip tools took UTF-8 for, likeliest first
_PARTICLES = frozenset(("van", "von", "der", "den", "de", "da", "di", "del", "della", "la", "of"))


def repair_name(name):
    """Undo UTF-8 read as another code page, however often; the result is NFC.

    `Albrecht_Du╠êrer` and `Albrecht_DuΓòá├¬rer` both become `Albrecht_Dürer`. A
    sound name passes unchanged: its accents are not valid UTF-8 in those pages.
    """
    name = unicodedata.normalize("NFC", name)
    for _ in range(4):
        better = _undo_once(name)
        if better is None:
            break
        name = better
    return name


def _undo_once(name):
    if name.isascii():
        return None
    for page in _WRONG_PAGES:
        try:
            better = unicodedata.normalize("NFC", name.encode(page).decode("utf-8"))
        except UnicodeError:
            continue
        if better != name:
            return better
    return None


def spoken(name):
    """A folder's or class's name as a label: repaired, underscores as spaces."""
    return " ".join(repair_name(name).replace("_", " ").split())


def spoken_slug(slug):
    """WikiArt's `vincent-van-gogh` as `Vincent van Gogh`; accents it dropped stay dropped."""
    words = [word for word in repair_name(slug).replace("_", "-").split("-") if word]
    return " ".join(
        word if place and word in _PARTICLES else _capital(word) for place, word in enumerate(words)
    )


def _capital(word):
    return re.sub(r"\w", lambda first: first.group().upper(), word, count=1)


def name_key(name):
    """What two spellings of one name share: letters and digits, no case, no accents."""
    letters = unicodedata.normalize("NFD", repair_name(str(name)).casefold())
    return "".join(char for char in letters if char.isalnum())


def find_images(directory):
    """Posix paths of all files with an image's suffix below `directory`, sorted.

    Hidden files and folders and `__MACOSX` are passed over; links are followed,
    each folder once. Nothing is opened.
    """
    found, seen = [], set()
    _collect(str(Path(directory).resolve()), "", found, seen)
    nameable = [path for path in found if _is_text(path)]
    if len(nameable) < len(found):
        log.warning(
            "%d files in %s passed over: their names are not UTF-8; rename them",
            len(found) - len(nameable),
            directory,
        )
    return sorted(nameable)


def _is_text(path):
    """Whether a path can be written to a table (a name of undecodable bytes cannot)."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _collect(folder, prefix, found, seen):
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith(".") or entry.name == "__MACOSX":
                continue
            if entry.is_dir():
                _collect(entry.path, f"{prefix}{entry.name}/", found, seen)
            elif os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES:  # noqa: PTH122
                found.append(prefix + entry.name)


def folders_in(directory):
    """Names of the visible folders directly inside, sorted."""
    with os.scandir(directory) as entries:
        return sorted(
            entry.name
            for entry in entries
            if entry.is_dir() and not entry.name.startswith(".") and entry.name != "__MACOSX"
        )
