import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from atelier import models, storage
from atelier.classify import reference as references
from atelier.classify.datasets import model_input
from atelier.classify.embeddings import embedding_model
from atelier.classify.recipes import Recipe
from atelier.classify.reference import (
    SKETCH,
    answers_and_embeddings,
    describe,
    doubt_of,
    load_reference,
    two_outputs,
    write_reference,
)
from atelier.classify.reference_building import build_reference
from atelier.data.splits import SplitConfig
from atelier.errors import AtelierError


@pytest.fixture(scope="module")
def paintings(tmp_path_factory):
    """Five painters of 40 plain pictures in colors of their own; the last two paint 20 only."""
    directory, rng = tmp_path_factory.mktemp("drawn") / "paintings", np.random.default_rng(0)
    colors = {"Ann": (200, 40, 40), "Bob": (40, 200, 40), "Cid": (40, 40, 200)}
    colors |= {"Dee": (240, 240, 10), "Eve": (10, 240, 240)}
    for name, color in colors.items():
        (directory / name).mkdir(parents=True)
        for work in range(40 if name in ("Ann", "Bob", "Cid") else 22):
            pixels = rng.normal(color, 25, (8, 8, 3)).clip(0, 255).astype("uint8")
            picture = Image.fromarray(pixels).resize((16, 16), Image.Resampling.NEAREST)
            picture.save(directory / name / f"{work}.png")
    return directory


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("photographs") / "seen"
    (directory / "photo_jpg").mkdir(parents=True)
    for number in range(40):
        pixels = np.random.default_rng(number).integers(225, 255, (16, 16, 3), "uint8")
        Image.fromarray(pixels).save(directory / "photo_jpg" / f"{number}.jpg")
    return directory


@pytest.fixture
def model(tiny_recipe, tmp_path):
    """A classifier of the three painters by their mean colors; untrained, but it knows them."""
    return save_model(tiny_recipe, tmp_path)


def save_model(recipe, folder, name="colors", **changes):
    import pandas as pd

    recipe = recipe.replace(
        split=SplitConfig(min_works=30, fractions=(0.4, 0.3, 0.3)),
        **dict.fromkeys(("image_size", "decode_size", "train_size"), (16, 16)),
    ).replace(**changes)
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.Flatten()(x)
    network = keras.Model(inputs, keras.layers.Dense(3, "softmax", name="probabilities")(x))
    kernel = np.tile(np.eye(3, dtype="float32"), (4, 1)) * 2
    network.get_layer("probabilities").set_weights([kernel, np.zeros(3, "float32")])
    return models.save(
        folder / "models" / name,
        network,
        class_names=["Ann", "Bob", "Cid"],
        recipe=recipe.to_json(),
        metrics={"val": {"accuracy": 1.0}},
        history=pd.DataFrame({"epoch": [1]}),
        card="# colors\n",
    )


@pytest.fixture
def built(model, paintings, photographs):
    return build_reference(model, paintings, foreign=photographs)


def pictures(count=3, seed=5):
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 16, 3), "uint8")


def test_one_pass_gives_what_two_give(model):
    loaded, views = models.load(model), pictures()
    probabilities, embedding = answers_and_embeddings(loaded)(views)
    expected = loaded.model.predict(np.float32(views), verbose=0).mean(axis=0)
    vectors = embedding_model(loaded.model).predict(np.float32(views), verbose=0).mean(axis=0)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    np.testing.assert_allclose(embedding, vectors, atol=1e-6)


def test_the_model_of_two_outputs_is_made_once_and_goes_with_its_classifier(model):
    loaded = models.load(model)
    twin = two_outputs(loaded.model)
    assert two_outputs(loaded.model) is twin
    assert {id(w) for w in twin.weights} == {id(w) for w in loaded.model.weights}


def test_photographs_and_other_painters_are_told_from_the_known(built):
    measured = built.facts["measured"]
    assert built.facts["score"] == "doubt and foreignness"
    assert measured["photographs"]["auroc"] > 0.95
    assert measured["paintings"]["pictures"] == 22
    assert measured["known"]["pictures"] == 36
    assert measured["known"]["outlying"] < 0.25


