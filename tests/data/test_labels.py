import pandas as pd
import pytest

from atelier.data.labels import MOVEMENTS, gather_movements, usable
from atelier.data.manifest import MANIFEST_TYPES
from atelier.data.splits import SplitConfig, make_split
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def make_manifest(styles, **columns):
    """A manifest of one readable picture a style, each of its own leak group."""
    table = pd.DataFrame({"path": [f"{n:03d}.jpg" for n in range(len(styles))], "style": styles})
    table = table.assign(readable=True, leak_group=range(len(styles)), **columns)
    return table.reindex(columns=list(MANIFEST_TYPES)).astype(MANIFEST_TYPES)


def test_the_movements_gather_as_many_styles_as_published():
    counts = {movement: len(styles) for movement, styles in MOVEMENTS.items()}
    assert counts == {
        "Cubism": 7,
        "Impressionism": 5,
        "Expressionism": 4,
        "Realism": 5,
        "Abstract": 15,
    }
    assert len({style for styles in MOVEMENTS.values() for style in styles}) == 36


@pytest.mark.parametrize(
    ("style", "movement"),
    [
        ("Synthetic_Cubism", "Cubism"),
        ("cubo futurism", "Cubism"),
        ("Post_Impressionism", "Impressionism"),
        ("Fauvism", "Expressionism"),
        ("HYPER-REALISM", "Realism"),
        ("Hard_Edge_Painting", "Abstract"),
    ],
)
def test_spellings_of_folders_and_captions_are_one_style(style, movement):
    assert gather_movements([style]).tolist() == [movement]


def test_styles_in_no_movement_are_left_out_and_counted(caplog):
    styles = ["Action_painting", "Rococo", "Rococo", "Fauvism", None]
    movements = gather_movements(styles)
    assert movements.notna().tolist() == [False, False, False, True, False]
    assert (
        "3 pictures of styles in no movement left out: Rococo 2, Action_painting 1" in caplog.text
    )


def test_asked_strictly_a_style_in_no_movement_is_an_error_that_names_it():
    with pytest.raises(AtelierError, match=r"Found pictures of others: Rococo 2\."):
        gather_movements(["Rococo", "Rococo", "Fauvism"], strict=True)
    assert gather_movements(["Fauvism", None], strict=True).isna().tolist() == [False, True]
    manifest = make_manifest(["Fauvism", "Cubism", "Rococo"] * 5)
    with pytest.raises(AtelierError, match="Rococo 5"):
        make_split(manifest, SplitConfig(label="movement", strict=True))


def test_a_split_by_movement_holds_what_movements_gather():
    manifest = make_manifest(["Fauvism", "Neo-Expressionism", "Cubism", "Tubism", "Rococo"] * 6)
    table = make_split(manifest, SplitConfig(label="movement"))
    assert table["label"].value_counts().to_dict() == {"Expressionism": 12, "Cubism": 12}


def test_pictures_of_unknown_label_take_no_part(caplog):
    artists = ["Claude Monet", "Unknown Artist", "unknown_artist", pd.NA, "Unknown"]
    manifest = make_manifest(["Cubism"] * 5, artist=artists)
    assert usable(manifest, SplitConfig())["label"].tolist() == ["Claude Monet"]
    assert "3 pictures of unknown label left out" in caplog.text


def test_parts_that_sum_to_105_are_given_as_fractions_of_it():
    config = SplitConfig(label="movement", fractions=(75 / 105, 15 / 105, 15 / 105))
    table = make_split(make_manifest(["Fauvism", "Cubism"] * 100), config)
    counts = table[table["label"] == "Cubism"]["split"].value_counts().to_dict()
    assert counts == {"train": 72, "val": 14, "test": 14}  # 71.4, 14.3 and 14.3 of 100
