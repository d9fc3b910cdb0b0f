"""A folder's `SHA256SUMS`, in the format of the tool `sha256sum`."""

from atelier import storage
from atelier.errors import AtelierError

CHECKSUMS = "SHA256SUMS"


def write_checksums(folder):
    """Note the SHA-256 of every file directly in the folder."""
    files = sorted(p.name for p in folder.iterdir() if p.is_file() and p.name != CHECKSUMS)
    lines = [f"{storage.file_sha256(folder / name)}  {name}\n" for name in files]
    storage.write_text(folder / CHECKSUMS, "".join(lines))


def compare_checksums(folder):
    """What has become of each noted file: dict of name -> "ok", "changed" or "missing".

    Raises:
        AtelierError: if there are no checksums, or they cannot be read.
    """
    return {name: _state(folder / name, digest) for name, digest in read_checksums(folder).items()}


def read_checksums(folder):
    """What `write_checksums` noted: dict of name -> SHA-256 as hex digits.

    Raises:
        AtelierError: as `compare_checksums`.
    """
    try:
        lines = (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()
        return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (FileNotFoundError, ValueError) as error:
        raise AtelierError(
            f"{CHECKSUMS} in {folder.name}", f"{error}", "Copy the whole folder again."
        ) from error


def _state(path, digest):
    if not path.is_file():
        return "missing"
    return "ok" if storage.file_sha256(path) == digest else "changed"
