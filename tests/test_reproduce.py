"""Making a table again: what it needs, apart from what is committed, and the comparison."""

import json
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from atelier import environment, reproduce, storage
from atelier.cli import app
from atelier.errors import AtelierError
from atelier.reproduce import comparing, making
from atelier.reproduce.tables import TABLES, Table, get_table

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("logging_as_before")]

REPOSITORY = Path(__file__).parents[1]
HOW = {"commit": None, "fast": False, "sample": False}
CELL = """
from atelier import paths, storage
trained = sorted(p.name for p in paths.models_dir().glob("*"))
metrics = {"split": {"fingerprint": "same"}, "test": {"accuracy": NEW, "macro_f1": 0.5}}
storage.write_json(paths.figures_dir() / "99_results.json", {"a net": metrics})
storage.write_json(paths.build_dir() / "seen.json", trained)
"""


def metrics_of(accuracy, mark="same", **more):
    return {"split": {"fingerprint": mark}, "test": {"accuracy": accuracy}, **more}


@pytest.fixture
def tiny(atelier_root, monkeypatch):
    """A function that adds a table whose notebook writes an accuracy; returns the `Table`."""
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # a kernel that sees it does not end with its process
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    table = Table("tiny", "a tiny one", "notebooks/99_tiny.ipynb", 1, results="99_results.json")
    monkeypatch.setitem(TABLES, "tiny", table)

    def add(new, committed=0.75):
        cell = nbformat.v4.new_code_cell(CELL.replace("NEW", str(new)))
        cells = [nbformat.v4.new_markdown_cell("# Tiny"), cell]
        path = atelier_root / table.source
        path.parent.mkdir(exist_ok=True)
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        before = {"a net": metrics_of(committed)}
        storage.write_json(atelier_root / "figures" / table.results, before)
        (atelier_root / "models" / "trained_before").mkdir(parents=True, exist_ok=True)
        return table

    return add


@pytest.fixture
def script(atelier_root, monkeypatch):
    """A table that a script makes."""
    table = Table("speed", "a quick one", "benchmarks/speed.py", 1, arguments=("--steps", "2"))
    monkeypatch.setitem(TABLES, "speed", table)
    (atelier_root / "benchmarks").mkdir()
    (atelier_root / table.source).write_text("import sys\nprint(sys.argv[1:])\n")
    return table


def run(*arguments):
    return CliRunner().invoke(app, ["reproduce", *map(str, arguments)])


def test_every_table_names_what_is_there():
    for table in TABLES.values():
        if table.name != "monet":  # its notebook is to come
            assert (REPOSITORY / table.source).is_file(), table.name
            assert not table.results or (REPOSITORY / "figures" / table.results).is_file()
        for model in table.models:
            assert (REPOSITORY / "models" / model / "metrics.json").is_file()


def test_every_notebook_with_numbers_and_every_benchmark_has_a_table():
    sources = {Path(table.source).name for table in TABLES.values()}
    there = {path.name for path in (REPOSITORY / "benchmarks").glob("*.py")}
    there |= {path.name for path in (REPOSITORY / "notebooks").glob("*.ipynb")}
    assert there - sources == {"01_explore_the_collection.ipynb"}


def test_every_committed_table_is_read_and_agrees_with_itself(monkeypatch):
    monkeypatch.setenv("ATELIER_ROOT", str(REPOSITORY))
    for table in TABLES.values():
        path = REPOSITORY / "figures" / str(table.results)
        if table.results and path.is_file():
            monkeypatch.setattr(comparing, "_new", lambda table, path=path: path)
            found = reproduce.compare(table, HOW, tolerance=0.0)
            assert found
            assert all(one.agrees for one in found), table.name
            reproduce.check_agreement(table, found, tolerance=0.0)


def test_an_unknown_table_is_an_error():
    with pytest.raises(AtelierError, match="Did you mean custom_cnn"):
        get_table("custom_ccn")


def test_the_list_says_what_makes_each_table_and_what_it_needs():
    lines = [line.split("\t") for line in run("--list").stdout.splitlines()]
    assert [line[0] for line in lines[1:]] == list(TABLES)
    row = next(line for line in lines if line[0] == "fast")
    assert row[2] == "notebooks/09_fast_style_transfer.ipynb"
    assert "gan-getting-started" in row[4]
    assert json.loads(run("--list", "--json").stdout)[0]["name"] == "custom_cnn"


