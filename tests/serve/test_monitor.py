import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from atelier.classify.reference import Reference
from atelier.serve.findings import FINE, LITTLE, NO_REFERENCE
from atelier.serve.monitor import Thresholds, check, serving, write_report

pytestmark = pytest.mark.once

CLASSES = ["Ann", "Bob", "Cid"]
SIZE = 6
CHECKS = [
    "failed requests",
    "latency",
    "predicted classes",
    "embeddings",
    "told apart",
    "outlying pictures",
]


def made_reference(seed=10):
    vectors = np.random.default_rng(seed).normal(size=(200, SIZE))
    facts = {
        "class_names": CLASSES,
        "width": SIZE,
        "doubt": [-2.0, 1.0],
        "threshold": 2.5,
        "model": "ours",
    }
    weights = np.eye(SIZE, dtype="float32")[0]
    return Reference(
        np.eye(SIZE + 1, SIZE),
        np.zeros(SIZE),
        weights,
        np.float16(vectors),
        np.array([100, 60, 40]),
        facts,
    )


def made_requests(n=200, *, seed=1, shift=0.0, shares=(0.5, 0.3, 0.2), days=10, **columns):
    """Classifications as the store returns them; `shift` moves their embeddings."""
    rng = np.random.default_rng(seed)
    vectors = np.float16(rng.normal(shift, 1, (n, SIZE)))
    table = pd.DataFrame(
        {
            "id": [f"{seed}-{number}" for number in range(n)],
            "time": pd.date_range("2026-01-01", periods=n, freq=f"{days * 1440 // n}min", tz="UTC"),
            "kind": "classify",
            "model": "ours",
            "version": "artist/1",
            "arm": pd.NA,
            "seconds": rng.gamma(4, 0.05, n),
            "problem": pd.NA,
            "predicted": rng.choice(CLASSES, n, p=shares),
            "confidence": rng.uniform(0.5, 1, n),
            "outlying": pd.array(rng.random(n) < 0.05, dtype="boolean"),
            "content_distance": np.nan,
            "style_distance": np.nan,
        }
    )
    table["embedding"] = list(vectors)
    table = table.assign(**columns)
    names = ("kind", "model", "version", "arm", "problem", "predicted")
    return table.astype(dict.fromkeys(names, "string"))


def painted(n, *, distance=0.4, then=None, seed=2):
    rng = np.random.default_rng(seed)
    values = rng.normal(distance, 0.05, n)
    if then is not None:
        values[n // 2 :] += then - distance
    empty = dict.fromkeys(("predicted", "version"), pd.NA)
    table = made_requests(n, seed=seed, kind="stylize", model="fast", **empty)
    table["embedding"] = None
    table["outlying"] = pd.array([pd.NA] * n, dtype="boolean")
    return table.assign(content_distance=values, style_distance=0.5 + rng.normal(0, 0.05, n))


def verdicts(findings):
    return {found.name: found.verdict for found in findings.checks}


def test_requests_like_the_reference_cross_nothing():
    findings = check(made_requests(), made_reference())
    assert verdicts(findings) == dict.fromkeys(CHECKS, FINE)
    assert findings.crossed == []
    assert (findings.model, findings.version) == ("ours", "artist/1")


def test_other_pictures_are_noticed_in_embeddings_alone():
    findings = check(made_requests(shift=1.0), made_reference())
    assert findings.crossed == ["embeddings", "told apart"]


def test_other_classes_are_noticed_in_their_shares_alone():
    findings = check(made_requests(shares=(0.1, 0.3, 0.6)), made_reference())
    assert findings.crossed == ["predicted classes"]


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"seconds": 9.0}, "latency"),
        ({"outlying": pd.array([True, False] * 100, dtype="boolean")}, "outlying pictures"),
        ({"problem": ["out of memory", *[pd.NA] * 3] * 50}, "failed requests"),
    ],
)
def test_slow_failed_and_outlying_answers_are_noticed(columns, name):
    assert check(made_requests(**columns), made_reference()).crossed == [name]


def test_failed_requests_count_for_nothing_else():
    failed = made_requests(60, seed=5, shift=3.0, problem="disk full", seconds=99.0)
    findings = check(pd.concat([made_requests(), failed]), made_reference())
    assert findings.crossed == ["failed requests"]


def test_a_threshold_may_be_another():
    findings = check(made_requests(), made_reference(), thresholds=Thresholds(seconds=0.1))
    assert findings.crossed == ["latency"]


