"""The canvas before paint: a smooth field of colour, direction and depth.

Scenes are laid from back to front as soft-edged shapes. Coordinates are unit
ones, x to the right and y down, the picture being [0, 1] x [0, 1].
"""

import cv2
import numpy as np

LIGHT = np.array([-0.55, -0.6, 0.58], np.float32)  # from the upper left, towards the viewer


class Field:
    """What a painter looks at.

    Attributes:
        size: pixels of a side.
        x, y: (size, size) float32, unit coordinates of pixel centres.
        color: (size, size, 3) float32 RGB in [0, 255].
        angle: (size, size) float32, radians: the direction in which a form runs.
        depth: (size, size) float32, 0 near to 1 far.
    """

    def __init__(self, size):
        self.size = size
        line = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.x, self.y = np.meshgrid(line, line)
        self.color = np.zeros((size, size, 3), np.float32)
        self.angle = np.zeros((size, size), np.float32)
        self.depth = np.ones((size, size), np.float32)

    def lay(self, mask, color, angle=None, depth=None):
        """Cover what is there: `mask` in [0, 1], `color` (3,) or (size, size, 3)."""
        self.color += mask[..., None] * (color - self.color)
        inside = mask > 0.5
        if angle is not None:
            self.angle = np.where(inside, angle, self.angle).astype(np.float32)
        if depth is not None:
            self.depth = np.where(inside, depth, self.depth).astype(np.float32)

    def shade(self, mask, strength):
        """Darken by `strength` in [0, 1] under the mask; negative brightens."""
        self.color *= 1 - (mask * strength)[..., None]

    def polygon(self, points):
        """Antialiased mask of a polygon, points (k, 2) in unit coordinates."""
        mask = np.zeros((self.size, self.size), np.uint8)
        grid = np.round(np.asarray(points) * self.size * 16).astype(np.int32)
        cv2.fillPoly(mask, [grid], 255, cv2.LINE_AA, shift=4)
        return mask.astype(np.float32) / 255

    def curve(self, points, width):
        """Antialiased mask of a line through (k, 2) points, `width` in unit coordinates."""
        mask = np.zeros((self.size, self.size), np.uint8)
        grid = np.round(np.asarray(points) * self.size * 16).astype(np.int32)
        thickness = max(1, round(width * self.size))
        cv2.polylines(mask, [grid], False, 255, thickness, cv2.LINE_AA, shift=4)
        return mask.astype(np.float32) / 255

    def ellipse(self, center, radii, softness=0.0):
        """Mask, and the unit-disc coordinates (u, v), of an ellipse; softness is a share of it."""
        u = (self.x - center[0]) / radii[0]
        v = (self.y - center[1]) / radii[1]
        edge = max(softness, 1.5 / (self.size * min(radii)))
        mask = np.clip((1 - np.hypot(u, v)) / edge + 0.5, 0, 1)
        return mask, u, v

    def below(self, height):
        """Mask of what lies under a skyline, `height` (size,) its y in unit coordinates."""
        return np.clip((self.y - height[None, :]) * self.size + 0.5, 0, 1)

    def ball(self, center, radii, color, shadow, depth=0.2, gloss=0.5):
        """A lit round thing: a fruit, a head, a boulder."""
        mask, u, v = self.ellipse(center, radii)
        light = roundness(u, v)
        self.lay(mask, lit(color, shadow, light, gloss), np.arctan2(v, u) + np.pi / 2, depth)
        return mask


class Local:
    """A field seen in the coordinates of one thing: origin at `at`, one unit is `scale`.

    Attributes:
        u, v: (size, size) float32, every pixel in these coordinates.
    """

    def __init__(self, field, at, scale):
        self.field, self.at, self.scale = field, np.asarray(at, float), float(scale)
        self.u = (field.x - np.float32(at[0])) / np.float32(scale)
        self.v = (field.y - np.float32(at[1])) / np.float32(scale)

    def moved(self, u, v):
        """The same scale about another origin, given in these coordinates."""
        return Local(self.field, self.at + self.scale * np.array([u, v]), self.scale)

    def polygon(self, points):
        """As Field.polygon."""
        return self.field.polygon(np.asarray(points) * self.scale + self.at)

    def curve(self, points, width):
        """As Field.curve."""
        return self.field.curve(np.asarray(points) * self.scale + self.at, width * self.scale)

    def ellipse(self, center, radii, softness=0.0):
        """As Field.ellipse."""
        center = np.asarray(center) * self.scale + self.at
        return self.field.ellipse(center, (radii[0] * self.scale, radii[1] * self.scale), softness)

    def ball(self, center, radii, color, shadow, depth=0.2, gloss=0.5):
        """As Field.ball."""
        center = np.asarray(center) * self.scale + self.at
        radii = radii[0] * self.scale, radii[1] * self.scale
        return self.field.ball(center, radii, color, shadow, depth, gloss)

    def lay(self, mask, color, angle=None, depth=None):
        """As Field.lay."""
        self.field.lay(mask, color, angle, depth)


def roundness(u, v):
    """Lambert light in [0, 1] on a unit ball seen at disc coordinates (u, v)."""
    z = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
    return np.clip(u * LIGHT[0] + v * LIGHT[1] + z * LIGHT[2], 0, 1)


def lit(color, shadow, light, gloss=0.0):
    """Colour under `light` (h, w) in [0, 1]: shadow, local colour, then a highlight."""
    light = light[..., None]
    body = shadow + (color - shadow) * (0.25 + 0.95 * light)
    return np.clip(body + gloss * 255 * np.clip(light - 0.82, 0, 1), 0, 255)


def noise(size, rng, cells, octaves=3):
    """Smooth fractal noise, (size, size) float32, roughly in [-1, 1]."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        count = max(2, int(cells * 2**octave) + 2)
        grid = rng.uniform(-1, 1, (count, count)).astype(np.float32)
        total += cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC) * 0.55**octave
    return total


def skyline(size, rng, base, height, cells=3, octaves=4):
    """A ridge, (size,) float32: y in unit coordinates about `base`, rising by about `height`."""
    return base - height * noise(size, rng, cells, octaves)[size // 2]


def smooth(points, count=40):
    """A closed Catmull-Rom curve through (k, 2) points, as (count, 2)."""
    points = np.asarray(points, np.float32)
    place = np.linspace(0, len(points), count, endpoint=False)
    index, t = np.divmod(place, 1)
    index, t = index.astype(int), t[:, None]
    a, b, c, d = (points[(index + shift) % len(points)] for shift in (-1, 0, 1, 2))
    return b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
