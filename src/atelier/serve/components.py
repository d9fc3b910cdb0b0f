"""Gradio's pictures, read by our own rules: nothing is decoded before its limits are checked."""

from pathlib import Path

import gradio as gr

from atelier.serve.files import saved
from atelier.serve.jobs import friendly

_SOURCES = ["upload", "clipboard", "webcam"]
_SHOWN = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp")  # what every browser shows


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


def picture(server, label, description, **options):
    """A `Picture` for uploads, from the clipboard and from the camera, too.

    What a browser cannot show, such as HEIC and TIFF, is shown as a PNG.

    Args:
        server: a `serve.server.Server`.
        label: above it.
        description: for screen readers.
        options: of `gradio.Image`.
    """
    upload = Picture(
        label=label,
        alt_text=description,
        sources=_SOURCES,
        type="filepath",
        format="png",
        **options,
    )

    def show(path):
        if path is None or Path(path).suffix.lower() in _SHOWN:
            return gr.skip()
        return saved(server.read(path), "upload")

    upload.upload(friendly(show), upload, upload, queue=False, api_visibility="private")
    return upload


def made(label, description, **options):
    """An image that is shown, and not asked for; arguments as of `picture`, but the server."""
    return gr.Image(
        label=label,
        alt_text=description,
        interactive=False,
        format="jpeg",
        buttons=["fullscreen"],
        **options,
    )
