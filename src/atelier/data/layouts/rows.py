"""The table that every layout returns."""

import pandas as pd

from atelier.data.layouts.movements import movement_of

LABELS = ("artist", "style", "genre", "movement")


def rows_to_table(rows, columns):
    """Rows as a table of path and labels, sorted by path, missing labels as `<NA>`.

    The movement follows from the style.
    """
    table = pd.DataFrame(rows, columns=list(columns), dtype="string")
    table = table.reindex(columns=["path", *LABELS]).astype("string")
    styles = table["style"].dropna().unique()
    movements = {style: movement_of(style) for style in styles}
    table["movement"] = table["style"].map(movements).astype("string")
    return table.sort_values("path", ignore_index=True)
