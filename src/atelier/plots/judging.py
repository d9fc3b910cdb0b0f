"""Figures that judge a classifier: confusion, ROC, calibration, comparison.

Each takes plain arrays and tables; the numbers come from `atelier.classify.evaluate`.
"""

import numpy as np
from matplotlib.colors import PowerNorm
from sklearn.metrics import roc_auc_score, roc_curve

from atelier.plots.look import (
    BLUE,
    BLUES,
    GOLD,
    GREY,
    INK,
    MUTED,
    PATCH,
    RED,
    SOFT,
    in_our_look,
    new_figure,
    note,
    only_grid,
    titled,
)

_NUMBERS_UP_TO = 20  # classes; above it the cells of a confusion matrix are too small for numbers
_NAMES_UP_TO = 12  # classes; above it only the extreme ROC curves are named
_DASHES = ("-", (0, (4, 1.5)))


@in_our_look
def confusion_matrix(confusion, class_names, *, normalized=False, title=None):
    """Heatmap of what is taken for what: rows are the true classes, columns the named ones.

    Args:
        confusion: (k, k) counts.
        class_names: k names.
        normalized: show shares of each row instead of counts; the diagonal is the recall.
        title: what is judged.
    """
    import seaborn

    confusion, k = np.asarray(confusion), len(class_names)
    support = confusion.sum(axis=1, keepdims=True)
    values = confusion / np.maximum(support, 1) if normalized else confusion
    side = float(np.clip(0.52 * k + 2.6, 5.4, 13))
    subject = "Confusion, share of each true class" if normalized else "Confusion, pictures"
    figure = new_figure(titled(title, subject), side, side * 0.92)
    axes = figure.add_subplot()
    labels = _cell_texts(values, normalized) if k <= _NUMBERS_UP_TO else False
    seaborn.heatmap(
        values, ax=axes, cmap=BLUES, norm=_faint_too(values, normalized), square=True,
        annot=labels, fmt="", annot_kws={"fontsize": 8}, linewidths=0.6 if k <= 20 else 0.2,
        linecolor="white", xticklabels=class_names, yticklabels=class_names,
        cbar_kws={"shrink": 0.5, "aspect": 28, "pad": 0.02, "format": "{x:.0%}" if normalized else "{x:.0f}"},
    )  # fmt: skip
    size = 8.5 if k <= 20 else 6.5
    axes.set_xticklabels(axes.get_xticklabels(), rotation=90 if k > 20 else 45, ha="right",
                         va="center" if k > 20 else "top", rotation_mode="anchor", fontsize=size)  # fmt: skip
    axes.set_yticklabels(axes.get_yticklabels(), rotation=0, fontsize=size)
    axes.set(xlabel="named by the classifier", ylabel="true class")
    axes.collections[0].colorbar.outline.set_visible(False)
    axes.grid(visible=False)
    return figure


def _faint_too(values, normalized):
    """A scale on which a few mistakes are seen beside many right answers."""
    return PowerNorm(0.6, vmin=0, vmax=1 if normalized else max(values.max(), 1))


def _cell_texts(values, normalized):
    """Numbers for the cells; zeros stay blank, so that the eye finds the mistakes."""
    shown = np.round(values * 100) if normalized else values
    return np.array([[f"{cell:.0f}" if cell else "" for cell in row] for row in shown])


@in_our_look
def roc_curves(probabilities, labels, class_names, *, title=None):
    """One-against-rest ROC curves with their areas, and their mean.

    A class without pictures, or without others beside it, has no curve and is
    named below the legend. With many classes only the three best and the three
    worst are named, the others grey.
    """
    figure = new_figure(titled(title, "ROC curves, one class against the rest"), 8.6, 5.4)
    axes = figure.add_subplot()
    curves, without = _curves(np.asarray(probabilities), np.asarray(labels), class_names)
    if not curves:
        note(axes, "No ROC curve: all pictures are of one class.")
        return figure
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))
    _draw_curves(axes, curves)
    ticks = np.linspace(0, 1, 101)
    mean = np.mean([np.interp(ticks, fpr, tpr) for _, _, fpr, tpr in curves], axis=0)
    area = np.mean([curve[1] for curve in curves])
    axes.plot(
        ticks,
        np.append(0, mean[1:]),
        color=INK,
        linewidth=2.6,
        label=f"{area:.3f}  mean of classes",
    )
    heading = "area under the curve"
    if without:
        heading += f"\n({len(without)} without: {', '.join(without[:2])}{'…' * (len(without) > 2)})"
    axes.legend(
        title=heading, title_fontsize=8.5, loc="center left", bbox_to_anchor=(1.02, 0.5),
        alignment="left",
    )  # fmt: skip
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.015))
    return figure


def _curves(probabilities, labels, class_names):
    """[(name, area, false positive rates, true positive rates)] best first; names without."""
    curves, without = [], []
    for index, name in enumerate(class_names):
        is_class = labels == index
        if is_class.all() or not is_class.any():
            without.append(name)
            continue
        fpr, tpr, _ = roc_curve(is_class, probabilities[:, index])
        curves.append((name, roc_auc_score(is_class, probabilities[:, index]), fpr, tpr))
    return sorted(curves, key=lambda curve: -curve[1]), without


