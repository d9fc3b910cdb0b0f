"""Methods on the same contents and styles: what is kept, and what the table says."""

import numpy as np
import pytest

from atelier.errors import AtelierError
from atelier.stylize.compare import compare, peak_bytes, summary
from atelier.stylize.examples import Example
from atelier.stylize.methods import Method, with_costs
from atelier.stylize.metrics import METRICS, StyleJudge


def examples(*names, seed=0):
    rng = np.random.default_rng(seed)
    return [Example(name, rng.integers(0, 256, (40, 48, 3), "uint8")) for name in names]


@pytest.fixture(scope="module")
def judge():
    return StyleJudge("vgg19", ("block1_conv2",), ("block1_conv1",), size=48, weights=None)


def test_a_method_that_copies_the_style_is_near_to_it_alone(judge, tmp_path):
    contents, styles = examples("a", "b"), examples("x", "y", "z", seed=1)
    ways = [
        Method("content", lambda content, style: content, {}),
        Method("style", lambda content, style: style, {}),
    ]
    table = compare(ways, contents, styles, judge, tmp_path)
    assert len(table) == 2 * 2 * 3
    means = table.groupby("method")[list(METRICS)].mean()
    assert means.loc["content", "content"] == pytest.approx(0, abs=1e-6)
    assert means.loc["style", "style"] == pytest.approx(0, abs=1e-6)
    told = summary(table, styles, judge).set_index("method")
    assert told.loc["style", "frechet"] < told.loc["content", "frechet"]
    assert told.loc["style", "artfid"] == pytest.approx(
        (1 + told.loc["style", "perceptual"]) * (1 + told.loc["style", "frechet"])
    )


def test_pictures_that_are_there_are_not_painted_again(judge, tmp_path):
    calls = []

    def paint(content, style):
        calls.append(1)
        return content

    contents, styles = examples("a"), examples("x", "y", seed=1)
    first = compare([Method("m", paint, {"steps": 1})], contents, styles, judge, tmp_path)
    again = compare([Method("m", paint, {"steps": 1})], contents, styles, judge, tmp_path)
    assert len(calls) == 2
    np.testing.assert_allclose(first["style"], again["style"])
    compare([Method("m", paint, {"steps": 2})], contents, styles, judge, tmp_path)
    assert len(calls) == 4


def test_progress_counts_every_picture(judge, tmp_path):
    said = []
    ways = [Method("m", lambda content, style: content, {})]
    compare(
        ways,
        examples("a"),
        examples("x", "y", seed=1),
        judge,
        tmp_path,
        progress=lambda *args: said.append(args),
    )
    assert said == [(1, 2), (2, 2)]


def test_costs_are_measured(judge, tmp_path):
    ways = [Method("m", lambda content, style: content, {})]
    content, style = examples("a")[0], examples("x")[0]
    table = compare(ways, [content], [style, *examples("y", seed=2)], judge, tmp_path)
    costs = with_costs(table[["method"]].drop_duplicates(), ways, content, style)
    assert costs["milliseconds"].gt(0).all()
    assert costs["megabytes"].isna().all()  # the command line does no such thing


@pytest.mark.once
def test_a_command_that_fails_is_an_error(tmp_path):
    with pytest.raises(AtelierError, match="to succeed"):
        peak_bytes([tmp_path / "none.png", tmp_path / "none.png", "-o", tmp_path / "out.png"])
