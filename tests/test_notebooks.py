import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from atelier import notebooks
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

REPOSITORY = Path(__file__).parents[1]
COMMITTED = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
BADGE = "[![Open](https://example.org/badge.svg)](https://example.org/nb)"


def make_notebook(path, *cells, title="A question"):
    """Write a notebook: a heading with a badge, then code cells."""
    new = nbformat.v4
    heading = new.new_markdown_cell(f"# {title}\n\n{BADGE} $x^2$")
    notebook = new.new_notebook(cells=[heading, *map(new.new_code_cell, cells)])
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def outputs_of(path):
    """All text that the cells of an executed notebook left."""
    cells = nbformat.read(path, as_version=4).cells
    return [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in cells
        for output in cell.get("outputs", [])
    ]


def test_notebooks_run_in_the_order_of_their_numbers(atelier_root):
    folder = atelier_root / "notebooks"
    for name in ("02_b", "10_c", "01_a"):
        make_notebook(folder / f"{name}.ipynb")
    (folder / ".hidden.ipynb").touch()
    found = notebooks.find_notebooks
    assert [path.stem for path in found()] == ["01_a", "02_b", "10_c"]
    assert [path.stem for path in found(["10", "notebooks/01_a.ipynb"])] == ["01_a", "10_c"]


def test_a_name_that_fits_no_notebook_is_an_error(atelier_root):
    make_notebook(atelier_root / "notebooks" / "01_a.ipynb")
    with pytest.raises(AtelierError, match=r"'07'.*01_a"):
        notebooks.find_notebooks(["01", "07"])


def test_no_notebooks_is_an_error(atelier_root):
    with pytest.raises(AtelierError, match="Found none"):
        notebooks.find_notebooks()


def test_a_damaged_notebook_is_an_error(atelier_root):
    path = make_notebook(atelier_root / "notebooks" / "01_a.ipynb")
    path.write_text(path.read_text()[:40])
    with pytest.raises(AtelierError, match=r"01_a\.ipynb"):
        notebooks.run_notebooks()


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Two small notebooks, run once: the root, what was said of progress, and the runs."""
    root = tmp_path_factory.mktemp("repository")
    make_notebook(
        root / "notebooks" / "01_first.ipynb",
        "import os, sys\nprint(sys.executable)",
        "print(os.environ['ATELIER_ROOT'])\nprint(os.getcwd())",
        "",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
        title="First & foremost",
    )
    make_notebook(
        root / "notebooks" / "02_second.ipynb", "2 + 2", "import os; os.write(2, b'noise')"
    )
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATELIER_ROOT", str(root))
        patch.delenv("PYTEST_CURRENT_TEST")  # a kernel that sees it does not listen to its process
        runs = notebooks.run_notebooks(timeout=60, progress=lambda *args: said.append(args))
    return root, said, runs


def test_the_kernel_is_the_running_interpreter_in_this_repository(executed):
    root, _, runs = executed
    interpreter, places, *_ = outputs_of(runs[0].executed)
    assert interpreter.strip() == sys.executable
    assert places.splitlines() == [str(root), str(root / "notebooks")]


def test_figures_are_shown_inside_the_notebook(executed):
    text = executed[2][0].executed.read_text()
    assert '"image/png"' in text


def test_execution_counts_are_in_order(executed):
    notebook = nbformat.read(executed[2][0].executed, as_version=4)
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code" and c.source]
    assert counts == [1, 2, 3]


def test_executed_copies_say_nothing_of_the_time_of_day(executed):
    for run in executed[2]:
        cells = nbformat.read(run.executed, as_version=4).cells
        assert not any("execution" in cell.metadata for cell in cells)


def test_progress_counts_code_cells_of_each_notebook(executed):
    expected = [("01_first", done, 3) for done in range(4)]
    expected += [("02_second", done, 2) for done in range(3)]
    assert executed[1] == expected


def test_what_the_process_says_past_python_stays_out_of_the_notebook(executed):
    root, _, runs = executed
    assert outputs_of(runs[1].executed)[0] == "4"
    assert "noise" not in "".join(outputs_of(runs[1].executed))
    assert not list((root / "build").glob("*.log"))


def test_pages_ask_nothing_of_the_network(executed):
    for run in executed[2]:
        page = run.page.read_text(encoding="utf-8")
        assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//[^"' >]*\.(?:js|css|svg)""", page)
        assert not re.findall(r"<script|<link|@import|url\((?!\"?data:)[^)]", page)
        assert 'src="data:image/png' in page or run.name != "01_first"


