"""Portraits: a head and shoulders before a wall, a curtain or a window."""

import numpy as np

from atelier.data.sample.fields import Field, lit, noise, roundness, smooth
from atelier.data.sample.palettes import mix, rgb

SKINS = [rgb(code) for code in ("f0c8a8 e8b48c d49a72 b97a52 8c5638 6a3f2a f4d3bc c98a62".split())]
HAIR = [rgb(code) for code in ("2a1d1a 4a2f20 7a4a28 a8793f c9a25a 8c8a88 d8d4cc 6b2a1c".split())]


def portrait(size, palette, rng):
    """A sitter, more or less turned, bust length; returns a Field."""
    field = Field(size)
    _background(field, palette, rng)
    scale = rng.uniform(0.15, 0.2)
    head = np.array([0.5 + rng.normal(0, 0.06), rng.uniform(0.36, 0.46)])
    turn = rng.uniform(-0.32, 0.32)
    skin, hair = SKINS[rng.integers(len(SKINS))], HAIR[rng.integers(len(HAIR))]
    skin = mix(skin, palette["sun"], 0.08)
    skin = mix(skin, palette["sky_top"], 0.25) if palette.mood == "night" else skin
    style = rng.choice(["long", "short", "bun", "bald"], p=[0.35, 0.35, 0.2, 0.1])
    _hair_behind(field, palette, head, scale, hair, style)
    _shoulders(field, palette, rng, head, scale, skin)
    _head(field, palette, head, scale, skin)
    _features(field, palette, rng, head, scale, skin, hair, turn)
    _hair_front(field, palette, rng, head, scale, hair, style, turn)
    if rng.random() < 0.4:
        _hat(field, palette, rng, head, scale)
    return field


def _background(field, palette, rng):
    back = palette[rng.choice(["second", "hill", "shadow", "far", "wall", "water", "earth", "accent"])]
    back = mix(back, palette["shadow"], rng.uniform(0.05, 0.4))
    light = np.clip(0.9 - 0.55 * (field.x * 0.7 + field.y * 0.5) + 0.12 * noise(field.size, rng, 3), 0, 1.2)
    angle = np.pi / 2 + rng.uniform(-0.5, 0.5)
    field.lay(np.ones_like(field.x), np.clip(back * (0.6 + 0.75 * light[..., None]), 0, 255), angle, 1.0)
    kind = rng.choice(["plain", "curtain", "window", "dado"])
    if kind == "curtain":
        _curtain(field, palette, rng)
    elif kind == "window":
        _window(field, palette, rng)
    elif kind == "dado":
        line = rng.uniform(0.5, 0.75)
        lower = np.clip((field.y - line) * field.size, 0, 1)
        field.lay(lower, mix(back, palette[rng.choice(["roof", "earth", "wall"])], 0.55), 0.0, 1.0)


def _curtain(field, palette, rng):
    left = rng.random() < 0.5
    edge = rng.uniform(0.22, 0.36)
    along = field.x if left else 1 - field.x
    sway = edge - along - 0.05 * np.sin(field.y * 4 + rng.uniform(0, 6))
    folds = 0.5 + 0.5 * np.sin(along * rng.uniform(45, 70) + 1.2 * np.sin(field.y * 3))
    cloth = palette[rng.choice(["accent", "roof", "second", "foliage"])]
    color = lit(cloth, mix(cloth, palette["shadow"], 0.75), folds)
    field.lay(np.clip(sway * field.size, 0, 1), color, np.pi / 2, 0.9)


def _window(field, palette, rng):
    left = rng.choice([0.04, 0.62])
    top, right, bottom = rng.uniform(0.06, 0.14), left + 0.34, rng.uniform(0.45, 0.6)
    frame = [(left, top), (right, top), (right, bottom), (left, bottom)]
    view = mix(palette["sky_top"], palette["sky_low"], np.clip((field.y - top) / 0.4, 0, 1)[..., None])
    land = np.clip((field.y - bottom + 0.13 + 0.04 * np.sin(field.x * 14)) * field.size, 0, 1)
    view = mix(view, palette["hill"], land[..., None])
    field.lay(field.polygon(frame), view, 0.0, 1.0)
    bars = field.curve([*frame, frame[0]], 0.022)
    middle = field.curve([((left + right) / 2, top), ((left + right) / 2, bottom)], 0.012)
    field.lay(np.maximum(bars, middle), mix(palette["wall"], palette["earth"], 0.3), np.pi / 2, 0.95)


