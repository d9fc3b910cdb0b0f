"""What is kept of requests, and of what users said of the answers: one SQLite file.

No picture is in it, and of a request only what it was answered with; pictures that users let
us keep are files beside it (see `feedback`). Write-ahead logging lets many processes write
at once, and a process that is killed leaves all it had written.
"""

import contextlib
import dataclasses
import threading
import time
import uuid
import weakref
from pathlib import Path

import numpy as np

from atelier import paths
from atelier.errors import AtelierError
from atelier.serve.database import connect, mendable

KINDS = ("classify", "stylize", "translate")
ARMS = ("champion", "challenger")
DAY = 86_400.0  # seconds
STRAY = 3600.0  # seconds after which a picture that nothing refers to was left by a crash

_TYPES = {
    "outlying": "boolean",
    "right": "boolean",
    "rating": "Int64",
    "time": "float64",
    "asked": "float64",
} | dict.fromkeys(("seconds", "confidence", "content_distance", "style_distance"), "float64")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """One answered or failed request.

    Attributes:
        id: 32 hex digits; a new one by default.
        time: when it was asked, seconds since 1970 (UTC); now by default.
        kind: "classify", "stylize" or "translate".
        model: its folder or registered name.
        version: of the model, where it has one.
        arm: "champion" or "challenger", where the two were drawn by lot.
        seconds: how long the answer took.
        problem: why there is none.
        predicted: the likeliest class, by name.
        confidence: its probability, 0 to 1.
        outlying: whether the picture is like none that the model knows.
        embedding: (n,) of the picture, n about 32; kept as float16.
        content_distance, style_distance: of what was painted.
    """

    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    time: float = dataclasses.field(default_factory=time.time)
    kind: str
    model: str
    version: str | None = None
    arm: str | None = None
    seconds: float
    problem: str | None = None
    predicted: str | None = None
    confidence: float | None = None
    outlying: bool | None = None
    embedding: np.ndarray | None = None
    content_distance: float | None = None
    style_distance: float | None = None

    def __post_init__(self):
        _require(self.kind in KINDS, f"a kind among {', '.join(KINDS)}", self.kind)
        _require(self.arm in (None, *ARMS), f"an arm among {', '.join(ARMS)}", self.arm)
        shape = np.shape(self.embedding)
        _require(self.embedding is None or len(shape) == 1, "an embedding of shape (n,)", shape)


_COLUMNS = tuple(field.name for field in dataclasses.fields(Request))


class Store:
    """The file of requests and feedback; made at the first write.

    One connection, used by one thread at a time. Any number of threads may share a store, and
    any number of processes a file.

    Args:
        path: the file; `data/served/served.db` by default.
    """

    def __init__(self, path=None):
        self.path = Path(path) if path else paths.data_dir() / "served" / "served.db"
        self._lock = threading.RLock()
        self._connection, self._closing = None, None

    @property
    def pictures(self):
        """The folder of pictures that users let us keep, named by their digests."""
        return self.path.parent / "pictures"

    def add(self, request):
        """Keep a `Request`.

        Raises:
            AtelierError: if one of this id is there, or the file cannot be written.
        """
        marks = ", ".join("?" * len(_COLUMNS))
        with self.writing() as connection:
            connection.execute(f"INSERT INTO requests VALUES ({marks})", _row(request))

    def requests(self, kind=None, since=None, last=None, model=None, version=None):
        """Requests as a table, oldest first.

        Args:
            kind: only of this kind.
            since: only from this time on; seconds since 1970, or a datetime that knows its zone.
            last: only so many, the newest.
            model: only of this model.
            version: only of this version.

        Returns:
            DataFrame with the fields of `Request` as columns; `time` in UTC, `embedding` of
            float16 arrays or None.
        """
        since = since.timestamp() if hasattr(since, "timestamp") else since
        given = {"kind =": kind, "time >=": since, "model =": model, "version =": version}
        given = {f"{test} ?": value for test, value in given.items() if value is not None}
        rows = self.read(
            f"SELECT * FROM requests WHERE {' AND '.join(given) or 'TRUE'}"
            " ORDER BY time DESC, rowid DESC LIMIT ?",
            (*given.values(), -1 if last is None else last),
        )
        table = as_table(rows[::-1], _COLUMNS)
        table["embedding"] = table["embedding"].astype(object)
        blobs = table["embedding"].items()
        for row, blob in blobs:
            table.at[row, "embedding"] = None if blob is None else np.frombuffer(blob, "<f2")
        return table

    def count(self):
        """How many requests there are."""
        return sum(row[0] for row in self.read("SELECT count(*) FROM requests"))

    def forget(self, older_than_days):
        """Remove requests older than so many days, what was said of them, and their pictures.

        Returns:
            How many requests were removed.
        """
        _require(older_than_days >= 0, "0 days or more", older_than_days)
        if not self.path.is_file():
            return 0
        before = (time.time() - older_than_days * DAY,)
        with self.writing() as connection:
            old = connection.execute(
                "SELECT picture FROM feedback JOIN requests ON id = request"
                " WHERE requests.time < ? AND picture IS NOT NULL",
                before,
            ).fetchall()
            gone = connection.execute("DELETE FROM requests WHERE time < ?", before).rowcount
            self.release(connection, [digest for (digest,) in old])
            self._sweep(connection)
        return gone

    def release(self, connection, digests):
        """Remove pictures of these digests that no feedback refers to any longer."""
        for digest in digests:
            used = "SELECT 1 FROM feedback WHERE picture = ?"
            if not connection.execute(used, (digest,)).fetchone():
                (self.pictures / f"{digest}.png").unlink(missing_ok=True)

    def _sweep(self, connection):
        """Remove what a crash left between writing a picture and noting it."""
        left = [p for p in self.pictures.glob("*.png") if time.time() - p.stat().st_mtime > STRAY]
        self.release(connection, [path.stem for path in left])

    @contextlib.contextmanager
    def writing(self):
        """Yield the connection inside a transaction, which an error undoes."""
        with self._lock, mendable(self.path):
            connection = self._opened()
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection

    def read(self, query, values=()):
        """Rows of a query, as tuples; none where there is no file yet."""
        if not self.path.is_file():
            return []
        with self._lock, mendable(self.path):
            return self._opened().execute(query, values).fetchall()

    def close(self):
        """Close the file; it is opened again where it is needed."""
        with self._lock:
            if self._connection is not None:
                self._closing()
            self._connection = None

    def _opened(self):
        """The connection; a new one where the file was taken away."""
        if self._connection is None or not self.path.is_file():
            self.close()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = connect(self.path)
            self._closing = weakref.finalize(self, self._connection.close)
        return self._connection


def as_table(rows, columns):
    """Rows of a query as a DataFrame of the types that its columns have, empty or not."""
    import pandas as pd

    table = pd.DataFrame(rows, columns=list(columns), dtype=object)
    types = {name: _TYPES.get(name, "string") for name in columns if name != "embedding"}
    table = table.astype(types)
    for name in {"time", "asked"} & set(columns):
        times = pd.to_datetime(table[name], unit="s", utc=True)
        table[name] = times.astype("datetime64[ns, UTC]")
    return table


def _row(request):
    values = {name: getattr(request, name) for name in _COLUMNS}
    values["model"] = str(request.model)
    if request.embedding is not None:
        values["embedding"] = np.asarray(request.embedding, "<f2").tobytes()
    return [value.item() if hasattr(value, "item") else value for value in values.values()]


def _require(holds, expected, found):
    if not holds:
        raise AtelierError(expected, repr(found), "Correct it.")