def test_without_foreign_pictures_doubt_and_length_decide(model, paintings, tmp_path):
    alone = shutil.copytree(paintings, tmp_path / "alone")
    shutil.rmtree(alone / "Dee")
    shutil.rmtree(alone / "Eve")
    built = build_reference(model, alone)
    assert built.facts["score"] == "doubt and length of the embedding"
    assert list(built.facts["measured"]) == ["known"]


def test_nothing_that_is_measured_was_fitted_to(model, paintings, photographs, monkeypatch):
    from atelier.classify import reference_building

    seen = {}

    def see_all(loaded, recipe, files, progress):
        seen.update({name: set(map(str, some)) for name, some in files.items()})
        return original(loaded, recipe, files, progress)

    original = reference_building._see_all
    monkeypatch.setattr(reference_building, "_see_all", see_all)
    build_reference(model, paintings, foreign=photographs)
    names = list(seen)
    assert len(names) == 7
    for number, name in enumerate(names):
        for other in names[number + 1 :]:
            assert not seen[name] & seen[other], (name, other)
    painters = [{p.split("/")[-2] for p in seen[n]} for n in ("paintings fitted", "paintings")]
    assert not painters[0] & painters[1]


def test_one_in_twenty_of_the_reference_is_outlying(built, model, paintings):
    own = built.unlikeness(built.embeddings, np.full(len(built.embeddings), 0.5))
    assert own.shape == (len(built.embeddings),)
    assert 0 < built.facts["counts"]["reference"] == len(built.embeddings)
    assert built.counts.sum() == built.facts["counts"]["fitted"] + len(built.embeddings)


def test_confidences_do_as_well_as_probabilities(built):
    reduced = built.embeddings[:4]
    rows = np.array([[0.7, 0.2, 0.1], [0.4, 0.3, 0.3], [1, 0, 0], [0.1, 0.1, 0.8]])
    told = built.unlikeness(reduced, rows)
    np.testing.assert_array_equal(told, built.unlikeness(reduced, rows.max(axis=1)))
    assert (built.outlying(reduced, rows) == (told > built.threshold)).all()


def test_unlikeness_is_the_sum_that_it_is_said_to_be(built):
    reduced, confidence = built.embeddings[:3], np.array([0.9, 0.5, 1.0])
    mean, deviation = built.facts["doubt"]
    expected = (np.log(1 - confidence + 1e-3) - mean) / deviation + np.float32(reduced)[:, 1]
    np.testing.assert_allclose(built.unlikeness(reduced, confidence), expected, rtol=1e-5)


