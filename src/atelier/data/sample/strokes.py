"""Strokes: traced over a field, cut to an outline, laid with a streaky brush.

Sources: Haeberli 1990, "Paint by numbers" (ordered strokes that sample colour
and direction from a picture); Hertzmann 1998, "Painterly rendering with curved
brush strokes of multiple sizes" (layers from coarse to fine, each correcting
what the last got wrong; curved strokes that end where the colour changes).
Differs: all strokes of a layer are traced together, directions may come from the
hand rather than from the picture, and a stroke carries its thickness of paint.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from atelier.data.sample.fields import noise

POINTS = 7  # along a stroke
_SHIFT = 4  # fractional bits of OpenCV's coordinates


@dataclass
class Traces:
    """The strokes of one layer, all the same number of points.

    Attributes:
        paths: (n, POINTS, 2) float32 unit coordinates (x, y).
        colors: (n, 3) float32 RGB in [0, 255].
    """

    paths: np.ndarray
    colors: np.ndarray


def flow_of(layer, field, smooth, rng):
    """Unit vectors (size, size, 2) that the strokes of a layer follow; signs are arbitrary."""
    if layer.flow == "fixed":
        angle = np.full_like(field.angle, layer.tilt + rng.normal(0, 0.05))
    elif layer.flow == "swirl":
        angle = _eddies(field, rng)
    elif layer.flow == "patch":
        angle = _patches(field, layer.tilt, rng)
    elif layer.flow == "form":
        angle = _along_forms(field, smooth)
    else:
        known = "'form', 'swirl', 'patch' or 'fixed'"
        raise ValueError(f"Expected flow {known}. Received: {layer.flow!r}.")
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)


def _along_forms(field, smooth):
    """Angle of contours where there are any, of the depicted form elsewhere (structure tensor)."""
    gray = smooth @ np.array([0.3, 0.59, 0.11], np.float32)
    gx, gy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    blur = max(field.size / 50, 1)
    across = cv2.GaussianBlur(np.dstack([gx * gx - gy * gy, 2 * gx * gy]), (0, 0), blur)
    strength = field.size * 4.0
    own = cv2.GaussianBlur(
        np.dstack([np.cos(2 * field.angle), np.sin(2 * field.angle)]), (0, 0), blur
    )
    double = own * strength - across  # contours run at right angles to the gradient
    return 0.5 * np.arctan2(double[..., 1], double[..., 0])


def _eddies(field, rng):
    """Angle of a stream that follows forms and turns about a few centres."""
    wind = np.pi * 0.55 * noise(field.size, rng, 2.2, 2)
    double = 2 * (field.angle * 0.5 + wind)
    x, y = np.cos(double) * 0.5, np.sin(double) * 0.5
    for _ in range(5):
        cx, cy = rng.uniform(0, 1, 2)
        dx, dy = field.x - cx, field.y - cy
        pull = np.exp(-np.hypot(dx, dy) / rng.uniform(0.09, 0.2)) * 2.2
        around = 2 * (np.arctan2(dy, dx) + np.pi / 2 + 0.3)
        x, y = x + pull * np.cos(around), y + pull * np.sin(around)
    near = cv2.GaussianBlur((field.depth < 0.45).astype(np.float32), (0, 0), field.size / 60)
    x, y = x + near * 1.6 * np.cos(2 * field.angle), y + near * 1.6 * np.sin(2 * field.angle)
    return 0.5 * np.arctan2(y, x)


def _patches(field, tilt, rng):
    """Angle that is constant over facets: the nearest of some scattered centres decides."""
    centers = rng.uniform(-0.05, 1.05, (26, 2)).astype(np.float32)
    angles = tilt + rng.choice([-0.75, 0.0, 0.0, 0.75, 1.57], len(centers))
    line = (np.arange(48, dtype=np.float32) + 0.5) / 48
    across = np.square(line[None, :, None] - centers[:, 0])
    down = np.square(line[:, None, None] - centers[:, 1])
    facets = angles[(across + down).argmin(-1)].astype(np.float32)
    return cv2.resize(facets, field.angle.shape[::-1], interpolation=cv2.INTER_NEAREST)


def seeds(layer, width, error, rng):
    """Jittered grid of starting points, (n, 2), in random order, kept where `error` is large; None for all."""
    count = max(3, int(1 / (layer.spacing * width)))
    grid = np.stack(np.meshgrid(np.arange(count), np.arange(count)), -1).reshape(-1, 2)
    points = ((grid + rng.uniform(-0.1, 1.1, grid.shape)) / count).astype(np.float32)
    rng.shuffle(points)
    if error is None:
        return points
    wanted = sample(error, points)
    share = layer.finish if not layer.ink else 0.11
    return points[wanted > np.quantile(wanted, 1 - share)]


def sample(array, points):
    """Nearest values of (h, w, ...) at (n, 2) unit points."""
    height, width = array.shape[:2]
    column = np.clip((points[:, 0] * width).astype(int), 0, width - 1)
    row = np.clip((points[:, 1] * height).astype(int), 0, height - 1)
    return array[row, column]


def trace(layer, starts, flow, smooth, rng):
    """Follow the flow from each start until the length is reached or the colour changes."""
    count = len(starts)
    colors = sample(smooth, starts)
    length = rng.uniform(*layer.length, count).astype(np.float32)
    turn = rng.normal(0, layer.sway, count).astype(np.float32)
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    heading = np.zeros((count, 2), np.float32)
    going = np.ones((count, 1), np.float32)
    step = (length / (POINTS - 1))[:, None]
    paths = np.empty((count, POINTS, 2), np.float32)
    paths[:, 0] = starts
    for index in range(1, POINTS):
        way = sample(flow, paths[:, index - 1])
        way = way * cos + np.stack([-way[:, 1], way[:, 0]], 1) * sin
        if index == 1:
            heading = way * rng.choice(np.float32([-1, 1]), (count, 1))
        else:
            way *= np.where((way * heading).sum(1, keepdims=True) < 0, -1, 1)
            heading = 0.7 * way + 0.3 * heading
        paths[:, index] = paths[:, index - 1] + heading * step * going
        if layer.shape != "round":
            gap = np.abs(sample(smooth, paths[:, index]) - colors).max(1, keepdims=True)
            going *= gap < layer.tolerance
    if layer.shape == "round":  # a dab sits on its seed
        paths -= (paths[:, -1:] - paths[:, :1]) * 0.5
    return Traces(paths, colors)


_ALONG = np.linspace(0, 1, POINTS)
PROFILES = {
    "flat": np.where((_ALONG == 0) | (_ALONG == 1), 0.9, 1.0),
    "brush": np.interp(_ALONG, [0, 0.08, 0.3, 0.8, 1], [0.35, 0.8, 1.0, 0.8, 0.15]),
    "round": np.sqrt(np.clip(1 - (2 * _ALONG - 1) ** 2, 0.02, 1)),
}


def outlines(paths, half_widths, shape):
    """Polygons (n, 2 POINTS, 2) around paths, and the normals (n, POINTS, 2) that made them."""
    tangent = np.gradient(paths, axis=1)
    tangent += 1e-6
    tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
    normal = np.stack([-tangent[..., 1], tangent[..., 0]], -1)
    reach = normal * (half_widths[:, None, None] * PROFILES[shape][None, :, None])
    return np.concatenate([paths + reach, (paths - reach)[:, ::-1]], axis=1), reach


def lay(paint, traces, colors, width, shape, bristle, rng):
    """Lay strokes in order on `paint`, (side, side, 4) uint8: RGB and thickness.

    Args:
        paint: changed in place.
        traces: their paths.
        colors: (n, 3) RGB of each stroke.
        width: of a stroke, in unit coordinates.
        shape: a key of PROFILES.
        bristle: strength of streaks in RGB steps; 0 for a clean stroke.
        rng: numpy Generator.
    """
    count, side = len(traces.paths), paint.shape[0]
    half = width * 0.5 * rng.uniform(0.75, 1.2, count).astype(np.float32)
    polygons, reach = outlines(traces.paths, half, shape)
    scale = side * (1 << _SHIFT)
    polygons = np.round(polygons * scale).astype(np.int32)
    thickness = rng.uniform(90, 150, (count, 1))
    tones = np.clip(np.hstack([colors, thickness]), 0, 255).tolist()
    hairs = 0 if bristle <= 0 or width * side < 5 else (3 if width * side < 16 else 5)
    offsets = np.linspace(-0.72, 0.72, max(hairs, 1))
    lines = np.round((traces.paths[:, None] + reach[:, None] * offsets[:, None, None]) * scale)
    lines = lines.astype(np.int32)
    streak = rng.normal(0, 1, (count, max(hairs, 1), 1))
    streaks = np.concatenate(
        [colors[:, None] + streak * bristle, thickness[:, None] + streak * 45], -1
    )
    streaks = np.clip(streaks, 0, 255).tolist()
    line_width = max(1, round(width * side / 9))
    for index in range(count):
        cv2.fillPoly(paint, polygons[index : index + 1], tones[index], cv2.LINE_8, _SHIFT)
        for hair in range(hairs):
            path = lines[index, hair : hair + 1]
            cv2.polylines(paint, path, False, streaks[index][hair], line_width, cv2.LINE_8, _SHIFT)
