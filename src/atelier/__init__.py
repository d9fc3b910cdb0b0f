"""Atelier: who painted this, in which style, and how would a photo look had they painted it?"""

__version__ = "0.1.0"
