"""Nearest neighbors by cosine: exact, approximate, and how well they retrieve.

Exact search multiplies blocks and keeps the best of each; it needs memory for a
block, whatever the collection's size. Approximate search is FAISS's inverted file
(Douze et al. 2024, arXiv:2401.08281), with vectors in float16. Mean average
precision follows Philbin et al. 2007, over the whole ranking; recall@k is that of
metric learning (Jégou et al. 2011): whether one of the k nearest is right.
"""

import numpy as np
import pandas as pd

from atelier.errors import AtelierError

EXACT_UP_TO = 100_000  # vectors; beyond, search is approximate unless it is asked for
ROWS, QUERIES = 8192, 256  # of one block of a matrix product
RANKED = 128  # queries whose whole ranking is held at a time
LISTED = 40  # vectors in one list of the inverted file, at least; FAISS asks for 39
PROBED = 8  # one list in so many is searched


def normalized(vectors):
    """Vectors of length 1 (or 0), (n, d) -> (n, d) float32.

    Raises:
        AtelierError: if they are no table, or hold NaN or infinity.
    """
    vectors = np.asarray(vectors, "float32")
    if vectors.ndim != 2:
        raise AtelierError("vectors of shape (n, d)", f"shape {vectors.shape}", "Stack them.")
    if bad := int((~np.isfinite(vectors).all(axis=1)).sum()):
        raise AtelierError(
            "embeddings that are numbers",
            f"NaN or infinity in {bad} of {len(vectors)}",
            "The training diverged: lower the learning rate and train again.",
        )
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def nearest(vectors, queries, k, *, groups=None, exclude_groups=None):
    """The k most similar vectors of each query.

    Args:
        vectors: (n, d) floats of length 1; a memory map will do.
        queries: (q, d) floats of length 1.
        k: how many.
        groups: (n,) leak group of each vector.
        exclude_groups: q collections of groups that do not count for that query, or None.

    Returns:
        (q, k) int64 rows and (q, k) float32 cosines, largest first, equal ones by
        row. Where fewer than k vectors count, the rest is -1 and -inf.

    Raises:
        AtelierError: if shapes do not fit together or k is less than 1.
    """
    queries = _checked(vectors.shape, queries, k, groups, exclude_groups)
    groups = np.asarray(groups)
    rows = np.full((len(queries), k), -1, "int64")
    alike = np.full((len(queries), k), -np.inf, "float32")
    for low in range(0, len(vectors), ROWS):
        block = np.asarray(vectors[low : low + ROWS], "float32")
        places = np.arange(low, low + len(block))
        for start in range(0, len(queries), QUERIES):
            part = slice(start, start + QUERIES)
            found = queries[part] @ block.T
            if exclude_groups is not None:
                _hide(found, np.broadcast_to(places, found.shape), groups, exclude_groups[part])
            both = np.hstack([rows[part], np.broadcast_to(places, found.shape)])
            rows[part], alike[part] = _best(both, np.hstack([alike[part], found]), k)
    return rows, alike


def _checked(shape, queries, k, groups, exclude_groups):
    count, width = shape
    queries = np.asarray(queries, "float32")
    if queries.ndim != 2 or queries.shape[1] != width:
        raise AtelierError(
            f"queries of shape (q, {width})",
            f"shape {queries.shape}",
            "Embed them with the model that the index was made with.",
        )
    if k < 1:
        raise AtelierError("k of 1 or more", str(k), "Ask for at least one picture.")
    if exclude_groups is not None:
        if groups is None or len(groups) != count:
            found = "none" if groups is None else f"{len(groups)}"
            raise AtelierError(f"{count} leak groups", found, "Pass one for each vector.")
        if len(exclude_groups) != len(queries):
            expected = f"groups to exclude for each of {len(queries)} queries"
            raise AtelierError(expected, f"{len(exclude_groups)}", "Pass a collection for each.")
    return queries


def _hide(alike, rows, groups, exclude_groups):
    """Set to -inf the cosines of rows in groups that do not count."""
    for line, (excluded, places) in enumerate(zip(exclude_groups, rows, strict=True)):
        alike[line, np.isin(groups[places], list(excluded))] = -np.inf


def _best(rows, alike, k):
    """The k largest of each line, sorted; -1 stands for rows that do not count."""
    if alike.shape[1] > k:
        kept = np.argpartition(-alike, k - 1, axis=1)[:, :k]
        rows, alike = (np.take_along_axis(table, kept, axis=1) for table in (rows, alike))
    order = np.lexsort((rows, -alike), axis=1)
    rows, alike = (np.take_along_axis(table, order, axis=1) for table in (rows, alike))
    return np.where(np.isneginf(alike), -1, rows), alike