def _shoulders(field, palette, rng, head, scale, skin):
    x, y = head
    low, drop, wide = y + scale * 1.75, rng.uniform(0.3, 0.6), rng.uniform(1.75, 2.3)
    cloth = palette[rng.choice(["accent", "second", "shadow", "roof", "wall", "foliage", "sky_top"])]
    dark = mix(cloth, palette["shadow"], 0.7) * 0.85
    neck = [(x - 0.42 * scale, y + 0.6 * scale), (x + 0.42 * scale, y + 0.6 * scale), (x + 0.55 * scale, low), (x - 0.55 * scale, low)]
    outline = smooth(
        [(x - 0.45 * scale, low - 0.22 * scale), (x + 0.45 * scale, low - 0.22 * scale), (x + wide * 0.75 * scale, low + drop * scale), (x + wide * scale, low + 2.2 * scale), (x + wide * scale, 1.4), (x - wide * scale, 1.4), (x - wide * scale, low + 2.2 * scale), (x - wide * 0.75 * scale, low + drop * scale)], 80
    )
    side = np.clip(0.62 - (field.x - x) / (scale * 3.2) + 0.12 * noise(field.size, rng, 7), 0, 1)
    bend = np.pi / 2 + np.clip((field.x - x) / (scale * 2.5), -1, 1) * -0.7
    field.lay(field.polygon(outline), lit(cloth, dark, side), bend, 0.3)
    neck_light = np.clip(0.5 - (field.x - x) / (scale * 0.9) * 0.5, 0, 1) * np.clip((field.y - y - scale * 0.95) / (scale * 0.8) + 0.35, 0.2, 1)
    shadow = mix(skin * 0.55, palette["shadow"], 0.3)
    field.lay(field.polygon(neck), lit(skin, shadow, neck_light), np.pi / 2, 0.25)
    _neckline(field, palette, rng, (x, low), scale, skin, shadow, cloth)


def _neckline(field, palette, rng, at, scale, skin, shadow, cloth):
    x, low = at
    kind = rng.choice(["open", "collar", "scarf", "high"])
    if kind == "open":
        mask, _, v = field.ellipse((x, low - 0.25 * scale), (0.72 * scale, 0.6 * scale))
        mask = mask * (field.y > low - 0.3 * scale)
        field.lay(mask, lit(skin, shadow, np.clip(0.75 - v * 0.3, 0, 1)), 0.3, 0.25)
    elif kind == "collar":
        white = mix(palette["wall"], 255.0, 0.3)
        for sign in (-1, 1):
            flap = [(x, low + 0.25 * scale), (x + sign * 0.62 * scale, low - 0.35 * scale), (x + sign * 0.85 * scale, low + 0.15 * scale), (x + sign * 0.35 * scale, low + 0.62 * scale)]
            field.lay(field.polygon(flap), white if sign < 0 else mix(white, palette["shadow"], 0.3), 0.8 * sign, 0.24)
    elif kind == "scarf":
        scarf = palette[rng.choice(["accent", "sun", "second", "roof"])]
        mask, u, v = field.ellipse((x, low - 0.08 * scale), (0.78 * scale, 0.34 * scale))
        field.lay(mask, lit(scarf, mix(scarf, palette["shadow"], 0.6), roundness(u, v)), 0.0, 0.24)
    else:
        mask, _, _ = field.ellipse((x, low - 0.2 * scale), (0.56 * scale, 0.3 * scale))
        field.lay(mask * (field.y > low - 0.3 * scale), mix(cloth, palette["shadow"], 0.25), 0.0, 0.24)


