"""The index of a collection, and what is found in it."""

import dataclasses
import logging
import shutil

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier import models, paths
from atelier.classify import embeddings, similar
from atelier.classify.embeddings import embed, embedding_model, load_index
from atelier.classify.networks import atelier_cnn
from atelier.classify.recipes import get_recipe
from atelier.classify.similar import find_similar, index_scores, search, similar_figure
from atelier.data.splits import SplitConfig
from atelier.errors import AtelierError


def save_model(folder, *, seed=0, card="# model\n"):
    """An untrained classifier of the tiny collection, 32 px, 4 + 6 features."""
    keras.utils.set_random_seed(seed)
    recipe = get_recipe("atelier_cnn").replace(
        split=SplitConfig(), image_size=(32, 32), decode_size=(32, 32), batch_size=8
    )
    network = atelier_cnn(3, image_size=(32, 32), stem=4, widths=(4, 6), blocks=1)
    return models.save(
        folder,
        network,
        class_names=["Across", "Down", "Plain"],
        recipe=recipe.to_json(),
        metrics={},
        history=pd.DataFrame({"epoch": [1]}),
        card=card,
    )


@pytest.fixture
def model(tmp_path):
    return save_model(tmp_path / "model")


@pytest.fixture
def paintings(tiny_collection):
    """The tiny collection with two larger pictures, one of them twice, that can be told apart."""
    for seed, name in enumerate(("Plain/landscape", "Down/portrait"), start=1):
        painting(seed).save(tiny_collection / f"{name}.png")
    painting(1).resize((80, 100)).save(tiny_collection / "Plain/landscape_again.jpg", quality=80)
    return tiny_collection


def painting(seed):
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (9, 9, 3), "uint8"))
    smooth = np.array(coarse.resize((120, 150), Image.Resampling.BICUBIC), "int16")
    return Image.fromarray((smooth + rng.integers(-20, 20, smooth.shape)).clip(0, 255).astype("u1"))


