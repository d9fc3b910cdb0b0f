"""What the server says of itself: one JSON line an event, and counts that Prometheus reads.

Every request has an id, which its answer bears as `X-Request-ID` and its log lines as `request`.
"""

import contextlib
import contextvars
import json
import logging
import time
import uuid

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

log = logging.getLogger(__name__)
request_id = contextvars.ContextVar("request_id", default=None)

_STANDARD = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)  # seconds


class JsonLines(logging.Formatter):
    """A log record as one line of JSON: time, level, logger, message, request, and what was added."""

    def format(self, record):
        """The line."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request": request_id.get(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({k: v for k, v in line.items() if v is not None}, default=str)


def log_json(stream=None, level=logging.INFO):
    """Let Atelier's log go to a stream (stderr) as lines of JSON, and nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("atelier")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(level)


def new_id():
    """An id for a request, 32 hex digits."""
    return uuid.uuid4().hex


class Counts:
    """Counts of one server, in a registry of their own.

    Args:
        waiting: function without arguments, how many jobs wait.
    """

    def __init__(self, waiting=lambda: 0):
        self.registry = CollectorRegistry()
        labels = ("kind", "model", "version")
        self.requests = Counter(
            "atelier_requests", "Answered requests.", (*labels, "outcome"), registry=self.registry
        )
        self.seconds = Histogram(
            "atelier_request_seconds",
            "From a job's start to its end.",
            labels,
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self.loaded = Gauge("atelier_models_loaded", "Models in memory.", registry=self.registry)
        self.bytes = Gauge(
            "atelier_models_bytes", "Bytes of models in memory.", registry=self.registry
        )
        queue = Gauge("atelier_queue_length", "Jobs that wait.", registry=self.registry)
        queue.set_function(waiting)

    def watch(self, shelf):
        """Tell how much a `shelf.Shelf` holds."""
        self.loaded.set_function(lambda: len(shelf))
        self.bytes.set_function(shelf.taken)

    def count(self, kind, model, version, outcome, seconds):
        """Count a request; `outcome` is done, refused, stopped or failed."""
        labels = (kind, model or "none", version or "none")
        self.requests.labels(*labels, outcome).inc()
        self.seconds.labels(*labels).observe(seconds)


@contextlib.contextmanager
def known_as(identity):
    """Let log lines inside the block bear a request's id."""
    token = request_id.set(identity)
    try:
        yield identity
    finally:
        with contextlib.suppress(ValueError):  # Gradio may end a generator in another context
            request_id.reset(token)