def _head(field, palette, head, scale, skin):
    x, y = head
    shape = [(0, -1.25), (0.62, -1.08), (0.92, -0.45), (0.88, 0.2), (0.68, 0.75), (0.3, 1.16), (0, 1.24), (-0.3, 1.16), (-0.68, 0.75), (-0.88, 0.2), (-0.92, -0.45), (-0.62, -1.08)]
    outline = smooth(np.array(shape) * [scale, scale] + head, 70)
    u, v = (field.x - x) / (scale * 1.02), (field.y - y) / (scale * 1.35)
    shadow = mix(skin * 0.5, palette["shadow"], 0.35)
    for sign in (-1, 1):
        field.ball((x + sign * 0.93 * scale, y + 0.1 * scale), (0.14 * scale, 0.26 * scale), skin * 0.88, shadow, 0.22, 0.0)
    light = np.clip(roundness(u, v) * 1.15, 0, 1)
    field.lay(field.polygon(outline), lit(skin, shadow, light, 0.12), np.arctan2(v, u) + np.pi / 2, 0.2)
    for sign in (-1, 1):  # warm cheeks
        blush, _, _ = field.ellipse((x + sign * 0.48 * scale, y + 0.36 * scale), (0.32 * scale, 0.26 * scale), 0.9)
        field.lay(blush * 0.22, mix(skin, rgb("c8402c"), 0.6))


def _features(field, palette, rng, head, scale, skin, hair, turn):
    x, y = head[0] + turn * scale, head[1]
    dark = mix(skin * 0.42, palette["shadow"], 0.4)
    white = mix(skin, 255.0, 0.55)
    iris = mix(palette[rng.choice(["shadow", "sky_top", "foliage", "earth"])], 0.0, 0.35)
    for sign in (-1, 1):
        eye = x + sign * 0.38 * scale, y - 0.05 * scale
        socket, _, _ = field.ellipse((eye[0], eye[1] - 0.04 * scale), (0.27 * scale, 0.2 * scale), 0.9)
        field.lay(socket * 0.45, dark)
        field.lay(field.ellipse(eye, (0.17 * scale, 0.085 * scale))[0], white, 0.0)
        field.lay(field.ellipse((eye[0] + turn * 0.2 * scale, eye[1]), (0.085 * scale, 0.09 * scale))[0], iris)
        lid = [(eye[0] - 0.19 * scale, eye[1] - 0.01 * scale), (eye[0], eye[1] - 0.11 * scale), (eye[0] + 0.19 * scale, eye[1] - 0.01 * scale)]
        field.lay(field.curve(lid, 0.035 * scale), dark * 0.7)
        brow = [(eye[0] - 0.24 * scale, eye[1] - 0.22 * scale), (eye[0], eye[1] - 0.31 * scale), (eye[0] + 0.24 * scale, eye[1] - 0.22 * scale)]
        field.lay(field.curve(brow, 0.07 * scale) * 0.85, mix(hair, dark, 0.4), 0.0)
    bridge = smooth([(x - 0.02 * scale, y - 0.1 * scale), (x + 0.1 * scale, y + 0.1 * scale), (x + 0.2 * scale, y + 0.42 * scale), (x, y + 0.47 * scale), (x + 0.02 * scale, y + 0.2 * scale)], 30)
    field.lay(field.polygon(bridge) * 0.5, dark, np.pi / 2)
    ridge = field.curve([(x - 0.03 * scale, y - 0.05 * scale), (x - 0.05 * scale, y + 0.36 * scale)], 0.09 * scale)
    field.lay(ridge * 0.4, mix(skin, 255.0, 0.35), np.pi / 2)
    lips = mix(skin, rgb("a8322e"), 0.55)
    smile = rng.uniform(-0.03, 0.05) * scale
    field.lay(field.ellipse((x, y + 0.72 * scale), (0.27 * scale, 0.09 * scale))[0] * 0.9, lips, 0.0)
    line = [(x - 0.27 * scale, y + 0.7 * scale - smile), (x, y + 0.715 * scale), (x + 0.27 * scale, y + 0.7 * scale - smile)]
    field.lay(field.curve(line, 0.03 * scale), mix(lips, dark, 0.75), 0.0)
    if rng.random() < 0.2:
        _beard(field, palette, (x, y), scale, hair)


