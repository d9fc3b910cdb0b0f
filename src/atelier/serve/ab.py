"""Is the challenger better than the champion? Who answers is drawn by lot; users judge.

Users who judge choose themselves, and so may their pictures; both arms suffer alike.
"""

import dataclasses
import hashlib

from atelier.errors import AtelierError
from atelier.serve.shares import answers_needed, newcombe, shares_test, wilson

LEAST = 30  # judged answers in an arm, below which nothing is said
MATTERS = 0.05  # difference of accuracy that one would act on


@dataclasses.dataclass(frozen=True)
class Arm:
    """One side of a comparison; `accuracy` and its interval are None where nothing was judged."""

    model: str | None
    version: str | None
    judged: int
    right: int
    accuracy: float | None
    low: float | None
    high: float | None


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What feedback says of the two; `difference` is challenger minus champion, in shares of 1.

    `p_value` is of `test`; `needed` answers in each arm would show the difference that was
    found with a power of 80 %, `needed_for_5_points` one of 5 points. `verdict`: "challenger",
    "champion", "alike" (the interval lies within 5 points of none), "same version" or
    "too little data". Numbers are None where they cannot be given.
    """

    champion: Arm
    challenger: Arm
    confidence: float
    difference: float | None
    low: float | None
    high: float | None
    test: str | None
    p_value: float | None
    needed: int | None
    needed_for_5_points: int | None
    verdict: str
    sentence: str


def choose_arm(key, share):
    """Which of the two answers: the same for the same key, whenever and wherever it is asked.

    Args:
        key: str or bytes, such as a picture's digest or a session.
        share: of keys that go to the challenger, 0 to 1; a larger one only moves keys to it.

    Returns:
        "champion" or "challenger".

    Raises:
        AtelierError: if the share is not in [0, 1].
    """
    if not 0 <= share <= 1:
        raise AtelierError("a share from 0 to 1", share, "Correct it.")
    data = key if isinstance(key, bytes) else str(key).encode()
    place = int(hashlib.sha256(data).hexdigest()[:13], 16) / 16**13  # 52 bits: exact, below 1
    return "challenger" if place < share else "champion"


def compare(table, *, confidence=0.95):
    """Compare the two arms by what users said of their answers.

    Of each arm only the version that answered last counts: a promotion begins anew.

    Args:
        table: as `feedback.feedback_table` gives it.
        confidence: of the intervals; the test's level is the rest.

    Returns:
        A `Comparison`.

    Raises:
        AtelierError: if the confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise AtelierError("a confidence between 0 and 1", confidence, "Correct it.")
    judged = table[table["right"].notna()]
    champion, challenger = (
        _arm(judged[judged["arm"] == name], confidence) for name in ("champion", "challenger")
    )
    numbers = dict.fromkeys(("difference", "low", "high", "test", "p_value", "needed"))
    if champion.judged and challenger.judged:
        numbers = _numbers(champion, challenger, confidence)
    for_5 = _for_5_points(champion, confidence) if champion.judged else None
    verdict = _verdict(champion, challenger, numbers, 1 - confidence)
    found = Comparison(
        champion,
        challenger,
        confidence,
        **numbers,
        needed_for_5_points=for_5,
        verdict=verdict,
        sentence="",
    )
    return dataclasses.replace(found, sentence=_sentence(found))


def _arm(rows, confidence):
    if rows.empty:
        return Arm(None, None, 0, 0, None, None, None)
    rows = rows.sort_values("asked")
    versions = rows[["model", "version"]].astype("string").fillna("")
    model, version = versions.iloc[-1]
    rows = rows[(versions["model"] == model) & (versions["version"] == version)]
    right, judged = int(rows["right"].sum()), len(rows)
    low, high = wilson(right, judged, confidence)
    return Arm(model, version or None, judged, right, right / judged, low, high)


def _for_5_points(champion, confidence):
    p = champion.accuracy
    return answers_needed(
        p, p + MATTERS if p + MATTERS <= 1 else p - MATTERS, confidence=confidence
    )


def _numbers(champion, challenger, confidence):
    counts = [(arm.right, arm.judged) for arm in (challenger, champion)]
    low, high = newcombe(*counts, confidence)
    name, p_value = shares_test(*counts)
    return {
        "difference": challenger.accuracy - champion.accuracy,
        "low": low,
        "high": high,
        "test": name,
        "p_value": p_value,
        "needed": answers_needed(challenger.accuracy, champion.accuracy, confidence=confidence),
    }


def _verdict(champion, challenger, numbers, level):
    if not champion.judged or not challenger.judged:
        return "too little data"
    if (champion.model, champion.version) == (challenger.model, challenger.version):
        return "same version"
    if min(champion.judged, challenger.judged) < LEAST:
        return "too little data"
    low, high = numbers["low"], numbers["high"]
    if numbers["p_value"] < level and (low > 0 or high < 0):
        return "challenger" if low > 0 else "champion"
    return "alike" if low >= -MATTERS and high <= MATTERS else "too little data"


def _sentence(found):
    """What was found, in words."""
    arms = (("challenger", found.challenger), ("champion", found.champion))
    silent = [name for name, arm in arms if not arm.judged]
    if silent:
        return f"Too little data: no judged answers of the {' or the '.join(silent)} yet."
    said = " and ".join(
        f"the {name} ({_name(arm)}) was right in {arm.right} of {arm.judged} judged answers"
        f" ({100 * arm.accuracy:.1f} %)"
        for name, arm in arms
    )
    points = (
        f"{100 * abs(found.difference):.1f} points {'less' if found.difference < 0 else 'more'}"
    )
    interval = (
        f"{100 * found.confidence:g} % interval {100 * found.low:.1f} to {100 * found.high:.1f}"
    )
    said = f"{said[0].upper()}{said[1:]}: {points} ({interval}; p = {found.p_value:.3g}, {found.test})."
    return f"{said} {_VERDICTS[found.verdict]}{_needs(found)}"


_VERDICTS = {
    "challenger": "The challenger is better.",
    "champion": "The champion is better.",
    "alike": "If they differ, then by less than 5 points.",
    "same version": "Both are the same version: there is nothing to compare.",
    "too little data": "Too little data to tell.",
}


def _needs(found):
    if found.verdict != "too little data":
        return ""
    sizes = [("this", found.needed), ("5 points", found.needed_for_5_points)]
    sizes = [f"{n} judged answers in each for a difference of {size}" for size, n in sizes if n]
    return f" A test would need {' and '.join(sizes)}."


def _name(arm):
    return f"{arm.model} {arm.version}" if arm.version else arm.model
