"""Painting with a trained generator: sizes, strength, tiles, and the way back."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier import models
from atelier.errors import AtelierError
from atelier.translate.config import _SMALLEST, CUT_MONET, CYCLEGAN_MONET
from atelier.translate.paint import Translator, reach_of
from atelier.translate.train import build

TINY = {**_SMALLEST, "precision": "float32"}


def saved(folder, config):
    """An untrained network in a folder, its normalizations not at their first values."""
    product = build(config).product()
    rng = np.random.default_rng(0)
    product.set_weights(
        [w + rng.normal(0, 0.2 if w.ndim == 1 else 0.05, w.shape) for w in product.get_weights()]
    )
    return models.save(
        folder,
        product,
        recipe=config.to_json(),
        metrics={"run": "none"},
        history=pd.DataFrame({"epoch": [1]}),
        card="# tiny",
        half=True,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("models") / "tiny", CYCLEGAN_MONET.replace(**TINY))


def photo(size=(50, 61), seed=0):
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (9, 9, 3), "uint8"))
    return np.array(small.resize(size[::-1], Image.Resampling.BICUBIC))


def test_any_size_is_painted_and_comes_back(folder):
    painted = Translator(folder)(photo())
    assert painted.shape == (50, 61, 3)
    assert Translator(folder)(photo(), size=32).shape == (26, 32, 3)
    assert np.abs(painted - photo()).mean() > 5


def test_strength_blends_with_the_photo(folder):
    translator = Translator(folder)
    whole, half, none = (translator(photo(), strength=s) for s in (1.0, 0.5, 0.0))
    np.testing.assert_array_equal(none, photo())
    np.testing.assert_allclose(half, (whole + photo()) / 2, atol=1e-3)
    with pytest.raises(AtelierError, match="a strength from 0 to 1"):
        translator(photo(), strength=1.5)


@pytest.mark.parametrize("generator", ["resnet", "published"])
def test_tiles_are_the_whole_picture(generator, tmp_path):
    config = CYCLEGAN_MONET.replace(**TINY, generator=generator)
    folder = saved(tmp_path / "tiny", config)
    picture, reach = photo((180, 230)), reach_of(config)
    whole = Translator(folder)(picture)
    translator = Translator(folder, whole=100, tile=2 * reach + 32)
    # Statistics of the picture itself, though tiles are asked for.
    translator.whole = 230
    tiled = translator._by_tiles(picture)
    assert np.abs(tiled - whole).mean() < 0.05
    assert np.abs(tiled - whole).max() < 1.0
    smaller = Translator(folder, whole=100, tile=2 * reach + 32)(picture)
    assert smaller.shape == picture.shape
    with pytest.raises(AtelierError, match=f"tiles of more than {2 * reach} pixels"):
        Translator(folder, whole=100, tile=2 * reach)(picture)


def test_the_way_back_and_the_critic(folder, tmp_path):
    there, back = Translator(folder), Translator(folder, reverse=True)
    assert np.abs(there(photo()) - back(photo())).mean() > 1
    assert np.isfinite(there.score(photo()))
    one_way = saved(tmp_path / "cut", CUT_MONET.replace(**TINY))
    assert Translator(one_way)(photo()).shape == (50, 61, 3)
    with pytest.raises(AtelierError, match="from photo to painting alone"):
        Translator(one_way, reverse=True)


def test_a_photo_that_is_too_small_or_narrow_is_refused(folder):
    for size in ((1, 1), (10, 10_000)):
        with pytest.raises(AtelierError, match="at least 16 pixels on its shorter side"):
            Translator(folder)(np.zeros((*size, 3), "uint8"))
