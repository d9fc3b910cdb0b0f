import dataclasses
from collections import Counter

import keras
import numpy as np
import pytest
from PIL import Image

from atelier.classify.datasets import load_datasets, model_input
from atelier.classify.predict import classify, evaluate_model
from atelier.data.augment import IDENTITY, PAINTING
from atelier.data.reading import read_rgb
from atelier.data.splits import SplitConfig
from atelier.data.views import six_views
from atelier.errors import AtelierError
from atelier.models import LoadedModel

SIZE = (16, 16)


@pytest.fixture
def recipe(tiny_recipe):
    """Six views of 16 px of the 32 px pictures."""
    sizes = dict.fromkeys(("image_size", "decode_size", "train_size"), SIZE)
    return tiny_recipe.replace(views="six", augment=None, **sizes)


@pytest.fixture
def data(recipe, tiny_collection):
    return load_datasets(recipe, tiny_collection)


def pictures_of(batches):
    return np.concatenate([images for images, _ in batches])


def views_of(data, part):
    return [six_views(read_rgb(data.directory / path), SIZE) for path in data.part(part)["path"]]


# ---- views -----------------------------------------------------------------


@pytest.mark.once
def test_evaluation_sees_the_views_of_each_painting_in_order(data):
    batches = data.eval_ds("val")
    assert np.array_equal(pictures_of(batches), np.concatenate(views_of(data, "val")))
    assert np.array_equal(batches.labels, np.repeat(data.labels("val"), 6))


@pytest.mark.once
def test_training_takes_each_view_as_a_sample_of_its_own(data):
    batches = data.train_ds()
    count = len(data.part("train"))
    assert len(batches.rows) == 6 * count
    shown = Counter(picture.astype("uint8").tobytes() for picture in pictures_of(batches))
    all_views = Counter(view.tobytes() for views in views_of(data, "train") for view in views)
    left_out = all_views - shown
    assert not shown - all_views
    assert left_out.total() == 6 * count % data.recipe.batch_size  # the batch that is not full


