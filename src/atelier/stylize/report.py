"""What notebooks say of style transfers: captions, and tables of distances."""

import pandas as pd

from atelier import paths
from atelier.backbones import weights_at_hand
from atelier.environment import device_name, today
from atelier.plots.look import caption_line
from atelier.stylize.metrics import StyleJudge

JUDGE = "densenet169"  # a body that nothing here is optimised by
JUDGE_CONTENT, JUDGE_STYLE = ("pool3_relu",), ("conv1_relu", "pool2_relu", "pool3_relu")


def caption(data, config=None, note=None):
    """The line below a figure: data, settings, device, date.

    Args:
        data: where the pictures are from.
        config: a `GatysConfig`, where one made them all.
        note: anything else.
    """
    seed = None
    if config is not None:
        size = f"{config.sizes} x {config.steps} steps up to {config.size} pixels"
        said = f"{config.name} on {config.backbone}, {config.optimizer}, {size}"
        note, seed = said if note is None else f"{said}, {note}", config.seed
    return caption_line(data=data, note=note, seed=seed, device=device_name(), date=today())


def independent_judge(*, at_random=False, size=256):
    """A `StyleJudge` on the body JUDGE.

    Args:
        at_random: take random weights where none are at hand; a fast run does so too.
        size: pixels of the longer side that pictures are looked at with.
    """
    there = weights_at_hand(JUDGE)
    weights = None if not there and (at_random or paths.fast()) else "imagenet"
    return StyleJudge(JUDGE, JUDGE_CONTENT, JUDGE_STYLE, size=size, weights=weights)


def distances(pictures, content, style, judge):
    """One row a picture: its distances to the content and to the style.

    Args:
        pictures: dict of name -> (h, w, 3) in [0, 255].
        content: (height, width, 3) uint8.
        style: the same.
        judge: a `StyleJudge`.
    """
    rows = {name: judge(picture, content, style) for name, picture in pictures.items()}
    return pd.DataFrame(rows).T.rename_axis("picture").reset_index()


def speed(made):
    """One row an optimisation: steps, seconds and milliseconds a step, the first one aside.

    Args:
        made: dict of name -> `gatys.Stylized`.
    """
    rows = []
    for name, result in made.items():
        seconds = result.history["seconds"]
        rows.append(
            {
                "run": name,
                "body": result.config.backbone,
                "pixels": result.config.size,
                "steps": len(seconds),
                "seconds": seconds.sum(),
                "milliseconds a step": 1000 * seconds.iloc[1:].median(),
            }
        )
    return pd.DataFrame(rows)
