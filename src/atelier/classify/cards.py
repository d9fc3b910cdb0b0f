"""Model cards: what a trained classifier is, is for, and is not for.

The sections follow Mitchell et al. 2019, "Model Cards for Model Reporting",
arXiv:1810.03993. Every number comes from the run's own `metrics.json`.
"""

SCORES = {"accuracy": "accuracy", "macro_f1": "macro-F1"}

FITS = {
    "squash": "squashed to a square",
    "crop": "the middle of them cut out as a square",
    "pad": "padded to a square",
}
LIMITS = """\
- It knows only the painters listed here, and names one of them for any picture whatever.
- It saw photographs of paintings, {seen}: colors and varnish are the photograph's.
- Its answer is a guess from looks. It is not an attribution, and says nothing of authenticity.
"""


def card_text(recipe, metrics):
    """The card of a trained classifier, Markdown.

    Args:
        recipe: the `Recipe` that was run.
        metrics: plain values as in `metrics.json`.
    """
    counts = metrics["counts"]
    sizes = ", ".join(f"{sum(labels.values())} {part}" for part, labels in counts.items())
    names = ", ".join(sorted(counts["train"]))
    split = metrics["split"]
    return f"""# {recipe.name}

{recipe.source[0].upper() + recipe.source[1:]}.{_body(recipe)}

## Data

Collection `{metrics["collection"]}`, {len(counts["train"])} classes: {sizes}.
Split `{split["kind"]}` by {split["label"]}, seed {split["seed"]}, fingerprint {split["fingerprint"]}.
Classes: {names}.{_corrected(metrics)}

## Results

{_score_table(metrics)}
{_refitted(recipe)}
Trained in {metrics["minutes"]} minutes ({metrics["epochs"]} epochs) on {metrics["device"]},
{metrics["date"]}, seed {metrics["seed"]}, {metrics["parameters"]:,} parameters.

## Use

Takes RGB in [0, 255], (batch, {recipe.image_size[0]}, {recipe.image_size[1]}, 3); gives probabilities
in the order of `classes.json`. For learning about paintings and about classifiers.

## Limits

{LIMITS.format(seen=_seen(recipe))}
## Licence

The weights are under the repository's licence. The pictures they were trained on keep their own:
see `data/README.md`.
"""


def _corrected(metrics):
    """Of a model that users' corrections were added to."""
    added = metrics.get("feedback", {}).get("added")
    return f"\nBesides, {added} pictures that users of the application corrected." if added else ""


def _body(recipe):
    """Which pretrained body it stands on, where it does."""
    if recipe.backbone is None:
        return ""
    part = f", cut at `{recipe.cut}`" if recipe.cut else ""
    start = "ImageNet's weights" if recipe.weights else "random weights"
    return f"\nBody: {recipe.backbone}{part}, from {start}. Head: {recipe.head}."


def _refitted(recipe):
    """What the row of the validation part means where its pictures were learned from at last."""
    if recipe.probe is None or not recipe.probe.refit:
        return ""
    return """
The validation part was judged before the last layer was fitted once more, with its pictures too.
"""


def _seen(recipe):
    """What of a photograph reaches the network."""
    return f"{FITS[recipe.fit]}, and five details of each" if recipe.views else FITS[recipe.fit]


def _score_table(metrics):
    rows = ["| part | pictures | score | value | 95 % interval |", "|---|---|---|---|---|"]
    for part in ("val", "test"):
        judged = metrics.get(part)
        for key, title in SCORES.items() if judged else ():
            low, high = judged["intervals"][key]
            rows.append(
                f"| {part} | {judged['n']} | {title} | {judged[key]:.3f} | {low:.3f} to {high:.3f} |"
            )
    return "\n".join(rows)
