"""Landscapes: sky, ridges, water, fields, trees, houses and a sun, laid from far to near."""

import numpy as np

from atelier.data.sample.fields import Field, Local, lit, noise, roundness, skyline
from atelier.data.sample.palettes import mix


def landscape(size, palette, rng):
    """A view of a valley, a shore, a river or a village; returns a Field."""
    field = Field(size)
    horizon = rng.uniform(0.34, 0.62)
    _sky(field, palette, rng, horizon)
    _ridges(field, palette, rng, horizon)
    kind = rng.choice(["valley", "shore", "river", "village", "grove"])
    _ground(field, palette, rng, horizon)
    if kind in ("shore", "river"):
        _water(field, palette, rng, horizon, kind)
    if kind in ("valley", "village", "grove"):
        _furrows(field, palette, rng, horizon)
    if kind == "village" or rng.random() < 0.4:
        _village(field, palette, rng, horizon, rng.integers(3, 7) if kind == "village" else 1)
    if kind in ("valley", "village"):
        _road(field, palette, rng, horizon)
    if kind == "shore":
        for _ in range(rng.integers(1, 4)):
            _boat(field, palette, rng, horizon)
    _trees(field, palette, rng, horizon, {"grove": 9, "valley": 5}.get(kind, 3))
    _flowers(field, palette, rng, horizon)
    return field


def _sky(field, palette, rng, horizon):
    height = np.clip(field.y / horizon, 0, 1)[..., None] ** rng.uniform(0.8, 1.6)
    color = mix(palette["sky_top"], palette["sky_low"], height)
    drift = rng.uniform(-0.35, 0.35)
    field.lay(np.ones_like(field.x), color, drift, 1.0)
    if rng.random() < 0.65:
        _sun(field, palette, rng, horizon)
    if rng.random() < 0.75:
        _clouds(field, palette, rng, horizon)


def _sun(field, palette, rng, horizon):
    center = rng.uniform(0.15, 0.85), rng.uniform(0.12, 0.85) * horizon
    radius = rng.uniform(0.035, 0.075)
    distance = np.hypot(field.x - center[0], field.y - center[1])
    glow = np.exp(-distance / rng.uniform(0.12, 0.25)) * 0.75
    field.lay(glow, palette["sun"])
    around = np.arctan2(field.y - center[1], field.x - center[0]) + np.pi / 2
    field.angle = np.where(distance < radius * 3.5, around, field.angle).astype(np.float32)
    disc, _, _ = field.ellipse(center, (radius, radius))
    field.lay(disc, mix(palette["sun"], 255.0, 0.3))


