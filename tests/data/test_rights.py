"""Who may be shown in a published figure."""

import pandas as pd
import pytest

from atelier.data.rights import (
    death_year,
    may_be_shown,
    pictures_may_be_shown,
    showable_artists,
)
from atelier.data.sample import draw_sample

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("years", "died"),
    [
        ("1853 – 1890", 1890),
        ("1881 - 1973", 1973),
        ("c. 1390–1441", 1441),
        ("born 1960", None),
        (float("nan"), None),
        ("", None),
    ],
)
def test_the_year_of_death_is_the_last_of_two(years, died):
    assert death_year(years) == died


def test_seventy_years_after_death_decide():
    artists = pd.DataFrame(
        {
            "name": ["Kahlo", "Matisse", "Pollock", "Picasso", "unknown"],
            "years": ["1907 - 1954", "1869 - 1954", "1912 - 1956", "1881 - 1973", None],
        }
    )
    assert showable_artists(artists) == ["Kahlo", "Matisse"]


def test_a_collection_is_asked_by_name_whatever_the_spelling(tmp_path):
    rows = "name,years,nationality\nAlbrecht Dürer,1471 - 1528,German\nMiro,1893 – 1983,Spanish\n"
    rows += "Ilka Brandholm,1882 - 1958,Invented (Northmarsh)\n"
    (tmp_path / "artists.csv").write_text(rows, encoding="utf-8")
    asked = ["Albrecht_Dürer", "Miro", "Ilka Brandholm", "a stranger"]
    assert may_be_shown(tmp_path, asked).tolist() == [True, False, True, False]


def test_without_years_a_public_collection_is_not_shown_and_ones_own_is(tmp_path):
    for domain in ("monet_jpg", "photo_jpg"):
        (tmp_path / "public" / domain).mkdir(parents=True)
        (tmp_path / "public" / domain / "1.jpg").touch()
        (tmp_path / "own" / domain[:3]).mkdir(parents=True)
        (tmp_path / "own" / domain[:3] / "1.jpg").touch()
    assert may_be_shown(tmp_path / "public", ["monet"]).tolist() == [False]
    assert may_be_shown(tmp_path / "own", ["mon", "pho"]).tolist() == [True, True]


def test_a_picture_may_be_shown_by_its_painter_whatever_it_is_asked_for(tmp_path):
    out = draw_sample(tmp_path / "sample", works=2, size=32, photos=0, painters=2)
    table = (out / "artists.csv").read_text(encoding="utf-8")
    public = table.replace("1867 - 1941", "1867 - 1971").replace("Invented", "Stated")
    (out / "artists.csv").write_text(public, encoding="utf-8")
    free, bound = "images/images/{0}/{0}_1.jpg", "images/images/{0}/{0}_2.jpg"
    asked = [free.format("Orso_Vantane"), bound.format("Maud_Ellerwick"), "nowhere.jpg"]
    assert pictures_may_be_shown(out, asked).tolist() == [True, False, False]
