"""The page "Photo to Monet": photographs in, paintings out, and back."""

import gradio as gr

from atelier import models
from atelier.errors import AtelierError
from atelier.serve import catalog
from atelier.serve.components import Pictures
from atelier.serve.files import saved
from atelier.serve.uploads import as_image, within

TITLE = "Photo to Monet"
_THERE, _BACK = "Photo to painting", "Painting to photo"
_SIDE = 512  # pixels of the longer side at which strokes can be seen


def build(server):
    """Lay out the page; `server` is a `serve.server.Server`."""
    here, absent = catalog.sorted_by_presence(catalog.TRANSLATORS, models.TRANSLATOR)
    titles = [(offer.title, offer.name) for offer in here]
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            photos = Pictures(
                type="filepath",
                file_types=["image"],
                label=f"Photographs, at most {server.settings.max_photos}",
                columns=3,
                height=320,
                interactive=True,
                elem_id="monet-photos",
            )
            _examples(server, photos)
            model = gr.Dropdown(titles, value=titles[0][1] if titles else None, label="Model")
            way = gr.Radio([_THERE, _BACK], value=_THERE, label="Way")
            strength = gr.Slider(0, 1, value=1, step=0.05, label="Strength")
            size = gr.Slider(
                128,
                server.settings.max_side,
                value=min(_SIDE, server.settings.max_side),
                step=16,
                label="Longer side, pixels",
                info="Strokes keep their size: the larger the picture, the finer they look.",
            )
            paint = gr.Button(
                "Paint", variant="primary", interactive=bool(titles), elem_id="monet-paint"
            )
            if absent:
                gr.Markdown(catalog.absent_note(absent), elem_classes="quiet")
        with gr.Column(scale=1, min_width=300):
            made = gr.Gallery(
                label="Painted", columns=2, height=320, format="jpeg", elem_id="monet-made"
            )
            compared = gr.ImageSlider(
                label="Before and after", interactive=False, format="jpeg", elem_id="monet-slider"
            )
            said = gr.Markdown(elem_classes="quiet", elem_id="monet-said")
            files = gr.File(label="Download, full size", file_count="multiple", interactive=False)
    pairs = gr.State([])
    paint.click(
        _translate(server),
        [photos, model, way, strength, size],
        [made, compared, said, files, pairs],
        api_name="translate",
        api_description="Photographs as Monet might have painted them, or paintings as photographs.",
        concurrency_id="paint",
    )
    made.select(_chosen, pairs, [compared, said], api_visibility="private", show_progress="hidden")


def _examples(server, photos):
    found = server.examples[1]
    if found:
        gr.Examples(
            [[[path]] for path, _ in found],
            photos,
            label=f"To begin with ({server.examples_of})",
            api_visibility="private",
        )


def _translate(server):
    def translate(paths, name, way, strength, size=_SIDE):
        with server.jobs.job("translate") as job:
            if not paths:
                raise AtelierError("photographs", "none", "Choose one first.")
            side = min(int(size), server.settings.max_side)
            pictures = [within(server.read(path), side) for path in paths]
            job.facts["model"] = name
            done = server.translating(pictures, name, reverse=way == _BACK, strength=strength)
            images = [as_image(one.pixels) for one in done]
            pairs = [
                ((as_image(picture), image), one.sentence())
                for picture, image, one in zip(pictures, images, done, strict=True)
            ]
            files = [saved(one.pixels, f"painted-{n}") for n, one in enumerate(done, start=1)]
            return images, pairs[0][0], pairs[0][1], files, pairs

    return translate


def _chosen(pairs, event: gr.SelectData):
    """The pair that was picked in the gallery."""
    return pairs[event.index] if event.index < len(pairs) else (None, "")
