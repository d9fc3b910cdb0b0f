"""Making a classifier's reference, and measuring what it is worth; see `classify.reference`.

Nothing that is measured was fitted to: of the validation paintings one half is fitted to and the
other is the reference, the known ones that judge it are of the test part, and the painters of
foreign paintings are others in fitting and in judging. Copies of a painting stay together.
"""

import logging
from pathlib import Path

import numpy as np

from atelier.classify.datasets import model_input
from atelier.classify.predict import load_with_data
from atelier.classify.reference import (
    NUMBERS,
    Reference,
    describe,
    doubt_of,
    two_outputs,
)
from atelier.data.manifest import load_manifest
from atelier.data.photographs import photographs_in
from atelier.data.reading import read_rgb
from atelier.environment import device_name, today
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

MOST = {"validation": 600, "known": 300}  # pictures, at most
FOREIGN = {"paintings": (150, 300), "photographs": (100, 200)}  # fitted to, judged by
LEAST = 8  # paintings of the validation part, copies not counted
ENOUGH = 20  # foreign pictures for a direction to be found
STRENGTH = 1.0  # C of the regression that finds it
QUANTILE = 0.95  # of the reference's own pictures that are not outlying
BATCH = 16


def build_reference(model, directory, *, foreign=None, seed=0, progress=None):
    """The reference of a classifier, from the validation part of its collection.

    Args:
        model: a model's folder, name or alias, or a `models.LoadedModel`.
        directory: root of the collection that it was trained on. What it holds of other classes is
            foreign.
        foreign: root of a collection of photographs, or None.
        seed: of the choice of pictures.
        progress: called with (done, total) pictures.

    Returns:
        A `reference.Reference`; its facts hold what was `measured`.

    Raises:
        AtelierError: if the model is damaged, the collection lacks its classes, or there are
            fewer than `LEAST` validation paintings or no photographs where they are said to be.
    """
    loaded, data = load_with_data(model, directory)
    rng = np.random.default_rng(seed)
    files = _known(data, rng) | _other_paintings(data, rng)
    if foreign is not None:
        files |= _photographs(foreign, rng)
    if data.recipe.probe is not None and data.recipe.probe.refit:
        log.warning("%s was fitted to its validation pictures, too.", loaded.folder.name)
    seen, width = _see_all(loaded, data.recipe, files, progress)
    reference = _fit(seen, _facts(loaded, width, seed, seen))
    reference.facts["measured"] = _measure(reference, seen)
    return reference


