"""Style transfer by optimisation, on a small body with random weights."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from atelier.backbones import build_backbone
from atelier.errors import AtelierError
from atelier.gradients import value_and_gradients
from atelier.stylize import gatys, steppers
from atelier.stylize.features import Features
from atelier.stylize.gatys import sizes_of, stylize
from atelier.stylize.losses import content_loss, gram_matrix, style_loss, total_variation
from atelier.stylize.objective import Objective, weighted_losses
from atelier.stylize.presets import ATELIER, PRESETS, GatysConfig, get_preset
from atelier.stylize.styles import Style

CONTENT_LAYER, STYLE_LAYERS = "block2_conv1", ("block1_conv1", "block2_conv2")


def picture(seed=0, size=(40, 48)):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*size, 3), "uint8")


@pytest.fixture
def config():
    return ATELIER.replace(
        content_layers=(CONTENT_LAYER,),
        style_layers=STYLE_LAYERS,
        style_layer_weights=(1.0, 2.0),
        size=48,
        sizes=1,
        steps=4,
        padding=0,
        average=0.0,
    )


def run(config, content=None, styles=None, **options):
    keras.utils.set_random_seed(0)  # the same body every time
    content = picture() if content is None else content
    return stylize(
        content, picture(1) if styles is None else styles, config, weights=None, **options
    )


def test_a_few_steps_lower_the_loss(config):
    made = run(config.replace(steps=8, learning_rate=10.0))
    assert made.picture.shape == (40, 48, 3)
    assert made.history["total"].iloc[-1] < 0.9 * made.history["total"].iloc[0]
    assert made.problem is None


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_pixels_stay_in_range(config, optimizer):
    made = run(config.replace(optimizer=optimizer, learning_rate=90.0))
    assert made.pixels.dtype == np.float32
    assert made.pixels.min() >= 0
    assert made.pixels.max() <= 255
    assert len(made.history) == 4


def test_the_objective_is_the_weighted_sum_of_its_parts(config):
    features = Features("vgg19", (CONTENT_LAYER,), STYLE_LAYERS, weights=None)
    objective = Objective(picture(), [Style(picture(1))], features, config, (40, 48))
    x = np.float32(picture(2))[None]
    body = dict(zip((CONTENT_LAYER, *STYLE_LAYERS), features.model(x), strict=True))
    content = features.model(np.float32(picture())[None])[0]
    style = features.model(np.float32(picture(1))[None])[1:]
    expected = config.content_weight * content_loss(body[CONTENT_LAYER], content)
    for weight, name, target in zip((1.0, 2.0), STYLE_LAYERS, style, strict=True):
        expected += weight * style_loss(gram_matrix(body[name]), gram_matrix(target))
    expected += config.tv_weight * total_variation(x)
    total, terms = objective(x)
    assert float(total) == pytest.approx(float(expected), rel=1e-4)
    assert float(total) == pytest.approx(sum(float(term) for term in terms.values()), rel=1e-5)


def test_gradients_are_those_of_small_steps(config):
    features = Features("vgg19", (CONTENT_LAYER,), STYLE_LAYERS, weights=None)
    objective = Objective(picture(), [Style(picture(1))], features, config, (40, 48))
    x = np.float32(picture(2))[None]
    (_, _), gradient = value_and_gradients(objective, x, has_aux=True)
    gradient = ops.convert_to_numpy(gradient)
    along = np.sign(gradient)
    ahead, behind = (float(objective(x + step * along)[0]) for step in (0.5, -0.5))
    assert ahead - behind == pytest.approx(float(np.sum(gradient * along)), rel=0.02)


def test_half_precision_finds_the_same_way(config):
    config = config.replace(steps=6, learning_rate=8.0)
    exact, half = run(config), run(config.replace(precision="mixed_bfloat16"))
    assert keras.config.dtype_policy().name == "float32"  # as it was before
    moved = np.abs(exact.pixels - picture()).mean()
    assert np.abs(exact.pixels - half.pixels).mean() < 0.2 * moved
    assert half.history["total"].iloc[-1] == pytest.approx(
        exact.history["total"].iloc[-1], rel=0.05
    )


def test_sizes_go_from_coarse_to_fine_by_the_root_of_two():
    config = ATELIER.replace(size=512, sizes=4)
    assert sizes_of((300, 400), config) == [(136, 181), (192, 256), (272, 362), (384, 512)]
    assert sizes_of((40, 400), config.replace(size=400)) == [(40, 400)]  # others are too small


def test_a_later_size_goes_on_from_the_one_before(config):
    made = run(config.replace(sizes=2, size=64, steps=3, init="noise", learning_rate=0.0))
    assert made.picture.shape == (53, 64, 3)
    assert list(made.history["size"]) == [45] * 3 + [64] * 3
    rough = np.abs(np.diff(made.pixels, axis=1)).mean()
    fresh = run(config.replace(size=64, steps=1, init="noise", learning_rate=0.0))
    assert rough < 0.95 * np.abs(np.diff(fresh.pixels, axis=1)).mean()  # enlarged, so smoother


def test_the_average_is_that_of_the_iterates(config):
    seen = []
    gradients = lambda x: ((ops.sum(x), {}), ops.ones_like(x))  # noqa: E731
    start, config = np.full((1, 2, 2, 3), 100.0, "float32"), config.replace(average=0.5, steps=3)
    result = steppers.adam(gradients, start, config, lambda losses, x: seen.append(x))
    iterates = [100 - config.learning_rate * step for step in (1, 2, 3)]  # Adam's first steps
    weights = np.array([0.125, 0.25, 0.5])
    np.testing.assert_allclose(result, np.dot(weights, iterates) / weights.sum(), rtol=1e-3)
    np.testing.assert_allclose(ops.convert_to_numpy(seen[-1]), result)


def test_several_styles_are_blended_by_their_weights(config):
    features = Features("vgg19", (CONTENT_LAYER,), STYLE_LAYERS, weights=None)
    both = [Style(picture(1), 0.25), Style(picture(2), 0.75)]
    ((_, share, blended),) = Objective(picture(), both, features, config, (40, 48)).targets[
        "regions"
    ]
    alone = [
        Objective(picture(), [Style(picture(s))], features, config, (40, 48)).targets["regions"][0][
            2
        ]
        for s in (1, 2)
    ]
    assert share == 1
    for mixed, first, second in zip(blended, *alone, strict=True):
        np.testing.assert_allclose(mixed, 0.25 * first + 0.75 * second, rtol=1e-4, atol=1e-2)


def test_a_masked_style_is_painted_in_its_region_alone(config):
    mask = np.zeros((40, 48), "float32")
    mask[:, :20] = 1
    config = config.replace(content_weight=0.0, tv_weight=0.0, steps=3)
    made = run(config, styles=[Style(picture(1), 1.0, mask)])
    change = np.abs(made.pixels - picture()).mean(axis=(0, 2))
    assert change[:18].min() > 0.1
    assert change[30:].max() < 0.01  # beyond what a position at the edge sees


def test_who_watches_may_stop_it_and_keeps_what_there_is(config):
    seen = []

    def watch(progress):
        seen.append(progress)
        return progress.step < 3

    made = run(config.replace(steps=9), on_progress=watch, every=2)
    assert [p.step for p in seen] == [1, 2, 3]
    assert [p.picture is not None for p in seen] == [False, True, False]
    assert (seen[0].steps, seen[0].size) == (9, (40, 48))
    assert set(seen[0].losses) == {"total", "content", "style", "variation"}
    assert made.problem == "stopped"
    assert len(made.history) == 3
    assert np.abs(made.pixels - picture()).max() > 0


def test_losses_that_are_no_numbers_end_it_with_the_last_good_picture(config, monkeypatch):
    def breaks(x, *others):
        total, terms = weighted_losses(x, *others)
        return total / (ops.max(x) - ops.max(x)), terms

    made = run(config.replace(steps=2))
    monkeypatch.setattr(gatys, "weighted_losses", breaks)
    broken = run(config)
    assert "Lower the learning rate" in broken.problem
    assert len(broken.history) == 0
    np.testing.assert_array_equal(broken.picture, picture())
    assert made.problem is None


def test_one_compiled_function_serves_all_targets_and_weights(config, monkeypatch):
    traced = []

    def counted(*arguments):
        traced.append(1)
        return weighted_losses(*arguments)

    monkeypatch.setattr(gatys, "weighted_losses", counted)
    features = gatys.features_of(config, weights=None)
    run(config, features=features)
    once = len(traced)
    heavier = config.replace(content_weight=0.5, style_layer_weights=(2.0, 3.0))
    run(heavier, picture(3), picture(4), features=features)
    assert len(traced) == once
    blended = [Style(picture(1), 0.3), Style(picture(2), 0.7)]
    run(config, styles=blended, features=features)
    assert len(traced) == once


def test_noise_is_the_same_for_the_same_seed(config):
    config = config.replace(init="noise", steps=1)
    same, other = run(config).pixels, run(config.replace(seed=1)).pixels
    np.testing.assert_allclose(run(config).pixels, same, atol=1e-3)
    assert np.abs(same - other).mean() > 10


def test_colors_can_be_kept(config):
    grey = np.repeat(picture()[..., :1], 3, axis=-1)
    made = run(config.replace(keep_colors="luminance"), content=grey)
    assert np.ptp(made.pixels, axis=-1).max() < 2


def test_reflection_is_cut_away_again():
    bare = Features("vgg19", (CONTENT_LAYER,), STYLE_LAYERS, weights=None)
    padded = Features("vgg19", (CONTENT_LAYER,), STYLE_LAYERS, padding=16, weights=None)
    padded.model.set_weights(bare.model.get_weights())
    x = np.float32(picture(size=(48, 64)))[None]
    for name, found in padded.maps(x).items():
        inner = (slice(None), slice(8, -8), slice(8, -8))
        expected = bare.maps(x)[name]
        assert found.shape == expected.shape
        np.testing.assert_allclose(found[inner], expected[inner], rtol=1e-3, atol=1e-2)


WIDE = picture(size=(10, 1000))


@pytest.mark.parametrize(
    ("change", "pictures", "said"),
    [
        ({}, {"content": WIDE}, "content picture of at least 32 pixels"),
        ({}, {"styles": picture(size=(1, 1))}, "style picture of at least 32 pixels"),
        ({}, {"styles": []}, "at least one style"),
        ({}, {"styles": [Style(picture(1), 0.7), Style(picture(2), 0.7)]}, "sum to one"),
        (
            {},
            {"styles": [Style(picture(1), 1.0, np.ones((4, 4)))]},
            "a mask of the content's 48 x 40",
        ),
        ({}, {"styles": [Style(picture(1), 1.0, np.zeros((40, 48)))]}, "a region in it"),
        ({"style_weight": 0.0}, {}, "above zero"),
        ({"optimizer": "sgd"}, {}, "adam, lbfgs"),
        ({"scaling": "none"}, {}, "published or relative"),
        ({"style_layer_weights": (1.0,)}, {}, "2 weights"),
        ({"init": "picture"}, {}, "a picture to start from"),
        ({"init": "photo"}, {}, "content, noise or picture"),
        ({"content_layers": ("block9_conv1",)}, {}, "a layer of vgg19"),
        ({"keep_colors": "hue"}, {}, "luminance or transport"),
    ],
)
def test_what_cannot_be_painted_is_refused(config, change, pictures, said):
    with pytest.raises(AtelierError, match=said):
        run(config.replace(**change), **pictures)


def test_presets_know_their_layers_and_come_back_from_json():
    for preset in PRESETS.values():
        assert len(preset.style_layers) == len(preset.style_layer_weights)
        assert GatysConfig.from_json(dataclasses.asdict(preset)) == preset
        names = [*preset.content_layers, *preset.style_layers]
        assert len(build_backbone(preset.backbone, taps=names, weights=None).outputs) == len(names)
    with pytest.raises(AtelierError, match="Did you mean vgg19_published"):
        get_preset("vgg_published")
