"""Similar paintings: what a trained classifier sees as alike, whoever painted it.

Pictures are compared by the cosine of their embeddings (`classify.embeddings`).
Other reproductions of a painting, its leak group, can be left out: they are the
trivial answer. A picture from outside belongs to the groups of files with its
bytes, and of those of its most similar pictures that `data.duplicates` takes for it.
"""

import dataclasses
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from atelier import models, storage
from atelier.classify.datasets import model_input
from atelier.classify.embeddings import embed, embedding_model, load_index
from atelier.classify.neighbors import (
    EXACT_UP_TO,
    build_approximate,
    load_faiss,
    nearest,
    nearest_approximate,
    neighbor_recall,
    retrieval_scores,
)
from atelier.classify.recipes import Recipe
from atelier.data.duplicates import near_pairs
from atelier.data.reading import read_rgb
from atelier.data.rights import may_be_shown
from atelier.data.thumbnails import RECORD, describe

log = logging.getLogger(__name__)

LOOKED_AT = 64  # most similar pictures among which copies of an outside picture are sought
SAMPLE = 200  # queries that measure an approximate index
_ENOUGH = (128, 128)  # (height, width) that show whether two pictures are one painting
_SHOWN = (320, 320)  # (height, width) that a figure needs
_APPROXIMATE, _MEASURED = "approximate.faiss", "approximate.json"


@dataclasses.dataclass(frozen=True)
class Similar:
    """What is similar to a picture.

    `table`: rank, path, label, artist, similarity (cosine), most similar first.
    `label` and `artist`: the picture's own, where the collection holds the file, else None.
    `copies`: paths of the same painting in the collection, the picture itself among them.
    """

    table: pd.DataFrame
    label: str | None
    artist: str | None
    copies: list[str]


def search(index, queries, k, *, exclude_groups=None, approximate=None):
    """The k most similar pictures of an index for each query.

    Args:
        index: an `embeddings.Index`.
        queries: (q, d) float32 of length 1.
        k: how many.
        exclude_groups: q collections of leak groups that do not count, or None.
        approximate: through FAISS, built and kept at the first use; default where
            there are more than `EXACT_UP_TO` pictures.

    Returns:
        (q, k) int64 rows of the index and (q, k) float32 cosines, largest first;
        -1 and -inf where there are fewer.

    Raises:
        AtelierError: if shapes do not fit, k is less than 1, or FAISS is wanted and missing.
    """
    groups = None if exclude_groups is None else index.groups
    if approximate is None:
        approximate = len(index.pictures) > EXACT_UP_TO
    if not approximate:
        vectors = index.embeddings
        return nearest(vectors, queries, k, groups=groups, exclude_groups=exclude_groups)
    kept = load_approximate(index)
    return nearest_approximate(kept, queries, k, groups=groups, exclude_groups=exclude_groups)


def load_approximate(index):
    """The approximate index, kept beside the exact one; made, and measured against it, at first.

    Returns:
        A `faiss.Index`. `measured_recall(index)` tells what it was found to be worth.
    """
    faiss, path = load_faiss(), index.folder / _APPROXIMATE
    if (index.folder / _MEASURED).is_file():
        try:
            return faiss.read_index(str(path))
        except RuntimeError as error:
            log.warning("%s cannot be used (%s): it is made anew", path, error)
    built = build_approximate(index.embeddings)
    with storage.atomic_path(path) as temporary:
        faiss.write_index(built, str(temporary))
    rows = np.sort(np.random.default_rng(0).permutation(len(index.pictures))[:SAMPLE])
    sample = np.float32(index.embeddings[rows])
    own = {"groups": index.groups, "exclude_groups": index.groups[rows, None].tolist()}
    found, _ = nearest_approximate(built, sample, 10, **own)
    exact, _ = nearest(index.embeddings, sample, 10, **own)
    recall = neighbor_recall(found, exact)
    log.info("Approximate index: %.3f of the 10 nearest found", recall)
    storage.write_json(index.folder / _MEASURED, {"queries": len(sample), "recall@10": recall})
    return built


