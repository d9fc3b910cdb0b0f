"""Tables and captions that compare trained models, read from their `metrics.json`."""

from pathlib import Path

import pandas as pd

from atelier import paths, storage
from atelier.data.splits import SplitConfig, leaking, load_split
from atelier.plots import caption_line

# Published results as rows of `against_published`.
CUSTOM_CNN = {
    "name": "custom CNN",
    "by": "predecessor",
    "part": "validation, leaking",
    "accuracy": 0.576,
}
RESNET50 = {
    "name": "ResNet50, two phases",
    "by": "predecessor",
    "part": "validation, leaking",
    "accuracy": 0.8571,
}
DENSENET121 = {
    "name": "DenseNet-121, five movements",
    "by": "published, on Painter by Numbers",
    "part": "test",
    "accuracy": 0.6675,
}
SPLITS = {
    "grouped": "leak-free",
    "official": "official, leak-free",
    "random": "random, leaking",
}
PARTS = {"val": "validation", "test": "test"}


def metrics_of(folder):
    """A model's `metrics.json`."""
    return storage.read_json(Path(folder) / "metrics.json")


def history(folder):
    """A model's training, one row an epoch."""
    return pd.read_csv(Path(folder) / "history.csv")


def caption(folder, part="val", note=None):
    """The line below a figure: data, split, seed, device, date."""
    metrics = metrics_of(folder)
    return caption_line(
        data=metrics["collection"],
        split=f"{metrics['split']['kind']}, {PARTS[part]}",
        seed=metrics["seed"],
        device=metrics["device"],
        date=metrics["date"],
        note=note,
    )


def save_results(name, models):
    """Keep what every model's `metrics.json` says as `figures/NAME.json`, where README looks.

    The weights of a model may be too large to be committed; its numbers are not.
    """
    path = paths.figures_dir() / f"{name}.json"
    storage.write_json(path, {title: metrics_of(folder) for title, folder in models.items()})
    return path


