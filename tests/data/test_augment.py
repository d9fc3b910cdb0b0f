import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from atelier.data.augment import (
    IDENTITY,
    PAINTING,
    PUBLISHED,
    AugmentConfig,
    Draw,
    affine_matrix,
    augment_batch,
    augment_picture,
    color_matrix,
    draw,
)
from atelier.data.mixing import mix
from atelier.errors import AtelierError

once = pytest.mark.once
FILL_MODES = {"nearest": "nearest", "reflect": "reflect", "constant": "grid-constant"}
FULL = Draw(angle=25.0, shear=5.0, zoom=(0.9, 1.15), shift=(0.1, -0.15), flip=True)


def smooth_picture(seed=0, height=48, width=64):
    corners = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return np.array(Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC))


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def reference_warp(image, matrix, size, mode):
    """Bilinear resampling by SciPy, which counts (y, x)."""
    linear, offset = matrix[::-1, 1::-1], matrix[::-1, 2]
    return np.stack(
        [
            ndimage.affine_transform(
                image[..., channel].astype(float),
                linear,
                offset,
                output_shape=size,
                order=1,
                mode=mode,
            )
            for channel in range(3)
        ],
        axis=-1,
    )


def square(matrix):
    return np.vstack([matrix, [0, 0, 1]])


@once
@pytest.mark.parametrize("shape", [(7, 9), (32, 32), (224, 224)])
def test_the_neutral_augmentation_leaves_pictures_alone(shape):
    images = noise(3, *shape)
    result = augment_batch(images, IDENTITY, seed=4, epoch=2, indices=[5, 6, 7])
    assert np.array_equal(result, images)


@once
@pytest.mark.parametrize("shape", [(7, 10), (32, 32), (225, 224)])
def test_a_flip_is_exact(shape):
    image = noise(*shape)
    assert np.array_equal(augment_picture(image, PUBLISHED, Draw(flip=True)), image[:, ::-1])


@once
def test_a_shift_by_whole_pixels_is_exact_and_repeats_the_edge():
    image = noise(20, 40)
    result = augment_picture(image, PUBLISHED, Draw(shift=(3 / 20, -5 / 40)))
    expected = np.pad(image, ((0, 3), (5, 0), (0, 0)), mode="edge")[3:, :40]
    assert np.array_equal(result, expected)


@once
@pytest.mark.parametrize("side", [16, 33])
def test_a_quarter_turn_is_exact(side):
    image = noise(side, side)
    assert np.array_equal(augment_picture(image, PUBLISHED, Draw(angle=90)), np.rot90(image))


@once
@pytest.mark.parametrize("fill", FILL_MODES)
@pytest.mark.parametrize("size", [None, (40, 44), (96, 100)])
def test_a_warp_is_scipys_to_half_a_level(fill, size):
    image = smooth_picture()
    config = dataclasses.replace(PUBLISHED, fill=fill, output_size=size)
    size = size or image.shape[:2]
    result = augment_picture(image, config, FULL)
    matrix = affine_matrix(FULL, image.shape[:2], size)
    expected = reference_warp(image, matrix, size, FILL_MODES[fill])
    assert np.abs(result - expected).max() < 0.51


@once
def test_one_pass_is_the_product_of_its_steps():
    size = (48, 64)
    steps = [
        Draw(shift=FULL.shift),
        Draw(angle=FULL.angle),
        Draw(shear=FULL.shear),
        Draw(zoom=FULL.zoom),
        Draw(flip=True),
    ]
    product = np.linalg.multi_dot([square(affine_matrix(step, size, size)) for step in steps])
    np.testing.assert_allclose(square(affine_matrix(FULL, size, size)), product, atol=1e-9)


@once
def test_turning_in_a_wide_picture_keeps_lengths():
    matrix = affine_matrix(Draw(angle=30), (50, 200), (50, 200))[:, :2]
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(2), atol=1e-12)


@once
@pytest.mark.parametrize("output", [(24, 32), (48, 64), (100, 90)])
def test_a_change_of_size_maps_corner_to_corner(output):
    matrix = affine_matrix(Draw(), (48, 64), output)
    rows, columns = output
    np.testing.assert_allclose(matrix @ [-0.5, -0.5, 1], [-0.5, -0.5])
    np.testing.assert_allclose(matrix @ [columns - 0.5, rows - 0.5, 1], [63.5, 47.5])


def keras_layer(name, image, **options):
    import keras

    layer = getattr(keras.layers, name)(**options)
    result = layer(image[None].astype("float32"), training=True)
    return keras.ops.convert_to_numpy(result)[0]


