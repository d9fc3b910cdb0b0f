"""Still lifes: fruit, bowls, bottles, jugs and flowers on a table before a wall."""

import numpy as np

from atelier.data.sample.fields import Field, lit, noise, roundness, smooth
from atelier.data.sample.palettes import mix, rgb

_FRUIT_CODES = ("b8322a", "d9702a", "e8b83a", "a8b04a", "7a2a3a", "d98a7a", "c9a23a", "8a3a52")
FRUIT = [rgb(code) for code in _FRUIT_CODES]


def still_life(size, palette, rng):
    """Things on a table, sorted from back to front; returns a Field."""
    field = Field(size)
    table = rng.uniform(0.46, 0.6)
    _wall(field, palette, rng, table)
    _table(field, palette, rng, table)
    if rng.random() < 0.6:
        _cloth(field, palette, rng, table)
    things = [_tall(rng) for _ in range(rng.integers(1, 4))]
    x = rng.uniform(0.2, 0.32)
    for thing in things:
        thing(field, palette, rng, (x, table + rng.uniform(0.08, 0.16)))
        x += rng.uniform(0.2, 0.3)
    if rng.random() < 0.65:
        _bowl(field, palette, rng, (rng.uniform(0.35, 0.7), table + rng.uniform(0.2, 0.27)))
    _scattered_fruit(field, palette, rng, table)
    return field


def _tall(rng):
    return (_bottle, _jug, _vase, _bottle)[rng.integers(4)]


def _wall(field, palette, rng, table):
    wall = palette[rng.choice(["wall", "far", "second", "hill", "water", "sky_low", "shadow"])]
    wall = mix(wall, palette["shadow"], rng.uniform(0.05, 0.45))
    light = np.clip(1.05 - 0.5 * field.x - 0.2 * field.y + 0.1 * noise(field.size, rng, 3), 0, 1.3)
    color = np.clip(wall * (0.55 + 0.6 * light[..., None]), 0, 255)
    field.lay(np.ones_like(field.x), color, rng.choice([0.5, np.pi / 2, -0.6]), 1.0)
    if rng.random() < 0.4:  # a drape hanging at one side
        edge = rng.uniform(0.2, 0.4)
        along = field.x if rng.random() < 0.5 else 1 - field.x
        cloth = palette[rng.choice(["accent", "roof", "foliage", "second"])]
        folds = 0.5 + 0.5 * np.sin(along * 50 + 2 * np.sin(field.y * 3))
        mask = np.clip((edge - along + 0.1 * (table - field.y)) * field.size, 0, 1)
        field.lay(mask, lit(cloth, mix(cloth, palette["shadow"], 0.7), folds), np.pi / 2, 0.95)


def _table(field, palette, rng, table):
    wood = mix(palette["earth"], palette[rng.choice(["roof", "wall", "shadow", "accent"])], 0.35)
    tilt = rng.uniform(-0.05, 0.05)
    line = (table + tilt * (np.linspace(-0.5, 0.5, field.size))).astype(np.float32)
    grain = 0.05 * np.sin(field.y * 90 + 3 * noise(field.size, rng, 3))
    light = np.clip(1.05 - 0.35 * field.x + grain, 0, 1.3)[..., None]
    field.lay(field.below(line), np.clip(wood * light, 0, 255), tilt, 0.6)
    front = field.below(np.full(field.size, rng.uniform(0.9, 0.96), np.float32))
    field.lay(front, mix(wood, palette["shadow"], 0.6), 0.0, 0.3)


def _cloth(field, palette, rng, table):
    linen = mix(palette[rng.choice(["wall", "sky_low", "accent", "wall"])], 255.0, 0.25)
    left = rng.uniform(-0.1, 0.35)
    right = left + rng.uniform(0.45, 0.7)
    outline = smooth(
        [
            (left, table + 0.12),
            (right - 0.1, table + 0.06),
            (right, table + 0.22),
            (right + 0.05, 0.86),
            (right - 0.12, 0.99),
            (left + 0.2, 0.93),
            (left - 0.05, 0.98),
        ],
        60,
    )
    folds = 0.6 + 0.45 * np.sin(
        (field.x * 0.8 - field.y * 0.5) * rng.uniform(22, 34) + 2.5 * noise(field.size, rng, 3)
    )
    dark = mix(linen * 0.6, palette["sky_top"], 0.35)
    field.lay(field.polygon(outline), lit(linen, dark, np.clip(folds, 0, 1)), 1.0, 0.5)


