"""`atelier stylize`: a picture painted in the style of others."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from atelier.cli.options import AsJson


class Method(enum.Enum):
    """How a picture is painted."""

    gatys = "gatys"
    fast = "fast"


def stylize(
    context: typer.Context,
    content: Annotated[
        Path, typer.Argument(metavar="CONTENT", help="The picture to paint; fast: or a folder.")
    ],
    style: Annotated[
        list[Path], typer.Argument(metavar="STYLE...", help="Whose style; several are blended.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="PNG, JPEG, WebP or TIFF; how it was made is noted. Or a folder."
        ),
    ],
    method: Annotated[
        Method, typer.Option(help="gatys: pixel by pixel, minutes; fast: in one pass, seconds.")
    ] = Method.gatys,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="fast: the network, in models/.")
    ] = "fast",
    preset: Annotated[
        str, typer.Option(metavar="NAME", help="gatys: settings, see `atelier.stylize.presets`.")
    ] = "atelier",
    backbone: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="gatys: another body; then name its layers too."),
    ] = None,
    content_layer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="gatys: instead of the preset's; repeatable."),
    ] = None,
    style_layer: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="gatys: the same of the style; all weigh 1."),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="W,W", help="Of several styles; they sum to one (alike).")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="White where the first style goes; as large as CONTENT.")
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help="gatys: a picture to start from, instead of CONTENT.")
    ] = None,
    noise: Annotated[bool, typer.Option("--noise", help="gatys: start from noise.")] = False,
    size: Annotated[int | None, typer.Option(min=32, help="Longer side, pixels.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="gatys: at each size.")] = None,
    strength: Annotated[
        float | None,
        typer.Option(min=0, help="fast: 0 to 1; gatys: times the preset's style weight (1)."),
    ] = None,
    keep_colors: Annotated[
        str | None, typer.Option(metavar="HOW", help="Keep CONTENT's: luminance or transport.")
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(metavar="NAME", help="gatys: adam or lbfgs, not the preset's.")
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="gatys: float32 (the preset's), or mixed_bfloat16, quicker where hardware has it.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="gatys: of the noise.")] = 0,
    deep: Annotated[
        bool, typer.Option("--16-bit", help="16 bits a channel, in a PNG or TIFF.")
    ] = False,
    as_json: AsJson = False,
):
    """Paint a picture in the style of others: pixel by pixel (Gatys), or in one pass."""
    from atelier.cli import many, painting
    from atelier.errors import AtelierError

    painting.check_options(context, f"--method {method.value}")
    bits = 16 if deep else 8
    if method is Method.gatys and content.is_dir():
        raise AtelierError("one picture", f"the folder {content}", "Paint it with --method fast.")
    targets = many.targets_of([content], out, bits)
    styles = painting.Styles(style, weights, mask)
    if method is Method.fast:
        options = {"size": size, "strength": 1.0 if strength is None else strength}
        options["keep"] = keep_colors
        painting.paint_fast(targets, styles, model, options, bits=bits, as_json=as_json)
        return
    changes = {
        "backbone": backbone,
        "content_layers": content_layer,
        "style_layers": style_layer,
        "size": size,
        "steps": steps,
        "keep_colors": keep_colors,
        "optimizer": optimizer,
        "precision": precision,
        "seed": seed,
        "init": "noise" if noise else "picture" if start else None,
    }
    painting.paint_gatys(
        *targets[0], styles, start, (preset, changes, strength), bits=bits, as_json=as_json
    )
