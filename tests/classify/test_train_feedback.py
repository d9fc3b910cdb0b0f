import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from atelier import storage
from atelier.classify.datasets import load_datasets
from atelier.classify.frozen import kept_features
from atelier.classify.train import train
from atelier.data.splits import SplitConfig, load_split
from atelier.errors import AtelierError


@pytest.fixture
def feedback(tiny_collection, tiny_model, tmp_path):
    """Two new pictures of Plain, one of nobody known, and a copy of one that tests."""
    tests = load_split(tiny_collection, SplitConfig()).part("test")
    for number, artist in enumerate(("Plain", "Plain", "Nobody")):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        (tmp_path / "feedback" / artist).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "feedback" / artist / f"{number}.png")
    held = tests.iloc[0]
    (tmp_path / "feedback" / held["label"]).mkdir(exist_ok=True)
    shutil.copy(tiny_collection / held["path"], tmp_path / "feedback" / held["label"] / "copy.png")
    return tmp_path / "feedback"


def test_a_run_with_feedback_says_what_was_added_and_is_another_run(
    feedback, tiny_model, tiny_recipe, tiny_collection, tmp_path
):
    out = train(tiny_recipe, tiny_collection, tmp_path / "m", feedback=feedback)
    metrics, plain = (storage.read_json(f / "metrics.json") for f in (out, tiny_model))
    assert metrics["feedback"] == {
        "fingerprint": metrics["feedback"]["fingerprint"],
        "added": 2,
        "labels": {"Plain": 2},
        "left_out": {"of a val or test picture": 1, "of no class here": 1},
        "disputed": [],
    }
    assert metrics["counts"]["train"]["Plain"] == plain["counts"]["train"]["Plain"] + 2
    for part in ("val", "test"):
        assert metrics["counts"][part] == plain["counts"][part]
    assert metrics["split"] == plain["split"]
    assert metrics["run"] != plain["run"]
    assert metrics["val"]["n"] == plain["val"]["n"]


def test_without_feedback_a_run_is_what_it_always_was(tiny_model, tiny_recipe, tiny_collection):
    metrics = storage.read_json(tiny_model / "metrics.json")
    assert "feedback" not in metrics
    inputs = [tiny_recipe.to_json(), metrics["split"]["fingerprint"], None]
    assert metrics["run"] == storage.fingerprint(inputs)


@pytest.mark.once
def test_a_run_with_feedback_is_resumed_until_its_bytes_change(
    feedback, tiny_recipe, tiny_collection, tmp_path
):
    def again(epochs=1, **options):
        return train(
            tiny_recipe,
            tiny_collection,
            tmp_path / "m",
            epochs=epochs,
            feedback=feedback,
            **options,
        )

    def run():
        return storage.read_json(again() / "metrics.json")["run"]

    first = run()
    assert run() == first
    picture = next((feedback / "Plain").glob("?.png"))
    Image.fromarray(np.full((32, 32, 3), 77, np.uint8)).save(picture)
    with pytest.raises(AtelierError, match="--overwrite"):
        again()
    again(overwrite=True)
    assert run() != first
    with pytest.raises(AtelierError, match="--overwrite"):
        train(tiny_recipe, tiny_collection, tmp_path / "m", epochs=1)


def test_features_of_feedback_follow_its_bytes(feedback, tiny_recipe, tiny_collection):
    inputs = keras.Input((32, 32, 3))
    trunk = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))

    def features():
        data = load_datasets(tiny_recipe, tiny_collection, feedback=feedback)
        means = data.pictures("train").mean(axis=(1, 2))
        return kept_features(trunk, data, ("train",))["train"], means

    before, _ = features()
    picture = next((feedback / "Plain").glob("?.png"))
    Image.fromarray(np.full((32, 32, 3), 77, np.uint8)).save(picture)
    after, means = features()
    assert not np.array_equal(before, after)
    np.testing.assert_allclose(after, means, atol=0.1)
