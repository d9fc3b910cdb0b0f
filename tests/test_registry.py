import concurrent.futures
import dataclasses
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import time

import keras
import numpy as np
import pandas as pd
import pytest

from atelier import models, paths, registry, storage
from atelier.checksums import write_checksums
from atelier.errors import AtelierError
from atelier.registry import names, store, tracking

pytestmark = pytest.mark.once


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory):
    """A registry's file with its tables, which take seconds to make."""
    file = tmp_path_factory.mktemp("registry") / store.DATABASE
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
        store.client()
    return file


@pytest.fixture
def there(atelier_root, empty_registry):
    """The path of a registry in `models/` that holds nothing yet."""
    paths.models_dir().mkdir()
    return shutil.copy(empty_registry, paths.models_dir() / store.DATABASE)


@pytest.fixture
def saved(save_network):
    """A function that saves a tiny model of a name in `models/`."""

    def save(name, *, seed=0, label=None):
        keras.utils.set_random_seed(seed)
        inputs = keras.Input((4, 4, 3))
        outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(inputs))
        folder = save_network(keras.Model(inputs, outputs), name, half=False)
        if label is not None:
            storage.write_json(folder / "recipe.json", {"name": "tiny", "split": {"label": label}})
            models.record(folder, storage.read_json(folder / "metrics.json"), "# A card\n")
        return folder

    return save


@pytest.fixture
def three(there, saved):
    """Folders of three models, none registered."""
    return [saved(name, seed=seed) for seed, name in enumerate(("one", "two", "three"))]


def promote_in_another_process(name):
    """Move the alias without loading the model, which takes a process seconds."""
    code = f"""
from atelier import registry
registry.aliases._try_out = lambda version: None
print(registry.promote({name!r}).name)
"""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_version_holds_the_listed_files_and_nothing_else(three):
    (three[0] / "backup").mkdir()
    (three[0] / "notes.txt").write_text("not listed")
    version = registry.register("one")
    assert (version.name, version.model, version.aliases) == ("artist/1", "one", ())
    listed = {line.split("  ")[1] for line in (three[0] / "SHA256SUMS").read_text().splitlines()}
    assert {path.name for path in version.folder.iterdir()} == {*listed, "SHA256SUMS"}
    for path in version.folder.iterdir():
        assert path.read_bytes() == (three[0] / path.name).read_bytes()
    assert version.digest == storage.file_sha256(three[0] / "SHA256SUMS")


def test_the_same_bytes_are_the_same_version(three):
    first = registry.register("one")
    shutil.copytree(three[0], three[0].with_name("copy"))
    assert registry.register("copy") == registry.register("artist/1") == first
    assert registry.register("two").number == 2


def test_a_version_stays_when_its_folder_is_trained_anew(three, saved):
    version = registry.register("one")
    before = models.load("artist/1").model.get_weights()
    saved("one", seed=9)
    after = models.load("artist/1").model.get_weights()
    for left, right in zip(before, after, strict=True):
        np.testing.assert_array_equal(left, right)
    assert registry.register("one").name == "artist/2"
    assert models.list_models().set_index("name").loc["one", "version"] == "artist/2"
    models.record(version.folder, {}, "# Another card\n")
    assert set(models.verify("artist/1").values()) == {"ok"}


@pytest.mark.parametrize("kind", ["damaged", "unlisted", "unknown"])
def test_what_cannot_be_a_version_is_refused(three, kind):
    if kind == "damaged":
        flip_a_byte(three[0] / "model.keras")
    elif kind == "unlisted":
        (three[0] / "SHA256SUMS").unlink()
    else:
        shutil.rmtree(three[0])
    with pytest.raises(AtelierError):
        registry.promote("one")
    assert registry.versions().empty


