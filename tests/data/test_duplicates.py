import tracemalloc

import cv2
import numpy as np
import pytest

from atelier.data import candidates, duplicates, thumbnails
from atelier.data.alignment import Match, compare, rescale, window_correlation
from atelier.data.candidates import VIEWS, View, find_candidates
from atelier.data.duplicates import (
    DuplicateConfig,
    is_same_composition,
    is_same_painting,
    leak_groups,
    near_pairs,
)
from atelier.data.thumbnails import RECORD, describe, thumbnail_store

pytestmark = pytest.mark.once


def painting(seed, height=180, width=220):
    """Blobs and strokes, different for each seed: (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    canvas = np.full((height, width, 3), rng.integers(40, 200, 3), "uint8")
    for _ in range(60):
        color = [int(value) for value in rng.integers(0, 255, 3)]
        center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (int(rng.integers(4, 30)), int(rng.integers(2, 15)))
        cv2.ellipse(canvas, center, axes, float(rng.uniform(0, 180)), 0, 360, color, -1)
    return canvas


def yellowed(pixels):
    return np.uint8(np.clip(pixels * [0.95, 0.85, 0.55] + [20, 15, 0], 0, 255))


def greyscale(pixels):
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def cut(pixels):
    """Without its left sixth, as scans of a double page are."""
    return np.ascontiguousarray(pixels[:, pixels.shape[1] // 6 :])


def framed(pixels):
    return cv2.copyMakeBorder(pixels, 14, 14, 18, 18, cv2.BORDER_CONSTANT, value=(90, 60, 20))


def jpeg(pixels):
    small = cv2.resize(pixels, (90, 90), interpolation=cv2.INTER_AREA)
    return cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1)


def faded(pixels):
    return np.uint8(np.round(100 + 0.45 * pixels))


REPRODUCTIONS = [yellowed, greyscale, cut, framed, jpeg, faded]


def records(pictures):
    return np.array([describe(picture) for picture in pictures], RECORD)


def rows(pairs):
    return [(pair.first, pair.second) for pair in pairs]


@pytest.mark.parametrize("reproduce", REPRODUCTIONS)
def test_another_reproduction_is_found(reproduce):
    originals = [painting(seed) for seed in range(8)]
    pairs = near_pairs(records([*originals, *map(reproduce, originals)]))
    assert rows(pairs) == [(seed, seed + 8) for seed in range(8)]
    assert not any(pair.mirrored for pair in pairs)


def test_a_mirror_image_is_found_and_marked():
    originals = [painting(seed) for seed in range(4)]
    pairs = near_pairs(records([*originals, *(yellowed(p[:, ::-1]) for p in originals)]))
    assert rows(pairs) == [(seed, seed + 4) for seed in range(4)]
    assert all(pair.mirrored for pair in pairs)


def test_different_paintings_are_not_pairs():
    assert near_pairs(records([painting(seed) for seed in range(60)])) == []


def test_the_same_frame_does_not_make_a_pair():
    assert near_pairs(records([framed(painting(seed)) for seed in range(30)])) == []


def test_plain_squares_and_horizons_are_not_judged():
    square = np.full((100, 100, 3), 235, "uint8")
    square[20:80, 20:80] = 15
    other = np.full((100, 100, 3), 225, "uint8")
    other[21:80, 20:79] = (180, 30, 40)
    sunset = np.uint8(np.linspace(250, 30, 100)[:, None, None] * np.ones((1, 100, 3)))
    dusk = np.uint8(np.linspace(200, 60, 100)[:, None, None] * np.ones((1, 100, 3)))
    blank = np.full((50, 50, 3), 128, "uint8")
    assert near_pairs(records([square, other, sunset, dusk, blank, blank])) == []


def test_the_same_print_in_other_colors_is_not_the_same():
    rng = np.random.default_rng(0)
    shape = np.uint8(cv2.GaussianBlur(rng.random((90, 90)), (0, 0), 4) > 0.5)
    cyan_and_red = np.uint8([[120, 220, 240], [150, 20, 20]])
    pink_and_blue = np.uint8([[240, 130, 190], [20, 60, 150]])
    inks = [cyan_and_red, pink_and_blue]
    assert near_pairs(records([ink[shape] for ink in inks])) == []
    assert near_pairs(records([ink[shape] for ink in inks]), DuplicateConfig(chroma=-1)) != []


def test_pairs_are_the_same_for_any_number_of_workers_and_any_block(monkeypatch):
    originals = [painting(seed) for seed in range(9)]
    kept = records([*originals, *map(cut, originals)])
    expected = near_pairs(kept, workers=1)
    assert near_pairs(kept, workers=4) == expected
    monkeypatch.setattr(candidates, "BLOCK", 5)
    assert rows(near_pairs(kept, workers=2)) == rows(expected)


def test_progress_reaches_its_total(monkeypatch):
    monkeypatch.setattr(candidates, "BLOCK", 2)
    seen = []
    near_pairs(
        records([painting(seed) for seed in range(5)]), progress=lambda *step: seen.append(step)
    )
    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_no_pictures_have_no_pairs():
    assert near_pairs(np.zeros(0, RECORD)) == []


def test_memory_does_not_grow_with_the_number_of_pictures(monkeypatch):
    monkeypatch.setattr(candidates, "BLOCK", 32)

    def peak(count):
        with thumbnail_store(count) as store:
            for row in range(count):
                store[row] = describe(painting(row, 60, 60))
            tracemalloc.start()
            for _ in find_candidates(store):
                pass
            highest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return highest

    peak(20)  # what is allocated once
    assert peak(200) < 1.2 * peak(100)


def test_every_view_starts_where_it_was_cut():
    """A part laid back by its own starting map agrees with the whole."""
    picture = describe(painting(3))
    for view in (*VIEWS, View(0, 0.2, 0.7, 0.8, mirrored=True)):
        part = np.ascontiguousarray(view.cut(picture["grey"][None])[0])
        whole = duplicates.mirror(picture) if view.mirrored else picture
        size = (thumbnails.SIDE, thumbnails.SIDE)
        start = cv2.warpAffine(
            np.float32(whole["grey"]),
            view.start(),
            size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        expected = cv2.resize(np.float32(part), size, interpolation=cv2.INTER_LINEAR)
        assert np.abs(start - expected).mean() < 1


def test_window_correlation_ignores_brightness_and_sees_inversion():
    rng = np.random.default_rng(0)
    grey = np.float32(cv2.GaussianBlur(rng.random((64, 64)) * 600, (0, 0), 1))
    everywhere = np.ones(grey.shape, bool)
    assert window_correlation(grey, 30 + 0.8 * grey, everywhere) > 0.99
    assert window_correlation(grey, 255 - grey, everywhere) < -0.99
    other = np.float32(cv2.GaussianBlur(rng.random((64, 64)) * 600, (0, 0), 1))
    assert abs(window_correlation(grey, other, everywhere)) < 0.2


def test_alignment_finds_the_map_between_two_thumbnails():
    picture = painting(5, 256, 256)
    part = np.ascontiguousarray(picture[20:240, 30:250])  # 220 of 256 pixels
    match = compare(describe(part), describe(picture), VIEWS[0].start())
    assert match.correlation > 0.95
    assert match.overlap > 0.95
    assert match.area == pytest.approx((220 / 256) ** 2, rel=0.02)


def test_a_map_is_the_same_for_smaller_thumbnails():
    """Pixel centres lie at halves: (p + 0.5) / 4 - 0.5 is pixel p in a thumbnail a quarter as large."""
    warp = np.float32([[0.9, 0.1, 3], [-0.2, 1.1, -2]])
    point = np.float32([10, 20])
    there = warp[:, :2] @ point + warp[:, 2]
    small = rescale(warp, 0.25)
    np.testing.assert_allclose(
        small[:, :2] @ ((point + 0.5) / 4 - 0.5) + small[:, 2], (there + 0.5) / 4 - 0.5, atol=1e-5
    )
    np.testing.assert_allclose(rescale(small, 4), warp, atol=1e-5)


GOOD = {
    "correlation": 0.76,
    "detail": 0.6,
    "evidence": 0.8,
    "overlap": 0.9,
    "area": 1.0,
    "chroma": 0.9,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("correlation", 0.59),
        ("detail", 0.53),  # 0.54 is asked where evidence is 0.8
        ("evidence", 0.44),
        ("overlap", 0.49),
        ("area", 0.39),
        ("area", 2.51),
        ("chroma", 0.39),
    ],
)
def test_each_measure_alone_can_refuse_a_pair(name, value):
    config = DuplicateConfig()
    assert is_same_painting(Match(**GOOD), config)
    assert is_same_painting(Match(**GOOD), config, mirrored=True)
    assert not is_same_painting(Match(**GOOD | {name: value}), config)
    assert not is_same_painting(Match(**GOOD | {"correlation": 0.74}), config, mirrored=True)


def test_a_version_needs_less_detail_but_not_none():
    config = DuplicateConfig()
    version = Match(**GOOD | {"detail": 0.4})
    assert is_same_composition(version, config)
    assert not is_same_painting(version, config)
    assert not is_same_composition(Match(**GOOD | {"detail": 0.29}), config)
    assert not is_same_composition(Match(**GOOD | {"evidence": 0.44}), config)


def test_horizons_and_squares_are_no_versions_either():
    rng = np.random.default_rng(0)
    slope = np.linspace(250, 30, 100)[:, None, None]
    skies = [np.uint8(slope * rng.uniform(0.5, 1, 3) * np.ones((1, 100, 1))) for _ in range(6)]
    squares = [np.full((100, 100, 3), shade, "uint8") for shade in (220, 235, 250)]
    for shade, square in enumerate(squares):
        square[20 + shade : 80, 21:80] = 60 * shade
    assert near_pairs(records([*skies, *squares]), versions=True) == []


def test_leak_groups_join_chains_and_leave_the_rest_alone():
    groups = leak_groups(7, [(5, 1), (1, 3), (4, 6)])
    np.testing.assert_array_equal(groups, [0, 1, 2, 1, 3, 1, 3])
    np.testing.assert_array_equal(leak_groups(3, []), [0, 1, 2])
    assert len(leak_groups(0, [])) == 0
