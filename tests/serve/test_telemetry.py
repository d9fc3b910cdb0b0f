import io
import json
import logging

import pytest

from atelier.serve import telemetry

pytestmark = pytest.mark.once


@pytest.fixture
def logged():
    """What Atelier logs as JSON while a test runs, and the logger as it was afterwards."""
    logger, stream = logging.getLogger("atelier"), io.StringIO()
    before = logger.handlers, logger.propagate, logger.level
    telemetry.log_json(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])


def test_a_log_line_is_json_and_bears_the_request(logged):
    with telemetry.known_as("abc"):
        logging.getLogger("atelier.serve.x").info("job", extra={"kind": "classify", "seconds": 0.5})
    logging.getLogger("atelier.serve.x").info("later")

    first, second = logged()
    assert first["request"] == "abc"
    assert (first["message"], first["kind"], first["seconds"]) == ("job", "classify", 0.5)
    assert first["level"] == "info"
    assert "request" not in second


def test_a_traceback_stays_in_its_line(logged):
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("atelier.serve").exception("a job failed")

    (line,) = logged()
    assert "ValueError: broken" in line["traceback"]


def test_counts_tell_requests_seconds_and_the_queue():
    waiting = [3]
    counts = telemetry.Counts(lambda: waiting[0])
    counts.count("classify", "atelier", "artist/2", "done", 0.2)
    counts.count("classify", "atelier", "artist/2", "done", 0.7)
    counts.count("classify", "atelier", None, "refused", 0.01)

    def value(name, **labels):
        return counts.registry.get_sample_value(name, labels or None)

    of = {"kind": "classify", "model": "atelier", "version": "artist/2"}
    assert value("atelier_requests_total", **of, outcome="done") == 2
    assert value("atelier_requests_total", **(of | {"version": "none"}), outcome="refused") == 1
    assert value("atelier_request_seconds_sum", **of) == pytest.approx(0.9)
    assert value("atelier_request_seconds_bucket", **of, le="0.25") == 1
    assert value("atelier_queue_length") == 3
