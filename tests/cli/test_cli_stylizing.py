"""`atelier stylize`: what it paints and notes, and what it refuses in one line."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from atelier.data.reading import read_rgb
from atelier.data.writing import read_note

LAYERS = ("--content-layer", "block2_conv1", "--style-layer", "block1_conv1")
QUICK = ("--size", 48, "--steps", 2)


@pytest.fixture(scope="module")
def first_blocks(tmp_path_factory):
    """A folder with random weights of VGG19 up to block2_conv1."""
    folder = tmp_path_factory.mktemp("weights")
    keras.utils.set_random_seed(0)
    body = keras.applications.VGG19(include_top=False, weights=None)
    cut = keras.Model(body.input, body.get_layer("block2_conv1").output)
    cut.save_weights(folder / "vgg19_to_block2_conv1.weights.h5")
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, offline, first_blocks):
    """A folder with pictures; the first blocks of VGG19 are at hand, and nothing else."""
    monkeypatch.setenv("ATELIER_WEIGHTS", str(first_blocks))
    offline("VGG19")
    rng = np.random.default_rng(0)
    for name, size in (("content", (40, 60)), ("style", (50, 50)), ("other", (64, 48))):
        pixels = rng.integers(0, 256, (*size, 3), "uint8")
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    return tmp_path


def assert_one_line(result, *words):
    assert result.exit_code == 1, result.output
    line = result.stderr.splitlines()[-1]
    assert line.startswith("atelier: Expected ")
    for word in words:
        assert word in line


def test_a_picture_is_painted_and_says_how(run, folder):
    out = folder / "new" / "out.jpg"
    result = run(
        "stylize",
        folder / "content.png",
        folder / "style.png",
        "-o",
        out,
        *LAYERS,
        *QUICK,
        "--json",
    )
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert set(said["losses"]) == {"total", "content", "style", "variation"}
    assert (said["file"], said["stopped"]) == (str(out), False)
    assert max(read_rgb(out).shape) == 48
    note = read_note(out)
    assert note["styles"] == ["style.png"]
    assert note["config"]["style_layers"] == ["block1_conv1"]
    assert note["config"]["steps"] == 2


def test_two_styles_a_mask_and_sixteen_bits(run, folder):
    mask = np.zeros((40, 60), "uint8")
    mask[:, :30] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    pictures = [folder / f"{name}.png" for name in ("content", "style", "other")]
    options = ("--weights", "0.7,0.3", "--mask", folder / "mask.png", "--keep-colors", "transport")
    out = folder / "out.png"
    result = run("stylize", *pictures, "-o", out, *LAYERS, *QUICK, *options, "--16-bit", "--noise")
    assert result.exit_code == 0, result.stderr
    assert "steps" in result.stdout
    assert read_note(out)["config"]["init"] == "noise"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "block2_conv1"),  # the preset wants later layers, and is told which are there
        (("--preset", "atelie"), "Did you mean atelier"),
        (("--backbone", "resnet50"), "--content-layer"),
        ((*LAYERS, "--weights", "1,2"), "1 numbers"),
        ((*LAYERS, "--weights", "much"), "1 numbers"),
        ((*LAYERS, "--mask", "style.png"), "a mask of the content's 60 x 40"),
        ((*LAYERS, "--strength", "0"), "above zero"),
        ((*LAYERS, "--keep-colors", "hue"), "luminance or transport"),
        ((*LAYERS, "--optimizer", "sgd"), "adam, lbfgs"),
    ],
)
def test_what_cannot_be_painted_is_said_in_one_line(run, folder, options, said, monkeypatch):
    monkeypatch.chdir(folder)
    result = run("stylize", "content.png", "style.png", "-o", "out.png", *options)
    assert_one_line(result, said)
    assert not (folder / "out.png").exists()


def test_an_ending_that_will_not_do_is_refused_before_anything_is_read(run, tmp_path):
    result = run("stylize", "none.png", "none.png", "-o", tmp_path / "out.gif")
    assert_one_line(result, ".webp")
    assert_one_line(run("stylize", "none.png", "none.png", "-o", "out.jpg", "--16-bit"), "16 bits")
    assert_one_line(run("stylize", "none.png", "none.png", "-o", "out.png"), "none.png")


@pytest.fixture(scope="module")
def painter(tmp_path_factory):
    """The folder of a network that paints in one pass, untrained."""
    import pandas as pd

    from atelier import models
    from atelier.stylize.fast.config import SMALLEST
    from atelier.stylize.fast.network import build_network

    return models.save(
        tmp_path_factory.mktemp("models") / "tiny",
        build_network(SMALLEST),
        recipe=SMALLEST.to_json(),
        metrics={"run": "none"},
        history=pd.DataFrame({"epoch": [1]}),
        card="# tiny",
    )


def test_a_picture_is_painted_in_one_pass(run, folder, painter):
    out = folder / "out.tiff"
    fast = ("--method", "fast", "--model", painter, "--strength", "0.5", "--size", 48)
    result = run("stylize", folder / "content.png", folder / "style.png", "-o", out, *fast)
    assert result.exit_code == 0, result.stderr
    assert read_rgb(out).shape == (32, 48, 3)
    note = read_note(out)
    assert (note["method"], note["model"], note["strength"]) == ("fast", "tiny", 0.5)


def test_a_folder_is_painted_and_what_is_no_picture_is_named(run, folder, painter):
    (folder / "in" / "more").mkdir(parents=True)
    for name in ("content.png", "more/other.png"):
        Image.open(folder / Path(name).name).save(folder / "in" / name)
    (folder / "in" / "broken.jpg").write_text("no picture")
    fast = ("--method", "fast", "--model", painter, "--json")
    result = run("stylize", folder / "in", folder / "style.png", "-o", folder / "out", *fast)
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert [Path(row["file"]).name for row in said["painted"]] == ["content.png", "other.png"]
    assert (folder / "out" / "more" / "other.png").is_file()
    assert "broken.jpg" in said["skipped"][0][0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--steps", "3"), "options that are for --method fast. Found --steps"),
        (("--model", "none"), "a model's folder"),
        (("--strength", "2"), "a strength from 0 to 1"),
        (("--mask", "style.png"), "a mask of the content's 60 x 40"),
    ],
)
def test_what_cannot_be_painted_in_one_pass_is_said(
    run, folder, painter, options, said, monkeypatch
):
    monkeypatch.chdir(folder)
    model = () if "--model" in options else ("--model", painter)
    fast = ("--method", "fast", *model, *options)
    assert_one_line(run("stylize", "content.png", "style.png", "-o", "out.png", *fast), said)
    assert not (folder / "out.png").exists()


def test_a_folder_is_not_painted_over_itself_or_twice_into_one_file(run, folder, painter):
    (folder / "in").mkdir()
    picture = Image.open(folder / "content.png")
    picture.save(folder / "in" / "a.png")
    fast = ("--method", "fast", "--model", painter)
    pictures = (folder / "in", folder / "style.png")
    assert_one_line(run("stylize", *pictures, "-o", folder / "in", *fast), "a.png written over")
    picture.save(folder / "in" / "a.bmp")
    assert_one_line(run("stylize", *pictures, "-o", folder / "out", *fast), "a.png written over")
    assert not (folder / "out").exists()


def test_a_folder_is_not_optimised(run, folder):
    result = run("stylize", folder, folder / "style.png", "-o", folder / "out")
    assert_one_line(result, "--method fast")


def test_a_classifier_does_not_paint(run, folder, save_network):
    inputs = keras.Input((8, 8, 3))
    save_network(keras.Model(inputs, keras.layers.Flatten()(inputs)), "classifier", half=False)
    fast = ("--method", "fast", "--model", "classifier")
    pictures = (folder / "content.png", folder / "style.png")
    assert_one_line(run("stylize", *pictures, "-o", folder / "o.png", *fast), "a fast painter")


def test_a_network_that_paints_is_trained_on_the_sample(run, tmp_path, monkeypatch):
    from atelier.data.sample import draw_sample

    monkeypatch.setenv("ATELIER_FAST", "1")
    sample = draw_sample(tmp_path / "sample", works=3, size=32, photos=3, workers=1)
    out = tmp_path / "fast"
    result = run("train", "fast", "--data", sample, "--out", out, "--epochs", 1, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["metrics"]["kind"] == "fast painter"
    result = run("train", "fast", "--data", sample, "--out", out, "--top", 2)
    assert_one_line(result, "options that are for the recipe fast. Found --top")
