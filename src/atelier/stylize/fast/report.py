"""What notebooks say of a trained feed-forward network."""

import pandas as pd

from atelier import models
from atelier.plots.look import caption_line
from atelier.stylize.fast.config import KIND


def history(folder):
    """One row an epoch: losses of training and, with `val_` before them, of pairs set aside."""
    return pd.read_csv(models.find(folder, KIND) / "history.csv")


def caption(folder, data=None):
    """The line below a figure: data, the network's training, seed, device, date.

    Args:
        folder: of the network.
        data: what was painted; None is what it was trained on.
    """
    metrics = models.load(folder, KIND).metrics
    return caption_line(
        data=data or f"{metrics['photographs']}, {metrics['paintings']}",
        note=f"network trained on {metrics['pairs_seen']:,} pairs",
        seed=metrics["seed"],
        device=metrics["device"],
        date=metrics["date"],
    )
