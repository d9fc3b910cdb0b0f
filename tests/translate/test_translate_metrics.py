"""Distances of painted photographs against plain loops, and what they are measured in."""

import logging

import keras
import numpy as np
import pytest

from atelier.backbones import BACKBONES, Backbone, build_backbone
from atelier.distances import frechet_distance
from atelier.errors import AtelierError
from atelier.translate import metrics
from atelier.translate.metrics import (
    METRICS,
    Embedder,
    absolute_error,
    choose_embedder,
    edge_preservation,
    floor_and_ceiling,
    judge,
    kernel_distance,
    memorization_distance,
    memorization_fid,
    share_of_the_way,
)


def pictures(count, size=(32, 32), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *size, 3), "uint8")


def cloud(count, size, seed=0):
    return np.random.default_rng(seed).normal(size=(count, size))


def two_layers(*, include_top, weights, input_tensor):
    """As the functions of Keras applications, but small."""
    x = keras.layers.Conv2D(6, 3, strides=2, activation="relu", name="lower")(input_tensor)
    x = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="upper")(x)
    return keras.Model(keras.utils.get_source_inputs(x), x)


@pytest.fixture(scope="module")
def tiny():
    """The names of two small bodies, known to `backbones` while the tests run."""
    names = ("tiny", "other")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.applications, "TwoLayers", two_layers, raising=False)
        for name in names:
            body = Backbone(name, "TwoLayers", "tf", f"{name}_notop.h5", size=32)
            patch.setitem(BACKBONES, name, body)
        yield names