def test_the_index_links_every_page(executed):
    root, _, runs = executed
    index = (root / "build" / "index.html").read_text(encoding="utf-8")
    assert [run.title for run in runs] == ["First & foremost", "A question"]
    assert "First &amp; foremost" in index
    assert all(f'href="{run.page.name}"' in index for run in runs)


def test_the_originals_stay_as_they_are(executed):
    original = nbformat.read(executed[0] / "notebooks" / "01_first.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in original.cells)


def test_inplace_refreshes_the_originals(atelier_root):
    path = make_notebook(atelier_root / "notebooks" / "01_a.ipynb", "6 * 7")
    notebooks.run_notebooks(inplace=True, timeout=60)
    assert outputs_of(path) == ["42"]


@pytest.mark.parametrize(("inplace", "place"), [(False, "build/figures"), (True, "figures")])
def test_figures_are_committed_only_with_the_notebook(atelier_root, inplace, place):
    make_notebook(
        atelier_root / "notebooks" / "01_a.ipynb",
        "from atelier import paths; print(paths.figures_dir())",
    )
    (run,) = notebooks.run_notebooks(inplace=inplace, timeout=60)
    assert outputs_of(run.executed) == [f"{atelier_root / place}\n"]


def test_fast_runs_never_refresh_the_originals(atelier_root, monkeypatch):
    make_notebook(atelier_root / "notebooks" / "01_a.ipynb", "6 * 7")
    monkeypatch.setenv("ATELIER_FAST", "1")
    with pytest.raises(AtelierError, match="ATELIER_FAST"):
        notebooks.run_notebooks(inplace=True)


def test_a_failing_cell_is_named_and_what_ran_is_kept(atelier_root):
    folder = atelier_root / "notebooks"
    make_notebook(folder / "01_a.ipynb", "6 * 7", "# why\nraise ValueError('so\\nit is.')", "3")
    make_notebook(folder / "02_b.ipynb", "1")
    with pytest.raises(AtelierError) as failure:
        notebooks.run_notebooks(timeout=60)
    said = str(failure.value)
    assert "01_a.ipynb" in said
    assert "code cell 2, which begins '# why', ValueError: so it is." in said
    kept = atelier_root / "build" / "01_a.ipynb"
    assert outputs_of(kept)[0] == "42"
    assert str(kept) in said
    assert not (atelier_root / "build" / "02_b.ipynb").exists()


def test_a_kernel_that_dies_is_named(atelier_root):
    make_notebook(atelier_root / "notebooks" / "01_a.ipynb", "import os\nos._exit(1)")
    with pytest.raises(AtelierError, match=r"code cell 1.*the kernel's sudden end"):
        notebooks.run_notebooks(timeout=60)


def test_a_cell_without_end_is_named(atelier_root):
    make_notebook(atelier_root / "notebooks" / "01_a.ipynb", "1", "while True: pass")
    with pytest.raises(AtelierError, match=r"code cell 2.*no end after 1 seconds"):
        notebooks.run_notebooks(timeout=1)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send")
def test_an_interruption_keeps_what_ran_and_ends_the_kernel(atelier_root):
    make_notebook(
        atelier_root / "notebooks" / "01_a.ipynb",
        "import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))",
        "import time\ntime.sleep(60)",
    )
    command = [sys.executable, "-m", "atelier.cli", "notebooks", "run"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    pid = atelier_root / "notebooks" / "pid"
    deadline = time.monotonic() + 60
    while not pid.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)  # into the second cell
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.splitlines()[-1].startswith("atelier: Stopped.")
    assert "Traceback" not in said
    assert (atelier_root / "build" / "01_a.ipynb").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_the_command_prints_what_to_open(atelier_root, run_command):
    make_notebook(atelier_root / "notebooks" / "01_a.ipynb", "1")
    result = run_command("notebooks", "run", "01")
    assert result.stdout.splitlines()[-1] == f"Open {atelier_root / 'build' / 'index.html'}"
    listed = json.loads(run_command("notebooks", "list", "--json").stdout)
    assert listed == [{"name": "01_a", "title": "A question"}]


@pytest.fixture
def run_command():
    def invoke(*arguments):
        command = [sys.executable, "-m", "atelier.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True)

    return invoke


@pytest.mark.notebook
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_notebook_runs_on_the_sample_collection(path, monkeypatch, tmp_path):
    """In the order of their numbers, each in a repository of its own but for the notebooks."""
    monkeypatch.setenv("ATELIER_ROOT", str(fast_root(tmp_path)))
    monkeypatch.setenv("ATELIER_FAST", "1")
    notebooks.run_notebooks([path.stem], tmp_path / "build", directory=path.parent)


def fast_root(tmp_path):
    """A repository with room to write in, so that a fast run leaves nothing in the real one."""
    root = tmp_path / "fast"
    root.mkdir()
    return root
