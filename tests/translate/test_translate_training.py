"""Training from photo to painting: the domains, a run that is killed, and what goes wrong."""

import os
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from keras import ops
from PIL import Image

from atelier import models, storage
from atelier.data.reading import read_rgb
from atelier.errors import AtelierError
from atelier.translate import domains as domains_module
from atelier.translate import train as training
from atelier.translate.config import (
    _SMALLEST,
    CUT_MONET,
    CYCLEGAN_MONET,
    CYCLEGAN_PUBLISHED,
    RECIPES,
    TranslateConfig,
    get_recipe,
    plan,
)
from atelier.translate.domains import Unpaired, load_domains
from atelier.translate.networks import build_critic, build_generator
from atelier.translate.watch import problems_of

TINY = {**_SMALLEST, "precision": "float32"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A collection like gan-getting-started, 20 photos and 6 paintings."""
    root, rng = tmp_path_factory.mktemp("pictures") / "gan", np.random.default_rng(0)
    for name, count in (("photo_jpg", 20), ("monet_jpg", 6)):
        (root / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (6, 6, 3), "uint8")
            Image.fromarray(pixels).resize((40, 36)).save(root / name / f"{number:02d}.jpg")
    return root


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(domains_module, "STORED", 40)


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    """The folder of a CycleGAN that was trained for a few steps."""
    out = tmp_path_factory.mktemp("models") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ATELIER_ROOT", str(out.parent))
        patch.setattr(domains_module, "STORED", 40)
        return training.train(CYCLEGAN_MONET.replace(**TINY), pictures, out)


def test_a_run_leaves_networks_losses_and_pictures(trained):
    loaded = models.load(trained, kind=models.TRANSLATOR)
    assert [layer.name for layer in loaded.model.layers if isinstance(layer, keras.Model)] == [
        "to_monet",
        "monet_critic",
        "to_photo",
    ]
    metrics = loaded.metrics
    assert metrics["counts"] == {"photos": 16, "held_out": 4, "monets": 6}
    assert metrics["paintings"] == "Monet"
    assert metrics["steps"] == 4
    history = pd.read_csv(trained / "history.csv")
    assert list(history["epoch"]) == [1, 2]
    assert {"to_monet", "to_photo", "cycle", "identity", "monet_critic", "photo_critic"} <= set(
        history
    )
    names = [path.name for path in sorted((trained / "pictures").iterdir())]
    assert names == ["epoch-0001.png", "epoch-0002.png"]
    assert read_rgb(trained / "pictures" / names[0]).shape == (4 * 36, 3 * 36, 3)  # whole pictures
    card = models.card(trained)
    assert "16 photos and 6 paintings" in card
    assert not (trained / "backup").exists()


def test_a_finished_run_is_not_trained_again(trained, pictures):
    stamp = (trained / "metrics.json").stat().st_mtime_ns
    training.train(CYCLEGAN_MONET.replace(**TINY), pictures, trained)
    assert (trained / "metrics.json").stat().st_mtime_ns == stamp
    with pytest.raises(AtelierError, match="what another run left"):
        training.train(CYCLEGAN_MONET.replace(**{**TINY, "blocks": 2}), pictures, trained)


@pytest.mark.parametrize("recipe", [CYCLEGAN_MONET, CUT_MONET])
def test_a_killed_run_ends_as_an_uninterrupted_one(recipe, pictures, tmp_path):
    config = recipe.replace(**{**TINY, "epochs": 3})
    whole = training.train(config, pictures, tmp_path / "whole")

    class Killed(BaseException):
        pass

    def kill(done, total):
        if done == 5:  # in the third epoch
            raise Killed

    out = tmp_path / "killed"
    with pytest.raises(Killed):
        training.train(config, pictures, out, progress=kill)
    keras.backend.clear_session()
    resumed = training.train(config, pictures, out)
    histories = [pd.read_csv(folder / "history.csv") for folder in (whole, resumed)]
    first, second = (table.drop(columns=["seconds", "phase"]) for table in histories)
    pd.testing.assert_frame_equal(first, second, rtol=2e-4)
    weights = [models.load(f, kind=models.TRANSLATOR).model.get_weights() for f in (whole, resumed)]
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_numbers_that_are_none_end_a_run_and_keep_the_last_epoch(pictures, tmp_path, monkeypatch):
    config, out = CUT_MONET.replace(**{**TINY, "epochs": 2}), tmp_path / "out"
    make = Unpaired.make

    def broken(self, epoch, index):
        ((photo, monet),) = make(self, epoch, index)
        return ((photo * (np.nan if epoch else 1), monet),)

    monkeypatch.setattr(Unpaired, "make", broken)
    with pytest.raises(AtelierError, match="The state after epoch 1 is kept"):
        training.train(config, pictures, out)
    assert storage.read_json(out / "backup" / "state.json")["epoch"] == 1
    monkeypatch.setattr(Unpaired, "make", make)
    assert training.train(config, pictures, out) == out


def test_a_full_disk_leaves_the_last_state_whole(pictures, tmp_path, monkeypatch):
    config, out = CUT_MONET.replace(**{**TINY, "epochs": 2}), tmp_path / "out"
    savez = np.savez

    def full(path, *arrays):
        if "last-0002" in str(path):
            raise OSError(28, "No space left on device")
        savez(path, *arrays)

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        training.train(config, pictures, out)
    state = storage.read_json(out / "backup" / "state.json")
    assert state["epoch"] == 1
    assert (out / "backup" / state["files"]["last"]).is_file()
    monkeypatch.setattr(np, "savez", savez)
    assert training.train(config, pictures, out) == out


@pytest.mark.once
def test_held_out_photos_are_never_trained_on(pictures):
    found = load_domains(pictures, size=32, held_out=100)
    assert (len(found.photos), len(found.held_out), len(found.monets)) == (16, 4, 6)
    flat = {row.tobytes() for row in found.photos}
    assert not flat & {row.tobytes() for row in found.held_out}
    assert load_domains(pictures, size=32).mark == found.mark


@pytest.mark.once
def test_batches_are_a_function_of_epoch_and_index(pictures):
    found, config = load_domains(pictures, size=32), CYCLEGAN_MONET.replace(**TINY)
    batches = Unpaired(found, config, workers=0)
    ((photo, monet),) = batches.make(1, 1)
    assert photo.shape == monet.shape == (1, 32, 32, 3)
    again = Unpaired(found, config, start_epoch=1, workers=2)[1][0]
    np.testing.assert_array_equal(photo, again[0])
    np.testing.assert_array_equal(monet, again[1])


@pytest.mark.once
def test_the_samples_first_painter_stands_for_monet(tmp_path):
    from atelier.data.sample import draw_sample

    sample = draw_sample(tmp_path / "sample", works=3, size=32, photos=3, workers=1)
    paths, title = domains_module.paintings_in(sample)
    assert len(paths) == 3
    assert title != "Monet"


@pytest.mark.once
@pytest.mark.parametrize("count", [0, 1])
def test_a_domain_of_one_picture_or_none_is_refused(count, pictures, tmp_path):
    for folder in ("photo_jpg", "monet_jpg"):
        (tmp_path / folder).mkdir()
        kept = sorted((pictures / folder).iterdir())
        for path in kept[: count if folder == "monet_jpg" else None]:
            (tmp_path / folder / path.name).write_bytes(path.read_bytes())
    with pytest.raises(AtelierError, match=rf"Found {count} in"):
        load_domains(tmp_path)
    (tmp_path / "monet_jpg" / "bad.jpg").write_text("no picture")
    (tmp_path / "monet_jpg" / "worse.jpg").write_text("no picture")
    with pytest.raises(AtelierError, match=rf"two monets or more to train on. Found {count}"):
        load_domains(tmp_path)


@pytest.mark.once
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 30}, "multiple of 4"),
        ({"size": 8}, "at least 16"),
        ({"load_size": 20}, "load_size"),
        ({"batch_size": 64}, "64 pictures or more"),
        ({"method": "dream"}, "cyclegan, cut"),
        ({"generator": "unet"}, "resnet, published"),
        ({"upsampling": "none"}, "resize, transposed"),
        ({"augment": ("blur",)}, "color, translation, cutout"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, said, pictures, tmp_path):
    with pytest.raises(AtelierError, match=said):
        training.train(CYCLEGAN_MONET.replace(**{**TINY, **changes}), pictures, tmp_path / "out")


@pytest.mark.parametrize("upsampling", ["resize", "transposed"])
@pytest.mark.parametrize("generator", ["resnet", "published", "light"])
def test_generators_keep_the_size_of_pictures(generator, upsampling):
    config = CYCLEGAN_MONET.replace(**TINY, generator=generator, upsampling=upsampling)
    network = build_generator(config, "to_monet")
    x = np.random.default_rng(0).uniform(0, 255, (1, 36, 44, 3)).astype("float32")
    made = ops.convert_to_numpy(network(x))
    assert made.shape == x.shape
    assert 0 <= made.min() <= made.max() <= 255


@pytest.mark.once
def test_a_critic_of_three_levels_sees_patches_of_70_pixels():
    critic = build_critic(CYCLEGAN_MONET.replace(critic_channels=2), "critic")
    assert critic.compute_output_shape((None, 256, 256, 3)) == (None, 30, 30, 1)
    reach, stride = 1, 1
    convolutions = [x for x in critic.layers if isinstance(x, keras.layers.Conv2D)]
    for layer in convolutions:
        reach, stride = reach + 3 * stride, stride * layer.strides[0]
    assert reach == 70
    kernel = ops.convert_to_numpy(convolutions[-2].kernel)
    assert kernel.std() == pytest.approx(0.02, rel=0.1)


@pytest.mark.once
def test_signs_of_a_collapse_are_told():
    rng = np.random.default_rng(0)
    photos = np.repeat(rng.integers(0, 256, (3, 16, 16, 1), "uint8"), 3, axis=-1)
    assert problems_of(photos, photos, {"monet_critic": 0.2}) == []
    (critic,) = problems_of(photos, photos, {"monet_critic": 0.001})
    assert critic.startswith("monet_critic is never wrong")
    (inverted,) = problems_of(photos, 255 - photos, {})
    assert "turned round" in inverted
    (same,) = problems_of(photos, np.repeat(photos[:1], 3, axis=0), {})
    assert "one and the same" in same


@pytest.mark.once
def test_recipes_travel_as_plain_values(monkeypatch):
    for recipe in RECIPES.values():
        assert TranslateConfig.from_json(recipe.to_json()) == recipe
    with pytest.raises(AtelierError, match="Did you mean cyclegan_monet"):
        get_recipe("cyclegan_mone")
    assert get_recipe("cyclegan_published") is CYCLEGAN_PUBLISHED
    assert plan(CYCLEGAN_MONET, is_sample=True).size < plan(CYCLEGAN_MONET).size
    monkeypatch.setenv("ATELIER_FAST", "1")
    assert plan(CYCLEGAN_MONET).size == 32


@pytest.mark.once
def test_on_a_cpu_what_is_published_keeps_its_networks(monkeypatch):
    for cpu in (True, False):
        monkeypatch.setattr("atelier.translate.config.on_cpu", lambda cpu=cpu: cpu)
        ours, published = plan(CYCLEGAN_MONET), plan(CYCLEGAN_PUBLISHED)
        assert (ours.aid, published.aid) == ("vgg19", None)
        assert ours.generator == ("light" if cpu else "resnet")
        assert (published.generator, published.cycle_weight) == ("published", 10)
        assert ours.whole_size == 256 >= ours.size


PARALLEL = """
import keras, numpy as np
from atelier.translate.config import CYCLEGAN_MONET, _SMALLEST
from atelier.translate.train import build, compile_translation
config = CYCLEGAN_MONET.replace(**{**_SMALLEST, "batch_size": 2, "precision": "float32"})
rng = np.random.default_rng(0)
x = tuple(rng.uniform(0, 255, (8, 32, 32, 3)).astype("float32") for _ in range(2))
losses = []
for parallel in (False, True):
    if parallel:
        assert len(keras.distribution.list_devices()) == 2
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    translation = build(config)
    compile_translation(translation, config)
    history = translation.fit(x=x, batch_size=2, epochs=2, shuffle=False, verbose=0)
    losses.append(history.history["loss"])
print(losses)
np.testing.assert_allclose(*losses, rtol=1e-3)
"""


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="Keras distributes on JAX alone")
def test_two_devices_give_the_losses_of_one():
    flags = "--xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", PARALLEL],
        env={**os.environ, "XLA_FLAGS": flags},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_residual_generator_begins_with_the_picture_and_is_saved_as_it_is():
    config = CYCLEGAN_MONET.replace(channels=4, blocks=1, residual=True)
    picture = np.random.default_rng(0).integers(0, 256, (1, 16, 20, 3)).astype("float32")

    whole, added = (build_generator(c, "made") for c in (config.replace(residual=False), config))
    again = keras.Model.from_config(added.get_config())
    again.set_weights(added.get_weights())

    far, near = (np.abs(ops.convert_to_numpy(g(picture)) - picture).mean() for g in (whole, added))
    assert near < 8 < far
    np.testing.assert_array_equal(again(picture), added(picture))