@pytest.mark.once
def test_views_of_one_painting_never_straddle_parts(data):
    rows = {part: data.eval_ds(part).rows for part in ("train", "val", "test")}
    paintings = {part: set(numbers // 6) for part, numbers in rows.items()}
    for part, numbers in rows.items():
        assert len(paintings[part]) == len(data.part(part))
        assert set(numbers) == {
            6 * painting + view for painting in paintings[part] for view in range(6)
        }
    assert sum(map(len, paintings.values())) == len(set.union(*paintings.values()))


@pytest.mark.once
def test_pictures_and_labels_are_one_a_painting(data):
    wholes = [views[0] for views in views_of(data, "test")]
    assert np.array_equal(data.pictures("test"), wholes)
    names = [data.class_names[label] for label in data.labels("test")]
    assert names == data.part("test")["label"].tolist()


@pytest.mark.once
def test_without_views_answers_are_not_averaged(tiny_recipe, tiny_collection):
    data = load_datasets(tiny_recipe, tiny_collection)
    answers = np.random.default_rng(0).random((5, 3))
    assert data.average(answers) is answers
    assert data.pictures("val").shape == (len(data.part("val")), 32, 32, 3)
    image = read_rgb(tiny_collection / "Plain" / "Plain_0.png")
    assert np.array_equal(model_input(image, tiny_recipe), image[None])


def brightness_model():
    """Answers with how bright a view is, as the probability of the first of three classes."""
    inputs = keras.Input((None, None, 3))
    bright = keras.layers.GlobalAveragePooling2D()(inputs)[:, :1] / 255.0
    answers = keras.layers.Concatenate()([bright, 1 - bright, 0 * bright])
    return keras.Model(inputs, answers)


def test_a_model_is_judged_and_asked_by_the_mean_over_views(
    data, recipe, tiny_collection, tmp_path, monkeypatch
):
    model = brightness_model()
    metrics = {"split": {"fingerprint": "another"}}
    loaded = LoadedModel(model, data.class_names, recipe.to_json(), metrics, tmp_path)
    monkeypatch.setattr("atelier.models.load", lambda name: loaded)
    by_hand = [
        np.mean([view[..., 0].mean() for view in views]) / 255 for views in views_of(data, "test")
    ]
    judged = evaluate_model("any", tiny_collection)
    assert judged["n"] == len(by_hand)
    predicted = (np.array(by_hand) < 0.5).astype(int)
    assert judged["accuracy"] == pytest.approx(np.mean(predicted == data.labels("test")))
    path = data.part("test")["path"].iloc[0]
    table = classify(loaded, [tiny_collection / path]).set_index("class_name")
    assert table["probability"][data.class_names[0]] == pytest.approx(by_hand[0], abs=1e-5)


def left_model():
    """A network whose first probability is how bright the left half of the red channel is."""
    inputs = keras.Input((32, 32, 3))
    left = keras.layers.GlobalAveragePooling2D()(inputs[:, :, :16])[:, :1] / 255.0
    answers = keras.layers.Concatenate()([left, 1 - left, 0 * left])
    return keras.Model(inputs, answers)


def test_a_mirrored_recipe_is_judged_and_asked_by_the_mean_of_both_sides(
    tiny_recipe, tiny_collection, tmp_path
):
    recipe = tiny_recipe.replace(mirror=True)
    data = load_datasets(recipe, tiny_collection)
    wholes = data.pictures("test")[..., 0].mean(axis=(1, 2)) / 255
    network = left_model()
    np.testing.assert_allclose(data.answers(network, "test")[:, 0], wholes, atol=1e-5)
    assert not np.allclose(network.predict(data.eval_ds("test"), verbose=0)[:, 0], wholes)
    loaded = LoadedModel(network, data.class_names, recipe.to_json(), {}, tmp_path)
    path = data.part("test")["path"].iloc[0]
    table = classify(loaded, [tiny_collection / path]).set_index("class_name")
    assert table["probability"][data.class_names[0]] == pytest.approx(wholes[0], abs=1e-5)


# ---- training --------------------------------------------------------------


@pytest.mark.once
def test_a_phase_may_bring_its_own_augmentation_or_none(tiny_recipe, tiny_collection):
    recipe = tiny_recipe.replace(decode_size=(32, 32), train_size=(24, 24), augment=PAINTING)
    data = load_datasets(recipe, tiny_collection)
    flip = dataclasses.replace(IDENTITY, flip=True)
    assert data.train_ds().augment == dataclasses.replace(PAINTING, output_size=(24, 24))
    assert data.train_ds(augment=flip).augment == dataclasses.replace(flip, output_size=(24, 24))
    plain = data.train_ds(augment=None)
    assert plain.augment is None
    for batches in (data.train_ds(), data.train_ds(augment=flip), plain):
        assert batches[0][0].shape == (8, 24, 24, 3)


@pytest.mark.once
def test_class_weights_make_rare_classes_count_as_much(tiny_recipe, tiny_collection):
    for work in range(12, 40):
        pixels = np.random.default_rng(work).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tiny_collection / "Plain" / f"Plain_{work}.png")
    data = load_datasets(tiny_recipe, tiny_collection)
    counts, weights = np.bincount(data.labels("train")), data.class_weight()
    assert list(weights) == [0, 1, 2]
    totals = [weights[number] * count for number, count in enumerate(counts)]
    np.testing.assert_allclose(totals, sum(counts) / 3)
    assert weights[2] < weights[0]


@pytest.mark.once
def test_a_class_absent_from_training_has_no_weight_and_is_named(tiny_recipe, tiny_collection):
    data = load_datasets(tiny_recipe, tiny_collection)
    without = data.table[(data.table["label"] != "Plain") | (data.table["split"] != "train")]
    with pytest.raises(AtelierError, match="none of Plain"):
        dataclasses.replace(data, table=without).class_weight()


def test_class_weights_weigh_the_loss_of_one_hot_batches(tiny_recipe, tiny_collection):
    data = load_datasets(tiny_recipe.replace(augment=None), tiny_collection)
    pooling, dense = keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, "softmax")
    model = keras.Sequential([keras.layers.Rescaling(1 / 255), pooling, dense])
    model.compile(keras.optimizers.SGD(0.0), "categorical_crossentropy")
    weights = {0: 3.0, 1: 1.0, 2: 0.5}
    options = {"shuffle": False, "verbose": 0, "class_weight": weights}
    loss = model.fit(data.train_ds(), **options).history["loss"][0]
    images, labels = (np.concatenate(parts) for parts in zip(*data.train_ds(), strict=True))
    answers = model.predict(images, verbose=0)[labels == 1]
    by_hand = -np.log(answers) * np.array(list(weights.values()))[labels.argmax(axis=1)]
    assert loss == pytest.approx(by_hand.mean(), rel=1e-3)


@pytest.mark.once
def test_a_split_without_a_part_is_answered_with_those_that_are_there(tiny_recipe, tiny_collection):
    two = tiny_recipe.replace(split=SplitConfig(fractions=(0.8, 0.2)))
    with pytest.raises(AtelierError, match="train, val"):
        load_datasets(two, tiny_collection).labels("test")