def test_a_model_is_registered_by_what_it_does(there, saved):
    assert registry.register(saved("a", label="style")).name == "style/1"
    for kind, task in ((models.FAST_PAINTER, "fast"), (models.TRANSLATOR, "monet")):
        folder = saved(task)
        (folder / "classes.json").unlink()
        storage.write_json(folder / "recipe.json", {"kind": kind})
        models.record(folder, {}, "")
        assert registry.register(task).name == f"{task}/1"
    storage.write_json(folder / "recipe.json", {})
    models.record(folder, {}, "")
    with pytest.raises(AtelierError, match="model without classes"):
        registry.register("monet")


def test_an_alias_moves_and_goes_back_step_by_step(three):
    assert registry.resolve("champion") is None
    for name in ("one", "two", "two", "three"):
        registry.promote(name)
    assert store.client().get_registered_model("artist").tags == {
        "atelier.before.champion": "[1, 2]"
    }
    registry.promote("artist/1", "challenger")
    assert models.load("champion").folder == registry.resolve("artist/3").folder
    assert models.find("artist@challenger") == registry.resolve("artist/1").folder
    assert list(models.list_models()["aliases"]) == ["challenger", "champion", ""]
    assert registry.rollback().aliases == ("champion",)
    assert registry.resolve("champion").model == "two"
    assert registry.rollback().model == "one"  # the second promotion of two has moved nothing
    with pytest.raises(AtelierError, match=r"under artist@champion\. Found only"):
        registry.rollback()
    assert registry.resolve("champion").model == "one"
    assert registry.resolve("challenger").model == "one"


def test_each_task_has_aliases_of_its_own(three, saved):
    saved("styles", label="style")
    registry.promote("one")
    registry.promote("styles")
    assert registry.resolve("artist@champion").model == "one"
    assert registry.resolve("style@champion").model == "styles"
    with pytest.raises(AtelierError, match=r"fast@champion\. Found none"):
        registry.rollback(task="fast")


def test_a_rollback_passes_over_a_version_that_was_deleted_and_one_that_moved_elsewhere(three):
    for name in ("one", "two", "three"):
        registry.promote(name)
    store.client().delete_model_version("artist", "2")
    assert registry.rollback().model == "one"
    registry.promote("three")
    store.client().set_registered_model_alias("artist", "champion", "1")  # in MLflow's own page
    with pytest.raises(AtelierError, match="an earlier version"):
        registry.rollback()


def test_a_process_that_dies_before_the_alias_moves_leads_no_rollback_astray(three, monkeypatch):
    for name in ("one", "two"):
        registry.promote(name)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(store.client()), "set_registered_model_alias", die)
        with pytest.raises(KeyboardInterrupt):
            registry.promote("three")
    assert registry.resolve("champion").model == "two"
    assert registry.rollback().model == "one"


@pytest.mark.parametrize("alias", ["latest", "v1", "a b", "x/y"])
def test_an_alias_that_mlflow_refuses_is_one_line(three, alias):
    with pytest.raises(AtelierError, match="alias"):
        registry.promote("one", alias)


def test_a_model_that_does_not_answer_is_not_promoted(there, saved):
    folder = saved("one")
    network = models.load("one").model
    network.set_weights([np.full_like(weight, np.nan) for weight in network.get_weights()])
    network.save(folder / "model.keras")
    models.record(folder, {}, "")
    with pytest.raises(AtelierError, match="numbers from artist/1"):
        registry.promote("one")
    assert registry.resolve("champion") is None


@pytest.mark.parametrize("listed_anew", [False, True])
def test_changed_files_of_a_version_are_refused_until_it_is_registered_again(
    three, listed_anew, caplog
):
    version = registry.promote("one")
    flip_a_byte(version.folder / "model.keras")
    if listed_anew:
        write_checksums(version.folder)
    with pytest.raises(AtelierError, match="atelier models register"):
        models.load("champion")
    assert registry.register("one") == version
    assert "mended" in caplog.text
    assert models.load("champion").folder == version.folder


def test_a_rollback_to_damaged_files_is_refused(three):
    version = registry.promote("one")
    registry.promote("two")
    flip_a_byte(version.folder / "model.keras")
    with pytest.raises(AtelierError, match=r"model\.keras changed"):
        registry.rollback()
    assert registry.resolve("champion").model == "two"