def build_approximate(vectors):
    """An inverted file over unit vectors, a `faiss.Index`; the same for the same vectors.

    Raises:
        AtelierError: if FAISS is not installed.
    """
    faiss = load_faiss()
    count, width = vectors.shape
    lists = max(1, min(round(4 * count**0.5), count // LISTED))
    index = faiss.index_factory(width, f"IVF{lists},SQfp16", faiss.METRIC_INNER_PRODUCT)
    sample = np.random.default_rng(0).permutation(count)[: LISTED * lists]
    index.train(np.asarray(vectors[np.sort(sample)], "float32"))
    for low in range(0, count, ROWS):
        index.add(np.asarray(vectors[low : low + ROWS], "float32"))
    index.nprobe = max(1, lists // PROBED)
    return index


def load_faiss():
    """The module `faiss`, imported where it is used first.

    Raises:
        AtelierError: if it is not installed.
    """
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise AtelierError(
            "FAISS, for approximate search",
            "it is not installed",
            "Run `pip install faiss-cpu`, or search exactly (approximate=False).",
        ) from error
    return faiss


def nearest_approximate(index, queries, k, *, groups=None, exclude_groups=None):
    """As `nearest`, through what `build_approximate` made; some neighbors may be missed.

    So many more neighbors are asked for as are excluded at most.
    """
    queries = _checked((index.ntotal, index.d), queries, k, groups, exclude_groups)
    if exclude_groups is None:
        wanted = k
    else:
        sizes = pd.Series(groups).value_counts()
        hidden = [sizes.reindex(list(set(g)), fill_value=0).sum() for g in exclude_groups]
        wanted = min(index.ntotal, k + max(hidden, default=0))
    alike, rows = index.search(np.ascontiguousarray(queries), int(max(wanted, k)))
    alike[rows < 0] = -np.inf
    if exclude_groups is not None:
        _hide(alike, rows, np.asarray(groups), exclude_groups)
    return _best(rows, alike, k)


def neighbor_recall(found, exact):
    """Share of the exact neighbors that were found, both (q, k) rows of one search."""
    hits = [np.isin(best[best >= 0], rows) for rows, best in zip(found, exact, strict=True)]
    return float(np.concatenate(hits).mean())


def retrieval_scores(embeddings, labels, groups, *, ks=(1, 5, 10), queries=None):
    """How well pictures find others of their label, their own leak group left out.

    Args:
        embeddings: (n, d) floats.
        labels: (n,) labels; a picture without one (None, NA) is never right and asks nothing.
        groups: (n,) leak groups: reproductions of one painting would be trivial answers.
        ks: neighbors looked at for each recall.
        queries: rows that ask, such as those of the test part; default all.

    Returns:
        dict: `queries`, how many asked; `left_out`, those without anything to find;
        `map`, mean average precision; `recall@k`, the share of queries with a right
        picture among the k nearest.

    Raises:
        AtelierError: if lengths differ, or no picture has anything to find.
    """
    vectors = normalized(embeddings)
    codes, groups = pd.factorize(np.asarray(labels, object))[0], np.asarray(groups)
    if not len(vectors) == len(codes) == len(groups):
        found = f"{len(vectors)}, {len(codes)} and {len(groups)}"
        raise AtelierError("as many labels and groups as embeddings", found, "Pass them all.")
    asking = np.arange(len(vectors)) if queries is None else np.asarray(queries)
    parts = [asking[low : low + RANKED] for low in range(0, len(asking), RANKED)]
    ranked = [_rank(vectors, codes, groups, rows, ks) for rows in parts]
    scores = np.concatenate([np.empty((0, 1 + len(ks))), *ranked])
    if not len(scores):
        raise AtelierError(
            "two paintings of one label to retrieve",
            f"none among {len(asking)} queries",
            "Retrieve in a larger part.",
        )
    mean = scores.mean(axis=0).tolist()
    names = ("map", *(f"recall@{k}" for k in ks))
    counts = {"queries": len(scores), "left_out": len(asking) - len(scores)}
    return counts | dict(zip(names, mean, strict=True))


def _rank(vectors, codes, groups, rows, ks):
    """(m, 1 + len(ks)): average precision and recalls of those rows that have something to find."""
    hidden = groups[rows, None] == groups
    right = (codes[rows, None] == codes) & ~hidden & (codes[rows, None] >= 0)
    alike = np.where(hidden, -np.inf, vectors[rows] @ vectors.T)
    order = np.argsort(-alike, axis=1, kind="stable")
    right = np.take_along_axis(right, order, axis=1)
    found = right.cumsum(axis=1)
    right, found = right[found[:, -1] > 0], found[found[:, -1] > 0]
    precision = found / np.arange(1, len(vectors) + 1)
    average = (precision * right).sum(axis=1) / found[:, -1]
    return np.column_stack([average, *(right[:, :k].any(axis=1) for k in ks)])
