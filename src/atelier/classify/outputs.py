"""The files that the published EfficientNet-B2 classifiers leave, by their published names.

`model_architecture_{task}.png`, `confusion_matrix_{task}.png`,
`classification_report_{task}.txt`, `f1_scores_{task}.png` and
`best_model_{task}.keras`; and the sample predictions with confidence that the
published EfficientNet-B0 shows. Differs: the report adds intervals and calibration,
and the architecture is drawn by us, the body as one box.
"""

from pathlib import Path

import numpy as np

from atelier import models, storage
from atelier.classify.evaluate import report_text
from atelier.classify.predict import ask, evaluate_model
from atelier.classify.trainable import body_and_head
from atelier.data.rights import pictures_may_be_shown
from atelier.plots import grids, judging, save_figure
from atelier.plots.architecture import architecture

MANY_LAYERS = 20  # a body of more is drawn as one box


def write_published_outputs(model, directory, out, task, *, split="test", progress=None):
    """Judge a trained model and write the published files.

    Args:
        model: a model's folder, name or alias.
        directory: root of the collection.
        out: folder for the files.
        task: what is told apart, such as "style"; part of the files' names.
        split: the part to judge by.
        progress: called with (done, total) while pictures are read.

    Returns:
        The paths written.

    Raises:
        AtelierError: as `predict.evaluate_model`.
    """
    out, loaded = Path(out), models.load(model)
    judged = evaluate_model(model, directory, split=split, progress=progress)
    title = f"{loaded.recipe['name']}, {split}"
    figures = {
        "model_architecture": architecture(boxes_of(loaded.model), title=loaded.recipe["name"]),
        "confusion_matrix": judging.confusion_matrix(
            np.array(judged["confusion"]), loaded.class_names, title=title
        ),
        "f1_scores": judging.f1_bars(judged["per_class"], title=title),
    }
    for name, figure in figures.items():
        save_figure(figure, f"{name}_{task}", folder=out)
    report, best = out / f"classification_report_{task}.txt", out / f"best_model_{task}.keras"
    storage.write_text(report, report_text(judged) + "\n")
    with storage.atomic_path(best) as temporary:
        loaded.model.save(temporary)
    return [*(out / f"{name}_{task}.png" for name in figures), report, best]


def sample_predictions(model, directory, *, split="test", count=12, seed=0):
    """Pictures drawn at random, with the probabilities of their likeliest classes.

    Only pictures that may be shown are drawn from; where there is none, the names of
    files stand for them.

    Args:
        model: a model's folder, name or alias.
        directory: root of the collection.
        split: the part to draw from.
        count: how many.
        seed: of the choice.

    Returns:
        A Figure.

    Raises:
        AtelierError: as `predict.ask`.
    """
    answers = ask(model, directory, split)
    data, paths = answers.data, list(answers.data.part(split)["path"])
    showable = pictures_may_be_shown(directory, paths)
    said = answers.probabilities, data.labels(split), data.class_names
    options = {"count": count, "seed": seed, "title": f"{data.recipe.name}, {split}"}
    if not showable.any():
        return grids.answer_bars([_title(path) for path in paths], *said, **options)
    return grids.prediction_grid(data.pictures(split), *said, showable=showable, **options)


def _title(path):
    """A file such as claude-monet_water-lilies.jpg as words."""
    return Path(path).stem.replace("_", ": ").replace("-", " ")


def boxes_of(network):
    """A network's layers for `plots.architecture`; a long body is one box."""
    body, head = body_and_head(network)
    boxes = [_box(layer) for layer in body]
    if len(body) > MANY_LAYERS:
        parameters = sum(layer.count_params() for layer in body)
        name, kind = network.name, f"body, {len(body) - 1} layers to {body[-1].name}"
        boxes = [boxes[0], (name, kind, body[-1].output.shape, parameters)]
    return [*boxes, *(_box(layer) for layer in head)]


def _box(layer):
    return layer.name, type(layer).__name__, layer.output.shape, layer.count_params()
