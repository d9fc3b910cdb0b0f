"""Saving: once, small, signed, and shown once."""

import base64
import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from atelier import paths
from atelier.plots import caption_line, save_figure
from atelier.plots.grids import picture_grid
from atelier.plots.look import in_our_look, new_figure
from atelier.plots.saving import MOST_BYTES

pytestmark = pytest.mark.once


def small_figure():
    figure = new_figure("Title", 4, 3)
    figure.add_subplot().plot([0, 1], [1, 0])
    return figure


def test_a_figure_is_saved_under_its_name_and_returned():
    figure = small_figure()
    assert save_figure(figure, "01_lines") is figure
    with Image.open(paths.root() / "figures" / "01_lines.png") as image:
        assert image.format == "PNG"
        assert 300 < image.width < 500


def test_nothing_half_written_stays_behind(monkeypatch):
    figure = small_figure()

    def fail(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        save_figure(figure, "01_lines")
    assert not list(paths.root().rglob("*.png"))


def test_a_notebook_shows_the_saved_file_itself():
    figure = save_figure(small_figure(), "01_lines")
    data, metadata = figure._repr_mimebundle_()
    assert (
        base64.b64decode(data["image/png"]) == (paths.figures_dir() / "01_lines.png").read_bytes()
    )
    assert metadata["image/png"]["alt"] == "Title"


def test_ipython_shows_it_exactly_once():
    formatters = pytest.importorskip("IPython.core.formatters")
    figure = save_figure(small_figure(), "01_lines")
    shown, _ = formatters.DisplayFormatter().format(figure)
    assert sorted(shown) == ["image/png", "text/plain"]


def test_a_figure_of_pyplot_is_closed():
    from matplotlib import pyplot

    figure = pyplot.figure()
    save_figure(figure, "01_lines")
    assert not pyplot.get_fignums()


def test_a_fast_run_is_stamped_and_kept_apart(monkeypatch):
    monkeypatch.setenv("ATELIER_FAST", "1")
    figure = save_figure(small_figure(), "01_lines", caption="seed 0")
    assert (paths.root() / "build" / "figures" / "01_lines.png").is_file()
    assert not (paths.root() / "figures").exists()
    assert "FAST RUN" in figure.get_supxlabel()
    assert "seed 0" in figure.get_supxlabel()


def test_a_full_run_is_not_stamped():
    assert save_figure(small_figure(), "01_lines").get_supxlabel() == ""


def test_saving_twice_signs_once():
    figure = small_figure()
    for _ in range(2):
        save_figure(figure, "01_lines", caption="seed 0")
    assert figure.get_supxlabel() == "seed 0"


def test_a_folder_of_ones_own_may_be_named(tmp_path):
    save_figure(small_figure(), "lines", folder=tmp_path / "mine")
    assert (tmp_path / "mine" / "lines.png").is_file()


def test_many_pictures_stay_small_and_the_paper_white():
    rng = np.random.default_rng(0)
    images = []
    for _ in range(20):  # smooth colors with some grain, as paintings have
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype="uint8"))
        smooth = np.asarray(coarse.resize((256, 256), Image.Resampling.BICUBIC), float)
        images.append(smooth + rng.normal(scale=6, size=smooth.shape))
    save_figure(picture_grid(images, ["name"] * 20), "01_pictures")
    path = paths.figures_dir() / "01_pictures.png"
    assert path.stat().st_size <= MOST_BYTES
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        pixels = np.asarray(image.convert("RGB"))
    assert (pixels[:5] == 255).all()


def test_near_white_does_not_tint_the_paper():
    figure = new_figure("Title", 4, 3)
    figure.add_subplot().imshow(
        np.linspace(0.9, 1, 900).reshape(30, 30), cmap="gray", vmin=0, vmax=1
    )
    save_figure(figure, "01_pale")
    with Image.open(paths.figures_dir() / "01_pale.png") as image:
        assert (np.asarray(image.convert("RGB"))[:, :5] == 255).all()


def test_drawing_leaves_the_callers_settings_alone():
    before = dict(mpl.rcParams)
    save_figure(in_our_look(small_figure)(), "01_lines")
    assert dict(mpl.rcParams) == before


def test_a_plain_figure_can_be_saved_too():
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    save_figure(figure, "plain", caption="seed 0")
    assert (paths.figures_dir() / "plain.png").is_file()


def test_a_caption_names_what_needs_a_name():
    line = caption_line(data="sample", split="grouped", seed=0, device=None, date="2026-01-01")
    assert line == "sample · split grouped · seed 0 · 2026-01-01"
