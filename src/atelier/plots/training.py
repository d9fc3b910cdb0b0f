"""Figures of training: learning curves, and what a search has tried."""

import numpy as np
import pandas as pd

from atelier.errors import AtelierError
from atelier.plots.look import (
    BLUE,
    GREY,
    INK,
    MUTED,
    RED,
    SOFT,
    in_our_look,
    new_figure,
    note,
    only_grid,
    titled,
)


@in_our_look
def learning_curves(history, *, title=None):
    """Loss and accuracy by epoch: training dashed, validation whole, its best epoch marked.

    Args:
        history: table with epoch and any of loss, accuracy, val_loss, val_accuracy,
            learning_rate, phase; or a dict of such tables by run, which are overlaid.
        title: what was trained.

    Raises:
        AtelierError: if a history has no epochs.
    """
    runs = history if isinstance(history, dict) else {"": history}
    runs = {name: _with_epochs(name, table) for name, table in runs.items()}
    rates = any("learning_rate" in table for table in runs.values())
    panels = [("loss", "loss"), ("accuracy", "accuracy")]
    panels += [("learning_rate", "learning rate")] if rates else []
    figure = new_figure(titled(title, "Learning curves"), 4.5 * len(panels), 4.0)
    for axes, (key, label) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        for number, (name, table) in enumerate(runs.items()):
            color = BLUE if len(runs) == 1 else MUTED[number % len(MUTED)]
            _draw_run(axes, table, key, name, color, single=len(runs) == 1)
        dashed = " (dashed: training)" if len(runs) > 1 and key != "learning_rate" else ""
        axes.set(xlabel="epoch", title=label + dashed)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if key == "learning_rate":
            if any(table[key].gt(0).any() for table in runs.values() if key in table):
                axes.set_yscale("log")
        elif axes.get_legend_handles_labels()[0]:
            axes.legend(loc="best")
        else:
            note(axes, f"The history has no {label}.")
    return figure


def _with_epochs(name, table):
    table = pd.DataFrame(table)
    if table.empty:
        raise AtelierError(
            "a history of at least one epoch", f"none of {name or 'the run'}", "Train it first."
        )
    return table if "epoch" in table else table.assign(epoch=np.arange(1, len(table) + 1))


def _draw_run(axes, table, key, name, color, *, single):
    if key in table:
        label = "training" if single else None
        style = "-" if key == "learning_rate" else (0, (3, 1.6))
        axes.plot(table["epoch"], table[key], color=color, linestyle=style, linewidth=1.3,
                  alpha=0.8, label=label)  # fmt: skip
    if f"val_{key}" in table:
        values = table[f"val_{key}"]
        axes.plot(table["epoch"], values, color=RED if single else color,
                  label="validation" if single else name)  # fmt: skip
        best = values.idxmin() if key == "loss" else values.idxmax()
        axes.plot(table.loc[best, "epoch"], values[best], marker="o", markersize=6,
                  color=RED if single else color, markeredgecolor="white")  # fmt: skip
    if "phase" in table:
        starts = table["epoch"][table["phase"].ne(table["phase"].shift())].iloc[1:]
        for start in starts:
            axes.axvline(start - 0.5, color=GREY, linewidth=0.9, linestyle=(0, (2, 3)))


@in_our_look
def tuner_trials(trials, *, title=None, score="validation accuracy"):
    """What a search has tried: each trial's score, its executions, and where it lay.

    Args:
        trials: table of trial, units, learning_rate and either `score`, one row a
            trial or an execution, or one column `score_1`, `score_2`, ... an execution.
        title: what was searched.
        score: what is scored.

    Raises:
        AtelierError: if there is no trial with a score.
    """
    executions = _executions(trials)
    means = executions.groupby("trial", as_index=False).mean(numeric_only=True)
    means = means.sort_values("score", ignore_index=True)
    best = means.iloc[-1]
    figure = new_figure(
        titled(title, "What the search tried"), 9.6, max(3.4, 1.7 + 0.4 * len(means))
    )
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    place = {trial: row for row, trial in enumerate(means["trial"])}
    colors = [RED if trial == best["trial"] else BLUE for trial in means["trial"]]
    left.barh(means.index, means["score"], height=0.6, color=colors, alpha=0.9)
    left.scatter(executions["score"], executions["trial"].map(place), s=22, color="white",
                 edgecolors=INK, linewidths=1, zorder=3, label="one execution")  # fmt: skip
    left.set_yticks(means.index, [_trial_name(row) for row in means.itertuples()])
    furthest = executions.groupby("trial")["score"].max()
    for row in means.itertuples():
        left.text(
            furthest[row.trial] + 0.012, row.Index, f"{row.score:.3f}", va="center", fontsize=8.5
        )
    left.set(xlabel=f"{score}, mean and single executions", xlim=(0, furthest.max() * 1.15))
    only_grid(left, "x")
    _draw_space(right, means, best)
    return figure


def _executions(trials):
    """One row an execution with a score."""
    wide = [name for name in trials.columns if name.startswith("score_")]
    if wide:
        kept = [name for name in trials.columns if name not in (*wide, "score")]
        trials = trials.melt(id_vars=kept, value_vars=wide, value_name="score")
    executions = trials.dropna(subset="score")
    if executions.empty:
        raise AtelierError("a trial with a score", "none", "Let the search finish a trial.")
    return executions


def _trial_name(row):
    return f"{row.units:.0f} units, {row.learning_rate:g}"


def _draw_space(axes, means, best):
    """Where the trials lay in the space of hyperparameters; larger is better."""
    lowest, span = means["score"].min(), max(float(np.ptp(means["score"])), 1e-9)
    sizes = 40 + 260 * (means["score"] - lowest) / span
    axes.scatter(means["units"], means["learning_rate"], s=sizes, color=BLUE, alpha=0.75)
    axes.scatter(best["units"], best["learning_rate"], s=300, color=RED, label="best")
    axes.set_yscale("log")
    axes.set(xlabel="units of the hidden layer", ylabel="learning rate", title="where they lay")
    axes.margins(0.25)
    axes.tick_params(which="minor", length=0, labelleft=False)
    axes.text(0.98, 0.02, "larger: better", transform=axes.transAxes, ha="right", color=SOFT,
              fontsize=8)  # fmt: skip
