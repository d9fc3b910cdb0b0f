"""Which pictures take part in a split, and under which label.

A label is a column of the manifest: artist, style, genre, or movement, which gathers
styles as `MOVEMENTS` says (spelled as a folder or as a caption, it is the same style).
Pictures without a label take no part; neither do those whose label says that nobody
knows ("Unknown Artist", as some editions of WikiArt have it) and those whose style no
movement gathers. Each of these is counted in the log.
"""

import logging

import pandas as pd

from atelier.data.layouts.movements import MOVEMENTS, movement_of
from atelier.data.layouts.names import name_key
from atelier.errors import AtelierError

__all__ = ["MOVEMENTS", "choose_classes", "gather_movements", "usable", "without_copies"]

log = logging.getLogger(__name__)

_NAMED = 8  # styles that one message names
_UNKNOWN = frozenset(("unknown", "unknownartist", "unknowngenre", "unknownstyle"))


def gather_movements(styles, *, strict=False):
    """The movement of each style.

    Args:
        styles: (n,) strings, missing where no style is known; several are joined by commas.
        strict: refuse a style that belongs to none of the movements.

    Returns:
        (n,) strings, `<NA>` where the style is missing or has no movement; the
        latter are counted in the log.

    Raises:
        AtelierError: if strict, naming the styles that have no movement.
    """
    styles = pd.Series(styles, dtype="string")
    known = {style: movement_of(style) for style in styles.dropna().unique()}
    movements = styles.map(known).astype("string")
    left_out = styles[movements.isna()].dropna()
    if len(left_out):
        counts = left_out.value_counts()
        named = ", ".join(f"{style} {count}" for style, count in counts.head(_NAMED).items())
        named += f" and {len(counts) - _NAMED} more" if len(counts) > _NAMED else ""
        if strict:
            raise AtelierError(
                f"styles that one of the movements {', '.join(MOVEMENTS)} gathers",
                f"pictures of others: {named}",
                "Leave them out (strict=False), or correct the collection's styles.",
            )
        log.warning("%d pictures of styles in no movement left out: %s", len(left_out), named)
    return movements


def usable(manifest, config):
    """The readable pictures of a manifest that have a label.

    Args:
        manifest: see `atelier.data.manifest`.
        config: a `SplitConfig`.

    Returns:
        The manifest's rows, sorted by path, with the label as `label`; where there is no
        `sha256` to compare the path stands in for it.

    Raises:
        AtelierError: see `gather_movements`.
    """
    if config.label == "movement":
        movements = gather_movements(manifest["style"], strict=config.strict)
        manifest = manifest.assign(movement=movements)
    table = manifest.rename(columns={config.label: "label"})
    table = table[table["readable"].astype("boolean").fillna(False) & table["label"].notna()]
    table = table.astype({"path": "string", "label": "string", "leak_group": "int64"})
    unhashed = table["sha256"].isna()  # nothing to compare: a picture of its own
    table["sha256"] = table["sha256"].astype("string").mask(unhashed, table["path"])
    return _without_unknown(table).sort_values("path", ignore_index=True)


def _without_unknown(table):
    unknown = table["label"].map(name_key).isin(_UNKNOWN)
    if unknown.any():
        log.warning("%d pictures of unknown label left out", unknown.sum())
    return table[~unknown]


def without_copies(pictures):
    """One of each set of identical files, the first by path."""
    labels = pictures.groupby("sha256")["label"].nunique()
    if disputed := int((labels > 1).sum()):
        log.warning("%d pictures lie under two labels; the first by path counts", disputed)
    return pictures.drop_duplicates("sha256")


def choose_classes(pictures, config):
    """Labels that take part, largest first; copies are not counted.

    Where pictures come from official lists, a class is as large as in the list that has
    fewer of it, so that `min_works=1` leaves out what one of the lists lacks.

    Raises:
        AtelierError: if fewer than two remain.
    """
    counts = _class_sizes(pictures.drop_duplicates("sha256"))
    largest = sorted(counts, key=lambda label: (-counts[label], label))
    chosen = [label for label in largest if counts[label] >= (config.min_works or 0)][: config.top]
    if len(chosen) < 2:
        most = ", ".join(f"{label} {counts[label]}" for label in largest[:3]) or "no label at all"
        raise AtelierError(
            f"at least two classes of {config.label}",
            f"{len(chosen)} (pictures in the largest: {most})",
            "Choose another label, a smaller min_works or a larger top, or add pictures.",
        )
    return chosen


def _class_sizes(distinct):
    if "listed" not in distinct:
        return distinct["label"].value_counts().to_dict()
    sizes = distinct.groupby(["label", "listed"]).size().unstack(fill_value=0)
    return sizes.reindex(columns=["train", "val"], fill_value=0).min(axis=1).to_dict()
