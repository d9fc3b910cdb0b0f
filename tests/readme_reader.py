"""A reader of README.md, who types its commands, and what he has at hand.

What cannot be run as it stands is checked in another way, whose reason is beside it.
"""

import contextlib
import itertools
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import types
import urllib.request
from pathlib import Path

import numpy as np
import typer
from event_loops import close_but, open_loops
from PIL import Image
from typer.testing import CliRunner

from atelier import storage
from atelier.checksums import write_checksums
from atelier.cli import app

ROOT = Path(__file__).parents[1]
PAINTERS = storage.read_json(ROOT / "models" / "atelier" / "classes.json")
NOT_OURS = (  # of the machine, and `make run` does them
    "pip install",
    "python -m pip install",
    "python -m venv",
    "source .venv/bin/activate",
    "apt install",
    "apt-get install",
    "sudo apt",
    "git clone",
    "cd ",
)
ENDS = {"monitor report": (0, 3)}  # exit codes other than 0 that the page speaks of
QUICK = {  # options that are added, since the same takes minutes or hours without
    "data sample": ("--works", "2", "--size", "64"),
    "stylize": ("--size", "64", "--steps", "1"),
    "tune": ("--trials", "1", "--executions", "1", "--epochs", "1"),
}
WRITTEN = ("-o", "--out", "--csv", "--figures", "--figure", "--export")  # options that name it
PUBLISHED_URL = "http://127.0.0.1:7860"


