"""The notebooks' front page: a picture of each, its question, its hardware and minutes.

All of it is read off the notebooks' title cells and what they committed to `figures/`,
so that nobody has to keep the page in step by hand.
"""

import io
import re
from fnmatch import fnmatch
from pathlib import Path

import nbformat
from PIL import Image

from atelier import storage
from atelier.errors import AtelierError
from atelier.notebooks import find_notebooks, notebook_title

PAGE, THUMBNAILS = "README.md", "thumbnails"
THUMBNAIL_SIZE = (320, 400)  # pixels, at most
THUMBNAIL_BYTES = 40_000
TELLING = {  # by the notebook's number; of one that is not here, the last figure it commits
    "01": "01_twins",
    "02": "02_ours_predictions",
    "03": "03_grad_cam",
    "04": "04_confusion",
    "05": "05_six_views",
    "06": "06_similar",
    "07": "07_comparison",
    "08": "08_pairs",
    "09": "09_contact_sheet",
    "10": "10_paintings",
}

_HEAD = """# The notebooks

To be read in order; each runs top to bottom by itself, and its first cell opens it in Colab or Kaggle.
`atelier notebooks index` makes this page of the notebooks' title cells and figures: change those, not this.

| | notebook | question | hardware and minutes |
|---|---|---|---|
"""


def write_readme(directory=None, out=None):
    """Write the index of the notebooks and its thumbnails.

    Args:
        directory: where the notebooks are; the repository's by default. Their figures are
            in `figures/` beside it.
        out: where `README.md` and `thumbnails/` go; beside the notebooks by default.

    Returns:
        Path of the page.

    Raises:
        AtelierError: if a title cell lacks its question or hardware, or there is no figure.
    """
    notebooks = find_notebooks(directory=directory)
    out = Path(out or notebooks[0].parent)
    rows, pictures = [], {}
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        figure = telling_figure(path, notebook)
        pictures[f"{figure.stem}.jpg"] = thumbnail(figure)
        rows.append(_row(path, notebook, figure))
    for old in (out / THUMBNAILS).glob("*.jpg"):
        if old.name not in pictures:
            old.unlink()
    for name, data in pictures.items():
        with storage.atomic_path(out / THUMBNAILS / name) as temporary:
            temporary.write_bytes(data)
    storage.write_text(out / PAGE, _HEAD + "".join(rows))
    return out / PAGE


def _row(path, notebook, figure):
    picture = f"[![{figure_title(notebook, figure)}]({THUMBNAILS}/{figure.stem}.jpg)]({path.name})"
    title = f"[{notebook_title(notebook) or path.stem}]({path.name})"
    question, _ = said_in_title(path, notebook)
    return f"| {picture} | {title} | {question} | {hardware(path, notebook)} |\n"


def said_in_title(path, notebook):
    """A notebook's question, and the rows of its title cell's table by name.

    Raises:
        AtelierError: if there is no question or no row `Hardware`.
    """
    title = notebook.cells[0].source if notebook.cells else ""
    question = re.search(r"^\*\*Question\.\*\* (.+)$", title, re.M)
    rows = dict(re.findall(r"^\| (\w+) \| (.+) \|$", title, re.M))
    if not question or "Hardware" not in rows:
        raise AtelierError(
            f"'**Question.** …' and a row '| Hardware | … |' in the first cell of {path.name}",
            "no hardware" if question else "no question",
            "Write them as the other notebooks do.",
        )
    return question[1].strip(), rows


def hardware(path, notebook):
    """What the title cell says of hardware and minutes, and what the trainings took.

    Title cells of notebooks that train refer to tables for the minutes; these stand in the
    notebook's results too, for those networks that it writes.
    """
    _, rows = said_in_title(path, notebook)
    parts = [re.sub(r"; minutes stand in the tables$", "", rows["Hardware"].split(". ")[0])]
    written = re.findall(r"`([^`]+)`", rows.get("Writes", ""))
    mine = [run for run in _runs(path) if any(fnmatch(run["recipe"], name) for name in written)]
    if mine:
        minutes = sum(run["minutes"] for run in mine)
        devices = " and ".join(dict.fromkeys(run["device"] for run in mine))
        parts.append(
            f"training the networks of its results took {minutes:.0f} minutes on {devices}"
        )
    return "; ".join(parts)


def _runs(path):
    """The trainings that a notebook keeps in `figures/NN_results.json`, if it does."""
    results = _figures(path) / f"{_number(path)}_results.json"
    told = storage.read_json(results) if results.is_file() else {}
    needed = {"recipe", "minutes", "device"}
    return [run for run in told.values() if isinstance(run, dict) and needed <= run.keys()]


def telling_figure(path, notebook):
    """The committed figure that stands for a notebook.

    Raises:
        AtelierError: if the notebook has committed none, or not the one of `TELLING`.
    """
    name = TELLING.get(_number(path))
    if name is None:
        source = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        made = _figures(path).glob(f"{_number(path)}_*.png")
        shown = {source.rfind(f'"{figure.stem}"'): figure.stem for figure in sorted(made)}
        name = shown[max(shown)] if shown else f"{_number(path)}_…"
    figure = _figures(path) / f"{name}.png"
    if not figure.is_file():
        raise AtelierError(
            f"a figure of {path.name} in {figure.parent}",
            f"no {figure.name}",
            f"Run `atelier notebooks run {_number(path)} --inplace`, or correct TELLING.",
        )
    return figure


def figure_title(notebook, figure):
    """The alternative text of a figure: its title where the notebook shows it, else its name."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and f'"{figure.stem}"' in cell.source:
            for output in cell.outputs:
                if told := output.get("metadata", {}).get("image/png", {}).get("alt"):
                    return re.sub(r"[\[\]|]", " ", told)
    return figure.stem


def thumbnail(figure):
    """A figure as JPEG bytes that fit in `THUMBNAIL_SIZE` and `THUMBNAIL_BYTES`."""
    with Image.open(figure) as image:
        small = image.convert("RGB")
    small.thumbnail(THUMBNAIL_SIZE, Image.Resampling.LANCZOS, reducing_gap=None)
    for quality in range(90, 30, -5):
        stream = io.BytesIO()
        small.save(stream, "JPEG", quality=quality, optimize=True)
        if stream.tell() < THUMBNAIL_BYTES:
            break
    return stream.getvalue()


def _number(path):
    return path.stem.split("_")[0]


def _figures(path):
    return path.parents[1] / "figures"
