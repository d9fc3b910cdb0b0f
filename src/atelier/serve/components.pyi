"""Gradio's pictures, read by our own rules: nothing is decoded before its limits are checked."""

import gradio as gr

SOURCES = ("upload", "clipboard", "webcam")

class Picture(gr.Image):
    """An image whose function is given the upload's path, whatever it holds."""

    is_template = True  # the browser shows Gradio's own image

    def preprocess(self, payload):
        """The path of the upload, inside the server's own folder."""
        return None if payload is None else payload.path
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

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
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
