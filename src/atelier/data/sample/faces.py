"""Heads: skull, features, hair and hats, in the sitter's own coordinates.

The origin is the middle of the head, one unit is half its width, y runs down.
"""

from dataclasses import dataclass

import numpy as np

from atelier.data.sample.fields import Local, lit, roundness, smooth
from atelier.data.sample.palettes import Palette, mix, rgb

SKULL = [(0, -1.25), (0.62, -1.08), (0.92, -0.45), (0.88, 0.2), (0.68, 0.75), (0.3, 1.16)]
NOSE = [(-0.02, -0.1), (0.1, 0.1), (0.2, 0.42), (0, 0.47), (0.02, 0.2)]
CROWN = [(-0.85, -0.9), (-0.75, -1.6), (0, -1.85), (0.75, -1.6), (0.85, -0.9)]
LENGTHS = {"long": 1.9, "short": 0.25, "bun": 0.3}  # of hair; who is bald is not in it


@dataclass(frozen=True)
class Sitter:
    """Who sits: where on the canvas, in which light, with which looks."""

    local: Local
    palette: Palette
    rng: np.random.Generator
    skin: np.ndarray
    hair: np.ndarray
    style: str
    turn: float  # of the face, in units; the features move by it

    def role(self, *names):
        """The colour of one of these roles."""
        return self.palette[self.rng.choice(names)]

    def shaded(self, color, share):
        """The colour in this light's shadow."""
        return mix(color, self.palette["shadow"], share)


def hair_behind(sitter):
    """Hair that the head and shoulders cover."""
    if sitter.style not in LENGTHS:
        return
    local, end = sitter.local, LENGTHS[sitter.style]
    half = [(0, -1.5), (1.0, -1.05), (1.15, 0), (1.05, end), (0, end + 0.2)]
    u = local.u / 1.2
    color = lit(sitter.hair, sitter.shaded(sitter.hair, 0.5), np.clip(0.55 - u * 0.45, 0, 1))
    local.lay(local.polygon(smooth(_mirrored(half), 60)), color, np.pi / 2 - u * 0.4, 0.35)
    if sitter.style == "bun":
        local.ball(
            (0.1, -1.6), (0.5, 0.42), sitter.hair, sitter.shaded(sitter.hair, 0.5), 0.35, 0.2
        )


def head(sitter):
    """Skull, ears and cheeks."""
    local, skin = sitter.local, sitter.skin
    shadow = sitter.shaded(skin * 0.5, 0.35)
    for sign in (-1, 1):
        local.ball((sign * 0.93, 0.1), (0.14, 0.26), skin * 0.88, shadow, 0.22, 0.0)
    u, v = local.u / 1.02, local.v / 1.35
    light = np.clip(roundness(u, v) * 1.15, 0, 1)
    outline = local.polygon(smooth(_mirrored([*SKULL, (0, 1.24)]), 70))
    local.lay(outline, lit(skin, shadow, light, 0.12), np.arctan2(v, u) + np.pi / 2, 0.2)
    for sign in (-1, 1):
        blush, _, _ = local.ellipse((sign * 0.48, 0.36), (0.32, 0.26), 0.9)
        local.lay(blush * 0.22, mix(skin, rgb("c8402c"), 0.6))


def features(sitter):
    """Eyes, brows, nose, mouth, now and then a beard; all turned a little."""
    face = sitter.local.moved(sitter.turn, 0.0)
    dark = sitter.shaded(sitter.skin * 0.42, 0.4)
    iris = mix(sitter.role("shadow", "sky_top", "foliage", "earth"), 0.0, 0.35)
    for sign in (-1, 1):
        _eye(sitter, face.moved(sign * 0.38, -0.05), dark, iris)
    face.lay(face.polygon(smooth(NOSE, 30)) * 0.5, dark, np.pi / 2)
    ridge = face.curve([(-0.03, -0.05), (-0.05, 0.36)], 0.09)
    face.lay(ridge * 0.4, mix(sitter.skin, 255.0, 0.35), np.pi / 2)
    _mouth(sitter, face, dark)
    if sitter.rng.random() < 0.2:
        _beard(sitter, face)


