"""What a manifest and its pictures tell when they are counted: twins, grey ones, gaps."""

import numpy as np
import pandas as pd

from atelier.data.layouts.movements import movement_of


def is_grey(pixels, tolerance=2):
    """Whether pictures are without color, whatever mode their files have.

    Args:
        pixels: (n, h, w, 3) uint8.
        tolerance: by how many of 255 steps a pixel's channels may differ.

    Returns:
        (n,) bool.
    """
    return np.array([int(np.ptp(picture, axis=-1).max()) <= tolerance for picture in pixels], bool)


def twin_pairs(manifest):
    """Pictures that reproduce one painting: the first two of each leak group that has several.

    Args:
        manifest: table of path, artist, sha256, readable and leak_group.

    Returns:
        Table of `first`, `second` (paths), `artist`, `identical` (the same bytes)
        and `pictures` in the group, one row a group; files that differ come first.
    """
    seen = manifest[manifest["readable"].astype(bool)].sort_values("path")
    seen = seen[seen.duplicated("leak_group", keep=False)]
    rows = []
    for _, group in seen.groupby("leak_group"):
        several = group.drop_duplicates("sha256")
        first, second = (several if len(several) > 1 else group).iloc[:2].itertuples()
        same = first.sha256 == second.sha256
        rows.append((first.path, second.path, first.artist, same, len(group)))
    table = pd.DataFrame(rows, columns=["first", "second", "artist", "identical", "pictures"])
    table = table.astype({"identical": bool, "pictures": int})
    return table.sort_values("identical", kind="stable", ignore_index=True)


def missing_values(table):
    """Type, missing values and distinct values of each column."""
    return pd.DataFrame(
        {
            "type": table.dtypes.astype("string"),
            "missing": table.isna().sum(),
            "distinct": table.nunique(),
        }
    )


def movement_tally(manifest):
    """Which styles the movements gather and which they leave out, with how many pictures.

    Args:
        manifest: table of path, artist, style and readable.

    Returns:
        Table of `style`, `movement` (missing where none gathers it), `pictures` and
        `painters`; styles that are left out come last, and larger ones first.
    """
    seen = manifest[manifest["readable"].astype(bool)].dropna(subset="style")
    table = seen.groupby("style").agg(pictures=("path", "size"), painters=("artist", "nunique"))
    table = table.reset_index().astype({"style": "string"})
    table.insert(1, "movement", table["style"].map(movement_of).astype("string"))
    order = table["movement"].fillna("~")  # after every letter
    table = table.assign(order=order).sort_values(["order", "pictures"], ascending=[True, False])
    return table.drop(columns="order").reset_index(drop=True)
