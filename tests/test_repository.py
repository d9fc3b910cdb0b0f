"""What must hold of the repository as a whole, whatever the code does."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from packaging.requirements import Requirement

from atelier.classify.report import markdown_results
from atelier.cli import app

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SOURCES = sorted((ROOT / "src").rglob("*.py"))
PAGES = [ROOT / "README.md", *(ROOT / room / "README.md" for room in ("data", "models"))]
SKIPPED = {".git", ".venv", "build", "dist", "__pycache__", "derived", "backup", "logs", "tuner"}
TEXT = {".py", ".ipynb", ".md", ".txt", ".toml", ".lock", ".json", ".csv", ".yml", ""}
# What the kernels held: Colab's published list of June 2026, Kaggle's of autumn 2025 (where it differs).
COLAB = """tensorflow==2.20.0 keras==3.13.2 numpy==2.0.2 pandas==2.2.2 matplotlib==3.10.0
    seaborn==0.13.2 scikit-learn==1.6.1 kagglehub==1.0.1 ipykernel==6.17.1 nbclient==0.10.4
    nbconvert==7.17.1 nbformat==5.10.4 beautifulsoup4==4.13.5 opencv-python-headless==4.13.0.92
    h5py==3.16.0 pillow==11.3.0 pyarrow==18.1.0 rich==13.9.4 typer==0.25.1 tensorboard==2.20.0
    requests==2.32.4"""
KAGGLE = """tensorflow==2.18.0 keras==3.8.0 keras-tuner==1.4.7 numpy==1.26.4 pandas==2.2.3
    matplotlib==3.7.2 seaborn==0.12.2 scikit-learn==1.2.2 nbconvert==6.4.5
    opencv-python-headless==4.12.0.88"""


def committed_files():
    """Text files of the repository: those that git knows, or all where this is no clone."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    known = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if known.returncode == 0:
        files = [ROOT / name for name in known.stdout.splitlines()]
    else:
        files = [path for path in ROOT.rglob("*") if not SKIPPED & set(path.parts)]
    return [path for path in files if path.is_file() and path.suffix in TEXT]


def imports_of(path):
    """Names of the modules that a file imports anywhere."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def source_of(cell):
    return "".join(cell["source"])


def commands_in(path):
    """Lines of fenced blocks and `code` of a page that call atelier or make."""
    text = path.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S))
    spans = "\n".join(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text))
    for line in f"{blocks}\n{spans}".splitlines():
        line = re.sub(r"^(\s*[A-Z_]+=\S+\s+)+", "", line).split("#")[0].strip()
        if re.match(r"(atelier|make) [a-z]", line):
            yield line


def requirement_lines(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_no_file_names_a_home_directory():
    pattern = re.compile(r"(?<![\w.~$])/(?:home|Users|root)/\w+")
    for path in committed_files():
        found = pattern.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None, f"{path.relative_to(ROOT)}: {found}"


def test_no_module_is_called_after_nothing():
    named = {path.stem for path in SOURCES}
    assert not named & {"utils", "util", "helpers", "common", "misc"}


def test_every_module_says_what_it_is():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert not text.strip() or ast.get_docstring(ast.parse(text)), path


def test_modules_stay_readable_in_two_minutes():
    for path in SOURCES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        assert lines <= 330, f"{path.relative_to(ROOT)} has {lines} lines"


def test_only_the_gradient_code_imports_a_backend():
    backends = {"tensorflow", "jax", "torch"}
    for path in SOURCES:
        if path.name != "gradients.py":
            found = {name.split(".")[0] for name in imports_of(path)} & backends
            assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_rooms_do_not_import_each_other():
    forbidden = {
        "data": ("classify", "stylize", "translate", "serve", "cli", "plots"),
        "classify": ("stylize", "translate", "serve", "cli"),
        "stylize": ("classify", "translate", "serve", "cli"),
        "translate": ("classify", "stylize", "serve", "cli"),
        "plots": ("classify", "stylize", "translate", "serve", "cli"),
    }
    for room, others in forbidden.items():
        for path in (ROOT / "src" / "atelier" / room).rglob("*.py"):
            for name in imports_of(path):
                parts = (name or "").split(".")
                below = len(parts) > 1 and parts[0] == "atelier" and parts[1] in others
                assert not below, f"{path.relative_to(ROOT)} imports {name}"


def test_training_imports_without_tensorflow_and_what_only_others_need():
    code = """
import importlib, pkgutil, sys
class Absent:
    def find_spec(name, path=None, target=None):
        if name in ("tensorflow", "torch", "gradio", "kagglehub", "mlflow"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent)
import atelier.data, atelier.classify.train, atelier.models, atelier.plots
import atelier.stylize.fast.train, atelier.translate.train
for found in pkgutil.walk_packages(atelier.data.__path__, "atelier.data."):
    importlib.import_module(found.name)
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr


def test_the_lock_names_no_place_to_download_from():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.findall(r"https?:|file:|--\S*(?:index|find-links|hash)|^-", text, re.M)


