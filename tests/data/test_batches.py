import copy
import dataclasses

import keras
import numpy as np
import pytest

from atelier.data.augment import IDENTITY, PAINTING
from atelier.data.batches import Batches, FollowEpochs
from atelier.errors import AtelierError

PICTURES, CLASSES = 23, 3


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), dtype=np.uint8)


def make_batches(pixels, **options):
    rows = np.random.default_rng(1).permutation(len(pixels))[:PICTURES]
    labels = np.arange(PICTURES) % CLASSES
    return Batches(pixels, rows, labels, **{"num_classes": CLASSES, "batch_size": 4} | options)


def training(pixels, **options):
    mixing = dataclasses.replace(PAINTING, mixup=0.2, cutmix=1.0, mix_probability=0.5)
    return make_batches(pixels, shuffle=True, augment=mixing, seed=5, **options)


def assert_same(first, second):
    for ours, theirs in zip(first, second, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            assert np.array_equal(a, b)


def test_pictures_come_in_order_as_floats_with_one_hot_labels(pixels):
    batches = make_batches(pixels)
    images = np.concatenate([images for images, _ in batches])
    labels = np.concatenate([labels for _, labels in batches])
    assert images.dtype == labels.dtype == np.float32
    assert np.array_equal(images, pixels[batches.rows])
    assert np.array_equal(labels, np.eye(CLASSES)[batches.labels])


def test_the_last_batch_is_kept_unless_it_is_to_be_dropped(pixels):
    assert [len(x) for x, _ in make_batches(pixels)] == [4, 4, 4, 4, 4, 3]
    assert [len(x) for x, _ in make_batches(pixels, drop_remainder=True)] == [4] * 5
    assert [len(x) for x, _ in make_batches(pixels, batch_size=50, drop_remainder=True)] == [23]


def test_an_epoch_holds_every_picture_once_in_another_order(pixels):
    batches = make_batches(pixels, shuffle=True)
    orders = []
    for epoch in range(3):
        order = np.concatenate([batches.positions(epoch, i) for i in range(len(batches))])
        assert sorted(order) == list(range(PICTURES))
        orders.append(tuple(order))
    assert len(set(orders)) == 3


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_batches_are_the_same_for_any_number_of_workers(pixels, workers):
    alone, helped = training(pixels, workers=0), training(pixels, workers=workers)
    for epoch in range(2):
        alone.set_epoch(epoch)
        helped.set_epoch(epoch)
        assert_same(alone, helped)


def test_batches_are_the_same_in_any_order_of_asking(pixels):
    straight, jumping = training(pixels, workers=0), training(pixels, workers=2)
    for index in (3, 0, 5, 4, 4, 1, 2):
        assert_same([straight[index]], [jumping[index]])


def test_a_resumed_epoch_is_the_uninterrupted_one(pixels):
    whole = training(pixels)
    list(whole)
    whole.set_epoch(7)
    assert_same(whole, training(pixels, start_epoch=7))


def test_epochs_and_seeds_differ(pixels):
    first, second = training(pixels), training(pixels, start_epoch=1)
    assert not np.array_equal(first[0][0], second[0][0])
    assert not np.array_equal(make_batches(pixels, shuffle=True)[0][0], first[0][0])


def test_no_more_batches_than_workers_wait(pixels):
    batches = make_batches(pixels, workers=2)
    for index in range(len(batches)):
        batches[index]
        assert len(batches._ahead._pending) <= 2
    assert len(batches._ahead._pending) == 0


def test_an_error_in_a_thread_reaches_the_caller(pixels):
    batches = make_batches(pixels, workers=2)
    batches.rows = batches.rows + 1000
    with pytest.raises(IndexError):
        batches[0]


def test_label_smoothing_is_that_of_keras(pixels):
    _, labels = make_batches(pixels, label_smoothing=0.1)[0]
    _, sharp = make_batches(pixels)[0]
    scores = np.random.default_rng(0).dirichlet(np.ones(CLASSES), 4).astype("float32")
    smoothed = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)(sharp, scores)
    plain = keras.losses.CategoricalCrossentropy()(labels, scores)
    assert float(plain) == pytest.approx(float(smoothed), rel=1e-5)


