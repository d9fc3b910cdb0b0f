"""Moods: the harmonies that all invented painters share.

A mood names a colour for each role in a scene (sky, hill, wall, accent, ...).
Every painter paints in every mood, so that colour tells the hour and the
weather of a picture, hardly its painter.
"""

from dataclasses import dataclass

import numpy as np

_ROLES = "sky_top sky_low sun far hill grass foliage earth water wall roof accent second shadow"

_HEX = {
    "dawn": "6f8fb5 f2c9a0 ffe9b8 8a9bb5 7f9a86 9aa866 4f6b4f b08a64 8fb0bd e8d7bd b5573f e0724a 5a6fa8 3b3f5c",
    "noon": "3f7fc1 bfdcea fff6d0 7fa3c4 6f9d62 9fb552 38683f c79f63 5a9cb8 f3ead6 c4553a e8b33a d24f5a 2f4660",
    "dusk": "3d3f6e e58b5a ffcf7a 5d5680 5f5a6e 6f6a4a 34404a 8f5f50 7a6a8e d9a98a 8a3f45 f0a23c a0455f 262742",
    "overcast": "8c9aa5 cfd3cf eeeee2 94a3aa 7f8f7f 8f9668 4b5b4c 9c8b70 8b9da3 d8d3c4 8d5b4b b98a4a 6d7f94 3c444a",
    "autumn": "6f93ad ecdcb4 fff0c0 8c94a0 b0843f c9a040 a4502a 9a6b40 6f94a0 eadcc0 9a4030 d9702a 7a3540 41332f",
    "spring": "7fb4d6 f3e3e6 fffbe0 9fb6d0 8fbf7a b9d07a 5f9a5a cdb086 86bcc4 fbf1e6 d9826a f09aa8 f2cf5a 4a5a78",
    "night": "16244c 41618f f6ecb4 2f4470 2b4656 3c5a50 1d3438 4c4a58 33578a 8d93a8 5a3f52 f2c14e 7fa0c8 121a34",
    "harvest": "8fb0b8 f4e2b0 fff0b4 a3a990 c0a850 e0bc4c 7d7a34 bd8a4a 84a8a4 f2e4c2 b0502e d9502a 3f6a80 4a3a2a",
}


@dataclass(frozen=True)
class Palette:
    """One mood; each role is (3,) float32 RGB in [0, 255], reached as `palette["sky_top"]`."""

    mood: str
    colors: dict

    def __getitem__(self, role):
        return self.colors[role]


MOODS = tuple(_HEX)


def mix(first, second, share):
    """`first` with `share` (scalar or array ending in 1) of `second`; RGB in [0, 255]."""
    return np.asarray(first) * (1 - share) + np.asarray(second) * share


def rgb(code):
    """Six hex digits as (3,) float32 RGB."""
    return np.array([int(code[i : i + 2], 16) for i in (0, 2, 4)], np.float32)


def palette(mood, rng):
    """The mood's palette as it is on one day: the light tints it, every role drifts a little."""
    tint = rng.normal(0, 5, 3)
    gain = rng.uniform(0.92, 1.08)
    colors = {}
    for role, code in zip(_ROLES.split(), _HEX[mood].split(), strict=True):
        drift = rng.normal(0, 6, 3)
        colors[role] = np.clip(rgb(code) * gain + tint + drift, 4, 252).astype(np.float32)
    return Palette(mood, colors)
