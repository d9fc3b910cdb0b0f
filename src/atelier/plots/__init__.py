"""Figures: functions that return a Matplotlib Figure, one look for all, and one way of saving.

Nothing goes through `pyplot`, so that no figure is left open or shown twice.
"""

from atelier.plots.look import caption_line
from atelier.plots.saving import save_figure

__all__ = ["caption_line", "save_figure"]
