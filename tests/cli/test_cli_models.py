"""`atelier models`: versions and aliases from the command line."""

import json

import keras
import pytest

from atelier import models, registry, storage

pytestmark = pytest.mark.once


@pytest.fixture
def saved(save_network):
    """A function that saves a tiny model of a name."""

    def save(name):
        inputs = keras.Input((4, 4, 3))
        outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(inputs))
        return save_network(keras.Model(inputs, outputs), name, half=False)

    return save


def said(result):
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_models_are_registered_promoted_listed_and_rolled_back(run, saved):
    folder = saved("one")
    saved("two")
    assert said(run("models", "list", "--json"))[0]["version"] is None
    assert said(run("models", "list", "--versions", "--json")) == []
    assert "No versions" in run("models", "list", "--versions").stdout
    first = said(run("models", "register", "one", "--json"))
    assert (first["version"], first["model"], first["aliases"]) == ("artist/1", "one", [])
    assert run("models", "promote", "artist/1").stdout == "artist@champion is now artist/1 (one)\n"
    second = said(run("models", "promote", "two", "--json"))
    assert (second["alias"], second["version"]) == ("champion", "artist/2")
    run("models", "promote", "one", "--alias", "challenger")
    rows = said(run("models", "list", "--json"))
    assert [(row["version"], row["aliases"]) for row in rows] == [
        ("artist/1", "challenger"),
        ("artist/2", "champion"),
    ]
    table = [line.split("\t") for line in run("models", "list", "--versions").stdout.splitlines()]
    assert {row[0]: row[2] for row in table[1:]} == {
        "artist/1": "challenger",
        "artist/2": "champion",
    }
    assert table[-1][-1] == storage.file_sha256(folder / "SHA256SUMS")[:12]
    assert run("models", "rollback").stdout == "artist@champion is again artist/1 (one)\n"
    assert registry.resolve("champion").number == 1
    assert set(said(run("models", "verify", "artist@champion", "--json")).values()) == {"ok"}
    assert said(run("models", "card", "champion", "--json"))["card"] == "# A card\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("register", "none"), "artist@champion. Found 'none' (in models/: one)"),
        (("promote", "artist/7"), "Found 'artist/7'"),
        (("rollback",), "an earlier version under artist@champion. Found none."),
        (("rollback", "--task", "fast"), "an earlier version under fast@champion"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_makes_no_registry(run, saved, arguments, line):
    saved("one")
    result = run("models", *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert line in result.stderr
    assert result.stderr.count("\n") == 1
    assert not registry.exists()


def test_a_damaged_version_is_named_by_verify(run, saved):
    saved("one")
    version = registry.register("one")
    (version.folder / "classes.json").write_text("[]")
    result = run("models", "verify", "artist/1")
    assert result.exit_code == 1
    assert "classes.json\tchanged" in result.stdout
    assert "the files of artist/1 as they were saved" in result.stderr
    assert set(models.verify("one").values()) == {"ok"}
