"""`atelier translate`, and training what it paints with."""

import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier import models
from atelier.data.reading import read_rgb
from atelier.data.writing import read_note
from atelier.translate.config import _SMALLEST, CYCLEGAN_MONET
from atelier.translate.train import build


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of an untrained network."""
    config = CYCLEGAN_MONET.replace(**{**_SMALLEST, "precision": "float32"})
    return models.save(
        tmp_path_factory.mktemp("models") / "tiny",
        build(config).product(),
        recipe=config.to_json(),
        metrics={"run": "none"},
        history=pd.DataFrame({"epoch": [1]}),
        card="# tiny",
    )


def photo():
    return np.random.default_rng(0).integers(0, 256, (50, 61, 3), "uint8")


def test_photos_and_folders_are_painted(run, folder, tmp_path):
    (tmp_path / "in" / "more").mkdir(parents=True)
    for name in ("one.png", "in/two.jpg", "in/more/three.png"):
        Image.fromarray(photo()).save(tmp_path / name)
    (tmp_path / "in" / "bad.jpg").write_text("no picture")
    out = tmp_path / "out"
    asked = ("translate", folder, tmp_path / "one.png", tmp_path / "in", "-o", out, "--json")
    result = run(*asked, "--strength", 0.5)
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert [len(said["painted"]), len(said["skipped"])] == [3, 1]
    assert sorted(str(p.relative_to(out)) for p in out.rglob("*.*")) == [
        "more/three.png",
        "one.png",
        "two.jpg",
    ]
    note = read_note(out / "one.png")
    assert (note["model"], note["strength"], note["reverse"]) == ("tiny", 0.5, False)


def test_one_photo_goes_into_a_file(run, folder, tmp_path):
    Image.fromarray(photo()).save(tmp_path / "one.png")
    out = tmp_path / "painted.tif"
    result = run("translate", folder, tmp_path / "one.png", "-o", out, "--reverse", "--16-bit")
    assert result.exit_code == 0, result.stderr
    assert read_rgb(out).shape == (50, 61, 3)
    for given, said in (
        (("translate", "none", tmp_path / "one.png", "-o", out), "a translator|a model's folder"),
        (("translate", folder, tmp_path / "none.png", "-o", out), "none.png"),
        (("translate", folder, tmp_path / "one.png", "-o", tmp_path / "o.gif"), "ends in"),
    ):
        result = run(*given)
        assert result.exit_code == 1
        assert any(part in result.stderr for part in said.split("|")), result.stderr


def test_a_network_is_trained_on_the_sample(run, tmp_path, monkeypatch):
    from atelier.data.sample import draw_sample

    monkeypatch.setenv("ATELIER_FAST", "1")
    sample = draw_sample(tmp_path / "sample", works=3, size=32, photos=3, workers=1)
    out = tmp_path / "model"
    asked = ("train", "cut_monet", "--data", sample, "--out", out)
    result = run(*asked, "--epochs", 1, "--seed", 3, "--json")
    assert result.exit_code == 0, result.stderr
    metrics = json.loads(result.stdout)["metrics"]
    assert (metrics["kind"], metrics["seed"]) == ("translator", 3)
    result = run(*asked, "--top", 2)
    assert result.exit_code == 1
    assert "recipes from photo to painting. Found --top" in result.stderr


def test_a_recipe_that_there_is_not_is_told_with_its_neighbors(run):
    result = run("train", "cyclegan_mone")
    assert result.exit_code == 1
    assert "Did you mean cyclegan_monet" in result.stderr
