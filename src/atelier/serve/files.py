"""Files that a visitor downloads: in the server's own temporary folder, for a while."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from gradio.utils import get_upload_folder

from atelier.data.writing import write_picture
from atelier.serve.telemetry import new_id


def saved(pixels, name):
    """Write a picture for download; returns the path of a PNG.

    Args:
        pixels: (height, width, 3) in [0, 255].
        name: what the download is called, without ending.
    """
    path = Path(get_upload_folder()) / new_id() / f"{name}.png"
    write_picture(path, pixels, note={"made by": "atelier app"})
    return str(path)


@contextlib.contextmanager
def own_folder():
    """Let Gradio keep uploads and results in a new private folder, which goes at the end."""
    folder, before = tempfile.mkdtemp(prefix="atelier-app-"), os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = folder
    try:
        yield Path(folder)
    finally:
        if before is None:
            os.environ.pop("GRADIO_TEMP_DIR", None)
        else:
            os.environ["GRADIO_TEMP_DIR"] = before
        shutil.rmtree(folder, ignore_errors=True)
