"""Tests choose the Keras backend by `KERAS_BACKEND`; the default is TensorFlow."""

import logging
import os
import shutil
import tempfile

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ["ATELIER_TRACKING"] = "off"  # trainings log nothing, but where a test says so
COMPILED = None  # the folder that this process made for what JAX compiles
if os.environ["KERAS_BACKEND"] == "jax" and "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    COMPILED = tempfile.mkdtemp(prefix="atelier-compiled-")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"


def pytest_collection_modifyitems(items):
    """What may take longest comes first, so that no process waits for another at the end."""

    def patience(item):
        marker = item.get_closest_marker("timeout")
        return marker.args[0] if marker else 0

    items.sort(key=patience, reverse=True)


def pytest_unconfigure():
    """The folder goes with the process that made it; those that pytest-xdist starts inherit it."""
    if COMPILED is not None:
        shutil.rmtree(COMPILED, ignore_errors=True)


@pytest.fixture(autouse=True)
def atelier_root(tmp_path, monkeypatch):
    """Every test has a repository of its own, and no collection or weights by accident."""
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.setenv("ATELIER_ROOT", str(root))
    for name in (
        "ATELIER_DATA",
        "ATELIER_WEIGHTS",
        "ATELIER_LISTS",
        "ATELIER_FIGURES",
        "ATELIER_FAST",
        "MLFLOW_TRACKING_URI",
    ):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def logging_as_before():
    """What the command line changes of logging is put back."""
    logger = logging.getLogger("atelier")
    before = logger.handlers[:], logger.level
    yield
    logger.handlers, level = before
    logger.setLevel(level)


@pytest.fixture(scope="session")
def tiny_collection_drawn(tmp_path_factory):
    """A folder of three folders of 12 pictures, 32 px; stripes tell the painters apart."""
    import numpy as np
    from PIL import Image

    directory = tmp_path_factory.mktemp("drawn") / "tiny"
    rng = np.random.default_rng(0)
    for number, artist in enumerate(("Across", "Down", "Plain")):
        (directory / artist).mkdir(parents=True)
        for work in range(12):
            coarse = Image.fromarray(rng.integers(30, 226, (8, 8, 3), "uint8"))
            pixels = np.array(coarse.resize((32, 32), Image.Resampling.BICUBIC), "int16")
            stripes = np.arange(32) // rng.integers(2, 5) % 2 * 60 - 30
            if artist != "Plain":
                pixels += stripes[:, None, None] if number else stripes[None, :, None]
            picture = Image.fromarray(pixels.clip(0, 255).astype("uint8"))
            picture.save(directory / artist / f"{artist}_{work}.png")
    return directory


@pytest.fixture
def tiny_collection(tiny_collection_drawn, tmp_path):
    """A copy of the tiny collection that a test may change."""
    return shutil.copytree(tiny_collection_drawn, tmp_path / "tiny")


@pytest.fixture(scope="session")
def tiny_recipe():
    """A recipe of two phases that trains on `tiny_collection` in a few seconds."""
    from atelier.classify.recipes import Phase, Recipe
    from atelier.data.splits import SplitConfig

    return Recipe(
        name="tiny",
        source="a test",
        network="published_cnn",
        network_options={"units": 8, "dropout": 0.5, "filters": [4, 8]},
        phases=(
            Phase("training", epochs=3, learning_rate=1e-2, patience=5),
            Phase("polishing", epochs=2, learning_rate=1e-3, schedule="cosine"),
        ),
        split=SplitConfig(),
        image_size=(32, 32),
        decode_size=(32, 32),
        train_size=(32, 32),
        batch_size=8,
    )


@pytest.fixture(scope="session")
def tiny_model(tiny_recipe, tiny_collection_drawn, tmp_path_factory):
    """The tiny recipe trained to its end on the tiny collection; not to be changed."""
    from atelier.classify.train import train

    home = tmp_path_factory.mktemp("tiny_model")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATELIER_ROOT", str(home))
        return train(tiny_recipe, tiny_collection_drawn, home / "models" / "tiny")


@pytest.fixture
def save_network():
    """A function that saves a network as a model of three classes, trained by nobody."""
    import pandas as pd

    from atelier import models

    def save(network, name, *, half):
        return models.save(
            models.paths.models_dir() / name,
            network,
            class_names=["a", "b", "c"],
            recipe={"name": "tiny"},
            metrics={"val": {"accuracy": 0.5}},
            history=pd.DataFrame({"epoch": [1], "loss": [1.0]}),
            card="# A card\n",
            half=half,
        )

    return save


@pytest.fixture
def offline(monkeypatch):
    """A function that lets an application of Keras, by name, build but not download."""
    import keras

    def refuse(name):
        build = getattr(keras.applications, name)

        def application(*, weights, **options):
            if weights is not None:
                raise Exception("URL fetch failure")  # Keras raises no other
            return build(weights=None, **options)

        monkeypatch.setattr(keras.applications, name, application)

    return refuse
