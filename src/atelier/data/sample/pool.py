"""Several Pythons drawing one collection.

Plain child processes, not `multiprocessing`: nothing of the parent is copied
(it may hold a TensorFlow), no `__main__` is imported again, and it works alike
from a script, a notebook and a REPL. A child draws every k-th picture and
writes a dot for each; it ends when nobody reads its dots any more.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from atelier.errors import AtelierError


def draw_all(folder, settings, total, workers, progress=None):
    """Draw pictures 0 to `total` of a collection into `folder`.

    Args:
        folder: prepared folder.
        settings: dict of collection.Settings.
        total: number of pictures.
        workers: processes; 1 draws in this one.
        progress: callable (done, total).
    """
    report = progress or (lambda done, total: None)
    report(0, total)
    if workers == 1:
        for done in range(total):
            _draw(folder, settings, [done], lambda: None)
            report(done + 1, total)
        return
    _draw_in_children(folder, settings, total, min(workers, total), report)


def _draw(folder, settings, indices, tick):
    from atelier.data.sample.collection import Settings, draw_one

    settings = Settings(**settings)
    for index in indices:
        draw_one(Path(folder), settings, index)
        tick()


def _draw_in_children(folder, settings, total, workers, report):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ticks = queue.Queue()
    children = []
    try:
        for first in range(workers):
            order = json.dumps([str(folder), settings, first, total, workers])
            command = [sys.executable, "-m", "atelier.data.sample", order]
            child = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
            )
            children.append(child)
            threading.Thread(target=_listen, args=(child, ticks), daemon=True).start()
        _count(children, ticks, total, report)
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
            child.wait()


def _listen(child, ticks):
    """Pass on a child's dots, then its whole complaint, if it has one."""
    complaint = []
    reader = threading.Thread(target=lambda: complaint.append(child.stderr.read()), daemon=True)
    reader.start()
    with child.stdout, child.stderr:
        while child.stdout.read(1):
            ticks.put(None)
        reader.join()
    if child.wait() != 0:
        ticks.put(complaint[0].decode(errors="replace"))


def _count(children, ticks, total, report):
    for done in range(total):
        complaint = ticks.get()
        if complaint is not None:
            last = (complaint.strip().splitlines() or ["it was killed"])[-1]
            raise AtelierError(
                "every drawing process to finish",
                f"one failed: {last}",
                "Try again with workers=1.",
            )
        report(done + 1, total)


def run_child(order):
    """What a child does: draw every k-th picture, a dot on stdout for each."""
    import cv2

    cv2.setNumThreads(1)
    folder, settings, first, total, workers = json.loads(order)

    def tick():
        sys.stdout.write(".")
        sys.stdout.flush()

    _draw(folder, settings, range(first, total, workers), tick)
