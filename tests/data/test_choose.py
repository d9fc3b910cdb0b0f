"""Which collection a notebook takes, and what it calls it."""

import pytest
from PIL import Image

from atelier import paths
from atelier.data.choose import SAMPLE_TITLE, artists_of, choose_collection
from atelier.data.layouts import read_layout
from atelier.data.sample import draw_sample
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def main_collection(root):
    """A collection of the main one's layout."""
    for name in ("Goya", "Titian"):
        folder = root / "images" / "images" / name
        folder.mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(folder / f"{name}_1.jpg")
    (root / "artists.csv").write_text("name,genre,paintings\nGoya,Romanticism,1\nTitian,,1\n")
    return root


def test_the_collection_that_is_named_comes_first(tmp_path, monkeypatch):
    main_collection(paths.data_dir() / "best-artworks-of-all-time")
    mine = main_collection(tmp_path / "mine")
    monkeypatch.setenv("ATELIER_DATA", str(mine))
    assert choose_collection().directory == mine


def test_a_name_that_leads_nowhere_is_an_error_and_no_sample(tmp_path, monkeypatch):
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(AtelierError, match="ATELIER_DATA"):
        choose_collection()


def test_the_main_collection_is_next_and_keeps_its_eleven_painters():
    home = main_collection(paths.data_dir() / "best-artworks-of-all-time")
    chosen = choose_collection()
    assert (chosen.directory, chosen.min_works) == (home, 200)
    assert chosen.title == "Best Artworks of All Time"
    assert not chosen.is_sample


def test_another_collection_is_taken_by_name_beside_the_main_one(tmp_path, monkeypatch):
    main_collection(tmp_path / "best-artworks-of-all-time")
    other = tmp_path / "wikiart" / "Cubism"
    other.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(other / "somebody_something.jpg")
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path))
    assert choose_collection("wikiart").directory == other.parent
    assert choose_collection().directory.name == "best-artworks-of-all-time"


def test_else_the_sample_is_drawn_and_says_so(monkeypatch):
    monkeypatch.setattr("atelier.data.sample.draw_sample", tiny_sample)
    chosen = choose_collection()
    assert chosen.is_sample
    assert chosen.title == SAMPLE_TITLE
    assert chosen.min_works is None
    assert chosen.picture("images/images/Orso_Vantane/Orso_Vantane_1.jpg").shape == (32, 32, 3)


def tiny_sample(out, **settings):
    return draw_sample(out, works=2, size=32, photos=0, painters=2, workers=1)


def test_a_fast_run_takes_the_sample_whatever_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr("atelier.data.sample.draw_sample", tiny_sample)
    monkeypatch.setenv("ATELIER_DATA", str(main_collection(tmp_path / "mine")))
    monkeypatch.setenv("ATELIER_FAST", "1")
    chosen = choose_collection()
    assert chosen.is_sample
    assert chosen.directory == paths.build_dir() / "sample"


def test_folders_of_ones_own_have_painters_too(tmp_path, monkeypatch):
    for name, works in (("Ada", 2), ("Bo", 1)):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(works):
            Image.new("RGB", (8, 8)).save(tmp_path / "mine" / name / f"{number}.png")
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path / "mine"))
    chosen = choose_collection()
    artists = artists_of(chosen, read_layout(chosen.directory))
    assert artists.set_index("name")["paintings"].to_dict() == {"Ada": 2, "Bo": 1}
    assert artists["nationality"].isna().all()
