"""The page "Paint it in that style": at once, or pixel by pixel while one looks on."""

import gradio as gr

from atelier.errors import AtelierError
from atelier.serve import components, feedback
from atelier.serve.files import saved
from atelier.serve.jobs import friendly
from atelier.serve.uploads import as_image, within

TITLE = "Paint it in that style"
BODIES = ("VGG19", "ResNet50")
COLORS = {"the style's": None, "mine, in lightness alone": "luminance", "mine": "transport"}
_STYLES = 3


def build(server):
    """Lay out the page; `server` is a `serve.server.Server`."""
    pictures, weights = _pictures(server)
    with gr.Row():
        strength = gr.Slider(0, 1, value=1, step=0.05, label="Strength")
        size = gr.Slider(
            128, server.settings.max_side, value=512, step=32, label="Longer side, pixels"
        )
        colors = gr.Radio(list(COLORS), value=next(iter(COLORS)), label="Colors")
    body, steps, missing = _patience()
    with gr.Row():
        fast = gr.Button("Paint at once", variant="primary", elem_id="style-fast")
        slow = gr.Button(
            "Paint pixel by pixel, in minutes",
            interactive=len(missing) < len(BODIES),
            elem_id="style-slow",
        )
        stop = gr.Button(
            "Stop, and keep it", variant="stop", interactive=False, elem_id="style-stop"
        )
    status = gr.Markdown(elem_classes="quiet", elem_id="style-status", container=False)
    with gr.Row():
        made = components.made("Painted", "The painted picture", height=420, elem_id="style-made")
        compared = gr.ImageSlider(
            label="Before and after", interactive=False, format="jpeg", elem_id="style-slider"
        )
    download = gr.DownloadButton("Download, full size", interactive=False, elem_id="style-save")
    request, rated = _rating(server)

    given = [*pictures, *weights, strength, size, colors]
    shown = [made, compared, download, status, request, rated]
    fast.click(
        _fast(server),
        given,
        shown,
        api_name="paint",
        api_description="Paint a picture in the style of one to three others, in one pass.",
        concurrency_id="paint",
        concurrency_limit=1,
    )
    running = slow.click(
        lambda: (gr.update(interactive=True), gr.update(interactive=False)),
        None,
        [stop, slow],
        queue=False,
        api_visibility="private",
    ).then(
        _slow(server),
        [*given, body, steps],
        shown,
        api_name="paint_slowly",
        api_description="Style transfer by optimisation; streams the picture as it forms.",
        concurrency_id="gatys",
        concurrency_limit=1,
    )
    running.then(
        lambda: (gr.update(interactive=False), gr.update(interactive=True)),
        None,
        [stop, slow],
        queue=False,
        api_visibility="private",
    )
    stop.click(
        _stop(server),
        None,
        None,
        queue=False,
        api_visibility="private",
    )


def _pictures(server):
    """Content and styles with their weights."""
    paintings, photos = server.examples
    with gr.Row():
        content = components.picture(
            server, "What to paint", "The picture to paint", height=320, elem_id="style-content"
        )
        first = components.picture(
            server, "In whose style", "The style picture", height=320, elem_id="style-style"
        )
    with gr.Row():
        for examples, target, label in (
            (photos, content, "Photographs"),
            (paintings, first, "Styles"),
        ):
            with gr.Column(min_width=260):
                gr.Examples(
                    [path for path, _ in examples],
                    target,
                    label=f"{label} ({server.examples_of})",
                    api_visibility="private",
                )
    with gr.Accordion("More styles, and their weights", open=False), gr.Row():
        numbers = range(2, _STYLES + 1)
        others = [
            components.picture(server, f"Style {n}", f"Style picture {n}", height=200)
            for n in numbers
        ]
        weights = [
            gr.Slider(0, 1, value=1 if n == 1 else 0.5, step=0.05, label=f"Weight of style {n}")
            for n in range(1, _STYLES + 1)
        ]
    return [content, first, *others], weights


