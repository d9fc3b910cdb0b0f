"""`atelier similar` and `atelier outliers`, from arguments to files."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier import models
from atelier.classify.recipes import get_recipe
from atelier.data.splits import SplitConfig


def assert_one_line(result, *words):
    """Exit code 1 and one line on stderr that says expected and found, and these words."""
    assert result.exit_code == 1, result.output
    lines = result.stderr.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("atelier: Expected ")
    assert all(word in lines[0] for word in (" Found ", *words)), lines[0]


@pytest.fixture
def model(tmp_path):
    """An untrained classifier of the tiny collection by its mean colors."""
    keras.utils.set_random_seed(0)
    recipe = get_recipe("published_cnn").replace(
        split=SplitConfig(), image_size=(32, 32), decode_size=(32, 32)
    )
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.AveragePooling2D(16)(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Dense(3, "softmax")(keras.layers.Flatten()(x))
    return models.save(
        tmp_path / "model",
        keras.Model(inputs, x),
        class_names=["Across", "Down", "Plain"],
        recipe=recipe.to_json(),
        metrics={},
        history=pd.DataFrame({"epoch": [1]}),
        card="# model\n",
    )


@pytest.fixture
def picture(tiny_collection):
    return tiny_collection / "Down" / "Down_3.png"


def test_similar_prints_a_table_and_draws_a_figure(run, model, tiny_collection, picture, tmp_path):
    figure = tmp_path / "figures" / "similar.png"
    arguments = ("similar", model, picture, "--data", tiny_collection, "-k", 4)
    result = run(*arguments, "--figure", figure)
    assert result.exit_code == 0, result.stderr
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert rows[0] == ["rank", "path", "label", "artist", "similarity"]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3", "4"]
    assert "Down/Down_3.png" not in result.stdout
    with Image.open(figure) as drawn:
        assert drawn.format == "PNG"


def test_similar_as_json_can_include_copies(run, model, tiny_collection, picture):
    arguments = ("similar", model, picture, "--data", tiny_collection, "--include-copies")
    result = run(*arguments, "--json")
    said = json.loads(result.stdout)
    assert said["label"] == "Down"
    assert said["copies"] == ["Down/Down_3.png"]
    assert len(said["similar"]) == 8
    assert "Down/Down_3.png" in [row["path"] for row in said["similar"]]


def test_outliers_are_written_as_csv_and_drawn(run, model, tiny_collection, tmp_path):
    pytest.importorskip("cleanlab")
    csv, figure = tmp_path / "odd.csv", tmp_path / "odd.png"
    arguments = ("outliers", model, "--data", tiny_collection, "--split", "val")
    result = run(*arguments, "--csv", csv, "--figure", figure)
    assert result.exit_code == 0, result.stderr
    table = pd.read_csv(csv)
    assert f"odd {len(table)}, misclassified" in result.stdout
    assert str(csv) in result.stdout
    assert table["label_probability"].is_monotonic_increasing
    assert figure.is_file()


@pytest.mark.once
def test_outliers_hands_its_options_on(run, monkeypatch, tmp_path):
    seen = {}
    table = pd.DataFrame({"rank": [1], "path": ["a.jpg"], "probability": [np.float32(0.25)]})

    def find_outliers(model, directory, **options):
        seen.update(options, model=model, directory=directory)
        return SimpleNamespace(table=table, counts={"pictures": 3, "odd": 1})

    monkeypatch.setattr("atelier.classify.outliers.find_outliers", find_outliers)
    monkeypatch.setattr("atelier.models.find", lambda name: tmp_path)
    monkeypatch.setattr("atelier.cli.similarity.locate", lambda data: tmp_path / data)
    arguments = ("outliers", "m", "--data", "d", "--split", "train", "--threshold", 0.3)
    assert json.loads(run(*arguments, "--json").stdout) == {
        "counts": {"pictures": 3, "odd": 1},
        "outliers": [{"rank": 1, "path": "a.jpg", "probability": 0.25}],
    }
    assert callable(seen.pop("progress"))
    assert seen == {
        "model": tmp_path,
        "directory": tmp_path / "d",
        "split": "train",
        "threshold": 0.3,
    }
    assert run(*arguments).stdout.splitlines()[1] == "1\ta.jpg\t0.250"


@pytest.mark.once
@pytest.mark.parametrize("arguments", [["similar", "no_model", "a.jpg"], ["outliers", "no_model"]])
def test_a_model_that_does_not_exist(run, arguments):
    assert_one_line(run(*arguments), "'no_model'")


@pytest.mark.once
def test_a_figure_that_is_no_png_is_refused_at_once(run, model, picture, tiny_collection):
    where = ("--data", tiny_collection, "--figure", "out.jpg")
    assert_one_line(run("similar", model, picture, *where), "out.jpg", ".png")
    assert_one_line(run("outliers", model, *where), "out.jpg", ".png")


@pytest.mark.once
@pytest.mark.parametrize("command", ["similar", "outliers"])
def test_no_data_at_the_given_place(run, model, tmp_path, command):
    nowhere = tmp_path / "nowhere"
    image = [tmp_path / "a.jpg"] if command == "similar" else []
    assert_one_line(run(command, model, *image, "--data", nowhere), str(nowhere))


@pytest.mark.parametrize("content", [None, b"", b"hello, I am text"])
def test_a_query_that_is_no_picture(run, model, tiny_collection, tmp_path, content):
    bad = tmp_path / "bad.jpg"
    if content is not None:
        bad.write_bytes(content)
    assert_one_line(run("similar", model, bad, "--data", tiny_collection), "bad.jpg")


def test_a_folder_is_no_query(run, model, tiny_collection):
    said = run("similar", model, tiny_collection, "--data", tiny_collection)
    assert_one_line(said, str(tiny_collection))


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments", [["similar", "m", "a.jpg", "-k", 0], ["outliers", "m", "--threshold", 2]]
)
def test_numbers_out_of_range_are_wrong_usage(run, arguments):
    assert run(*arguments).exit_code == 2


def test_an_unknown_part_is_answered_with_those_that_are_there(run, model, tiny_collection):
    said = run("outliers", model, "--data", tiny_collection, "--split", "verification")
    assert_one_line(said, "test, train, val")


def test_a_collection_of_other_painters_has_no_outliers(run, model, tiny_collection):
    (tiny_collection / "Plain").rename(tiny_collection / "Somebody")
    assert_one_line(run("outliers", model, "--data", tiny_collection), "without Plain")
