"""Which classes `atelier train` and `atelier tune` take, by collection and by option."""

import pytest

from atelier import storage
from atelier.classify.recipes import get_recipe
from atelier.cli.training import _recipe_for
from atelier.data.splits import SplitConfig

pytestmark = pytest.mark.once


def test_a_folder_of_ones_own_takes_part_with_all_its_classes(tiny_collection):
    split = _recipe_for("published_cnn", tiny_collection, None, None, None).split
    assert split.min_works is None


def test_the_main_collection_takes_part_with_its_eleven_painters(tiny_collection):
    (tiny_collection / "images").mkdir()
    (tiny_collection / "Across").rename(tiny_collection / "Ada")
    for artist in ("Ada", "Down", "Plain"):
        folder = tiny_collection / "images" / "images" / artist
        folder.parent.mkdir(exist_ok=True)
        (tiny_collection / artist).rename(folder)
    rows = "".join(f"{i},{name},1800 - 1900,Any,Any,,,12\n" for i, name in enumerate("ADP"))
    (tiny_collection / "artists.csv").write_text(
        "id,name,years,genre,nationality,bio,wikipedia,paintings\n" + rows
    )
    split = _recipe_for("published_cnn", tiny_collection, None, None, None).split
    assert split.min_works == 200


def test_options_decide_over_the_collection(tiny_collection):
    split = _recipe_for("published_cnn", tiny_collection, "style", 5, 2).split
    assert (split.label, split.min_works, split.top) == ("style", 5, 2)


def test_a_recipe_file_keeps_its_own_classes(tiny_collection, tmp_path):
    recipe = get_recipe("published_cnn").replace(split=SplitConfig(top=3))
    storage.write_json(tmp_path / "recipe.json", recipe.to_json())
    split = _recipe_for(str(tmp_path / "recipe.json"), tiny_collection, None, None, None).split
    assert split == SplitConfig(top=3)
