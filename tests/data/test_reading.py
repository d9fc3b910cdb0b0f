import io
import struct
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from atelier.data import reading
from atelier.data.reading import PictureError, read_rgb
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

RED = (200, 30, 10)


def gradient(height=40, width=60):
    """Smooth, and different in every corner."""
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = rows * 255 // height, columns * 255 // width
    return np.uint8(np.dstack([red, green, 255 - red // 2 - green // 2]))


def write(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def problem_of(path):
    with pytest.raises(PictureError) as caught:
        read_rgb(path)
    assert isinstance(caught.value, AtelierError)
    assert "\n" not in str(caught.value)
    return caught.value.problem


def test_lossless_pictures_come_back_as_they_were(tmp_path):
    for suffix in ("png", "bmp", "tif", "webp"):
        options = {"lossless": True} if suffix == "webp" else {}
        path = write(tmp_path / f"a.{suffix}", gradient(), **options)
        np.testing.assert_array_equal(read_rgb(path), gradient())


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / "a.tif"
    Image.new("RGB", (5, 4), "white").convert(mode).save(path)
    pixels = read_rgb(path)
    assert pixels.shape == (4, 5, 3)
    assert pixels.dtype == np.uint8
    assert pixels.min() == 255


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    deep = np.linspace(0, 65535, 60, dtype="uint16").reshape(6, 10)
    pixels = read_rgb(write(tmp_path / "a.png", deep))
    np.testing.assert_array_equal(pixels[..., 0], np.round(deep / 257).astype("uint8"))


def test_floats_are_scaled_by_their_range(tmp_path):
    values = np.linspace(0, 1, 60, dtype="float32").reshape(6, 10)
    pixels = read_rgb(write(tmp_path / "a.tif", values))
    np.testing.assert_array_equal(pixels[..., 1], np.round(values * 255).astype("uint8"))


def test_transparency_is_laid_on_white(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGBA", (4, 4), (*RED, 0)).save(path)
    assert (read_rgb(path) == 255).all()


def test_cmyk_jpeg_without_profile_keeps_its_color(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (32, 32), RED).convert("CMYK").save(path, quality=100)
    np.testing.assert_allclose(read_rgb(path)[16, 16], RED, atol=4)


def test_lab_is_converted(tmp_path):
    path = tmp_path / "a.tif"
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    red = Image.new("RGB", (8, 8), RED)
    ImageCms.profileToProfile(red, srgb, lab, outputMode="LAB").save(path)
    np.testing.assert_allclose(read_rgb(path)[4, 4], RED, atol=3)


@pytest.mark.parametrize("tag", range(1, 9))
def test_exif_rotation_is_undone(tmp_path, tag):
    upright = gradient()
    stored = {  # the definition of the tag: where row 0 and column 0 of what is stored lie
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright[::-1, ::-1].transpose(1, 0, 2),
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }[tag]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = tag
    path = write(tmp_path / "a.png", np.ascontiguousarray(stored), exif=exif)
    np.testing.assert_array_equal(read_rgb(path), upright)


def test_broken_exif_does_not_cost_the_picture(tmp_path):
    path = write(tmp_path / "a.jpg", gradient(), exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert read_rgb(path).shape == (40, 60, 3)


def test_first_frame_of_an_animation_is_taken(tmp_path):
    frames = [Image.new("RGB", (6, 6), color) for color in ("red", "blue")]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert read_rgb(path)[0, 0].tolist() == [255, 0, 0]


def test_enough_pixels_suffice_but_never_fewer(tmp_path):
    path = write(tmp_path / "a.jpg", gradient(400, 600))
    height, width, _ = read_rgb(path, at_least=(90, 90)).shape
    assert 90 <= height < 400
    assert 90 <= width < 600
    assert read_rgb(path).shape == (400, 600, 3)


def test_content_decides_not_the_name(tmp_path):
    png = write(tmp_path / "a.png", gradient())
    disguised = png.rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_rgb(disguised), gradient())


def test_missing_file_and_folder_are_unreadable(tmp_path):
    assert problem_of(tmp_path / "none.jpg") == "unreadable"
    assert problem_of(tmp_path) == "unreadable"


def test_empty_file_is_called_empty(tmp_path):
    path = tmp_path / "a.jpg"
    path.touch()
    assert problem_of(path) == "empty"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<!DOCTYPE html><html>404</html>", "a web page"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"not a picture", "text"),
        (bytes(range(256)), "no known image format"),
    ],
)
def test_what_is_no_picture_is_called_disguised_and_by_its_name(tmp_path, content, kind):
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    assert problem_of(path) == "disguised"
    with pytest.raises(PictureError, match=kind):
        read_rgb(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "gif", "bmp"])
def test_half_a_picture_is_no_picture(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), "uint8")
    path = write(tmp_path / f"a.{suffix}", noise)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert problem_of(path) in ("truncated", "unreadable")


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp"])
def test_a_cut_picture_is_called_truncated(tmp_path, suffix):
    path = write(tmp_path / f"a.{suffix}", gradient(200, 200))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    assert problem_of(path) == "truncated"
    with pytest.raises(PictureError):
        read_rgb(path, at_least=(50, 50))


def test_garbled_picture_is_unreadable(tmp_path):
    path = write(tmp_path / "a.png", gradient())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    assert problem_of(path) in ("unreadable", "truncated")


def test_broken_header_is_unreadable(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"\xff\xd8\xff\xe0" + bytes(40))
    assert problem_of(path) == "unreadable"


def huge_png(width, height):
    def chunk(kind, body):
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def test_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(huge_png(60_000, 60_000))
    assert problem_of(path) == "decompression-bomb-sized"


def test_the_limit_is_ours_and_large_pictures_below_it_pass_in_silence(tmp_path, monkeypatch):
    path = write(tmp_path / "a.png", gradient(40, 60))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # Pillow would warn
    assert read_rgb(path).shape == (40, 60, 3)
    monkeypatch.setattr(reading, "MAX_PIXELS", 2399)
    assert problem_of(path) == "decompression-bomb-sized"


def test_bytes_at_hand_are_not_read_again(tmp_path):
    data = io.BytesIO()
    Image.fromarray(gradient()).save(data, "PNG")
    with reading.open_picture("named.png", data.getvalue()) as image:
        np.testing.assert_array_equal(reading.to_rgb(image), gradient())
