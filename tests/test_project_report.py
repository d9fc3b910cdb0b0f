"""The report: every number has a source, and what is built is whole."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from atelier.classify.report import CUSTOM_CNN, DENSENET121, RESNET50
from atelier.classify.tasks import PUBLISHED_ON_FULL_LISTS
from atelier.errors import AtelierError
from atelier.report import build
from atelier.report.checking import check_text, keys_used, running_text, typed_numbers
from atelier.report.cropping import without_title
from atelier.report.facts import SHOWN_OUTSTANDING, gather, show, with_outstanding
from atelier.report.reading import read_value, tables_in
from atelier.report.tables import tables

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
TEXTS = [ROOT / "report" / "report.typ", ROOT / "report" / "slides.typ"]
PAGES = {"report": (12, 20), "slides": (10, 14)}


@pytest.fixture(scope="module")
def facts():
    return gather(ROOT)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    """Everything that typst reads, with the repository's results."""
    pytest.importorskip("typst")
    return build.lay_out(ROOT, tmp_path_factory.mktemp("report"))


def pages_of(pdf):
    """How many pages a PDF has, by its page tree."""
    return max(int(count) for count in re.findall(rb"/Count (\d+)", pdf.read_bytes()))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_no_number_in_the_text_is_typed(path):
    text = path.read_text(encoding="utf-8")
    assert len(running_text(text).split()) > 300
    assert typed_numbers(text) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_fact_of_the_text_is_there(path, facts):
    used = keys_used(path.read_text(encoding="utf-8"))
    assert len(used) > 30
    assert set(used) <= set(facts)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_number_typed_into_the_text_is_found(path):
    text = path.read_text(encoding="utf-8")
    sentences = [place.start() for place in re.finditer(r"(?<=[a-z]) (?=[a-z]+ [a-z]+ )", text)]
    assert len(sentences) > 100
    found = 0
    for place in sentences[:: len(sentences) // 20]:
        broken = f"{text[:place]} 57.6{text[place:]}"
        found += "57.6" in " ".join(typed_numbers(broken))
    assert found >= 19  # a sentence in a comment may be passed over


@pytest.mark.parametrize(
    "text",
    [
        "Of 577 pictures.",
        "An accuracy of 0.924.",
        '#fig("07_confusion", [Of 577 pictures.], width: 80%)',
        '#tbl("custom", [Trained in 25 minutes.])',
        '#if has("a") [no number] else [all 11 painters]',
        '#if has("a") [of 11 painters]',
        '#show: paper.with(subtitle: "All 11 painters")',
        "#text(fill: red)[11 painters]",
        '#slide("From 11 painters", [words])',
        "- *bold 5 %* and more",
        "`make 5`",
        "#5 painters",
        "Eleven painters.",
        "A hundred pictures.",
        'Half of it #n("a")5.',
    ],
)
def test_typed_numbers_are_refused(text):
    with pytest.raises(AtelierError, match="typed"):
        check_text(text, {"a"})


@pytest.mark.parametrize(
    "text",
    [
        'Of #n("a") pictures, #iv("a") are right; ResNet50 and VGG19, macro-F1.',
        '#fig("07_confusion", [No number.], width: 80%) <fig1>',
        "@table1 and @ref2 say so. // a comment of 2026",
        "#set text(size: 10pt)\nWords.",
        '#let x = 5 + calc.max(1, 2)\n#if has("a") and 1 > 0 [words] else [other words]',
        '#grid(columns: (1fr, 2fr), [words], img("01_twins", width: 100%))',
    ],
)
def test_code_keys_and_names_are_no_typed_numbers(text):
    check_text(text, {"a"})


def test_a_fact_that_there_is_not_is_refused():
    with pytest.raises(AtelierError, match="no_such"):
        check_text('Of #n("no_such") pictures.', {"a"})


def test_every_fact_has_its_file(facts):
    for fact in facts.values():
        if fact.source:
            there = (ROOT / fact.source).is_file()
            assert there or fact.value is None, fact
            assert (fact.value is None) == (fact.shown == SHOWN_OUTSTANDING), fact
        else:
            assert all(key in facts for key in fact.place[1:]), fact


def test_facts_of_json_are_what_the_files_say(facts):
    compared = 0
    for fact in facts.values():
        if fact.source.endswith(".json") and fact.value is not None:
            value = json.loads((ROOT / fact.source).read_text(encoding="utf-8"))
            for step in fact.place[1:]:
                value = value[step]
            assert fact.value == value, fact
            if re.fullmatch(r"0\.\d{3}", fact.shown):
                assert abs(float(fact.shown) - value) <= 0.000501, fact
            compared += 1
    assert compared > 400


def test_facts_of_tables_are_what_the_files_say(facts):
    for fact in facts.values():
        if fact.source.endswith(".csv") and fact.place[1] != "*":
            with (ROOT / fact.source).open(encoding="utf-8", newline="") as file:
                row = next(row for row in csv.reader(file) if row[0] == fact.place[1])
            assert f"{fact.value:.4f}" in row, fact


def test_facts_of_pages_and_notebooks_stand_in_them(facts):
    compared = 0
    for fact in facts.values():
        if fact.source.endswith((".md", ".ipynb", ".py")):
            assert str(fact.value) in (ROOT / fact.source).read_text(encoding="utf-8"), fact
            compared += 1
    assert compared > 80


def test_facts_derived_from_others_are_computed_from_them(facts):
    ours, before = (
        facts[f"07.{name}.test.accuracy"].value
        for name in ("deviations_and_covariances", "a_ridge_instead")
    )
    assert facts["gain.second_order"].value == pytest.approx(100 * (ours - before))
    parts = [int(facts[f"data.{part}"].value) for part in ("train", "val", "test")]
    assert facts["data.used"].value == sum(parts)


def test_published_figures_are_those_of_the_recipes(facts):
    assert facts["lit.cnn"].value == CUSTOM_CNN["accuracy"]
    assert facts["lit.resnet"].value == RESNET50["accuracy"]
    assert facts["lit.densenet"].value == DENSENET121["accuracy"]
    for task, accuracy in PUBLISHED_ON_FULL_LISTS.items():
        assert facts[f"lit.{task}"].value == accuracy


def test_every_published_figure_is_cited():
    literature = json.loads((ROOT / "report" / "literature.json").read_text(encoding="utf-8"))
    references = (ROOT / "report" / "references.yml").read_text(encoding="utf-8")
    known = set(re.findall(r"^(\w+):$", references, re.M))
    for entry in (*literature["figures"].values(), *literature["papers"]):
        assert entry["source"] in known
    assert all(entry["where"] for entry in literature["figures"].values())


def test_cells_of_tables_are_facts_or_stand_in_the_record(facts):
    shown = {fact.shown for fact in facts.values()}
    record = (ROOT / "benchmarks" / "RUNS.md").read_text(encoding="utf-8")
    for name, table in tables(ROOT, facts).items():
        for cell in (cell for row in table["rows"] for cell in row[1:]):
            if re.match(r"[\d\[−-]", cell) and name not in ("projects", "papers", "monet"):
                parts = re.fullmatch(r"(\S+)(?: (\[.*\]))?", cell)
                pieces = [part for part in parts.groups() if part] if parts else [cell]
                assert cell in shown or cell in record or set(pieces) <= shown, (name, cell)


def test_a_repository_without_results_has_outstanding_facts_alone(tmp_path):
    found = gather(tmp_path)
    assert found
    assert all(fact.value is None for fact in found.values())
    assert all(not table["rows"] for name, table in tables(tmp_path, found).items()
               if name in ("custom", "methods", "serve", "monet"))  # fmt: skip


def test_a_file_that_has_changed_its_form_is_named(tmp_path):
    path = tmp_path / "RUNS.md"
    path.write_text("nothing of the kind", encoding="utf-8")
    with pytest.raises(AtelierError, match=r"RUNS\.md"):
        read_value(path, ("text", r"in (\d+) ms"))


def judged(root):
    """A repository's folder of a translation that was judged."""
    folder = root / "models" / "cyclegan_monet"
    folder.mkdir(parents=True)
    values = {"fid": 71.25, "kid": 0.0312, "floor": 40.0, "ceiling": 90.0, "way": 0.625}
    metrics = {
        "judged": {"what": "features", "photos": 100, **values},
        "counts": {"photos": 900, "monets": 300, "held_out": 100},
        "steps": 5000, "minutes": 101.4, "parameters": 2_000_000, "date": "2026-11-26",
    }  # fmt: skip
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


def test_a_translation_that_was_judged_is_shown(tmp_path):
    judged(tmp_path)
    found = gather(tmp_path)
    assert found["monet.fid"].shown == "71.2"
    assert found["monet.way"].shown == "62 %"
    assert found["monet.steps"].shown == "5,000"
    assert found["monet.cycle_error"].value is None
    assert build.newest(found) == "2026-11-26"


def test_a_table_of_methods_is_shown_as_it_is(tmp_path):
    (tmp_path / "figures").mkdir()
    text = "method,fid,kid,way,milliseconds\nreal,40.0,,0.0,\nours,71.25,0.0312,0.625,1204.2\n"
    (tmp_path / "figures" / "10_methods.csv").write_text(text, encoding="utf-8")
    table = tables(tmp_path, gather(tmp_path))["monet"]
    assert table["header"] == ["method", "FID", "KID", "of the way", "ms"]
    assert table["rows"] == [
        ["real", "40.0", "", "0 %", ""],
        ["ours", "71.2", "0.0312", "62 %", "1,204"],
    ]


def test_tables_of_a_page_come_with_what_stands_above():
    text = "one\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\ntwo\n\n| c |\n|---|\n| 3 |\n"
    (first, header, rows), (second, *_) = tables_in(text)
    assert "one" in first
    assert "two" in second
    assert "one" not in second
    assert (header, rows) == (["a", "b"], [["1", "2"]])


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0.576, "percent", "57.6 %"),
        (2707, "count", "2,707"),
        ("2,707", "count", "2,707"),
        ([0.9012, 0.9451], "interval", "[0.901, 0.945]"),
        (4, "word", "four"),
        ("0", "word", "none"),
        (["a", "b"], "word", "two"),
        ("25_000_000", "millions", "25 million"),
        (0.92374, "3", "0.924"),
        ("512 x 512", "as is", "512 x 512"),
    ],
)
def test_values_are_shown_in_their_form(value, form, shown):
    assert show(value, form) == shown