def _cast(field, at, width):
    shadow, _, _ = field.ellipse((at[0] + width * 0.9, at[1]), (width * 1.7, width * 0.38), 0.8)
    field.shade(shadow, 0.45)


def _turned(field, palette, at, profile, scale, color, gloss):
    """A turned vessel: `profile` is [(height, radius), ...] in units of scale, from the foot."""
    x, y = at
    heights = np.array([h for h, _ in profile]) * scale
    radii = np.array([r for _, r in profile]) * scale
    up = np.linspace(0, heights[-1], 40)
    width = np.interp(up, heights, radii)
    width = np.convolve(np.pad(width, 2, mode="edge"), np.ones(5) / 5, "valid")
    foot = np.linspace(0, np.pi, 12)
    base = np.stack([x + width[0] * np.cos(foot), y + width[0] * 0.28 * np.sin(foot)], 1)
    outline = np.concatenate(
        [np.stack([x - width, y - up], 1), np.stack([x + width, y - up], 1)[::-1], base]
    )
    _cast(field, (x, y + width[0] * 0.1), width[0])
    mask = field.polygon(outline)
    local = np.interp(y - field.y, up, width)
    u = np.clip((field.x - x) / np.maximum(local, 1e-3), -1, 1)
    light = roundness(u, np.zeros_like(u))
    glint = np.exp(-(((u + 0.45) / 0.12) ** 2)) * gloss
    body = lit(color, mix(color * 0.4, palette["shadow"], 0.45), light) + 150 * glint[..., None]
    field.lay(mask, np.clip(body, 0, 255), np.pi / 2 + u * 0.25, 0.4)
    rim, _, v = field.ellipse((x, y - heights[-1]), (width[-1], width[-1] * 0.28))
    field.lay(rim, mix(color * 0.45, palette["shadow"], 0.3) * (1 + 0.3 * v[..., None]), 0.0, 0.4)


def _bottle(field, palette, rng, at):
    neck = rng.uniform(0.1, 0.14)
    profile = [(0, 0.3), (1.1, 0.3), (1.35, 0.27), (1.55, neck), (2.1, neck), (2.15, neck * 1.25)]
    glass = mix(palette[rng.choice(["foliage", "shadow", "second", "roof"])], 0.0, 0.15)
    _turned(field, palette, at, profile, rng.uniform(0.17, 0.23), glass, 0.7)


def _jug(field, palette, rng, at):
    scale = rng.uniform(0.2, 0.28)
    profile = [(0, 0.34), (0.3, 0.5), (0.65, 0.52), (1.0, 0.3), (1.25, 0.27), (1.4, 0.36)]
    clay = palette[rng.choice(["wall", "roof", "sky_top", "accent", "earth", "second"])]
    x, y = at
    side = rng.choice([-1, 1])
    handle = [
        (x + side * 0.3 * scale, y - 1.2 * scale),
        (x + side * 0.72 * scale, y - 1.1 * scale),
        (x + side * 0.75 * scale, y - 0.7 * scale),
        (x + side * 0.48 * scale, y - 0.4 * scale),
    ]
    field.lay(field.curve(handle, 0.1 * scale), mix(clay, palette["shadow"], 0.45), np.pi / 2, 0.4)
    _turned(field, palette, at, profile, scale, clay, 0.4)