def measured_recall(index):
    """Share of the 10 exact neighbors that the approximate index finds, measured when it was made."""
    load_approximate(index)
    return storage.read_json(index.folder / _MEASURED)["recall@10"]


def index_scores(index, *, paths=None, ks=(1, 5, 10)):
    """`retrieval_scores` of a collection; `paths` (of the test part, say) ask, all answer."""
    pictures = index.pictures
    queries = None if paths is None else np.flatnonzero(pictures["path"].isin(list(paths)))
    return retrieval_scores(
        index.embeddings, pictures["label"], index.groups, ks=ks, queries=queries
    )


def find_similar(
    model, image, directory, *, k=8, include_copies=False, approximate=None, progress=None
):
    """The paintings of a collection that are most similar to a picture.

    Args:
        model: a model's folder, name or alias, or a `models.LoadedModel`.
        image: path of a picture, in the collection or not.
        directory: root of the collection.
        k: how many.
        include_copies: let other reproductions of the painting count, and the picture itself.
        approximate: as `search`.
        progress: called with (stage, done, total); stages are names for a bar.

    Returns:
        A `Similar`; its table has fewer than k rows only where there are fewer pictures.

    Raises:
        AtelierError: if the picture cannot be read, the model is damaged, k is less
            than 1, or the collection has no readable pictures.
    """
    pixels = read_rgb(image)
    loaded = model if isinstance(model, models.LoadedModel) else models.load(model)
    index = load_index(loaded, directory, progress=progress)
    query = _embedding(loaded, pixels)
    same = index.pictures["sha256"] == storage.file_sha256(image)
    groups = _groups(index, query, pixels, same, directory, approximate)
    excluded = None if include_copies else [groups]
    rows, alike = search(index, query, k, exclude_groups=excluded, approximate=approximate)
    return Similar(
        _table(index, rows[0], alike[0]),
        label=_known(index.pictures.loc[same, "label"]),
        artist=_known(index.pictures.loc[same, "artist"]),
        copies=index.pictures.loc[np.isin(index.groups, groups), "path"].tolist(),
    )


def _table(index, rows, alike):
    """Rows of the index with their ranks and similarities; those of -1 are left out."""
    table = index.pictures.iloc[rows[rows >= 0]][["path", "label", "artist"]]
    table = table.assign(similarity=alike[rows >= 0]).reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def _known(names):
    """The first of some names that is known, or None."""
    return next(iter(names.dropna()), None)


def _embedding(loaded, pixels):
    views = model_input(pixels, Recipe.from_json(loaded.recipe).replace(mirror=False))
    return embed(embedding_model(loaded.model), views[None])


def _groups(index, query, pixels, same, directory, approximate):
    """Leak groups of the picture's painting, sorted; by its bytes, or else by how it looks."""
    if same.any():
        return sorted(set(index.groups[same]))
    rows = search(index, query, LOOKED_AT, approximate=approximate)[0][0]
    rows = rows[rows >= 0]
    records = np.zeros(1 + len(rows), RECORD)
    records[0] = describe(pixels)
    for place, path in enumerate(index.pictures["path"].iloc[rows], start=1):
        records[place] = describe(read_rgb(Path(directory) / path, at_least=_ENOUGH))
    pairs = [pair for pair in near_pairs(records, versions=True) if pair.first == 0]
    return sorted({index.groups[rows[pair.second - 1]] for pair in pairs})


def similar_figure(found, image, directory):
    """A picture and what `find_similar` found: painter and similarity, the right ones framed.

    Pictures whose painters' rights have not ended are left blank; the picture
    asked about is shown, unless the collection holds it and says so.
    """
    from atelier.plots.retrieval import similar_grid

    table = found.table
    own = found.artist is None or may_be_shown(directory, [found.artist])[0]
    shown = may_be_shown(directory, table["artist"])
    asked = read_rgb(image, at_least=_SHOWN) if own else None
    pictures = [
        read_rgb(Path(directory) / path, at_least=_SHOWN) if may else None
        for path, may in zip(table["path"], shown, strict=True)
    ]
    return similar_grid(asked, pictures, table, caption=Path(image).name, label=found.label)
