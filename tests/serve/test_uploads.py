import io
import zlib

import numpy as np
import pytest
from PIL import Image

from atelier.serve.settings import Settings
from atelier.serve.uploads import RefusedError, as_image, read_upload, within

pytestmark = pytest.mark.once


def picture(size=(48, 40), seed=0):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (5, 6, 3), "uint8")
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def stored(image, folder, kind, **options):
    path = folder / "upload"  # without an ending: content decides
    image.save(path, format=kind, **options)
    return path


@pytest.mark.parametrize(
    ("kind", "near"), [("PNG", 0), ("BMP", 0), ("TIFF", 0), ("JPEG", 12), ("WEBP", 16)]
)
def test_kinds_of_files_are_read_whatever_their_names_say(tmp_path, kind, near):
    image = picture()

    found = read_upload(stored(image, tmp_path, kind))

    assert found.shape == (40, 48, 3)
    assert np.abs(np.int16(found) - np.int16(image)).mean() <= near


def test_heic_is_read(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()

    found = read_upload(stored(picture(), tmp_path, "HEIF", quality=95))

    assert np.abs(np.int16(found) - np.int16(picture())).mean() < 10


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    black, white = (Image.new("RGB", (40, 40), color) for color in ("black", "white"))

    found = read_upload(stored(black, tmp_path, "GIF", save_all=True, append_images=[white]))

    assert found.max() == 0


def test_exif_turns_a_picture_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees

    found = read_upload(stored(picture((60, 40)), tmp_path, "JPEG", exif=exif))

    assert found.shape == (60, 40, 3)


def test_cmyk_16_bits_and_transparency_become_rgb(tmp_path):
    deep = Image.fromarray(np.full((40, 40), 32768, "uint16"))
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))

    assert read_upload(stored(picture().convert("CMYK"), tmp_path, "TIFF")).shape == (40, 48, 3)
    assert np.unique(read_upload(stored(deep, tmp_path, "PNG"))).tolist() == [128]
    assert np.unique(read_upload(stored(clear, tmp_path, "PNG"))).tolist() == [255]


def bomb():
    """A PNG of a few bytes that claims 30,000 x 30,000 pixels."""
    header = b"IHDR" + (30_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    rows = b"IDAT" + zlib.compress(b"\0" * 100)
    chunks = [header, rows, b"IEND"]
    sized = [(len(c) - 4).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(sized)


def jpeg():
    stream = io.BytesIO()
    picture((400, 300)).save(stream, "JPEG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "problem", "said"),
    [
        (b"", "empty", "empty"),
        (b"<!doctype html><p>no</p>", "disguised", "a web page"),
        (b"PK\x03\x04" + bytes(60), "disguised", "a zip archive"),
        (bytes(range(256)), "disguised", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "unreadable", "cannot be read"),
        (jpeg()[:900], "truncated", "ends too early"),
        (bomb(), "decompression-bomb-sized", "50 million are the most"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(tmp_path, data, problem, said):
    path = tmp_path / "upload.jpg"
    path.write_bytes(data)

    with pytest.raises(RefusedError, match=said) as refused:
        read_upload(path)

    assert refused.value.problem == problem
    assert str(refused.value) == refused.value.sentence
    assert str(tmp_path) not in refused.value.sentence


def test_limits_of_bytes_and_pixels_are_told(tmp_path):
    path = stored(picture((200, 100)), tmp_path, "PNG")

    with pytest.raises(RefusedError, match="has 200 x 100 pixels"):
        read_upload(path, Settings(max_pixels=19_999))
    with pytest.raises(RefusedError, match="MB are the most"):
        read_upload(path, Settings(max_bytes=500))
    assert read_upload(path, Settings(max_pixels=20_000)).shape == (100, 200, 3)


def test_a_picture_too_narrow_is_refused(tmp_path):
    with pytest.raises(RefusedError, match="400 x 31 pixels"):
        read_upload(stored(picture((400, 31)), tmp_path, "PNG"))


def test_a_file_that_is_gone_is_refused(tmp_path):
    with pytest.raises(RefusedError, match="cannot be read"):
        read_upload(tmp_path / "gone")


def test_within_shrinks_the_longer_side_alone_where_it_is_too_long():
    wide = np.zeros((100, 400, 3), "uint8")

    assert within(wide, 200).shape == (50, 200, 3)
    assert within(wide, 400) is wide


def test_as_image_clips_and_rounds():
    pixels = np.array([[[-5.0, 127.6, 300.0]]])

    assert np.asarray(as_image(pixels)).tolist() == [[[0, 128, 255]]]