def test_a_promotion_by_another_process_is_picked_up(three):
    registry.promote("one")
    assert registry.resolve("champion").model == "one"
    promote_in_another_process("two")
    assert registry.resolve("champion").model == "two"


def test_promotions_at_once_are_all_remembered(three):
    registry.register("one")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(promote_in_another_process, name) for name in ("two", "three")]
        jobs += [pool.submit(registry.promote, name) for name in ("one", "two")]
        for job in jobs:
            job.result()
    assert sorted(registry.versions()["model"]) == ["one", "three", "two"]
    before = registry.resolve("champion").number
    seen = []
    while len(seen) < 4:
        try:
            seen.append(registry.rollback().number)
        except AtelierError:
            break
    assert {before, *seen} == {1, 2, 3}
    assert all(a != b for a, b in zip([before, *seen], seen, strict=False))


def test_a_process_waits_while_another_writes(three):
    registry.register("one")
    code = """
from atelier.registry import store
with store.locked():
    print("held", flush=True)
    input()
"""
    with (
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        assert other.stdout.readline() == "held\n"
        job = pool.submit(registry.register, "two")
        time.sleep(1)
        assert not job.done()
        other.communicate("\n")
        assert job.result().name == "artist/2"


def test_threads_get_the_same_answer_while_the_alias_moves(three):
    registry.promote("one")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(registry.resolve, "champion") for _ in range(60)]
        registry.promote("two")
        answers = {job.result().model for job in asked}
    assert answers <= {"one", "two"}
    assert registry.resolve("champion").model == "two"


def age(file, seconds=60):
    """Let a file seem to have been written a while ago."""
    past = time.time() - seconds
    os.utime(file, (past, past))


def test_an_answer_is_kept_until_the_registry_changes(three, monkeypatch):
    registry.promote("one")
    age(store.database())
    first, asked = registry.resolve("champion"), []
    real = names._look_up
    monkeypatch.setattr(names, "_look_up", lambda *wanted: asked.append(wanted) or real(*wanted))
    began = time.perf_counter()
    assert all(registry.resolve("champion") == first for _ in range(200))
    assert (time.perf_counter() - began) / 200 < 0.005
    assert asked == []
    registry.promote("two")
    assert registry.resolve("champion").model == "two"
    assert asked


def test_the_last_answer_stands_while_the_registry_is_broken(three, caplog):
    registry.promote("one")
    version = registry.resolve("champion")
    whole = store.database().read_bytes()
    store.database().write_bytes(b"no database" * 1000)
    assert registry.resolve("champion") == version
    assert "what it last said stands" in caplog.text
    with pytest.raises(AtelierError, match="a registry"):
        registry.resolve("artist@challenger")
    store.database().write_bytes(whole)
    assert registry.resolve("artist@challenger") is None


@pytest.mark.parametrize(
    "name", ["artist/9", "style/1", "artist@nobody", "../models", "artist/x", "", "a/b/c", "v1"]
)
def test_what_is_no_version_is_none(three, name):
    registry.register("one")
    assert registry.resolve(name) is None


def test_a_moved_registry_finds_its_files_and_writes_beside_itself(three, monkeypatch):
    version = registry.promote("one")
    old = paths.root()
    new = old.with_name("moved here")
    old.rename(new)
    monkeypatch.setenv("ATELIER_ROOT", str(new))
    assert models.load("champion").folder == new / version.folder.relative_to(old)
    assert registry.promote("two").folder.is_relative_to(new)
    assert not old.exists()
    assert str(old) not in "".join(sqlite3.connect(store.database()).iterdump())
    assert registry.rollback().model == "one"


