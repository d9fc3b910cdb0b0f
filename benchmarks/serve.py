"""How quickly the web application answers, and whether its memory stays.

Starts the real server on this machine and sends it real requests: uploads with classifications by
the shipped model, over HTTP, as a browser does. At 1, 8 and 32 clients at once: the middle and the
95th percentile of seconds from upload to answer, requests a second, and errors. Then as many
requests as `--steady` says, with the server's memory before and after.

    python benchmarks/serve.py [--seconds 20] [--steady 2000] [--json]
"""

import argparse
import concurrent.futures
import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from atelier import paths

CLIENTS = (1, 8, 32)
WARM = 30  # requests before anything is measured
_SIZE = (640, 480)  # pixels of the pictures that are sent


def picture(seed):
    """A JPEG of its own for every seed."""
    small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), "uint8")
    stream = io.BytesIO()
    Image.fromarray(small).resize(_SIZE, Image.Resampling.BICUBIC).save(stream, "JPEG")
    return stream.getvalue()


def ask(url, data):
    """Upload a picture, ask who painted it, and wait for the answer; returns seconds.

    Raises:
        RuntimeError: if there is none.
    """
    began, mark = time.perf_counter(), "frontier"
    head = f'--{mark}\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    (path,) = json.load(_open(f"{url}/gradio_api/upload", body, kind))
    given = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}, "atelier"]}
    kind = {"Content-Type": "application/json"}
    call = f"{url}/gradio_api/call/classify"
    event = json.load(_open(call, json.dumps(given).encode(), kind))["event_id"]
    told = _open(f"{call}/{event}").read().decode()
    if "event: complete" not in told:
        raise RuntimeError(told)
    return time.perf_counter() - began


def _open(url, body=None, headers=None):
    return urllib.request.urlopen(urllib.request.Request(url, body, headers or {}), timeout=120)


def load(url, clients, *, seconds=None, count=None):
    """Requests of so many clients at once, for a time or a number of them.

    Returns:
        Dict of clients, requests, errors, p50 and p95 (seconds), and requests a second.
    """
    took, errors, began = [], [], time.perf_counter()
    pictures = [picture(seed) for seed in range(16)]

    def client(first):
        number = first
        while time.perf_counter() - began < seconds if count is None else number < count:
            try:
                took.append(ask(url, pictures[number % len(pictures)]))
            except (OSError, RuntimeError) as error:
                errors.append(str(error))
            number += clients

    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    total = time.perf_counter() - began
    return {
        "clients": clients,
        "requests": len(took),
        "errors": len(errors),
        "p50": round(float(np.percentile(took, 50)), 3) if took else None,
        "p95": round(float(np.percentile(took, 95)), 3) if took else None,
        "per_second": round(len(took) / total, 2),
    }


@contextlib.contextmanager
def server():
    """A running application; gives (address, its `psutil.Process`, seconds to its first page)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, began = f"http://127.0.0.1:{port}", time.perf_counter()
    command = [sys.executable, "-m", "atelier.cli", "app", "--port", str(port)]
    with tempfile.TemporaryDirectory() as scratch:
        environment = os.environ | {"ATELIER_ROOT": scratch}
        Path(scratch, "models").symlink_to(paths.models_dir())
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            while True:
                with contextlib.suppress(OSError):
                    _open(f"{url}/").read()
                    break
                time.sleep(0.05)
            yield url, psutil.Process(process.pid), time.perf_counter() - began
        finally:
            process.terminate()
            process.wait(30)


def main():
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20, help="at each number of clients")
    parser.add_argument("--steady", type=int, default=2000, help="requests while memory is watched")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with server() as (url, process, cold):
        load(url, 2, count=WARM)
        rows = [load(url, clients, seconds=given.seconds) for clients in CLIENTS]
        load(url, 8, count=given.steady // 4)  # the rest of the warming up
        before = process.memory_info().rss
        steady = load(url, 8, count=given.steady)
        after = process.memory_info().rss
    found = {
        "first_page_seconds": round(cold, 1),
        "load": rows,
        "steady": {**steady, "mb_before": before // 10**6, "mb_after": after // 10**6},
    }
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"first page after {found['first_page_seconds']} s")
    print("clients  requests  errors  p50 s   p95 s   a second")
    for row in [*rows, steady]:
        print(
            f"{row['clients']:7d} {row['requests']:9d} {row['errors']:7d}"
            f"  {row['p50']:.3f}   {row['p95']:.3f}  {row['per_second']:8.2f}"
        )
    growth = after / before - 1
    print(f"memory: {before / 1e6:.0f} MB, then {after / 1e6:.0f} MB ({growth:+.1%})")


if __name__ == "__main__":
    main()
