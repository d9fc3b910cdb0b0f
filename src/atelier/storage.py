"""Writing that never leaves half a file, and reading that notices a changed byte."""

import contextlib
import hashlib
import json
import shutil
import uuid
from pathlib import Path


@contextlib.contextmanager
def atomic_path(path):
    """Yield a temporary sibling of `path`; rename it into place when the block ends well.

    The temporary name ends like the real one (`.npy` stays `.npy`), since many
    writers choose a format by it. The block may make a file or a folder; a
    folder that was there before is replaced. On an error the temporary is
    removed and what was there before stays.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp-{uuid.uuid4().hex[:8]}-{path.name}")
    try:
        yield temporary
        if temporary.is_dir() and path.is_dir():
            _swap_folders(temporary, path)
        else:
            temporary.replace(path)
    finally:
        _remove(temporary)


def _swap_folders(new, path):
    """Put `new` where `path` is; a folder cannot be renamed over a full one."""
    old = path.with_name(f".tmp-{uuid.uuid4().hex[:8]}-old-{path.name}")
    path.replace(old)
    new.replace(path)
    _remove(old)


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_text(path, text):
    """Write UTF-8 text whole or not at all."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path, value):
    """Write indented JSON whole or not at all; keys keep their order."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path):
    """Read a UTF-8 JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def file_sha256(path):
    """Hex SHA-256 of a file's bytes, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def fingerprint(value):
    """Twelve hex digits that change when a JSON-able value changes, whatever its key order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