class Reader:
    """Who types the page's commands, one after the other, into a repository of his own."""

    def __init__(self, root, monkeypatch):
        self.root, self.monkeypatch = root, monkeypatch
        self.collections = draw_collections(root.parent / "published")
        self.running = self.url = None  # the web application, and where it is
        self.sharing = []  # processes of a search

    def do(self, step):
        """Do a step; AssertionError says what went wrong."""
        if step.python:
            self.python(step.text)
            return
        words = shlex.split(step.text, comments=True)
        given = list(itertools.takewhile(re.compile(r"[A-Z_]+=").match, words))
        variables, words = dict(word.split("=", 1) for word in given), words[len(given) :]
        if self.sharing and "KERASTUNER_TUNER_ID" not in variables:
            self.end_search()
        if step.text.startswith(NOT_OURS):
            return
        tools = {"make": self.make, "atelier": self.atelier}
        assert "".join(words[:1]) in tools, "nothing here knows how to run it"
        tools[words[0]](words[1:], variables)

    def make(self, words, variables):
        """A dry run: targets install, test and run notebooks, which takes many minutes."""
        command = ["make", "-n", "-C", str(ROOT), *words]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def atelier(self, words, variables):
        """A command of ours, as it stands or in the way that WAYS has for it."""
        if "KERASTUNER_TUNER_ID" in variables:
            self.share_search(words, variables)
            return
        line = " ".join(words)
        ways = [way for name, way in WAYS.items() if f"{line} ".startswith(f"{name} ")]
        (ways[0] if ways and "--help" not in words else Reader.run)(self, words, variables)

    def run(self, words, variables=None):
        """Run it to its end; what it should have written is there."""
        code, said = self.invoke(words, variables)
        good = next((ENDS[name] for name in ENDS if " ".join(words).startswith(name)), (0,))
        assert code in good, f"exit code {code}: {said}"
        for option, value in itertools.pairwise(words):
            if option in WRITTEN:
                assert Path(value).exists(), f"no {value} was written"

    def invoke(self, words, variables=None):
        """Exit code, and the end of what it said; other variables want another process."""
        if variables:
            command = [sys.executable, "-m", "atelier.cli", *words]
            done = subprocess.run(
                command, env=os.environ | variables, capture_output=True, text=True
            )
            return done.returncode, done.stderr[-2000:]
        result = CliRunner().invoke(app, words)
        return result.exit_code, f"{result.stderr[-2000:]} {result.exception or ''}"

    def parse(self, words, variables=None):
        """Only see whether the command and its options are there."""
        command = typer.main.get_command(app)
        while hasattr(command, "commands"):
            assert words[0] in command.commands, f"no command {words[0]}"
            command, words = command.commands[words[0]], words[1:]
        try:
            command.make_context(command.name, list(words))
        except Exception as error:  # Typer's own, whatever version
            raise AssertionError(f"exit code 2: {error}") from error

    def fetch(self, words, variables):
        """Kaggle is not asked: kagglehub answers with a small collection of that layout.

        What is there already is moved away, or nothing would be fetched.
        """
        for name in set(words) & set(self.collections):
            shutil.rmtree(self.root / "data" / name)
            if "--from" in words:
                archive = Path(words[words.index("--from") + 1])
                shutil.make_archive(archive.with_suffix(""), "zip", self.collections[name])
        self.run(words, variables)

    def sample(self, words, variables):
        """A few small pictures, in the place of a whole sample."""
        self.run([*words, *QUICK["data sample"]], variables)

    def train(self, words, variables):
        """A model of that name may be shipped: then it stays, and is replaced where that is asked."""
        if "--with-feedback" in words:
            self.be_corrected()
        self.run_or_replace(words, variables)

    def tune(self, words, variables):
        """A small search; the shipped one stays as a shipped model does."""
        self.run_or_replace([*words, *QUICK["tune"]], variables)

    def run_or_replace(self, words, variables):
        """Run it; where what is shipped is in the way it says what to do, which is done."""
        shipped = self.root / "models" / (words[1] + ("_search" if words[0] == "tune" else ""))
        before = tree(shipped)
        if before and not {"--out", "--overwrite"} & set(words):
            code, said = self.invoke(words, variables)
            assert (code, "--overwrite" in said) == (1, True), f"exit code {code}: {said}"
            assert tree(shipped) == before
            words = [*words, "--overwrite"]
        self.run(words, variables)
        assert tree(shipped) or "--out" in words

    def share_search(self, words, variables):
        """On this machine, all of them; into a folder of its own, since a search is shipped."""
        if not self.sharing:
            self.port = str(free_port())
        here = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": self.port}
        command = [sys.executable, "-m", "atelier.cli", *words, *QUICK["tune"], "--out", "shared"]
        process = subprocess.Popen(
            command, env=os.environ | variables | here, stderr=subprocess.PIPE, text=True
        )
        self.sharing.append(process)

    def end_search(self):
        """Wait for a shared search."""
        processes, self.sharing = self.sharing, []
        try:
            said = [process.communicate(timeout=300)[1] for process in processes]
        finally:
            for process in processes:
                process.kill()
        assert [process.returncode for process in processes] == [0] * len(processes), said
        assert (self.root / "shared" / "trials.csv").is_file()

    def stylize(self, words, variables):
        """Pixel by pixel, pictures are small and steps few."""
        fast = "--method" in words and words[words.index("--method") + 1] == "fast"
        self.run(words if fast else [*words, *QUICK["stylize"]], variables)

    def reproduce(self, words, variables):
        """What tables need and do is said; test_reproduce.py makes one, which takes minutes."""
        more = [] if {"--list", "--dry-run"} & set(words) else ["--dry-run"]
        self.run([*words, *more], variables)

    def monitor(self, words, variables):
        """Some visitors have said who painted their pictures."""
        self.be_corrected()
        self.run(words, variables)

    def be_corrected(self):
        """Visitors' feedback, with pictures; once is enough."""
        from atelier.serve.feedback import feedback_table, give
        from atelier.serve.store import Request, Store

        store = Store()
        if feedback_table(store).empty:
            for seed, artist in enumerate(PAINTERS[:3]):
                said = {"model": "atelier", "predicted": PAINTERS[0], "confidence": 0.9}
                request = Request(kind="classify", seconds=0.1, **said)
                store.add(request)
                give(store, request.id, artist=artist, picture=draw_picture(seed))
        store.close()

    def serve(self, words, variables):
        """The application in a process of its own, at a free port, until the next one starts."""
        self.stop_serving()
        self.parse(words)
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        command = [sys.executable, "-m", "atelier.cli", *words, "--port", str(port)]
        with (self.root / "app.log").open("w") as log:
            self.running = subprocess.Popen(
                command, env=os.environ | variables, stdout=log, stderr=log
            )
        end = time.monotonic() + 180
        while time.monotonic() < end and self.running.poll() is None:
            with contextlib.suppress(OSError):
                assert healthy(self.url)
                return
            time.sleep(0.2)
        raise AssertionError((self.root / "app.log").read_text()[-2000:])

    def stop_serving(self):
        """Stop it as whoever manages services does; Ctrl+C may be ignored in the background."""
        if self.running is not None:
            process, self.running = self.running, None
            process.terminate()
            try:
                assert process.wait(60) == 0
            finally:
                process.kill()

    def python(self, text):
        """A cell; the application asks for no public link, and is asked where it runs."""
        import atelier.serve.app as served

        started, serving, loops = [], served.serving, open_loops()

        @contextlib.contextmanager
        def here(settings):
            with serving(settings.replace(share=False, port=free_port())) as blocks:
                started.append(blocks.local_url)
                yield blocks

        with contextlib.ExitStack() as ended, self.monkeypatch.context() as patch:
            patch.setattr(served, "serving", here)
            patch.setattr(served, "atexit", types.SimpleNamespace(register=ended.callback))
            exec(text.replace(PUBLISHED_URL, self.url or PUBLISHED_URL), {})
            assert "launch(" not in text or started
            assert all(healthy(url) for url in started)
        close_but(loops)  # Gradio makes some for its locks, where none runs

    def close(self):
        """End what still runs."""
        if self.sharing:
            self.end_search()
        self.stop_serving()


