import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from atelier.errors import AtelierError
from atelier.serve.ab import choose_arm, compare
from atelier.serve.shares import answers_needed, newcombe, shares_test, wilson

pytestmark = pytest.mark.once

KEYS = [f"key {number}" for number in range(10_000)]


def judged(champion, challenger, versions=("1", "2"), start=0):
    """A feedback table of (right, judged) of both arms."""
    rows = []
    for arm, version, (right, count) in zip(
        ("champion", "challenger"), versions, (champion, challenger), strict=True
    ):
        rows += [(arm, "atelier", version, number < right) for number in range(count)]
    table = pd.DataFrame(rows, columns=["arm", "model", "version", "right"])
    asked = pd.to_datetime(np.arange(len(rows)) + start, unit="s", utc=True)
    return table.astype({"right": "boolean", "version": "string"}).assign(asked=asked)


# ---- the lot ---------------------------------------------------------------


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
def test_the_share_is_met_within_chance(share):
    count = sum(choose_arm(key, share) == "challenger" for key in KEYS)
    assert 1e-4 < stats.binom.cdf(count, len(KEYS), share) < 1 - 1e-4


def test_none_and_all_are_exact():
    assert {choose_arm(key, 0) for key in KEYS} == {"champion"}
    assert {choose_arm(key, 1) for key in KEYS} == {"challenger"}


def test_a_larger_share_only_moves_keys_to_the_challenger():
    chosen = [
        {key for key in KEYS if choose_arm(key, share) == "challenger"}
        for share in (0.1, 0.2, 0.2001, 0.7)
    ]
    assert all(smaller <= larger for smaller, larger in itertools.pairwise(chosen))


def test_the_arm_of_a_key_is_the_same_everywhere_and_always():
    places = {  # `printf "session 0" | sha256sum`: the first hex digits
        "session 0": 0x6A97,
        "session 1": 0x7DBD,
        "session 2": 0xFEB8,
    }
    for key, place in places.items():
        assert choose_arm(key, place / 16**4) == "champion"
        assert choose_arm(key, (place + 1) / 16**4) == "challenger"
    assert all(choose_arm(key, 0.5) == choose_arm(key.encode(), 0.5) for key in KEYS[:100])


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_is_between_none_and_all(share):
    with pytest.raises(AtelierError, match="from 0 to 1"):
        choose_arm("key", share)


# ---- the statistics --------------------------------------------------------


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_that_of_newcombes_table(right, count, low, high):
    assert wilson(right, count) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, 873-890, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_a_difference_is_that_of_newcombes_table(first, second, low, high):
    assert newcombe(first, second) == pytest.approx((low, high), abs=5e-5)


def test_large_counts_are_tested_by_two_proportions():
    right, count = np.array([150, 170]), np.array([200, 200])
    shares, pooled = right / count, right.sum() / count.sum()
    z = (shares[0] - shares[1]) / math.sqrt(pooled * (1 - pooled) * (1 / count).sum())
    name, p_value = shares_test((150, 200), (170, 200))
    assert name == "chi-squared test"
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_small_counts_are_tested_exactly():
    name, p_value = shares_test((3, 8), (8, 8))
    chances = stats.hypergeom.pmf(range(17), 16, 11, 8)  # of so many right in the first arm
    assert name == "Fisher's exact test"
    assert p_value == pytest.approx(chances[chances <= chances[3] * (1 + 1e-9)].sum())
    assert shares_test((9, 9), (40, 40)) == (name, pytest.approx(1.0))


def test_the_answers_needed_are_those_of_the_textbook():
    assert answers_needed(0.85, 0.80) == 906
    assert answers_needed(0.80, 0.85) == 906
    assert answers_needed(0.5, 0.6) == 388
    assert answers_needed(0.7, 0.7) is None


def test_with_the_answers_needed_four_of_five_tests_tell():
    rng, p1, p2 = np.random.default_rng(0), 0.7, 0.85
    count = answers_needed(p1, p2)
    right = rng.binomial(count, (p1, p2), (4000, 2))
    found = [shares_test((a, count), (b, count))[1] < 0.05 for a, b in right.tolist()]
    assert np.mean(found) == pytest.approx(0.8, abs=0.03)


