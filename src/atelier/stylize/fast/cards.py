"""The card of a feed-forward network: what it is, is for, and is not for.

The sections follow Mitchell et al. 2019, "Model Cards for Model Reporting",
arXiv:1810.03993. Every number comes from the run's own `metrics.json`.
"""


def card_text(config, metrics):
    """The card of a trained network, Markdown.

    Args:
        config: its `FastConfig`.
        metrics: plain values as in `metrics.json`.
    """
    seen, aside = metrics["counts"]["train"], metrics["counts"]["val"]
    losses = ", ".join(f"{name} {value:.3f}" for name, value in metrics["val_losses"].items())
    layers = ", ".join(f"`{name}`" for name in config.style_layers)
    return f"""# {config.name}

Paints any picture in the style of any other, in one pass: residual blocks whose maps a
code of {config.code} numbers steers; a second, small network reads the code off the style picture.

## Data

{seen["photographs"]} photographs of `{metrics["photographs"]}` in the style of {seen["paintings"]} paintings of
`{metrics["paintings"]}`, in random details of {config.size} x {config.size} pixels;
{aside["photographs"]} photographs and {aside["paintings"]} paintings were set aside.

## Results

Judged on {config.backbone}'s {layers}: {losses} on pairs that training never saw.

Trained in {metrics["minutes"]} minutes ({metrics["pairs_seen"]:,} pairs) on {metrics["device"]},
{metrics["date"]}, seed {metrics["seed"]}, {metrics["parameters"]:,} parameters.

## Use

Takes RGB in [0, 255], (batch, height, width, 3), of a content and a style picture whose sides are
multiples of 4; `atelier stylize --method fast` brings any picture there, and moves the content's
colors to the style's first, as the network has learned to expect.
For looking at pictures in another light.

## Limits

- It was trained on details of {config.size} pixels: its strokes are as long as that taught it, in pictures of any
  size, and it knows colors and brushwork, not composition.
- It was compared on early layers of {config.backbone}: figures and faces mean nothing to it.
- What it makes is not a work of the painter whose picture it was shown.

## Licence

The weights are under the repository's licence. The pictures they were trained on keep their own:
see `data/README.md`.
"""