def test_no_table_is_wrong_usage():
    assert run().exit_code == 2


def test_a_dry_run_says_where_is_looked_and_changes_nothing(atelier_root):
    said = json.loads(run("ours", "--dry-run", "--json").stdout)
    collection = said["needs"][0]
    assert collection["missing"]
    assert str(atelier_root / "data" / "best-artworks-of-all-time") in collection["found"]
    assert {need["name"] for need in said["needs"]} >= {"resnet50", "densenet169"}
    assert said["commands"][-1].endswith("atelier notebooks run 07_our_classifier")
    assert list(atelier_root.iterdir()) == []


def test_commands_are_as_one_would_type_them(monkeypatch, atelier_root, tmp_path):
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATELIER_WEIGHTS", "weights of mine")
    *before, last = map(str, making.steps(get_table("custom_cnn")))
    home = "build/reproduce/custom_cnn"
    assert before == [
        f"mkdir -p {home}/notebooks {home}/models",
        f"cp notebooks/02_custom_cnn.ipynb {home}/notebooks",
        f"ln -s ../../../data {home}/data",
    ]
    assert last == (
        f"ATELIER_ROOT={home} ATELIER_TRACKING=off ATELIER_DATA={tmp_path} "
        f"ATELIER_WEIGHTS='{tmp_path}/weights of mine' atelier notebooks run 02_custom_cnn"
    )
    on_sample = making.steps(get_table("custom_cnn"), sample=True)
    assert "ATELIER_DATA='' " in str(on_sample[-1])
    assert not any(step.command[0] == "ln" for step in on_sample)


def test_without_its_collection_nothing_begins(atelier_root):
    (atelier_root / "notebooks").mkdir()
    (atelier_root / "notebooks" / "02_custom_cnn.ipynb").touch()
    result = run("custom_cnn")
    assert result.exit_code == 1
    last = result.stderr.splitlines()[-1]
    assert "best-artworks-of-all-time, of which custom_cnn is made" in last
    assert "atelier data fetch" in last
    assert "--sample" in last
    assert not (atelier_root / "build").exists()


def test_a_table_is_made_apart_from_what_is_trained_and_agrees(tiny, atelier_root):
    table = tiny(0.76)
    result = run("tiny")
    assert result.exit_code == 0, result.stderr
    home = reproduce.home_of(table)
    assert storage.read_json(home / "build" / "seen.json") == []  # no models
    assert (home / "data").resolve() == atelier_root / "data"
    assert (atelier_root / "models" / "trained_before").is_dir()
    accuracy = result.stdout.splitlines()[1].split("\t")
    assert accuracy == ["a net", "test accuracy", "0.750", "0.760", "0.010", "yes", ""]
    tiny(0.5)  # what is done is compared again, not made again
    assert run("tiny").exit_code == 0
    result = run("tiny", "--overwrite")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(
        "atelier: Expected tiny within 0.03 of the committed numbers. Found 1 of 1 beyond it, most "
        "of all a net, test accuracy: 0.500 instead of 0.750."
    )


