"""The memory map of a collection's decoded pictures, and the index that says what is in it.

Two files in the collection's workspace: pixels (`.npy`, written under a name of their
own, row after row, so memory does not grow) and an index (`.json`) that names them, with
the size and time of change of every file. The index is replaced in one step at the end:
an interrupted run changes nothing, and a map in use elsewhere stays whole.

A map only grows: pictures are added when they are asked for, read again when their file
changed and dropped when it is gone. A map of the wrong size or with a broken index is
noticed and built anew; changed bytes inside it are not.
"""

import collections
import contextlib
import json
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from atelier import paths, storage
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

VERSION = 1  # of the way pictures are read and resized; another one rebuilds the maps
HEADER = 128  # bytes before the pixels in the .npy file, whatever the number of rows


def file_stamp(path):
    """[size, time of change in ns] of a file; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return [stat.st_size, stat.st_mtime_ns]


def covers(index, stamps):
    """Whether an index knows each of these files as it is now."""
    if index is None:
        return False
    files, skipped = index["files"], index["skipped"]
    return all(
        (path in files and files[path] == stamp) or (path in skipped and skipped[path][0] == stamp)
        for path, stamp in stamps.items()
    )


class PixelStore:
    """The map of one collection, size and fit, and the index that says what is in it.

    The size is (height, width), or (views, height, width) where a picture has several.
    """

    def __init__(self, directory, size, fit):
        self.directory, self.size, self.fit = directory, size, fit
        self.folder = paths.workspace(directory) / "pixels"
        self.name = f"{'x'.join(map(str, size))}-{fit}"
        self.index_path = self.folder / f"{self.name}.json"

    def open(self):
        """Index and pixels, or None twice where there are none; what is broken is logged."""
        for _ in range(2):  # once more, if another process replaced it between two readings
            try:
                index = storage.read_json(self.index_path)
                return index, self._pixels(index)
            except FileNotFoundError:
                problem = "pixels are missing"
            except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
                problem = error
        if self.index_path.exists():
            log.warning("Decoded pictures %s are broken (%s): decoding again.", self.name, problem)
        return None, None

    def _pixels(self, index):
        """The memory map that an index names, if the two fit together."""
        if index["version"] != VERSION:
            raise ValueError(f"version {index['version']}, not {VERSION}")
        if not all(isinstance(index[key], dict) for key in ("files", "skipped")):
            raise TypeError("an index of another shape")
        shape = (len(index["files"]), *self.size, 3)
        path = self.folder / index["pixels"]
        size, expected = path.stat().st_size, HEADER + int(np.prod(shape))
        if size != expected:
            raise ValueError(f"{size} bytes, not {expected}")
        if shape[0] == 0:
            return np.empty(shape, np.uint8)
        pixels = np.load(path, mmap_mode="r")
        if pixels.shape != shape or pixels.dtype != np.uint8:
            raise ValueError(f"pixels of {pixels.shape} {pixels.dtype}, not {shape}")
        return pixels

    @contextlib.contextmanager
    def lock(self):
        """Keep other processes from building the same map; a dead one's lock is free."""
        import fcntl

        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f".{self.name}.lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def build(self, old, stamps, read, workers, progress):
        """Write a map of what is asked for and of what is still good in the old one; call it locked.

        Args:
            old: the index so far, or None.
            stamps: path -> `file_stamp`, of the pictures that are asked for.
            read: a file's path -> picture of the map's size, or the AtelierError that says why not.
            workers: threads.
            progress: called with (done, total), or None.
        """
        self._remove_others(keep=old["pixels"] if old else None)
        before = old["files"] if old else {}
        kept = {p: file_stamp(self.directory / p) for p in before if p not in stamps}
        stamps = {path: stamp for path, stamp in kept.items() if stamp} | stamps
        same = {p: row for row, p in enumerate(before) if before[p] == stamps.get(p)}
        pixels = self._pixels(old) if old else None
        log.info("Decoding %d pictures to %s.", len(stamps) - len(same), self.name)

        def picture(path):
            return pixels[same[path]] if path in same else read(self.directory / path)

        name = f"{self.name}-{uuid.uuid4().hex[:8]}.npy"
        with storage.atomic_path(self.folder / name) as temporary:
            results = zip(stamps, _in_order(picture, stamps, workers), strict=True)
            skipped = self._write(temporary, results, len(stamps), progress)
        files = {path: stamp for path, stamp in stamps.items() if path not in skipped}
        known = {p: entry for p, entry in old["skipped"].items() if p not in stamps} if old else {}
        skipped = known | {path: [stamps[path], why] for path, why in skipped.items()}
        index = {"version": VERSION, "pixels": name, "skipped": skipped, "files": files}
        storage.write_text(self.index_path, json.dumps(index, ensure_ascii=False))
        self._remove_others(keep=name)

    def _write(self, target, results, total, progress):
        """Write the pictures among (path, picture or error) to a .npy file; returns path -> error."""
        skipped = {}
        with target.open("wb") as stream:
            stream.write(self._header(0))
            for done, (path, result) in enumerate(results, 1):
                if isinstance(result, AtelierError):
                    log.warning("Left out %s: %s", path, result)
                    skipped[path] = str(result)
                else:
                    stream.write(np.ascontiguousarray(result).data)
                if progress is not None:
                    progress(done, total)
            stream.seek(0)
            stream.write(self._header(total - len(skipped)))
        return skipped

    def _header(self, rows):
        """The first bytes of a .npy file of so many pictures."""
        start = np.lib.format.magic(1, 0)
        fields = {"descr": "|u1", "fortran_order": False, "shape": (rows, *self.size, 3)}
        text = repr(fields).ljust(HEADER - len(start) - 3) + "\n"
        return start + (len(text)).to_bytes(2, "little") + text.encode("latin1")

    def _remove_others(self, keep):
        """Remove what no index names, such as a killed run leaves; call it locked."""
        for pattern in (
            f"{self.name}-*.npy",
            f".tmp-*-{self.name}-*.npy",
            f".tmp-*-{self.name}.json",
        ):
            for path in self.folder.glob(pattern):
                if path.name != keep:
                    path.unlink(missing_ok=True)


def _in_order(function, items, workers):
    """Results in the order of items, made by threads that are never far ahead."""
    waiting = collections.deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= 8 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
