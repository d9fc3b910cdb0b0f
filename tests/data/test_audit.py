import hashlib
import os
import time
import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from atelier.data import audit as auditing
from atelier.data import candidates
from atelier.data.audit import audit_collection, pairs_path, write_audit
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def scene(seed, height=90, width=120):
    """Different for each seed: (height, width, 3) uint8."""
    rng = np.random.default_rng(seed)
    canvas = np.full((height, width, 3), rng.integers(40, 200, 3), "uint8")
    for _ in range(50):
        color = [int(value) for value in rng.integers(0, 255, 3)]
        center = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (int(rng.integers(3, 18)), int(rng.integers(2, 9)))
        cv2.ellipse(canvas, center, axes, float(rng.uniform(0, 180)), 0, 360, color, -1)
    return canvas


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)
    return path


@pytest.fixture
def odd_collection(tmp_path):
    """A folder with one of everything that can be wrong."""
    folder = tmp_path / "odd" / "Somebody"
    sound = save(folder / "sound.jpg", scene(0))
    (folder / "empty.jpg").touch()
    (folder / "page.jpg").write_bytes(b"<html>404</html>")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    whole = save(folder / "cut.jpg", scene(1)).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    save(folder / "png.png", scene(2)).rename(folder / "really_png.jpg")
    frames = [Image.fromarray(scene(seed)) for seed in (3, 4)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    save(folder / "ink.jpg", Image.fromarray(scene(5)).convert("CMYK"))
    save(folder / "deep.png", np.uint16(scene(6)[..., 0]) * 257)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    save(folder / "turned.jpg", scene(7), exif=exif)
    bomb = bytearray(save(folder / "bomb.bmp", scene(8)).read_bytes())
    bomb[18:26] = np.array([50_000, 50_000], "<i4").tobytes()  # width, height
    (folder / "bomb.bmp").write_bytes(bytes(bomb))
    save(folder / "clear.png", Image.fromarray(scene(9)).convert("RGBA"))
    (folder / "dangling.jpg").symlink_to(folder / "nowhere.jpg")
    assert sound.exists()
    return folder.parent


EXPECTED = {
    "empty.jpg": "empty",
    "page.jpg": "disguised",
    "broken.png": "unreadable",
    "cut.jpg": "truncated",
    "really_png.jpg": "disguised",
    "moving.gif": "animated",
    "ink.jpg": "CMYK",
    "deep.png": "16-bit",
    "turned.jpg": "EXIF-rotated",
    "bomb.bmp": "decompression-bomb-sized",
    "clear.png": "transparent",
    "dangling.jpg": "unreadable",
}
SKIPPED = {"empty.jpg", "page.jpg", "broken.png", "cut.jpg", "bomb.bmp", "dangling.jpg"}


def test_each_odd_file_is_named_with_what_was_done(odd_collection):
    found = audit_collection(odd_collection)
    problems = {Path(row.path).name: row for row in found.problems.itertuples()}
    assert {name: row.problem for name, row in problems.items()} == EXPECTED
    assert {name for name, row in problems.items() if row.action.startswith("skipped")} == SKIPPED


def test_unreadable_files_stay_in_the_manifest_but_are_not_readable(odd_collection):
    manifest = audit_collection(odd_collection).manifest
    readable = {Path(row.path).name: row.readable for row in manifest.itertuples()}
    assert {name for name, sound in readable.items() if not sound} == SKIPPED
    assert manifest.leak_group.is_unique
    skipped = manifest[~manifest["readable"]]
    assert skipped["width"].isna().all()
    assert skipped["mode"].isna().all()


def test_sizes_are_upright_and_modes_are_the_files_own(odd_collection):
    manifest = audit_collection(odd_collection).manifest
    rows = {Path(row.path).name: row for row in manifest.itertuples()}
    assert (rows["sound.jpg"].width, rows["sound.jpg"].height) == (120, 90)
    assert (rows["turned.jpg"].width, rows["turned.jpg"].height) == (90, 120)
    assert rows["ink.jpg"].mode == "CMYK"
    data = (odd_collection / "Somebody" / "sound.jpg").read_bytes()
    assert rows["sound.jpg"].sha256 == hashlib.sha256(data).hexdigest()


def test_a_file_of_several_problems_has_each_named(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    path = save(tmp_path / "A" / "1.jpg", Image.new("CMYK", (9, 9)), exif=exif)
    path.rename(path.with_suffix(".png"))
    found = audit_collection(tmp_path)
    assert set(found.problems["problem"]) == {"disguised", "CMYK", "EXIF-rotated"}
    table = pd.read_csv(write_audit(found, tmp_path / "audit.csv"))
    assert table.loc[0, "problem"].count("; ") == 2


def test_sixteen_bit_color_is_noticed(tmp_path):
    deep = np.uint16(scene(0)) * 257
    (tmp_path / "A").mkdir()
    cv2.imwrite(str(tmp_path / "A" / "1.png"), deep)
    assert audit_collection(tmp_path).problems["problem"].tolist() == ["16-bit"]


@pytest.fixture
def painters(tmp_path):
    """Two painters; 0 and 1 of Ann are one painting, Bob's 3 is a copy of Ann's 2, byte by byte."""
    root = tmp_path / "painters"
    save(root / "Ann" / "0.png", scene(0))
    save(root / "Ann" / "1.jpg", cv2.convertScaleAbs(scene(0), alpha=0.8, beta=10), quality=70)
    save(root / "Ann" / "2.png", scene(2))
    (root / "Bob").mkdir()
    (root / "Bob" / "3.png").write_bytes((root / "Ann" / "2.png").read_bytes())
    save(root / "Bob" / "4.png", scene(4))
    return root


def test_pairs_and_groups_are_found(painters):
    found = audit_collection(painters)
    pairs = [tuple(row)[:3] for row in found.pairs.itertuples(index=False)]
    assert pairs == [
        ("Ann/0.png", "Ann/1.jpg", "near"),
        ("Ann/2.png", "Bob/3.png", "exact"),
    ]
    assert found.pairs["same_artist"].tolist() == [True, False]
    assert found.pairs["correlation"].between(0.6, 1).all()
    assert found.manifest["leak_group"].tolist() == [0, 0, 1, 1, 2]


def test_two_artists_need_better_evidence(painters):
    strict = auditing.DuplicateConfig(other_artist=1.01)
    save(painters / "Bob" / "5.jpg", scene(0), quality=60)
    pairs = audit_collection(painters, config=strict).pairs
    near = pairs[pairs["kind"] == "near"]
    assert near["same_artist"].all()
    assert len(audit_collection(painters).pairs) > len(pairs)


def test_the_table_given_is_used_and_labels_kept(painters):
    table = pd.DataFrame({"path": ["Bob/4.png", "Ann/0.png"], "artist": ["Robert", None]})
    manifest = audit_collection(painters, table=table).manifest
    assert manifest["path"].tolist() == ["Ann/0.png", "Bob/4.png"]
    assert manifest["artist"].isna().tolist() == [True, False]
    assert manifest.columns.tolist() == [
        *("path", "artist", "style", "genre", "movement", "width", "height"),
        *("mode", "sha256", "readable", "leak_group"),
    ]


def test_audit_is_written_as_one_row_a_file_with_the_pairs_beside_it(painters, tmp_path):
    found = audit_collection(painters)
    out = write_audit(found, tmp_path / "out" / "audit.csv")
    table = pd.read_csv(out).set_index("path")
    assert len(table) == 5
    assert table.loc["Bob/3.png", "duplicate_of"] == "Ann/2.png"
    assert table.loc["Ann/1.jpg", "near_duplicates"] == "Ann/0.png"
    assert table["problem"].isna().all()
    assert len(pd.read_csv(pairs_path(out))) == 2
    assert sorted(file.name for file in out.parent.iterdir()) == ["audit.csv", "audit_pairs.csv"]


def test_audit_is_the_same_for_any_number_of_workers(painters):
    one, four = (audit_collection(painters, workers=workers) for workers in (1, 4))
    pd.testing.assert_frame_equal(one.manifest, four.manifest)
    pd.testing.assert_frame_equal(one.pairs, four.pairs)


def test_progress_counts_each_file_twice(painters):
    steps = []
    audit_collection(painters, progress=lambda *step: steps.append(step))
    assert steps == [(5, 10), (10, 10)]


def test_a_folder_without_pictures_is_an_error(tmp_path):
    with pytest.raises(AtelierError, match="pictures"):
        audit_collection(tmp_path)
    empty = pd.DataFrame({"path": []})
    with pytest.raises(AtelierError, match="pictures"):
        audit_collection(tmp_path, table=empty)


def test_files_that_are_all_broken_are_an_audit_too(tmp_path):
    (tmp_path / "A").mkdir()
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / "A" / name).touch()
    found = audit_collection(tmp_path)
    assert len(found.pairs) == 0
    assert not found.manifest["readable"].any()
    write_audit(found, tmp_path / "audit.csv")


def test_memory_hardly_grows_with_the_collection(tmp_path, monkeypatch):
    monkeypatch.setattr(auditing, "BLOCK", 16)
    monkeypatch.setattr(candidates, "BLOCK", 32)
    for count in range(240):
        save(tmp_path / "A" / f"{count}.png", scene(count, 40, 40))
    names = [f"A/{count}.png" for count in range(240)]

    def peak(count):
        tracemalloc.start()
        audit_collection(tmp_path, table=pd.DataFrame({"path": names[:count]}), workers=1)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(16)
    each = (peak(240) - peak(120)) / 120
    assert each < 3_000  # bytes; a thumbnail's record alone would be 5,000, the picture 4,800


@pytest.mark.slow
def test_the_main_collection_gives_known_pairs_in_time():
    shared = Path(os.environ.get("ATELIER_SHARED", Path(__file__).parents[3] / "shared"))
    root = shared / "data" / "best-artworks-of-all-time"
    if not root.is_dir():
        pytest.skip(f"no collection at {root}")
    start = time.process_time()
    found = audit_collection(root)
    assert time.process_time() - start < 120  # seconds of both cores together
    near = found.pairs[found.pairs["kind"] == "near"]
    assert 400 < near["same_artist"].sum() < 480
    pairs = {tuple(Path(p).stem for p in row) for row in near[["first", "second"]].to_numpy()}
    assert ("Edgar_Degas_558", "Edgar_Degas_593") in pairs  # mirrored
    assert ("Vincent_van_Gogh_113", "Vincent_van_Gogh_197") in pairs  # other paper tone
    assert ("Pieter_Bruegel_49", "Pieter_Bruegel_93") in pairs  # cut
    assert ("Vincent_van_Gogh_431", "Vincent_van_Gogh_575") not in pairs  # two versions
    assert ("Alfred_Sisley_202", "Alfred_Sisley_81") not in pairs  # two views
