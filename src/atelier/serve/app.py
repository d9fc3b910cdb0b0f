"""The web application: three pages for three questions, and one about the models.

`atelier app` serves it from the command line, `launch(share=True)` from a cell on Colab or Kaggle.
"""

import atexit
import contextlib
import logging
import os
import threading

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when Gradio is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from starlette.middleware import Middleware

from atelier import __version__
from atelier.serve import catalog, web
from atelier.serve.files import own_folder
from atelier.serve.look import CSS, NAMES, theme
from atelier.serve.pages import about, monet, style, who
from atelier.serve.server import Server
from atelier.serve.settings import Settings

log = logging.getLogger(__name__)

_HEAD = f"""
# Atelier
Who painted this, in which style? And how would this photo look had they painted it? (version {__version__})
"""


def build(server):
    """The page of all tabs, a `gradio.Blocks`; no model is loaded for it.

    Args:
        server: a `serve.server.Server`.
    """
    kept = server.settings.kept_seconds
    with gr.Blocks(
        title="Atelier", analytics_enabled=False, delete_cache=(kept // 4 or 1, kept)
    ) as blocks:
        gr.Markdown(_HEAD, elem_id="head")
        with gr.Tabs():
            for page in (who, style, monet, about):
                with gr.Tab(page.TITLE, id=page.__name__.rpartition(".")[2]):
                    page.build(server)
        blocks.unload(_leave(server))
    blocks.queue(max_size=server.settings.queue, default_concurrency_limit=1)
    server.blocks = blocks
    return blocks


def _leave(server):
    def leave(session: gr.Request):
        server.forget(session.session_hash)

    return leave


@contextlib.contextmanager
def serving(settings=None):
    """Serve while the block runs; gives the running `gradio.Blocks`.

    Args:
        settings: a `Settings`.

    Raises:
        AtelierError: if the settings are refused.
    """
    with own_folder():
        server = Server(settings)
        settings, blocks = server.settings, build(server)
        blocks.launch(
            server_name=settings.host,
            server_port=settings.port,
            share=settings.share,
            auth=settings.auth,
            max_file_size=settings.max_bytes,
            state_session_capacity=settings.sessions,
            allowed_paths=[],
            prevent_thread_lock=True,
            quiet=True,
            show_error=False,
            ssr_mode=False,
            inbrowser=False,
            footer_links=["api"],
            theme=theme(),
            css=CSS,
            js=NAMES,
            app_kwargs={
                "routes": web.routes(server.counts, lambda: _health(server)),
                "middleware": [Middleware(web.Around, max_bytes=settings.max_bytes)],
                "docs_url": None,
                "redoc_url": None,
            },
        )
        threading.Thread(target=catalog.version_of, args=(catalog.CHAMPION,), daemon=True).start()
        try:
            yield blocks
        finally:
            blocks.close(verbose=False)


def _health(server):
    return {"loaded": len(server.shelf), "noted": server.store.count()}


def launch(**settings):
    """Serve from a notebook cell, beside what else runs there; returns the `gradio.Blocks`.

    Args:
        settings: fields of `Settings`, such as `share=True`, which Colab needs.
    """
    running = contextlib.ExitStack()
    blocks = running.enter_context(serving(Settings(**settings)))
    atexit.register(running.close)
    return blocks
