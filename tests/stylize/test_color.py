"""Colors kept, against closed forms."""

import cv2
import numpy as np
import pytest

from atelier.errors import AtelierError
from atelier.stylize.color import keep_colors, transport_colors


def picture(seed, mean, spread=12):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(3, 3))
    return np.clip(mean + spread * rng.normal(size=(40, 50, 3)) @ mixing, 0, 255).astype("float32")


def moments(pixels):
    flat = pixels.reshape(-1, 3)
    return flat.mean(axis=0), np.cov(flat, rowvar=False)


def test_transport_brings_mean_and_covariance_over():
    moved = transport_colors(picture(0, 120), picture(1, [110, 140, 130])[:30])
    (mean, covariance), (wanted, target) = moments(moved), moments(picture(1, [110, 140, 130])[:30])
    np.testing.assert_allclose(mean, wanted, atol=0.5)
    np.testing.assert_allclose(covariance, target, rtol=0.03, atol=6)


def test_transport_to_itself_changes_nothing():
    same = picture(0, 120)
    np.testing.assert_allclose(transport_colors(same, same), same, atol=0.05)


def test_luminance_keeps_the_colors_of_one_and_the_brightness_of_the_other():
    stylized, content = picture(0, 128, 6), picture(1, [120, 130, 140], 6)
    kept = keep_colors(stylized, content, "luminance")
    lab = [cv2.cvtColor(x / np.float32(255), cv2.COLOR_RGB2LAB) for x in (kept, stylized, content)]
    inside = (kept > 1).all(axis=-1) & (kept < 254).all(axis=-1)  # not clipped
    assert inside.mean() > 0.9
    np.testing.assert_allclose(lab[0][inside][:, 0], lab[1][inside][:, 0], atol=0.5)
    np.testing.assert_allclose(lab[0][inside][:, 1:], lab[2][inside][:, 1:], atol=1.0)


def test_a_picture_of_one_color_can_be_moved():
    moved = transport_colors(np.full((8, 8, 3), 7.0, "float32"), picture(1, 128))
    assert np.isfinite(moved).all()
    np.testing.assert_allclose(moved.mean(axis=(0, 1)), picture(1, 128).mean(axis=(0, 1)), atol=0.5)


def test_an_unknown_way_is_refused():
    with pytest.raises(AtelierError, match="luminance or transport"):
        keep_colors(picture(0, 9), picture(0, 9), "hue")
