"""What lies around Gradio: ids, limits, health and counts.

Nothing that a page needs comes from another host, and the policy that each answer bears keeps a
browser from asking one. Gradio would fetch addresses for a visitor, through `file=http...`: that is
refused.
"""

import logging
import re
import time
from urllib.parse import unquote

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from atelier import __version__
from atelier.serve import telemetry

log = logging.getLogger(__name__)

_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
    "img-src 'self' data: blob:; connect-src 'self' data: blob:; object-src 'none'; base-uri 'self'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_GIVEN_ID = re.compile(r"[\w-]{1,64}")
_PROXY = re.compile(r"file=\s*\w+:/", re.IGNORECASE)
_ENOUGH = 1_000_000  # bytes of a request that is no upload


class Around:
    """ASGI middleware: every answer has an id and the policy; every request leaves a log line.

    Args:
        app: what answers.
        max_bytes: of an upload; a longer one is refused before it is read.
    """

    def __init__(self, app, max_bytes):
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope, receive, send):
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        identity = given if _GIVEN_ID.fullmatch(given) else telemetry.new_id()
        with telemetry.known_as(identity):
            await self._answer(scope, receive, send, identity)

    async def _answer(self, scope, receive, send, identity):
        began, status = time.perf_counter(), 500

        async def with_headers(message):
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [(b"x-request-id", identity.encode())]
                headers += [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
                message["headers"] = [*message.get("headers", []), *headers]
            await send(message)

        refused = self._refused(scope)
        try:
            await (refused or self.app)(scope, receive, with_headers)
        finally:
            log.debug(
                "answered",
                extra={
                    "method": scope["method"],
                    "path": scope["path"],
                    "status": status,
                    "seconds": round(time.perf_counter() - began, 4),
                },
            )

    def _refused(self, scope):
        """An answer that refuses, or None."""
        if _PROXY.search(unquote(scope["path"])):
            return PlainTextResponse("Addresses are not fetched here.", status_code=403)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        most = self.max_bytes if scope["path"].endswith("/upload") else _ENOUGH
        if length.isdigit() and int(length) > most + _ENOUGH:
            said = f"At most {self.max_bytes // 10**6} MB can be sent."
            return PlainTextResponse(said, status_code=413)
        return None


def routes(counts, healthy=lambda: {}):
    """`/healthz` and `/metrics`, which no password keeps, since monitors have none.

    Args:
        counts: a `telemetry.Counts`.
        healthy: function without arguments, facts that health tells.
    """

    def health(_):
        return JSONResponse({"status": "ok", "version": __version__, **healthy()})

    def metrics(_):
        return Response(generate_latest(counts.registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", health), Route("/metrics", metrics)]
