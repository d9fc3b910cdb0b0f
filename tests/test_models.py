import subprocess
import sys

import keras
import numpy as np
import pytest

from atelier import models, storage
from atelier.errors import AtelierError


@pytest.fixture
def saved(save_network):
    def save(name, *, half=False, seed=0):
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((8, 8, 3))
        x = keras.layers.Rescaling(1 / 255)(inputs)
        x = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(x))
        outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(x))
        network = keras.Model(inputs, outputs)
        return network, save_network(network, name, half=half)

    return save


def pictures():
    return np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)).astype("float32")


@pytest.mark.parametrize(("half", "tolerance"), [(False, 1e-6), (True, 2e-3)])
def test_a_loaded_model_says_what_the_saved_one_said(saved, half, tolerance):
    network, folder = saved("one", half=half)
    loaded = models.load("one")
    assert loaded.class_names == ["a", "b", "c"]
    assert loaded.folder == folder
    np.testing.assert_allclose(
        loaded.model.predict(pictures(), verbose=0),
        network.predict(pictures(), verbose=0),
        atol=tolerance,
    )


def test_half_kernels_are_float16_on_disk_and_vectors_are_not(saved):
    import h5py

    _, folder = saved("one", half=True)
    kinds = set()
    with h5py.File(folder / models.WEIGHTS) as file:
        file.visititems(
            lambda _, item: (
                kinds.add((item.ndim, str(item.dtype))) if hasattr(item, "ndim") else None
            )
        )
    assert (1, "float32") in kinds
    assert {kind for ndim, kind in kinds if ndim > 1} == {"float16"}


@pytest.mark.parametrize("name", ["model.keras", "classes.json", "metrics.json"])
def test_a_changed_byte_is_noticed(saved, name):
    _, folder = saved("one")
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert models.verify("one")[name] == "changed"
    with pytest.raises(AtelierError, match=name):
        models.load("one")


def test_a_missing_file_is_noticed(saved):
    _, folder = saved("one")
    (folder / "model.keras").unlink()
    with pytest.raises(AtelierError, match=r"model\.keras changed or missing"):
        models.load("one")


def test_a_model_that_runs_code_on_loading_is_refused(saved):
    _, folder = saved("one")
    evil = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x)])
    evil.save(folder / "model.keras")
    models.record(folder, {}, "")
    with pytest.raises(ValueError, match="safe_mode"):
        models.load("one")


def test_an_unknown_model_is_answered_with_those_that_are_there(saved):
    saved("one")
    with pytest.raises(AtelierError, match=r"'two' \(in models/: one\)"):
        models.find("two")


def test_record_keeps_the_checksums_true(saved):
    _, folder = saved("one")
    models.record(folder, {"test": {"accuracy": 0.25}}, "# Another card\n")
    assert set(models.verify("one").values()) == {"ok"}
    assert models.card("one") == "# Another card\n"
    (row,) = models.list_models().to_dict("records")
    assert row["test"] == 0.25


def test_models_are_named_by_kind(saved):
    saved("one")
    assert models.names() == models.names(models.CLASSIFIER) == ["one"]
    assert models.names(models.TRANSLATOR) == []
    with pytest.raises(AtelierError, match=r"a translator. Found one, a classifier"):
        models.find("one", models.TRANSLATOR)


@pytest.mark.once
def test_without_a_registry_no_model_asks_for_mlflow(saved):
    saved("one")
    code = """
import sys
from atelier import models
models.load("one")
try:
    models.find("champion")
except ValueError:
    pass
assert models.list_models()["version"].tolist() == [None]
assert not {"mlflow", "sqlalchemy"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_save_that_fails_leaves_the_old_model(saved, monkeypatch):
    _, folder = saved("one")
    before = (folder / "SHA256SUMS").read_text()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(storage, "write_json", fail)
    with pytest.raises(OSError, match="disk full"):
        saved("one", seed=1)
    assert (folder / "SHA256SUMS").read_text() == before
    assert not list(folder.parent.glob(".tmp-*"))


def test_a_network_that_was_just_loaded_is_kept_until_its_weights_are_others(saved):
    _, folder = saved("one")
    first = models.load("one")
    models.record(folder, {"val": {"accuracy": 0.75}}, "# A card\n")
    again = models.load("one")
    assert again.model is first.model
    assert again.metrics["val"]["accuracy"] == 0.75
    network, _ = saved("one", seed=1)
    np.testing.assert_allclose(
        models.load("one").model.predict(pictures(), verbose=0),
        network.predict(pictures(), verbose=0),
        atol=1e-6,
    )
