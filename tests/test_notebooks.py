import asyncio
import contextlib
import contextvars
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
from event_loops import open_loops
from PIL import Image

from atelier import notebook_check, notebook_index, notebooks, storage
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

REPOSITORY = Path(__file__).parents[1]
COMMITTED = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
ROOMS = "work|tmp|home|root|Users|mnt|data|content|kaggle|opt|var|usr|srv|media|private"
ABSOLUTE = re.compile(rf"(?<![\w.~$:/<-])/(?:{ROOMS})\b|\b[A-Za-z]:\\\w")
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
    return list(texts_of(nbformat.read(path, as_version=4).cells, kinds=("text/plain",)))


def texts_of(cells, kinds=("text/plain", "text/html")):
    """What cells printed and showed as text."""
    for output in (output for cell in cells for output in cell.get("outputs", [])):
        if "text" in output:
            yield output["text"]
        yield from (output["data"][kind] for kind in kinds if kind in output.get("data", {}))


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


def test_a_run_leaves_no_event_loop_behind(atelier_root):
    make_notebook(atelier_root / "notebooks" / "01_a.ipynb", "1 + 1")
    before = open_loops()
    contextvars.Context().run(notebooks.run_notebooks, timeout=60)  # where no other left one
    assert open_loops() <= before


def test_a_notebook_can_be_run_where_an_event_loop_is_running(atelier_root):
    make_notebook(atelier_root / "notebooks" / "01_a.ipynb", "1 + 1")

    async def as_in_jupyter():
        return notebooks.run_notebooks(timeout=60)

    with contextlib.closing(asyncio.new_event_loop()) as loop:
        (run,) = loop.run_until_complete(as_in_jupyter())
    assert outputs_of(run.executed) == ["2"]


def test_a_cell_counts_when_it_has_ended(atelier_root):
    write = "import pathlib, time; time.sleep(1); pathlib.Path('written').touch()"
    make_notebook(atelier_root / "notebooks" / "01_a.ipynb", write)
    there = []
    written = atelier_root / "notebooks" / "written"
    notebooks.run_notebooks(timeout=60, progress=lambda *_: there.append(written.exists()))
    assert there == [False, True]


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


def output(**data):
    """What a cell shows, one MIME type for each keyword (`_` for `/`)."""
    named = {kind.replace("_", "/"): text for kind, text in data.items()}
    return nbformat.v4.new_output("display_data", {"text/plain": "", **named})


PICTURE, TABLE = output(image_png=""), output(text_html="<div><table></table></div>")


def gaps_between(root, committed, executed, *, files=(), made=()):
    """What the check says of a notebook of one cell that showed this, and now shows that.

    Args:
        committed: the cell's source and outputs.
        executed: its outputs now.
        files: names in `figures/`.
        made: names in `build/figures/`.
    """
    source, *before = committed
    for folder, outputs, names in (("notebooks", before, files), ("build", executed, made)):
        cell = nbformat.v4.new_code_cell(source, outputs=outputs)
        (root / folder).mkdir()
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), root / folder / "01_a.ipynb")
        figures = root / ("figures" if folder == "notebooks" else "build/figures")
        figures.mkdir()
        for name in names:
            (figures / name).touch()
    run = notebooks.Run("01_a", "", root / "build" / "01_a.ipynb", None, 0.0)
    return notebook_check.missing(root / "notebooks" / "01_a.ipynb", run)


SAVES = "# why\nsave_figure(figure, '01_x', caption=CAPTION)"
LOOPS = "for name in names:\n    display(save_figure(draw(name), f'01_of_{name}'))"
OF_THE_CELL = "of code cell 1 (`# why`)"


def test_a_run_that_makes_everything_lacks_nothing(atelier_root):
    names = ["01_x.png", "01_results.json"]
    source = SAVES + "\n%time save_results('01_results', models)"
    assert not gaps_between(
        atelier_root, (source, PICTURE, TABLE), [PICTURE, TABLE, TABLE], files=names, made=names
    )


def test_a_figure_that_is_not_made_is_named_once(atelier_root):
    said = gaps_between(atelier_root, (SAVES, PICTURE), [], files=["01_x.png"])
    assert said == [f"01_a lacks 01_x.png {OF_THE_CELL}"]


def test_a_figure_of_a_loop_is_named(atelier_root):
    files = ["01_of_a.png", "01_of_b.png"]
    said = gaps_between(
        atelier_root, (LOOPS, PICTURE, PICTURE), [PICTURE], files=files, made=files[:1]
    )
    assert said == ["01_a lacks 01_of_b.png of code cell 1 (`for name in names:`)"]


def test_a_figure_that_is_saved_but_not_shown_is_missed(atelier_root):
    names = ["01_x.png"]
    said = gaps_between(atelier_root, (SAVES, PICTURE), [], files=names, made=names)
    assert said == [f"01_a lacks 1 picture {OF_THE_CELL}"]


