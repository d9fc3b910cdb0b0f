"""The page that shows what `serve.monitor` found: one file that fetches nothing."""

import html

import numpy as np
import pandas as pd

from atelier.environment import today
from atelier.plots import monitoring
from atelier.serve.drift import over_time, share
from atelier.serve.findings import CROSSED, FINE
from atelier.serve.monitor import (
    DISTANCES,
    PAINTING,
    answered,
    class_counts,
    painted_by_newest,
    reduced,
)

_CSS = """
:root { color-scheme: light dark; --ink: #22262b; --soft: #5d646b; --faint: #e3e5e8; --paper: #ffffff;
  --grey: #b9bec4; --blue: #33628f; --red: #b5432b; --gold: #d3a13b; --ground: #f5f6f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a8b0b8; --faint: #343a41;
  --paper: #1d2126; --grey: #6c757e; --blue: #7fb0dd; --red: #ee8468; --gold: #e0b85c; --ground: #14171a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 1.25rem; }
h1 { font-size: 1.6rem; letter-spacing: -0.02em; margin: 0.5rem 0 0; }
h2 { font-size: 1.05rem; margin: 0; }
p { margin: 0.35rem 0; } .quiet { color: var(--soft); font-size: 0.92rem; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }
.card, .scroll { background: var(--paper); border: 1px solid var(--faint); border-radius: 10px; padding: 1rem; }
.card { min-width: 0; } .card svg { display: block; width: 100%; height: auto; margin-top: 0.6rem; }
.scroll { overflow-x: auto; margin: 1rem 0; padding: 0.25rem 1rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.4rem 0.9rem 0.4rem 0; border-bottom: 1px solid var(--faint); }
tr:last-child td { border-bottom: 0; } th { color: var(--soft); font-weight: 500; font-size: 0.9rem; }
td.n { text-align: right; white-space: nowrap; } th.n { text-align: right; }
.verdict { white-space: nowrap; color: var(--soft); } .fine { color: var(--blue); }
.crossed { color: var(--red); font-weight: 650; }
@media (max-width: 640px) { main { padding: 0.75rem; } .wide { display: none; } }
"""


def page(findings):
    """A self-contained HTML page, readable in a dark room and on a phone.

    Args:
        findings: from `monitor.check`.

    Returns:
        Its text.
    """
    title = f"Monitor: {findings.model or 'no classifier asked'}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_CSS}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{html.escape(title)}</h1>\n{_head(findings)}\n{_table(findings.checks)}\n"
        f'<div class="grid">\n{_cards(findings)}\n</div>\n</main>\n</body>\n</html>\n'
    )


def _head(findings):
    crossed = findings.crossed
    said = f"Crossed: {', '.join(crossed)}." if crossed else "No threshold is crossed."
    times = findings.requests["time"]
    span = f"{times.min():%Y-%m-%d} to {times.max():%Y-%m-%d}" if len(times) else "none yet"
    version = f", version {findings.version}" if findings.version else ""
    facts = f"{len(times)} requests, {span}; classifications of {findings.model}{version}; page of {today()}."
    lines = [f'<p class="{"crossed" if crossed else "fine"}">{html.escape(said)}</p>']
    lines += [f'<p class="quiet">{html.escape(line)}</p>' for line in (facts, *findings.notes)]
    return "\n".join(lines)


def _table(checks):
    """All checks; on a phone without the columns that the cards below repeat."""
    wide = "n wide"
    names = (("check", ""), ("measure", "wide"), ("value", "n"), ("threshold", wide))
    names += (("p", wide), ("requests", wide), ("verdict", ""))
    head = "".join(f'<th class="{kind}">{name}</th>' for name, kind in names)
    rows = []
    for c in checks:
        cells = (html.escape(c.name), html.escape(c.measure), _number(c.value))
        cells += (_number(c.threshold), _number(c.p), str(c.n), _verdict(c))
        pairs = zip(cells, names, strict=True)
        rows.append("".join(f'<td class="{kind}">{cell}</td>' for cell, (_, kind) in pairs))
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{head}</tr>\n{body}\n</table></div>'


def _number(value):
    return "" if value is None else f"{value:.3g}"


def _verdict(check):
    kind = {CROSSED: "crossed", FINE: "fine"}.get(check.verdict, "none")
    return f'<span class="verdict {kind}">{check.verdict}</span>'


