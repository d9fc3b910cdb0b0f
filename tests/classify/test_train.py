import json
import os
import shutil
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pandas as pd
import pytest

from atelier import models, storage
from atelier.checkpoint import Checkpoint
from atelier.classify.recipe import Phase
from atelier.classify.train import train
from atelier.errors import AtelierError


def weights(folder):
    return models.load(folder).model.get_weights()


@pytest.fixture
def trained(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "models" / "whole")


def test_a_run_leaves_a_whole_model_folder(trained):
    names = {path.name for path in trained.iterdir()}
    files = {"classes.json", "recipe.json", "metrics.json", "history.csv", "card.md", "SHA256SUMS"}
    assert files | {"model.keras"} <= names
    assert "backup" not in names
    metrics = storage.read_json(trained / "metrics.json")
    assert metrics["val"]["n"] == sum(metrics["counts"]["val"].values())
    assert metrics["seed"] == 0
    assert "test" not in metrics  # read once, by evaluate
    history = pd.read_csv(trained / "history.csv")
    assert list(history["phase"]) == ["training"] * 3 + ["polishing"] * 2
    assert history["val_loss"].notna().all()


def test_a_finished_run_is_returned_as_it_is(trained, tiny_recipe, tiny_collection):
    before = (trained / "metrics.json").stat().st_mtime_ns
    train(tiny_recipe, tiny_collection, trained)
    assert (trained / "metrics.json").stat().st_mtime_ns == before


def test_another_run_is_not_overwritten_unasked(trained, tiny_recipe, tiny_collection):
    with pytest.raises(AtelierError, match="--overwrite"):
        train(tiny_recipe, tiny_collection, trained, seed=1)
    train(tiny_recipe, tiny_collection, trained, seed=1, epochs=1, overwrite=True)
    assert storage.read_json(trained / "metrics.json")["seed"] == 1


class StopError(Exception):
    """Raised in the middle of an epoch, as a power cut would come."""


@pytest.mark.parametrize("step", [5, 11])
def test_an_interrupted_run_ends_like_one_that_was_not(
    step, trained, tiny_recipe, tiny_collection, tmp_path
):
    def stop(done, total, seen=[]):  # noqa: B006
        seen.append(done)
        if len(seen) == step:
            raise StopError

    out = tmp_path / "models" / "resumed"
    with pytest.raises(StopError):
        train(tiny_recipe, tiny_collection, out, progress=stop)
    assert not (out / "metrics.json").exists()
    train(tiny_recipe, tiny_collection, out)
    for ours, theirs in zip(weights(out), weights(trained), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    columns = ["epoch", "phase", "loss", "val_loss"]
    resumed, whole = (pd.read_csv(f / "history.csv")[columns] for f in (out, trained))
    pd.testing.assert_frame_equal(resumed, whole, rtol=1e-4)


def test_a_killed_process_resumes_from_its_last_whole_epoch(
    trained, tiny_recipe, tiny_collection, tmp_path
):
    out = tmp_path / "models" / "killed"
    storage.write_json(tmp_path / "recipe.json", tiny_recipe.to_json())
    code = (
        "import sys\n"
        "from atelier.classify.recipes import get_recipe\n"
        "from atelier.classify.train import train\n"
        "train(get_recipe(sys.argv[1]), sys.argv[2], sys.argv[3])"
    )
    arguments = [str(tmp_path / "recipe.json"), str(tiny_collection), str(out)]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments])
    state = out / "backup" / "state.json"
    while process.poll() is None and not state.exists():
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    done = len(storage.read_json(state)["history"])
    assert 1 <= done < 5
    train(tiny_recipe, tiny_collection, out)
    for ours, theirs in zip(weights(out), weights(trained), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_state_of_another_run_is_refused(tiny_recipe, tiny_collection, tmp_path):
    storage.write_json(tmp_path / "m" / "backup" / "state.json", {"run": "another"})
    with pytest.raises(AtelierError, match="what another run left"):
        train(tiny_recipe, tiny_collection, tmp_path / "m")


def test_patience_stops_and_brings_back_the_best_weights(tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(tmp_path / "backup", "run")
    checkpoint.set_model(model)
    phase = Phase("training", 9, 1e-2, patience=2)
    checkpoint.begin_phase(0, phase, model)
    for epoch, loss in enumerate((1.0, 0.5, 0.7, 0.6)):
        assert not checkpoint.stopped
        model.set_weights([np.array([[float(epoch)]])])
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, {"val_loss": loss})
    assert checkpoint.stopped
    assert model.stop_training
    resumed = Checkpoint(tmp_path / "backup", "run")
    resumed.begin_phase(0, phase, model)
    assert resumed.stopped
    resumed.restore()
    assert model.get_weights()[0] == 3.0  # the last epoch
    resumed.restore_best()
    assert model.get_weights()[0] == 1.0  # the epoch of loss 0.5


@pytest.mark.parametrize(("patience", "kept"), [(3, 0.0), (None, 2.0)])
def test_a_phase_that_only_does_harm_leaves_nothing_behind(patience, kept, tmp_path):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    model.optimizer.build(model.trainable_variables)
    checkpoint = Checkpoint(tmp_path / "backup", "run")
    checkpoint.set_model(model)
    losses = ((0.5,), (0.9, 0.8))
    for index, name in enumerate(("feature_extraction", "fine_tuning")):
        phase = Phase(name, 2, 1e-2, patience=patience if index else 3)
        checkpoint.begin_phase(index, phase, model)
        for epoch, loss in enumerate(losses[index]):
            model.set_weights([np.array([[float(index + epoch)]])])
            checkpoint.on_epoch_begin(epoch)
            checkpoint.on_epoch_end(epoch, {"val_loss": loss})
        checkpoint.restore_best()
    assert model.get_weights()[0] == kept  # without patience nothing is watched


def test_the_trained_model_says_the_same_in_a_fresh_process(trained, tmp_path):
    pictures = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.save(tmp_path / "pictures.npy", pictures)
    code = (
        "import json, sys, numpy\n"
        "from atelier import models\n"
        "model = models.load(sys.argv[1]).model\n"
        "print(json.dumps(model.predict(numpy.load(sys.argv[2]), verbose=0).tolist()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(trained), str(tmp_path / "pictures.npy")],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    ours = models.load(trained).model.predict(pictures, verbose=0)
    np.testing.assert_allclose(answer, ours, atol=1e-5)


def test_a_subset_takes_so_many_pictures_of_each_class(tiny_recipe, tiny_collection, tmp_path):
    folder = train(tiny_recipe, tiny_collection, tmp_path / "m", subset=1, epochs=1)
    counts = storage.read_json(folder / "metrics.json")["counts"]
    assert {n for labels in counts.values() for n in labels.values()} == {1}


def test_average_of_iterates_and_bfloat16_give_a_float32_model(
    tiny_recipe, tiny_collection, tmp_path
):
    recipe = tiny_recipe.replace(
        network="atelier_cnn",
        network_options={"stem": 4, "widths": [4, 8], "blocks": 1},
        precision="mixed_bfloat16",
        optimizer="adamw",
        weight_decay=0.05,
        ema_momentum=0.9,
        label_smoothing=0.1,
    )
    loaded = models.load(train(recipe, tiny_collection, tmp_path / "m", epochs=1))
    assert {layer.compute_dtype for layer in loaded.model.layers} == {"float32"}
