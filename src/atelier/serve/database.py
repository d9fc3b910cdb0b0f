"""The SQLite file of requests and feedback: its tables, their version, and how it is opened."""

import contextlib
import sqlite3

from atelier.errors import AtelierError

SCHEMA_VERSION = 1  # of the tables; kept as SQLite's `user_version`
WAIT = 30.0  # seconds for another writer to end

_TABLES = """
CREATE TABLE requests (
    id TEXT PRIMARY KEY, time REAL NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL,
    version TEXT, arm TEXT, seconds REAL NOT NULL, problem TEXT, predicted TEXT,
    confidence REAL, outlying INTEGER, embedding BLOB, content_distance REAL, style_distance REAL
);
CREATE INDEX requests_time ON requests (time);
CREATE TABLE feedback (
    request TEXT PRIMARY KEY REFERENCES requests (id) ON DELETE CASCADE,
    time REAL NOT NULL, "right" INTEGER, artist TEXT, rating INTEGER, picture TEXT
);
CREATE INDEX feedback_picture ON feedback (picture);
"""


def connect(path):
    """Open the file, or make it; its write-ahead log is what lets many processes write.

    Raises:
        AtelierError: if a newer Atelier wrote it.
        sqlite3.Error: if it is no database, or cannot be written.
    """
    connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
    try:
        new = _version(connection, path) == 0
        with contextlib.suppress(sqlite3.OperationalError):  # while others write: the next one does
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        if new:
            with connection:
                connection.execute("BEGIN EXCLUSIVE")
                if _version(connection, path) == 0:
                    _make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection, path):
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise AtelierError(
            f"tables of version {SCHEMA_VERSION} or before in {path.name}",
            f"version {version}",
            "Update Atelier, or move the file away.",
        )
    return version


def _make_tables(connection):
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


@contextlib.contextmanager
def mendable(path):
    """Turn what SQLite raises inside the block into an error that says which file."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise AtelierError(
            "an id of its own for each request, and feedback on one that is there",
            error,
            "Give each request a new id.",
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise AtelierError(
            f"a file of requests that can be used at {path}",
            error,
            "Free some space, make it writable, or move it away.",
        ) from error