def _cards(findings):
    named = {check.name: check for check in findings.checks}
    drawn = [
        card for draw in (_traffic, _classes, _embeddings, _painted) for card in draw(findings)
    ]
    return "\n".join(
        f'<section class="card">\n<h2>{html.escape(title)}</h2>\n'
        + "".join(f"<p>{_sentence(named[name])}</p>\n" for name in names if name in named)
        + (f'<p class="quiet">{html.escape(note)}</p>\n' if note else "")
        + monitoring.inline_svg(figure, title)
        + "\n</section>"
        for title, names, note, figure in drawn
    )


def _sentence(check):
    value = "" if check.value is None else f" {check.value:.3g}"
    p = "" if check.p is None else f", p = {check.p:.2g}"
    text = (
        f"{check.measure[0].upper()}{check.measure[1:]}{value} (threshold {check.threshold:g}{p}): "
    )
    return html.escape(text) + _verdict(check)


def _traffic(findings):
    """Cards: title, names of its checks, a note, figure."""
    requests, served = findings.requests, answered(findings.served)
    if len(requests):
        counts = _counts(requests)
        yield "Requests", ["failed requests"], None, monitoring.traffic(counts)
    if len(served):
        spans, limit = {"seconds": over_time(served, "seconds")}, findings.thresholds.seconds
        top = max(table["high"].max() for table in spans.values())
        line = limit if top > limit / 3 else None
        note = "Mean and middle half."
        yield (
            "Latency of classification",
            ["latency"],
            note,
            monitoring.course(spans, label="seconds", threshold=line),
        )


def _counts(requests):
    """Answered and failed requests by hour or by day, whichever has fewer than 80 spans."""
    span = requests["time"].max() - requests["time"].min()
    rule = "h" if span < pd.Timedelta(hours=72) else "D"
    failed = requests.set_index("time")["problem"].notna().resample(rule)
    table = pd.DataFrame({"all": failed.size(), "failed": failed.sum()})
    return table.assign(answered=table["all"] - table["failed"]).reset_index()


def _classes(findings):
    reference = findings.reference
    if reference is None:
        return
    counts = class_counts(answered(findings.served).tail(findings.thresholds.newest), reference)
    if counts.sum():
        note = f"The newest {counts.sum()} answers beside {reference.counts.sum()} validation paintings."
        shares = monitoring.class_shares(
            reference.class_names, reference.shares, counts / counts.sum()
        )
        yield "Predicted classes", ["predicted classes"], note, shares


def _embeddings(findings):
    if findings.reference is None:
        return
    reference, (rows, vectors) = (
        findings.reference,
        reduced(answered(findings.served), findings.reference),
    )
    if not len(rows):
        return
    scores = reference.unlikeness(vectors, rows["confidence"].to_numpy("float64"))
    outlying, newest = scores > reference.threshold, slice(-findings.thresholds.newest, None)
    places = _plane(np.float32(reference.embeddings))
    figure = monitoring.embedding_map(
        places(reference.embeddings), places(vectors[newest]), outlying[newest]
    )
    yield "Embeddings", ["embeddings", "told apart"], "Each dot is a picture.", figure
    found, low, high = share(outlying)
    note = f"{found:.1%} are above the threshold (95 % interval {low:.1%} to {high:.1%})."
    spans = {"unlikeness": over_time(rows.assign(unlikeness=scores), "unlikeness")}
    yield (
        "Unlike the reference",
        ["outlying pictures"],
        note,
        monitoring.course(
            spans, label="unlikeness", threshold=reference.threshold, from_zero=False
        ),
    )


def _plane(points):
    """A function that places vectors in the plane of the points' principal axes."""
    middle = points.mean(axis=0)
    axes = np.linalg.svd(points - middle, full_matrices=False)[2][:2]
    return lambda vectors: (np.float32(vectors) - middle) @ axes.T


def _painted(findings):
    first = findings.thresholds.requests
    for kind in PAINTING:
        for column in DISTANCES:
            rows = painted_by_newest(findings.requests, kind, column)
            if len(rows):
                name = column.replace("_", " ")
                figure = monitoring.course(
                    {name: over_time(rows, column)},
                    label=name,
                    base=rows[column].head(first).mean(),
                )
                note = f"{len(rows)} by {rows['model'].iloc[-1]}; mean and middle half."
                yield f"{kind.capitalize()}: {name}", [f"{kind}: {name}"], note, figure
