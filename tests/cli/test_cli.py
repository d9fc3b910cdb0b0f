import json
import logging
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import typer

from atelier.cli import app
from atelier.cli.output import plain
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

CONTRACT = {
    "data": {"fetch", "sample", "audit"},
    "models": {"list", "register", "card", "promote", "rollback", "verify", "reference"},
    "monitor": {"ab", "feedback", "report"},
    "notebooks": {"run", "list", "index"},
    "reproduce": None,
    "train": None,
    "tune": None,
    "evaluate": None,
    "classify": None,
    "explain": None,
    "similar": None,
    "outliers": None,
    "stylize": None,
    "translate": None,
    "app": None,
}
PRINTING = """
import sys
from atelier.cli import app
try:
    app({arguments}, prog_name="atelier")
except SystemExit as end:
    assert end.code == 0, end.code
heavy = "tensorflow keras jax numpy pandas matplotlib sklearn cv2 PIL nbclient".split()
print([name for name in heavy if name in sys.modules], file=sys.stderr)
"""


def command_tree(command, path=()):
    """Yield (path, command) for every command that does something."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from command_tree(inner, (*path, name))
    else:
        yield path, command


COMMANDS = dict(command_tree(typer.main.get_command(app)))


def cpu_seconds_of(command):
    import resource

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_commands_are_those_of_the_contract():
    tree = typer.main.get_command(app).commands
    found = {
        name: set(command.commands) if hasattr(command, "commands") else None
        for name, command in tree.items()
    }
    assert found == CONTRACT


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(run, path):
    result = run(*path, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout
    assert COMMANDS[path].help


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_parameter_is_described(path):
    for parameter in COMMANDS[path].params:
        assert parameter.help, f"{parameter.name} of {' '.join(path)}"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_prints_json_where_asked(path):
    assert any("--json" in parameter.opts for parameter in COMMANDS[path].params)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    code = PRINTING.format(arguments=arguments)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stderr.strip() == "[]"
    assert result.returncode == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows does not count a child's CPU seconds")
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_answers_within_half_a_second(option):
    command = [sys.executable, "-m", "atelier.cli", option]
    assert min(cpu_seconds_of(command) for _ in range(3)) < 0.5


def test_data_comes_first_in_the_help(run):
    shown = run("--help").stdout
    assert 0 < shown.index("data ") < shown.index("train ") < shown.index("models ")


def test_version_is_that_of_the_package(run):
    import atelier

    assert run("--version").stdout == f"atelier {atelier.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["train"], ["train", "x", "--epochs", "0"], ["data", "audit", "--nonsense"]],
)
def test_wrong_usage_exits_with_2(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_an_error_that_the_user_can_mend_is_one_line_on_stderr(run, monkeypatch):
    monkeypatch.setattr("atelier.models.card", failing(AtelierError("a", "b\nc", "Do d.")))
    result = run("models", "card", "x")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == "atelier: Expected a. Found b c. Do d.\n"


def test_an_unexpected_error_is_one_line_that_points_to_debug(run, monkeypatch):
    monkeypatch.setattr("atelier.models.card", failing(RuntimeError("out of\nluck.")))
    result = run("models", "card", "x")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "RuntimeError: out of luck. Run `atelier --debug" in result.stderr


@pytest.mark.parametrize("error", [AtelierError("a", "b", "Do c."), RuntimeError("out of luck")])
def test_debug_shows_the_traceback(run, monkeypatch, error):
    monkeypatch.setattr("atelier.models.card", failing(error))
    result = run("--debug", "models", "card", "x")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert type(error).__name__ in result.stderr


def test_an_interruption_is_one_line_and_exits_with_130(run, monkeypatch):
    monkeypatch.setattr("atelier.models.card", failing(KeyboardInterrupt()))
    result = run("models", "card", "x")
    assert result.exit_code == 130
    assert result.stderr.count("\n") == 1
    assert "run the same command again" in result.stderr


def test_warnings_of_the_library_are_one_plain_line_each(run, monkeypatch):
    def card(name):
        logging.getLogger("atelier.models").warning("[bold]%s skipped", "x" * 200)
        logging.getLogger("atelier.models").info("not worth saying")
        return "the card"

    monkeypatch.setattr("atelier.models.card", card)
    result = run("models", "card", "x")
    assert result.stdout == "the card\n"
    assert result.stderr == f"[bold]{'x' * 200} skipped\n"


def test_json_on_stdout_is_clean_whatever_keras_prints(run, monkeypatch, tmp_path):
    pytest.importorskip("atelier.classify.train")

    def train(recipe, directory, out, *, progress, **options):
        sys.stdout.write("Epoch 1/2 …\n")
        progress(1, 2)
        (tmp_path / "metrics.json").write_text('{"accuracy": 0.5}')
        return tmp_path

    monkeypatch.setattr("atelier.classify.train.train", train)
    monkeypatch.setattr("atelier.cli.training.read_collection", lambda data: tmp_path)
    result = run("train", "published_cnn", "--data", tmp_path, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"model": str(tmp_path), "metrics": {"accuracy": 0.5}}
    assert "Epoch 1/2" in result.stderr


def test_train_hands_its_options_on(run, monkeypatch, tmp_path, atelier_root):
    seen = {}

    def train(recipe, directory, out, **options):
        seen.update(options, recipe=recipe.name, directory=directory, out=out)
        return out

    monkeypatch.setattr("atelier.classify.train.train", train)
    monkeypatch.setattr("atelier.cli.training.read_collection", lambda data: tmp_path)
    options = ["--epochs", 3, "--seed", 7, "--subset", 5, "--overwrite"]
    assert run("train", "published_cnn", *options).exit_code == 0
    progress = seen.pop("progress")
    assert callable(progress)
    assert seen == {
        "recipe": "published_cnn",
        "directory": tmp_path,
        "out": atelier_root / "models" / "published_cnn",
        "epochs": 3,
        "seed": 7,
        "subset": 5,
        "overwrite": True,
    }


def test_tune_hands_its_options_on(run, monkeypatch, tmp_path):
    seen = {}

    def tune(recipe, directory, out, **options):
        seen.update(options, out=out)
        return out

    monkeypatch.setattr("atelier.classify.tune.tune", tune)
    monkeypatch.setattr("atelier.cli.training.read_collection", lambda data: tmp_path)
    options = ["--trials", 2, "--executions", 1, "--epochs", 4, "--out", tmp_path / "search"]
    result = run("tune", "published_cnn", *options, "--json")
    assert json.loads(result.stdout) == {"search": str(tmp_path / "search")}
    del seen["progress"]
    assert seen == {
        "out": tmp_path / "search",
        "trials": 2,
        "executions": 1,
        "epochs": 4,
        "subset": None,
        "overwrite": False,
    }


def test_classify_writes_csv_and_json(run, monkeypatch, tmp_path):
    table = pd.DataFrame(
        {"path": ["a.jpg"], "rank": [1], "class_name": ["Monet"], "probability": [np.float32(0.5)]}
    )
    table.attrs["skipped"] = [("b.jpg", "not a picture")]
    monkeypatch.setattr("atelier.classify.predict.classify", lambda *args, **options: table)
    monkeypatch.setattr("atelier.models.find", lambda name: tmp_path)
    result = run("classify", "m", "a.jpg", "b.jpg", "--json", "--csv", tmp_path / "out.csv")
    assert json.loads(result.stdout) == {
        "predictions": [{"path": "a.jpg", "rank": 1, "class_name": "Monet", "probability": 0.5}],
        "skipped": [["b.jpg", "not a picture"]],
    }
    assert pd.read_csv(tmp_path / "out.csv")["class_name"].tolist() == ["Monet"]


def test_evaluate_shows_scores_with_their_intervals(run, monkeypatch, tmp_path):
    metrics = {
        "n": 10,
        "accuracy": 0.8,
        "intervals": {"accuracy": [0.5, 1.0]},
        "per_class": {"Monet": {"precision": 1.0, "recall": 0.5, "f1": 2 / 3, "support": 4}},
    }
    monkeypatch.setattr("atelier.classify.predict.evaluate_model", lambda *a, **o: metrics)
    monkeypatch.setattr("atelier.cli.judging.locate", lambda data: tmp_path)
    monkeypatch.setattr("atelier.models.find", lambda name: tmp_path)
    rows = [line.split("\t") for line in run("evaluate", "m").stdout.splitlines()]
    assert ["accuracy", "0.800", "0.500", "1.000"] in rows
    assert ["Monet", "1.000", "0.500", "0.667", "4", ""] in rows
    assert json.loads(run("evaluate", "m", "--json").stdout) == metrics


def test_fetch_without_a_name_lists_the_collections(run):
    from atelier.data.sources import SOURCES

    listed = json.loads(run("data", "fetch", "--json").stdout)
    assert [row["name"] for row in listed] == list(SOURCES)


def test_plain_values_are_valid_json():
    value = {
        1: np.float32(0.5),
        "nan": float("nan"),
        "array": np.arange(2),
        "table": pd.DataFrame({"a": [1, None]}),
        "missing": pd.NA,
        "path": __file__,
        "truth": np.bool_(True),
    }
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == {
        "1": 0.5,
        "nan": None,
        "array": [0, 1],
        "table": [{"a": 1.0}, {"a": None}],
        "missing": None,
        "path": __file__,
        "truth": True,
    }


def failing(error):
    def fail(*args, **options):
        raise error

    return fail
