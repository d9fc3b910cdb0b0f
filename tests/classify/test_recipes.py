import pytest

from atelier import storage
from atelier.classify.recipes import (
    ATELIER_CNN,
    PUBLISHED_CNN,
    RECIPES,
    Recipe,
    fast_recipe,
    get_recipe,
)
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_survive_a_json_round_trip(name, tmp_path):
    recipe = get_recipe(name)
    storage.write_json(tmp_path / "recipe.json", recipe.to_json())
    again = get_recipe(tmp_path / "recipe.json")
    assert isinstance(again, Recipe)
    assert again.fingerprint == recipe.fingerprint
    assert again.phases == recipe.phases
    assert again.augment == recipe.augment
    assert again.split == recipe.split


def test_the_published_recipe_is_as_published():
    (phase,) = PUBLISHED_CNN.phases
    assert PUBLISHED_CNN.image_size == (224, 224)
    assert PUBLISHED_CNN.network_options == {"units": 64, "dropout": 0.5}
    assert PUBLISHED_CNN.optimizer == "adam"
    assert phase.patience == 3
    assert PUBLISHED_CNN.augment.rotation == 45


def test_an_unknown_recipe_is_answered_with_near_names():
    with pytest.raises(AtelierError, match=r"Did you mean .*published_cnn"):
        get_recipe("publishd_cnn")


def test_a_file_that_is_no_recipe_is_refused(tmp_path):
    (tmp_path / "recipe.json").write_text('{"name": "half"')
    with pytest.raises(AtelierError, match="a recipe as JSON"):
        get_recipe(tmp_path / "recipe.json")


def test_reduced_shortens_phases_and_never_lengthens_them():
    assert ATELIER_CNN.reduced(epochs=2).phases[0].epochs == 2
    assert ATELIER_CNN.reduced(epochs=10_000).phases == ATELIER_CNN.phases


def test_a_change_of_seed_changes_the_fingerprint():
    assert ATELIER_CNN.replace(seed=1).fingerprint != ATELIER_CNN.fingerprint


def test_fast_runs_are_small_only_when_asked_for(monkeypatch):
    assert fast_recipe(ATELIER_CNN) is ATELIER_CNN
    monkeypatch.setenv("ATELIER_FAST", "1")
    assert fast_recipe(ATELIER_CNN).image_size == (64, 64)
    assert fast_recipe(ATELIER_CNN).phases[0].epochs == 2
