"""Fields, strokes and hands of the sample collection."""

import dataclasses

import cv2
import numpy as np
import pytest

from atelier.data.sample import PAINTERS, hands
from atelier.data.sample.fields import Field, skyline, smooth
from atelier.data.sample.painting import paint_picture
from atelier.data.sample.scenes import SUBJECTS, photograph, programme
from atelier.data.sample.strokes import Traces, flow_of, lay, outlines, seeds, trace

pytestmark = pytest.mark.once


def plain_field(color=(120.0, 130.0, 140.0), size=64):
    field = Field(size)
    field.color[:] = color
    return field


def painted(hand, seed, size=128):
    return paint_picture(hand, size, 0, np.random.default_rng(seed))


def orientation(picture):
    """Dominant direction of contours in radians, and its strength in [0, 1] (structure tensor)."""
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gx, gy = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
    a, b, c = (gx * gx).sum(), (gx * gy).sum(), (gy * gy).sum()
    return (0.5 * np.arctan2(2 * b, a - c) + np.pi / 2) % np.pi, np.hypot(a - c, 2 * b) / (a + c)


def test_a_mask_covers_the_area_of_its_shape():
    field = Field(200)
    disc, _, _ = field.ellipse((0.5, 0.5), (0.3, 0.2))
    assert disc.mean() == pytest.approx(np.pi * 0.3 * 0.2, rel=0.02)
    square = field.polygon([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)])
    assert square.mean() == pytest.approx(0.25, rel=0.03)


def test_laying_covers_only_under_the_mask():
    field = plain_field()
    mask, _, _ = field.ellipse((0.5, 0.5), (0.2, 0.2))
    field.lay(mask, np.float32([255, 0, 0]), angle=1.0, depth=0.25)
    assert field.color[32, 32].tolist() == [255, 0, 0]
    assert field.color[0, 0].tolist() == [120, 130, 140]
    assert field.angle[32, 32] == 1.0
    assert field.depth[0, 0] == 1.0


def test_a_smooth_outline_passes_through_its_points():
    points = np.float32([(0, 0), (1, 0), (1, 1), (0, 1)])
    assert np.allclose(smooth(points, 40)[::10], points, atol=1e-6)


def test_a_skyline_stays_about_its_base():
    line = skyline(128, np.random.default_rng(0), 0.5, 0.1)
    assert line.shape == (128,)
    assert 0.2 < line.min() < line.max() < 0.8


def test_every_painter_has_the_same_programme_of_subjects_and_moods():
    shown = [programme(number) for number in range(40)]
    assert {subject for subject, _ in shown} == set(SUBJECTS)
    assert len({mood for _, mood in shown}) == 8
    assert len(set(shown)) >= 16


def test_strokes_follow_a_fixed_direction():
    layer = hands.Pass(0.02, (0.1, 0.1), "fixed", tilt=np.pi / 2, sway=0.0)
    field, rng = plain_field(), np.random.default_rng(0)
    traces = trace(
        layer,
        seeds(layer, 0.02, None, rng),
        flow_of(layer, field, field.color, rng),
        field.color,
        rng,
    )
    reach = np.abs(traces.paths[:, -1] - traces.paths[:, 0])
    assert np.linalg.norm(reach, axis=1) == pytest.approx(0.1, abs=0.002)
    assert (reach[:, 1] > 5 * reach[:, 0]).all()


def test_strokes_end_where_the_color_changes():
    field, rng = plain_field(), np.random.default_rng(0)
    field.color[:, 32:] = 0
    layer = hands.Pass(0.02, (0.5, 0.5), "fixed", tilt=0.0, sway=0.0)
    starts = np.float32([[0.1, 0.5]] * 20)
    flow = np.tile(np.float32([1, 0]), (64, 64, 1))
    ends = trace(layer, starts, flow, field.color, rng).paths[:, -1, 0]
    assert ends.max() < 0.5 + 0.5 / 6 + 1e-3  # one step over the edge at most


def test_strokes_along_forms_run_along_an_edge():
    field, rng = plain_field(), np.random.default_rng(0)
    field.angle[:] = np.pi / 2
    field.color[32:] = 0  # a level edge
    flow = flow_of(
        hands.Pass(0.02, (0.1, 0.1), "form"), field, cv2.GaussianBlur(field.color, (0, 0), 2), rng
    )
    assert abs(flow[32, 32, 0]) > 0.98
    assert abs(flow[4, 32, 1]) > 0.98  # far from it, the form's own direction


def test_an_unknown_flow_is_refused():
    field = plain_field()
    with pytest.raises(ValueError, match="spiral"):
        flow_of(hands.Pass(0.1, (0.1, 0.1), "spiral"), field, field.color, np.random.default_rng(0))


def test_a_flat_stroke_is_as_wide_as_asked():
    path = np.stack([np.linspace(0.2, 0.8, 7), np.full(7, 0.5)], -1)[None].astype(np.float32)
    polygons, _ = outlines(path, np.float32([0.05]), "flat")
    assert np.ptp(polygons[0, :, 1]) == pytest.approx(0.1, abs=1e-4)
    assert np.ptp(polygons[0, :, 0]) == pytest.approx(0.6, abs=1e-4)


def test_laid_paint_has_the_color_of_its_stroke():
    paint = np.zeros((100, 100, 4), np.uint8)
    path = np.stack([np.linspace(0.2, 0.8, 7), np.full(7, 0.5)], -1)[None].astype(np.float32)
    color = np.float32([[200, 100, 50]])
    lay(paint, Traces(path, color), color, 0.1, "flat", 0.0, np.random.default_rng(0))
    assert paint[50, 50, :3].tolist() == [200, 100, 50]
    assert paint[10, 10].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("painter", PAINTERS, ids=lambda painter: painter.folder)
def test_a_hand_is_deterministic_and_shows_the_scene(painter):
    first, again = painted(painter.hand, 3, 64), painted(painter.hand, 3, 64)
    assert (first == again).all()
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8
    bare = dataclasses.replace(painter.hand, passes=())
    assert np.abs(first.astype(int) - painted(bare, 3, 64)).mean() > 10


def test_the_willow_hand_falls_and_a_level_one_does_not():
    angle, strength = orientation(painted(hands.WILLOW, 1))
    assert abs(angle - np.pi / 2) < 0.15
    assert strength > 0.3
    passes = tuple(dataclasses.replace(p, tilt=0.0) for p in hands.WILLOW.passes)
    level, _ = orientation(painted(dataclasses.replace(hands.WILLOW, passes=passes), 1))
    assert min(level, np.pi - level) < 0.15


def test_relief_and_bristles_roughen_the_surface():
    smooth_hand = dataclasses.replace(hands.EDDIES, bristle=0.0, relief=0.0, weave=0.0)

    def roughness(hand):
        picture = painted(hand, 2, 256).astype(np.float32)
        return (picture - cv2.GaussianBlur(picture, (0, 0), 1)).std()

    assert roughness(hands.EDDIES) > 1.15 * roughness(smooth_hand)


def test_photographs_are_smoother_than_paintings():
    def roughness(picture):
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return (gray - cv2.GaussianBlur(gray, (0, 0), 2)).std()

    photos = [
        roughness(photograph(96, number, np.random.default_rng(number))) for number in range(4)
    ]
    works = [roughness(painted(hands.EDDIES, number, 96)) for number in range(4)]
    assert max(photos) < min(works)