def _clouds(field, palette, rng, horizon):
    stretched = noise(field.size, rng, 4)
    rows = np.clip((field.y[:, 0] * field.size * 2.2).astype(int) % field.size, 0, field.size - 1)
    bank = stretched[rows]
    mask = np.clip((bank - rng.uniform(0.1, 0.4)) * 2.5, 0, 1) * np.clip(
        (horizon - field.y) * 8, 0, 1
    )
    under = np.clip(np.roll(bank, field.size // 40, axis=0) - bank, -0.4, 0.4)[..., None]
    color = mix(palette["sky_low"], 255.0, 0.45) - 130 * np.clip(-under, 0, 1) * 1.6
    field.lay(mask * 0.9, np.clip(color, 0, 255))


def _ridges(field, palette, rng, horizon):
    count = rng.integers(1, 4)
    steep = rng.uniform(0.04, 0.16)
    for index in range(count):
        near = (index + 1) / count
        top = skyline(field.size, rng, horizon - 0.07 * (1 - near) - 0.02, steep * (1.2 - near))
        slope = np.arctan(np.gradient(top) * field.size)
        color = mix(palette["far"], palette["hill"], near * 0.8)
        light = np.clip(0.55 - slope * 0.5, 0.1, 1)[None, :, None]
        haze = np.clip((field.y - top[None, :]) * 5, 0, 1)[..., None] * 0.35
        body = mix(color * (0.72 + 0.4 * light), palette["sky_low"], haze * (1 - near * 0.6))
        field.lay(field.below(top), np.clip(body, 0, 255), slope[None, :], 0.95 - 0.2 * near)


def _ground(field, palette, rng, horizon):
    top = skyline(field.size, rng, horizon + 0.03, 0.03, cells=2, octaves=2)
    near = np.clip((field.y - horizon) / (1 - horizon), 0, 1)[..., None]
    color = mix(palette["hill"], palette["grass"], np.clip(near * 1.6, 0, 1))
    color = mix(color, palette["earth"], np.clip(near - 0.35, 0, 1) * rng.uniform(0, 0.9))
    patches = noise(field.size, rng, 5)[..., None]
    field.lay(field.below(top), np.clip(color * (1 + 0.14 * patches), 0, 255), 0.0, 0.6)


def _furrows(field, palette, rng, horizon):
    """Fields that run to a vanishing point, and hedges across them."""
    vanish = rng.uniform(-0.2, 1.2)
    depth = np.maximum(field.y - horizon, 0.02)
    ray = (field.x - vanish) / depth
    inside = np.clip((field.y - horizon - 0.08) * 12, 0, 1)
    stripes = np.sin(ray * rng.uniform(5, 11)) * np.clip(depth * 3, 0, 1)
    crop = mix(palette["grass"], palette[rng.choice(["sun", "earth", "foliage"])], 0.4)
    field.lay(inside * np.clip(stripes, 0, 1) * 0.75, crop)
    along = np.arctan2(depth, field.x - vanish)
    field.angle = np.where(inside > 0.5, along, field.angle).astype(np.float32)
    for _ in range(rng.integers(1, 4)):
        base = horizon + rng.uniform(0.03, 0.2)
        line = skyline(field.size, rng, base, 0.012, cells=12)
        hedge = field.below(line) * (1 - field.below(line + rng.uniform(0.012, 0.03)))
        field.lay(hedge, mix(palette["foliage"], palette["hill"], 0.35), 0.0)


def _water(field, palette, rng, horizon, kind):
    if kind == "shore":
        top = np.full(field.size, horizon, np.float32)
        bank = skyline(field.size, rng, rng.uniform(0.8, 0.95), 0.07, cells=2, octaves=2)
        bank = bank + (np.linspace(-0.2, 0.2, field.size) * rng.choice([-1, 1])).astype(np.float32)
        mask = field.below(top) * (1 - field.below(bank))
    else:
        near = np.clip((field.y - horizon - 0.03) / (1 - horizon), 0, 1)
        swing = rng.uniform(0.1, 0.3) * rng.choice([-1, 1])
        center = rng.uniform(0.4, 0.6) + swing * np.sin(near * rng.uniform(3, 6)) * (1 - near * 0.4)
        width = 0.03 + rng.uniform(0.25, 0.45) * near**1.2
        mask = np.clip((width - np.abs(field.x - center)) * 60, 0, 1) * (near > 0.001)
    row = np.clip(2 * horizon - field.y, 0, 0.999)
    ripple = noise(field.size, rng, 10) * 0.02
    image = field.color[
        (row * field.size).astype(int),
        (np.clip(field.x + ripple, 0, 0.999) * field.size).astype(int),
    ]
    color = mix(image, palette["water"], 0.5)
    waves = np.sin(field.y * rng.uniform(90, 160) + noise(field.size, rng, 6) * 6)
    field.lay(mask, np.clip(color * (1 + 0.07 * waves[..., None]), 0, 255), 0.0, 0.5)


def _village(field, palette, rng, horizon, count):
    places = sorted(rng.uniform(horizon + 0.03, horizon + 0.16, count))
    center = rng.uniform(0.25, 0.75)
    for place in places:
        scale = (0.075 + (place - horizon) * 0.75) * rng.uniform(0.8, 1.2)
        foot = center + rng.normal(0, 0.17), place
        _house(Local(field, foot, scale), palette, rng)
    if count > 2 and rng.random() < 0.6:
        _tower(Local(field, (center, places[0] + 0.02), 0.09), palette)


def _house(local, palette, rng):
    """A gabled front in the light, a long side in shadow; one unit is about its height."""
    half, roof = rng.uniform(0.5, 0.8), 0.6 + rng.uniform(0.4, 0.6)
    corner = half * -0.28  # where front and side meet
    ridge = (corner - half) / 2
    plaster = mix(palette["wall"], palette[rng.choice(["sun", "accent", "earth"])], 0.15)
    front = [(-half, 0), (-half, -0.6), (ridge, -roof), (corner, -0.6), (corner, 0)]
    side = [(corner, 0), (corner, -0.6), (half, -0.6), (half, 0)]
    cover = [(corner, -0.6), (ridge, -roof), (half - (corner + half) / 2, -roof), (half, -0.6)]
    tiles = mix(palette["roof"], palette["shadow"], rng.uniform(0, 0.35))
    local.lay(local.polygon(front), plaster, np.pi / 2, 0.45)
    local.lay(local.polygon(side), mix(plaster, palette["shadow"], 0.4), np.pi / 2, 0.45)
    local.lay(local.polygon(cover), tiles, 0.0, 0.45)
    pane = palette["sun" if palette.mood in ("night", "dusk") else "shadow"]
    for share in (0.3, 0.7):
        x = corner + (half - corner) * share
        glass = [(x - 0.07, -0.42), (x + 0.07, -0.42), (x + 0.07, -0.21), (x - 0.07, -0.21)]
        local.lay(local.polygon(glass), pane)


def _tower(local, palette):
    body = [(-0.22, 0), (-0.22, -1.5), (0.22, -1.5), (0.22, 0)]
    spire = [(-0.27, -1.5), (0, -2.6), (0.27, -1.5)]
    stone = mix(palette["wall"], palette["shadow"], 0.15)
    local.lay(local.polygon(body), stone, np.pi / 2, 0.45)
    local.lay(local.polygon(spire), mix(palette["roof"], palette["shadow"], 0.3), np.pi / 2, 0.45)


def _road(field, palette, rng, horizon):
    near = np.clip((field.y - horizon - 0.06) / (0.94 - horizon), 0, 1)
    swing = rng.uniform(0.08, 0.25) * rng.choice([-1, 1])
    center = rng.uniform(0.3, 0.7) + swing * np.sin(near**0.7 * rng.uniform(3, 6)) * near
    mask = np.clip((0.008 + 0.11 * near**1.3 - np.abs(field.x - center)) * 70, 0, 1) * (
        near > 0.002
    )
    color = mix(palette["earth"], palette["wall"], 0.55)
    field.lay(mask, color, np.pi / 2 + swing * 2, 0.4)


def _boat(field, palette, rng, horizon):
    x, y = rng.uniform(0.15, 0.85), rng.uniform(horizon + 0.03, horizon + 0.2)
    local = Local(field, (x, y), 0.05 + (y - horizon) * 0.5)
    cloth = palette[rng.choice(["wall", "accent", "roof", "second"])]
    hull = [(-1, -0.2), (-0.7, 0.12), (0.7, 0.12), (1, -0.25)]
    sail = [(-0.1, -0.3), (0, -2.2), (0.85, -0.35)]
    jib = [(-0.2, -0.3), (-0.08, -1.9), (-0.8, -0.35)]
    field.shade(local.ellipse((0, 0.3), (1, 0.2), 0.8)[0], 0.35)
    local.lay(local.polygon(sail), cloth, np.pi / 2.3, 0.4)
    local.lay(local.polygon(jib), mix(cloth, palette["shadow"], 0.2), np.pi / 1.8, 0.4)
    local.lay(local.polygon(hull), mix(palette["shadow"], palette["roof"], 0.3), 0.0, 0.4)


def _trees(field, palette, rng, horizon, count):
    kind = rng.choice(["round", "poplar", "pine", "mixed"])
    clump = rng.uniform(0.05, 0.95, 2)
    for place in sorted(rng.beta(1, 1.6, rng.integers(max(1, count - 2), count + 3))):
        y = horizon + 0.05 + place * (0.9 - horizon)
        scale = 0.06 + (y - horizon) * 0.55
        x = np.clip(clump[rng.integers(2)] + rng.normal(0, 0.2), -0.05, 1.05)
        if scale > 0.18 and abs(x - 0.5) < 0.25:  # large ones frame the view
            x = x - 0.4 if x < 0.5 else x + 0.4
        shape = rng.choice(["round", "poplar", "pine"]) if kind == "mixed" else kind
        _tree(field, palette, rng, (x, y), scale, shape)


def _tree(field, palette, rng, foot, scale, shape):
    x, y = foot
    shadow, _, _ = field.ellipse((x + scale * 0.5, y), (scale * 0.8, scale * 0.13), 0.7)
    field.shade(shadow, 0.4)
    lean = rng.normal(0, 0.05) * scale
    trunk = [(x, y), (x + lean, y - scale * 0.5), (x + lean * 2, y - scale)]
    field.lay(
        field.curve(trunk, scale * 0.09),
        mix(palette["shadow"], palette["earth"], 0.4),
        np.pi / 2,
        0.3,
    )
    leaf = mix(
        palette["foliage"], palette[rng.choice(["grass", "accent", "hill"])], rng.uniform(0, 0.35)
    )
    dark = mix(leaf, palette["shadow"], 0.65)
    ragged = noise(field.size, rng, 14, 2) * 0.22
    if shape == "round":
        for _ in range(6):
            at = x + lean + rng.normal(0, 0.24) * scale, y - scale * rng.uniform(0.75, 1.35)
            _crown(field, leaf, dark, at, (scale * 0.36, scale * 0.32), ragged)
    elif shape == "poplar":
        _crown(field, leaf, dark, (x + lean, y - scale * 1.15), (scale * 0.2, scale * 1.0), ragged)
    else:
        for level in range(4):
            width = scale * (0.42 - 0.09 * level)
            base = y - scale * (0.25 + 0.38 * level)
            tip = [(x - width, base), (x, base - scale * 0.62), (x + width, base + 0.02 * scale)]
            mask = field.polygon(tip)
            side = np.clip(0.5 - (field.x - x) / width * 0.6, 0, 1)
            field.lay(mask, lit(leaf, dark, side), np.pi / 2 - (field.x - x) / width * 0.6, 0.3)


def _crown(field, leaf, dark, center, radii, ragged):
    mask, u, v = field.ellipse(center, radii)
    mask = np.clip((1 + ragged - np.hypot(u, v)) * field.size * min(radii) * 0.6 + 0.5, 0, 1)
    light = np.clip(roundness(u * 0.8, v * 0.8) + ragged, 0, 1)
    field.lay(mask, lit(leaf, dark, light), np.arctan2(v * radii[0], u * radii[1]) + np.pi / 2, 0.3)


def _flowers(field, palette, rng, horizon):
    """A foreground in bloom, scattered towards the viewer."""
    if rng.random() < 0.45:
        return
    spots = noise(field.size, rng, 38, 1)
    near = np.clip((field.y - max(horizon + 0.22, 0.68)) * 5, 0, 1)
    for role in rng.permutation(["accent", "second", "sun", "roof"])[:2]:
        spots = np.roll(spots, rng.integers(5, field.size - 5, 2), (0, 1))
        mask = np.clip((spots - 0.5) * 7, 0, 1) * near
        on_ground = np.where(field.depth > 0.55, 1.0, 0.0)
        field.lay(mask * on_ground * 0.9, palette[role], None, None)
