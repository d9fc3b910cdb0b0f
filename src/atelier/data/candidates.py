"""Which pictures may show the same painting: a few candidates each, for a closer look.

Pictures are candidates if their codes (`thumbnails.codes`) or pHashes are alike.
Each picture is looked up whole, cut on any side, and mirrored. Of 418 pairs seen to
be alike in Best Artworks of All Time, pHash finds 90 % within 14 bits (1,400
candidates) and 96 % within 18 (34,000); codes find 97 % of them (23,000
candidates), and codes of parts too 99.8 %.
"""

import dataclasses

import numpy as np

from atelier.data.thumbnails import SIDE, codes

ALIKE = 0.5  # dot product of two codes, -1 to 1, above which a pair is a candidate
HASH_BITS = 8  # of pHash's 64 that may differ where the codes say nothing
PER_PICTURE = 6  # candidates of one picture at most
BLOCK = 512  # pictures compared with as many others at a time; bounds the memory


@dataclasses.dataclass(frozen=True)
class View:
    """A part of a picture, in shares of its width and height, mirrored or not."""

    x: float
    y: float
    width: float
    height: float
    mirrored: bool = False

    def cut(self, greys):
        """The part of each of (n, SIDE, SIDE) thumbnails, (n, height, width)."""
        left, top, width, height = self._box()
        part = greys[:, top : top + height, left : left + width]
        return part[:, :, ::-1] if self.mirrored else part

    def start(self):
        """(2, 3) float32: from a whole thumbnail's pixels to this part's, in the (mirrored) picture."""
        left, top, width, height = self._box()
        if self.mirrored:
            left = SIDE - left - width
        across, down = width / SIDE, height / SIDE
        return np.float32([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]])

    def _box(self):
        return [round(SIDE * share) for share in (self.x, self.y, self.width, self.height)]


VIEWS = (
    View(0, 0, 1, 1),
    View(0.075, 0.075, 0.85, 0.85),
    View(0.15, 0.15, 0.7, 0.7),
    *(View(x, y, 0.8, 0.8) for x in (0, 0.2) for y in (0, 0.2)),
    *(View(x, 0, 0.8, 1) for x in (0, 0.2)),
    *(View(0, y, 1, 0.8) for y in (0, 0.2)),
    View(0, 0, 1, 1, mirrored=True),
)


def find_candidates(records, *, progress=None):
    """Yield, for one block of pictures after another, the pairs worth a closer look.

    Args:
        records: (n,) array of `thumbnails.RECORD`; a memory map stays on disk.
        progress: called with (done, total) pictures.

    Yields:
        Lists of (row, other, view): part `VIEWS[view]` of `row` resembles all of
        `other`. A pair may come twice, from either side.
    """
    for low in range(0, len(records), BLOCK):
        block = records[low : low + BLOCK]
        parts = np.stack([codes(view.cut(block["grey"])) for view in VIEWS])
        hits = np.empty(0, _HIT)
        for start in range(0, len(records), BLOCK):
            others = records[start : start + BLOCK]
            hits = _best(np.concatenate([hits, _search(low, block, parts, start, others)]))
        yield [tuple(hit.tolist())[:3] for hit in hits]
        if progress is not None:
            progress(min(low + BLOCK, len(records)), len(records))


_HIT = np.dtype([("row", "i8"), ("other", "i8"), ("view", "i8"), ("alike", "f4")])
_SYMMETRIC = [n for n, view in enumerate(VIEWS) if (view.width, view.height) == (1, 1)]


def _search(low, block, parts, start, others):
    """Hits between the views of a block's pictures, (views, n, code), and other pictures, whole."""
    whole = np.ascontiguousarray(others["code"])
    alike = (parts.reshape(-1, whole.shape[1]) @ whole.T).reshape(*parts.shape[:2], -1)
    views, rows, columns = np.unravel_index(np.flatnonzero(alike > ALIKE), alike.shape)
    bits = np.bitwise_count(block["hash"][:, None] ^ others["hash"][None])
    hash_rows, hash_columns = np.nonzero(bits <= HASH_BITS)
    hits = np.zeros(len(rows) + len(hash_rows), _HIT)
    hits["row"] = np.concatenate([rows, hash_rows]) + low
    hits["other"] = np.concatenate([columns, hash_columns]) + start
    hits["view"][: len(rows)] = views
    hits["alike"] = np.concatenate([alike[views, rows, columns], alike[0, hash_rows, hash_columns]])
    one_way = np.isin(hits["view"], _SYMMETRIC) & (hits["row"] > hits["other"])
    return hits[(hits["row"] != hits["other"]) & ~one_way]


def _best(hits):
    """For each row its `PER_PICTURE` likeliest others, each once, sorted."""
    hits = hits[np.lexsort((hits["view"], -hits["alike"], hits["other"], hits["row"]))]
    once = np.ones(len(hits), bool)
    once[1:] = (hits["row"][1:] != hits["row"][:-1]) | (hits["other"][1:] != hits["other"][:-1])
    hits = hits[once]
    hits = hits[np.lexsort((hits["other"], -hits["alike"], hits["row"]))]
    rank = np.arange(len(hits)) - np.searchsorted(hits["row"], hits["row"])
    return hits[rank < PER_PICTURE]
