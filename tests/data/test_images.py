import json
import logging
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
from PIL import Image

from atelier import paths, storage
from atelier.data import pixels as pixel_maps
from atelier.data.images import decode, fit_picture
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

SIZE = (12, 16)


def smooth_picture(seed, height=24, width=32):
    corners = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), dtype=np.uint8)
    return np.array(Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def collection(tmp_path):
    folder = tmp_path / "collection"
    (folder / "Degas").mkdir(parents=True)
    for number in range(5):
        Image.fromarray(smooth_picture(number)).save(folder / f"Degas/Degas_{number}.png")
    return folder


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def kept_files(folder):
    kept = (paths.workspace(folder) / "pixels").iterdir()
    return sorted(path.name for path in kept if path.suffix != ".lock")


def count_reads(monkeypatch):
    from atelier.data import images

    read, seen = images.read_rgb, []

    def counted(path, **options):
        seen.append(path.name)
        return read(path, **options)

    monkeypatch.setattr(images, "read_rgb", counted)
    return seen


def test_decoded_pictures_are_the_files_pictures_in_their_rows(collection):
    asked = names(collection)
    images = decode(collection, reversed(asked), image_size=SIZE)
    assert images.pixels.shape == (5, *SIZE, 3)
    assert images.pixels.dtype == np.uint8
    assert isinstance(images.pixels, np.memmap)
    for number, row in enumerate(images.rows(asked)):
        assert images.paths[row] == asked[number]
        assert np.array_equal(images.pixels[row], fit_picture(smooth_picture(number), SIZE))


def test_a_second_call_reads_no_picture(collection, monkeypatch):
    first = decode(collection, names(collection), image_size=SIZE)
    seen = count_reads(monkeypatch)
    second = decode(collection, names(collection), image_size=SIZE)
    assert seen == []
    assert np.array_equal(first.pixels, second.pixels)


def test_fewer_pictures_open_the_same_map_and_more_read_only_the_new_ones(collection, monkeypatch):
    asked = names(collection)
    seen = count_reads(monkeypatch)
    decode(collection, asked[:3], image_size=SIZE)
    images = decode(collection, asked[1:], image_size=SIZE)
    assert sorted(seen) == [f"Degas_{number}.png" for number in range(5)]
    decode(collection, asked[:1], image_size=SIZE)
    assert len(seen) == 5
    assert len(kept_files(collection)) == 2
    for number, row in enumerate(images.rows(asked)):
        assert np.array_equal(images.pixels[row], fit_picture(smooth_picture(number), SIZE))


def test_only_a_changed_file_is_read_again(collection, monkeypatch):
    decode(collection, names(collection), image_size=SIZE)
    seen = count_reads(monkeypatch)
    changed = collection / "Degas/Degas_2.png"
    Image.fromarray(smooth_picture(77)).save(changed)
    os.utime(changed, ns=(0, 5))
    images = decode(collection, names(collection), image_size=SIZE)
    assert seen == ["Degas_2.png"]
    row = images.rows(["Degas/Degas_2.png"])[0]
    assert np.array_equal(images.pixels[row], fit_picture(smooth_picture(77), SIZE))


def test_a_file_that_is_gone_leaves_the_map_when_it_is_next_written(collection):
    asked = names(collection)
    decode(collection, asked[:4], image_size=SIZE)
    (collection / asked[0]).unlink()
    images = decode(collection, asked[1:], image_size=SIZE)
    assert asked[0] not in images.paths
    assert len(images.paths) == len(images.pixels) == 4


def test_a_file_that_is_gone_and_asked_for_is_named(collection):
    asked = names(collection)
    decode(collection, asked, image_size=SIZE)
    (collection / asked[0]).unlink()
    images = decode(collection, asked, image_size=SIZE)
    assert list(images.skipped) == [asked[0]]
    with pytest.raises(AtelierError, match="Degas_0"):
        images.rows(asked[:1])
    assert list(decode(collection, asked, image_size=SIZE).skipped) == [asked[0]]


def test_an_unreadable_picture_is_left_out_named_and_counted(collection, caplog, monkeypatch):
    (collection / "Degas/Degas_1.png").write_text("this is no picture")
    with caplog.at_level(logging.WARNING):
        images = decode(collection, names(collection), image_size=SIZE)
    assert list(images.skipped) == ["Degas/Degas_1.png"]
    assert len(images.pixels) == len(images.paths) == 4
    assert "Degas/Degas_1.png" in caplog.text
    assert "1 of 5 pictures" in caplog.text
    seen = count_reads(monkeypatch)
    assert decode(collection, names(collection), image_size=SIZE).skipped == images.skipped
    assert seen == []
    Image.fromarray(smooth_picture(1)).save(collection / "Degas/Degas_1.png")
    assert decode(collection, names(collection), image_size=SIZE).skipped == {}
    assert seen == ["Degas_1.png"]


def test_no_readable_picture_is_an_error(collection):
    for path in collection.rglob("*.png"):
        path.write_bytes(b"")
    for _ in range(2):
        with pytest.raises(AtelierError, match="none; Degas/Degas_0"):
            decode(collection, names(collection), image_size=SIZE)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"directory": "nowhere"}, "no such folder"),
        ({"paths": []}, "Found none"),
        ({"fit": "stretch"}, "squash, crop, pad"),
        ({"image_size": (0, 5)}, "1 or more"),
    ],
)
def test_wrong_settings_are_named(collection, change, expected):
    settings = {"directory": collection, "paths": names(collection), "image_size": SIZE} | change
    with pytest.raises(AtelierError, match=expected):
        decode(**settings)


def cut_pixels(folder):
    path = next(folder.glob("*.npy"))
    path.write_bytes(path.read_bytes()[:-1])


def lose_pixels(folder):
    next(folder.glob("*.npy")).unlink()


