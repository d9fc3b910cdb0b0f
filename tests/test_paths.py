import pytest

from atelier import paths
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def test_root_is_the_one_named(atelier_root):
    assert paths.root() == atelier_root


def test_a_root_that_does_not_exist_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("ATELIER_ROOT", str(tmp_path / "nowhere"))
    with pytest.raises(AtelierError, match="ATELIER_ROOT"):
        paths.root()


def test_root_is_found_from_inside_the_repository(monkeypatch, tmp_path):
    monkeypatch.delenv("ATELIER_ROOT")
    (tmp_path / "notebooks" / "deep").mkdir(parents=True)
    (tmp_path / "requirements.txt").touch()
    monkeypatch.chdir(tmp_path / "notebooks" / "deep")
    assert paths.root() == tmp_path.resolve()


def test_root_is_the_working_directory_where_nothing_looks_like_it(monkeypatch, tmp_path):
    monkeypatch.delenv("ATELIER_ROOT")
    monkeypatch.chdir(tmp_path)
    assert paths.root() == tmp_path.resolve()


def test_rooms_lie_below_the_root(atelier_root):
    rooms = (paths.data_dir, paths.models_dir, paths.notebooks_dir, paths.build_dir)
    assert [room().name for room in rooms] == ["data", "models", "notebooks", "build"]
    assert {room().parent for room in rooms} == {atelier_root}


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("0", False), ("", False)])
def test_fast_runs_are_asked_for(monkeypatch, value, expected):
    monkeypatch.setenv("ATELIER_FAST", value)
    assert paths.fast() is expected


def test_figures_of_a_fast_run_are_kept_apart(monkeypatch, atelier_root):
    assert paths.figures_dir() == atelier_root / "figures"
    monkeypatch.setenv("ATELIER_FAST", "1")
    assert paths.figures_dir() == atelier_root / "build" / "figures"


def test_figures_go_where_they_are_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("ATELIER_FIGURES", str(tmp_path / "mine"))
    assert paths.figures_dir() == tmp_path / "mine"


def test_weights_are_only_where_they_are_said_to_be(monkeypatch, tmp_path):
    assert paths.weights_dir() is None
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path))
    assert paths.weights_dir() == tmp_path.resolve()


def test_collections_of_one_name_have_workspaces_of_their_own(tmp_path):
    first, second = tmp_path / "a" / "paintings", tmp_path / "b" / "paintings"
    assert paths.workspace(first) != paths.workspace(second)
    assert paths.workspace(first).name.startswith("paintings-")
    assert paths.workspace(first / ".." / "paintings") == paths.workspace(first)


def test_a_workspace_is_never_inside_the_collection(tmp_path):
    assert tmp_path / "paintings" not in paths.workspace(tmp_path / "paintings").parents