@pytest.mark.parametrize("count", [0, 1, 49])
def test_few_requests_are_too_little_data_and_no_crossing(count, tmp_path):
    findings = check(made_requests(shift=3.0).head(count), made_reference())
    assert set(verdicts(findings).values()) == {LITTLE}
    assert findings.crossed == []
    assert write_report(findings, tmp_path / "page.html").is_file()


def test_without_a_reference_only_that_is_left_out(tmp_path):
    findings = check(made_requests(shift=3.0, seconds=9.0), None)
    assert findings.crossed == ["latency"]
    assert [name for name, verdict in verdicts(findings).items() if verdict == NO_REFERENCE] == [
        "predicted classes",
        "embeddings",
        "told apart",
    ]
    assert "atelier models reference" in findings.notes[0]
    assert write_report(findings, tmp_path / "page.html").is_file()


def test_embeddings_of_another_reference_do_not_count():
    odd = made_requests(60, seed=3)
    odd["embedding"] = [np.zeros(SIZE + 1, "float16")] * 60
    findings = check(pd.concat([made_requests(), odd]), made_reference())
    assert {found.name: found.n for found in findings.checks}["embeddings"] == 200
    assert "60 answers bear no embedding" in findings.notes[0]


def test_only_the_newest_version_that_is_no_challenger_is_compared():
    old = made_requests(100, seed=3, shift=3.0, days=1)
    challenger = made_requests(100, seed=4, shift=3.0, version="artist/3", arm="challenger")
    challenger["time"] += pd.Timedelta(days=30)
    new = made_requests(version="artist/2", arm="champion")
    new["time"] += pd.Timedelta(days=2)
    table = pd.concat([old, new, challenger])
    findings = check(table, made_reference())
    assert (findings.version, len(findings.served)) == ("artist/2", 200)
    assert findings.crossed == []
    assert "Of 400 classifications 200" in findings.notes[0]
    named = check(table, made_reference(), version="artist/3")
    assert (named.version, len(named.served)) == ("artist/3", 100)


def test_a_model_without_versions_is_told_from_one_that_has_some():
    bare = made_requests(version=pd.NA)
    bare["time"] += pd.Timedelta(days=30)
    rows, model, version, _ = serving(pd.concat([made_requests(seed=4), bare]))
    assert (len(rows), model, version) == (200, "ours", None)
    assert serving(made_requests(), "another")[0].empty


def test_painted_pictures_are_compared_with_the_first_ones():
    steady, risen = painted(200), painted(200, then=0.6)
    assert check(steady, None).crossed == []
    found = check(risen, None)
    assert found.crossed == ["stylize: content distance"]
    (change,) = (c.value for c in found.checks if c.name == "stylize: content distance")
    values = risen["content_distance"].to_numpy()
    assert change == pytest.approx(values[50:].mean() / values[:50].mean() - 1)
    fallen = painted(200, then=0.1)
    assert check(fallen, None).crossed == ["stylize: content distance"]
    few = {c.name: c.verdict for c in check(risen.head(99), None).checks}
    assert few["stylize: content distance"] == LITTLE


class Reading(HTMLParser):
    """The tags that were opened and not closed, and addresses that are named."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "!doctype", "br"):
            self.open.append(tag)
        self.addresses += [v for name, v in attrs if name in ("src", "href") and v]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_fetches_nothing(tmp_path):
    table = pd.concat([made_requests(shift=1.0), painted(200, then=0.6)])
    table.loc[table.index[:5], "problem"] = "<script>alert(1)</script>"
    findings = check(table, made_reference())
    text = write_report(findings, tmp_path / "page.html").read_text(encoding="utf-8")
    reading = Reading()
    reading.feed(text)
    assert reading.open == []
    assert all(address.startswith("#") for address in reading.addresses)
    assert not re.search(r"https?:|@import|url\((?!#)|<script|<link", text)
    assert text.count("<svg") == 7
    assert "Crossed: embeddings, told apart, stylize: content distance." in text


def test_figures_follow_the_colors_of_the_page(tmp_path):
    text = write_report(check(made_requests(), made_reference()), tmp_path / "a.html").read_text()
    drawn = text[text.index("<svg") :]
    assert "var(--ink)" in drawn
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"#(22262b|ffffff|e3e5e8|33628f)", drawn)


def test_the_same_requests_make_the_same_page(tmp_path):
    first, second = (
        write_report(check(made_requests(), made_reference()), tmp_path / name).read_text()
        for name in ("a.html", "b.html")
    )
    assert first == second


def test_findings_are_plain_values():
    import json

    from atelier.cli.output import plain

    told = json.loads(json.dumps(plain(check(made_requests(), made_reference()).to_json())))
    assert [row["name"] for row in told["checks"]] == CHECKS
    assert told["crossed"] == []