@pytest.mark.parametrize(
    ("layer", "options", "drawn"),
    [
        ("RandomRotation", {"factor": (30 / 360, 30 / 360)}, Draw(angle=30)),
        ("RandomRotation", {"factor": (-45 / 360, -45 / 360)}, Draw(angle=-45)),
        (
            "RandomTranslation",
            {"height_factor": (0.2, 0.2), "width_factor": (-0.13, -0.13)},
            Draw(shift=(-0.2, 0.13)),
        ),
        (
            "RandomZoom",
            {"height_factor": (0.2, 0.2), "width_factor": (-0.1, -0.1)},
            Draw(zoom=(1.2, 0.9)),
        ),
    ],
)
def test_one_step_alone_is_the_keras_layer(layer, options, drawn):
    image = smooth_picture(3, 60, 60)
    expected = keras_layer(layer, image, fill_mode="nearest", interpolation="bilinear", **options)
    gap = np.abs(augment_picture(image, PUBLISHED, drawn) - expected)
    assert gap.max() < 0.6


@once
def test_shear_slants_by_its_angle():
    matrix = affine_matrix(Draw(shear=20), (50, 50), (50, 50))[:, :2]
    np.testing.assert_allclose(matrix @ [1, 0], [1, 0], atol=1e-12)
    x, y = matrix @ [0, 1]
    assert np.degrees(np.arctan2(-x, y)) == pytest.approx(20)


@once
def test_a_picture_does_not_depend_on_its_batch():
    images = noise(6, 32, 32)
    together = augment_batch(images, PAINTING, seed=1, epoch=3, indices=range(10, 16))
    order = [4, 0, 5]
    some = augment_batch(images[order], PAINTING, seed=1, epoch=3, indices=[14, 10, 15])
    assert np.array_equal(some, together[order])


@once
@pytest.mark.parametrize("other", [{"seed": 2}, {"epoch": 4}, {"index": 8}])
def test_seed_epoch_and_index_each_change_the_draw(other):
    numbers = {"seed": 1, "epoch": 3, "index": 7}
    assert draw(PUBLISHED, **numbers) == draw(PUBLISHED, **numbers)
    assert draw(PUBLISHED, **numbers) != draw(PUBLISHED, **(numbers | other))


@once
def test_published_draws_fill_the_published_ranges():
    draws = [draw(PUBLISHED, seed=0, epoch=0, index=index) for index in range(3000)]
    ranges = {
        "angle": (-45, 45, [d.angle for d in draws]),
        "shear": (-5, 5, [d.shear for d in draws]),
        "zoom": (0.8, 1.2, [z for d in draws for z in d.zoom]),
        "shift": (-0.2, 0.2, [s for d in draws for s in d.shift]),
    }
    for low, high, values in ranges.values():
        assert low <= min(values) < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < max(values) <= high
        assert np.mean(values) == pytest.approx((low + high) / 2, abs=0.03 * (high - low))
    assert np.mean([d.flip for d in draws]) == pytest.approx(0.5, abs=0.04)
    assert abs(np.corrcoef([d.zoom for d in draws], rowvar=False)[0, 1]) < 0.06
    assert {(d.brightness, d.contrast, d.saturation) for d in draws} == {(1.0, 1.0, 1.0)}


@once
def test_painting_draws_are_crops_inside_the_picture_with_bounded_proportions():
    draws = [draw(PAINTING, seed=0, epoch=0, index=index) for index in range(2000)]
    ratios = [d.zoom[0] / d.zoom[1] for d in draws]
    assert 1 / 1.15 <= min(ratios) < 0.88
    assert 1.14 < max(ratios) <= 1.15
    for d in draws:
        for part, shift in zip(d.zoom, d.shift, strict=True):
            assert abs(shift) <= max(0, 1 - part) / 2 + 1e-12
    assert max(abs(s) for d in draws for s in d.shift) > 0.1
    assert max(abs(d.angle) for d in draws) <= 10


@once
def test_a_part_of_the_pictures_may_be_seen_whole():
    always = dataclasses.replace(PAINTING, zoom=(0.5, 0.9))
    some = dataclasses.replace(always, crop_probability=0.3)
    pairs = [
        (draw(always, seed=0, epoch=0, index=index), draw(some, seed=0, epoch=0, index=index))
        for index in range(2000)
    ]
    whole = [ours for _, ours in pairs if ours.zoom == (1.0, 1.0)]
    assert len(whole) / len(pairs) == pytest.approx(0.7, abs=0.04)
    assert all(ours.shift == (0.0, 0.0) for ours in whole)
    assert all(ours == theirs for theirs, ours in pairs if ours.zoom != (1.0, 1.0))


@once
def test_an_option_does_not_shift_the_other_draws():
    plain = draw(PUBLISHED, seed=0, epoch=0, index=0)
    colored = draw(dataclasses.replace(PUBLISHED, contrast=0.3), seed=0, epoch=0, index=0)
    assert dataclasses.replace(colored, contrast=1.0) == plain


@once
def test_color_is_brightness_then_contrast_about_the_mean_then_saturation():
    image = smooth_picture(5).astype(float) * 0.5 + 60
    drawn = Draw(brightness=1.1, contrast=0.8, saturation=0.7)
    luma = np.array([0.299, 0.587, 0.114])
    bright = image * 1.1
    contrasted = (bright - (bright @ luma).mean()) * 0.8 + (bright @ luma).mean()
    grey = (contrasted @ luma)[..., None]
    expected = grey + 0.7 * (contrasted - grey)
    matrix = color_matrix(drawn, (image @ luma).mean())
    np.testing.assert_allclose(image @ matrix[:, :3].T + matrix[:, 3], expected)
    result = augment_picture(np.uint8(image.round()), PUBLISHED, drawn)
    assert np.abs(result - expected).max() < 2


