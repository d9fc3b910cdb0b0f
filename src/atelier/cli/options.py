"""Options that several commands share, and the backend they run on."""

import contextlib
import importlib.util
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Collection = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="A collection: its folder, or its name in data/ (ATELIER_DATA).",
    ),
]


def locate(data):
    """The collection's folder; says which it is where none was named."""
    from atelier.data import sources

    folder = Path(sources.locate(data))
    if data is None:
        typer.echo(f"Collection: {folder}", err=True)
    return folder


def read_collection(data):
    """`locate`, and the collection's manifest built with a bar where it is not there yet."""
    from atelier.cli.output import progress_bar
    from atelier.data.manifest import load_manifest

    folder = locate(data)
    with progress_bar("Reading the collection") as progress:
        load_manifest(folder, progress=progress)
    return folder


def start_keras():
    """Import Keras without TensorFlow's start-up messages, which it writes whatever one asks.

    Where TensorFlow is not installed and no backend was asked for, Keras runs on JAX.
    """
    if "KERAS_BACKEND" not in os.environ and not importlib.util.find_spec("tensorflow"):
        os.environ["KERAS_BACKEND"] = "jax"
        typer.echo("TensorFlow is not installed: Keras runs on JAX.", err=True)
    with _held_stderr():
        importlib.import_module("keras")


@contextlib.contextmanager
def _held_stderr():
    """Hold what is written to file descriptor 2; say it if the block fails, or with --debug."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
            said = logging.getLogger("atelier").isEnabledFor(logging.DEBUG)
        except BaseException:
            said = True
            raise
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            os.close(real)
            if said:
                held.seek(0)
                os.write(2, held.read())
