"""A real server in a process of its own, as `atelier app` starts it, for the tests that use it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

SHIPPED = Path(__file__).resolve().parents[2] / "models"
MODELS = ("atelier", "fast", "cyclegan_monet", "cut_monet")  # that come with the repository


@pytest.fixture(scope="session")
def serve_in():
    """`serve(folder, *options, **variables)`, for a server with options of its own."""
    return serve


@pytest.fixture(scope="session")
def random_vgg(tmp_path_factory):
    """A folder with VGG19's first blocks, their weights random: enough to optimise pixels."""
    import keras

    body = keras.applications.VGG19(include_top=False, weights=None)
    folder = tmp_path_factory.mktemp("weights")
    cut = keras.Model(body.input, body.get_layer("block3_conv1").output)
    cut.save_weights(folder / "vgg19_to_block3_conv1.weights.h5")
    return folder


@pytest.fixture(scope="session")
def served(tmp_path_factory, random_vgg):
    """A running application with the shipped models, a `Served`."""
    root = tmp_path_factory.mktemp("served")
    with serve(root, ATELIER_WEIGHTS=str(random_vgg)) as found:
        yield found


class Served:
    """A server's address and the folder of its repository."""

    def __init__(self, url, root, process):
        self.url, self.root, self.process = url, root, process

    def get(self, path):
        """The text at a path."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.read().decode()

    def log(self):
        """What it has logged."""
        return (self.root / "log").read_text()


@contextlib.contextmanager
def serve(root, *options, **variables):
    """Start `atelier app` in a repository of its own, wait until it answers, and stop it."""
    (root / "models").mkdir(parents=True, exist_ok=True)
    for name in MODELS:
        if (SHIPPED / name / "SHA256SUMS").is_file():
            files = (SHIPPED / name / "SHA256SUMS").read_text().split()[1::2]
            (root / "models" / name).mkdir()
            for file in (*files, "SHA256SUMS"):
                shutil.copy(SHIPPED / name / file, root / "models" / name / file)
    port = free_port()
    command = [sys.executable, "-m", "atelier.cli", "app", "--port", str(port), *options]
    known = {k: v for k, v in os.environ.items() if not k.startswith(("ATELIER_", "GRADIO_"))}
    environment = known | {"ATELIER_ROOT": str(root), "TMPDIR": str(root)} | variables
    with (root / "log").open("w") as log:
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=log,
            stderr=log,
            preexec_fn=_interruptible,
        )
        try:
            yield _answering(Served(f"http://127.0.0.1:{port}", root, process))
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(90)  # on a busy machine
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _interruptible():
    """Let Ctrl-C end what is started: a shell's background jobs ignore it, and so would it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def free_port():
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answering(served, seconds=180):
    """The server, once it answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and served.process.poll() is None:
        with contextlib.suppress(OSError):
            served.get("/healthz")
            return served
        time.sleep(0.2)
    raise RuntimeError(f"The server did not start:\n{served.log()[-3000:]}")
