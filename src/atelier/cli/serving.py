"""`atelier app`: the web application."""

import os
from typing import Annotated

import typer

from atelier.cli.options import AsJson, Collection

PASSWORD = "ATELIER_APP_PASSWORD"


def app(
    data: Collection = None,
    host: Annotated[str, typer.Option(help="The address to serve at.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Default: the first free one from 7860 on.")
    ] = None,
    share: Annotated[
        bool, typer.Option("--share", help="A public link for a few days, through Gradio.")
    ] = False,
    user: Annotated[
        str | None, typer.Option(help=f"Ask for this user name and the password in {PASSWORD}.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Serve other machines without a password.")
    ] = False,
    challenger_share: Annotated[
        float, typer.Option(min=0, max=1, help="Of classifications that the challenger answers.")
    ] = 0.2,
    as_json: AsJson = False,
):
    """Serve the web application on this machine; stop it with Ctrl+C."""
    import signal
    import sys
    import threading

    from atelier.cli.output import show, show_json
    from atelier.serve.settings import Settings

    settings = Settings(
        host=host,
        port=port,
        share=share,
        user=user,
        password=os.environ.get(PASSWORD) or None,
        force=force,
        data=data,
        challenger_share=challenger_share,
    )
    if user is None:
        settings = settings.replace(password=None)
    settings.check()  # said before anything is loaded
    from atelier.serve.app import serving
    from atelier.serve.telemetry import log_json

    log_json()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # as Ctrl+C: temporary files go
    with serving(settings) as blocks:
        url = blocks.share_url or blocks.local_url
        show_json({"url": url}) if as_json else show(f"Atelier is at {url}")
        threading.Event().wait()
