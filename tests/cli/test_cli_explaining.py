"""`atelier explain`: what it draws and prints, and what it refuses in one line."""

import json

import numpy as np
import pytest
from PIL import Image

from atelier.data.reading import read_rgb


@pytest.fixture
def picture(tmp_path):
    """A file of 50 × 70 pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (50, 70, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def assert_one_line(result, *words):
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("atelier: Expected ")
    for word in words:
        assert word in line


@pytest.mark.parametrize("suffix", ["png", "JPG"])
def test_one_layer_gives_an_overlay_of_the_pictures_size(run, tiny_model, picture, suffix):
    out = picture.parent / "new" / f"out.{suffix}"
    result = run("explain", tiny_model, picture, "-o", out, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["class"] in ("Across", "Down", "Plain")
    assert 1 / 3 <= said["probability"] <= 1
    assert said["layers"] == ["pool2"]
    assert said["file"] == str(out)
    drawn = read_rgb(out)
    assert drawn.shape == (50, 70, 3)
    assert not np.array_equal(drawn, read_rgb(picture))


def test_several_layers_give_a_figure(run, tiny_model, picture):
    out = picture.with_name("out.png")
    result = run("explain", tiny_model, picture, "-o", out, "--layer", "conv1", "--layer", "conv2")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip().endswith(f"{out}, conv1, conv2")
    assert read_rgb(out).shape[1] > 500


@pytest.mark.once
def test_the_class_asked_for_is_explained_as_opaque_as_asked_for(run, tiny_model, picture):
    out = picture.with_name("out.png")
    options = ["--class", "Plain", "--opacity", 0, "--json"]
    said = json.loads(run("explain", tiny_model, picture, "-o", out, *options).stdout)
    assert said["class"] == "Plain"
    assert np.array_equal(read_rgb(out), read_rgb(picture))


@pytest.mark.once
def test_layers_are_listed_without_a_picture(run, tiny_model):
    names = run("explain", tiny_model, "--layers").stdout.split()
    assert names[-4:] == ["conv1", "pool1", "conv2", "pool2"]
    assert json.loads(run("explain", tiny_model, "--layers", "--json").stdout) == {"layers": names}


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments", [[], ["a.jpg"], ["a.jpg", "-o", "b.png", "--opacity", "2"], ["-o", "b.png"]]
)
def test_wrong_usage_exits_with_2(run, tiny_model, arguments):
    result = run("explain", tiny_model, *arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--class", "Dwon"], ("'Dwon'", "Down")),
        (["--layer", "conv22"], ("'conv22'", "conv2")),
        (["--layer", "hidden"], ("feature map", "hidden", "pool2")),
    ],
)
def test_unknown_names_are_answered_with_near_ones(run, tiny_model, picture, options, words):
    out = picture.with_name("out.png")
    assert_one_line(run("explain", tiny_model, picture, "-o", out, *options), *words)
    assert not out.exists()


@pytest.mark.once
@pytest.mark.parametrize("content", [None, b"", b"hello, I am text"])
def test_what_is_no_picture_is_refused(run, tiny_model, tmp_path, content):
    if content is not None:
        (tmp_path / "bad.jpg").write_bytes(content)
    result = run("explain", tiny_model, tmp_path / "bad.jpg", "-o", tmp_path / "out.png")
    assert_one_line(result, "bad.jpg")


@pytest.mark.once
def test_a_model_that_does_not_exist(run, picture):
    assert_one_line(run("explain", "no_model", picture, "-o", "out.png"), "'no_model'")


@pytest.mark.once
def test_an_output_of_another_kind_is_refused_before_anything_is_read(run, picture):
    assert_one_line(run("explain", "no_model", picture, "-o", "out.gif"), "out.gif", ".png")


@pytest.mark.once
@pytest.mark.parametrize("layers", [["conv2"], ["conv1", "conv2"]])
def test_a_place_that_cannot_be_written_is_said(run, tiny_model, picture, layers):
    named = [word for layer in layers for word in ("--layer", layer)]
    inside_a_file = picture / "out.png"
    assert_one_line(run("explain", tiny_model, picture, "-o", inside_a_file, *named), "out.png")
    folder = picture.with_name("folder.png")
    folder.mkdir()
    assert_one_line(run("explain", tiny_model, picture, "-o", folder, *named), "folder.png")
    assert {path.name for path in picture.parent.iterdir()} >= {"folder.png", "picture.png"}
    assert not list(picture.parent.glob(".tmp-*"))
