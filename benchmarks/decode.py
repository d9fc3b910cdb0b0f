"""How many pictures a second are decoded into the memory map, and how fast is it opened again?

Reads a collection into a scratch folder that is removed at the end. Without `--data`, noise-free
JPEGs of 256 px are drawn first.

    python benchmarks/decode.py [--data DIR] [--limit 3000] [--size 224] [--json]
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from atelier.data.images import FITS, decode
from atelier.data.reading import IMAGE_SUFFIXES


def draw_pictures(folder, count):
    """Smooth random JPEGs with some grain, 256 px a side."""
    rng = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        picture = np.asarray(coarse.resize((256, 256), Image.Resampling.BICUBIC), dtype=np.int16)
        picture = np.clip(picture + rng.integers(-25, 26, picture.shape), 0, 255)
        Image.fromarray(picture.astype(np.uint8)).save(folder / f"{number}.jpg", quality=90)


def timed(function):
    """Result, wall and processor seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def run(directory, options):
    """Decode twice; facts as a dict."""
    images = (p for p in sorted(directory.rglob("*")) if p.suffix.lower() in IMAGE_SUFFIXES)
    paths = [path.relative_to(directory).as_posix() for path in images][: options.limit]
    settings = {"image_size": (options.size, options.size), "fit": options.fit}
    images, wall, cpu = timed(lambda: decode(directory, paths, workers=options.workers, **settings))
    _, again, _ = timed(lambda: decode(directory, paths, **settings))
    return {
        "pictures": len(images.pixels),
        "skipped": len(images.skipped),
        "workers": options.workers,
        "wall_s": round(wall, 2),
        "cpu_s": round(cpu, 2),
        "pictures_per_second": round(len(paths) / wall),
        "pictures_per_cpu_second": round(len(paths) / cpu),
        "second_call_s": round(again, 3),
    }


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a collection; drawn pictures without it")
    parser.add_argument("--limit", type=int, default=3000, help="pictures at most")
    parser.add_argument("--size", type=int, default=224, help="pixels a side")
    parser.add_argument("--fit", choices=FITS, default="squash")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["ATELIER_ROOT"] = scratch
        directory = options.data
        if directory is None:
            directory = Path(scratch) / "drawn"
            directory.mkdir()
            draw_pictures(directory, options.limit)
        facts = run(directory, options)
    if options.json:
        print(json.dumps(facts, indent=2))
    else:
        for name, value in facts.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
