"""Whether a served model still does what it was judged to do: every check of its requests.

How each is measured, and after whom, see `serve.drift`; what counts as crossed, `serve.findings`.
"""

import numpy as np
import pandas as pd

from atelier.serve.drift import change_test, classifier_test, kernel_test, stability_test
from atelier.serve.findings import (
    LITTLE,
    NO_REFERENCE,
    Finding,
    Findings,
    Thresholds,
    by_test,
    by_value,
)

PAINTING = ("stylize", "translate")  # kinds of requests whose pictures are measured
DISTANCES = ("content_distance", "style_distance")


def check(requests, reference, *, thresholds=None, model=None, version=None):
    """Compare requests with a classifier's reference, and with the first ones.

    Args:
        requests: DataFrame as `serve.store.Store.requests` returns it.
        reference: the `classify.reference.Reference` of the model, or None where it has none.
        thresholds: `Thresholds()` by default.
        model: whose classifications; by default that of the newest one that was not drawn for
            the challenger.
        version: of the model; by default its newest one's.

    Returns:
        A `Findings`.
    """
    thresholds = thresholds or Thresholds()
    requests = requests.sort_values("time", kind="stable", ignore_index=True)
    served, model, version, notes = serving(requests, model, version)
    checks = _traffic(requests, served, thresholds)
    checks += _against(reference, served, thresholds, notes)
    checks += _painted(requests, thresholds)
    return Findings(checks, requests, served, model, version, reference, thresholds, notes)


def serving(requests, model=None, version=None):
    """The classifications of one model and version.

    Args:
        requests: as `check`, in the order of time.
        model: as `check`.
        version: as `check`.

    Returns:
        (rows, model, version, notes); a note says how many were others' and are left out.
    """
    asked = requests[requests["kind"] == "classify"]
    mine = asked if model is None else asked[asked["model"] == model]
    if version is not None:
        mine = mine[mine["version"] == version]
    if mine.empty:
        return mine, model, version, []
    ours = mine[(mine["arm"] != "challenger").fillna(True)]
    newest = (mine if ours.empty else ours).iloc[-1]
    model, version = newest["model"], newest["version"]
    same = mine["version"].isna() if pd.isna(version) else mine["version"] == version
    rows = mine[(mine["model"] == model) & same.fillna(False)]
    version = None if pd.isna(version) else version
    others = len(asked) - len(rows)
    called = f"{model}, version {version}" if version else model
    note = f"Of {len(asked)} classifications {others} were answered by others than {called}."
    return rows, model, version, [note] if others else []


def answered(requests):
    """The requests that have an answer."""
    return requests[requests["problem"].isna()]


def reduced(requests, reference):
    """The requests whose embedding is of the reference's kind, and these embeddings, (n, m)."""
    width = reference.embeddings.shape[1]
    fits = [vector is not None and np.shape(vector) == (width,) for vector in requests["embedding"]]
    rows = requests[np.array(fits, bool)]
    empty = np.empty((0, width), "float32")
    return rows, np.stack(list(rows["embedding"])).astype("float32") if len(rows) else empty


def class_counts(requests, reference):
    """How often each of the reference's classes was predicted, (k,)."""
    counts = answered(requests)["predicted"].value_counts()
    return np.array([counts.get(name, 0) for name in reference.class_names])


def _traffic(requests, served, t):
    failed = requests["problem"].notna()
    seconds = answered(served)["seconds"].dropna()
    slow = seconds.quantile(0.95)
    return [
        by_value("failed requests", "share", failed.mean(), t.problems, len(failed), t),
        by_value("latency", "95th percentile, seconds", slow, t.seconds, len(seconds), t),
    ]


def _against(reference, served, t, notes):
    rows = answered(served)
    flags = rows["outlying"].dropna()
    outlying = by_value("outlying pictures", "share", flags.mean(), t.outlying, len(flags), t)
    if reference is None:
        notes.append("The model has no reference: run `atelier models reference MODEL --data DIR`.")
        return [
            *(Finding(*what, None, limit, None, 0, NO_REFERENCE) for what, limit in _compared(t)),
            outlying,
        ]
    counts = class_counts(rows.tail(t.newest), reference)
    known, vectors = reduced(rows, reference)
    vectors = vectors[-t.newest :]
    if len(known) < len(rows):
        notes.append(f"{len(rows) - len(known)} answers bear no embedding of this reference.")
    tests = (
        (counts.sum(), lambda: stability_test(reference.counts, counts)),
        (len(vectors), lambda: kernel_test(reference.embeddings, vectors)),
        (len(vectors), lambda: classifier_test(reference.embeddings, vectors)),
    )
    pairs = zip(_compared(t), tests, strict=True)
    return [*(by_test(*what, run, limit, int(n), t) for (what, limit), (n, run) in pairs), outlying]


def _compared(t):
    """Names, measures and thresholds of what is compared with the reference."""
    return (
        (("predicted classes", "population stability index"), t.psi),
        (("embeddings", "squared maximum mean discrepancy"), 0.0),
        (("told apart", "area under a classifier's ROC curve"), t.auc),
    )


def _painted(requests, t):
    return [
        _distance(kind, column, painted_by_newest(requests, kind, column), t)
        for kind in PAINTING
        for column in DISTANCES
        if requests.loc[requests["kind"] == kind, column].notna().any()
    ]


def _distance(kind, column, rows, t):
    """Whether the newest distances differ from the first ones."""
    values, n = rows[column].to_numpy("float64"), len(rows)
    name, measure = f"{kind}: {column.replace('_', ' ')}", "change of the mean"
    if n < 2 * t.requests:
        return Finding(name, measure, None, t.change, None, n, LITTLE)
    since = min(n - t.requests, t.newest)
    found = change_test(values, t.requests, last=since)
    return by_test(name, measure, lambda: found, t.change, n, t, both_ways=True)


def painted_by_newest(requests, kind, column):
    """Answered requests of a kind that have a distance, by the model and version of the newest."""
    rows = answered(requests[requests["kind"] == kind]).dropna(subset=[column])
    if rows.empty:
        return rows
    names = rows["model"].astype(str) + "/" + rows["version"].astype("string").fillna("")
    return rows[names == names.iloc[-1]]


def write_report(findings, path):
    """Write the page that shows the findings; see `serve.monitor_page`.

    Args:
        findings: from `check`.
        path: of the HTML file.

    Returns:
        The path.
    """
    from atelier.serve.monitor_page import page
    from atelier.storage import write_text

    write_text(path, page(findings))
    return path