# ---- the comparison --------------------------------------------------------


def test_a_better_challenger_is_called_so():
    found = compare(judged((140, 200), (170, 200)))
    assert found.verdict == "challenger"
    assert found.difference == pytest.approx(0.15)
    assert (found.low, found.high) == newcombe((170, 200), (140, 200))
    assert (found.test, found.p_value) == shares_test((170, 200), (140, 200))
    assert found.needed == answers_needed(0.7, 0.85)
    assert found.needed_for_5_points == answers_needed(0.7, 0.75)
    assert (found.champion.low, found.champion.high) == wilson(140, 200)
    assert found.sentence == (
        "The challenger (atelier 2) was right in 170 of 200 judged answers (85.0 %) and the "
        "champion (atelier 1) was right in 140 of 200 judged answers (70.0 %): 15.0 points more "
        f"(95 % interval {100 * found.low:.1f} to {100 * found.high:.1f}; "
        f"p = {found.p_value:.3g}, chi-squared test). The challenger is better."
    )


def test_a_worse_challenger_is_called_so():
    found = compare(judged((170, 200), (140, 200)))
    assert found.verdict == "champion"
    assert "15.0 points less" in found.sentence


def test_alike_is_said_only_where_the_interval_is_narrow():
    assert compare(judged((2400, 3000), (2400, 3000))).verdict == "alike"
    found = compare(judged((80, 100), (82, 100)))
    assert found.verdict == "too little data"
    assert f"{found.needed} judged answers in each for a difference of this" in found.sentence


@pytest.mark.parametrize("counts", [((29, 29), (0, 500)), ((500, 500), (0, 29))])
def test_below_thirty_answers_in_an_arm_nothing_is_said(counts):
    assert compare(judged(*counts)).verdict == "too little data"
    assert compare(judged((30, 30), (0, 30))).verdict == "champion"


def test_perfect_arms_can_be_compared():
    found = compare(judged((40, 40), (40, 40)))
    assert found.p_value == pytest.approx(1)
    assert found.needed is None
    assert found.needed_for_5_points == answers_needed(1.0, 0.95)


@pytest.mark.parametrize("counts", [((0, 0), (0, 0)), ((3, 5), (0, 0)), ((0, 0), (3, 5))])
def test_an_arm_that_nobody_judged_is_named(counts):
    found = compare(judged(*counts))
    assert found.verdict == "too little data"
    assert found.difference is None
    for (_, count), name in zip(counts, ("champion", "challenger"), strict=True):
        assert (name in found.sentence) == (count == 0)


def test_what_was_not_judged_or_not_drawn_does_not_count():
    table = judged((140, 200), (170, 200))
    more = pd.concat([table, table.assign(right=pd.NA), table.assign(arm=None)])
    assert compare(more.astype({"right": "boolean"})) == compare(table)


def test_a_promotion_begins_anew():
    before = judged((10, 300), (290, 300), versions=("1", "2"))
    after = judged((40, 50), (41, 50), versions=("2", "3"), start=1000)
    found = compare(pd.concat([after, before]))
    assert found == compare(after)
    assert (found.champion.version, found.challenger.version) == ("2", "3")


def test_two_arms_of_one_version_are_not_compared():
    found = compare(judged((10, 100), (90, 100), versions=("2", "2")))
    assert found.verdict == "same version"
    unversioned = judged((10, 100), (90, 100), versions=(None, None))
    assert compare(unversioned).verdict == "same version"


def test_a_higher_confidence_asks_for_more():
    table = judged((150, 200), (168, 200))
    assert compare(table).verdict == "challenger"
    strict = compare(table, confidence=0.99)
    assert strict.verdict == "too little data"
    assert strict.high - strict.low > compare(table).high - compare(table).low
    with pytest.raises(AtelierError, match="between 0 and 1"):
        compare(table, confidence=95)
