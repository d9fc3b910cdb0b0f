"""How much memory an optimisation will take, said before it starts.

At the peak all maps of one pass are there, those that their gradients need, and the workspace of
the convolution with the largest map. The factors below are fitted to the peak of whole processes
(VGG19 whole and cut at 256 to 512 pixels, ResNet50 at 384); a test holds them to 30 %.
"""

import math

import keras
import psutil

from atelier.errors import AtelierError
from atelier.stylize.features import map_bytes

MB = 1_000_000
# Of each backend: what compiling takes, and bytes for each byte of all maps and of the largest.
_FACTORS = {"tensorflow": (0, 1.33, 5.5), "jax": (475 * MB, 1.84, 2.4)}


def estimate_bytes(features, size):
    """Bytes of the whole process at its peak, what it takes already included.

    Args:
        features: `stylize.features.Features`.
        size: (height, width) of the picture, pixels.
    """
    sizes = map_bytes(features, size)
    fixed, of_all, of_largest = _FACTORS[keras.backend.backend()]
    return resident_bytes() + round(fixed + of_all * sum(sizes) + of_largest * max(sizes))


def check_memory(features, size):
    """Refuse a size that will not fit.

    Raises:
        AtelierError: says which size would.
    """
    free = free_bytes()
    wanted = estimate_bytes(features, size) - resident_bytes()
    if wanted <= free:
        return
    fits = int(max(size) * math.sqrt(free / wanted)) // 32 * 32
    raise AtelierError(
        f"{wanted / 1e9:.1f} GB of free memory for {size[1]} x {size[0]} pixels",
        f"{free / 1e9:.1f} GB",
        f"Choose a size of {fits} or less." if fits >= 64 else "Close other programs.",
    )


def resident_bytes():
    """What this process holds in memory."""
    return psutil.Process().memory_info().rss


def free_bytes():
    """Memory that is free for new use."""
    return psutil.virtual_memory().available
