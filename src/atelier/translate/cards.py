"""The card of a network from photo to painting: what it is, is for, and is not for.

The sections follow Mitchell et al. 2019, "Model Cards for Model Reporting",
arXiv:1810.03993. Every number comes from the run's own `metrics.json`.
"""

_HOW = {
    "cyclegan": "CycleGAN (Zhu et al. 2017): a second generator, back to photos, must undo the first.",
    "cut": "Contrastive translation (Park et al. 2020): a patch must stay recognisable among "
    "others of its picture.",
}


def card_text(config, metrics):
    """The card of a trained network, Markdown.

    Args:
        config: its `TranslateConfig`.
        metrics: plain values as in `metrics.json`; distances are there once it was judged.
    """
    counts = metrics["counts"]
    losses = ", ".join(
        f"{name.replace('_', ' ')} {value:.3f}" for name, value in metrics["losses"].items()
    )
    return f"""# {config.name}

Paints a photo as {metrics["paintings"]} might have. {_HOW[config.method]}

## Data

{counts["photos"]} photos and {counts["monets"]} paintings of `{metrics["photos"]}`, in random details of
{config.size} x {config.size} pixels; {counts["held_out"]} photos were held out.{_aided(config)}

## Results

{_judged(metrics)}Losses of the last epoch: {losses}.

Trained in {metrics["minutes"]} minutes ({metrics["steps"]:,} steps of {config.batch_size}) on {metrics["device"]},
{metrics["date"]}, seed {metrics["seed"]}; {metrics["parameters"]:,} parameters from photo to painting.

## Use

Takes RGB in [0, 255]; `atelier translate` brings photos of any size there, large ones in tiles.
For looking at photos in another light.

## Limits

- It has seen landscapes, mostly; people, rooms and text become daubs.
- It was trained on details of {config.size} pixels: its brushwork is that size in photos of any size.
- What it makes is not a work of {metrics["paintings"]}.

## Licence

The weights are under the repository's licence. The pictures they were trained on keep their own:
see `data/README.md`.
"""


def _aided(config):
    if not config.aid:
        return ""
    return f""" While training, the critics were
aided by heads on a frozen {config.aid} with ImageNet's weights (Kumari et al. 2022), which are no part of this model."""


def _judged(metrics):
    judged = metrics.get("judged")
    if not judged:
        return ""
    return (
        f"{judged['what']}: FID {judged['fid']:.1f} on {judged['photos']} held-out photos (real against "
        f"real {judged['floor']:.1f}, photos as they are {judged['ceiling']:.1f}: "
        f"{judged['way']:.0%} of the way from paintings to photos is left), KID {judged['kid']:.4f}.\n\n"
    )