@once
def test_no_saturation_is_grey():
    result = augment_picture(smooth_picture(), PUBLISHED, Draw(saturation=0.0))
    assert (np.ptp(result, axis=-1) <= 1).all()


@once
def test_shrinking_a_lot_does_not_alias():
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    config = dataclasses.replace(IDENTITY, output_size=(50, 50))
    result = augment_picture(stripes, config, Draw(angle=3.0)).astype(float)
    assert np.abs(result - 127.5).max() < 40
    small = augment_picture(smooth_picture(1, 256, 256), config, Draw())
    reference = Image.fromarray(smooth_picture(1, 256, 256)).resize((50, 50), Image.Resampling.BOX)
    assert np.abs(small - np.asarray(reference, dtype=float)).mean() < 2


@once
def test_output_size_is_the_size_of_every_picture():
    config = dataclasses.replace(PAINTING, output_size=(20, 28))
    result = augment_batch(noise(4, 64, 64), config, seed=0, epoch=0, indices=range(4))
    assert result.shape == (4, 20, 28, 3)
    assert result.dtype == np.uint8


@once
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"fill": "wrap"}, "nearest, reflect, constant"),
        ({"zoom": (0.0, 1.0)}, "zoom"),
        ({"zoom": (1.2, 0.8)}, "zoom"),
        ({"shear": 90.0}, "shear"),
        ({"rotation": -1.0}, "0 or more"),
        ({"mix_probability": 1.5}, "mix_probability"),
        ({"crop_probability": -0.5}, "crop_probability"),
        ({"output_size": (0, 5)}, "output_size"),
    ],
)
def test_an_impossible_range_is_refused(change, expected):
    with pytest.raises(AtelierError, match=expected):
        AugmentConfig(**change)


@once
def test_a_config_survives_json():
    config = dataclasses.replace(PAINTING, output_size=(160, 160))
    values = json.loads(json.dumps(dataclasses.asdict(config)))
    restored = AugmentConfig(
        **{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
    )
    assert restored == config


def batch_to_mix(count=8, side=12):
    rng = np.random.default_rng(0)
    images = np.repeat(np.arange(count, dtype=np.float32), side * side * 3)
    images = images.reshape(count, side, side, 3)
    return images, np.eye(count, dtype=np.float32)[rng.permutation(count)]


@once
def test_mixup_mixes_labels_as_it_mixes_pictures():
    images = np.zeros((16, 4, 4, 3), np.float32)
    images[8:] = 200
    labels = np.repeat(np.eye(2, dtype=np.float32), 8, axis=0)
    mixed, shares = mix(images, labels, AugmentConfig(mixup=0.4), np.random.default_rng(0))
    np.testing.assert_allclose(mixed.mean(axis=(1, 2, 3)) / 200, shares[:, 1], atol=1e-5)
    assert len(np.unique(shares[:, 1])) > 5
    assert mixed.dtype == shares.dtype == np.float32


@once
def test_cutmix_labels_are_the_parts_of_the_area():
    images, labels = batch_to_mix()
    mixed, shares = mix(images, labels, AugmentConfig(cutmix=1.0), np.random.default_rng(3))
    for own, picture, share in zip(images, mixed, shares, strict=True):
        values, counts = np.unique(picture[..., 0], return_counts=True)
        parts = sum(
            count / 144 * labels[int(value)] for value, count in zip(values, counts, strict=True)
        )
        np.testing.assert_allclose(share, parts, atol=1e-6)
        assert len(values) <= 2 or own[0, 0, 0] in values


@once
@pytest.mark.parametrize("config", [AugmentConfig(mixup=1.0), AugmentConfig(cutmix=1.0)])
def test_mixing_keeps_whole_labels_and_its_input(config):
    images, labels = batch_to_mix()
    before = images.copy(), labels.copy()
    _, shares = mix(images, labels, config, np.random.default_rng(0))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-6)
    assert np.array_equal(images, before[0])
    assert np.array_equal(labels, before[1])


@once
def test_mixing_happens_as_often_as_was_asked():
    images, labels = batch_to_mix(4, 4)
    config = AugmentConfig(mixup=1.0, cutmix=1.0, mix_probability=0.3)
    rng = np.random.default_rng(0)
    mixed = [mix(images, labels, config, rng)[0] is not images for _ in range(600)]
    assert np.mean(mixed) == pytest.approx(0.3, abs=0.06)
    assert mix(images, labels, PUBLISHED, rng)[0] is images


@once
def test_decoding_and_augmenting_import_no_framework():
    code = (
        "import sys, atelier.data.images, atelier.data.augment, atelier.data.mixing;"
        "sys.exit(bool({'tensorflow', 'keras', 'jax'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
