"""The sample collection on disk: layout, determinism, atomicity, refusals."""

import os
import subprocess
import sys
import time

import cv2
import numpy as np
import pandas as pd
import pytest

from atelier import storage
from atelier.data.sample import PAINTERS, collection, draw_sample
from atelier.data.sample.pool import draw_all
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

SMALL = {"works": 2, "size": 48, "photos": 2, "painters": 2}
KAGGLE_COLUMNS = "id,name,years,genre,nationality,bio,wikipedia,paintings"


def file_bytes(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return draw_sample(tmp_path_factory.mktemp("sample") / "small", **SMALL)


def test_layout_is_that_of_the_kaggle_collection(small):
    assert (small / "artists.csv").read_text().splitlines()[0] == KAGGLE_COLUMNS
    artists = pd.read_csv(small / "artists.csv")
    assert artists["name"].tolist() == [painter.name for painter in PAINTERS[:2]]
    for name, count in zip(artists["name"], artists["paintings"], strict=True):
        folder = name.replace(" ", "_")
        works = sorted(path.name for path in (small / "images" / "images" / folder).iterdir())
        assert works == [f"{folder}_{number}.jpg" for number in range(1, count + 1)]
    assert len(list((small / "photos").iterdir())) == 2


def test_pictures_have_the_size_asked_for_and_are_not_flat(small):
    for path in small.rglob("*.jpg"):
        picture = cv2.imread(str(path))
        assert picture.shape == (48, 48, 3)
        assert picture.std() > 8


def test_there_are_at_least_six_painters_with_lives_and_distinct_folders():
    assert len({painter.folder for painter in PAINTERS}) == len(PAINTERS) >= 6
    assert all("invented" in painter.bio for painter in PAINTERS)
    assert len({painter.hand for painter in PAINTERS}) == len(PAINTERS)


def test_same_seed_gives_the_same_bytes_with_any_number_of_workers(small, tmp_path):
    assert file_bytes(draw_sample(tmp_path / "two", **SMALL, workers=2)) == file_bytes(small)


def test_another_seed_gives_other_pictures(small, tmp_path):
    first, second = file_bytes(small), file_bytes(draw_sample(tmp_path / "x", **SMALL, seed=1))
    assert first.keys() == second.keys()
    assert all(first[name] != second[name] for name in first if name.endswith(".jpg"))


def test_fewer_works_and_painters_are_a_part_of_more(small, tmp_path):
    fewer = file_bytes(draw_sample(tmp_path / "x", works=1, size=48, photos=1, painters=1))
    more = file_bytes(small)
    assert all(fewer[name] == more[name] for name in fewer if name.endswith(".jpg"))


def test_default_place_is_the_sample_folder_of_the_repository(atelier_root):
    assert draw_sample(works=1, size=32, photos=0, painters=1) == atelier_root / "data" / "sample"


def test_drawing_again_is_instant_and_touches_nothing(small):
    before = {path: path.stat().st_mtime_ns for path in small.rglob("*")}
    start = time.perf_counter()
    draw_sample(small, **SMALL)
    assert time.perf_counter() - start < 0.5
    assert {path: path.stat().st_mtime_ns for path in small.rglob("*")} == before


def test_a_missing_picture_is_drawn_again(tmp_path):
    folder = draw_sample(tmp_path / "x", **SMALL)
    whole = file_bytes(folder)
    next(folder.rglob("*.jpg")).unlink()
    assert file_bytes(draw_sample(folder, **SMALL)) == whole


def test_other_settings_replace_a_former_sample(tmp_path):
    folder = draw_sample(tmp_path / "x", **SMALL)
    draw_sample(folder, **SMALL | {"works": 1})
    assert len(list(folder.rglob("images/**/*.jpg"))) == 2


def test_interruption_leaves_no_half_collection_and_keeps_the_former_one(tmp_path):
    folder = draw_sample(tmp_path / "x", **SMALL)
    whole = file_bytes(folder)

    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    for workers in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            draw_sample(folder, **SMALL | {"works": 3}, progress=interrupt, workers=workers)
        assert not list(tmp_path.glob(".tmp*"))
        assert file_bytes(folder) == whole


def test_progress_counts_every_picture_once(tmp_path):
    calls = []
    draw_sample(tmp_path / "x", **SMALL, progress=lambda *call: calls.append(call))
    assert calls == [(done, 6) for done in range(7)]


@pytest.mark.parametrize(
    "wrong",
    [{"works": 0}, {"size": 8}, {"painters": 99}, {"seed": -1}, {"photos": -1}, {"works": 2.5}],
)
def test_settings_out_of_range_are_refused(tmp_path, wrong):
    with pytest.raises(AtelierError, match=next(iter(wrong))):
        draw_sample(tmp_path / "x", **wrong)
    assert not list(tmp_path.glob("*x"))


def test_a_folder_of_something_else_is_never_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(AtelierError, match="other files at"):
        draw_sample(tmp_path, **SMALL)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_failing_process_is_one_line_of_error(tmp_path):
    settings = collection.asdict(collection.Settings(works=2, size=32, photos=0, painters=1))
    with pytest.raises(AtelierError, match="FileNotFoundError"):
        draw_all(tmp_path / "nowhere", settings, 2, 2)


def test_a_script_without_a_main_guard_may_draw_with_processes(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from atelier.data.sample import draw_sample\n"
        f"draw_sample({str(tmp_path / 'x')!r}, works=2, size=32, photos=0, painters=1, workers=2)\n"
    )
    subprocess.run([sys.executable, str(script)], check=True, env=os.environ, timeout=120)
    assert storage.read_json(tmp_path / "x" / "sample.json")["drawn"]["works"] == 2


def test_drawing_needs_no_deep_learning_library():
    code = (
        "import sys, atelier.data.sample\n"
        "heavy = {'tensorflow', 'keras', 'jax', 'torch', 'matplotlib', 'pandas'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_no_two_pictures_of_a_painter_are_near_duplicates(tmp_path):
    folder = draw_sample(tmp_path / "x", works=16, size=64, photos=0, painters=1)
    thumbs = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in folder.rglob("*.jpg")]
    flat = np.stack([cv2.resize(t, (16, 16), interpolation=cv2.INTER_AREA).ravel() for t in thumbs])
    correlation = np.corrcoef(flat.astype(float)) - np.eye(len(flat))
    assert correlation.max() < 0.97
