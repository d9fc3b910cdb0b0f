"""The quick way: a last layer on a frozen body's features, fitted without gradient steps.

Features of all pictures are computed once and kept. Principal directions of the
local features, the scale of every block of features and a logistic or ridge
regression then fill the layers that `classify.multilayer` leaves open, so that
the result is a model like any other; it can be fine-tuned afterwards.

Sources: probing frozen layers is Alain & Bengio 2016 (arXiv:1610.01644);
temperature scaling is Guo et al. 2017 (arXiv:1706.04599).
"""

import dataclasses
import itertools
import logging
import time

import keras
import numpy as np
from scipy.linalg import eigh
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from atelier.classify.frozen import kept_features
from atelier.classify.multilayer import DIRECTIONS, FEATURES, POOLINGS, SCALE, blocks
from atelier.errors import AtelierError

log = logging.getLogger(__name__)

PROBE = "probe"  # how a training's history names this phase
_FITTED_ON = 256  # pictures that directions are found from, at most
_PLACES = 200  # of each of them
_FITTED_PARTS = ("train", "val")  # the second chooses, and may be fitted to once it has chosen


def fit_probe(network, recipe, data, *, progress=None):
    """Fill a `multilayer` network's open layers from the training pictures.

    Args:
        network: of `classify.multilayer`; changed in place.
        recipe: that it was built from, with a `probe`.
        data: the collection as `Datasets`.
        progress: called with (done, total), in pictures.

    Returns:
        list of dicts, one for each strength tried, as rows of a training's history:
        `strength`, `temperature`, accuracy and loss of training and validation, `seconds`.

    Raises:
        AtelierError: if the network has no such layers, the method is unknown, or a
            class has no training picture.
    """
    _check(network, recipe.probe)
    data.class_weight()  # refuses a class without a training picture
    started = time.perf_counter()
    _fit_directions(network, data, recipe.seed)
    train, val = _features(network, data, progress)
    _fit_scale(network, train, recipe.network_options.get("pooling", POOLINGS))
    for features in (train, val):
        _scale(network, features)
    solved = _regressions(
        train,
        val,
        data.eval_ds("train").labels,
        data.eval_ds("val").labels,
        recipe.probe,
    )
    best = min(solved, key=lambda fit: fit.row["val_loss"])
    network.get_layer("probabilities").set_weights([best.kernel, best.bias])
    log.info("Probe: strength %g, loss %.3f.", best.row["strength"], best.row["val_loss"])
    seconds = round((time.perf_counter() - started) / len(solved), 2)
    return [{"phase": PROBE, **fit.row, "seconds": seconds} for fit in solved]


def refit_probe(network, recipe, data, tried, *, progress=None):
    """Fit the last layer again, on training and validation pictures together.

    Strength and temperature stay as they were chosen, and so do directions and scales.
    What is measured on the validation pictures afterwards is worth nothing.

    Args:
        network: as `fit_probe` left it; changed in place.
        recipe: that it was built from.
        data: the collection as `Datasets`.
        tried: rows that `fit_probe` returned.
        progress: called with (done, total), in pictures.
    """
    chosen = min(tried, key=lambda row: row["val_loss"])
    both = np.concatenate(_features(network, data, progress))
    _scale(network, both)
    labels = np.concatenate([data.eval_ds(part).labels for part in _FITTED_PARTS])
    inner, back = _span(both)
    coefficients, bias = _METHODS[recipe.probe.method](inner, labels, chosen["strength"])
    kernel = both.T @ (back @ (coefficients / chosen["temperature"])).astype("float32")
    network.get_layer("probabilities").set_weights([kernel, bias / chosen["temperature"]])


def _features(network, data, progress):
    """Features of the training and of the validation pictures, [(n, d), (m, d)] float32."""
    trunk = keras.Model(network.input, network.get_layer(FEATURES).output, name="trunk")
    kept = kept_features(trunk, data, _FITTED_PARTS, progress=progress)
    return [kept[part].astype("float32") for part in _FITTED_PARTS]


def _scale(network, features):
    """What the layer of scales makes of features; in place, since of many they are gigabytes."""
    mean, variance = network.get_layer(SCALE).get_weights()
    features -= mean
    features /= np.sqrt(variance)


def _check(network, probe):
    if probe.method not in _METHODS:
        raise AtelierError(
            f"a probe by {' or '.join(_METHODS)}", repr(probe.method), "Correct the recipe's probe."
        )
    names = [layer.name for layer in network.layers]
    if FEATURES not in names or SCALE not in names:
        raise AtelierError(
            "a network of the kind multilayer", network.name, "Probe features of its own body."
        )


