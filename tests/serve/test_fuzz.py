"""Hundreds of broken uploads: each is refused in a sentence, and the server goes on."""

import io
import json
import random
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.once

COUNT = 320
KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")
NAMES = (
    "a.jpg",
    "../../x.png",
    "con.tif",
    "\u202egpj.exe",
    "a" * 240 + ".png",
    ".htaccess",
    "a\tb",
)


def whole(kind, rng):
    """Bytes of a sound picture."""
    pixels = np.frombuffer(rng.randbytes(64 * 48 * 3), "uint8").reshape(48, 64, 3)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def broken(number):
    """Bytes that are no sound picture: cut, overwritten, foreign, disguised or nothing."""
    rng = random.Random(number)
    data = bytearray(whole(rng.choice(KINDS), rng))
    way = number % 5
    if way == 0:
        return bytes(data[: rng.randrange(len(data) // 2)])
    if way == 1:  # a sound beginning, then noise
        keep = rng.randrange(2, 40)
        return bytes(data[:keep]) + rng.randbytes(rng.randrange(2000))
    if way == 2:
        return rng.randbytes(rng.randrange(4000))
    if way == 3:
        start = rng.choice([b"<svg onload=alert(1)>", b"%PDF-1.7", b"PK\x03\x04", b"{}", b"GIF89a"])
        return start + rng.randbytes(rng.randrange(500))
    for _ in range(rng.randrange(20, 200)):  # flipped bytes, mostly in the header
        data[rng.randrange(min(len(data), 120))] = rng.randrange(256)
    return bytes(data)


def upload(url, name, data):
    """Send a file as a form; returns (status, body)."""
    mark = "frontier"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    return answer(urllib.request.Request(f"{url}/gradio_api/upload", body, kind))


def answer(request):
    """(status, body) of a request."""
    try:
        with urllib.request.urlopen(request, timeout=60) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")


def classify(url, path):
    """Status and what is told when a page asks about an upload."""
    given = {"path": path, "meta": {"_type": "gradio.FileData"}}
    body = json.dumps({"data": [given, "atelier"]}).encode()
    headers = {"Content-Type": "application/json"}
    status, told = answer(urllib.request.Request(f"{url}/gradio_api/call/classify", body, headers))
    if status != 200:
        return status, told
    event = json.loads(told)["event_id"]
    return answer(urllib.request.Request(f"{url}/gradio_api/call/classify/{event}"))


def test_every_broken_upload_is_refused_in_a_sentence_and_the_server_goes_on(served):
    answered, before = 0, len(served.log())
    for number in range(COUNT):
        status, told = upload(served.url, NAMES[number % len(NAMES)], broken(number))
        if status != 200:
            assert 400 <= status < 500, told
            continue
        status, told = classify(served.url, json.loads(told)[0])
        if status != 200:
            assert 400 <= status < 500, told
        elif "event: error" in told:
            said = told.split("data: ")[-1]
            assert "Traceback" not in said
            assert 'File "' not in said
            assert "Something went wrong" not in said
        else:
            answered += 1  # what was overwritten may still be a picture

    assert answered < COUNT / 4
    assert "Traceback" not in served.log()[before:]
    status, told = upload(served.url, "sound.png", whole("PNG", random.Random(0)))
    assert "event: complete" in classify(served.url, json.loads(told)[0])[1]
