"""The invented painters: who they might have been, and the hand each paints with.

Names, years, countries and lives are made up; any likeness is chance.
"""

from dataclasses import dataclass

from atelier.data.sample import hands


@dataclass(frozen=True)
class Painter:
    """A row of artists.csv and a hand."""

    name: str
    years: str
    genre: str
    nationality: str
    bio: str
    hand: hands.Hand

    @property
    def folder(self):
        """Name of the painter's folder, as in the Kaggle collection."""
        return self.name.replace(" ", "_")


PAINTERS = (
    Painter(
        "Orso Vantane",
        "1861 - 1903",
        "Expressionism",
        "Invented (Corvese)",
        "Orso Vantane, an invented painter, kept a mill before he painted. His letters say that air "
        "and water move alike, and that a picture should not stand stiller than what it shows: sky, "
        "field and tablecloth turn in the same eddies of thick paint.",
        hands.EDDIES,
    ),
    Painter(
        "Maud Ellerwick",
        "1867 - 1941",
        "Pointillism,Post-Impressionism",
        "Invented (Northmarsh)",
        "Maud Ellerwick, an invented painter, taught optics in a girls' school and painted on "
        "Sundays. She set down one dab after another and left it to the eye to mix them.",
        hands.DABS,
    ),
    Painter(
        "Jorun Halvdal",
        "1874 - 1939",
        "Symbolism",
        "Invented (Skerry Islands)",
        "Jorun Halvdal, an invented painter, grew up where it rains two days in three. Whatever she "
        "painted seems to fall: upright strokes run through faces, orchards and bottles alike.",
        hands.WILLOW,
    ),
    Painter(
        "Ilka Brandholm",
        "1882 - 1958",
        "Cubism,Post-Impressionism",
        "Invented (Northmarsh)",
        "Ilka Brandholm, an invented painter, came to painting from masonry and never took to the "
        "brush. She built hills and heads from slabs laid with the knife, and left the primed canvas "
        "to show between them.",
        hands.FACETS,
    ),
    Painter(
        "Celestin Aubracq",
        "1849 - 1917",
        "Impressionism",
        "Invented (Corvese)",
        "Celestin Aubracq, an invented painter, drew for the illustrated papers for thirty years. In "
        "his pastels two nets of fine strokes cross over a tinted sheet, as in the engravings that "
        "he was tired of.",
        hands.HATCHING,
    ),
    Painter(
        "Teodor Maasik",
        "1828 - 1896",
        "Tonalism",
        "Invented (Estuary Provinces)",
        "Teodor Maasik, an invented painter, rubbed thin glazes over one another until no stroke was "
        "left to see, and then drew the contours once more with a dark and narrow brush.",
        hands.GLAZES,
    ),
)
