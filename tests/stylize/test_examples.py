"""Which pictures the notebooks paint."""

import numpy as np
import pytest
from PIL import Image

from atelier.data.choose import collection_at
from atelier.data.sample import draw_sample
from atelier.errors import AtelierError
from atelier.stylize.examples import FULL, pairs, protocol

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    out = tmp_path_factory.mktemp("drawn") / "sample"
    return collection_at(draw_sample(out, works=3, size=32, photos=12, workers=1))


def test_pairs_of_the_sample_are_of_two_painters_each(sample):
    found = pairs(sample)
    assert len(found) == 3
    assert all(content.name != style.name for content, style in found)


def test_pairs_of_the_main_collection_begin_with_the_predecessors(tmp_path):
    names = ("Vincent_van_Gogh_84", "Francisco_Goya_238", "Alfred_Sisley_35")
    names += ("Vincent_van_Gogh_242", "Leonardo_da_Vinci_34", "Vasiliy_Kandinskiy_64")
    for name in names:
        folder = tmp_path / "images" / "images" / name.rpartition("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(folder / f"{name}.jpg")
    (tmp_path / "artists.csv").write_text("name,genre,paintings\nFrancisco Goya,Romanticism,1\n")
    content, style = pairs(collection_at(tmp_path))[0]
    assert (content.name, style.name) == ("Vincent van Gogh 84", "Francisco Goya 238")


def test_one_painter_alone_makes_no_pair(tmp_path):
    (tmp_path / "Ada").mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), "uint8")
        Image.fromarray(pixels).save(tmp_path / "Ada" / f"{number}.png")
    with pytest.raises(AtelierError, match="two painters"):
        pairs(collection_at(tmp_path))


def test_the_protocol_takes_the_folder_of_pairs_where_it_is(sample, tmp_path, monkeypatch):
    for part, count in (("content", 11), ("style", 13)):
        (tmp_path / "style-pairs" / part).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", (80, 40)).save(tmp_path / "style-pairs" / part / f"{number:02d}.jpg")
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path))
    title, contents, styles = protocol(sample, longest=40)
    assert (title, len(contents), len(styles)) == ("style-pairs", *FULL)
    assert contents[0].pixels.shape == (20, 40, 3)


def test_else_it_takes_photographs_and_paintings_of_the_sample(sample):
    title, contents, styles = protocol(sample, (4, 6))
    assert "sample" in title
    assert (len(contents), len(styles)) == (4, 6)
    assert len({style.name for style in styles}) > 1
