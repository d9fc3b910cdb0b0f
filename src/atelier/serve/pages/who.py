"""The page "Who painted this?": answer, what the network sees, similar paintings, feedback."""

import gradio as gr

from atelier import models
from atelier.data.choose import collection_at
from atelier.errors import AtelierError
from atelier.serve import catalog, components, feedback
from atelier.serve.jobs import friendly
from atelier.serve.uploads import as_image, within

TOP = 5  # classes that are shown
SHOWN = 640  # pixels of the longer side of what Grad-CAM is laid on
TITLE = "Who painted this?"


def build(server):
    """Lay out the page; `server` is a `serve.server.Server`."""
    here, absent = catalog.sorted_by_presence(catalog.CLASSIFIERS, models.CLASSIFIER)
    titles = [(offer.title, offer.name) for offer in here]
    asked, seen = gr.State(None), gr.State(None)
    with gr.Row():
        with gr.Column(scale=1, min_width=300):
            picture = components.picture(
                server, "A painting", "The painting asked about", height=380, elem_id="who-picture"
            )
            model = gr.Dropdown(
                titles, value=titles[0][1] if titles else None, label="Model", elem_id="who-model"
            )
            ask = gr.Button(
                "Who painted this?", variant="primary", interactive=bool(titles), elem_id="who-ask"
            )
            if absent:
                with gr.Accordion("Models that are not here", open=False):
                    gr.Markdown(catalog.absent_note(absent), elem_classes="quiet")
            _examples(server, picture)
        with gr.Column(scale=1, min_width=300):
            said = gr.Markdown(elem_classes="said", elem_id="who-said", container=False)
            label = gr.Label(num_top_classes=TOP, show_heading=False, label="Probabilities")
            note = gr.Markdown(elem_classes="quiet")
            judged = _feedback(server, asked, picture)
    shown = _what_it_sees(server, picture, model, seen)
    _similar(server, picture, model)

    ask.click(
        _classify(server),
        [picture, model],
        [said, label, note, asked],
        api_name="classify",
        api_description="Name the likeliest painters (or styles, or genres) of a picture.",
        concurrency_id="quick",
        concurrency_limit=2,
    ).success(lambda: [gr.update(visible=True), ""], None, judged, api_visibility="private")
    picture.change(
        lambda: ("", None, "", None, None, None, gr.update(visible=False)),
        None,
        [said, label, note, asked, seen, shown, judged[0]],
        queue=False,
        api_visibility="private",
        show_progress="hidden",
    )


def _classify(server):
    def classify(path, name):
        with server.jobs.job("classify") as job:
            picture = server.read(path)
            job.facts["model"] = name
            answer = server.classifying.answer(picture, name)
            job.facts |= {
                "model": answer.model,
                "version": answer.version,
                "arm": answer.arm,
                "predicted": answer.name,
                "confidence": answer.confidence,
                "outlying": answer.outlying,
                "embedding": answer.embedding,
            }
            by = f"Answered by {answer.version or answer.model}, request {job.id[:8]}."
            return answer.sentence(), answer.probabilities, by, job.id

    return classify


def _examples(server, picture):
    paintings = server.examples[0]
    if not paintings:
        return
    gr.Examples(
        [path for path, _ in paintings],
        picture,
        label=f"To begin with ({server.examples_of})",
        api_visibility="private",
    )


def _feedback(server, asked, picture):
    """Right or wrong, and who it was; returns the components that an answer resets."""
    with gr.Group(visible=False) as group:
        gr.Markdown("**Is this right?**", padding=True)
        with gr.Row():
            right = gr.Button("Yes", size="sm", elem_id="who-right")
            wrong = gr.Button("No", size="sm", elem_id="who-wrong")
        artist = gr.Textbox(
            label="Who painted it, if you know", max_length=80, elem_id="who-artist"
        )
        keep = gr.Checkbox(
            False,
            label="Keep my picture with this answer, to learn from (otherwise it is not stored)",
            elem_id="who-keep",
        )
        thanks = gr.Markdown(elem_id="who-thanks", elem_classes="quiet")

    def give(is_right):
        def told(request, name, kept, path):
            if not request:
                raise AtelierError("an answer to judge", "none", "Ask about a picture first.")
            shown = server.read(path) if kept and path else None
            feedback.give(
                server.store, request, right=is_right, artist=name.strip() or None, picture=shown
            )
            return "Thank you. It is noted" + (", with your picture." if kept else ".")

        return friendly(told)

    for button, is_right in ((right, True), (wrong, False)):
        button.click(
            give(is_right),
            [asked, artist, keep, picture],
            thanks,
            api_name="feedback_right" if is_right else "feedback_wrong",
            concurrency_id="quick",
        )
    return [group, thanks]


