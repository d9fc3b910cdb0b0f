"""Where photographs are found, and which go with which paintings."""

import pytest
from PIL import Image

from atelier import paths
from atelier.data.choose import SAMPLE_TITLE, Collection
from atelier.data.photographs import photographs_for, photographs_in
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def photographs(folder, count):
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (8, 8)).save(folder / f"{number}.jpg")


@pytest.mark.parametrize("name", ["photo_jpg", "photos"])
def test_photographs_are_found_in_order(tmp_path, name):
    photographs(tmp_path / name, 3)
    assert photographs_in(tmp_path) == [f"{name}/{number}.jpg" for number in range(3)]


def test_one_photograph_is_too_few(tmp_path):
    photographs(tmp_path / "photos", 1)
    with pytest.raises(AtelierError, match="atelier data fetch gan-getting-started"):
        photographs_in(tmp_path)


def test_the_sample_has_its_own(tmp_path):
    sample = Collection(tmp_path, SAMPLE_TITLE, None)
    assert photographs_for(sample) is sample


def test_real_paintings_get_real_photographs_or_an_error(tmp_path):
    real = Collection(tmp_path, "paintings", None)
    with pytest.raises(AtelierError, match="gan-getting-started"):
        photographs_for(real)
    home = paths.data_dir() / "gan-getting-started"
    for name in ("monet_jpg", "photo_jpg"):
        photographs(home / name, 2)
    assert photographs_for(real).directory == home
