"""What is kept of each picture to recognize it again, and where: 4.9 kB each, on disk.

A grey thumbnail for shapes, a small one of color, the perceptual hash pHash
(ImageHash, https://github.com/JohannesBuchner/imagehash) and a code. pHash keeps
the signs of the cosine transform's low frequencies; the code keeps their values,
weighted by frequency (natural pictures fall off as 1/f), so that a dot product
compares two pictures. Pictures are squashed to squares, so that a reproduction
cut on one side still overlaps well.
"""

import contextlib
import tempfile
from pathlib import Path

import cv2
import imagehash
import numpy as np
from PIL import Image
from scipy.fft import dctn

SIDE = 64  # pixels, grey thumbnail
CHROMA_SIDE = 16  # pixels, color thumbnail
FREQUENCIES = 8  # of the cosine transform, kept each way
RECORD = np.dtype(
    [
        ("grey", "u1", (SIDE, SIDE)),
        ("chroma", "i1", (CHROMA_SIDE, CHROMA_SIDE, 2)),  # a and b of CIE Lab
        ("hash", "u8"),  # pHash, 64 bits
        ("code", "f4", (FREQUENCIES**2,)),  # of length 1
    ]
)


def describe(pixels):
    """Reduce a picture, (height, width, 3) uint8 RGB, to one record of `RECORD`."""
    record = np.zeros((), RECORD)
    small = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    record["grey"] = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    tiny = cv2.resize(small, (CHROMA_SIDE, CHROMA_SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(np.float32(tiny) / 255, cv2.COLOR_RGB2LAB)
    record["chroma"] = np.clip(np.round(lab[..., 1:]), -127, 127)
    record["code"] = codes(record["grey"][None])[0]
    bits = imagehash.phash(Image.fromarray(pixels)).hash
    record["hash"] = np.packbits(bits).view(">u8")[0]
    return record


def codes(greys):
    """Codes of grey pictures, (n, height, width) uint8 -> (n, FREQUENCIES**2) float32 of length 1."""
    size = (4 * FREQUENCIES, 4 * FREQUENCIES)
    whole = map(np.ascontiguousarray, greys)
    small = [cv2.resize(grey, size, interpolation=cv2.INTER_AREA) for grey in whole]
    waves = dctn(np.float32(small), axes=(1, 2), norm="ortho")[:, :FREQUENCIES, :FREQUENCIES]
    steps = np.arange(FREQUENCIES)
    weights = np.hypot(steps[:, None], steps[None])  # and 0 for the mean
    flat = (waves * weights).reshape(len(greys), -1)
    return np.float32(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-3))


@contextlib.contextmanager
def thumbnail_store(count):
    """Yield an array of `count` records in a temporary file, gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="atelier-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "thumbnails.npy"
        yield np.lib.format.open_memmap(path, mode="w+", dtype=RECORD, shape=(count,))
