"""Putting a downloaded archive or folder in its place, safely.

A zip from anywhere may name files outside its folder, hold links, be damaged or
be larger than the disk; each is refused before anything is written or leaves
nothing behind.
"""

import os
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from atelier.errors import AtelierError

_BLOCK = 1 << 20  # bytes
_ROOM = 256 << 20  # bytes that stay free on the disk


def unpack_zip(archive, folder, *, progress=None):
    """Unpack a zip into a folder, which is made.

    Args:
        archive: the zip.
        folder: where its files go; their paths inside it are kept.
        progress: called with (done, total) files.

    Raises:
        AtelierError: if it is not a zip, is damaged or encrypted, names places outside the
            folder or links, or needs more room than there is.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [member for member in opened.infolist() if _wanted(member)]
            targets = [folder / _safe_path(member, archive) for member in members]
            _check_room(sum(member.file_size for member in members), folder)
            for done, (member, target) in enumerate(zip(members, targets, strict=True), start=1):
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, _BLOCK)
                if progress:
                    progress(done, len(members))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise AtelierError(
            f"a whole, unencrypted zip at {archive}", f"{error}", "Download it again."
        ) from error


def _wanted(member):
    parts = PurePosixPath(member.filename).parts
    return not member.is_dir() and "__MACOSX" not in parts


def _safe_path(member, archive):
    """The member's path, if it stays inside and is a plain file."""
    name = member.filename.replace("\\", "/")
    parts = PurePosixPath(name).parts
    outside = not parts or name.startswith("/") or ".." in parts or ":" in parts[0]
    if outside or stat.S_ISLNK(member.external_attr >> 16):
        raise AtelierError(
            f"files that stay inside {archive}",
            f"{member.filename!r}, which leads outside or is a link",
            "Do not use this archive; get it from its publisher's page.",
        )
    return Path(*parts)


def _check_room(needed, folder):
    free = shutil.disk_usage(folder).free - _ROOM
    if needed > free:
        raise AtelierError(
            f"{needed / 1e9:.1f} GB free for {folder.parent}",
            f"{max(free, 0) / 1e9:.1f} GB",
            "Make room, or set ATELIER_ROOT to a larger disk.",
        )


def unpack_inner_zips(folder):
    """Unpack zips that lie in a folder, each where it lies, and remove them; again for theirs.

    Kaggle's older competitions are archives of archives. One that holds a single
    folder of its own name is not doubled. Three levels are enough for an honest one.
    """
    for _ in range(3):
        for archive in sorted(Path(folder).rglob("*.zip")):
            unpack_zip(archive, archive.parent / _inner_name(archive))
            archive.unlink()


def _inner_name(archive):
    """Its stem, or "." if the archive brings that folder or is one packed file."""
    packed_file = Path(archive.stem).suffix  # all_data_info.csv.zip
    try:
        with zipfile.ZipFile(archive) as opened:
            tops = {PurePosixPath(name).parts[0] for name in opened.namelist() if name}
    except zipfile.BadZipFile:
        tops = set()  # `unpack_zip` will say so
    return "." if packed_file or tops == {archive.stem} else archive.stem


def link_tree(source, folder, *, progress=None):
    """Make a folder with the files of another, taking no room where that can be.

    Each file becomes a hard link, else (another disk, a read-only mount) a symbolic
    link, else a copy. So `data/` survives the emptying of a download cache on the
    same disk, and nothing is stored twice.
    """
    source = Path(source).resolve()
    Path(folder).mkdir(parents=True, exist_ok=True)
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    for done, file in enumerate(files, start=1):
        target = Path(folder) / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(file.resolve(), target)
        if progress:
            progress(done, len(files))


def _link_or_copy(file, target):
    for attempt in (os.link, os.symlink, shutil.copy2):
        try:
            attempt(file, target)
            return
        except (OSError, NotImplementedError):
            if attempt is shutil.copy2:
                raise