def test_a_figure_loses_its_title_and_its_note_and_nothing_else():
    pixels = np.full((200, 300, 3), 255, "uint8")
    pixels[8:22, 5:120] = 34  # title
    pixels[40:160, 30:280] = 100
    pixels[185:193, 5:150] = 110  # note
    whole = np.asarray(without_title(Image.fromarray(pixels)))
    assert (whole == 100).sum() == (pixels == 100).sum()
    assert not (whole == 34).any()
    assert not (whole == 110).any()
    pixels[185:193, 5:150] = 34  # a label in ink
    assert (np.asarray(without_title(Image.fromarray(pixels))) == 34).any()


@pytest.mark.parametrize("name", PAGES)
def test_what_is_committed_has_its_pages(name):
    low, high = PAGES[name]
    assert low <= pages_of(ROOT / build.DOCUMENTS[name]) <= high


def test_what_is_committed_is_small():
    assert sum((ROOT / file).stat().st_size for file in build.DOCUMENTS.values()) < 6_000_000


@pytest.mark.parametrize("name", PAGES)
def test_the_documents_build_from_the_results(laid_out, tmp_path, name):
    low, high = PAGES[name]
    made = build.compile_pdf(laid_out, name, tmp_path / "made.pdf")
    assert low <= pages_of(made) <= high
    first = made.read_bytes()
    assert build.compile_pdf(laid_out, name, made).read_bytes() == first
    assert not list(tmp_path.glob(".tmp-*"))  # nothing half made is left


