"""Five movements, each gathering finer styles.

Source: the aggregation of a published DenseNet-121 classifier of movements
trained on Painter by Numbers, taken over exactly; a style in none of the five
lists has no movement (also where one might argue, such as Pointillism).
"""

import pandas as pd

from atelier.data.layouts.names import name_key

MOVEMENTS = {
    "Cubism": (
        "Cubism",
        "Tubism",
        "Cubo-Expressionism",
        "Mechanistic",
        "Analytical Cubism",
        "Cubo-Futurism",
        "Synthetic Cubism",
    ),
    "Impressionism": (
        "Impressionism",
        "Post-Impressionism",
        "Synthetism",
        "Divisionism",
        "Cloisonnism",
    ),
    "Expressionism": (
        "Expressionism",
        "Neo-Expressionism",
        "Figurative Expressionism",
        "Fauvism",
    ),
    "Realism": (
        "Realism",
        "Hyper-Realism",
        "Photorealism",
        "Analytical Realism",
        "Naturalism",
    ),
    "Abstract": (
        "Abstract Art",
        "New Casualism",
        "Post-Minimalism",
        "Orphism",
        "Constructivism",
        "Lettrism",
        "Neo-Concretism",
        "Suprematism",
        "Spatialism",
        "Conceptual Art",
        "Tachisme",
        "Post-Painterly Abstraction",
        "Neoplasticism",
        "Precisionism",
        "Hard Edge Painting",
    ),
}
_MOVEMENT_OF = {
    name_key(style): movement for movement, styles in MOVEMENTS.items() for style in styles
}


def movement_of(style):
    """The movement of a style, or `pd.NA`.

    Spelling is forgiven (`Post_Impressionism`). Of several styles joined by
    commas all must belong to the same movement.
    """
    if pd.isna(style):
        return pd.NA
    movements = {_MOVEMENT_OF.get(name_key(part)) for part in str(style).split(",")}
    movement = movements.pop()
    return pd.NA if movements or movement is None else movement