def _fit_directions(network, data, seed):
    """Principal directions of each tapped layer's channels, half whitened, into its projection."""
    projections = [layer for layer in network.layers if layer.name.endswith(DIRECTIONS)]
    if not projections:
        return
    rng = np.random.default_rng(seed)
    tapped = keras.Model(network.input, [layer.input for layer in projections])
    pictures = data.eval_ds("train")
    chosen = rng.permutation(len(pictures))[: -(-_FITTED_ON // pictures.batch_size)]
    seen = [[] for _ in projections]
    for index in np.sort(chosen):
        maps = tapped.predict_on_batch(pictures[int(index)][0])
        for found, x in zip(seen, [maps] if len(projections) == 1 else maps, strict=True):
            x = np.asarray(x, "float32").reshape(len(x), -1, x.shape[-1])
            places = rng.permutation(x.shape[1])[:_PLACES]
            found.append(x[:, places].reshape(-1, x.shape[-1]))
    for layer, found in zip(projections, seen, strict=True):
        kernel, bias = _principal(np.concatenate(found), layer.filters)
        layer.set_weights([kernel[None, None], bias])


def _principal(local, count):
    """(c, count) directions, each divided by the fourth root of its variance, and their bias."""
    mean = local.mean(axis=0)
    values, vectors = eigh(np.cov(local - mean, rowvar=False))
    values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
    kernel = vectors / np.maximum(values, 1e-6) ** 0.25
    return kernel, -mean @ kernel


def _fit_scale(network, train, pooling):
    """Let every block of features be brought to the same total variance.

    Means and deviations are brought to one scale each by itself; covariances keep theirs,
    since small ones are mostly noise.
    """
    mean, variance = train.mean(axis=0), np.empty(train.shape[1], "float32")
    parts = blocks(network)
    for part, how in zip(parts, itertools.cycle(pooling), strict=False):
        spread = train[:, part].var(axis=0)
        whole = how == "covariance"
        own = np.full_like(spread, spread.sum()) if whole else spread * len(spread)
        variance[part] = np.maximum(own, 1e-6 * own.max() + 1e-12) * len(parts)  # some are dead
    network.get_layer(SCALE).set_weights([mean, variance])


@dataclasses.dataclass(frozen=True)
class _Fit:
    """A regression: its layer, calibrated where that is asked for, and how it did."""

    kernel: np.ndarray  # (features, classes)
    bias: np.ndarray  # (classes,)
    row: dict


def _regressions(train, val, labels, val_labels, config):
    """One fit for each strength."""
    inner, back = _span(train)
    outer = ((val @ train.T) @ back).astype("float32")
    fits = []
    for strength in config.strengths:
        coefficients, bias = _METHODS[config.method](inner, labels, strength)
        scores, val_scores = inner @ coefficients + bias, outer @ coefficients + bias
        temperature = _temperature(val_scores, val_labels) if config.calibrate else 1.0
        row = {
            "strength": strength,
            "temperature": temperature,
            "accuracy": float(np.mean(scores.argmax(axis=1) == labels)),
            "loss": _loss(scores, labels, temperature),
            "val_accuracy": float(np.mean(val_scores.argmax(axis=1) == val_labels)),
            "val_loss": _loss(val_scores, val_labels, temperature),
        }
        kernel = train.T @ (back @ (coefficients / temperature)).astype("float32")
        fits.append(_Fit(kernel, bias / temperature, row))
    return fits


def _span(features):
    """Coordinates in the span of the pictures' features, in which regressions are exact and quick.

    Args:
        features: (n, d) of n pictures.

    Returns:
        (inner, back): (n, r) float32 coordinates of the pictures, and the (n, r) matrix
        for which `features.T @ back @ coefficients` are a regression's on the features.
    """
    values, vectors = eigh((features @ features.T).astype("float64"))
    kept = values > values[-1] * 1e-10
    roots = np.sqrt(values[kept])
    return (vectors[:, kept] * roots).astype("float32"), vectors[:, kept] / roots


def _logistic(x, labels, strength):
    """(features, classes) coefficients and (classes,) intercepts of a logistic regression."""
    fitted = LogisticRegression(C=strength, max_iter=1000, tol=1e-3).fit(x, labels)
    coefficients, bias = fitted.coef_.T, fitted.intercept_
    if coefficients.shape[1] == 1:  # scikit-learn keeps one for two classes
        coefficients, bias = np.hstack([-coefficients, coefficients]) / 2, np.r_[-bias, bias] / 2
    return coefficients, bias


def _ridge(x, labels, strength):
    """The same of least squares on the classes as 0 and 1."""
    fitted = Ridge(alpha=strength).fit(x, np.eye(labels.max() + 1)[labels])
    return fitted.coef_.T, fitted.intercept_


_METHODS = {"logistic": _logistic, "ridge": _ridge}


def _loss(scores, labels, temperature):
    probabilities = softmax(scores / temperature, axis=1)
    return float(log_loss(labels, probabilities, labels=np.arange(scores.shape[1])))


def _temperature(scores, labels):
    """The temperature of least loss, between a hundredth and ten."""
    found = minimize_scalar(
        lambda log_t: _loss(scores, labels, np.exp(log_t)),
        bounds=(np.log(0.01), np.log(10)),
        method="bounded",
    )
    return float(np.exp(found.x))
