"""Bad input: one line on stderr, exit code 1, wherever it comes from."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier import storage
from atelier.classify.recipes import get_recipe
from atelier.data.splits import SplitConfig


def assert_one_line(result, *words):
    """Exit code 1, one line that says expected, found and what to do, and these words."""
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("atelier: Expected ")
    assert " Found " in lines[0]
    for word in words:
        assert word in lines[0]


def make_collection(folder, counts, *, size=32):
    """A folder of folders: so many different pictures for each class."""
    rng = np.random.default_rng(0)
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            coarse = rng.integers(0, 255, (8, 8, 3), np.uint8)
            picture = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
            picture.save(folder / name / f"{name}_{number}.jpg")
    return folder


@pytest.fixture
def any_class(tmp_path):
    """The published recipe without its least number of works, as a recipe.json."""
    recipe = get_recipe("published_cnn").replace(split=SplitConfig())
    storage.write_json(tmp_path / "recipe.json", recipe.to_json())
    return tmp_path / "recipe.json"


@pytest.fixture
def model(tmp_path):
    """A model folder whose network is as small as one can be."""
    import keras

    from atelier import models

    recipe = get_recipe("published_cnn").replace(image_size=(32, 32))
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    return models.save(
        tmp_path / "model",
        network,
        class_names=["Ada", "Bo"],
        recipe=recipe.to_json(),
        metrics={"split": {"fingerprint": "none"}},
        history=pd.DataFrame({"epoch": [1], "loss": [1.0]}),
        card="# model\n",
    )


@pytest.fixture
def picture(tmp_path):
    make_collection(tmp_path / "pictures", {"Ada": 1})
    return tmp_path / "pictures" / "Ada" / "Ada_0.jpg"


@pytest.mark.once
@pytest.mark.parametrize("command", ["train", "tune"])
def test_an_unknown_recipe_is_answered_with_near_names(run, tmp_path, command):
    assert_one_line(run(command, "publishd_cnn", "--data", tmp_path), "'publishd_cnn'", "published")


@pytest.mark.once
@pytest.mark.parametrize("command", ["train", "tune"])
def test_no_data_at_the_given_place(run, tmp_path, command):
    nowhere = tmp_path / "nowhere"
    assert_one_line(run(command, "published_cnn", "--data", nowhere), str(nowhere))


@pytest.mark.once
def test_a_collection_that_was_not_fetched_is_answered_with_how_to(run):
    said = run("train", "published_cnn", "--data", "wikiart")
    assert_one_line(said, "atelier data fetch wikiart")


@pytest.mark.once
def test_no_data_at_all_is_answered_with_how_to(run):
    assert_one_line(run("train", "published_cnn"), "atelier data fetch")


@pytest.mark.once
@pytest.mark.parametrize("arguments", [["train", "published_cnn", "--data"], ["data", "audit"]])
def test_a_folder_without_pictures(run, tmp_path, arguments):
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "notes.txt").write_text("no picture")
    assert_one_line(run(*arguments, empty), str(empty))


@pytest.mark.once
def test_one_class_only(run, tmp_path, any_class):
    folder = make_collection(tmp_path / "one", {"Ada": 6})
    assert_one_line(run("train", any_class, "--data", folder), "two classes")


@pytest.mark.once
def test_a_class_with_fewer_works_than_splits(run, tmp_path, any_class):
    folder = make_collection(tmp_path / "few", {"Ada": 6, "Bo": 2})
    assert_one_line(run("train", any_class, "--data", folder), "Bo")


@pytest.mark.once
@pytest.mark.parametrize("damage", ["manifest.parquet", "manifest.json"])
def test_a_corrupt_cache_is_said_in_one_line_and_made_anew(run, tmp_path, monkeypatch, damage):
    from atelier import paths

    folder = make_collection(tmp_path / "two", {"Ada": 2, "Bo": 2})
    monkeypatch.setattr("atelier.classify.train.train", lambda recipe, data, out, **options: out)
    assert run("train", "published_cnn", "--data", folder).exit_code == 0
    (paths.workspace(folder) / damage).write_bytes(b"not what was written")
    again = run("train", "published_cnn", "--data", folder)
    assert again.exit_code == 0
    assert "built anew" in again.stderr
    assert len(again.stderr.splitlines()) == 1
    assert run("train", "published_cnn", "--data", folder).stderr == ""


@pytest.mark.once
def test_a_damaged_recipe_file(run, tmp_path):
    (tmp_path / "recipe.json").write_text('{"name": "x"')
    assert_one_line(run("train", tmp_path / "recipe.json", "--data", tmp_path), "recipe.json")


@pytest.mark.once
@pytest.mark.parametrize("command", [["classify", "no_model", "a.jpg"], ["evaluate", "no_model"]])
def test_a_model_that_does_not_exist(run, command):
    assert_one_line(run(*command), "'no_model'")


def test_a_model_folder_with_a_changed_byte(run, model, picture):
    weights = model / "model.keras"
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    assert_one_line(run("classify", model, picture), "model.keras", "changed")
    assert_one_line(run("models", "verify", model), "model.keras", "changed")


@pytest.mark.once
def test_a_model_folder_with_a_missing_file(run, model):
    (model / "recipe.json").unlink()
    assert_one_line(run("models", "verify", model), "recipe.json", "missing")


@pytest.mark.parametrize("content", [b"", b"hello, I am text", b"\xff\xd8\xff\xe0 cut off"])
def test_a_picture_that_is_not_one(run, model, tmp_path, content):
    (tmp_path / "bad.jpg").write_bytes(content)
    assert_one_line(run("classify", model, tmp_path / "bad.jpg"), "bad.jpg")


def test_a_picture_that_does_not_exist(run, model, tmp_path):
    assert_one_line(run("classify", model, tmp_path / "gone.jpg"), "gone.jpg")


def test_a_folder_without_pictures_to_classify(run, model, tmp_path):
    (tmp_path / "empty").mkdir()
    assert_one_line(run("classify", model, tmp_path / "empty"), "picture")


def test_one_bad_picture_among_good_ones_is_skipped_named_and_counted(run, model, picture):
    bad = picture.with_name("bad.jpg")
    bad.write_text("hello, I am text")
    result = run("classify", model, picture.parent, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert {row["path"] for row in said["predictions"]} == {str(picture)}
    assert [path for path, reason in said["skipped"]] == [str(bad)]
    assert "bad.jpg" in result.stderr
