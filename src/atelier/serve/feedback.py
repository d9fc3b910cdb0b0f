"""What users say of answers: right or wrong, the right artist, a rating; and a picture, if they let us.

A picture is kept only where it is given here, which is where the user ticked the box: as PNG,
named by the SHA-256 of its pixels, never by the upload's name. Feedback with a picture and
an artist can be exported as a small collection, which `atelier train --with-feedback` reads.
"""

import hashlib
import re
import shutil
import time
import unicodedata
from pathlib import Path

import numpy as np

from atelier import storage
from atelier.data.layouts.names import name_key
from atelier.errors import AtelierError
from atelier.serve.store import as_table

LONGEST = 80  # characters of an artist's name
RATINGS = range(1, 6)
EXPORTED = "feedback.csv"
_COLUMNS = ("request", "time", "right", "artist", "rating", "picture")
_ANSWER = ("kind", "model", "version", "arm", "predicted", "confidence")
_NOTED = ("request", "model", "version", "predicted", "artist", "picture", "time")


def give(store, request_id, *, right=None, artist=None, rating=None, picture=None):
    """Keep what a user says of an answer; what was said of it before is replaced, picture and all.

    An artist alone says whether the answer was right; a right answer says who the artist is.

    Args:
        store: a `store.Store`.
        request_id: of the answered request.
        right: of a classification, whether it was right.
        artist: of a classification, who painted it: any name of at most 80 characters.
        rating: 1 to 5, of what was painted.
        picture: (height, width, 3) uint8, only where the user lets us keep it.

    Raises:
        AtelierError: if there is no such request, or this cannot be said of it.
    """
    kind, predicted = _answer(store, request_id)
    if kind == "classify":
        _require(rating is None, "right or wrong, or an artist, for a classification", "a rating")
        right, artist = _judgement(right, artist, predicted)
    else:
        nothing_else = right is None and artist is None
        _require(nothing_else, "a rating for what was painted", "right or wrong, or an artist")
        whole = isinstance(rating, (int, np.integer)) and not isinstance(rating, bool)
        _require(whole and rating in RATINGS, "a rating from 1 to 5", repr(rating))
        rating = int(rating)
    digest = None if picture is None else _keep(store, picture)
    _note(store, (request_id, time.time(), right, artist, rating, digest))


def _answer(store, request_id):
    """Kind and predicted class of a request."""
    rows = store.read("SELECT kind, predicted FROM requests WHERE id = ?", (str(request_id),))
    if not rows:
        found = f"none with the id {str(request_id)[:40]!r}"
        raise AtelierError("a request that was answered", found, "Ask again, then judge.")
    return rows[0]


def _judgement(right, artist, predicted):
    """Right or not, and the artist: the one from the other where only one is known."""
    _require(right is None or isinstance(right, (bool, np.bool_)), "right or wrong", repr(right))
    artist = None if artist is None else clean_name(artist)
    _require(right is not None or artist is not None, "right or wrong, or an artist", "neither")
    if predicted is None:
        _require(not right, "an answer that can be right", "one that named nobody")
        return right, artist
    if artist is None:
        return bool(right), predicted if right else None
    same = name_key(artist) == name_key(predicted)
    agree = right is None or right == same
    _require(agree, f"a judgement that agrees with the artist {artist!r}", f"right: {right}")
    return same, predicted if same else artist


def clean_name(name):
    """A name as it is kept: composed, one space between words.

    Raises:
        AtelierError: if it is empty, too long, not printable, or begins with no letter or digit.
    """
    name = " ".join(unicodedata.normalize("NFC", name).split()) if isinstance(name, str) else ""
    sound = 0 < len(name) <= LONGEST and name.isprintable() and name[0].isalnum()
    expected = f"a name of at most {LONGEST} printable characters that begins with a letter"
    _require(sound, expected, repr(name[: LONGEST + 1]))
    return name


def _keep(store, picture):
    """Write a picture where it is not there yet; its digest."""
    from atelier.data.writing import write_picture

    picture = np.asarray(picture)
    sound = picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3
    found = f"{picture.dtype} of shape {picture.shape}"
    _require(sound and picture.size, "a picture (height, width, 3) uint8", found)
    digest = hashlib.sha256(np.ascontiguousarray(picture)).hexdigest()
    path = store.pictures / f"{digest}.png"
    if path.is_file():
        path.touch()  # it is wanted: `Store.forget` takes older ones that nothing refers to
    else:
        write_picture(path, picture)
    return digest