def _what_it_sees(server, picture, model, seen):
    """Grad-CAM with a layer slider and its opacity; returns the image."""
    with gr.Accordion("What the network sees", open=False, elem_id="who-sees"):
        gr.Markdown(
            "Warm colors mark what speaks for the class (Grad-CAM). Early layers show strokes, "
            "late ones whole parts.",
            elem_classes="quiet",
        )
        with gr.Row():
            with gr.Column(scale=1, min_width=260):
                layer = gr.Slider(1, 4, value=4, step=1, label="Layer, from early to late")
                opacity = gr.Slider(0, 1, value=0.6, step=0.05, label="Opacity")
                look = gr.Button("Look", elem_id="who-look")
                named = gr.Markdown(elem_classes="quiet")
            shown = components.made(
                "Where it looks",
                "The painting under the network's heatmap",
                height=380,
                elem_id="who-heat",
            )

    def explain(path, name, number, share):
        with server.jobs.job("explain") as job:
            small = within(server.read(path), SHOWN)
            job.facts["model"] = name
            explanation = server.classifying.explain(small, name)
            return (
                overlaid(explanation, number, share),
                explanation_note(explanation, number),
                explanation,
            )

    def overlaid(explanation, number, share):
        return as_image(server.classifying.overlay(explanation, _layer(explanation, number), share))

    def explanation_note(explanation, number):
        return f"{explanation.caption}, at layer `{_layer(explanation, number)}`."

    def again(explanation, number, share):
        if explanation is None:
            return None, ""
        return overlaid(explanation, number, share), explanation_note(explanation, number)

    look.click(
        explain,
        [picture, model, layer, opacity],
        [shown, named, seen],
        api_name="explain",
        api_description="Grad-CAM: where the network looks, as a picture.",
        concurrency_id="quick",
    )
    for slider in (layer, opacity):
        slider.release(
            again,
            [seen, layer, opacity],
            [shown, named],
            api_visibility="private",
            show_progress="hidden",
        )
    return shown


def _layer(explanation, number):
    """Name of the layer that a slider means."""
    names = list(explanation.heatmaps)
    return names[min(max(int(number), 1), len(names)) - 1]


def _similar(server, picture, model):
    with gr.Accordion("Similar paintings", open=False, elem_id="who-similar"):
        if server.collection is None:
            gr.Markdown(
                "There is no collection here to look in. Start the application with "
                "`atelier app --data DIR`, or fetch one: `atelier data fetch best-artworks-of-all-time`.",
                elem_classes="quiet",
            )
            return
        gr.Markdown(
            f"Of {collection_at(server.collection).title}. The first time, all its pictures are looked at, which takes "
            "minutes.",
            elem_classes="quiet",
        )
        find = gr.Button("Find", elem_id="who-find")
        gallery = gr.Gallery(
            label="Similar paintings, with painter and similarity",
            columns=4,
            height="auto",
            object_fit="contain",
            format="jpeg",
            elem_id="who-gallery",
        )

    def similar(path, name, progress=gr.Progress()):
        def told(stage, done, total):
            progress((done, total), desc=stage)

        with server.jobs.job("similar") as job:
            server.read(path)
            job.facts["model"] = name
            found = server.classifying.similar(path, name, progress=told)
            return [(as_image(pixels), caption) for pixels, caption in found]

    find.click(
        similar,
        [picture, model],
        gallery,
        api_name="similar",
        api_description="Paintings of the server's collection that are like a picture.",
        concurrency_id="long",
        concurrency_limit=1,
    )