def test_an_embedding_is_what_the_last_dense_layer_is_given():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    hidden = keras.layers.Dense(5, activation="relu")(x)
    logits = keras.layers.Dense(2, name="logits")(hidden)
    network = keras.Model(inputs, keras.layers.Softmax()(logits))
    pixels = np.random.default_rng(0).uniform(0, 255, (3, 8, 8, 3)).astype("float32")
    found = embed(embedding_model(network), pixels)
    kernel, bias = network.layers[2].get_weights()
    expected = np.maximum(pixels.mean(axis=(1, 2)) @ kernel + bias, 0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.dtype == np.float32


def test_embeddings_follow_the_rows_that_are_asked_for_in_any_batches(monkeypatch):
    network = embedding_model(atelier_cnn(3, image_size=(32, 32), stem=4, widths=(4,), blocks=1))
    pixels = np.random.default_rng(0).integers(0, 255, (7, 32, 32, 3), "uint8")
    whole, seen = embed(network, pixels), []
    monkeypatch.setattr(embeddings, "BATCH", 2)
    some = embed(network, pixels, rows=[6, 0, 3], progress=lambda *done: seen.append(done))
    np.testing.assert_allclose(some, whole[[6, 0, 3]], atol=1e-5)
    assert seen == [(2, 3), (3, 3)]


def test_views_of_a_picture_are_averaged():
    network = embedding_model(atelier_cnn(3, image_size=(32, 32), stem=4, widths=(4,), blocks=1))
    views = np.random.default_rng(0).integers(0, 255, (2, 6, 32, 32, 3), "uint8")
    each = network.predict_on_batch(np.float32(views.reshape(12, 32, 32, 3)))
    mean = each.reshape(2, 6, -1).mean(axis=1)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(embed(network, views), mean, atol=1e-5)


@pytest.mark.parametrize(
    ("last", "says"),
    [(keras.layers.GlobalAveragePooling2D, "Dense layer"), (lambda: keras.layers.Dense(2), "vec")],
)
def test_a_model_without_vectors_before_a_dense_layer_is_refused(last, says):
    inputs = keras.Input((4, 4, 3))
    with pytest.raises(AtelierError, match=says):
        embedding_model(keras.Model(inputs, last()(inputs)))


def test_the_index_holds_every_readable_picture_in_half_precision(model, paintings):
    (paintings / "Plain" / "broken.png").write_text("not a picture")
    index = load_index(model, paintings)
    assert len(index.pictures) == 36 + 3
    assert index.embeddings.shape == (39, 10)
    assert index.embeddings.dtype == np.float16
    lengths = np.linalg.norm(np.float32(index.embeddings), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-3)
    assert index.folder.parent == paths.workspace(paintings) / "similar"
    assert index.pictures["label"].value_counts()["Plain"] == 14
    first = np.array(Image.open(paintings / index.pictures["path"][0]))[None]
    alone = embed(embedding_model(models.load(model).model), first)
    np.testing.assert_allclose(index.embeddings[:1], alone, atol=1e-3)


def count_embedding(monkeypatch):
    """A list that grows by one whenever pictures are embedded."""
    calls, real = [], embeddings.embed

    def counted(*args, **options):
        calls.append(1)
        return real(*args, **options)

    monkeypatch.setattr(embeddings, "embed", counted)
    return calls


def test_the_index_is_kept_until_weights_or_pictures_change(model, tiny_collection, monkeypatch):
    calls = count_embedding(monkeypatch)
    before = load_index(model, tiny_collection)
    models.record(model, {"test": {}}, "# judged meanwhile\n")
    again = load_index(model, tiny_collection)
    assert len(calls) == 1
    np.testing.assert_array_equal(before.embeddings, again.embeddings)
    (tiny_collection / "Plain" / "Plain_0.png").unlink()
    assert len(load_index(model, tiny_collection).pictures) == 35
    save_model(model, seed=1)
    other = load_index(model, tiny_collection)
    assert len(calls) == 3
    assert not np.allclose(other.embeddings, before.embeddings[:35], atol=1e-2)


@pytest.mark.parametrize("damaged", ["embeddings.npy", "pictures.parquet", "index.json"])
def test_a_damaged_index_is_made_anew_and_that_is_said(model, tiny_collection, damaged, caplog):
    before = load_index(model, tiny_collection)
    good, file = np.array(before.embeddings), before.folder / damaged
    file.write_bytes(file.read_bytes()[:100])
    with caplog.at_level(logging.WARNING):
        index = load_index(model, tiny_collection)
    assert "made anew" in caplog.text
    np.testing.assert_array_equal(index.embeddings, good)


def test_an_interruption_leaves_no_half_an_index(model, tiny_collection, monkeypatch):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(embeddings, "embed", stop)
    with pytest.raises(KeyboardInterrupt):
        load_index(model, tiny_collection)
    assert list((paths.workspace(tiny_collection) / "similar").iterdir()) == []


def test_a_picture_of_the_collection_is_not_its_own_answer(model, paintings):
    image = paintings / "Plain" / "landscape.png"
    found = find_similar(model, image, paintings, k=5)
    assert len(found.table) == 5
    assert found.label == found.artist == "Plain"
    assert set(found.copies) == {"Plain/landscape.png", "Plain/landscape_again.jpg"}
    assert not set(found.copies) & set(found.table["path"])
    assert found.table["similarity"].is_monotonic_decreasing
    assert list(found.table["rank"]) == [1, 2, 3, 4, 5]


def test_copies_count_where_that_is_asked_for(model, paintings):
    image = paintings / "Plain" / "landscape.png"
    found = find_similar(model, image, paintings, k=39, include_copies=True)
    assert len(found.table) == 39
    assert found.table["similarity"][0] == pytest.approx(1, abs=1e-3)
    assert set(found.copies) <= set(found.table["path"])


def test_a_reproduction_from_outside_is_recognized(model, paintings, tmp_path):
    outside = tmp_path / "outside.jpg"
    painting(1).resize((100, 128)).save(outside, quality=70)
    found = find_similar(model, outside, paintings, k=3)
    assert found.label is None
    assert set(found.copies) == {"Plain/landscape.png", "Plain/landscape_again.jpg"}
    assert not set(found.copies) & set(found.table["path"])


def test_a_picture_like_no_other_has_no_copies(model, paintings, tmp_path):
    painting(9).save(tmp_path / "new.png")
    assert find_similar(model, tmp_path / "new.png", paintings).copies == []


def test_the_approximate_index_is_kept_measured_and_agrees(model, tiny_collection, monkeypatch):
    faiss = pytest.importorskip("faiss")
    index = load_index(model, tiny_collection)
    queries = np.float32(index.embeddings[:4])
    exact = search(index, queries, 3)
    approximate = search(index, queries, 3, approximate=True)
    np.testing.assert_allclose(approximate[1], exact[1], atol=2e-3)  # one list: nothing is missed
    assert similar.measured_recall(index) > 0.95
    monkeypatch.setattr(similar, "build_approximate", lambda vectors: pytest.fail("built twice"))
    monkeypatch.setattr(similar, "EXACT_UP_TO", 10)
    np.testing.assert_array_equal(search(index, queries, 3)[0], approximate[0])
    monkeypatch.undo()
    (index.folder / "approximate.faiss").write_bytes(b"broken")
    assert isinstance(similar.load_approximate(index), faiss.Index)


def test_scores_of_the_index_leave_out_reproductions(model, paintings):
    index = load_index(model, paintings)
    scores = index_scores(index, paths=["Down/portrait.png", "Plain/landscape.png"], ks=(1,))
    assert scores["queries"] == 2
    assert 0 < scores["map"] <= 1
    again = load_index(model, paintings)
    assert index_scores(again)["queries"] == 39


def test_the_figure_frames_the_right_ones_and_blanks_what_may_not_be_shown(
    model, paintings, monkeypatch
):
    image = paintings / "Plain" / "landscape.png"
    found = find_similar(model, image, paintings, k=6, include_copies=True)
    figure = similar_figure(found, image, paintings)
    framed = [axes.spines["top"].get_visible() for axes in figure.axes[1:7]]
    assert framed == list(found.table["label"] == "Plain")
    monkeypatch.setattr(similar, "may_be_shown", lambda _, artists: np.zeros(len(artists), bool))
    monkeypatch.setattr(similar, "read_rgb", lambda *args, **options: pytest.fail("read"))
    hidden = similar_figure(found, image, paintings)
    assert all("not shown" in " ".join(a.get_xlabel().split()) for a in hidden.axes[:7])


def test_a_query_that_cannot_be_read_is_refused_before_the_index_is_made(model, tiny_collection):
    (tiny_collection.parent / "bad.jpg").write_text("not a picture")
    for name in ("bad.jpg", "gone.jpg"):
        with pytest.raises(AtelierError, match=name):
            find_similar(model, tiny_collection.parent / name, tiny_collection)
    assert not (paths.workspace(tiny_collection) / "similar").exists()


def test_a_collection_without_readable_pictures_is_refused(model, tmp_path):
    (tmp_path / "bad" / "Ada").mkdir(parents=True)
    (tmp_path / "bad" / "Ada" / "Ada_1.jpg").write_text("not a picture")
    with pytest.raises(AtelierError, match="readable"):
        load_index(model, tmp_path / "bad")


def test_two_models_have_an_index_each(model, tiny_collection, tmp_path):
    other = shutil.copytree(model, tmp_path / "other")
    assert load_index(model, tiny_collection).folder != load_index(other, tiny_collection).folder


def test_a_recipe_of_six_views_is_indexed_and_asked_by_views(model, tiny_collection):
    recipe = get_recipe("atelier_cnn").replace(
        split=SplitConfig(), image_size=(32, 32), decode_size=(32, 32), views="six"
    )
    by_views = dataclasses.replace(models.load(model), recipe=recipe.to_json())
    image = tiny_collection / "Down" / "Down_3.png"
    found = find_similar(by_views, image, tiny_collection, k=1, include_copies=True)
    assert found.table["path"][0] == "Down/Down_3.png"
    assert found.table["similarity"][0] == pytest.approx(1, abs=1e-3)
