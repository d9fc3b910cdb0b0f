"""What `atelier stylize` does, by either method, and `atelier train fast`.

Imported only when one of these commands runs.
"""

import numpy as np
from PIL import Image

from atelier import models, paths
from atelier.cli.many import paint_each
from atelier.cli.options import locate, start_keras
from atelier.cli.output import progress_bar, progress_bars, show, show_json, stdout_to_stderr
from atelier.data.choose import collection_at
from atelier.data.photographs import photographs_for
from atelier.data.reading import read_rgb
from atelier.data.writing import write_picture
from atelier.errors import AtelierError

_CLASSIFIERS = (
    "subset",
    "label",
    "min_works",
    "top",
    "backbone",
    "cut",
    "with_feedback",
    "feedback",
)
NOT_FOR = {
    "--method gatys": ("model",),
    "--method fast": (
        "preset",
        "backbone",
        "content_layer",
        "style_layer",
        "start",
        "noise",
        "steps",
        "optimizer",
        "precision",
        "seed",
    ),
    "the recipe fast": _CLASSIFIERS,
    "recipes from photo to painting": ("photographs", *_CLASSIFIERS),
}


def check_options(context, what):
    """Refuse an option that is not for what was asked, rather than pass over it."""
    others = NOT_FOR[what]
    sources = {name: context.get_parameter_source(name) for name in others}
    given = [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise AtelierError(f"options that are for {what}", names, "Leave out what is not its own.")


def train_fast(paintings, photographs, out, *, epochs, seed, overwrite):
    """Train a network that paints in one pass; returns its folder."""
    chosen = collection_at(paintings)
    theirs = locate(photographs) if photographs else photographs_for(chosen).directory
    start_keras()
    from atelier.stylize.fast import config, train

    settings = config.plan(is_sample=chosen.is_sample)
    changes = {"epochs": epochs, "seed": seed}
    settings = settings.replace(**{k: v for k, v in changes.items() if v is not None})
    with stdout_to_stderr(), progress_bar("Training") as progress:
        return train.train(
            settings,
            paintings,
            theirs,
            out or paths.models_dir() / settings.name,
            overwrite=overwrite,
            progress=progress,
        )


class Styles:
    """Style pictures as they were asked for; read at once, before Keras takes its time.

    Args:
        files: the pictures.
        weights: "0.7,0.3", or None for all alike.
        mask: a picture, white where the first style goes, or None.
    """

    def __init__(self, files, weights, mask):
        self.names, self.shares = [file.name for file in files], _weights(weights, len(files))
        self.pictures, self.region = [read_rgb(file) for file in files], None
        if mask is not None:
            self.region = np.asarray(Image.fromarray(read_rgb(mask)).convert("L"), "float32") / 255

    def __call__(self):
        """As `stylize` takes them."""
        from atelier.stylize.styles import Style

        return [
            Style(picture, share, self.region if number == 0 else None)
            for number, (picture, share) in enumerate(zip(self.pictures, self.shares, strict=True))
        ]


def paint_fast(targets, styles, model, options, *, bits, as_json):
    """Paint every target in one pass; a bad picture among several is skipped and named."""
    models.find(model, kind=models.FAST_PAINTER)
    start_keras()
    from atelier.stylize.fast.paint import FastPainter

    painter, told = FastPainter(model), styles()
    how = {"method": "fast", "model": painter.folder.name, **options}
    paint_each(
        targets,
        lambda content: painter(content, told, **options),
        {"styles": styles.names, **how},
        bits=bits,
        as_json=as_json,
    )


def paint_gatys(content, out, styles, start, settings, *, bits, as_json):
    """Optimise one picture; `settings` are a preset's name, changes to it, and the strength."""
    picture, first = read_rgb(content), None if start is None else read_rgb(start)
    start_keras()
    from atelier.stylize import gatys
    from atelier.stylize.presets import get_preset

    preset, changes, strength = settings
    config = _config(get_preset(preset), **changes)
    if strength is not None:
        config = config.replace(style_weight=config.style_weight * strength)
    with stdout_to_stderr(), progress_bars() as bars:

        def on_progress(progress):
            bars("Painting", progress.step, progress.steps)

        made = gatys.stylize(picture, styles(), config, start=first, on_progress=on_progress)
    note = {"content": content.name, "styles": styles.names, "config": config.to_json()}
    write_picture(out, made.pixels, note=note, bits=bits)
    if made.problem not in (None, "stopped"):
        raise AtelierError("losses that stay numbers", made.problem, f"It is in {out}.")
    _tell_gatys(out, made, as_json)


def _config(config, *, backbone, content_layers, style_layers, **changes):
    """The preset with what was asked for; a body comes with the names of its layers."""
    if backbone not in (None, config.backbone):
        if not content_layers or not style_layers:
            raise AtelierError(
                f"layers of {backbone}, which the preset {config.name} does not name",
                "none",
                "Name --content-layer and --style-layer, or another --preset.",
            )
        changes["backbone"] = backbone
    if content_layers:
        changes["content_layers"] = tuple(content_layers)
    if style_layers:
        config = config.with_style_layers(*style_layers)
    return config.replace(**{name: value for name, value in changes.items() if value is not None})


def _weights(text, count):
    if text is None:
        return [1 / count] * count
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError:
        weights = []
    if len(weights) != count:
        raise AtelierError(
            f"{count} numbers, one a style, such as 0.7,0.3", repr(text), "Correct them."
        )
    return weights


def _tell_gatys(out, made, as_json):
    last = made.history.iloc[-1]
    if as_json:
        losses = last.drop(["step", "size", "seconds"]).to_dict()
        seconds = made.history["seconds"].sum()
        show_json(
            {"file": out, "steps": int(last["step"]), "seconds": seconds, "losses": losses}
            | {"stopped": made.problem is not None}
        )
        return
    stopped = ", stopped early" if made.problem else ""
    show(f"{out}: {last['step']:.0f} steps, loss {last['total']:.4g}{stopped}")
