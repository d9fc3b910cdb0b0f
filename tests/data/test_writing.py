"""Pictures written with a note are read back."""

import cv2
import numpy as np
import pytest

from atelier.data.reading import read_rgb
from atelier.data.writing import SUFFIXES, check_suffix, read_note, write_picture
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


@pytest.fixture
def pixels():
    ramp = np.linspace(0, 255, 24, dtype="float32")
    return np.stack(np.broadcast_arrays(ramp[:, None], ramp[None], 128.4), axis=-1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pixels_and_note_come_back(pixels, suffix, tmp_path):
    path = tmp_path / f"picture{suffix}"
    write_picture(path, pixels, note={"style": "Dürer", "steps": 3})
    assert read_note(path) == {"style": "Dürer", "steps": 3}
    assert np.abs(read_rgb(path) - pixels).mean() < 3  # JPEG and WebP lose some


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bits_hold_what_eight_round_away(pixels, suffix, tmp_path):
    path = tmp_path / f"deep{suffix}"
    write_picture(path, pixels, note={"bits": 16, "style": "Dürer"}, bits=16)
    deep = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert deep.dtype == np.uint16
    np.testing.assert_allclose(deep[..., ::-1] / 257, pixels, atol=0.002)
    assert read_note(path) == {"bits": 16, "style": "Dürer"}
    assert np.abs(read_rgb(path) - pixels).max() <= 1


def test_a_file_without_a_note_has_none(pixels, tmp_path):
    write_picture(tmp_path / "plain.png", np.uint8(pixels))
    assert read_note(tmp_path / "plain.png") is None


@pytest.mark.parametrize(
    ("name", "bits", "said"),
    [("a.gif", 8, r"ends in \.png"), ("a.jpg", 16, r"ends in \.png"), ("a.png", 12, "8 or 16")],
)
def test_what_cannot_be_written_is_refused_before(name, bits, said):
    with pytest.raises(AtelierError, match=said):
        check_suffix(name, bits)


def test_a_place_that_cannot_be_written_is_named(pixels, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(AtelierError, match=r"to write .*a\.png"):
        write_picture(tmp_path / "file" / "a.png", pixels)