def garble_header(folder):
    path = next(folder.glob("*.npy"))
    path.write_bytes(b"\0" * 40 + path.read_bytes()[40:])


def garble_index(folder):
    next(folder.glob("*.json")).write_bytes(b'{"files": \xff')


def change_index(**values):
    def change(folder):
        path = next(folder.glob("*.json"))
        path.write_text(json.dumps(storage.read_json(path) | values))

    return change


@pytest.mark.parametrize(
    "spoil",
    [
        cut_pixels,
        lose_pixels,
        garble_header,
        garble_index,
        change_index(files=["Degas/Degas_0.png"]),
        change_index(version=0),
        change_index(files={}),
    ],
)
def test_a_broken_map_is_noticed_and_built_anew(collection, spoil, caplog):
    before = decode(collection, names(collection), image_size=SIZE)
    good = np.array(before.pixels)
    spoil(paths.workspace(collection) / "pixels")
    with caplog.at_level(logging.WARNING):
        images = decode(collection, names(collection), image_size=SIZE)
    assert "broken" in caplog.text
    assert np.array_equal(images.pixels[images.rows(before.paths)], good)
    assert len(kept_files(collection)) == 2


def test_a_map_that_cannot_be_written_is_an_error(collection):
    workspace = paths.workspace(collection)
    workspace.mkdir(parents=True)
    (workspace / "pixels").write_text("a file where the folder should be")
    with pytest.raises(AtelierError, match="Free some space there or make it writable"):
        decode(collection, names(collection), image_size=SIZE)


def test_a_full_disk_leaves_the_old_map_and_nothing_half(collection, monkeypatch):
    asked = names(collection)
    decode(collection, asked[:2], image_size=SIZE)
    before = kept_files(collection)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pixel_maps.PixelStore, "_write", full)
        with pytest.raises(AtelierError, match="No space left"):
            decode(collection, asked, image_size=SIZE)
    assert kept_files(collection) == before
    assert len(decode(collection, asked, image_size=SIZE).paths) == 5


def test_an_interrupted_decode_leaves_nothing_half(collection):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decode(collection, names(collection), image_size=SIZE, progress=interrupt)
    assert kept_files(collection) == []


def decode_and_hang(folder, asked, reached):
    def hang(done, total):
        if done == 3:
            reached.set()
            time.sleep(60)

    decode(folder, asked, image_size=SIZE, progress=hang)


def test_what_a_killed_decode_left_is_swept_away(collection):
    context = multiprocessing.get_context("spawn")
    reached = context.Event()
    process = context.Process(target=decode_and_hang, args=(collection, names(collection), reached))
    process.start()
    assert reached.wait(60)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert any(name.startswith(".tmp-") for name in kept_files(collection))
    assert len(decode(collection, names(collection), image_size=SIZE).paths) == 5
    assert [name.rpartition(".")[2] for name in kept_files(collection)] == ["npy", "json"]


def test_progress_ends_with_everything_done(collection):
    calls = []
    decode(collection, names(collection), image_size=SIZE, progress=lambda *c: calls.append(c))
    assert calls == [(done, 5) for done in range(1, 6)]


def test_each_size_and_fit_has_a_map_of_its_own(collection):
    asked = names(collection)
    squash = decode(collection, asked, image_size=(8, 8))
    crop = decode(collection, asked, image_size=(8, 8), fit="crop")
    wide = decode(collection, asked, image_size=(8, 18))
    eighteen = decode(collection, asked, image_size=(18, 8))
    assert not np.array_equal(squash.pixels, crop.pixels)
    assert wide.pixels.shape[1:3] == (8, 18)
    assert eighteen.pixels.shape[1:3] == (18, 8)
    assert len(list((paths.workspace(collection) / "pixels").glob("*.npy"))) == 4


def test_the_map_is_a_plain_npy_file(collection):
    images = decode(collection, names(collection), image_size=SIZE)
    path = next((paths.workspace(collection) / "pixels").glob("*.npy"))
    assert np.array_equal(np.load(path), images.pixels)


def test_the_collection_itself_is_not_written_to(collection):
    before = sorted(collection.rglob("*"))
    decode(collection, names(collection), image_size=SIZE)
    assert sorted(collection.rglob("*")) == before


def test_crop_keeps_the_middle_and_pad_keeps_all():
    image = np.zeros((40, 80, 3), np.uint8)
    image[:, 20:60] = 200
    inside = fit_picture(image, (20, 20), "crop")[:, 2:-2]  # the filter sees a little beyond
    assert (inside == 200).all()
    padded = fit_picture(np.full((40, 80, 3), 200, np.uint8), (20, 20), "pad")
    assert (padded[5:15] == 200).all()
    assert (padded[:5] == 0).all()
    assert (padded[15:] == 0).all()
    tall = fit_picture(np.full((90, 30, 3), 7, np.uint8), (30, 30), "pad")
    assert (tall[:, 10:20] == 7).all()
    assert (tall[:, :10] == 0).all()


@pytest.mark.parametrize("fit", ["squash", "crop", "pad"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (17, 31), (8, 8)])
def test_every_shape_fits_in_every_way(shape, fit):
    image = np.full((*shape, 3), 90, np.uint8)
    result = fit_picture(image, (8, 8), fit)
    assert result.shape == (8, 8, 3)
    assert (result == 90).any()


def test_shrinking_does_not_alias():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    small = fit_picture(stripes, (20, 20)).astype(float)
    assert np.abs(small - 127.5).max() < 12


def test_shrinking_by_a_whole_factor_is_close_to_the_mean_of_each_block():
    image = smooth_picture(3, 64, 64)
    blocks = image.reshape(16, 4, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(fit_picture(image, (16, 16)) - blocks).max() < 4
