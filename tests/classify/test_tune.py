import os
import socket
import subprocess
import sys

import pandas as pd
import pytest

from atelier import storage
from atelier.classify.recipes import get_recipe
from atelier.classify.tune import SearchSpace, tune
from atelier.errors import AtelierError

SMALL = {"trials": 2, "executions": 1, "epochs": 1, "space": SearchSpace(units=(4, 12, 4))}


def test_a_search_leaves_a_table_and_a_recipe_that_trains(tiny_recipe, tiny_collection, tmp_path):
    out = tune(tiny_recipe, tiny_collection, tmp_path / "search", **SMALL)
    table = pd.read_csv(out / "trials.csv")
    assert list(table.columns) == ["trial", "units", "learning_rate", "score"]
    assert len(table) == 2
    assert table["units"].isin([4, 8, 12]).all()
    assert table["learning_rate"].isin([1e-2, 1e-3, 1e-4]).all()
    assert table["score"].is_monotonic_decreasing
    best = get_recipe(out / "best_recipe.json")
    assert best.network_options["units"] == table["units"].iloc[0]
    assert best.phases[0].learning_rate == table["learning_rate"].iloc[0]


def test_a_search_that_was_stopped_goes_on(tiny_recipe, tiny_collection, tmp_path):
    epochs = []

    def stop(done, total):
        epochs.append(done)
        if done == 2:
            raise KeyboardInterrupt

    options = {**SMALL, "trials": 3}
    with pytest.raises(KeyboardInterrupt):
        tune(tiny_recipe, tiny_collection, tmp_path / "search", progress=stop, **options)
    seen = []
    tune(
        tiny_recipe,
        tiny_collection,
        tmp_path / "search",
        progress=lambda done, total: seen.append(done),
        **options,
    )
    assert len(seen) == 2  # the trial that was cut off, and the third; the first is kept
    assert len(pd.read_csv(tmp_path / "search" / "trials.csv")) == 3


def test_another_search_is_not_mixed_in(tiny_recipe, tiny_collection, tmp_path):
    storage.write_json(tmp_path / "search" / "search.json", {"run": "another"})
    with pytest.raises(AtelierError, match="one with other settings"):
        tune(tiny_recipe, tiny_collection, tmp_path / "search", **SMALL)


def test_a_recipe_without_a_hidden_layer_is_refused(tiny_recipe, tiny_collection, tmp_path):
    recipe = tiny_recipe.replace(network="atelier_cnn", network_options={"stem": 4})
    with pytest.raises(AtelierError, match="hidden layer"):
        tune(recipe, tiny_collection, tmp_path / "search", **SMALL)


def test_a_chief_and_a_worker_share_a_search(tiny_recipe, tiny_collection, tmp_path):
    pytest.importorskip("grpc")
    storage.write_json(tmp_path / "recipe.json", tiny_recipe.to_json())
    code = (
        "import sys\n"
        "from atelier.classify.recipes import get_recipe\n"
        "from atelier.classify.tune import tune\n"
        "tune(get_recipe(sys.argv[1]), sys.argv[2], sys.argv[3], trials=2, executions=1, epochs=1)"
    )
    out = tmp_path / "search"
    command = [sys.executable, "-c", code, str(tmp_path / "recipe.json"), str(tiny_collection)]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    place = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": port}
    processes = [
        subprocess.Popen(
            [*command, str(out)], env={**os.environ, **place, "KERASTUNER_TUNER_ID": name}
        )
        for name in ("chief", "worker1")
    ]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    assert len(pd.read_csv(out / "trials.csv")) == 2
