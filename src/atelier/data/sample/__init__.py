"""The sample collection: invented painters and their pictures, shipped as code.

Scenes (landscapes, portraits, still lifes) are laid out as smooth fields of
colour, direction and depth (`fields`, `scenes`), then painted stroke by stroke
(`strokes`, `painting`) in a painter's hand (`hands`, `painters`), after Haeberli
1990 and Hertzmann 1998. All painters share subjects and moods (`palettes`): who
painted a picture is told by its strokes, hardly by its colours.
"""

from atelier.data.sample.collection import Settings, draw_sample, is_drawn
from atelier.data.sample.painters import PAINTERS, Painter

__all__ = ["PAINTERS", "Painter", "Settings", "draw_sample", "is_drawn"]
