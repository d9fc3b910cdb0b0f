"""`atelier stylize`: a picture painted in the style of others."""

from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.options import AsJson, start_keras
from atelier.cli.output import progress_bars, show, show_json, stdout_to_stderr
from atelier.errors import AtelierError


def stylize(
    content: Annotated[Path, typer.Argument(metavar="CONTENT", help="The picture to paint.")],
    style: Annotated[
        list[Path], typer.Argument(metavar="STYLE...", help="Whose style; several are blended.")
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="PNG, JPEG, WebP or TIFF; how it was made is noted.")
    ],
    preset: Annotated[
        str, typer.Option(metavar="NAME", help="Settings: see `atelier.stylize.presets`.")
    ] = "atelier",
    backbone: Annotated[
        str | None, typer.Option(metavar="NAME", help="Another body; then name its layers too.")
    ] = None,
    content_layer: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Instead of the preset's; repeatable.")
    ] = None,
    style_layer: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="The same of the style; all weigh 1.")
    ] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="W,W", help="Of several styles; they sum to one (alike).")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="White where the first style goes; as large as CONTENT.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="A picture to start from, instead of CONTENT.")
    ] = None,
    noise: Annotated[bool, typer.Option("--noise", help="Start from noise.")] = False,
    size: Annotated[int | None, typer.Option(min=32, help="Longer side, pixels.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="At each size.")] = None,
    strength: Annotated[
        float | None, typer.Option(min=0, help="Times the preset's style weight (1).")
    ] = None,
    keep_colors: Annotated[
        str | None, typer.Option(metavar="HOW", help="Keep CONTENT's: luminance or transport.")
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(metavar="NAME", help="adam or lbfgs, instead of the preset's.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the noise.")] = 0,
    deep: Annotated[bool, typer.Option("--16-bit", help="16 bits a channel, in a PNG.")] = False,
    as_json: AsJson = False,
):
    """Paint a picture in the style of others, pixel by pixel (Gatys)."""
    from atelier.data.writing import check_suffix, write_picture

    bits = 16 if deep else 8
    check_suffix(out, bits)
    pictures = _read(content, style, mask, start)
    start_keras()
    from atelier.stylize.presets import get_preset

    config = _config(
        get_preset(preset),
        backbone=backbone,
        content_layers=content_layer,
        style_layers=style_layer,
        size=size,
        steps=steps,
        keep_colors=keep_colors,
        optimizer=optimizer,
        seed=seed,
        init="noise" if noise else "picture" if start else None,
    )
    if strength is not None:
        config = config.replace(style_weight=config.style_weight * strength)
    with stdout_to_stderr(), progress_bars() as bars:
        made = _run(pictures, _weights(weights, len(style)), config, bars)
    note = {"content": content.name, "styles": [path.name for path in style]}
    write_picture(out, made.pixels, note={**note, "config": config.to_json()}, bits=bits)
    if made.problem not in (None, "stopped"):
        raise AtelierError("losses that stay numbers", made.problem, f"It is in {out}.")
    _tell(out, made, as_json)


def _read(content, styles, mask, start):
    from PIL import Image

    from atelier.data.reading import read_rgb

    region = None
    if mask is not None:
        grey = Image.fromarray(read_rgb(mask)).convert("L")
        import numpy as np

        region = np.asarray(grey, "float32") / 255
    return (
        read_rgb(content),
        [read_rgb(path) for path in styles],
        region,
        None if start is None else read_rgb(start),
    )


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
        changes["style_layers"] = tuple(style_layers)
        changes["style_layer_weights"] = (1.0,) * len(style_layers)
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


def _run(pictures, weights, config, bars):
    from atelier.stylize import gatys

    content, styles, mask, start = pictures
    told = [
        gatys.Style(picture, weight, mask if number == 0 else None)
        for number, (picture, weight) in enumerate(zip(styles, weights, strict=True))
    ]

    def on_progress(progress):
        bars("Painting", progress.step, progress.steps)

    return gatys.stylize(content, told, config, start=start, on_progress=on_progress)


def _tell(out, made, as_json):
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
