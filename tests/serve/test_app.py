"""The application over HTTP, as programs use it; a browser drives it in `test_browser`."""

import concurrent.futures
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

gradio_client = pytest.importorskip("gradio_client")
pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def client(served):
    return connected(served)


def connected(served, **options):
    """A `gradio_client` that waits for pictures of a machine that is busy."""
    return gradio_client.Client(served.url, verbose=False, httpx_kwargs={"timeout": 60}, **options)


@pytest.fixture
def photo(tmp_path):
    """A picture with a sky, a field and a house, 160 x 120."""
    pixels = np.zeros((120, 160, 3), "uint8")
    pixels[:60], pixels[60:], pixels[40:90, 60:100] = (120, 170, 230), (70, 130, 60), (200, 80, 60)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


def asked(client, path, model="atelier"):
    """What the first page says of a picture."""
    return client.predict(gradio_client.handle_file(path), model, api_name="/classify")


def test_a_python_client_asks_who_painted_a_picture(client, served, photo):
    said, label, by = asked(client, photo)[:3]

    names = json.loads((served.root / "models/atelier/classes.json").read_text())
    found = {entry["label"]: entry["confidence"] for entry in label["confidences"]}
    assert len(found) == 5
    assert set(found) <= set(names)
    assert 5 / len(names) < sum(found.values()) <= 1 + 1e-6
    assert label["label"] == max(found, key=found.get)
    assert label["label"] in said
    assert by.startswith("Answered by atelier")


def test_the_example_of_the_readme_runs(served, photo, monkeypatch):
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", readme, re.S) if "gradio_client" in b]
    shutil.copy(photo, photo.with_name("painting.jpg"))
    monkeypatch.chdir(photo.parent)
    known = {}

    exec(block.replace("http://127.0.0.1:7860", served.url), known)

    assert known["probabilities"]["label"] in known["said"]


def test_the_server_answers_as_the_command_line_does(client, served, photo):
    from atelier.classify.predict import classify

    theirs = classify(served.root / "models/atelier", [photo], top=1).iloc[0]

    label = asked(client, photo)[1]
    assert label["label"] == theirs["class_name"]
    assert label["confidences"][0]["confidence"] == pytest.approx(theirs["probability"], abs=2e-3)


def test_what_the_network_sees_comes_as_a_picture_of_the_same_proportions(client, photo):
    file, said = client.predict(
        gradio_client.handle_file(photo), "atelier", 4, 0.6, api_name="/explain"
    )[:2]

    with Image.open(file["path"] if isinstance(file, dict) else file) as shown:
        assert shown.size == (160, 120)
    assert "at layer" in said


def test_a_photo_is_painted_in_one_pass_and_can_be_downloaded(client, photo, tmp_path):
    style = tmp_path / "style.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 96, 3), "uint8")).save(style)
    content, other = (gradio_client.handle_file(path) for path in (photo, style))

    made, _, download, said = client.predict(
        content, other, None, None, 1, 0.5, 0.5, 1.0, 128, "the style's", api_name="/paint"
    )[:4]

    path = download["value"] if isinstance(download, dict) else download
    path = path["path"] if isinstance(path, dict) else path
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (128, 96))
        assert np.asarray(image).std() > 5
    assert said == "Painted in one pass."
    assert made


def slow_job(client, photo, steps):
    """Start painting pixel by pixel; a `gradio_client` job."""
    picture = gradio_client.handle_file(photo)
    given = (picture, picture, None, None, 1, 0.5, 0.5, 1.0, 128, "the style's", "VGG19", steps)
    return client.submit(*given, api_name="/paint_slowly")


def test_a_picture_forms_pixel_by_pixel(client, photo):
    job = slow_job(client, photo, steps=6)

    job.result(timeout=120)

    said = [outputs[3] for outputs in job.outputs()]
    assert said[0].startswith("Step 5 of")
    assert said[-1].endswith("steps.")


