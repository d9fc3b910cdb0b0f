"""What a run says of how it was made, and that the same run comes out the same again."""

import subprocess

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier import environment, models, runs, storage
from atelier.classify.train import train
from atelier.stylize.fast import train as painting
from atelier.stylize.fast.config import SMALLEST

SAME_RUN = ("run", "data", "seed", "counts", "parameters", "epochs", "split", "val")


def git(folder, *arguments):
    identity = ["-c", "user.name=A Test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def clone(atelier_root):
    """The root as a repository of one commit; returns its number."""
    (atelier_root / "code.py").write_text("1\n")
    git(atelier_root, "init", "--quiet")
    git(atelier_root, "add", "code.py")
    git(atelier_root, "commit", "--quiet", "-m", "One")
    environment._commit_of.cache_clear()
    return git(atelier_root, "rev-parse", "HEAD")


@pytest.mark.once
def test_the_commit_is_that_of_the_root(clone, atelier_root):
    (atelier_root / "untracked.txt").touch()
    assert environment.commit() == clone
    assert len(clone) == 40


@pytest.mark.once
def test_changes_since_the_commit_are_marked(clone, atelier_root):
    (atelier_root / "code.py").write_text("2\n")
    assert environment.commit() == f"{clone}+changes"


@pytest.mark.once
def test_the_commit_is_that_of_the_time_when_a_training_begins(clone, atelier_root):
    with runs.one_run_at_a_time(atelier_root / "models" / "m"):
        (atelier_root / "code.py").write_text("2\n")
        assert environment.commit() == clone


@pytest.mark.once
def test_a_folder_that_is_no_clone_has_no_commit(atelier_root):
    assert environment.commit() is None


@pytest.mark.once
def test_a_root_within_another_repository_is_no_clone(clone, atelier_root, monkeypatch):
    (atelier_root / "inner").mkdir()
    monkeypatch.setenv("ATELIER_ROOT", str(atelier_root / "inner"))
    assert environment.commit() is None


@pytest.mark.once
def test_a_repository_without_a_commit_has_none(atelier_root):
    git(atelier_root, "init", "--quiet")
    environment._commit_of.cache_clear()
    assert environment.commit() is None


@pytest.mark.once
def test_no_git_is_no_commit(clone, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert environment.commit() is None


@pytest.mark.once
def test_provenance_says_what_and_where_and_of_which_pictures():
    history = pd.DataFrame({"epoch": [1, 2], "seconds": [60.0, 120.0]})
    facts = runs.provenance(3, history, "abc")
    assert {name: facts[name] for name in ("seed", "minutes", "data", "commit")} == {
        "seed": 3,
        "minutes": 3.0,
        "data": "abc",
        "commit": None,
    }
    assert facts["versions"]["numpy"] == np.__version__
    assert {"device", "backend", "date"} <= set(facts)
    assert runs.provenance(3, pd.DataFrame())["minutes"] == 0


def test_a_training_records_how_it_was_made(tiny_model):
    import keras

    metrics = storage.read_json(tiny_model / "metrics.json")
    assert metrics["data"] == metrics["split"]["fingerprint"]
    assert metrics["backend"] == keras.backend.backend()
    assert metrics["commit"] is None
    assert metrics["versions"]["keras"] == keras.__version__


def test_the_same_training_gives_the_same_metrics_again(
    tiny_model, tiny_recipe, tiny_collection_drawn, tmp_path
):
    again = train(tiny_recipe, tiny_collection_drawn, tmp_path / "models" / "again")
    first, second = (storage.read_json(f / "metrics.json") for f in (tiny_model, again))
    assert {name: first[name] for name in SAME_RUN} == {name: second[name] for name in SAME_RUN}
    numbers = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    rows = [pd.read_csv(folder / "history.csv")[numbers] for folder in (tiny_model, again)]
    pd.testing.assert_frame_equal(*rows, check_exact=True)
    weights = (models.load(folder).model.get_weights() for folder in (tiny_model, again))
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_another_seed_gives_other_metrics(tiny_model, tiny_recipe, tiny_collection_drawn, tmp_path):
    other = train(tiny_recipe, tiny_collection_drawn, tmp_path / "models" / "other", seed=1)
    first, second = (storage.read_json(f / "metrics.json")["val"] for f in (tiny_model, other))
    assert first["log_loss"] != second["log_loss"]


def test_the_same_painter_comes_out_twice(tiny_collection, tmp_path, monkeypatch):
    monkeypatch.setattr(painting, "STORED", 32)
    photos = tmp_path / "photos"
    (photos / "photo_jpg").mkdir(parents=True)
    for number, path in enumerate(sorted((tiny_collection / "Plain").iterdir())[:6]):
        Image.open(path).save(photos / "photo_jpg" / f"{number}.jpg")
    layers = {"content_layers": ("block1_conv2",), "style_layers": ("block1_conv1",)}
    config = SMALLEST.replace(weights=None, precision="float32", **layers)
    folders = [
        painting.train(config, tiny_collection, photos, tmp_path / "models" / name)
        for name in ("first", "second")
    ]
    first, second = (storage.read_json(folder / "metrics.json") for folder in folders)
    assert first["val_losses"] == second["val_losses"]
    assert first["data"] == second["data"]
    assert first["data"]
    assert {"commit", "backend", "versions", "device"} <= set(first)