@pytest.fixture(scope="module")
def embedder(tiny):
    keras.utils.set_random_seed(0)
    return Embedder("tiny", weights=None)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty ATELIER_WEIGHTS and an empty cache of Keras's."""
    (tmp_path / "weights").mkdir()
    monkeypatch.setenv("ATELIER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "weights"


def save_weights(place, name):
    body = two_layers(include_top=False, weights=None, input_tensor=keras.Input((None, None, 3)))
    body.save_weights(place / f"{name}_notop.weights.h5")
    return body


def kernel(x, y):
    return (sum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3


@pytest.mark.once
def test_the_kernel_distance_is_that_of_a_double_loop():
    ours, theirs = cloud(7, 3), 1.5 * cloud(7, 3, seed=1) + 0.5
    apart = [(i, j) for i in range(7) for j in range(7) if i != j]
    own = [np.mean([kernel(x[i], x[j]) for i, j in apart]) for x in (ours, theirs)]
    others = np.mean([kernel(x, y) for x in ours for y in theirs])
    mean, deviation = kernel_distance(ours, theirs, subsets=3, subset_size=100)
    assert mean == pytest.approx(sum(own) - 2 * others, rel=1e-10)
    assert deviation == pytest.approx(0, abs=1e-10)  # every subset is all there is


@pytest.mark.once
def test_the_kernel_distance_of_one_distribution_is_zero_on_average():
    found = [
        kernel_distance(cloud(60, 4, 2 * n), cloud(50, 4, 2 * n + 1), subsets=5, subset_size=30)[0]
        for n in range(60)
    ]
    assert min(found) < 0 < max(found)
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    assert kernel_distance(cloud(60, 4), cloud(50, 4, 1) + 1)[0] > max(found)


@pytest.mark.once
def test_subsets_are_drawn_by_the_seed():
    ours, theirs = cloud(40, 3), cloud(30, 3, seed=1)
    first, again, other = (
        kernel_distance(ours, theirs, subsets=4, subset_size=8, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again != other
    assert first[1] > 0
    with pytest.raises(AtelierError, match="two pictures"):
        kernel_distance(ours[:1], theirs)
    with pytest.raises(AtelierError, match="0 of 8"):
        kernel_distance(ours, theirs, subsets=0, subset_size=8)


@pytest.mark.once
def test_memorizing_is_the_mean_angle_to_the_nearest():
    theirs = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    ours = np.array([[5.0, 0.0, 0.0], [0.0, 3.0, 3.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]])
    expected = np.mean([0, 1 - np.sqrt(0.5), 1, 0])  # the sign of the cosine does not matter
    assert memorization_distance(ours, theirs) == pytest.approx(expected)
    assert memorization_distance(theirs, theirs) == pytest.approx(0, abs=1e-12)
    assert memorization_distance(np.zeros((1, 3)), theirs) == 1


@pytest.mark.once
def test_only_what_is_memorized_is_penalized():
    assert memorization_fid(60.0, 0.05) == pytest.approx(1200)
    assert memorization_fid(60.0, 0.1) == 60
    assert memorization_fid(60.0, 0.2, threshold=0.3) == pytest.approx(300)
    assert memorization_fid(60.0, 0.0) > 1e12


@pytest.mark.once
def test_edges_of_a_photograph_are_its_own_and_not_those_of_noise():
    photos, noise = pictures(3, (64, 48)), pictures(3, (64, 48), seed=1)
    assert edge_preservation(photos, photos) == pytest.approx(1)
    assert edge_preservation(photos, 255 - photos) == pytest.approx(1, abs=1e-3)
    assert edge_preservation(photos, photos // 2 + 40) == pytest.approx(1, abs=1e-2)
    assert abs(edge_preservation(photos, noise)) < 0.05
    assert edge_preservation(photos, np.full_like(photos, 9)) == 0
    half = edge_preservation([photos[0], photos[1]], [photos[0], noise[1]])
    assert half == pytest.approx(0.5, abs=0.05)


@pytest.mark.once
def test_the_absolute_error_does_not_wrap_around():
    black, white = np.zeros((2, 4, 4, 3), "uint8"), np.full((2, 4, 4, 3), 255, "uint8")
    assert absolute_error(black, white) == absolute_error(white, black) == 255
    assert absolute_error([black[0], white[0][:2]], [white[0], white[0][:2]]) == 127.5
    for other in (white[:1], white[:, :2], []):
        with pytest.raises(AtelierError, match="pairs of pictures"):
            absolute_error(black, other)


@pytest.mark.once
def test_the_way_goes_from_paintings_to_photographs():
    assert share_of_the_way(40, 40, 140) == 0
    assert share_of_the_way(140, 40, 140) == 1
    assert share_of_the_way(65, 40, 140) == 0.25
    assert np.isnan(share_of_the_way(65, 140, 140))


def test_vectors_are_means_of_a_bodys_maps(embedder):
    seen = pictures(5)
    keras.utils.set_random_seed(0)
    maps = build_backbone("tiny", image_size=(32, 32), weights=None).predict(
        seen.astype("float32"), verbose=0
    )
    found = embedder(seen)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, maps.mean(axis=(1, 2)), atol=1e-5)


def test_batches_have_one_shape_and_change_nothing(embedder, monkeypatch):
    seen, shapes, told = pictures(19), [], []
    each = np.concatenate([embedder(seen[n : n + 1]) for n in range(19)])
    predict = embedder.model.predict_on_batch
    monkeypatch.setattr(
        embedder.model, "predict_on_batch", lambda x: shapes.append(x.shape) or predict(x)
    )
    found = embedder(seen, progress=lambda *state: told.append(state))
    np.testing.assert_allclose(found, each, atol=1e-5)
    assert len(shapes) == 2
    assert len(set(shapes)) == 1
    assert told == [(16, 19), (19, 19)]


def test_pictures_may_differ_in_size_and_do_not_alias(embedder):
    gray = np.full((32, 32, 3), 128, "uint8")
    board = np.uint8(255 * (np.indices((256, 192)).sum(axis=0) % 2))[..., None].repeat(3, axis=-1)
    found = embedder([gray, board, pictures(1)[0]])
    assert np.abs(found[0] - found[1]).max() < 0.05 * np.abs(found[0] - found[2]).max()


def test_pictures_that_are_not_in_uint8_are_refused(embedder):
    for wrong in (pictures(2) / 255, pictures(2)[..., :1], pictures(2)[..., 0]):
        with pytest.raises(AtelierError, match="uint8"):
            embedder(wrong)
    with pytest.raises(AtelierError, match="one or more"):
        embedder([])


def test_it_says_what_it_sees(tiny, embedder):
    assert embedder.describe() == (
        "tiny with random weights: mean of the last maps, 4 numbers, at 32 x 32 pixels"
    )
    lower = Embedder("tiny", "lower", 24, None)
    assert lower.describe() == (
        "tiny with random weights: mean of lower, 6 numbers, at 24 x 24 pixels"
    )
    assert lower(pictures(2)).shape == (2, 6)


def test_the_precision_of_a_training_does_not_change_it(tiny):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert Embedder("tiny", weights=None).model.compute_dtype == "float32"
    finally:
        keras.config.set_dtype_policy(before)


def test_the_preferred_body_is_chosen_where_its_weights_are(tiny, place, caplog):
    for name in tiny:
        save_weights(place, name)
    chosen = choose_embedder(*tiny)
    assert chosen.describe().startswith("tiny with ImageNet's weights")
    assert "instead" not in chosen.describe() + caplog.text


def test_the_other_body_takes_its_place_aloud(tiny, place, caplog):
    save_weights(place, "other")
    with caplog.at_level(logging.WARNING):
        chosen = choose_embedder(*tiny)
    assert chosen.backbone == "other"
    for said in (chosen.describe(), caplog.text):
        assert "instead of tiny, whose weights are not here" in said


def test_nothing_is_downloaded_or_at_random_without_being_asked(place, monkeypatch):
    built = []
    monkeypatch.setattr(metrics.backbones, "build_backbone", lambda *x, **y: built.append(x))
    with pytest.raises(AtelierError, match="inceptionv3 or densenet169"):
        choose_embedder()
    assert not built


def test_a_fast_run_takes_random_weights_and_says_so(tiny, place, monkeypatch):
    monkeypatch.setattr(metrics, "_RANDOM", "tiny")
    monkeypatch.setenv("ATELIER_FAST", "1")
    said = choose_embedder().describe()
    assert "random weights" in said
    assert "neither inceptionv3 nor densenet169" in said


def test_a_row_holds_every_distance(embedder):
    photos, paintings = pictures(12), pictures(10, (40, 32), seed=1) // 3
    painted, options = photos // 2, {"subsets": 3, "subset_size": 6, "seed": 5}
    row = judge(painted, paintings, photos, embedder=embedder, **options)
    ours, theirs = embedder(painted), embedder(paintings)
    assert tuple(row) == METRICS
    assert row["fid"] == pytest.approx(frechet_distance(ours, theirs))
    assert (row["kid"], row["kid_std"]) == pytest.approx(kernel_distance(ours, theirs, **options))
    distance = memorization_distance(ours, theirs)
    assert row["mifid"] == pytest.approx(memorization_fid(row["fid"], distance))
    assert row["edges"] == pytest.approx(edge_preservation(photos, painted))
    same = judge(painted, theirs, photos, embedder=embedder, seen=theirs, **options)
    assert same == pytest.approx(row)
    copied = judge(painted, theirs, photos, embedder=embedder, seen=ours, **options)
    assert copied["mifid"] > 1e6 * row["fid"]


def test_photographs_are_farther_from_paintings_than_paintings(embedder):
    paintings, photos = pictures(20, seed=1) // 4, pictures(15)
    floor, ceiling = floor_and_ceiling(paintings, photos, embedder, seed=3)
    assert 0 < floor < ceiling
    theirs = embedder(paintings)
    assert ceiling == pytest.approx(frechet_distance(embedder(photos), theirs))
    order = np.random.default_rng(3).permutation(20)
    assert floor == pytest.approx(frechet_distance(theirs[order[:10]], theirs[order[10:]]))
    assert floor_and_ceiling(theirs, embedder(photos), None, seed=3) == pytest.approx(
        (floor, ceiling)
    )
