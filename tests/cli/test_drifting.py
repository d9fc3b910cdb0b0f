"""`atelier monitor report` and `atelier models reference`, from arguments to files."""

import json
import time

import numpy as np
import pytest

from atelier import models, paths
from atelier.classify.reference import Reference, load_reference, write_reference
from atelier.serve.store import Request, Store

SIZE = 4


@pytest.fixture
def watched(atelier_root):
    """A folder `models/ours` that looks like a classifier's, with a reference of three classes."""
    folder = paths.models_dir() / "ours"
    folder.mkdir(parents=True)
    (folder / "classes.json").write_text('["Ann", "Bob", "Cid"]')
    facts = {"class_names": ["Ann", "Bob", "Cid"], "width": SIZE}
    facts |= {"doubt": [-2.0, 1.0], "threshold": 3.0}
    vectors = np.random.default_rng(0).normal(size=(150, SIZE))
    axes, weights = np.eye(SIZE + 1, SIZE), np.zeros(SIZE)
    made = Reference(
        axes, np.zeros(SIZE), weights, np.float16(vectors), np.array([50, 50, 50]), facts
    )
    write_reference(made, folder)
    return folder


def ask(count, *, model="ours", days_ago=0.0, shift=0.0, seed=1, **changes):
    """Put classifications into the store, the last of them just now or so many days ago."""
    rng, store = np.random.default_rng(seed), Store()
    for number in range(count):
        store.add(
            Request(
                time=time.time() - days_ago * 86_400 - (count - number),
                kind="classify",
                model=model,
                seconds=0.1,
                predicted=("Ann", "Bob", "Cid")[number % 3],
                confidence=0.8,
                outlying=False,
                embedding=rng.normal(shift, 1, SIZE),
                **changes,
            )
        )
    store.close()


@pytest.mark.once
def test_a_quiet_month_exits_with_0_and_leaves_a_page(run, watched, tmp_path):
    ask(60)
    page = tmp_path / "page.html"
    result = run("monitor", "report", "--out", page)
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert rows[0] == ["check", "measure", "value", "threshold", "p", "requests", "verdict"]
    assert {row[-1] for row in rows[1:7]} == {"fine"}
    assert f"The page is {page}" in result.stdout
    assert "No threshold is crossed." in page.read_text(encoding="utf-8")


@pytest.mark.once
def test_a_crossed_threshold_exits_with_3_after_the_page_is_written(run, watched):
    ask(60, shift=2.0)
    result = run("monitor", "report", "--json")
    assert result.exit_code == 3, result.output
    told = json.loads(result.stdout)
    assert told["crossed"] == ["embeddings", "told apart"]
    assert told["page"] == str(paths.build_dir() / "monitor.html")
    assert (paths.build_dir() / "monitor.html").is_file()


@pytest.mark.once
def test_nothing_asked_yet_is_too_little_data(run, watched):
    result = run("monitor", "report", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["requests"] == 0
    assert {row["verdict"] for row in told["checks"]} <= {"too little data", "no reference"}


@pytest.mark.once
def test_since_leaves_out_what_is_older(run, watched):
    ask(60, days_ago=10, shift=2.0)
    ask(60, seed=2)
    assert run("monitor", "report").exit_code == 3
    result = run("monitor", "report", "--since", 7, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["requests"] == 60


@pytest.mark.once
def test_a_model_is_compared_by_name(run, watched):
    ask(60)
    ask(60, model="other", shift=2.0)
    told = json.loads(run("monitor", "report", "--model", "ours", "--json").stdout)
    assert (told["model"], told["crossed"]) == ("ours", [])
    assert "60 were answered by others" in told["notes"][0]


@pytest.mark.once
def test_a_model_that_is_gone_is_said_and_compared_with_nothing(run, watched):
    ask(60, model="gone")
    result = run("monitor", "report", "--json")
    assert result.exit_code == 0, result.output
    assert "'gone'" in result.stderr
    verdicts = [row["verdict"] for row in json.loads(result.stdout)["checks"]]
    assert verdicts.count("no reference") == 3


@pytest.mark.once
def test_a_damaged_reference_ends_with_one_line_and_no_verdict(run, watched):
    ask(60)
    (watched / "reference.npz").write_bytes(b"broken")
    result = run("monitor", "report")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "atelier models reference ours" in result.stderr


def test_a_reference_is_built_beside_the_weights(run, tiny_model, tiny_collection, monkeypatch):
    folder = paths.models_dir() / "tiny"
    import shutil

    shutil.copytree(tiny_model, folder)
    monkeypatch.setattr("atelier.classify.reference_building.LEAST", 2)
    result = run("models", "reference", "tiny", "--data", tiny_collection, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["file"] == str(folder / "reference.npz")
    assert told["measured"]["known"]["pictures"] == told["counts"]["known"] > 0
    assert load_reference(folder).class_names == ["Across", "Down", "Plain"]
    assert set(models.verify("tiny").values()) == {"ok"}
    table = run("models", "reference", "tiny", "--data", tiny_collection).stdout.splitlines()
    assert table[0].split("\t") == [
        "judged by",
        "pictures",
        "outlying",
        "auroc",
        "auroc_of_doubt_alone",
    ]
    assert table[1].startswith("known\t")


@pytest.mark.once
def test_a_registered_version_gets_no_reference(run, watched, monkeypatch):
    monkeypatch.setattr("atelier.registry.is_copy", lambda folder: True)
    result = run("models", "reference", "ours")
    assert result.exit_code == 1
    assert "no registered version" in result.stderr