def test_a_table_that_is_not_shown_is_missed(atelier_root):
    said = gaps_between(atelier_root, ("# why\ntable", TABLE, TABLE), [output()])
    assert said == [f"01_a lacks 2 tables {OF_THE_CELL}"]


def test_a_file_that_a_cell_writes_is_missed(atelier_root):
    source = "# why\ntable.to_csv(paths.figures_dir() / '01_y.csv')\nread('02_z.csv')"
    assert gaps_between(atelier_root, (source,), []) == [f"01_a lacks 01_y.csv {OF_THE_CELL}"]


def test_a_figure_whose_cell_is_gone_is_missed(atelier_root):
    said = gaps_between(atelier_root, ("1",), [], files=["01_gone.png", "02_other.png"])
    assert said == ["01_a lacks 01_gone.png, which no cell saves"]


def test_what_only_the_sample_shows_has_to_be_made_there(atelier_root):
    source = "# why\nif len(visible):\n    save_figure(figure, '01_x')"
    assert gaps_between(atelier_root, (source,), []) == [f"01_a lacks 01_x.png {OF_THE_CELL}"]


def test_what_the_sample_cannot_have_is_not_missed(atelier_root, monkeypatch):
    files = ["01_of_a.png", "01_of_b.png"]
    monkeypatch.setitem(notebook_check.ABSENT_ON_SAMPLE, "01_of_b.png", "a reason")
    source = (LOOPS, PICTURE, PICTURE)
    assert not gaps_between(atelier_root, source, [PICTURE], files=files, made=files[:1])


def test_what_the_sample_cannot_have_may_not_be_made(atelier_root, monkeypatch):
    names = ["01_x.png"]
    monkeypatch.setitem(notebook_check.ABSENT_ON_SAMPLE, "01_x.png", "a reason")
    said = gaps_between(atelier_root, (SAVES, PICTURE), [PICTURE], files=names, made=names)
    assert said == ["01_a makes 01_x.png, which ABSENT_ON_SAMPLE denies"]


def test_what_the_sample_cannot_have_is_committed():
    committed = {path.name for path in (REPOSITORY / "figures").iterdir()}
    assert committed.issuperset(notebook_check.ABSENT_ON_SAMPLE)


@pytest.fixture
def committed_notebook(atelier_root):
    """A notebook of one figure, run and kept as it is committed."""
    where = "import os\nprint(*(os.environ.get(f'ATELIER_{name}') for name in ('ROOT', 'FAST')))"
    save = "from atelier.plots import save_figure\nfrom matplotlib.figure import Figure\n"
    save += "save_figure(Figure((2, 2)), '01_x')"
    path = make_notebook(atelier_root / "notebooks" / "01_a.ipynb", where, save)
    notebooks.run_notebooks(inplace=True, timeout=60)
    return path


def test_a_check_runs_on_the_sample_in_a_root_of_its_own(committed_notebook, monkeypatch):
    root = committed_notebook.parents[1]
    before = committed_notebook.read_bytes()
    monkeypatch.setenv("ATELIER_DATA", "elsewhere")
    (run,) = notebook_check.check_notebooks(timeout=60)
    place, fast = outputs_of(run.executed)[0].split()
    assert Path(place).parent == root / "build"
    assert fast == "1"
    assert not Path(place).exists()
    assert committed_notebook.read_bytes() == before
    told = [os.environ.get(f"ATELIER_{name}") for name in ("ROOT", "FAST", "DATA")]
    assert told == [str(root), None, "elsewhere"]


