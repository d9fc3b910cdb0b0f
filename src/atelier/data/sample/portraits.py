"""Portraits: a head and shoulders before a wall, a curtain or a window."""

import numpy as np

from atelier.data.sample.faces import Sitter, features, hair_before, hair_behind, hat, head
from atelier.data.sample.fields import Field, Local, lit, noise, roundness, smooth
from atelier.data.sample.palettes import mix, rgb

_SKINS = ("f0c8a8", "e8b48c", "d49a72", "b97a52", "8c5638", "6a3f2a", "f4d3bc", "c98a62")
_HAIR = ("2a1d1a", "4a2f20", "7a4a28", "a8793f", "c9a25a", "8c8a88", "d8d4cc", "6b2a1c")
_STYLES = {"long": 0.35, "short": 0.35, "bun": 0.2, "bald": 0.1}


def portrait(size, palette, rng):
    """A sitter, more or less turned, bust length; returns a Field."""
    field = Field(size)
    _background(field, palette, rng)
    sitter = _sitter(field, palette, rng)
    hair_behind(sitter)
    _bust(sitter)
    head(sitter)
    features(sitter)
    hair_before(sitter)
    if rng.random() < 0.4:
        hat(sitter)
    return field


def _sitter(field, palette, rng):
    center = 0.5 + rng.normal(0, 0.06), rng.uniform(0.36, 0.46)
    local = Local(field, center, rng.uniform(0.14, 0.21))
    skin = mix(rgb(rng.choice(_SKINS)), palette["sun"], 0.08)
    if palette.mood == "night":
        skin = mix(skin, palette["sky_top"], 0.25)
    hair = rgb(rng.choice(_HAIR))
    style = rng.choice(list(_STYLES), p=list(_STYLES.values()))
    return Sitter(local, palette, rng, skin, hair, str(style), rng.uniform(-0.32, 0.32))


def _background(field, palette, rng):
    roles = ["second", "hill", "shadow", "far", "wall", "water", "earth", "accent"]
    back = mix(palette[rng.choice(roles)], palette["shadow"], rng.uniform(0.05, 0.4))
    fall = 0.9 - 0.55 * (field.x * 0.7 + field.y * 0.5) + 0.12 * noise(field.size, rng, 3)
    color = np.clip(back * (0.6 + 0.75 * np.clip(fall, 0, 1.2)[..., None]), 0, 255)
    field.lay(np.ones_like(field.x), color, np.pi / 2 + rng.uniform(-0.5, 0.5), 1.0)
    kind = rng.choice(["plain", "curtain", "window", "dado"])
    if kind == "curtain":
        _curtain(field, palette, rng)
    elif kind == "window":
        _window(field, palette, rng)
    elif kind == "dado":
        lower = np.clip((field.y - rng.uniform(0.5, 0.75)) * field.size, 0, 1)
        field.lay(lower, mix(back, palette[rng.choice(["roof", "earth", "wall"])], 0.55), 0.0, 1.0)


def _curtain(field, palette, rng):
    along = field.x if rng.random() < 0.5 else 1 - field.x
    sway = rng.uniform(0.22, 0.36) - along - 0.05 * np.sin(field.y * 4 + rng.uniform(0, 6))
    folds = 0.5 + 0.5 * np.sin(along * rng.uniform(45, 70) + 1.2 * np.sin(field.y * 3))
    cloth = palette[rng.choice(["accent", "roof", "second", "foliage"])]
    color = lit(cloth, mix(cloth, palette["shadow"], 0.75), folds)
    field.lay(np.clip(sway * field.size, 0, 1), color, np.pi / 2, 0.9)


def _window(field, palette, rng):
    left = rng.choice([0.04, 0.62])
    top, right, bottom = rng.uniform(0.06, 0.14), left + 0.34, rng.uniform(0.45, 0.6)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    height = np.clip((field.y - top) / 0.4, 0, 1)[..., None]
    view = mix(palette["sky_top"], palette["sky_low"], height)
    land = np.clip((field.y - bottom + 0.13 + 0.04 * np.sin(field.x * 14)) * field.size, 0, 1)
    field.lay(field.polygon(corners), mix(view, palette["hill"], land[..., None]), 0.0, 1.0)
    frame = field.curve([*corners, corners[0]], 0.022)
    middle = field.curve([((left + right) / 2, top), ((left + right) / 2, bottom)], 0.012)
    wood = mix(palette["wall"], palette["earth"], 0.3)
    field.lay(np.maximum(frame, middle), wood, np.pi / 2, 0.95)


def _bust(sitter):
    """Shoulders under cloth, the neck, and what is worn at it."""
    local, rng = sitter.local, sitter.rng
    drop, wide = 1.75 + rng.uniform(0.3, 0.6), rng.uniform(1.75, 2.3)
    cloth = sitter.role("accent", "second", "shadow", "roof", "wall", "foliage", "sky_top")
    right = [(0.45, 1.53), (wide * 0.75, drop), (wide, 3.95), (wide, 8.0)]
    outline = local.polygon(smooth(right + [(-x, y) for x, y in reversed(right)], 80))
    side = np.clip(0.62 - local.u / 3.2 + 0.12 * noise(local.field.size, rng, 7), 0, 1)
    bend = np.pi / 2 - 0.7 * np.clip(local.u / 2.5, -1, 1)
    local.lay(outline, lit(cloth, sitter.shaded(cloth, 0.7) * 0.85, side), bend, 0.3)
    under_chin = np.clip((local.v - 0.95) / 0.8 + 0.35, 0.2, 1)
    light = np.clip(0.5 - local.u / 1.8, 0, 1) * under_chin
    shadow = sitter.shaded(sitter.skin * 0.55, 0.3)
    neck = local.polygon([(-0.42, 0.6), (0.42, 0.6), (0.55, 1.75), (-0.55, 1.75)])
    local.lay(neck, lit(sitter.skin, shadow, light), np.pi / 2, 0.25)
    _NECKWEAR[rng.integers(len(_NECKWEAR))](sitter, local.moved(0.0, 1.75), cloth)


def _open_neck(sitter, local, cloth):
    mask, _, v = local.ellipse((0, -0.25), (0.72, 0.6))
    shadow = sitter.shaded(sitter.skin * 0.55, 0.3)
    color = lit(sitter.skin, shadow, np.clip(0.75 - v * 0.3, 0, 1))
    local.lay(mask * (local.v > -0.3), color, 0.3, 0.25)


def _collar(sitter, local, cloth):
    white = mix(sitter.palette["wall"], 255.0, 0.3)
    for sign, color in ((-1, white), (1, sitter.shaded(white, 0.3))):
        flap = [(0, 0.25), (sign * 0.62, -0.35), (sign * 0.85, 0.15), (sign * 0.35, 0.62)]
        local.lay(local.polygon(flap), color, 0.8 * sign, 0.24)


def _scarf(sitter, local, cloth):
    wool = sitter.role("accent", "sun", "second", "roof")
    mask, u, v = local.ellipse((0, -0.08), (0.78, 0.34))
    local.lay(mask, lit(wool, sitter.shaded(wool, 0.6), roundness(u, v)), 0.0, 0.24)


def _high_neck(sitter, local, cloth):
    mask, _, _ = local.ellipse((0, -0.2), (0.56, 0.3))
    local.lay(mask * (local.v > -0.3), sitter.shaded(cloth, 0.25), 0.0, 0.24)


_NECKWEAR = (_open_neck, _collar, _scarf, _high_neck)
