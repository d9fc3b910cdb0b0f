"""Style transfer in one pass: a network that has learned to paint in any style."""
