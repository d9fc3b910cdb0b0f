import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from atelier.serve import telemetry, web

pytestmark = pytest.mark.once


@pytest.fixture
def client():
    def hello(_):
        return PlainTextResponse(telemetry.request_id.get())

    counts = telemetry.Counts()
    counts.count("classify", "atelier", None, "done", 0.1)
    app = Starlette(
        routes=[
            *web.routes(counts, lambda: {"loaded": 0}),
            Route("/hello", hello),
            Route("/gradio_api/file={path:path}", hello),
            Route("/gradio_api/upload", hello, methods=["POST"]),
        ],
        middleware=[Middleware(web.Around, max_bytes=2_000_000)],
    )
    return TestClient(app)


def test_every_answer_has_an_id_of_its_own_or_the_one_that_was_given(client):
    first, second = client.get("/hello"), client.get("/hello")

    assert first.headers["x-request-id"] == first.text != second.text
    assert client.get("/hello", headers={"X-Request-ID": "mine-1"}).text == "mine-1"
    assert client.get("/hello", headers={"X-Request-ID": "a b\t<c>"}).text != "a b\t<c>"


def test_every_answer_keeps_browsers_from_other_hosts(client):
    policy = client.get("/hello").headers["content-security-policy"]

    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_addresses_are_not_fetched_for_a_visitor(client):
    for address in ("https://example.org/a.png", "http%3A%2F%2Fexample.org", "FTP://example.org"):
        assert client.get(f"/gradio_api/file={address}").status_code == 403
    assert client.get("/gradio_api/file=upload/a.png").status_code == 200


def test_a_body_past_the_limit_is_refused_before_it_is_read(client):
    assert client.post("/gradio_api/upload", content=bytes(2_500_000)).status_code == 200
    refused = client.post("/gradio_api/upload", content=bytes(3_100_000))
    assert (refused.status_code, refused.text) == (413, "At most 2 MB can be sent.")


def test_health_and_metrics_answer(client):
    assert client.get("/healthz").json() | {"version": ""} == {
        "status": "ok",
        "version": "",
        "loaded": 0,
    }
    assert 'atelier_requests_total{kind="classify"' in client.get("/metrics").text
