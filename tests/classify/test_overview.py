"""All models side by side."""

import shutil

import pytest

from atelier import storage
from atelier.classify.overview import overview, seed_spread
from atelier.classify.predict import evaluate_model
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


@pytest.fixture
def home(tiny_model, tiny_collection, tmp_path):
    """Two judged models and one that was never judged."""
    for name in ("first", "second", "unjudged"):
        shutil.copytree(tiny_model, tmp_path / "models" / name)
    for name in ("first", "second"):
        evaluate_model(tmp_path / "models" / name, tiny_collection)
    _with_accuracy(tmp_path / "models" / "second", 2.0)
    return tmp_path / "models"


def _with_accuracy(folder, value):
    metrics = storage.read_json(folder / "metrics.json")
    metrics["test"]["accuracy"] = value
    storage.write_json(folder / "metrics.json", metrics)


def test_judged_models_are_listed_best_first(home):
    assert list(overview(home, timed=False)["model"]) == ["second", "first"]


def test_models_are_timed_where_asked_and_counted(home):
    seen = []
    shutil.rmtree(home / "second")
    assert overview(home, progress=lambda done, total: seen.append((done, total)))["ms"][0] > 0
    assert seen == [(1, 1)]


def test_a_folder_without_judged_models_is_refused(tmp_path):
    with pytest.raises(AtelierError, match="judged on its test part"):
        overview(tmp_path)


def test_the_spread_is_that_of_the_runs(home):
    _with_accuracy(home / "first", 0.6)
    _with_accuracy(home / "second", 0.8)
    row = seed_spread({"tiny": [home / "first", home / "second"]}).iloc[0]
    assert (row["runs"], row["all"]) == (2, "0.600, 0.800")
    assert row["accuracy"] == pytest.approx(0.7)
    assert row["deviation"] == pytest.approx(0.02**0.5)