def test_the_reference_is_standard_in_every_number(built):
    kept = np.float32(built.embeddings)
    np.testing.assert_allclose(kept.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(kept.std(axis=0), 1, atol=1e-2)


def test_a_picture_is_reduced_as_when_the_reference_was_made(built, model, paintings):
    loaded = models.load(model)
    recipe = Recipe.from_json(loaded.recipe)
    ask, rows = answers_and_embeddings(loaded), []
    for path in sorted((paintings / "Ann").iterdir()):
        views = model_input(np.asarray(Image.open(path)), recipe)
        rows.append(built.reduce(ask(views)[1][None])[0])
    gaps = np.abs(np.float32(built.embeddings)[:, None] - np.array(rows)[None]).max(axis=2)
    assert (gaps.min(axis=1) < 1e-2).sum() >= 3


def test_a_reference_is_kept_and_read_again(built, model):
    before = models.load(model).model.predict(np.float32(pictures()), verbose=0)
    file = write_reference(built, model)
    again = load_reference(model)
    assert file.stat().st_size < 200_000
    assert again.facts == {**built.facts, "version": 1}
    np.testing.assert_array_equal(again.embeddings, built.embeddings)
    vectors = np.random.default_rng(0).normal(size=(5, 12))
    np.testing.assert_array_equal(again.reduce(vectors), built.reduce(vectors))
    assert models.verify(model)["reference.npz"] == "ok"
    after = models.load(model).model.predict(np.float32(pictures()), verbose=0)
    np.testing.assert_array_equal(before, after)


def test_a_changed_reference_is_noticed_when_the_model_is_loaded(built, model):
    file = write_reference(built, model)
    content = bytearray(file.read_bytes())
    content[200] ^= 1
    file.write_bytes(content)
    with pytest.raises(AtelierError, match=r"reference\.npz"):
        models.load(model)


@pytest.mark.once
@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04 cut off"])
def test_a_file_that_is_no_reference_is_refused(tmp_path, content):
    (tmp_path / "reference.npz").write_bytes(content)
    with pytest.raises(AtelierError, match="atelier models reference"):
        load_reference(tmp_path)


def test_a_reference_that_would_run_code_is_refused(tmp_path, built):
    arrays = {name: getattr(built, name) for name in references._ARRAYS}
    arrays["counts"] = np.array([{"a": 1}], dtype=object)
    facts = np.array(json.dumps(built.facts))
    np.savez(tmp_path / "reference.npz", facts=facts, **arrays)
    with pytest.raises(AtelierError, match="allow_pickle"):
        load_reference(tmp_path)


@pytest.mark.once
def test_a_model_without_a_reference_has_none(tmp_path):
    assert load_reference(tmp_path) is None


def test_embeddings_of_another_width_are_refused(built):
    with pytest.raises(AtelierError, match=r"\(n, 12\)"):
        built.reduce(np.zeros((2, 13)))


@pytest.mark.once
def test_long_embeddings_are_folded_and_keep_their_angles():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 20_000))
    described = describe(np.stack([first, 3 * first, first + second]))
    assert described.shape == (3, SKETCH + 1)
    np.testing.assert_allclose(described[0, :-1], described[1, :-1], atol=1e-6)
    assert described[1, -1] - described[0, -1] == pytest.approx(0.3 * np.log(3), rel=1e-5)
    cosine = described[0, :-1] @ described[2, :-1]
    assert cosine == pytest.approx(np.sqrt(0.5), abs=0.1)


@pytest.mark.once
def test_the_fold_is_the_same_on_every_machine():
    row = references._sketch(3000)[:4].toarray()
    places = [(int(np.flatnonzero(r)[0]), int(r.sum())) for r in row]
    # Of RandomState(0): 0.5488, 0.7152, 0.6028, 0.5449 of 1,024.
    assert [place for place, _ in places] == [561, 732, 617, 557]
    assert {sign for _, sign in places} <= {-1, 1}


@pytest.mark.once
def test_doubt_of_a_sure_answer_is_bounded():
    found = doubt_of(np.array([[1.0, 0.0], [0.5, 0.5]]))
    np.testing.assert_allclose(found, [np.log(1e-3), np.log(0.501)])


def test_views_and_mirrors_are_averaged(tiny_recipe, paintings, tmp_path):
    recipe = tiny_recipe.replace(mirror=True)
    folder = save_model(recipe, tmp_path, "mirrored")
    built = build_reference(folder, paintings)
    assert built.facts["width"] == 12
    assert len(built.embeddings) == built.facts["counts"]["reference"]


def test_too_few_validation_paintings_are_said_plainly(model, tiny_collection):
    for name in ("Across", "Down", "Plain"):
        for path in sorted((tiny_collection / name).iterdir())[7:]:
            path.unlink()
    storage.write_json(model / "classes.json", ["Across", "Down", "Plain"])
    recipe = storage.read_json(model / "recipe.json")
    recipe["split"] |= {"min_works": None, "fractions": [0.7, 0.15, 0.15]}
    storage.write_json(model / "recipe.json", recipe)
    models.record(model, {}, "")
    with pytest.raises(AtelierError, match="8 validation paintings"):
        build_reference(model, tiny_collection)
