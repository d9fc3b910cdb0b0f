"""What a check of a served model found, and from where on that is a warning.

A threshold is crossed where a measure is beyond it and chance hardly explains that: both, since of
few requests any measure is large at times, and of many any difference is beyond chance.
"""

import dataclasses

import pandas as pd

FINE, CROSSED, LITTLE, NO_REFERENCE = "fine", "crossed", "too little data", "no reference"


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """From where on a finding is a warning; the command line and the page read them here."""

    requests: int = 50  # fewer are too little data, which is no crossing
    newest: int = 500  # requests that are compared with the reference
    problems: float = 0.1  # share of requests without an answer
    seconds: float = 5.0  # in which 95 % of classifications are answered
    psi: float = 0.2  # population stability index of the predicted classes
    p: float = 0.01  # of any test: above it, chance may explain what was found
    auc: float = 0.7  # of a classifier that tells requests from the reference
    outlying: float = 0.2  # share of pictures unlike the reference; of its own it is 0.05
    change: float = 0.25  # of the mean distance of painted pictures since the first ones


@dataclasses.dataclass(frozen=True)
class Finding:
    """One check.

    Attributes:
        name: of the check, such as "predicted classes".
        measure: what `value` is.
        value: or None where it was not measured.
        threshold: beyond which it counts.
        p: of the test, or None where there is none.
        n: requests that it rests on.
        verdict: FINE, CROSSED, LITTLE or NO_REFERENCE.
    """

    name: str
    measure: str
    value: float | None
    threshold: float
    p: float | None
    n: int
    verdict: str


@dataclasses.dataclass(frozen=True, eq=False)
class Findings:
    """All checks of one served classifier and of what was painted.

    Attributes:
        checks: list of `Finding`.
        requests: all of them, in the order of time.
        served: classifications by the model and version that were checked.
        model, version: which; None where there are no classifications, or no version is noted.
        reference: the model's, or None.
        thresholds: that were applied.
        notes: sentences on what was left out.
    """

    checks: list[Finding]
    requests: pd.DataFrame
    served: pd.DataFrame
    model: str | None
    version: str | None
    reference: object
    thresholds: Thresholds
    notes: list[str]

    @property
    def crossed(self):
        """Names of the checks whose threshold is crossed."""
        return [check.name for check in self.checks if check.verdict == CROSSED]

    def rows(self):
        """One tuple a check: name, measure, value, threshold, p, n, verdict."""
        return [dataclasses.astuple(check) for check in self.checks]

    def to_json(self):
        """Plain values for JSON."""
        return {
            "model": self.model,
            "version": self.version,
            "requests": len(self.requests),
            "crossed": self.crossed,
            "checks": [dataclasses.asdict(check) for check in self.checks],
            "notes": self.notes,
        }


def by_value(name, measure, value, threshold, n, t):
    """A finding on a value that nothing tests."""
    if n < t.requests:
        return Finding(name, measure, float(value) if n else None, threshold, None, n, LITTLE)
    verdict = CROSSED if value > threshold else FINE
    return Finding(name, measure, float(value), threshold, None, n, verdict)


def by_test(name, measure, run, threshold, n, t, *, both_ways=False):
    """A finding by a function that makes a `drift.Test`; it runs where there is enough data."""
    if n < t.requests:
        return Finding(name, measure, None, threshold, None, n, LITTLE)
    test = run()
    size = abs(test.value) if both_ways else test.value
    verdict = CROSSED if size > threshold and test.p <= t.p else FINE
    return Finding(name, measure, test.value, threshold, test.p, n, verdict)