def test_a_dropped_figure_makes_the_check_fail(committed_notebook):
    stale = committed_notebook.parents[1] / "build" / "figures" / "01_x.png"
    stale.parent.mkdir(parents=True)
    stale.touch()
    notebook = nbformat.read(committed_notebook, as_version=4)
    notebook.cells[-1].source = "# why\n1"
    nbformat.write(notebook, committed_notebook)
    command = [sys.executable, "-m", "atelier.cli", "notebooks", "run", "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert "Found 01_a lacks 1 picture of code cell 2 (`# why`); " in said
    assert "01_a lacks 01_x.png, which no cell saves." in said


def test_a_check_writes_nothing_back(committed_notebook):
    command = [sys.executable, "-m", "atelier.cli", "notebooks", "run", "--check", "--inplace"]
    assert subprocess.run(command, capture_output=True).returncode == 2


def test_the_committed_index_is_what_the_notebooks_say(tmp_path):
    """After a change to a title cell or a figure: `atelier notebooks index`."""
    made, kept = (
        notebook_index.write_readme(REPOSITORY / "notebooks", tmp_path).parent,
        COMMITTED[0].parent,
    )
    page = (kept / "README.md").read_text(encoding="utf-8")
    assert page == (made / "README.md").read_text(encoding="utf-8")
    assert all(f"]({path.name})" in page for path in COMMITTED)
    names = [sorted(p.name for p in (home / "thumbnails").iterdir()) for home in (made, kept)]
    assert names[0] == names[1]
    for name in names[0]:
        before, after = (np.asarray(Image.open(h / "thumbnails" / name)) for h in (kept, made))
        assert before.shape == after.shape
        assert np.abs(before.astype(int) - after).mean() < 2, name  # decoders differ a little
        assert (kept / "thumbnails" / name).stat().st_size < 40_000


def make_indexed(root, title, *sources, figures=()):
    """A notebook 11 with this title cell, and its figures."""
    path = make_notebook(root / "notebooks" / "11_a.ipynb", *sources, title=title)
    (root / "figures").mkdir()
    for shade, name in enumerate(figures):
        Image.new("RGB", (640, 640), (shade, 0, 0)).save(root / "figures" / f"{name}.png")
    return path


TITLED = "11 · Last\n\n**Question.** Why?\n\n| | |\n|---|---|\n"


def test_a_notebook_that_nobody_chose_for_shows_its_last_figure(atelier_root):
    title = TITLED + "| Writes | the models `a` and `b_*` |\n| Hardware | a GPU. More |"
    sources = [f'save_figure(figure, "11_{name}")' for name in ("z", "a")]
    make_indexed(atelier_root, title, *sources, figures=["11_a", "11_b", "11_z"])
    runs = {name: {"recipe": name, "minutes": 2.6, "device": "it"} for name in ("a", "b_c", "d")}
    storage.write_json(atelier_root / "figures" / "11_results.json", runs)
    row = notebook_index.write_readme().read_text(encoding="utf-8").splitlines()[-1]
    link = "[![11_a](thumbnails/11_a.jpg)](11_a.ipynb)"
    took = "training the networks of its results took 5 minutes on it"
    assert row == f"| {link} | [11 · Last](11_a.ipynb) | Why? | a GPU; {took} |"
    with Image.open(atelier_root / "notebooks" / "thumbnails" / "11_a.jpg") as picture:
        assert picture.size == (320, 320)


def test_thumbnails_of_figures_no_longer_chosen_go(atelier_root):
    source = 'save_figure(figure, "11_b")'
    make_indexed(atelier_root, TITLED + "| Hardware | a CPU |", source, figures=["11_b"])
    old = atelier_root / "notebooks" / "thumbnails" / "11_a.jpg"
    old.parent.mkdir()
    old.touch()
    notebook_index.write_readme()
    assert [path.name for path in old.parent.iterdir()] == ["11_b.jpg"]


@pytest.mark.parametrize(
    ("title", "lacks"),
    [
        ("11 · Last", "no question"),
        (TITLED, "no hardware"),
        (TITLED + "| Hardware | a |", "no 11_"),
    ],
)
def test_an_index_lacks_nothing_in_silence(atelier_root, title, lacks):
    make_indexed(atelier_root, title, figures=[] if "no 11_" in lacks else ["11_a"])
    with pytest.raises(AtelierError, match=lacks):
        notebook_index.write_readme()


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_figures_are_those_that_cells_save(path):
    cells = notebook_check.shown_by(path)
    files = notebook_check.files_of(path, REPOSITORY / "figures")
    assert files
    for name in files:
        assert any(cell.saves(name) for cell in cells), f"{name} is of no cell: remove it"
    said = "\n".join(texts_of(nbformat.read(path, as_version=4).cells))
    for cell in cells:
        saved = [name for name in files if name.endswith(".png") and cell.saves(name)]
        shown = [name for name in saved if f"figures/{name}" not in said]  # the rest is told of
        assert cell.pictures >= len(shown), f"{cell.place} does not show {shown}"


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_committed_notebooks_have_outputs_without_absolute_paths(path):
    cells = nbformat.read(path, as_version=4).cells
    first, *_ = (cell for cell in cells if cell.cell_type == "code")
    assert first.outputs
    said = [cell.source for cell in cells]
    for text in (*said, *texts_of(cells)):
        found = ABSOLUTE.search(text)
        assert found is None, f"{found} in {text[found.start() :][:80]}"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("/content/x/y.png", True),
        ("in '/tmp/a'", True),
        ("C:\\Users\\ada", True),
        ("https://kaggle.com/kernels/home/x", False),
        ("data/derived/tmp/", False),
        ("and/or home/run", False),
    ],
)
def test_absolute_paths_are_told_from_others(text, is_one):
    assert bool(ABSOLUTE.search(text)) == is_one


@pytest.mark.notebook
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_every_notebook_runs_on_the_sample_collection(path, tmp_path):
    """Each in a root of its own, and with every figure and table of its committed run."""
    notebook_check.check_notebooks([path.stem], tmp_path / "build", directory=path.parent)