WAYS = {
    "app": Reader.serve,
    "data fetch": Reader.fetch,
    "data sample": Reader.sample,
    "monitor": Reader.monitor,
    "notebooks run": Reader.parse,  # test_notebooks.py runs each, which takes minutes
    "reproduce": Reader.reproduce,
    "stylize": Reader.stylize,
    "train": Reader.train,
    "tune": Reader.tune,
}


def tree(folder):
    """Names and sizes of the files below a folder; none if it is not there, or was not finished."""
    return {path.name: path.stat().st_size for path in folder.glob("*") if path.is_file()}


def healthy(url):
    with urllib.request.urlopen(f"{url.rstrip('/')}/healthz", timeout=30) as answer:
        return answer.status == 200


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def draw_picture(seed):
    """A picture of soft spots, (64, 64, 3) uint8."""
    spots = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), "uint8")
    return np.asarray(Image.fromarray(spots).resize((64, 64), Image.Resampling.BICUBIC))


def draw_pictures(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        number = int(storage.fingerprint([str(folder), name])[:8], 16)
        Image.fromarray(draw_picture(number)).save(folder / f"{name}.jpg")


def draw_collections(home):
    """By name, small collections of the layouts that are published."""
    names = ("best-artworks-of-all-time", "gan-getting-started", "wikiart", "my_paintings")
    best, unpaired, wikiart, own = folders = [home / name for name in names]
    for painter in PAINTERS:
        name = painter.replace(" ", "_")
        draw_pictures(best / "images" / "images" / name, [f"{name}_{n}" for n in range(1, 5)])
    rows = "".join(f"{painter},Baroque\n" for painter in PAINTERS)
    (best / "artists.csv").write_text(f"name,genre\n{rows}", encoding="utf-8")
    storage.write_json(best / "sample.json", {})  # so that four works a painter are enough
    draw_pictures(best / "photos", [f"photo_{n}" for n in range(6)])
    for domain in ("monet_jpg", "photo_jpg"):
        draw_pictures(unpaired / domain, [f"{domain}_{n}" for n in range(8)])
    for style in ("Cubism", "Expressionism", "Impressionism"):
        draw_pictures(wikiart / style, [f"some-painter_{style.lower()}-{n}" for n in range(8)])
    for painter in ("Ada", "Ben", "Cleo"):
        draw_pictures(own / painter, [f"{painter}_{n}" for n in range(12)])
    return dict(zip(names, folders, strict=True))


def copy_shipped(models):
    """Copy the models that the repository ships; one that is still being trained is none.

    The collection here is too small for painters of 200 works: a few are enough for the copies.
    """
    for name in re.findall(r"^!models/(\w+)/", (ROOT / ".gitignore").read_text(), re.M):
        folder = ROOT / "models" / name
        if folder.is_dir() and not (folder / "backup").exists():
            (models / name).mkdir(parents=True)
            for file in filter(Path.is_file, folder.iterdir()):
                shutil.copy(file, models / name)
            need_few_works(models / name)


def need_few_works(folder):
    """Let a model be judged on classes of few pictures."""
    recipe = folder / "recipe.json"
    if recipe.is_file() and "split" in (values := storage.read_json(recipe)):
        storage.write_json(recipe, values | {"split": values["split"] | {"min_works": None}})
        write_checksums(folder)


def save_random_weights(folder):
    """Bodies as far as our recipes and presets read them, which no network was asked for."""
    import keras

    folder.mkdir()
    for build, last in (("VGG19", "block5_conv1"), ("ResNet50", "conv4_block6_out")):
        body = getattr(keras.applications, build)(include_top=False, weights=None)
        cut = keras.Model(body.input, body.get_layer(last).output)
        cut.save_weights(folder / f"{build.lower()}_to_{last}.weights.h5")
