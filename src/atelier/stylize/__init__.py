"""How would this photo look had they painted it: style transfer by optimisation, and in one pass."""
