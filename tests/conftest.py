"""Tests choose the Keras backend by `KERAS_BACKEND`; the default is TensorFlow."""

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "agg")


@pytest.fixture(autouse=True)
def atelier_root(tmp_path, monkeypatch):
    """Every test has a repository of its own, and no collection or weights by accident."""
    root = tmp_path / "repository"
    root.mkdir()
    monkeypatch.setenv("ATELIER_ROOT", str(root))
    for name in ("ATELIER_DATA", "ATELIER_WEIGHTS", "ATELIER_FAST"):
        monkeypatch.delenv(name, raising=False)
    return root