def _draw_curves(axes, curves):
    few = len(curves) <= _NAMES_UP_TO
    named = set(range(len(curves))) if few else {*range(3), *range(len(curves) - 3, len(curves))}
    colors = iter(range(len(curves)))
    for place, (name, area, fpr, tpr) in enumerate(curves):
        if place not in named:
            axes.plot(fpr, tpr, color=GREY, linewidth=0.6, alpha=0.6)
            continue
        number = next(colors)
        axes.plot(
            fpr, tpr, color=MUTED[number % len(MUTED)], linewidth=1.3,
            linestyle=_DASHES[number // len(MUTED) % 2], label=f"{area:.3f}  {name}",
        )  # fmt: skip


@in_our_look
def reliability_diagram(reliability, ece, *, title=None):
    """How often the classifier is right when it is so sure, and how often it is so sure.

    Args:
        reliability: table of lower, upper, confidence, accuracy, count.
        ece: the expected calibration error.
        title: what is judged.

    Source: Guo et al. 2017, arXiv:1706.04599, figure 1.
    """
    figure = new_figure(titled(title, "Does it know when it knows?"), 5.6, 6.0)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    seen = reliability[reliability["count"] > 0]
    width = (reliability["upper"] - reliability["lower"]).iloc[0]
    middle = (seen["lower"] + seen["upper"]) / 2
    gap = seen["confidence"] - seen["accuracy"]
    above.bar(middle, seen["accuracy"], width * 0.9, color=BLUE, alpha=0.85, label="right")
    for color, part, label in (
        (RED, gap.clip(lower=0), "too sure"),
        (GOLD, gap.clip(upper=0), "too modest"),
    ):
        above.bar(
            middle, part, width * 0.9, bottom=seen["accuracy"], color=color, alpha=0.5, label=label
        )
    above.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle=(0, (2, 3)))
    above.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")
    above.text(0.03, 0.94, f"ECE {ece:.3f}", transform=above.transAxes, weight="bold", va="top")
    sure = np.average(seen["confidence"], weights=seen["count"])
    right = np.average(seen["accuracy"], weights=seen["count"])
    above.text(
        0.03, 0.87, f"right {right:.1%}, sure {sure:.1%}\n{len(reliability)} bins",
        transform=above.transAxes, va="top", color=SOFT, linespacing=1.5,
    )  # fmt: skip
    above.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.02))
    below.bar(middle, seen["count"], width * 0.9, color=GREY)
    below.set(xlabel="probability of the named class", ylabel="pictures")
    return figure


@in_our_look
def comparison(table, *, title="Accuracy, 95 % interval", xlabel="accuracy", baseline=None):
    """Bars with intervals, in the table's order.

    Args:
        table: columns name, accuracy, lo, hi; optionally `highlight` (bool).
        title: of the figure.
        xlabel: what the bars measure.
        baseline: (name, value) of a dashed line, such as a published result.
    """
    figure = new_figure(title, 7.8, 1.6 + 0.46 * len(table))
    axes = figure.add_subplot()
    marked = table["highlight"] if "highlight" in table else [False] * len(table)
    colors = [RED if mark else BLUE for mark in marked]
    places = np.arange(len(table))
    axes.barh(places, table["accuracy"], height=0.62, color=colors, alpha=0.9)
    spread = np.array([table["accuracy"] - table["lo"], table["hi"] - table["accuracy"]])
    axes.errorbar(
        table["accuracy"], places, xerr=np.nan_to_num(spread).clip(min=0), fmt="none", ecolor=INK,
        elinewidth=1.2, capsize=3,
    )  # fmt: skip
    ends = table["hi"].fillna(table["accuracy"])
    for place, end, value in zip(places, ends, table["accuracy"], strict=True):
        axes.text(end + 0.012, place, f"{value:.3f}", va="center", fontsize=8.5, bbox=PATCH)
    if baseline is not None:
        name, value = baseline
        axes.axvline(value, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(value, -0.55, f"{name} {value:.3f}", ha="center", va="bottom", color=SOFT,
                  fontsize=8, bbox=PATCH)  # fmt: skip
    axes.set_yticks(places, table["name"])
    axes.set(xlim=(0, max(1.0, ends.max() + 0.08)), xlabel=xlabel)
    axes.set_ylim(len(table) - 0.5, -0.6 if baseline is None else -1.0)
    only_grid(axes, "x")
    return figure


@in_our_look
def f1_bars(per_class, *, title=None):
    """F1 of each class, best first, and their mean as a dashed line.

    Args:
        per_class: dict of name -> f1 and support, as `evaluate.judge` gives it; a class
            without a picture has no bar.
        title: what is judged.
    """
    scores = {name: row["f1"] for name, row in per_class.items() if row["support"]}
    names = sorted(scores, key=lambda name: -scores[name])
    figure = new_figure(titled(title, "F1 of each class"), 7.8, 1.6 + 0.32 * len(names))
    axes = figure.add_subplot()
    places = np.arange(len(names))
    axes.barh(places, [scores[name] for name in names], height=0.7, color=BLUE, alpha=0.9)
    for place, name in zip(places, names, strict=True):
        axes.text(scores[name] + 0.012, place, f"{scores[name]:.3f}", va="center", fontsize=8)
    mean = np.mean(list(scores.values()))
    axes.axvline(mean, color=SOFT, linewidth=1, linestyle=(0, (4, 3)), label=f"mean {mean:.3f}")
    axes.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")
    labels = [f"{name} ({per_class[name]['support']})" for name in names]
    axes.set_yticks(places, labels)
    axes.set(xlim=(0, 1.08), ylim=(len(names) - 0.4, -0.6), xlabel="F1 (pictures in brackets)")
    only_grid(axes, "x")
    return figure
