import dataclasses

import pytest

from atelier import storage
from atelier.classify.plans import head_first
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


# What the finished runs in models/ were told by, with the fingerprint of their split.
RUNS = {
    "atelier_cnn": ("38ff3f5ca079", "7005496c7e34"),
    "published_cnn": ("38ff3f5ca079", "3a8fb18b3773"),
}


def test_finished_runs_are_still_recognized():
    phases = {
        "atelier_cnn": dataclasses.replace(ATELIER_CNN.phases[0], epochs=32),
        "published_cnn": dataclasses.replace(PUBLISHED_CNN.phases[0], epochs=10),
    }
    for recipe in (ATELIER_CNN, PUBLISHED_CNN):
        split, run = RUNS[recipe.name]
        recipe = recipe.replace(phases=(phases[recipe.name],), precision="mixed_bfloat16")
        assert storage.fingerprint([recipe.to_json(), split, None]) == run


def test_fields_that_came_later_are_left_out_at_their_default():
    values = PUBLISHED_CNN.to_json()
    assert "backbone" not in values
    assert "trainable" not in values["phases"][0]
    assert "strict" not in values["split"]
    assert RECIPES["resnet50_two_phase"].to_json()["phases"][1]["trainable"] == "last:50"


def test_the_published_phases_are_as_published():
    first, second = RECIPES["resnet50_two_phase"].phases
    assert (first.trainable, second.trainable) == ("all", "last:50")
    assert second.reduce_on_plateau is not None
    assert second.patience is not None
    first, second = RECIPES["efficientnetb0_two_stage"].phases
    assert (first.trainable, second.trainable) == ("head", "last:50")
    movements = RECIPES["densenet121_movements"]
    (phase,) = movements.phases
    assert (phase.epochs, phase.learning_rate, phase.schedule_epochs) == (15, 1e-4, 2)
    assert movements.views == "six"
    assert [round(100 * part) for part in movements.split.fractions] == [71, 14, 14]


@pytest.mark.parametrize(
    ("task", "frozen", "rate", "schedule"),
    [
        ("artist", 40, 5e-4, "restarts"),
        ("style", 30, 2e-3, "restarts"),
        ("genre", 60, 5e-4, "exponential"),
    ],
)
def test_the_published_efficientnets_are_as_published(task, frozen, rate, schedule):
    recipe = RECIPES[f"efficientnetb2_{task}"]
    phase = recipe.phases[-1]
    assert phase.trainable == f"after:{frozen}"
    assert (phase.learning_rate, phase.schedule) == (rate, schedule)
    assert (recipe.loss, recipe.optimizer, recipe.weight_decay) == ("focal", "adamw", 1e-5)
    assert recipe.split.label == task
    assert RECIPES[f"efficientnetb2_{task}_gru"].head == "cnn_gru"


def test_head_first_turns_the_phases_round():
    turned = head_first(RECIPES["resnet50_two_phase"], 12, patience=4, then=3)
    assert [phase.trainable for phase in turned.phases] == ["head", "last:50"]
    assert [phase.epochs for phase in turned.phases] == [12, 3]
    assert turned.augment_of(turned.phases[0]) is None
    alone = head_first(RECIPES["efficientnetb0_two_stage"], 5, then=0)
    assert [phase.trainable for phase in alone.phases] == ["head"]
