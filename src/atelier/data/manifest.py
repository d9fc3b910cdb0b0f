"""A collection as one table: what each picture is, and whether it can be read.

Built once by the audit, kept as Parquet (read back) and CSV (for people) in the
collection's workspace, and built again when a file or label was added, removed
or changed, or when the kept table is not what was written.
"""

import hashlib
import logging
from pathlib import Path

import pandas as pd

from atelier import paths, storage
from atelier.data.layouts import read_layout

log = logging.getLogger(__name__)

MANIFEST_VERSION = 1  # raise it when the same files should give another table
MANIFEST_TYPES = {
    "path": "string",  # posix, relative to the collection's root
    "artist": "string",
    "style": "string",
    "genre": "string",
    "movement": "string",
    "width": "Int64",  # pixels, upright; missing where unreadable, as are mode and sha256
    "height": "Int64",
    "mode": "string",  # Pillow's: RGB, L, CMYK, ...
    "sha256": "string",  # of the file's bytes
    "readable": "boolean",
    "leak_group": "Int64",  # pictures of one painting share it
}
_CONTENT = ["path", "sha256", "readable", "leak_group", "artist", "style", "genre", "movement"]


def load_manifest(directory, *, progress=None, workers=None, rebuild=False):
    """The manifest of a collection, from its workspace where nothing has changed.

    Args:
        directory: the collection's root.
        progress: called with (done, total) while pictures are audited.
        workers: processes for the audit; None leaves it to the audit.
        rebuild: build it even if nothing has changed.

    Returns:
        A table with the columns and types of `MANIFEST_TYPES`, sorted by path;
        `.attrs["fingerprint"]` is its `data_fingerprint`.

    Raises:
        AtelierError: if the folder holds no pictures; see `read_layout`.
    """
    directory = Path(directory).expanduser().resolve()
    layout = read_layout(directory)
    mark = files_fingerprint(directory, layout)
    home = paths.workspace(directory)
    manifest = None if rebuild else _read_kept(home, mark)
    if manifest is None:
        manifest = _build(directory, layout, progress, workers)
        _keep(manifest, home, mark)
    manifest.attrs["fingerprint"] = data_fingerprint(manifest)
    return manifest


def files_fingerprint(directory, layout):
    """Changes when a listed file's path, size, time or labels do; opens none."""
    digest = hashlib.sha256(f"manifest {MANIFEST_VERSION}\n".encode())
    root = str(directory)
    for row in layout.astype(object).where(layout.notna(), "").itertuples(index=False):
        size, time = _size_and_time(f"{root}/{row.path}")
        digest.update("\x1f".join((*row, str(size), str(time), "\n")).encode("utf-8", "replace"))
    return digest.hexdigest()


def _size_and_time(path):
    try:
        status = Path(path).stat()
    except OSError:  # gone or a dangling link: the audit says so
        return -1, -1
    return status.st_size, status.st_mtime_ns


def data_fingerprint(manifest):
    """Sixteen hex digits that change with any picture's bytes, place, label or leak group."""
    rows = manifest.reindex(columns=_CONTENT).sort_values("path").astype("string").fillna("")
    text = "\n".join("\x1f".join(row) for row in rows.itertuples(index=False))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def _build(directory, layout, progress, workers):
    from atelier.data.audit import audit_collection

    audit = audit_collection(directory, table=layout, progress=progress, workers=workers)
    manifest = audit.manifest.reindex(columns=list(MANIFEST_TYPES)).astype(MANIFEST_TYPES)
    return manifest.sort_values("path", ignore_index=True)


def _keep(manifest, home, mark):
    """Write both tables, then the note that vouches for them."""
    with storage.atomic_path(home / "manifest.parquet") as temporary:
        manifest.to_parquet(temporary, index=False)
    with storage.atomic_path(home / "manifest.csv") as temporary:
        manifest.to_csv(temporary, index=False, lineterminator="\n")
    checksum = storage.file_sha256(home / "manifest.parquet")
    storage.write_json(
        home / "manifest.json", {"files": mark, "rows": len(manifest), "parquet_sha256": checksum}
    )


def _read_kept(home, mark):
    """The kept manifest, or None where there is none, it is out of date, or it is damaged."""
    note, table = home / "manifest.json", home / "manifest.parquet"
    if not note.exists() and not table.exists():
        return None
    try:
        kept = storage.read_json(note)
        if kept["files"] != mark:
            log.info("Files have changed since the manifest in %s", home)
            return None
        if kept["parquet_sha256"] != storage.file_sha256(table):
            raise ValueError("the checksum differs")
        return pd.read_parquet(table).astype(MANIFEST_TYPES)[list(MANIFEST_TYPES)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("The manifest in %s cannot be used (%s): it is built anew", home, error)
        return None