def _patience():
    """Options of the optimisation; what cannot be chosen says why."""
    from atelier.serve.painting import preset_for

    missing = {}
    for body in BODIES:
        try:
            preset_for(body)
        except AtelierError as error:
            missing[body] = str(error)
    there = [body for body in BODIES if body not in missing]
    with gr.Accordion("Pixel by pixel: options", open=False, elem_id="style-options"), gr.Row():
        body = gr.Radio(there or list(BODIES), value=(there or BODIES)[0], label="Network")
        steps = gr.Slider(5, 400, value=60, step=5, label="Steps at each size")
    for name, why in missing.items():
        gr.Markdown(f"**{name}** cannot paint here. {why}", elem_classes="quiet")
    return body, steps, missing


def _stop(server):
    def stop(session: gr.Request):
        server.stop(session.session_hash)

    return stop


def _fast(server):
    def paint(content, style, style_2, style_3, weight, weight_2, weight_3, strength, size, colors):
        with server.jobs.job("stylize") as job:
            photo = server.read(content)
            styles = _styles(server, (style, style_2, style_3), (weight, weight_2, weight_3))
            job.facts["model"] = "fast"
            pixels = server.painting.fast(
                photo, styles, size=_side(server, size), strength=strength, keep=COLORS.get(colors)
            )
            job.facts |= server.painting.distances(photo, styles, pixels)
            return _shown(photo, pixels, job, "Painted in one pass.")

    return paint


def _slow(server):
    def paint_slowly(
        content,
        style,
        style_2,
        style_3,
        weight,
        weight_2,
        weight_3,
        strength,
        size,
        colors,
        body,
        steps,
        session: gr.Request,
        progress=gr.Progress(),
    ):
        from atelier.serve.painting import preset_for

        with server.jobs.job("stylize") as job:
            photo = server.read(content)
            styles = _styles(server, (style, style_2, style_3), (weight, weight_2, weight_3))
            config = preset_for(body)
            config = config.replace(
                size=_side(server, size),
                steps=int(steps),
                style_weight=config.style_weight * max(strength, 0.01),
                keep_colors=COLORS.get(colors),
            )
            job.facts["model"] = f"gatys {config.backbone}"
            event, last = server.stop_event(session.session_hash), None
            for step in server.painting.gatys(photo, styles, config, event):
                progress((step.step, step.steps), desc="Painting")
                said = f"Step {step.step} of {step.steps}."
                yield gr.update(value=as_image(step.picture)), None, None, said, None, None
                last = step
            job.facts |= server.painting.distances(photo, styles, last.picture)
            said = f"{last.step} of {last.steps} steps" + (", stopped." if last.problem else ".")
            yield _shown(photo, last.picture, job, said)

    return paint_slowly


def _styles(server, paths, weights):
    """List of (picture, weight) of the styles that were given."""
    if not paths[0]:
        raise AtelierError("a style picture", "none", "Choose one first.")
    side = server.settings.max_side
    return [(within(server.read(p), side), w) for p, w in zip(paths, weights, strict=True) if p]


def _side(server, size):
    return int(min(max(size, 64), server.settings.max_side))


def _shown(photo, pixels, job, said):
    """Values of the page's outputs for a picture that is done."""
    image = as_image(pixels)
    before = as_image(within(photo, max(image.size))).resize(image.size)
    file = saved(pixels, "painted")
    return (
        image,
        (before, image),
        gr.update(value=file, interactive=True),
        said,
        job.id,
        gr.update(interactive=True, value=None),
    )


def _rating(server):
    request = gr.State(None)
    rating = gr.Radio(
        [1, 2, 3, 4, 5], label="How good is it?", interactive=False, elem_id="style-rating"
    )
    thanks = gr.Markdown(elem_classes="quiet", elem_id="style-thanks", container=False)

    def rate(identity, stars):
        feedback.give(server.store, identity, rating=int(stars))
        return "Thank you. It is noted."

    rating.input(friendly(rate), [request, rating], thanks, api_name="rate", concurrency_id="quick")
    return request, rating
