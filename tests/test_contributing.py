"""CONTRIBUTING.md is followed to the letter; what repositories are told by can be read."""

import re
import shlex
import zipfile
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from atelier import __version__, models, storage
from atelier.classify.recipes import RECIPES, get_recipe
from atelier.cli import app
from atelier.data.catalog import SOURCES
from atelier.data.manifest import load_manifest

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("logging_as_before")]

ROOT = Path(__file__).parents[1]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
YAML_FILES = [*FORMS, ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"]
INPUTS = {"textarea", "input", "dropdown", "checkboxes", "markdown"}


def section(title):
    """The text below a heading of CONTRIBUTING.md, up to the next."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.search(rf"^## {title}.*?\n(.*?)(?=^## |\Z)", page, re.M | re.S)[1]


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def names_of(text):
    """What the Python blocks of a section define, run one after the other."""
    names = {}
    for block in blocks(text, "python"):
        exec(compile(block, "CONTRIBUTING.md", "exec"), names)
    return names


def follow(text, monkeypatch):
    """Run every `atelier` line of a section's shell blocks, with its variables."""
    lines = "\n".join(blocks(text, "sh")).splitlines()
    for line in lines:
        words = shlex.split(line, comments=True)
        with monkeypatch.context() as patch:
            while words and re.match(r"[A-Z_]+=", words[0]):
                patch.setenv(*words.pop(0).split("=", 1))
            if words[:1] == ["atelier"]:
                result = CliRunner().invoke(app, words[1:])
                assert result.exit_code == 0, f"{line}: {result.stderr}"
    return lines


def test_setting_up_names_targets_that_there_are():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bmake ([a-z-]+)", "\n".join([*blocks(page, "sh"), *code(page)])))
    assert asked
    assert asked <= targets


def code(page):
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", page)


def test_places_that_are_named_are_there():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = {
        word for span in code(page) for word in re.findall(r"(?:src|tests|benchmarks)/\S+", span)
    }
    named |= set(re.findall(r"\]\(([^)#]+)", page))
    assert len(named) > 5
    assert [place for place in sorted(named) if not (ROOT / place).exists()] == []


def test_what_a_change_should_look_like_names_commands_that_run(monkeypatch, atelier_root):
    follow(section("What a change"), monkeypatch)


def test_the_recipe_is_trained_as_written(atelier_root, monkeypatch):
    monkeypatch.chdir(atelier_root)
    text = section("A recipe")
    recipe = names_of(text)["SMALL_CNN"]
    lines = follow(text, monkeypatch)
    assert sum("atelier train" in line for line in lines) == 1
    metrics = storage.read_json(atelier_root / "models" / "small_cnn" / "metrics.json")
    assert metrics["recipe"] == "small_cnn"
    assert 0 <= metrics["val"]["accuracy"] <= 1
    assert models.load("small_cnn").recipe["network_options"]["units"] == 32
    monkeypatch.setitem(RECIPES, recipe.name, recipe)
    assert get_recipe("small_cnn") is recipe
    assert "small_cnn" not in RECIPES.keys() - {recipe.name}


def test_the_style_preset_and_the_method_paint():
    names = names_of(section("A style"))
    assert names["painted"].shape == (40, 48, 3)
    assert names["GRAIN"].style_layer_weights == (1.0, 1.0, 1.0)
    method = names["grain"]
    pixels = method.paint(names["content"], names["style"])
    assert pixels.shape == (40, 48, 3)
    assert 0 <= pixels.min() <= pixels.max() <= 255
    assert storage.fingerprint(method.settings)


def test_the_collection_is_fetched_audited_and_read(atelier_root, tiny_collection, monkeypatch):
    monkeypatch.chdir(atelier_root)
    text = section("A collection")
    source = names_of(text)["VILLAGE_PAINTERS"]
    monkeypatch.setitem(SOURCES, source.name, source)
    with zipfile.ZipFile(f"{source.name}.zip", "w") as archive:
        for path in sorted(tiny_collection.rglob("*.png")):
            archive.write(path, path.relative_to(tiny_collection))
    follow(text, monkeypatch)
    manifest = load_manifest(atelier_root / "data" / source.name)
    assert sorted(manifest["artist"].unique()) == ["Across", "Down", "Plain"]
    assert manifest["readable"].all()
    assert len(manifest) == 36


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_files_for_machines_are_yaml(path):
    assert yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path", [form for form in FORMS if form.name != "config.yml"], ids=lambda path: path.stem
)
def test_forms_have_what_github_asks_for(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(form)
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    assert fields
    assert all(field["type"] in INPUTS and field["attributes"]["label"] for field in fields)
    assert len({field["id"] for field in fields}) == len(fields)


def test_the_citation_has_what_its_format_asks_for():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"] == "Atelier"
    assert citation["version"] == __version__
    assert citation["license"] == "MIT"
    assert citation["authors"] == [{"name": "Atelier contributors"}]
    for reference in citation["references"]:
        assert {"type", "title", "authors", "year", "url"} <= set(reference)


def test_papers_of_the_citation_are_followed_somewhere():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    for reference in citation["references"]:
        number = reference["url"].removeprefix("https://arxiv.org/abs/")
        assert number in code or reference["title"][:20] in code, reference["title"]


def test_hooks_run_the_ruff_of_the_lock():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (ruff,) = [one for one in hooks["repos"] if one["repo"].endswith("/ruff-pre-commit")]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert ruff["rev"] == "v" + re.search(r"^ruff==(\S+)", lock, re.M)[1]
    known = {hook["id"]: hook for one in hooks["repos"] for hook in one["hooks"]}
    assert set(known) >= {"ruff-check", "ruff-format", "end-of-file-fixer", "check-yaml"}
    assert known["check-added-large-files"]["args"] == [f"--maxkb={45 * 1024}"]
    assert re.search(known["end-of-file-fixer"]["exclude"], "models/fast/architecture.json")
    assert "nbstripout" not in known  # outputs are committed


def test_the_changelog_is_in_order():
    page = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[([^]]+)\](.*)$", page, re.M)
    assert f"{__version__}" in [version for version, _ in versions]
    kinds = set(re.findall(r"^### (\w+)$", page, re.M))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