def test_a_long_job_does_not_hold_up_answers_and_ends_when_its_client_leaves(served, photo):
    leaving, other = (connected(served) for _ in range(2))
    asked(other, photo)
    job = slow_job(leaving, photo, steps=400)
    wait_for(lambda: job.outputs())

    began = time.monotonic()
    asked(other, photo)

    assert not job.done()
    assert time.monotonic() - began < 60
    before = served.log().count('"outcome": "stopped"')
    job.cancel()
    leaving.close()
    wait_for(lambda: served.log().count('"outcome": "stopped"') > before)


def wait_for(condition, seconds=60):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_what_cannot_be_done_is_said_and_the_next_request_is_answered(client, photo, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"<!doctype html>")

    with pytest.raises(gradio_client.exceptions.AppError, match="a web page, not a picture"):
        asked(client, broken)
    with pytest.raises(gradio_client.exceptions.AppError, match="picture"):
        client.predict(None, "atelier", api_name="/classify")
    assert asked(client, photo)[1]["label"]


def test_many_clients_at_once_are_all_answered(served, photo):
    def ask(_):
        return asked(connected(served), photo)[1]["label"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        labels = list(pool.map(ask, range(16)))

    assert len(set(labels)) == 1


def test_requests_are_noted_without_their_pictures(client, served, photo):
    asked(client, photo)

    with sqlite3.connect(served.root / "data/served/served.db") as notes:
        kind, model, predicted = notes.execute(
            "SELECT kind, model, predicted FROM requests WHERE predicted IS NOT NULL "
            "ORDER BY time DESC"
        ).fetchone()
    assert (kind, model) == ("classify", "atelier")
    assert predicted
    assert not list(served.root.glob("data/served/pictures/*"))


def test_health_and_counts_tell_of_it(client, served, photo):
    asked(client, photo)

    health = json.loads(served.get("/healthz"))
    assert (health["status"], health["loaded"] >= 1) == ("ok", True)
    assert 'atelier_requests_total{kind="classify",model="atelier"' in served.get("/metrics")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../../../etc/passwd",
        "{root}/models/atelier/classes.json",
        "{root}/data/served/served.db",
        "/proc/self/environ",
        "C:/Windows/win.ini",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
    ],
)
def test_no_file_outside_its_folder_is_given_out(served, path):
    where = urllib.request.quote(path.format(root=served.root))
    with pytest.raises(urllib.error.HTTPError) as refused:
        served.get(f"/gradio_api/file={where}")
    assert refused.value.code in (403, 404)


def test_a_path_of_the_server_is_no_upload(served, photo):
    stolen = {
        "path": str(served.root / "models/atelier/classes.json"),
        "meta": {"_type": "gradio.FileData"},
    }
    body = json.dumps({"data": [stolen, "atelier"]}).encode()
    request = urllib.request.Request(
        f"{served.url}/gradio_api/call/classify", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        event = json.load(answer)["event_id"]

    told = served.get(f"/gradio_api/call/classify/{event}")

    assert "event: error" in told
    assert "Albrecht" not in told


def test_a_login_keeps_others_out_but_not_health(serve_in, tmp_path):
    with serve_in(tmp_path / "kept", "--user", "ada", ATELIER_APP_PASSWORD="secret") as kept:
        assert json.loads(kept.get("/healthz"))["status"] == "ok"
        with pytest.raises(urllib.error.HTTPError) as refused:
            kept.get("/gradio_api/info")
        assert refused.value.code == 401
        assert connected(kept, auth=("ada", "secret"))
        assert list(kept.root.glob("atelier-app-*"))
    assert not list(kept.root.glob("atelier-app-*"))  # uploads went with the server


def test_a_notebook_cell_starts_it_beside_what_else_runs(tmp_path):
    cell = """
import urllib.request
from atelier.serve.app import launch
blocks = launch()
print(urllib.request.urlopen(blocks.local_url + "healthz").read().decode())
blocks.close(verbose=False)
"""
    ran = subprocess.run(
        [sys.executable, "-c", cell],
        env=os.environ | {"ATELIER_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert '"status":"ok"' in ran.stdout, ran.stderr[-2000:]
