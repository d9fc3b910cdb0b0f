import shutil

import numpy as np
import pytest
from PIL import Image

from atelier import models, storage
from atelier.classify.predict import accuracy_by_view, ask, classify, evaluate_model
from atelier.classify.train import train
from atelier.data.views import VIEWS
from atelier.errors import AtelierError


@pytest.fixture
def trained(tiny_model, tmp_path):
    return shutil.copytree(tiny_model, tmp_path / "models" / "tiny")


def test_evaluation_agrees_with_counting_by_hand(trained, tiny_collection):
    judged = evaluate_model(trained, tiny_collection, split="test")
    metrics = storage.read_json(trained / "metrics.json")
    assert judged["n"] == sum(metrics["counts"]["test"].values())
    assert metrics["test"] == judged
    assert np.array(judged["confusion"]).sum() == judged["n"]
    assert judged["accuracy"] == pytest.approx(np.trace(judged["confusion"]) / judged["n"])


def test_evaluation_keeps_the_model_whole_and_updates_its_card(trained, tiny_collection):
    judged = evaluate_model(trained, tiny_collection, split="test")
    assert set(models.verify(trained).values()) == {"ok"}
    assert f"| test | {judged['n']} | accuracy | {judged['accuracy']:.3f} |" in models.card(trained)


def test_a_loaded_model_is_judged_on_one_part_after_another(trained, tiny_collection):
    before, loaded = storage.read_json(trained / "metrics.json"), models.load(trained)
    parts = {part: evaluate_model(loaded, tiny_collection, split=part) for part in ("test", "val")}
    assert storage.read_json(trained / "metrics.json") == {**before, **parts}


def test_another_collection_is_judged_but_not_recorded(trained, tiny_collection):
    extra = Image.fromarray(np.full((32, 32, 3), 7, "uint8"))
    extra.save(tiny_collection / "Plain" / "Plain_99.png")
    evaluate_model(trained, tiny_collection, split="test")
    assert "test" not in storage.read_json(trained / "metrics.json")


def test_a_collection_of_other_painters_is_refused(trained, tiny_collection):
    (tiny_collection / "Plain").rename(tiny_collection / "Somebody")
    with pytest.raises(AtelierError, match="without Plain"):
        evaluate_model(trained, tiny_collection)


def test_an_unknown_part_is_answered_with_those_that_are_there(trained, tiny_collection):
    with pytest.raises(AtelierError, match="test, train, val"):
        evaluate_model(trained, tiny_collection, split="verification")


def test_evaluation_draws_figures_where_asked(trained, tiny_collection, tmp_path):
    evaluate_model(trained, tiny_collection, figures=tmp_path / "figures")
    drawn = {path.suffix for path in (tmp_path / "figures").iterdir()}
    assert drawn == {".png"}


def test_classification_ranks_every_picture_of_a_folder(trained, tiny_collection):
    table = classify(trained, [tiny_collection / "Across"], top=2)
    assert len(table) == 12 * 2
    assert list(table["rank"]) == [1, 2] * 12
    both = table.groupby("path")["probability"]
    assert (both.first() >= both.last()).all()
    assert (both.sum() <= 1 + 1e-6).all()


def test_one_bad_picture_is_skipped_and_named(trained, tiny_collection):
    bad = tiny_collection / "Across" / "bad.png"
    bad.write_text("not a picture")
    table = classify(trained, [tiny_collection / "Across"])
    assert table["path"].nunique() == 12
    ((path, reason),) = table.attrs["skipped"]
    assert path == str(bad)
    assert "bad.png" in reason


def test_nothing_but_bad_pictures_is_an_error(trained, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_text("not a picture")
    with pytest.raises(AtelierError, match=r"bad\.jpg"):
        classify(trained, [bad])
    with pytest.raises(AtelierError, match="no picture"):
        classify(trained, [tmp_path / "models"])


def test_each_view_is_judged_alone_and_so_is_their_mean(tiny_recipe, tiny_collection, tmp_path):
    small = dict.fromkeys(("image_size", "decode_size", "train_size"), (16, 16))
    recipe = tiny_recipe.reduced(epochs=1).replace(views="six", augment=None, **small)
    model = train(recipe, tiny_collection, tmp_path / "models" / "views")
    table = accuracy_by_view(model, tiny_collection, split="val")
    assert table["view"].tolist() == [*VIEWS, "mean of the six"]
    answers = ask(model, tiny_collection, "val")
    assert np.allclose(answers.by_view.mean(axis=1), answers.probabilities, atol=1e-6)
    labels = answers.data.labels("val")
    assert table["accuracy"].iloc[2] == np.mean(answers.by_view[:, 2].argmax(axis=1) == labels)
    told = models.load(model).metrics["val"]["accuracy"]
    assert table["accuracy"].iloc[-1] == pytest.approx(told, abs=1e-6)


def test_a_model_of_whole_pictures_has_no_views_to_judge(trained, tiny_collection):
    with pytest.raises(AtelierError, match="six views"):
        accuracy_by_view(trained, tiny_collection)
