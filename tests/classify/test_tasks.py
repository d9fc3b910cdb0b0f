"""ArtGAN's three tasks: their splits, the whole validation list, and what the painter gives away."""

import pandas as pd
import pytest

from atelier import storage
from atelier.classify import tasks
from atelier.data.splits import SplitConfig
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def write_metrics(folder, metrics):
    folder.mkdir()
    storage.write_json(folder / "metrics.json", metrics)
    return folder


def judged(kind="official", n=8, accuracy=0.75):
    return {
        "split": {"kind": kind, "label": "artist"},
        "counts": {"test": {"Goya": 5, "Degas": 3}},
        "test": {"n": n, "accuracy": accuracy},
    }


@pytest.fixture
def listed(monkeypatch):
    """A validation list with two pictures of a painter whom nobody trained on, one unreadable."""
    rows = [("Goya", "val")] * 5 + [("Degas", "val")] * 3 + [("Goya", "train")] * 9
    rows += [("Repin", "val")] * 3
    table = pd.DataFrame(rows, columns=["artist", "listed"])
    table = table.assign(
        path=[f"{number}.jpg" for number in range(len(table))],
        leak_group=range(len(table)),
        sha256=None,
        readable=[True] * (len(table) - 1) + [False],
    )
    monkeypatch.setattr(tasks, "load_manifest", lambda directory: None)
    monkeypatch.setattr(tasks, "list_pictures", lambda manifest, directory, label: table)


def test_without_lists_only_labels_that_differ_are_tasks(tiny_collection):
    assert tasks.task_splits(tiny_collection, seed=3) == {
        "artist": SplitConfig(seed=3, label="artist")
    }


def test_lists_of_wikiart_are_the_split_and_need_a_training_picture(monkeypatch, tmp_path):
    monkeypatch.setattr(tasks, "layout_of", lambda directory: "wikiart")
    monkeypatch.setattr(tasks, "find_lists", lambda directory: tmp_path)
    splits = tasks.task_splits(tmp_path)
    assert list(splits) == ["artist", "style", "genre"]
    assert {split.kind for split in splits.values()} == {"official"}
    assert {split.min_works for split in splits.values()} == {1}


def test_a_collection_without_labels_has_no_task(monkeypatch, tmp_path):
    nothing = pd.DataFrame({task: ["one"] for task in tasks.TASKS})
    monkeypatch.setattr(tasks, "load_manifest", lambda directory: nothing)
    with pytest.raises(AtelierError, match="two values of artist, style or genre"):
        tasks.task_splits(tmp_path)


def test_pictures_of_classes_left_out_are_misses(listed, tmp_path):
    model = write_metrics(tmp_path / "model", judged())
    found = tasks.over_whole_list(model, tmp_path)
    assert found["left_out"] == {"Repin": 2}
    assert found["over_list"] == pytest.approx(6 / 10)
    assert tasks.whole_list_text(model, tmp_path) == (
        "0.750 of 8 pictures; with those of Repin (2), never trained on, as misses 0.600."
    )


def test_nothing_is_left_out_of_a_split_of_our_own(listed, tmp_path):
    model = write_metrics(tmp_path / "model", judged("grouped"))
    assert tasks.over_whole_list(model, tmp_path)["over_list"] == 0.75
    assert tasks.whole_list_text(model, tmp_path) == "0.750 of 8 pictures; no class is left out."


def test_a_model_that_was_not_judged_is_refused(tmp_path):
    model = write_metrics(tmp_path / "model", {"split": {}, "counts": {}})
    with pytest.raises(AtelierError, match="judged on the test part"):
        tasks.over_whole_list(model, tmp_path)


def test_knowing_the_painter_names_his_commonest_style():
    rows = [
        ("a", "Monet", "Impressionism", "train"),
        ("b", "Monet", "Impressionism", "train"),
        ("c", "Monet", "Realism", "train"),
        ("d", "Braque", "Cubism", "train"),
        ("e", "Monet", "Impressionism", "test"),
        ("f", "Monet", "Realism", "test"),
        ("g", "Braque", "Cubism", "test"),
        ("h", "Nobody", "Impressionism", "test"),
    ]
    table = pd.DataFrame(rows, columns=["path", "artist", "label", "split"])
    assert tasks.knowing_the_painter(table, table.set_index("path")["artist"]) == 0.75