def _vase(field, palette, rng, at):
    scale = rng.uniform(0.16, 0.21)
    profile = [(0, 0.3), (0.4, 0.52), (0.8, 0.5), (1.15, 0.26), (1.3, 0.34)]
    x, y = at
    top = y - 1.3 * scale
    leaf = palette["foliage"]
    heads = rng.normal(0, 1, (rng.integers(9, 15), 2)) * [0.62 * scale, 0.42 * scale] + [
        x,
        top - 0.75 * scale,
    ]
    for head in heads:
        field.lay(field.curve([(x, top + 0.1), head], 0.02), leaf, np.pi / 2, 0.42)
        field.ball(
            head + rng.normal(0, 0.3 * scale, 2),
            (0.3 * scale, 0.13 * scale),
            leaf,
            mix(leaf, palette["shadow"], 0.6),
            0.41,
            0.0,
        )
    _turned(
        field,
        palette,
        at,
        profile,
        scale,
        palette[rng.choice(["second", "wall", "sky_top", "roof"])],
        0.4,
    )
    roles = rng.permutation(["accent", "sun", "second", "roof", "wall"])[:3]
    for head in heads:
        bloom = palette[roles[rng.integers(3)]]
        radius = rng.uniform(0.2, 0.32) * scale
        field.ball(
            head, (radius, radius * 0.9), bloom, mix(bloom, palette["shadow"], 0.45), 0.3, 0.0
        )
        field.ball(
            head,
            (radius * 0.35, radius * 0.32),
            mix(bloom, palette["earth"], 0.6),
            palette["shadow"],
            0.3,
            0.0,
        )


def _fruit(field, palette, rng, at, radius, color):
    x, y = at
    color = mix(color, palette["sun"], 0.12)
    dark = mix(color * 0.4, palette["shadow"], 0.35)
    _cast(field, (x, y + radius * 0.8), radius * 0.7)
    field.ball(at, (radius * rng.uniform(0.95, 1.1), radius), color, dark, 0.25, 0.7)
    if rng.random() < 0.5:
        stem = [(x, y - radius * 0.75), (x + radius * 0.15, y - radius * 1.15)]
        field.lay(field.curve(stem, radius * 0.12), palette["shadow"], np.pi / 2, 0.24)


def _bowl(field, palette, rng, at):
    x, y = at
    width = rng.uniform(0.16, 0.22)
    clay = palette[rng.choice(["wall", "sky_top", "second", "roof", "sky_low"])]
    dark = mix(clay * 0.5, palette["shadow"], 0.4)
    _cast(field, (x, y + width * 0.45), width * 0.6)
    inside, _, v = field.ellipse((x, y - width * 0.05), (width, width * 0.3))
    field.lay(inside, lit(dark, dark * 0.7, np.clip(0.5 + v * 0.5, 0, 1)), 0.0, 0.35)
    pick = rng.integers(len(FRUIT), size=2)
    for place in sorted(rng.uniform(-0.65, 0.65, rng.integers(4, 8)), key=abs, reverse=True):
        center = x + place * width, y - width * (0.42 - 0.3 * abs(place)) + rng.normal(0, 0.01)
        _fruit_in_bowl(
            field,
            palette,
            rng,
            center,
            width * rng.uniform(0.27, 0.34),
            FRUIT[pick[rng.integers(2)]],
        )
    mask, u, v = field.ellipse((x, y - width * 0.05), (width, width * 0.62))
    rim = (y - width * 0.05) + width * 0.3 * np.sqrt(np.clip(1 - u * u, 0, 1))
    front = mask * np.clip((field.y - rim) * field.size + 0.5, 0, 1)
    field.lay(front, lit(clay, dark, roundness(u, v * 0.7), 0.3), u * -0.6, 0.3)


def _fruit_in_bowl(field, palette, rng, at, radius, color):
    color = mix(color, palette["sun"], rng.uniform(0.05, 0.25))
    field.ball(at, (radius, radius), color, mix(color * 0.4, palette["shadow"], 0.35), 0.3, 0.7)


def _scattered_fruit(field, palette, rng, table):
    pick = rng.integers(len(FRUIT), size=3)
    center = rng.uniform(0.3, 0.7)
    for y in sorted(rng.uniform(table + 0.22, 0.88, rng.integers(2, 7))):
        at = np.clip(center + rng.normal(0, 0.2), 0.08, 0.92), y
        _fruit(
            field,
            palette,
            rng,
            at,
            rng.uniform(0.045, 0.068) * (0.7 + y * 0.4),
            FRUIT[pick[rng.integers(3)]],
        )