def test_what_is_committed_is_as_new_as_the_results(laid_out):
    mark = json.loads((laid_out / "facts.json").read_text(encoding="utf-8"))["fingerprint"]
    for file in build.DOCUMENTS.values():
        assert mark.encode() in (ROOT / file).read_bytes(), f"{file} is older: make report"


def changed(laid_out, folder, **values):
    """The folder once more, with other values of some facts."""
    shutil.copytree(laid_out, folder, dirs_exist_ok=True)
    made = json.loads((laid_out / "facts.json").read_text(encoding="utf-8"))
    for key, value in values.items():
        made["facts"][key.replace("__", ".")].update(value=value, shown=str(value))
    (folder / "facts.json").write_text(json.dumps(made), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_a_judged_translation_takes_the_place_of_the_outstanding_one(laid_out, tmp_path, name):
    values = {"monet__fid": 71.2, "monet__floor": 40.0, "monet__ceiling": 90.0}
    folder = changed(laid_out, tmp_path, **values, monet__cycle_error=4.2)
    low, high = PAGES[name]
    assert low <= pages_of(build.compile_pdf(folder, name, folder / "made.pdf")) <= high


def test_a_claim_that_holds_no_more_stops_the_build(laid_out, tmp_path):
    folder = changed(laid_out, tmp_path, unknown__photographs=0.5)
    with pytest.raises(AtelierError, match="claim"):
        build.compile_pdf(folder, "report", folder / "made.pdf")
    assert not (folder / "made.pdf").exists()


def test_a_missing_file_of_results_is_shown_as_outstanding(laid_out, tmp_path):
    shutil.copytree(laid_out, tmp_path, dirs_exist_ok=True)
    made = json.loads((laid_out / "facts.json").read_text(encoding="utf-8"))
    for key, fact in made["facts"].items():
        if key.startswith("06."):
            fact.update(value=None, shown=SHOWN_OUTSTANDING)
    made["tables"]["tasks"]["rows"] = []
    (tmp_path / "facts.json").write_text(json.dumps(made), encoding="utf-8")
    assert build.compile_pdf(tmp_path, "report", tmp_path / "made.pdf").is_file()
    absent = with_outstanding(tmp_path, {}, ["06.style_ours.test.accuracy"])
    assert absent["06.style_ours.test.accuracy"].shown == SHOWN_OUTSTANDING
