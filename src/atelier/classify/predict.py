"""Ask a trained classifier: about pictures of one's own, or about a part of a collection."""

import dataclasses
import logging

import numpy as np
import pandas as pd

from atelier import models, storage
from atelier.classify.cards import card_text
from atelier.classify.datasets import load_datasets, model_input
from atelier.classify.evaluate import judge, judgement_figures
from atelier.classify.recipes import Recipe
from atelier.data.reading import pictures_in, read_rgb
from atelier.data.rights import pictures_may_be_shown
from atelier.data.views import VIEWS
from atelier.errors import AtelierError
from atelier.plots import save_figure

log = logging.getLogger(__name__)


def evaluate_model(model, directory, *, split="test", figures=None, progress=None):
    """Judge a trained model on one part of a collection, split as when it was trained.

    The result is recorded in the model's `metrics.json` and card where data and
    split are those it was trained with; on other data it is only returned.

    Args:
        model: a model's folder, name or alias, or a `models.LoadedModel`.
        directory: root of a collection.
        split: train, val or test.
        figures: a folder for PNG figures, or None.
        progress: called with (done, total) while pictures are read.

    Returns:
        What `evaluate.judge` returns.

    Raises:
        AtelierError: if the model is damaged, or the collection lacks its classes.
    """
    answers = ask(model, directory, split, progress)
    data, groups = answers.data, answers.data.part(split)["leak_group"]
    judged = judge(answers.probabilities, data.labels(split), data.class_names, groups=groups)
    if figures is not None:
        for name, figure in _figures(answers).items():
            save_figure(figure, name, folder=figures)
    _record(answers.loaded, data, split, judged)
    return judged


def model_figures(model, directory, *, split="test"):
    """Every figure of a trained model on one part of a collection.

    Pictures are shown only where their painters' rights have ended.

    Returns:
        What `evaluate.judgement_figures` returns: dict of name -> Figure.
    """
    return _figures(ask(model, directory, split))


@dataclasses.dataclass(frozen=True)
class Answers:
    """What a model said of one part of a collection."""

    loaded: models.LoadedModel
    data: object  # Datasets
    split: str
    probabilities: np.ndarray  # (n, num_classes), one row a painting
    by_view: np.ndarray  # (n, views, num_classes), whose mean they are; one view, or six


def ask(model, directory, split, progress=None):
    """What a trained model says of every picture of one part of a collection, as `Answers`.

    Here and below a model is its folder, name or alias, or a `models.LoadedModel`, which
    answers sooner when it is asked again.

    Raises:
        AtelierError: if the model is damaged, or the collection lacks its classes.
    """
    loaded, data = load_with_data(model, directory, progress)
    answers = data.answers(loaded.model, split)
    by_view = answers.reshape(len(data.part(split)), -1, answers.shape[-1])
    return Answers(loaded, data, split, data.average(answers), by_view)


def load_with_data(model, directory, progress=None):
    """A trained model and a collection as it takes it: (`models.LoadedModel`, `Datasets`).

    Raises:
        AtelierError: as `ask`.
    """
    loaded = model if isinstance(model, models.LoadedModel) else models.load(model)
    data = load_datasets(Recipe.from_json(loaded.recipe), directory, progress=progress)
    if data.class_names != loaded.class_names:
        raise AtelierError(
            f"a collection with the model's {len(loaded.class_names)} classes",
            f"{len(data.class_names)} classes, {_difference(data.class_names, loaded.class_names)}",
            "Evaluate on the collection it was trained on, or train anew.",
        )
    return loaded, data


def accuracy_by_view(model, directory, *, split="test"):
    """What each of the six views of a painting is worth alone, and what their mean is.

    Args:
        model: as `ask` takes it, of a recipe that takes six views.
        directory: root of the collection.
        split: train, val or test.

    Returns:
        Table of `view` and `accuracy`; the last row is the mean of the views' answers.

    Raises:
        AtelierError: as `ask`, and if the recipe takes no views.
    """
    answers = ask(model, directory, split)
    if not answers.data.recipe.views:
        raise AtelierError(
            "a model that takes six views", answers.data.recipe.name, "Judge it as it is."
        )
    labels = answers.data.labels(split)
    right = answers.by_view.argmax(axis=-1) == labels[:, None]
    mean = np.mean(answers.probabilities.argmax(axis=-1) == labels)
    rows = [*zip(VIEWS, right.mean(axis=0), strict=True), ("mean of the six", mean)]
    return pd.DataFrame(rows, columns=["view", "accuracy"])


def _difference(found, known):
    missing = sorted(set(known) - set(found))
    return f"without {', '.join(missing[:3])}" if missing else "with others besides"


def _figures(answers):
    data, split, folder = answers.data, answers.split, answers.loaded.folder
    return judgement_figures(
        answers.probabilities,
        data.labels(split),
        data.class_names,
        images=data.pictures(split),
        showable=pictures_may_be_shown(data.directory, data.part(split)["path"]),
        history=pd.read_csv(folder / "history.csv"),
        title=f"{data.recipe.name}, {split}",
    )


def _record(loaded, data, part, judged):
    if data.split.fingerprint != loaded.metrics["split"]["fingerprint"]:
        log.warning("Other data than %s was trained on: not recorded.", loaded.folder.name)
        return
    probe = data.recipe.probe
    if probe is not None and probe.refit and part != "test":
        log.warning("%s was fitted to these pictures at last: not recorded.", loaded.folder.name)
        return
    metrics = {**storage.read_json(loaded.folder / "metrics.json"), part: judged}
    models.record(loaded.folder, metrics, card_text(data.recipe, metrics))


def classify(model, images, *, top=5, progress=None):
    """Name the likeliest painters of some pictures.

    Args:
        model: a model's folder, name or alias, or a `models.LoadedModel`.
        images: paths of pictures, or of folders, which are searched through.
        top: how many classes for each picture.
        progress: called with (done, total).

    Returns:
        DataFrame with columns path, rank, class_name, probability. Pictures that
        could not be read are named in `.attrs["skipped"]`, a list of (path, reason).

    Raises:
        AtelierError: if the model is damaged, or no picture could be read.
    """
    loaded = model if isinstance(model, models.LoadedModel) else models.load(model)
    recipe = Recipe.from_json(loaded.recipe)
    files, rows, skipped = pictures_in(images), [], []
    for done, path in enumerate(files, start=1):
        try:
            pixels = model_input(read_rgb(path), recipe)
        except AtelierError as error:
            skipped.append((str(path), str(error)))
        else:
            probabilities = loaded.model.predict_on_batch(np.float32(pixels)).mean(axis=0)
            rows += _ranked(path, probabilities, loaded.class_names, top)
        if progress is not None:
            progress(done, len(files))
    if not rows:
        reason = skipped[0][1] if skipped else "no picture"
        raise AtelierError("at least one readable picture", reason, "Name a picture or its folder.")
    for path, reason in skipped:
        log.warning("Skipped %s: %s", path, reason)
    table = pd.DataFrame(rows, columns=["path", "rank", "class_name", "probability"])
    table.attrs["skipped"] = skipped
    return table


def _ranked(path, probabilities, class_names, top):
    order = np.argsort(-probabilities, kind="stable")[:top]
    return [
        (str(path), rank, class_names[index], float(probabilities[index]))
        for rank, index in enumerate(order, start=1)
    ]