def test_output_size_is_what_training_sees(pixels):
    augment = dataclasses.replace(IDENTITY, output_size=(8, 10))
    assert make_batches(pixels, augment=augment)[0][0].shape == (4, 8, 10, 3)


def test_what_does_not_fit_together_is_refused(pixels):
    with pytest.raises(AtelierError, match="pictures to make batches of"):
        Batches(pixels, [], [], num_classes=3)
    with pytest.raises(ValueError, match="one label a row"):
        Batches(pixels, [1, 2], [0], num_classes=3)
    with pytest.raises(ValueError, match="labels from 0 to 2"):
        Batches(pixels, [1, 2], [0, 3], num_classes=3)
    with pytest.raises(IndexError, match="0 to 5"):
        make_batches(pixels)[6]


class Recorder(keras.layers.Layer):
    """Keeps a number for every batch that a model is trained on, in order."""

    def build(self, _):
        options = {"initializer": "zeros", "trainable": False}
        self.seen = self.add_weight(shape=(100,), name="seen", **options)
        self.count = self.add_weight(shape=(), name="count", **options)

    def call(self, images, training=False):
        if training:
            here = keras.ops.cast(keras.ops.arange(100.0) == self.count, "float32")
            self.seen.assign(self.seen * (1 - here) + here * keras.ops.mean(images))
            self.count.assign_add(1)
        return images


def recording_model():
    recorder = Recorder()
    model = keras.Sequential(
        [recorder, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(CLASSES)]
    )
    model.compile("sgd", keras.losses.CategoricalCrossentropy(from_logits=True))
    return model, recorder


def numbers_of(batches, epochs):
    """The numbers that a `Recorder` should keep."""
    return [
        batches.make(epoch, index)[0].mean() for epoch in epochs for index in range(len(batches))
    ]


def recorded(recorder):
    count = int(keras.ops.convert_to_numpy(recorder.count))
    return keras.ops.convert_to_numpy(recorder.seen)[:count]


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("batch_size", [4, 12, 50])
def test_fit_trains_on_exactly_the_batches_of_each_epoch(pixels, workers, batch_size):
    model, recorder = recording_model()
    batches = training(pixels, workers=workers, batch_size=batch_size)
    val_ds = make_batches(pixels)
    model.fit(batches, epochs=3, validation_data=val_ds, shuffle=False, verbose=0)
    np.testing.assert_allclose(recorded(recorder), numbers_of(batches, range(3)), rtol=1e-4)


def test_fit_goes_on_where_it_was_resumed(pixels):
    model, recorder = recording_model()
    batches = training(pixels, workers=2, start_epoch=4)
    model.fit(batches, initial_epoch=4, epochs=6, shuffle=False, verbose=0)
    np.testing.assert_allclose(recorded(recorder), numbers_of(batches, [4, 5]), rtol=1e-4)


def test_a_second_fit_goes_on_counting(pixels):
    model, recorder = recording_model()
    batches = training(pixels, workers=2)
    model.fit(batches, epochs=2, shuffle=False, verbose=0)
    model.fit(batches, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_allclose(recorded(recorder), numbers_of(batches, range(3)), rtol=1e-4)


def test_followed_epochs_are_those_of_every_fit(pixels):
    batches = training(pixels, workers=2)
    follow = FollowEpochs(batches)
    for _ in range(2):  # a new model each time, as a tuner does
        model, recorder = recording_model()
        options = {"shuffle": False, "verbose": 0, "callbacks": [copy.deepcopy(follow)]}
        model.fit(batches, epochs=2, **options)
        model.fit(batches, initial_epoch=2, epochs=3, **options)
        np.testing.assert_allclose(recorded(recorder), numbers_of(batches, range(3)), rtol=1e-4)


def test_evaluate_and_predict_see_every_picture_once(pixels):
    model, _ = recording_model()
    batches = make_batches(pixels, workers=2)
    scores = model.predict(batches, verbose=0)
    by_hand = model.predict(pixels[batches.rows].astype("float32"), verbose=0)
    np.testing.assert_allclose(scores, by_hand, rtol=1e-4, atol=1e-3)