def test_a_servers_versions_are_fetched_once_and_checked(three, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where MLflow keeps files if it is told no place
    monkeypatch.setattr(store, "database", lambda: None)  # as if it were one
    monkeypatch.setattr(store, "BELIEVED", 1e-9)
    version = registry.promote("one")
    assert version.folder.is_relative_to(paths.build_dir() / "registry")
    assert models.load("champion").folder == version.folder
    times = version.folder.stat().st_mtime_ns
    assert registry.resolve("champion").folder.stat().st_mtime_ns == times
    (version.folder / "SHA256SUMS").unlink()
    assert models.load("champion").folder == version.folder  # fetched anew
    flip_a_byte(version.folder / "model.keras")
    with pytest.raises(AtelierError, match="changed"):
        models.load("champion")
    registry.register("one")
    assert models.load("champion").folder == version.folder


def logged(folder):
    """MLflow's runs and its client."""
    client = store.client()
    number = client.get_experiment_by_name(store.EXPERIMENT).experiment_id
    return client, client.search_runs([number])


@pytest.fixture
def trained(there, saved, monkeypatch):
    """A folder as a training leaves it, and logging turned on."""
    monkeypatch.setenv("ATELIER_TRACKING", "on")
    folder = saved("one", label="artist")
    recipe = {
        "name": "tiny",
        "source": "x" * 7000,
        "phases": [{"epochs": 2}],
        "image_size": [4, 4],
        "augment": None,
        "split": {"label": "artist"},
        "network_options": {f"taps of {n}": n for n in range(120)},
    }
    metrics = {
        "run": "0123456789ab",
        "split": {"fingerprint": "abcdef", "seed": 0},
        "counts": {"train": {"a": 3}},
        "minutes": 2.0,
        "device": "a laptop",
        "versions": {"keras": "3"},
        "val": {"accuracy": 0.5, "intervals": {"accuracy": [0, 1]}, "nothing": None},
        "test": {"accuracy": 0.25},
    }
    history = pd.DataFrame(
        {
            "epoch": range(1, 601),
            "loss": np.linspace(2, 1, 600),
            "accuracy": 0.5,
            "val_loss": [np.nan, *np.linspace(2, 1, 599)],
            "phase": "training",
        }
    )
    storage.write_json(folder / "recipe.json", recipe)
    history.to_csv(folder / "history.csv", index=False)
    models.record(folder, metrics, "# Its card\n")
    return folder


def test_a_training_is_logged_whole_and_once(trained):
    assert registry.log_training(trained, data="pictures") == trained
    registry.log_training(trained)
    client, (run,) = logged(trained)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "one"
    assert run.info.end_time - run.info.start_time == 120_000
    params = run.data.params
    assert params["phases.0.epochs"] == "2"
    assert params["image_size"] == "[4, 4]"
    assert params["augment"] == "null"
    assert params["network_options.taps of 119"] == "119"
    assert params["source"] == "x" * 6000
    scores = {name: value for name, value in run.data.metrics.items() if "/" in name}
    assert scores == {"val/accuracy": 0.5, "test/accuracy": 0.25}
    assert "seed" not in run.data.metrics
    assert run.data.tags[tracking.RUN] == "0123456789ab"
    assert run.data.tags[tracking.DATA] == "pictures"
    assert (run.data.tags["device"], run.data.tags["kind"]) == ("a laptop", "classifier")
    assert json.loads(run.data.tags["versions"]) == {"keras": "3"}
    losses = client.get_metric_history(run.info.run_id, "loss")
    np.testing.assert_allclose([m.value for m in losses], np.linspace(2, 1, 600))
    assert [m.step for m in losses] == list(range(1, 601))
    assert len(client.get_metric_history(run.info.run_id, "val_loss")) == 599
    files = [f.path for f in client.list_artifacts(run.info.run_id, "training")]
    assert "training/card.md" in files
    (figure,) = client.list_artifacts(run.info.run_id, "figures")
    assert (figure.path, figure.file_size > 5000) == ("figures/curves.png", True)


def test_a_version_belongs_to_the_run_of_its_training(trained):
    registry.log_training(trained, data="pictures")
    version = registry.register(trained)
    _, (run,) = logged(trained)
    assert version.run == run.info.run_id
    tags = store.client().get_model_version("artist", "1").tags
    assert (tags[tracking.RUN], tags[tracking.DATA]) == ("0123456789ab", "pictures")
    assert (tags["val"], tags["test"]) == ("0.5", "0.25")
    metrics = storage.read_json(trained / "metrics.json")
    models.record(trained, {**metrics, "test": {"accuracy": 0.75}}, "")  # judged again
    assert registry.register(trained).run == run.info.run_id
    assert registry.versions()["test"].tolist() == [0.75, 0.25]


def test_the_same_recipe_trained_again_is_another_run(trained):
    registry.log_training(trained)
    history = pd.read_csv(trained / "history.csv")
    history.assign(loss=3.0).to_csv(trained / "history.csv", index=False)
    registry.log_training(trained)
    assert len(logged(trained)[1]) == 2


def test_a_run_that_was_cut_short_is_logged_again(trained, monkeypatch, caplog):
    with monkeypatch.context() as patch:
        patch.setattr(tracking, "_write_files", lambda *_: 1 / 0)
        assert registry.log_training(trained) == trained
    assert "one is finished, but not logged: division by zero" in caplog.text
    registry.log_training(trained)
    marked = [run for run in logged(trained)[1] if tracking.TRAINING in run.data.tags]
    assert len(marked) == 1


@pytest.mark.parametrize(
    ("tracking_", "fast", "wanted"),
    [(None, None, True), ("off", None, False), (None, "1", False), ("on", "1", True)],
)
def test_logging_is_on_but_for_fast_runs_and_where_it_is_off(monkeypatch, tracking_, fast, wanted):
    for name, value in (("ATELIER_TRACKING", tracking_), ("ATELIER_FAST", fast)):
        monkeypatch.setenv(name, value or "")
    assert tracking.tracked() is wanted


def test_trainings_are_logged_at_their_end(there, tiny_recipe, tiny_collection, monkeypatch):
    from atelier.classify.train import train

    monkeypatch.setenv("ATELIER_TRACKING", "on")
    out = paths.models_dir() / "tiny"
    assert train(tiny_recipe, tiny_collection, out, epochs=1) == out
    _, (run,) = logged(out)
    metrics = storage.read_json(out / "metrics.json")
    assert run.data.tags[tracking.RUN] == metrics["run"]
    assert run.data.tags[tracking.DATA] == metrics["split"]["fingerprint"]
    assert run.data.metrics["val/accuracy"] == metrics["val"]["accuracy"]


def test_a_training_ends_well_where_nothing_can_be_logged(trained, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////dev/null/registry.db")
    assert registry.log_training(trained) == trained
    assert "not logged" in caplog.text


def test_a_search_is_logged_with_its_trials(there, monkeypatch):
    monkeypatch.setenv("ATELIER_TRACKING", "on")
    folder = paths.models_dir() / "search"
    folder.mkdir()
    trials = {"trial": [2, 1], "units": [64, 32], "learning_rate": [0.01, 0.001]}
    pd.DataFrame({**trials, "score": [0.5, 0.25]}).to_csv(folder / "trials.csv", index=False)
    storage.write_json(folder / "search.json", {"run": "fedcba"})
    storage.write_json(folder / "best_recipe.json", {"name": "tiny", "units": 64})
    for _ in range(2):
        assert registry.log_search(folder, data="pictures") == folder
    client, (run,) = logged(folder)
    assert run.data.params["units"] == "64"
    assert run.data.metrics["best/score"] == 0.5
    scores = client.get_metric_history(run.info.run_id, "score")
    assert {m.step: m.value for m in scores} == {1: 0.25, 2: 0.5}
    assert client.list_artifacts(run.info.run_id, "figures")


def test_a_registry_is_made_where_there_is_none_and_nothing_is_printed(saved):
    saved("one")
    done = promote_in_another_process("one")
    assert (done.stdout, done.stderr) == ("artist/1\n", "")
    assert registry.resolve("champion").name == "artist/1"


def test_mlflow_does_not_phone_home():
    store.client()
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert is_telemetry_disabled()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert logging.getLogger("mlflow.store.db.utils").level == logging.CRITICAL


def test_a_version_does_not_change(three):
    with pytest.raises(dataclasses.FrozenInstanceError):
        registry.register("one").number = 2
