"""Pictures of the same painting: near-duplicate pairs, and the groups that must not be split.

Thresholds were chosen by looking at pairs on both sides of them. In Best
Artworks of All Time (7,495 files) no two files are equal; 445 pairs are near, 442
of them by one artist, 8 mirrored; 15 more are versions. Of 88 near pairs drawn at
random 83 show one painting reproduced twice; the others are prints in other
colors (Warhol, 2), Titian's second Venus and Adonis, Rubens's copy of Titian, and two
squares by Malevich. 307 same-artist pairs correlate above 0.90 as plain 16-pixel
thumbnails: 281 are among the near ones, and the other 26 all show different works. Missed:
about a dozen pairs that a slower search found, cut to below two thirds, in a frame
wider than the picture, or very dark; details of a painting; turned pictures. In WikiArt
(3,280 files) 30 pairs, the doubtful ones minimalists' fields; in gan-getting-started
(1,300) 2, both right.
"""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from atelier.data.alignment import compare
from atelier.data.candidates import VIEWS, find_candidates


@dataclasses.dataclass(frozen=True)
class DuplicateConfig:
    """When two pictures are called the same painting; all are least values of `alignment.Match`."""

    correlation: float = 0.60
    other_artist: float = 0.70  # correlation, for two artists: they rarely share a painting
    mirrored: float = 0.75  # correlation, for mirror images: painters reverse a composition, too
    detail: float = 0.50  # where there is plenty to see
    detail_of_little: float = 0.70  # where there is nothing to see; in between, in proportion
    version_detail: float = 0.30  # for one composition painted twice; sunsets at sea reach 0.25
    evidence: float = 0.45  # below it pictures are too plain to judge: squares, skies
    overlap: float = 0.50  # share of the one that the other covers
    area: float = 0.40  # of the one part to the other, the smaller to the larger
    chroma: float = 0.40  # correlation of color, where both have strong color: Warhol's series


@dataclasses.dataclass(frozen=True)
class NearPair:
    """Rows of two pictures of one painting, or of two versions of it, first < second."""

    first: int
    second: int
    correlation: float
    mirrored: bool
    version: bool = False  # the composition agrees, the detail does not


def near_pairs(records, config=None, *, versions=False, among=None, workers=2, progress=None):
    """All near-duplicate pairs among thumbnails.

    Args:
        records: (n,) array of `thumbnails.RECORD`, in memory or a memory map.
        config: a `DuplicateConfig`.
        versions: add pairs of one composition whose detail differs: a painter's second
            version, a study, a print in other colors. They leak, too.
        among: set of rows; only pairs that one of them is in. None takes all.
        workers: threads.
        progress: called with (done, total) pictures.

    Returns:
        List of `NearPair`, sorted; the same for any number of workers.
    """
    config = config or DuplicateConfig()
    best = {}
    with ThreadPoolExecutor(workers) as pool:
        for candidates in find_candidates(records, progress=progress):
            if among is not None:
                candidates = [hit for hit in candidates if not among.isdisjoint(hit[:2])]
            pairs = pool.map(lambda hit: _judge(records, hit, config), candidates)
            for pair in filter(None, pairs):
                key = (pair.first, pair.second)
                best[key] = max(best.get(key, pair), pair, key=_certainty)
    return [best[key] for key in sorted(best) if versions or not best[key].version]


def _certainty(pair):
    return (not pair.version, pair.correlation)


def _judge(records, candidate, config):
    row, other, number = candidate
    picture, view = records[row], VIEWS[number]
    if view.mirrored:
        picture = mirror(picture)
    match = compare(records[other], picture, view.start())
    if not is_same_composition(match, config, view.mirrored):
        return None
    first, second = sorted((row, other))
    version = not is_same_painting(match, config, view.mirrored)
    return NearPair(first, second, match.correlation, view.mirrored, version)


def mirror(record):
    """A record as its picture's mirror image would give it; the hash stays."""
    flipped = record.copy()
    flipped["grey"] = record["grey"][:, ::-1]
    flipped["chroma"] = record["chroma"][:, ::-1]
    return flipped


def is_same_composition(match, config, mirrored=False):
    """Whether a `Match` passes a `DuplicateConfig` in its large masses, if there is enough to see."""
    return bool(
        match.correlation >= (config.mirrored if mirrored else config.correlation)
        and match.detail >= config.version_detail
        and match.evidence >= config.evidence
        and match.overlap >= config.overlap
        and config.area <= match.area <= 1 / config.area
        and match.chroma >= config.chroma
    )


def is_same_painting(match, config, mirrored=False):
    """Whether it passes in its detail, too; the less there is to see, the better it must agree."""
    detail = np.interp(match.evidence, (0, 1), (config.detail_of_little, config.detail))
    return is_same_composition(match, config, mirrored) and match.detail >= detail


def leak_groups(count, pairs):
    """Number of the group of each of `count` pictures, given (first, second) rows of pairs.

    Groups are numbered by their first picture; a picture in no pair is alone in its group.
    """
    if not count:
        return np.zeros(0, "int64")
    rows, columns = np.array(list(pairs), "int64").reshape(-1, 2).T
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
