"""The page "About the models": their cards, and what they cannot do."""

import gradio as gr

from atelier import models
from atelier.errors import AtelierError
from atelier.serve import catalog
from atelier.serve.jobs import friendly

TITLE = "About the models"
_WORDS = """
A model's answer is a guess from looks. It is no attribution, and says nothing of authenticity: ask a
museum. What a model was trained on, how well it does and where it fails is in its card.

Pictures that are sent here are kept for as long as the page needs them, in a temporary folder, and
then removed. One is stored only where its box is ticked.
"""


def build(server):
    """Lay out the page; `server` is a `serve.server.Server`."""
    gr.Markdown(_WORDS)
    names = models.names(None)
    serving = gr.Markdown(_serving(), elem_classes="quiet")
    chosen = gr.Dropdown(
        names, value=names[0] if names else None, label="Model", elem_id="about-model"
    )
    card = gr.Markdown(
        _card(names[0]) if names else "There is no model here.", elem_id="about-card"
    )
    chosen.change(
        friendly(lambda name: (_card(name), _serving())),
        chosen,
        [card, serving],
        api_name="card",
        api_description="A model's card, Markdown.",
        concurrency_id="quick",
        show_progress="hidden",
    )


def _card(name):
    try:
        return models.card(name)
    except (AtelierError, OSError):
        return f"{name} has no card."


def _serving():
    """Which versions answer at present."""
    lines = []
    for alias in (catalog.CHAMPION, catalog.CHALLENGER):
        version = catalog.version_of(alias)
        if version is not None:
            lines.append(f"- {alias.split('@')[1]}: version {version.name}")
    return "\n".join(lines) or "No version is registered; the folders in `models/` answer."
