"""The feed-forward network: what it takes and gives, how it learns, and how it paints."""

import dataclasses
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from atelier import models
from atelier.errors import AtelierError
from atelier.stylize.fast import train as training
from atelier.stylize.fast.config import SMALLEST, FastConfig
from atelier.stylize.fast.network import PAINTER, STYLE_ENCODER, build_network
from atelier.stylize.fast.objective import TERMS, StyleTrainer
from atelier.stylize.fast.paint import FastPainter
from atelier.stylize.fast.pairs import Pairs
from atelier.stylize.styles import Style

TINY = SMALLEST.replace(
    weights=None,
    precision="float32",
    content_layers=("block1_conv2",),
    style_layers=("block1_conv1",),
)


def pictures(count, seed=0, size=(32, 32)):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *size, 3), "uint8")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A collection of photographs, and one of paintings by two painters."""
    root = tmp_path_factory.mktemp("pictures")
    wanted = (("photos/photo_jpg", 6), ("paintings/Ada", 8), ("paintings/Bob", 8))
    for seed, (name, count) in enumerate(wanted):
        (root / name).mkdir(parents=True)
        for number, pixels in enumerate(pictures(count, seed=seed)):
            Image.fromarray(pixels).resize((40, 36)).save(root / name / f"{number}.jpg")
    return root / "paintings", root / "photos"


@pytest.fixture(scope="module")
def trained(folders, tmp_path_factory):
    """The folder of a network that was trained for a few steps."""
    out = tmp_path_factory.mktemp("models") / "fast"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATELIER_ROOT", str(out.parent))
        patch.setattr(training, "STORED", 32)
        return training.train(TINY.replace(epochs=2), *folders, out)


@pytest.fixture(scope="module")
def painter(trained):
    return FastPainter(trained)


@pytest.mark.parametrize("skips", [False, True])
def test_a_network_takes_any_sizes_that_are_multiples_of_four(skips):
    network = build_network(TINY.replace(skips=skips))
    content, style = np.zeros((2, 36, 64, 3), "float32"), np.zeros((2, 40, 32, 3), "float32")
    assert network([content, style]).shape == (2, 36, 64, 3)
    assert network.get_layer(STYLE_ENCODER)(style).shape == (2, TINY.code)


def test_a_network_saves_and_loads_in_a_fresh_process(trained, tmp_path):
    content, style = np.float32(pictures(2))
    np.savez(tmp_path / "in.npz", content=content, style=style)
    script = f"""
import numpy as np
from atelier import models
from atelier.stylize.fast.config import KIND
loaded = models.load({str(trained)!r}, kind=KIND)
pair = np.load({str(tmp_path / "in.npz")!r})
found = loaded.model([pair["content"][None], pair["style"][None]])
np.save({str(tmp_path / "out.npy")!r}, np.asarray(found))
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    model = models.load(trained, kind=TINY.kind).model
    found = ops.convert_to_numpy(model([content[None], style[None]]))
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), found, atol=1e-2)


def test_a_few_steps_lower_the_loss():
    keras.utils.set_random_seed(0)
    config = TINY.replace(batch_size=4, steps=20, learning_rate=5e-3)
    trainer = StyleTrainer(build_network(config), config)
    trainer.compile(keras.optimizers.Adam(config.learning_rate))
    trainer.optimizer.build(trainer.trainable_variables)
    pairs = Pairs(pictures(4), pictures(4, seed=1), config, steps=20)
    before = trainer.evaluate(pairs, verbose=0, return_dict=True)
    trainer.fit(pairs, epochs=1, shuffle=False, verbose=0)
    after = trainer.evaluate(pairs, verbose=0, return_dict=True)
    assert set(after) == {"loss", *TERMS}
    assert after["loss"] < 0.9 * before["loss"]


def test_only_the_network_learns():
    trainer = StyleTrainer(build_network(TINY), TINY)
    assert len(trainer.trainable_variables) == len(trainer.network.trainable_variables) > 0


def test_pairs_depend_on_epoch_and_index_alone():
    pairs = Pairs(pictures(5), pictures(7, seed=1), TINY, steps=3)
    (content, style), same = pairs.make(1, 2)
    (again, _), _ = Pairs(pictures(5), pictures(7, seed=1), TINY, steps=3, workers=0).make(1, 2)
    np.testing.assert_array_equal(content, again)
    assert content.shape == style.shape == (2, 32, 32, 3)
    assert same.shape == (2,)
    assert not np.array_equal(content, pairs.make(0, 2)[0][0])


def test_a_share_of_the_pairs_is_one_picture_twice():
    config = TINY.replace(identity_share=0.5, batch_size=4)
    pairs = Pairs(pictures(4), pictures(4, seed=1), config, steps=8)
    for index in range(8):
        (content, style), same = pairs.make(0, index)
        equal = [np.array_equal(*pair) for pair in zip(content, style, strict=True)]
        assert equal == list(same == 1)
    assert 0 < sum(pairs.make(0, index)[1].sum() for index in range(8)) < 32