def _eye(sitter, eye, dark, iris):
    eye.lay(eye.ellipse((0, -0.04), (0.27, 0.2), 0.9)[0] * 0.45, dark)
    eye.lay(eye.ellipse((0, 0), (0.17, 0.085))[0], mix(sitter.skin, 255.0, 0.55), 0.0)
    eye.lay(eye.ellipse((sitter.turn * 0.2, 0), (0.085, 0.09))[0], iris)
    eye.lay(eye.curve([(-0.19, -0.01), (0, -0.11), (0.19, -0.01)], 0.035), dark * 0.7)
    brow = eye.curve([(-0.24, -0.22), (0, -0.31), (0.24, -0.22)], 0.07)
    eye.lay(brow * 0.85, mix(sitter.hair, dark, 0.4), 0.0)


def _mouth(sitter, face, dark):
    lips = mix(sitter.skin, rgb("a8322e"), 0.55)
    smile = 0.7 - sitter.rng.uniform(-0.03, 0.05)
    face.lay(face.ellipse((0, 0.72), (0.27, 0.09))[0] * 0.9, lips, 0.0)
    line = face.curve([(-0.27, smile), (0, 0.715), (0.27, smile)], 0.03)
    face.lay(line, mix(lips, dark, 0.75), 0.0)


def _beard(sitter, face):
    mask, u, v = face.ellipse((0, 1.0), (0.72, 0.55))
    mouth, _, _ = face.ellipse((0, 0.7), (0.24, 0.12))
    color = lit(sitter.hair, sitter.shaded(sitter.hair, 0.5), roundness(u, v))
    face.lay(mask * (1 - mouth) * (face.v > 0.5), color, np.pi / 2 + u * 0.4, 0.2)


def hair_before(sitter):
    """Hair over the forehead, parted where the face turns to."""
    if sitter.style not in LENGTHS:
        return
    local, part = sitter.local, sitter.turn * 1.4
    fringe = (part, -sitter.rng.uniform(0.7, 0.95))
    left = [(-1.0, 0.1), (-1.02, -0.8), (0, -1.5)]
    right = [(1.02, -0.8), (1.0, 0.1), (0.82, -0.45), fringe, (-0.82, -0.45)]
    u, v = local.u / 1.1, (local.v + 0.3) / 1.3
    around = np.arctan2(v, u)
    gloss = np.clip(roundness(u, v) + 0.12 * np.sin(around * 40), 0, 1)
    color = lit(sitter.hair, sitter.shaded(sitter.hair, 0.55), gloss, 0.25)
    local.lay(local.polygon(smooth(left + right, 80)), color, around + np.pi / 2, 0.18)


def hat(sitter):
    """A felt hat with a band."""
    local = sitter.local
    felt = sitter.role("accent", "shadow", "second", "roof", "sun")
    dark = sitter.shaded(felt, 0.65)
    brim, u, _ = local.ellipse((0, -0.85), (sitter.rng.uniform(1.35, 1.75), 0.27))
    local.lay(brim, lit(felt, dark, np.clip(0.7 - u * 0.4, 0, 1)), 0.0, 0.17)
    crown = local.polygon(smooth(CROWN, 50))
    local.lay(crown, lit(felt, dark, np.clip(0.6 - local.u / 1.6, 0, 1)), np.pi / 2, 0.17)
    band = local.curve([(-0.84, -1.02), (0, -0.93), (0.84, -1.02)], 0.16)
    local.lay(band, mix(dark, sitter.palette["second"], 0.35), 0.0)


def _mirrored(half):
    """A closed outline from its right half, top to bottom; points on the axis stay single."""
    return half + [(-x, y) for x, y in reversed(half) if x]
