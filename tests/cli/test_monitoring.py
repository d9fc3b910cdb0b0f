import json
import time

import numpy as np
import pytest

from atelier.serve.ab import compare
from atelier.serve.feedback import feedback_table, give
from atelier.serve.store import Request, Store

pytestmark = pytest.mark.once


@pytest.fixture
def answer():
    """A function that keeps a request and what was said of it."""
    store = Store()

    def add(*, days=0.0, picture=None, artist=None, right=None, rating=None, **request):
        given = {"kind": "classify", "model": "atelier", "seconds": 0.1, "predicted": "Monet"}
        asked = Request(**{**given, "time": time.time() - days * 86_400, **request})
        store.add(asked)
        said = {"right": right, "artist": artist, "rating": rating, "picture": picture}
        if any(value is not None for value in said.values()):
            give(store, asked.id, **said)
            with store.writing() as connection:  # as if it had been given then
                connection.execute(
                    "UPDATE feedback SET time = ? WHERE request = ?", (asked.time, asked.id)
                )

    return add


def picture(seed):
    return np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)


def rows_of(result):
    return [line.split("\t") for line in result.stdout.splitlines()]


def test_without_feedback_both_say_so_plainly(run, atelier_root):
    for command in ("ab", "feedback"):
        result = run("monitor", command)
        assert result.exit_code == 0, result.stderr
    assert "atelier app" in run("monitor", "feedback").stdout
    assert "Too little data" in run("monitor", "ab").stdout
    assert json.loads(run("monitor", "ab", "--json").stdout)["verdict"] == "too little data"
    nothing = json.loads(run("monitor", "feedback", "--json").stdout)
    assert nothing == {"feedback": [], "exported": None}
    assert not (atelier_root / "data").exists()


def test_ab_compares_the_arms(run, answer):
    for number in range(40):
        answer(arm="champion", version="1", right=number < 20)
        answer(arm="challenger", version="2", right=number < 38)
    result = run("monitor", "ab")
    assert ["challenger", "atelier", "2", "40", "38", "0.950"] in [r[:6] for r in rows_of(result)]
    assert "The challenger is better." in result.stdout
    found = compare(feedback_table(Store()))
    answered = json.loads(run("monitor", "ab", "--json").stdout)
    assert answered["p_value"] == found.p_value
    assert answered["champion"]["right"] == 20


def test_ab_counts_from_a_day_on(run, answer):
    answer(arm="champion", right=True, days=10)
    answer(arm="champion", right=True, days=1)

    def judged(*options):
        return json.loads(run("monitor", "ab", "--json", *options).stdout)["champion"]["judged"]

    assert judged() == 2
    assert judged("--since", 5) == 1
    assert judged("--since", 0.5) == 0
    assert run("monitor", "ab", "--since", -1).exit_code == 2


def test_feedback_is_counted_by_model_and_version(run, answer):
    answer(version="1", right=True)
    answer(version="1", artist="Manet", picture=picture(0))
    answer(version="2", right=False)
    answer(version="2")  # nobody said anything
    for rating in (2, 5):
        answer(kind="stylize", model="fast", predicted=None, rating=rating)
    columns, *rows = rows_of(run("monitor", "feedback"))
    assert columns == [
        "kind",
        "model",
        "version",
        "feedback",
        "right",
        "wrong",
        "artists",
        "pictures",
        "ratings",
        "rating",
    ]
    assert rows == [
        ["classify", "atelier", "1", "2", "1", "1", "2", "1", "0", ""],
        ["classify", "atelier", "2", "1", "0", "1", "0", "0", "0", ""],
        ["stylize", "fast", "", "2", "0", "0", "0", "0", "2", "3.500"],
    ]
    counted = json.loads(run("monitor", "feedback", "--json").stdout)["feedback"]
    assert counted[2] == dict(
        zip(columns, ["stylize", "fast", None, 2, 0, 0, 0, 0, 2, 3.5], strict=True)
    )


def test_feedback_is_exported(run, answer, tmp_path):
    out = tmp_path / "export"
    answer(right=False, picture=picture(0))
    result = run("monitor", "feedback", "--export", out)
    assert result.exit_code == 0
    assert "Nothing to export" in result.stdout
    assert not out.exists()
    answer(right=True, picture=picture(1))
    assert str(out) in run("monitor", "feedback", "--export", out).stdout
    assert len(list((out / "Monet").glob("*.png"))) == 1
    again = json.loads(run("monitor", "feedback", "--export", out, "--json").stdout)
    assert again["exported"] == str(out)


@pytest.fixture
def trained_with(monkeypatch, tmp_path):
    """What `train` was called with, once it was."""
    seen = {}

    def train(recipe, directory, out, **options):
        seen.update(options)
        return out

    monkeypatch.setattr("atelier.classify.train.train", train)
    monkeypatch.setattr("atelier.cli.training.read_collection", lambda data: tmp_path)
    return seen


def test_training_takes_this_machines_feedback_when_asked(run, answer, trained_with, atelier_root):
    answer(artist="Manet", picture=picture(0))
    assert run("train", "published_cnn").exit_code == 0
    assert "feedback" not in trained_with
    result = run("train", "published_cnn", "--with-feedback")
    assert result.exit_code == 0, result.stderr
    assert trained_with["feedback"] == atelier_root / "data" / "served" / "feedback"
    assert len(list(trained_with["feedback"].glob("Manet/*.png"))) == 1


def test_training_takes_feedback_from_elsewhere(run, trained_with, tmp_path):
    assert run("train", "published_cnn", "--feedback", tmp_path / "theirs").exit_code == 0
    assert trained_with["feedback"] == tmp_path / "theirs"


def test_training_with_feedback_that_is_not_there_is_refused(run, trained_with):
    result = run("train", "published_cnn", "--with-feedback")
    assert result.exit_code == 1
    assert "none yet" in result.stderr
    assert not trained_with


@pytest.mark.parametrize("recipe", ["fast", "cyclegan_monet"])
@pytest.mark.parametrize("option", [["--with-feedback"], ["--feedback", "folder"]])
def test_only_classifiers_learn_from_feedback(run, recipe, option):
    result = run("train", recipe, *option)
    assert result.exit_code == 1
    assert option[0] in result.stderr


def test_retraining_on_corrected_labels_is_one_command(
    run, answer, tiny_collection, tiny_recipe, tmp_path
):
    from atelier import storage

    storage.write_json(tmp_path / "recipe.json", tiny_recipe.to_json())
    for seed in range(3):
        answer(predicted="Across", artist="Plain", picture=picture(seed))
    options = ["--data", tiny_collection, "--out", tmp_path / "model", "--epochs", 1, "--json"]
    result = run("train", tmp_path / "recipe.json", *options, "--with-feedback")
    assert result.exit_code == 0, result.stderr
    metrics = json.loads(result.stdout)["metrics"]
    assert metrics["feedback"]["added"] == 3
    assert metrics["feedback"]["labels"] == {"Plain": 3}
