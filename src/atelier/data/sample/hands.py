"""Hands: how an invented painter lays paint, as frozen dataclasses.

The vocabulary follows the styles of Hertzmann 1998 ("Painterly rendering with
curved brush strokes of multiple sizes"): brush sizes from coarse to fine, stroke
length, curvature, opacity and colour jitter. Added here: where the direction
comes from, the outline of a stroke, relief, and the ground that shows through.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Pass:
    """One layer of strokes. Lengths are shares of the picture's side.

    Attributes:
        width: of a stroke.
        length: shortest and longest.
        flow: "form" (along what is depicted), "swirl" (eddies), "fixed" (at `tilt`),
            "patch" (changing from facet to facet about `tilt`).
        tilt: radians; 0 is level, pi/2 upright.
        sway: radians, spread of the angle from stroke to stroke.
        shape: "flat" (knife, square ends), "brush" (tapered), "round" (a dab).
        spacing: distance between strokes, in widths.
        finish: 1 puts strokes everywhere; less, only where the picture is wrong by more.
        tolerance: RGB steps by which the scene may change before a stroke ends.
        opacity: of the layer.
        ink: 0 for paint; above, strokes only on contours, darkened by this share.
    """

    width: float
    length: tuple[float, float]
    flow: str = "form"
    tilt: float = 0.0
    sway: float = 0.1
    shape: str = "brush"
    spacing: float = 0.9
    finish: float = 1.0
    tolerance: float = 36.0
    opacity: float = 1.0
    ink: float = 0.0


@dataclass(frozen=True)
class Hand:
    """A painter's habits.

    Attributes:
        passes: layers from coarse to fine.
        grounds: six hex digits each; one is chosen per picture.
        bare: share of strokes left out, so that the ground shows.
        jitter: spread of lightness, and of hue, from stroke to stroke, in RGB steps.
        bristle: strength of the streaks within a stroke, in RGB steps.
        relief: how far the paint stands up, 0 for a glaze.
        weave: how much of the canvas shows, 0 to 1.
        saturation, contrast: factors about which single pictures vary.
        warmth: RGB steps added to red and taken from blue.
        key: RGB steps added to all, above 0 for a light palette.
    """

    passes: tuple[Pass, ...]
    grounds: tuple[str, ...]
    bare: float = 0.0
    jitter: tuple[float, float] = (8.0, 5.0)
    bristle: float = 10.0
    relief: float = 0.5
    weave: float = 0.4
    saturation: float = 1.0
    contrast: float = 1.0
    warmth: float = 0.0
    key: float = 0.0


UPRIGHT, RISING, FALLING = 1.5708, -0.82, 0.82

EDDIES = Hand(
    passes=(
        Pass(0.050, (0.12, 0.25), "swirl", spacing=0.8, opacity=0.55),
        Pass(0.030, (0.14, 0.28), "swirl", spacing=1.55),
        Pass(0.015, (0.05, 0.12), "form", spacing=1.1, finish=0.28, tolerance=26.0),
    ),
    grounds=("2e2620", "2a2a2e"),
    bare=0.15,
    jitter=(30.0, 8.0),
    bristle=30.0,
    relief=1.2,
    weave=0.2,
    saturation=1.1,
    contrast=1.1,
    warmth=0.0,
    key=0.0,
)

DABS = Hand(
    passes=(
        Pass(0.055, (0.06, 0.08), "form", shape="brush", spacing=0.8, opacity=0.4),
        Pass(0.032, (0.03, 0.034), "form", shape="round", spacing=0.92, sway=0.8),
        Pass(0.022, (0.021, 0.024), "form", shape="round", spacing=0.95, sway=0.8, finish=0.5),
    ),
    grounds=("f6eedc", "f0ece4"),
    bare=0.2,
    jitter=(16.0, 11.0),
    bristle=0.0,
    relief=0.5,
    weave=0.2,
    saturation=1.05,
    contrast=0.8,
    key=0.0,
)

WILLOW = Hand(
    passes=(
        Pass(0.055, (0.16, 0.3), "fixed", UPRIGHT, 0.03, spacing=0.75, opacity=0.5),
        Pass(0.026, (0.16, 0.4), "fixed", UPRIGHT, 0.04, spacing=1.9),
        Pass(0.014, (0.04, 0.12), "fixed", UPRIGHT, 0.05, spacing=0.9, finish=0.32, tolerance=22.0),
    ),
    grounds=("43525e", "4a5258"),
    bare=0.0,
    jitter=(24.0, 4.0),
    bristle=14.0,
    relief=0.5,
    weave=0.3,
    saturation=0.9,
    contrast=0.9,
    warmth=-5.0,
    key=0.0,
)

FACETS = Hand(
    passes=(
        Pass(0.085, (0.1, 0.15), "patch", RISING, 0.1, "flat", spacing=0.85),
        Pass(0.065, (0.075, 0.12), "patch", RISING, 0.12, "flat", spacing=1.0),
        Pass(
            0.024,
            (0.028, 0.05),
            "patch",
            RISING,
            0.15,
            "flat",
            spacing=0.8,
            finish=0.25,
            tolerance=24.0,
        ),
    ),
    grounds=("f4ecda", "eee6d8"),
    bare=0.34,
    jitter=(29.0, 7.0),
    bristle=4.0,
    relief=1.2,
    weave=0.2,
    contrast=1.0,
    key=-2.0,
)

HATCHING = Hand(
    passes=(
        Pass(0.06, (0.12, 0.2), "form", spacing=0.8, sway=0.3, tolerance=30.0, opacity=0.25),
        Pass(0.018, (0.14, 0.26), "fixed", FALLING, 0.04, spacing=2.3, tolerance=44.0),
        Pass(0.018, (0.14, 0.26), "fixed", RISING, 0.04, spacing=2.3, tolerance=44.0),
        Pass(0.012, (0.03, 0.08), "fixed", FALLING, 0.08, spacing=1.1, finish=0.25, tolerance=20.0),
    ),
    grounds=("9a4f2c", "94532f"),
    bare=0.0,
    jitter=(24.0, 7.0),
    bristle=0.0,
    relief=0.1,
    weave=0.7,
    contrast=0.85,
    warmth=0.0,
    key=6.0,
    saturation=1.0,
)

GLAZES = Hand(
    passes=(
        Pass(0.09, (0.2, 0.35), "form", spacing=0.7, opacity=1.0),
        Pass(0.04, (0.1, 0.25), "form", spacing=0.75, opacity=0.75),
        Pass(0.018, (0.04, 0.12), "form", spacing=0.9, finish=0.6, opacity=0.85, tolerance=26.0),
        Pass(0.009, (0.05, 0.12), "form", spacing=1.1, ink=0.45, opacity=0.55, tolerance=70.0),
    ),
    grounds=("7a5c38", "6e5a3c"),
    jitter=(3.0, 2.0),
    bristle=0.0,
    relief=0.0,
    weave=0.1,
    saturation=1.0,
    contrast=0.9,
    warmth=4.0,
    key=-3.0,
)