def test_contents_have_the_colors_of_their_styles():
    config = TINY.replace(identity_share=0.0)
    bright = np.uint8(200 + pictures(4, seed=1) // 8)
    (content, style), _ = Pairs(pictures(4), bright, config, steps=1).make(0, 0)
    np.testing.assert_allclose(content.mean(axis=(1, 2)), style.mean(axis=(1, 2)), atol=3)
    (content, _), _ = Pairs(pictures(4), bright, config.replace(move_colors=False), steps=1)[0]
    assert content.mean() < 150


def test_fixed_pairs_are_the_same_in_every_epoch():
    pairs = Pairs(pictures(4), pictures(4, seed=1), TINY, steps=2, fixed=True)
    np.testing.assert_array_equal(pairs.make(0, 1)[0][0], pairs.make(5, 1)[0][0])


def test_a_training_leaves_a_folder_that_says_how(trained):
    metrics = models.load(trained, kind=TINY.kind).metrics
    assert metrics["counts"]["train"]["photographs"] == 5
    assert metrics["pairs_seen"] == 2 * TINY.steps * TINY.batch_size
    assert set(metrics["val_losses"]) == {"loss", *TERMS}
    assert "5 photographs of `photos`" in models.card(trained)
    assert set(models.verify(trained).values()) == {"ok"}
    assert FastConfig.from_json(models.load(trained, kind=TINY.kind).recipe).epochs == 2


def test_a_network_that_paints_is_no_classifier(trained):
    with pytest.raises(AtelierError, match=r"Expected a classifier\. Found fast, a fast painter"):
        models.load(trained)


def test_an_interrupted_training_ends_as_an_uninterrupted_one(
    trained, folders, tmp_path, monkeypatch
):
    monkeypatch.setattr(training, "STORED", 32)
    calls = []

    def stop(done, total):
        calls.append(done)
        if done == TINY.steps + 1:
            raise KeyboardInterrupt

    out = tmp_path / "fast"
    with pytest.raises(KeyboardInterrupt):
        training.train(TINY.replace(epochs=2), *folders, out, progress=stop)
    training.train(TINY.replace(epochs=2), *folders, out)
    for ours, theirs in zip(
        models.load(out, kind=TINY.kind).model.get_weights(),
        models.load(trained, kind=TINY.kind).model.get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    training.train(TINY.replace(epochs=2), *folders, out, progress=calls.append)  # done: no steps
    assert len(calls) == TINY.steps + 1


def test_photographs_that_are_not_there_are_asked_for(folders, tmp_path):
    with pytest.raises(AtelierError, match="atelier data fetch gan-getting-started"):
        training.train(TINY, folders[0], tmp_path, tmp_path / "fast")


@pytest.mark.parametrize("size", [(33, 47), (40, 64), (120, 32)])
def test_a_picture_of_any_size_is_painted(painter, size):
    found = painter(pictures(1, size=size)[0], pictures(1, seed=1, size=(50, 90))[0])
    assert found.shape == (*size, 3)
    assert 0 <= found.min() <= found.max() <= 255


def test_the_longer_side_may_be_asked_for(painter):
    assert painter(pictures(1, size=(40, 80))[0], pictures(1)[0], size=160).shape == (80, 160, 3)


def test_strength_zero_is_the_pictures_own_style(painter):
    content, style = pictures(2)
    np.testing.assert_allclose(
        painter(content, style, strength=0.0), painter(content, content), atol=1.0
    )


def test_codes_of_several_styles_are_blended(painter, monkeypatch):
    content, one, two = pictures(3)
    alone = [painter(content, style) for style in (one, two)]
    both = painter(content, [Style(one, 0.5), Style(two, 0.5)])
    assert not np.allclose(both, alone[0], atol=1e-2)
    np.testing.assert_allclose(
        painter(content, [Style(one, 1.0), Style(two, 0.0)]), alone[0], atol=1e-2
    )


def test_a_mask_confines_a_style(painter):
    content, style = pictures(2)
    mask = np.zeros((32, 32), "float32")
    mask[:, :16] = 1
    found = painter(content, [Style(style, 1.0, mask)])
    np.testing.assert_allclose(found[:, 16:], content[:, 16:])
    np.testing.assert_allclose(found[:, :16], painter(content, style)[:, :16], atol=1e-3)


def test_colors_of_the_content_are_kept(painter):
    dark = pictures(1)[0] // 4
    found = painter(dark, 255 - pictures(1, seed=1)[0] // 4, keep="transport")
    np.testing.assert_allclose(found.mean(axis=(0, 1)), dark.mean(axis=(0, 1)), atol=6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strength": 1.5}, "a strength from 0 to 1"),
        ({"strength": float("nan")}, "a strength from 0 to 1"),
        ({"keep": "hue"}, "luminance or transport"),
        ({"size": 16}, "at least 32 pixels"),
    ],
)
def test_what_cannot_be_painted_is_refused(painter, options, said):
    with pytest.raises(AtelierError, match=said):
        painter(*pictures(2), **options)


def test_a_picture_that_will_not_fit_in_memory_is_refused(painter, monkeypatch):
    monkeypatch.setattr("atelier.stylize.fast.paint.free_bytes", lambda: 100_000)
    with pytest.raises(AtelierError, match="Choose a size of"):
        painter(*pictures(2, size=(64, 64)))


def test_settings_come_back_from_json():
    assert FastConfig.from_json(TINY.to_json()) == TINY
    assert dataclasses.asdict(TINY) == TINY.to_json()


def test_the_painter_is_a_model_of_its_own(painter):
    assert painter.painter.name == PAINTER
