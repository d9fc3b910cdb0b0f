"""Random search over the settings of a style transfer, and what to rank the results by.

Source: the predecessor's search drew rates and weights at random and took the trial of the least
weighted cost. Differs: that cost contains the very weights that are searched, so small
weights win whatever the picture. Ours compares distances that contain none: content and style,
each relative to its target, at fixed layers; no single number is made of the two.
"""

import dataclasses
import functools
import logging
import operator
from pathlib import Path

import numpy as np
import pandas as pd

from atelier import storage
from atelier.data.images import fit_picture
from atelier.data.writing import write_picture
from atelier.errors import AtelierError
from atelier.stylize.gatys import features_of, stylize
from atelier.stylize.losses import content_loss, style_loss
from atelier.stylize.objective import as_batch

log = logging.getLogger(__name__)

COLUMNS = ("trial", "learning_rate", "content_weight", "style_weight", "weighted_cost")
DISTANCES = ("content_distance", "style_distance")


@dataclasses.dataclass(frozen=True)
class SearchSpace:
    """Ranges that are drawn from, evenly in the logarithm; the published ranges are not stated."""

    learning_rate: tuple[float, float] = (1.0, 20.0)
    content_weight: tuple[float, float] = (1e-3, 1.0)
    style_weight: tuple[float, float] = (1e-3, 1.0)
    layer_weight: tuple[float, float] = (0.03, 10.0)  # of each style layer by itself


def draw(config, trial, *, space=None, seed=0):
    """Settings of one trial; the same for the same seed and number, whatever was drawn before."""
    space = space or SearchSpace()
    rng = np.random.default_rng((seed, trial))

    def one(bounds):
        return float(np.exp(rng.uniform(*np.log(bounds))))

    return config.replace(
        learning_rate=one(space.learning_rate),
        content_weight=one(space.content_weight),
        style_weight=one(space.style_weight),
        style_layer_weights=tuple(one(space.layer_weight) for _ in config.style_layers),
    )


def search(
    content, style, config, out, *, trials, seed=0, space=None, on_trial=None, weights="imagenet"
):
    """Try settings at random; stopped, it goes on after the last whole trial.

    Args:
        content: (height, width, 3) uint8.
        style: (height, width, 3) uint8.
        config: a `GatysConfig`; its rate and weights are drawn anew for each trial.
        out: folder of the trials: a picture and a JSON file each.
        trials: how many.
        seed: of the draws.
        space: a `SearchSpace`.
        on_trial: called with (done, total).
        weights: of the body; None takes random ones.

    Returns:
        Table of a row a trial: COLUMNS, the weight of each style layer, DISTANCES, whether it is
        on the `front`, and `picture`, a path.

    Raises:
        AtelierError: if `out` holds trials of other pictures, settings or seeds.
    """
    out = Path(out)
    mark = storage.fingerprint(
        [
            _digest(content),
            _digest(style),
            config.to_json(),
            seed,
            dataclasses.asdict(space or SearchSpace()),
        ]
    )
    judge = functools.cache(lambda: Judge(content, style, config, weights))
    rows = []
    for trial in range(trials):
        path = out / f"trial_{trial:03d}.json"
        row = _kept(path, mark)
        if row is None:
            row = _try(
                trial, content, style, draw(config, trial, space=space, seed=seed), judge, path
            )
            storage.write_json(path, {"search": mark, **row})
        rows.append(row)
        if on_trial is not None:
            on_trial(trial + 1, trials)
    table = pd.DataFrame(rows)
    return table.assign(
        front=front(table[list(DISTANCES)]), picture=[out / name for name in table["picture"]]
    )


def _digest(picture):
    return storage.fingerprint([picture.shape, picture.tobytes().hex()])


def _kept(path, mark):
    if not path.is_file():
        return None
    row = storage.read_json(path)
    if row.pop("search") != mark:
        raise AtelierError(
            f"trials of this very search in {path.parent}", "another's", "Choose another folder."
        )
    return row if path.with_suffix(".png").is_file() else None


def _try(trial, content, style, config, judge, path):
    made = stylize(content, style, config, features=judge().features)
    write_picture(path.with_suffix(".png"), made.pixels, note={"config": config.to_json()})
    layers = dict(zip(config.style_layers, config.style_layer_weights, strict=True))
    return {
        "trial": trial,
        "learning_rate": config.learning_rate,
        "content_weight": config.content_weight,
        "style_weight": config.style_weight,
        **{f"weight of {layer}": weight for layer, weight in layers.items()},
        "weighted_cost": float(made.history["total"].iloc[-1]),
        **judge()(made.picture),
        "picture": path.with_suffix(".png").name,
    }


class Judge:
    """Distances of a stylized picture that no setting can make small by itself.

    Args:
        content: (height, width, 3) uint8.
        style: (height, width, 3) uint8.
        config: a `GatysConfig`; its layers are looked at, all alike.
        weights: of the body; None takes random ones.
    """

    def __init__(self, content, style, config, weights="imagenet"):
        self.features = features_of(config, weights)
        self.content, self.style = content, style
        self._kept = None, None

    def __call__(self, picture):
        """Dict of DISTANCES: means over layers of the relative losses, for a (h, w, 3) picture."""
        see = self.features
        found, targets = see.maps(as_batch(picture)), self._targets(picture.shape[:2])
        contents = [
            content_loss(ours, theirs)
            for ours, theirs in zip(see.contents(found), targets[0], strict=True)
        ]
        styles = [
            style_loss(ours, theirs)
            for ours, theirs in zip(see.grams(found), targets[1], strict=True)
        ]
        means = [
            float(functools.reduce(operator.add, losses)) / len(losses)
            for losses in (contents, styles)
        ]
        return dict(zip(DISTANCES, means, strict=True))

    def _targets(self, size):
        """Maps of the content and Gram matrices of the style at a size; those asked for last stay."""
        if self._kept[0] != size:
            self._kept = size, self._computed(size)
        return self._kept[1]

    def _computed(self, size):
        height, width = self.style.shape[:2]
        scale = max(size) / max(height, width)
        fitted = tuple(round(side * scale) for side in (height, width))
        content = self.features.maps(as_batch(fit_picture(self.content, size)))
        style = self.features.maps(as_batch(fit_picture(self.style, fitted)))
        return self.features.contents(content), self.features.grams(style)


def front(distances):
    """Which rows no other row beats in every column, (n,) bool.

    Args:
        distances: (n, k) array or table; less is better.
    """
    values = np.asarray(distances, "float64")
    no_worse = (values[None] <= values[:, None]).all(axis=-1)
    better = (values[None] < values[:, None]).any(axis=-1)
    return ~(no_worse & better).any(axis=1)


def winners(table):
    """The trial that the published criterion takes, and ours: {"published": row, "ours": row}.

    Ours is the one of the front whose two distances, each by its rank among all trials, are
    least in sum: near to the content and to the style alike.
    """
    ranks = table[list(DISTANCES)].rank().sum(axis=1).where(table["front"])
    return {
        "published": table.loc[table["weighted_cost"].idxmin()],
        "ours": table.loc[ranks.idxmin()],
    }
