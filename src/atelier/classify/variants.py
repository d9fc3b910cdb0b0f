"""Test-time augmentation: the mean answer to a picture and to variants of it.

Source: the ten crops of Krizhevsky et al. 2012 (ImageNet classification with deep
convolutional networks). Differs: three variants, one of them the whole picture, since
a painting is composed up to its edges.
"""

import cv2
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, log_loss

from atelier.classify.predict import load_with_data
from atelier.errors import AtelierError

INNER = 7 / 8  # of the height and width that the inner part keeps


def over_variants(model, directory, *, split="val", variants=("whole", "mirrored", "inner")):
    """What a trained model gains by looking at each picture several times.

    Args:
        model: folder, name or alias of a trained model.
        directory: root of the collection that it was trained on.
        split: train, val or test.
        variants: names in `VARIANTS`, in the order in which they join the mean.

    Returns:
        Table with one row for each variant: `looked_at` (all whose answers are averaged),
        `accuracy`, `log_loss`.

    Raises:
        AtelierError: as `predict.ask`, and if there is no such variant.
    """
    if unknown := sorted(set(variants) - set(VARIANTS)):
        raise AtelierError(
            f"variants among {', '.join(VARIANTS)}", ", ".join(unknown), "Correct the variants."
        )
    loaded, data = load_with_data(model, directory)
    labels, total, rows = data.labels(split), 0.0, []
    for number, name in enumerate(variants, start=1):
        total = total + data.average(_answers(loaded.model, data.eval_ds(split), VARIANTS[name]))
        mean = total / number
        rows.append(
            {
                "looked_at": ", ".join(variants[:number]),
                "accuracy": accuracy_score(labels, mean.argmax(axis=1)),
                "log_loss": log_loss(labels, mean, labels=range(len(data.class_names))),
            }
        )
    return pd.DataFrame(rows)


def _answers(network, pictures, variant):
    batches = (variant(pictures[index][0]) for index in range(len(pictures)))
    return np.concatenate([network.predict_on_batch(batch) for batch in batches])


def _whole(pictures):
    return pictures


def _mirrored(pictures):
    return np.ascontiguousarray(pictures[:, :, ::-1])


def _inner(pictures):
    """The middle of each picture, (n, h, w, 3), enlarged to the size of the whole."""
    _, height, width, _ = pictures.shape
    top, left = round(height * (1 - INNER) / 2), round(width * (1 - INNER) / 2)
    inner = pictures[:, top : height - top, left : width - left]
    enlarged = [cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in inner]
    return np.stack(enlarged)


VARIANTS = {"whole": _whole, "mirrored": _mirrored, "inner": _inner}