def _known(data, rng):
    """Files of the validation part in halves, by leak group, and of the test part."""
    root, val = Path(data.directory), data.part("val")
    val = val.iloc[np.sort(rng.permutation(len(val))[: MOST["validation"]])]
    if (works := val["leak_group"].nunique()) < LEAST:
        raise AtelierError(
            f"{LEAST} validation paintings or more", f"{works}", "Use a larger collection."
        )
    groups = rng.permutation(val["leak_group"].unique())
    first = val["leak_group"].isin(groups[: len(groups) // 2]).to_numpy()
    test = data.table[data.table["split"] == "test"]
    test = test.iloc[np.sort(rng.permutation(len(test))[: MOST["known"]])]
    parts = {"fitted": val[first], "reference": val[~first], "known": test}
    return {name: [root / path for path in rows["path"]] for name, rows in parts.items()}


def _other_paintings(data, rng):
    """Files of paintings of other classes; each class is fitted to or judges, never both."""
    table = load_manifest(data.directory)
    label = data.recipe.split.label
    rows = table[table["readable"].fillna(False) & table[label].notna()]
    rows = rows[~rows[label].isin(data.class_names)]
    classes = rng.permutation(rows[label].unique())
    first = rows[label].isin(classes[: len(classes) // 2])
    parts = [rows.loc[chosen, "path"].to_numpy() for chosen in (first, ~first)]
    return _drawn("paintings", [[Path(data.directory) / p for p in part] for part in parts], rng)


def _photographs(directory, rng):
    files = [Path(directory) / path for path in photographs_in(directory)]
    order = rng.permutation(len(files))
    cut = min(FOREIGN["photographs"][0], len(files) // 2)
    return _drawn(
        "photographs", [[files[i] for i in part] for part in (order[:cut], order[cut:])], rng
    )


def _drawn(name, parts, rng):
    """At most so many files of each of the two parts, as "NAME fitted" and "NAME"."""
    keys, most = (f"{name} fitted", name), FOREIGN[name]
    return {
        key: [part[i] for i in rng.permutation(len(part))[:count]]
        for key, part, count in zip(keys, parts, most, strict=True)
        if part
    }


def _see_all(loaded, recipe, files, progress):
    """Name -> (descriptions, probabilities) of all files, and the embedding's width."""
    total, done, seen, width = sum(map(len, files.values())), 0, {}, None
    for name, some in files.items():
        parts = []
        for low in range(0, len(some), BATCH):
            *both, width = _see(loaded, recipe, some[low : low + BATCH])
            parts.append(both)
            done += len(both[0])
            if progress is not None:
                progress(done, total)
        if parts:
            seen[name] = tuple(np.concatenate(x) for x in zip(*parts, strict=True))
    return seen, width


def _see(loaded, recipe, files):
    views = [model_input(read_rgb(file), recipe) for file in files]
    found = two_outputs(loaded.model).predict_on_batch(np.float32(np.concatenate(views)))
    answers, vectors = (x.reshape(len(files), -1, x.shape[-1]).mean(axis=1) for x in found)
    return describe(vectors), answers, vectors.shape[1]


def _facts(loaded, width, seed, seen):
    answers = np.concatenate([seen[name][1] for name in ("fitted", "reference")])
    return {
        "model": loaded.folder.name,
        "class_names": loaded.class_names,
        "width": int(width),
        "confidence": float(answers.max(axis=1).mean()),
        "counts": {name: len(answers) for name, (_, answers) in seen.items()},
        "seed": seed,
        "device": device_name(),
        "date": today(),
    }


def _fit(seen, facts):
    """The reference: axes from one half, scales and threshold from the other."""
    described, answers = seen["reference"]
    foreign = [seen[f"{name} fitted"][0] for name in FOREIGN if f"{name} fitted" in seen]
    foreign = np.concatenate(foreign) if foreign else described[:0]
    axes = _axes(seen["fitted"][0], foreign)
    raw = described @ axes
    deviation = np.maximum(raw.std(axis=0), 1e-6)
    axes = np.float16(axes / deviation)
    raw = described @ np.float32(axes)
    weights = np.zeros(axes.shape[1], "float32")
    told = len(foreign) >= ENOUGH
    weights[1 if told else 0] = 1 if told else 0.5
    doubt = doubt_of(answers)
    facts |= {"doubt": [float(doubt.mean()), float(max(doubt.std(), 1e-6))], "threshold": np.inf}
    facts["score"] = "doubt and foreignness" if told else "doubt and length of the embedding"
    both = np.concatenate([seen["fitted"][1], answers]).argmax(axis=1)
    reference = Reference(
        axes,
        np.float32(-raw.mean(axis=0)),
        weights,
        np.float16(raw - raw.mean(axis=0)),
        np.bincount(both, minlength=answers.shape[1]),
        facts,
    )
    scores = reference.unlikeness(reference.embeddings, answers)
    facts["threshold"] = float(np.quantile(scores, QUANTILE))
    return reference


def _axes(known, foreign):
    """(w + 1, m): length, what tells the foreign from the known, principal axes of both."""
    from sklearn.linear_model import LogisticRegression

    width = known.shape[1]
    axes = [np.eye(width)[:, -1]]
    if len(foreign) >= ENOUGH:
        telling = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000)
        both = np.concatenate([known, foreign])
        telling.fit(both, np.repeat([0, 1], [len(known), len(foreign)]))
        axes.append(telling.coef_[0])
    directions = np.concatenate([known, foreign])[:, :-1]
    values, principal = np.linalg.svd(directions - directions.mean(axis=0), full_matrices=False)[1:]
    principal = principal[: NUMBERS - len(axes)][values[: NUMBERS - len(axes)] > 1e-4]
    return np.stack([*axes, *np.pad(principal, ((0, 0), (0, 1)))], axis=1)


def _measure(reference, seen):
    """How well known pictures are told from foreign ones: dict of name -> plain values."""
    if "known" not in seen:
        return {}
    scores = {name: _scores(reference, *both) for name, both in seen.items()}
    doubts = {name: doubt_of(answers) for name, (_, answers) in seen.items()}
    measured = {
        "known": {"pictures": len(scores["known"]), "outlying": _over(reference, scores["known"])}
    }
    for name in FOREIGN:
        if name in scores:
            measured[name] = {
                "pictures": len(scores[name]),
                "outlying": _over(reference, scores[name]),
                "auroc": _area(scores["known"], scores[name]),
                "auroc_of_doubt_alone": _area(doubts["known"], doubts[name]),
            }
    return measured


def _scores(reference, described, answers):
    reduced = described @ np.float32(reference.axes) + reference.offset
    return reference.unlikeness(reduced, answers)


def _over(reference, scores):
    return round(float(np.mean(scores > reference.threshold)), 4)


def _area(known, foreign):
    from sklearn.metrics import roc_auc_score

    labels = np.repeat([0, 1], [len(known), len(foreign)])
    return round(float(roc_auc_score(labels, np.concatenate([known, foreign]))), 4)
