"""What a table is made of, and whether it is there: collections, pretrained bodies, models."""

import dataclasses

from atelier import paths
from atelier.data.catalog import ARTGAN_LISTS, WIKIART
from atelier.data.layouts import find_lists
from atelier.data.sources import locate
from atelier.errors import AtelierError


@dataclasses.dataclass(frozen=True)
class Need:
    """Something that a table is made of.

    Attributes:
        kind: collection, weights or model.
        name: which.
        found: where it is, or what is done about it.
        missing: whether nothing can be done about it here.
    """

    kind: str
    name: str
    found: str
    missing: bool = False


def apart(sample):
    """Whether a run has a collection of its own: the sample, drawn anew."""
    return sample or paths.fast()


def needs(table, *, sample=False):
    """Each `Need` of a table; a run on the sample, as a fast one is, needs no collection.

    Args:
        table: a `tables.Table`.
        sample: whether the sample collection stands in.
    """
    found = [] if apart(sample) else [_collection(name) for name in table.collections]
    found += [_body(name, layer, apart(sample)) for name, layer in table.bodies]
    return found + [_model(name) for name in table.models]


def check_needs(table, found):
    """Refuse to begin without what a table is made of.

    Args:
        table: a `tables.Table`.
        found: what `needs` said of it.

    Raises:
        AtelierError: which names what is missing, where it was looked for and how to get it.
    """
    if not (paths.root() / table.source).is_file():
        raise AtelierError(
            f"{table.source} in the repository", "no such file there", "Set ATELIER_ROOT to it."
        )
    for need in found:
        if need.missing:
            raise AtelierError(
                f"the {need.kind} {need.name}, of which {table.name} is made",
                need.found,
                "Or see the way with --sample, on invented pictures."
                if need.kind == "collection"
                else "Restore it from the repository.",
            )


def _collection(name):
    try:
        return Need("collection", name, str(locate(name)))
    except AtelierError as error:
        if name == ARTGAN_LISTS.name and (lists := _lists()):
            return Need("collection", name, str(lists))
        return Need("collection", name, f"{error.found}. {error.remedy}", missing=True)


def _lists():
    """ArtGAN's lists where they are kept with the pictures; None without either."""
    try:
        return find_lists(locate(WIKIART.name))
    except AtelierError:
        return None


def _body(name, layer, at_random):
    from atelier.backbones import get_backbone, weights_at_hand
    from atelier.classify.bodies import SUBSTITUTES

    cache = get_backbone(name).cached
    places = f"{paths.weights_dir() or 'ATELIER_WEIGHTS (not set)'} or {cache.parent}"
    other = SUBSTITUTES.get(name)
    if weights_at_hand(name):
        found = f"whole, in {places}"
    elif layer and weights_at_hand(name, layer):
        found = f"up to {layer}, in {places}"
    elif other is not None and weights_at_hand(other.backbone, other.cut):
        part = f" up to {other.cut}" if other.cut else ""
        found = f"{other.backbone}{part} instead, in {places}"
    elif at_random:
        found = f"not in {places}: starts at random"
    else:
        found = f"not in {places}: {cache.name} will be downloaded"
    return Need("weights", name, found)


def _model(name):
    folder = paths.models_dir() / name
    missing = not (folder / "metrics.json").is_file()
    return Need("model", name, f"nothing at {folder}" if missing else str(folder), missing)
