"""A hand paints a scene: ground, passes from coarse to fine, relief, varnish."""

import cv2
import numpy as np

from atelier.data.sample.fields import noise
from atelier.data.sample.palettes import rgb
from atelier.data.sample.scenes import scene
from atelier.data.sample.strokes import flow_of, lay, seeds, trace

OVERSAMPLE = 2  # strokes are cut without antialiasing at twice the size, then averaged
_LOOK = 0.625  # a painter looks at the scene this coarsely; brushes are coarser
_MIDDLE = 126.0  # lightness that a painter's eye adapts to, in [0, 255]
_SPREAD = 30.0  # and its standard deviation


def paint_picture(hand, size, number, rng):
    """Picture `number` by a hand, (size, size, 3) uint8 RGB; the same rng gives the same picture."""
    field = scene(max(48, round(size * _LOOK)), number, rng)
    field.color = _see(hand, field.color, rng)
    paint = _ground(hand, size * OVERSAMPLE, rng)
    for layer in hand.passes:
        _apply(hand, layer, field, paint, size, rng)
    return _light(hand, paint, size, rng)


def _see(hand, color, rng):
    """The scene's colours as this painter sees them today: a habit, and a mood."""
    gray = color.mean(-1, keepdims=True)
    saturation = hand.saturation * rng.uniform(0.82, 1.2)
    contrast = hand.contrast * rng.uniform(0.92, 1.08)
    seen = gray + (color - gray) * saturation
    contrast *= (_SPREAD / max(gray.std(), 10)) ** 0.5  # eyes adapt: a night is not black,
    exposure = 0.9 * (_MIDDLE - gray.mean())  # nor noon all white
    seen = _MIDDLE + (seen + exposure - _MIDDLE) * contrast + hand.key + rng.normal(0, 6)
    tint = rng.normal(0, 9, 3)  # of the light, the same for all hands
    tint += (hand.warmth, 0.0, -hand.warmth) - tint.mean()
    return np.clip(seen + tint, 0, 255).astype(np.float32)


def _ground(hand, side, rng):
    """Primed canvas, (side, side, 4) uint8: RGB and thickness of paint, none yet."""
    color = rgb(rng.choice(hand.grounds)) + rng.normal(0, 8, 3).astype(np.float32)
    tone = color + 8 * noise(side // 4, rng, 5)[..., None]
    tone = cv2.resize(np.clip(tone, 0, 255).astype(np.uint8), (side, side))
    return np.ascontiguousarray(np.dstack([tone, np.full((side, side), 30, np.uint8)]))


def _apply(hand, layer, field, paint, size, rng):
    """Lay one pass on `paint` in place."""
    width = max(layer.width, 2.2 / size)
    smooth = cv2.GaussianBlur(field.color, (0, 0), max(width * field.size * 0.3, 0.4))
    everywhere = layer.finish >= 1 and not layer.ink
    error = None if everywhere else _error(layer, field, smooth, paint)
    points = seeds(layer, width, error, rng)
    if layer is not hand.passes[0] or hand.bare > 0.1:
        points = points[rng.random(len(points)) >= hand.bare]
    traces = trace(layer, points, flow_of(layer, field, smooth, rng), smooth, rng)
    count = len(traces.colors)
    calm = 0.6 if layer.finish < 1 else 1.0  # details are laid with care
    light, hue = hand.jitter[0] * calm, hand.jitter[1] * calm
    colors = traces.colors + rng.normal(0, light, (count, 1)) + rng.normal(0, hue, (count, 3))
    colors *= 1 - layer.ink
    if layer.opacity >= 1:
        lay(paint, traces, colors, width, layer.shape, hand.bristle, rng)
        return
    wet = paint.copy()
    lay(wet, traces, colors, width, layer.shape, hand.bristle, rng)
    if hand.relief == 0:  # a glaze is rubbed out, not brushed on
        wet = cv2.GaussianBlur(wet, (0, 0), max(width * size * OVERSAMPLE * 0.12, 0.6))
    cv2.addWeighted(wet, layer.opacity, paint, 1 - layer.opacity, 0, dst=paint)


def _error(layer, field, smooth, paint):
    """Where paint is wanted, (size, size) float32: the mistake so far, or contours for ink.

    Mistakes weigh more where there is something to see.
    """
    if layer.ink:
        gray = cv2.GaussianBlur(field.color.mean(-1), (0, 0), 1.0)
        return np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    half = paint.shape[0] // OVERSAMPLE
    small = cv2.resize(paint, (half, half), interpolation=cv2.INTER_AREA)
    small = cv2.resize(small, (field.size, field.size))[..., :3]
    mistake = cv2.blur(np.abs(small - smooth).sum(-1), (3, 3))
    gray = smooth.mean(-1)
    detail = np.hypot(cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1))
    return mistake * (8 + cv2.blur(detail, (5, 5)))


def _light(hand, paint, size, rng):
    """Raking light over relief and canvas, then down to size."""
    side = paint.shape[0]
    height = paint[..., 3].astype(np.float32)
    height = cv2.GaussianBlur(height, (0, 0), max(side / 500, 0.5)) * hand.relief
    line = np.arange(side, dtype=np.float32)
    thread = np.sin(line * (np.pi / 2.6))
    weave = thread[:, None] * thread[None, :] * 14 * hand.weave
    height += weave
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0) + cv2.Sobel(height, cv2.CV_32F, 0, 1)
    shine = 1 + np.clip(slope / 1400, -0.25, 0.25)
    lit = cv2.resize(paint[..., :3] * shine[..., None], (size, size), interpolation=cv2.INTER_AREA)
    return np.clip(lit, 0, 255).astype(np.uint8)
