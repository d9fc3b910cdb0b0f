"""Gradio's pictures, read by our own rules: nothing is decoded before its limits are checked."""

import gradio as gr

_SOURCES = ["upload", "clipboard", "webcam"]


class Picture(gr.Image):
    """An image whose function is given the upload's path, whatever it holds."""

    is_template = True  # the browser shows Gradio's own image

    def preprocess(self, payload):
        """The path of the upload, inside the server's own folder."""
        return None if payload is None else payload.path


class Pictures(gr.Gallery):
    """A gallery whose function is given the uploads' paths."""

    is_template = True

    def preprocess(self, payload):
        """List of paths of the uploads; one that is no picture has one, too."""
        entries = [] if payload is None else payload.root
        files = [
            getattr(entry, "image", None) or getattr(entry, "video", None) for entry in entries
        ]
        return [file.path for file in files if file is not None and file.path]


def picture(label, description, **options):
    """A `Picture` for uploads, from the clipboard and from the camera, too.

    Args:
        label: above it.
        description: for screen readers.
        options: of `gradio.Image`.
    """
    return Picture(
        label=label,
        alt_text=description,
        sources=_SOURCES,
        type="filepath",
        format="png",
        **options,
    )


def made(label, description, **options):
    """An image that is shown, and not asked for; arguments as of `picture`."""
    return gr.Image(
        label=label,
        alt_text=description,
        interactive=False,
        format="jpeg",
        buttons=["fullscreen"],
        **options,
    )