def test_the_lock_pins_everything_and_satisfies_the_ranges():
    pins = {}
    for line in requirement_lines("requirements.lock"):
        pin = Requirement(line)
        version = re.fullmatch(r"==([\w.]+)", str(pin.specifier))
        assert version, line
        pins.setdefault(normal(pin.name), []).append(version[1])
    for line in requirement_lines("requirements.txt"):
        wanted = Requirement(line)
        assert normal(wanted.name) in pins, f"{wanted.name} is not pinned: make lock"
        for version in pins[normal(wanted.name)]:
            assert wanted.specifier.contains(version), f"{line}: {version}"


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("kernel", [COLAB, KAGGLE], ids=["colab", "kaggle"])
def test_ranges_leave_hosted_kernels_as_they_are(kernel):
    ranges = {
        normal(Requirement(r).name): Requirement(r) for r in requirement_lines("requirements.txt")
    }
    for there in kernel.split():
        name, version = there.split("==")
        assert ranges[name].specifier.contains(version), f"{ranges[name]} against {there}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_pages_name_only_commands_that_exist(path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    tree = typer.main.get_command(app)
    for line in commands_in(path):
        tool, *words = line.split()
        if tool == "make":
            assert words[0] in targets, line
            continue
        command = tree
        while hasattr(command, "commands") and words:
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        options = {name for parameter in command.params for name in parameter.opts}
        used = {word.split("=")[0] for word in words if word.startswith("-")}
        assert used <= options, f"{line}: {used - options}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.parent.name)
def test_pages_link_only_to_what_is_there(path):
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target


def test_every_make_target_is_explained():
    targets = re.findall(r"^([a-z-]+):.*$", (ROOT / "Makefile").read_text(), re.M)
    helped = subprocess.run(
        ["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True
    )
    assert targets
    assert all(re.search(rf"make {target}\s+\w", helped.stdout) for target in targets)


@pytest.mark.parametrize("asked", [["nonexistent-python"], [str(ROOT / "README.md")]])
def test_a_missing_python_is_said_plainly(asked):
    found = subprocess.run([ROOT / ".ci" / "find-python", *asked], capture_output=True, text=True)
    assert found.returncode == 1
    assert len(found.stderr.splitlines()) == 1
    assert "Expected Python 3.11, 3.12 or 3.13." in found.stderr


@pytest.mark.parametrize(("version", "fits"), [("3.10", False), ("3.12", True), ("3.14", False)])
def test_only_supported_pythons_are_taken(tmp_path, version, fits):
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\ncase "$2" in *version*) echo {version};; esac\n')
    fake.chmod(0o755)
    found = subprocess.run([ROOT / ".ci" / "find-python", fake], capture_output=True, text=True)
    assert (found.returncode == 0) == fits
    assert fits or f"={version}" in found.stderr


def test_a_python_without_venv_is_said_plainly(tmp_path):
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\ncase "$2" in *version*) echo 3.12;; *) exit 1;; esac\n')
    fake.chmod(0o755)
    found = subprocess.run([ROOT / ".ci" / "find-python", fake], capture_output=True, text=True)
    assert found.returncode == 1
    assert "python3.12-venv" in found.stderr


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook_file(request):
    return request.param


def test_notebooks_are_small(notebook_file):
    assert notebook_file.stat().st_size < 2_000_000


def test_notebooks_hold_one_run_from_top_to_bottom(notebook_file):
    cells = [cell for cell in load(notebook_file)["cells"] if cell["cell_type"] == "code"]
    counts = [cell["execution_count"] for cell in cells if source_of(cell).strip()]
    assert counts == list(range(1, len(counts) + 1))


def test_notebooks_hold_no_error(notebook_file):
    for cell in load(notebook_file)["cells"]:
        assert not any(out["output_type"] == "error" for out in cell.get("outputs", []))


def test_notebooks_open_with_title_setup_and_parameters(notebook_file):
    cells = load(notebook_file)["cells"]
    title = source_of(cells[0])
    assert cells[0]["cell_type"] == "markdown"
    assert title.lstrip().startswith("# ") or "\n# " in title
    assert "colab" in title.lower()
    assert "kaggle" in title.lower()
    setup, parameters = [source_of(cell) for cell in cells if cell["cell_type"] == "code"][:2]
    assert re.search(r"^\s*(?:import|from) atelier", setup, re.M)
    assert "%pip install" in setup
    assert re.search(r"\b(?:FAST|SEED|PLAN)\b", parameters)


def test_the_setup_cell_is_the_same_everywhere():
    setups = {
        next(source_of(c) for c in load(path)["cells"] if c["cell_type"] == "code")
        for path in NOTEBOOKS
    }
    assert len(setups) <= 1


def test_notebooks_narrate_and_do_not_define(notebook_file):
    cells = load(notebook_file)["cells"]
    for before, cell in zip([{"cell_type": "code"}, *cells], cells, strict=False):
        if cell["cell_type"] != "code":
            continue
        source = source_of(cell)
        assert before["cell_type"] == "markdown", source
        assert len(source.splitlines()) <= 12, source
        assert not re.search(r"^\s*class ", source, re.M), source


def test_notebooks_end_with_what_was_learned_and_what_is_next(notebook_file):
    told = "\n".join(
        source_of(cell) for cell in load(notebook_file)["cells"] if cell["cell_type"] == "markdown"
    )
    assert re.search(r"^#+ What we learned", told, re.M)
    assert re.search(r"^#+ Next|\*\*Next\b", told, re.M)


@pytest.mark.parametrize("page", ["README.md", "benchmarks/RUNS.md"])
def test_results_on_the_pages_are_those_of_the_runs(page):
    table = markdown_results(ROOT / "figures" / "02_results.json")
    assert table in (ROOT / page).read_text(encoding="utf-8")