def markdown_results(path):
    """The rows of a `save_results` file as a Markdown table, for README and RUNS.md."""
    lines = [
        "| network | parameters | split | validation accuracy | test accuracy | test macro-F1 | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for title, metrics in storage.read_json(path).items():
        val, test = metrics["val"], metrics.get("test")
        cells = (
            title,
            f"{metrics['parameters']:,}",
            SPLITS[metrics["split"]["kind"]],
            _with_interval(val, "accuracy"),
            _with_interval(test, "accuracy") if test else "",
            _with_interval(test, "macro_f1") if test else "",
            f"{metrics['minutes']:.0f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _with_interval(judged, key):
    low, high = judged["intervals"][key]
    return f"{judged[key]:.3f} [{low:.3f}, {high:.3f}]"


def results_table(models, part="test"):
    """One row a model: its score with interval, size and minutes.

    Args:
        models: dict of name -> model folder.
        part: "val" or "test".

    Returns:
        Table with name, accuracy, lo, hi, macro_f1, top3, ece, parameters, minutes.
    """
    rows = []
    for name, folder in models.items():
        metrics = metrics_of(folder)
        judged = metrics[part]
        low, high = judged["intervals"]["accuracy"]
        rows.append(
            {
                "name": name,
                "accuracy": judged["accuracy"],
                "lo": low,
                "hi": high,
                **{key: judged[key] for key in ("macro_f1", "top3", "ece")},
                "parameters": metrics["parameters"],
                "minutes": metrics["minutes"],
            }
        )
    return pd.DataFrame(rows)


def with_rivals(models, rivals):
    """Models and those of earlier notebooks that were judged on the very same test pictures.

    Args:
        models: dict of name -> folder; all of one split.
        rivals: dict of name -> folder, whether it is there or not.

    Returns:
        dict of name -> folder: the rivals that can be compared, then the models.
    """
    split = metrics_of(next(iter(models.values())))["split"]["fingerprint"]
    return {name: folder for name, folder in rivals.items() if _judged_on(folder, split)} | models


def _judged_on(folder, split):
    if not (Path(folder) / "metrics.json").is_file():
        return False
    metrics = metrics_of(folder)
    return "test" in metrics and metrics["split"]["fingerprint"] == split


def recipe_table(published, here):
    """A recipe as published beside the one that is trained here, one row a setting.

    Args:
        published: a `Recipe` of a body and a head.
        here: the same at another size, or on another body.
    """
    columns = {"published": _settings(published), "here": _settings(here)}
    return pd.DataFrame(columns).fillna("")


def _settings(recipe):
    cut = f", cut at {recipe.cut}" if recipe.cut else ""
    options = ", ".join(f"{name} {value}" for name, value in recipe.head_options.items())
    settings = {
        "body": f"{recipe.backbone}{cut}",
        "its weights": recipe.weights or "random",
        "head": f"{recipe.head} ({options})" if options else recipe.head,
        "pictures": "{} x {} pixels".format(*recipe.image_size),
        "batch": f"{recipe.batch_size}, {recipe.precision}",
    }
    for number, phase in enumerate(recipe.phases, start=1):
        settings[f"phase {number}"] = (
            f"{phase.name}: at most {phase.epochs} epochs at {phase.learning_rate:g}, "
            f"learns {_learning(phase.trainable)}"
        )
    return settings


def _learning(trainable):
    """What of the body learns beside the head, in words."""
    if not isinstance(trainable, str):
        return f"the head and {', '.join(trainable)}"
    number = trainable.partition(":")[2]
    return {
        "all": "everything",
        "head": "the head",
        "last": f"the head and the top {number} of the body",
        "after": f"all but the body's first {number}",
    }[trainable.partition(":")[0]]


def best_by_loss(models):
    """Name of the model with the least validation loss, of a dict of name -> model folder."""
    return min(models, key=lambda name: metrics_of(models[name])["val"]["log_loss"])


def leak_table(models, directory):
    """Validation accuracy of models split in different ways, and what of it leaks.

    Args:
        models: dict of name -> model folder.
        directory: root of the collection.

    Returns:
        Table with name, accuracy, lo, hi, pictures, and leaking: validation pictures
        with another reproduction of themselves, or a copy, in the training part.
    """
    rows = []
    for name, folder in models.items():
        metrics = metrics_of(folder)
        table = load_split(directory, _split_config(metrics)).table
        low, high = metrics["val"]["intervals"]["accuracy"]
        rows.append(
            {
                "name": name,
                "accuracy": metrics["val"]["accuracy"],
                "lo": low,
                "hi": high,
                "pictures": metrics["val"]["n"],
                "leaking": int((leaking(table)["split"] == "val").sum()),
            }
        )
    return pd.DataFrame(rows)


def _split_config(metrics):
    values = {key: value for key, value in metrics["split"].items() if key != "fingerprint"}
    return SplitConfig(**values)


def against_published(models, leaky=None, *, published=CUSTOM_CNN):
    """The published accuracy beside ours, each with the part it was measured on.

    Args:
        models: dict of name -> folder of a model with a leak-free split.
        leaky: folder of a model with a random split, or None.
        published: the row that comes first, such as `RESNET50`.
    """
    rows = [published]
    if leaky is not None:
        rows.append({"name": "published", "by": "here", **_score(leaky, "val", "leaking")})
    for name, folder in models.items():
        parts = (part for part in PARTS if part in metrics_of(folder))
        rows += [
            {"name": name, "by": "here", **_score(folder, part, "leak-free")} for part in parts
        ]
    return pd.DataFrame(rows)


def _score(folder, part, kind):
    metrics = metrics_of(folder)
    low, high = metrics[part]["intervals"]["accuracy"]
    score = {"accuracy": metrics[part]["accuracy"], "lo": low, "hi": high}
    return {"part": f"{PARTS[part]}, {kind}", **score, "minutes": metrics["minutes"]}