def _beard(field, palette, at, scale, hair):
    x, y = at
    mask, u, v = field.ellipse((x, y + 1.0 * scale), (0.72 * scale, 0.55 * scale))
    mouth, _, _ = field.ellipse((x, y + 0.7 * scale), (0.24 * scale, 0.12 * scale))
    field.lay(mask * (1 - mouth) * (field.y > y + 0.5 * scale), lit(hair, mix(hair, palette["shadow"], 0.5), roundness(u, v)), np.pi / 2 + u * 0.4, 0.2)


def _hair_behind(field, palette, head, scale, hair, style):
    if style == "bald":
        return
    x, y = head
    length = {"long": 1.9, "short": 0.25, "bun": 0.3}[style]
    outline = smooth([(x, y - 1.5 * scale), (x + 1.0 * scale, y - 1.05 * scale), (x + 1.15 * scale, y), (x + 1.05 * scale, y + length * scale), (x, y + (length + 0.2) * scale), (x - 1.05 * scale, y + length * scale), (x - 1.15 * scale, y), (x - 1.0 * scale, y - 1.05 * scale)], 60)
    u = (field.x - x) / (1.2 * scale)
    light = np.clip(0.55 - u * 0.45, 0, 1)
    field.lay(field.polygon(outline), lit(hair, mix(hair, palette["shadow"], 0.5), light), np.pi / 2 + u * -0.4, 0.35)
    if style == "bun":
        field.ball((x + 0.1 * scale, y - 1.6 * scale), (0.5 * scale, 0.42 * scale), hair, mix(hair, palette["shadow"], 0.5), 0.35, 0.2)


def _hair_front(field, palette, rng, head, scale, hair, style, turn):
    if style == "bald":
        return
    x, y = head
    part = x + turn * 1.4 * scale
    cap = smooth([(x - 1.0 * scale, y + 0.1 * scale), (x - 1.02 * scale, y - 0.8 * scale), (x, y - 1.5 * scale), (x + 1.02 * scale, y - 0.8 * scale), (x + 1.0 * scale, y + 0.1 * scale), (x + 0.82 * scale, y - 0.45 * scale), (part, y - rng.uniform(0.7, 0.95) * scale), (x - 0.82 * scale, y - 0.45 * scale)], 80)
    u, v = (field.x - x) / (1.1 * scale), (field.y - y + 0.3 * scale) / (1.3 * scale)
    gloss = np.clip(roundness(u, v) + 0.12 * np.sin(np.arctan2(v, u) * 40), 0, 1)
    field.lay(field.polygon(cap), lit(hair, mix(hair, palette["shadow"], 0.55), gloss, 0.25), np.arctan2(v, u) + np.pi / 2, 0.18)


def _hat(field, palette, rng, head, scale):
    x, y = head
    felt = palette[rng.choice(["accent", "shadow", "second", "roof", "sun"])]
    dark = mix(felt, palette["shadow"], 0.65)
    brim, u, v = field.ellipse((x, y - 0.85 * scale), (rng.uniform(1.35, 1.75) * scale, 0.27 * scale))
    crown = smooth([(x - 0.85 * scale, y - 0.9 * scale), (x - 0.75 * scale, y - 1.6 * scale), (x, y - 1.85 * scale), (x + 0.75 * scale, y - 1.6 * scale), (x + 0.85 * scale, y - 0.9 * scale)], 50)
    side = np.clip(0.6 - (field.x - x) / (scale * 1.6), 0, 1)
    field.lay(brim, lit(felt, dark, np.clip(0.7 - u * 0.4, 0, 1)), 0.0, 0.17)
    field.lay(field.polygon(crown), lit(felt, dark, side), np.pi / 2, 0.17)
    band = field.curve([(x - 0.84 * scale, y - 1.02 * scale), (x, y - 0.93 * scale), (x + 0.84 * scale, y - 1.02 * scale)], 0.16 * scale)
    field.lay(band, mix(dark, palette["second"], 0.35), 0.0)