def test_a_script_leaves_what_it_printed(script, atelier_root):
    result = run("speed", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["rows"] == []
    printed = reproduce.home_of(script) / making.PRINTED
    assert printed.read_text() == "['--steps', '2', '--json']\n"


def test_what_fails_is_named_by_its_command_and_can_be_gone_on_with(script, atelier_root):
    good = (atelier_root / script.source).read_text()
    (atelier_root / script.source).write_text("raise SystemExit(3)\n")
    result = run("speed")
    assert result.exit_code == 1
    assert "python benchmarks/speed.py --steps 2 --json" in result.stderr
    assert "exit code 3" in result.stderr
    (atelier_root / script.source).write_text(good)
    assert run("speed").exit_code == 0


def test_two_codes_are_not_mixed(script, monkeypatch):
    assert run("speed").exit_code == 0
    monkeypatch.setattr(environment, "commit", lambda: "abc")
    result = run("speed")
    assert result.exit_code == 1
    assert "--overwrite" in result.stderr
    assert run("speed", "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "agrees"), [(0.70, 0.72, True), (0.70, 0.66, False), (0.70, 0.73, True)]
)
def test_shares_are_compared_as_they_are(old, new, agrees):
    one = comparing._compared("a", "test accuracy", old, new, "", 0.031)
    assert one.difference == pytest.approx(new - old)
    assert one.agrees is agrees


def test_distances_are_compared_by_their_size():
    one = comparing._compared("a", "style", 0.10, 0.12, "", 0.03)
    assert one.difference == pytest.approx(0.2)
    assert one.agrees is False
    assert comparing._compared("a", "judged fid", 200.0, 202.0, "", 0.03).agrees is True


def written(table, before, now, root):
    storage.write_json(root / "figures" / table.results, before)
    storage.write_json(comparing._new(table), now)


def test_other_pictures_are_shown_and_not_judged(atelier_root):
    table = TABLES["ours"]
    before = {"a": metrics_of(0.7), "b": metrics_of(0.7), "c": metrics_of(0.6)}
    now = {"a": metrics_of(0.1, "others"), "b": metrics_of(0.7), "d": metrics_of(0.9)}
    written(table, before, now, atelier_root)
    found = {one.row: one for one in reproduce.compare(table, HOW)}
    assert {row: one.agrees for row, one in found.items()} == {
        "a": None,
        "b": True,
        "c": None,
        "d": None,
    }
    assert found["a"].note == "other pictures"
    assert found["c"].note == "not made this time"
    assert found["d"].note == "nothing committed"
    reproduce.check_agreement(table, found.values())
    on_sample = reproduce.compare(table, {**HOW, "sample": True})
    assert all(one.agrees is None for one in on_sample)


def test_other_settings_are_judged_and_told(atelier_root):
    table = TABLES["ours"]
    rows = [{"a": metrics_of(0.7, run=run)} for run in ("one", "another")]
    written(table, *rows, atelier_root)
    (one,) = reproduce.compare(table, HOW)
    assert (one.agrees, one.note) == (True, "other settings")
    written(table, rows[0], {"a": metrics_of(0.5, run="another")}, atelier_root)
    with pytest.raises(AtelierError, match="settings"):
        reproduce.check_agreement(table, reproduce.compare(table, HOW))


def test_tables_of_distances_are_read(atelier_root):
    table, lines = TABLES["monet"], "method,fid,kid,milliseconds\n"
    old, new = atelier_root / "figures" / table.results, comparing._new(table)
    for path, row in ((old, "CUT,100.0,,5\n"), (new, "CUT,102.0,,9\n")):
        path.parent.mkdir(parents=True)
        path.write_text(lines + row)
    (one,) = reproduce.compare(table, HOW)
    assert (one.row, one.number, one.agrees) == ("CUT", "fid", True)
    assert one.difference == pytest.approx(0.02)


def test_a_run_that_left_no_numbers_does_not_pass():
    with pytest.raises(AtelierError, match=r"07_results\.json"):
        reproduce.compare(TABLES["ours"], HOW)


def test_a_number_that_is_none_does_not_agree():
    assert comparing._compared("a", "test accuracy", 0.7, float("nan"), "", 0.5).agrees is False


def test_the_tolerance_is_the_one_that_the_help_states():
    from atelier.cli import reproducing

    assert reproducing._TOLERANCE == comparing.TOLERANCE


def test_costs_of_a_machine_are_not_compared(monkeypatch):
    monkeypatch.setenv("ATELIER_ROOT", str(REPOSITORY))
    rows = comparing._read(REPOSITORY / "figures" / "09_methods.csv")
    assert rows["fast"][1].keys() == {
        "content",
        "perceptual",
        "style",
        "wasserstein",
        "color",
        "frechet",
        "artfid",
    }


@pytest.mark.notebook
@pytest.mark.timeout(1800)
def test_a_table_of_the_repository_is_made_of_the_sample(atelier_root, monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    monkeypatch.setenv("ATELIER_FAST", "1")
    for name in ("notebooks", "figures"):
        (atelier_root / name).symlink_to(REPOSITORY / name)
    result = run("styles")
    assert result.exit_code == 0, result.stderr
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    notes = {line[-1] for line in lines if line[1:2] == ["test accuracy"]}
    assert "other pictures" in notes
    assert notes <= {"other pictures", "not made this time", "nothing committed"}
    assert not (atelier_root / "models").exists()
