"""Tables that compare models, from what their folders say."""

import shutil

import pytest

from atelier import storage
from atelier.classify import report
from atelier.classify.bodies import with_body
from atelier.classify.plans import head_first
from atelier.classify.predict import evaluate_model
from atelier.classify.recipes import RECIPES

pytestmark = pytest.mark.once


@pytest.fixture
def judged(tiny_model, tiny_collection, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "models" / "tiny")
    evaluate_model(folder, tiny_collection)
    return folder


def test_the_published_row_comes_first_and_the_test_part_last(judged):
    table = report.against_published({"tiny": judged}, published=report.RESNET50)
    assert table["accuracy"].iloc[0] == 0.8571
    assert table["part"].tolist() == [
        "validation, leaking",
        "validation, leak-free",
        "test, leak-free",
    ]
    assert table["accuracy"].iloc[-1] == report.metrics_of(judged)["test"]["accuracy"]


def test_rivals_count_where_they_were_judged_on_the_same_pictures(judged, tmp_path):
    places = {name: tmp_path / name for name in ("same", "other", "unjudged")}
    for folder in places.values():
        shutil.copytree(judged, folder)
    metrics = report.metrics_of(judged)
    other = {**metrics, "split": {**metrics["split"], "fingerprint": "another"}}
    storage.write_json(places["other"] / "metrics.json", other)
    del metrics["test"]
    storage.write_json(places["unjudged"] / "metrics.json", metrics)
    rivals = {**places, "absent": tmp_path / "absent"}
    assert list(report.with_rivals({"ours": judged}, rivals)) == ["same", "ours"]


def test_a_recipe_table_says_what_is_other_than_published():
    published = RECIPES["resnet50_two_phase"]
    here = with_body(head_first(published, 20, then=4), "resnet50", "conv4_block6_out")
    table = report.recipe_table(published, here.replace(head_options={"pool": 2}))
    assert table.loc["body"].tolist() == ["resnet50", "resnet50, cut at conv4_block6_out"]
    assert table.loc["head"].tolist() == ["flatten_512_16", "flatten_512_16 (pool 2)"]
    assert table.loc["phase 1"].str.split(", learns ").str[-1].tolist() == [
        "everything",
        "the head",
    ]
    assert "at most 4 epochs" in table.loc["phase 2", "here"]
    assert table.loc["phase 2", "here"].endswith("the top 50 of the body")


@pytest.mark.parametrize(
    ("name", "learns"),
    [
        ("efficientnetb2_artist", "all but the body's first 40"),
        ("densenet121_movements", "the head and conv5_block15_2_conv, conv5_block16_1_conv, "),
    ],
)
def test_what_learns_is_said_in_words(name, learns):
    table = report.recipe_table(RECIPES[name], RECIPES[name])
    assert learns in table.loc[f"phase {len(RECIPES[name].phases)}", "here"]
