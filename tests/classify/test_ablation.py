"""The steps from a plain probe to our classifier."""

import pytest

from atelier.classify.ablation import ablation, of_all_painters, split_by
from atelier.classify.published import FROZEN_PROBE
from atelier.classify.recipe import Recipe
from atelier.classify.recipes import ATELIER, ATELIER_PROBE

pytestmark = pytest.mark.once


def test_every_step_is_a_run_of_its_own_that_survives_json():
    steps = list(ablation().values())
    assert len({recipe.name for recipe in steps}) == len({r.fingerprint for r in steps}) == 7
    assert all(Recipe.from_json(recipe.to_json()) == recipe for recipe in steps)


def test_steps_lead_from_one_layer_to_the_shipped_recipe():
    taps = [recipe.network_options["taps"] for recipe in ablation().values()]
    assert [len(names) for names in taps] == [1, 1, 1, 5, 5, 9, 5]
    assert list(ablation().values())[-1] == ATELIER


def test_the_short_way_has_the_first_step_and_the_last():
    assert list(ablation(short=True).values()) == [FROZEN_PROBE, ATELIER]


def test_all_painters_and_other_divisions_change_the_split_alone():
    everybody, divided = of_all_painters(ATELIER_PROBE), split_by(ATELIER_PROBE, 2)
    assert (everybody.split.min_works, divided.split.seed) == (None, 2)
    assert divided.replace(split=ATELIER_PROBE.split) == ATELIER_PROBE
