"""Two shares of right answers: intervals, a test, and how many answers it takes to tell them apart.

Sources: Wilson 1927 for the interval of one share; Newcombe 1998, Statistics in Medicine 17,
873-890, method 10 for that of a difference; Fleiss, Levin and Paik 2003, section 4.2 for the
number of answers that a test needs.
"""

import math

POWER = 0.8
SMALL = 5  # expected count below which the test is Fisher's


def wilson(right, judged, confidence=0.95):
    """Wilson's score interval of a share, (low, high)."""
    from scipy.stats import binomtest

    found = binomtest(right, judged).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def newcombe(first, second, confidence=0.95):
    """Interval of the difference of two shares, first minus second: Newcombe's method 10.

    Args:
        first: (right, judged).
        second: (right, judged).
        confidence: of the interval.

    Returns:
        (low, high), in [-1, 1].
    """
    (p1, (low1, high1)), (p2, (low2, high2)) = (
        (right / judged, wilson(right, judged, confidence)) for right, judged in (first, second)
    )
    difference = p1 - p2
    return (
        difference - math.hypot(p1 - low1, high2 - p2),
        difference + math.hypot(high1 - p1, p2 - low2),
    )


def shares_test(first, second):
    """Two-sided p-value that two shares, (right, judged) each, are the same; and the test's name.

    Pearson's chi-squared without correction, and Fisher's exact test where less than 5 is
    expected in a cell.

    Args:
        first: (right, judged).
        second: (right, judged).

    Returns:
        (name, p_value).
    """
    from scipy.stats import chi2_contingency, fisher_exact
    from scipy.stats.contingency import expected_freq

    counts = [[right, judged - right] for right, judged in (first, second)]
    if expected_freq(counts).min() < SMALL:
        return "Fisher's exact test", float(fisher_exact(counts).pvalue)
    return "chi-squared test", float(chi2_contingency(counts, correction=False).pvalue)


def answers_needed(p1, p2, *, confidence=0.95, power=POWER):
    """Judged answers in each arm with which a test would tell two accuracies apart.

    Args:
        p1: accuracy of one arm, 0 to 1.
        p2: accuracy of the other.
        confidence: one minus the test's level.
        power: probability that the test tells.

    Returns:
        int, or None where the two are the same.
    """
    from scipy.stats import norm

    if p1 == p2:
        return None
    mean = (p1 + p2) / 2
    certain = norm.ppf((1 + confidence) / 2) * math.sqrt(2 * mean * (1 - mean))
    likely = norm.ppf(power) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return math.ceil(((certain + likely) / (p1 - p2)) ** 2)
