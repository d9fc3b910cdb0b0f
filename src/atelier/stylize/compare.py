"""Ways to paint, compared on the same contents and styles by the same distances.

The protocol is every content in every style. Each picture is kept with its distances, so that a
comparison that is stopped goes on.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from atelier import storage
from atelier.data.reading import read_rgb
from atelier.data.writing import write_picture
from atelier.distances import frechet_distance
from atelier.errors import AtelierError
from atelier.stylize.metrics import METRICS, artfid

_CHILD = """
import json, sys
from pathlib import Path
from typer.testing import CliRunner
from atelier.cli import app
arguments = json.loads(sys.argv[1])
done = CliRunner().invoke(app, ["stylize", *arguments])
assert done.exit_code == 0, done.output
peak = [line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
sys.stdout.write(str(int(peak[0].split()[1]) * 1024))
"""


def compare(methods, contents, styles, judge, out, *, progress=None):
    """Paint every content in every style by every method, and judge what comes.

    Args:
        methods: list of `methods.Method`; a kept picture must agree with its settings.
        contents: list of `examples.Example`.
        styles: the same.
        judge: a `metrics.StyleJudge`.
        out: folder for pictures and distances.
        progress: called with (done, total) pictures.

    Returns:
        Table of method, METRICS, and of `subject` and `manner`, the names of content and style,
        and `picture`, a path.
    """
    rows, total = [], len(methods) * len(contents) * len(styles)
    for method in methods:
        mark = storage.fingerprint([method.settings, judge.describe()])
        for content in contents:
            for style in styles:
                path = Path(out) / method.name / f"{content.name} in {style.name}.png"
                row = _row(method.paint, content, style, judge, path, mark)
                names = {"subject": content.name, "manner": style.name}
                rows.append(row | names | {"method": method.name})
                if progress is not None:
                    progress(len(rows), total)
    return pd.DataFrame(rows)


def _row(paint, content, style, judge, path, mark):
    noted = path.with_suffix(".json")
    if noted.is_file() and path.is_file():
        row = storage.read_json(noted)
        if row.pop("mark") == mark:
            return row | {"picture": path}
    pixels = np.asarray(paint(content.pixels, style.pixels))
    write_picture(path, pixels)
    row = judge(pixels, content.pixels, style.pixels)
    storage.write_json(noted, {"mark": mark, **row})
    return row | {"picture": path}


def summary(table, styles, judge):
    """One row a method: means of all distances, and ArtFID's form.

    Args:
        table: from `compare`.
        styles: as of `compare`.
        judge: as of `compare`.

    Returns:
        Table of method, METRICS, `frechet` (of style vectors) and `artfid` (1 + perceptual
        distance to the content, times 1 + that).
    """
    theirs = np.stack([judge.style_vector(style.pixels) for style in styles])
    rows = []
    for name, part in table.groupby("method", sort=False):
        ours = np.stack([judge.style_vector(read_rgb(path)) for path in part["picture"]])
        means = part[list(METRICS)].mean().to_dict()
        rows.append(
            {
                "method": name,
                **means,
                "frechet": frechet_distance(ours, theirs),
                "artfid": artfid(part["perceptual"], ours, theirs),
            }
        )
    return pd.DataFrame(rows)


def peak_bytes(arguments):
    """Peak memory of `atelier stylize` with these arguments, in a process of its own.

    Args:
        arguments: list of the command line's words.

    Returns:
        Bytes, or None where the system does not tell (only Linux does).

    Raises:
        AtelierError: if the command fails.
    """
    if not sys.platform.startswith("linux"):
        return None
    words = json.dumps([str(word) for word in arguments])
    done = subprocess.run([sys.executable, "-c", _CHILD, words], capture_output=True, text=True)
    if done.returncode:
        raise AtelierError(
            f"`atelier stylize {' '.join(map(str, arguments))}` to succeed",
            done.stderr.strip().splitlines()[-1],
            "Run it by itself.",
        )
    return int(done.stdout)