def _note(store, row):
    """Replace the row of a request; a picture that it alone kept goes with it."""
    with store.writing() as connection:
        before = "SELECT picture FROM feedback WHERE request = ? AND picture IS NOT NULL"
        kept = connection.execute(before, row[:1]).fetchall()
        connection.execute("INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?, ?)", row)
        store.release(connection, [digest for (digest,) in kept])


def feedback_table(store):
    """All feedback as a table, oldest first.

    Returns:
        DataFrame: request (its id), time (when it was given, UTC), right, artist, rating,
        picture (its digest, or missing), and of the request kind, model, version, arm,
        predicted, confidence and asked (its time, UTC).
    """
    columns = ", ".join(f'feedback."{name}"' for name in _COLUMNS)
    columns += "".join(f", requests.{name}" for name in _ANSWER) + ", requests.time"
    rows = store.read(
        f"SELECT {columns} FROM feedback JOIN requests ON id = request ORDER BY feedback.time"
    )
    return as_table(rows, (*_COLUMNS, *_ANSWER, "asked"))


def export(store, folder):
    """Write feedback that has a picture and an artist as a collection: `<Artist>/<digest>.png`.

    Each picture is there once, under the artist that was named last. What an earlier export
    holds of requests that are forgotten by now stays; all else is as the store has it.

    Args:
        store: a `store.Store`.
        folder: where; a folder that is no export of this kind is left alone.

    Returns:
        The folder; its `feedback.csv` says which request each picture comes from.

    Raises:
        AtelierError: if there is nothing to export, or the folder holds something else.
    """
    folder = Path(folder)
    rows = _rows_to_export(store, folder)
    if rows.empty:
        raise AtelierError(
            "feedback with a kept picture and a known artist",
            "none yet",
            "Collect some in the web application: atelier app",
        )
    with storage.atomic_path(folder) as temporary:
        for path, source in zip(rows["path"], rows.pop("source"), strict=True):
            (temporary / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, temporary / path)
        rows.to_csv(temporary / EXPORTED, index=False, lineterminator="\n")
    return folder


def _rows_to_export(store, folder):
    """Rows of `feedback.csv`, with the `path` that a picture will have and its `source`."""
    import pandas as pd

    earlier, table = _earlier(folder), feedback_table(store)
    earlier = earlier[~earlier["request"].isin(table["request"])]
    table = table.dropna(subset=["picture", "artist"])
    table["source"] = [store.pictures / f"{digest}.png" for digest in table["picture"]]
    table["time"] = table["time"].dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    rows = pd.concat([earlier, table[[*_NOTED, "source"]]]).sort_values("time")
    rows = rows[rows["source"].map(Path.is_file).astype(bool)]
    rows = rows.drop_duplicates("picture", keep="last").reset_index(drop=True)
    named = zip(rows["artist"], rows["picture"], strict=True)
    return rows.assign(path=[f"{_folder_name(artist)}/{digest}.png" for artist, digest in named])


def _earlier(folder):
    """Rows of an export that is there, with the `source` of each picture; empty where none is."""
    import pandas as pd

    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return pd.DataFrame(columns=[*_NOTED, "source"], dtype=object)
    exported = re.compile(rf"{EXPORTED}|[^/]+/[0-9a-f]{{64}}\.png")
    files = [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()]
    strange = [path for path in files if not exported.fullmatch(path.as_posix())]
    if strange or not (folder / EXPORTED).is_file():
        found = strange[0] if strange else f"no {EXPORTED}"
        raise AtelierError(
            f"nothing but exported feedback in {folder}", found, "Name a folder of its own."
        )
    rows = pd.read_csv(folder / EXPORTED, dtype="string", keep_default_na=False)
    return rows.assign(source=[folder / path for path in rows.pop("path")])


def _folder_name(artist):
    """An artist's name without what file systems refuse."""
    return re.sub(r'[/\\:*?"<>|]', "_", artist).rstrip(". ")


def _require(holds, expected, found):
    if not holds:
        raise AtelierError(expected, found, "Correct it.")
