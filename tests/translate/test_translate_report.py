"""Tables and pictures that notebooks make of a trained translation."""

import keras
import numpy as np
import pandas as pd
import pytest

from atelier import models, storage
from atelier.data.writing import write_picture
from atelier.translate.config import _SMALLEST, CYCLEGAN_MONET
from atelier.translate.domains import Domains
from atelier.translate.metrics import Embedder
from atelier.translate.report import (
    at_size,
    caption,
    checkerboards,
    compare,
    cycle_pictures,
    history,
    judge_run,
    paintings_by_epoch,
)
from atelier.translate.train import build
from atelier.translate.watch import PICTURES, SNAPSHOTS, keep_snapshot

CONFIG = CYCLEGAN_MONET.replace(**{**_SMALLEST, "load_size": 32, "precision": "float32"})
METRICS = {
    "run": "none",
    "recipe": "cyclegan_monet",
    "photos": "gan",
    "paintings": "Monet",
    "counts": {"photos": 8, "held_out": 4, "monets": 6},
    "losses": {"cycle": 0.1},
    "steps": 4,
    "parameters": 10,
    "minutes": 1.0,
    "seed": 0,
    "device": "none",
    "date": "2026-01-01",
}


def pictures(count, seed):
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), "uint8")


@pytest.fixture
def domains():
    dark = pictures(6, 2) // 4  # unlike photos, so that the ceiling is above the floor
    return Domains(pictures(8, 0), pictures(4, 1), dark, ("gan", "Monet"), "mark")


@pytest.fixture
def folder(tmp_path):
    gan = build(CONFIG)
    folder = models.save(
        tmp_path / "tiny",
        gan.product(),
        recipe=CONFIG.to_json(),
        metrics=dict(METRICS),
        history=pd.DataFrame({"epoch": [1, 2], "cycle": [0.2, 0.1]}),
        card="# tiny",
        half=True,
    )
    for epoch in (1, 2):
        keep_snapshot(gan.to_monet, folder / SNAPSHOTS / f"epoch-{epoch:04d}.npz")
        grid = np.zeros((2 * 32, 3 * 32, 3), "uint8")
        grid[:, 32:64] = 100 * epoch
        write_picture(folder / PICTURES / f"epoch-{epoch:04d}.png", grid)
    return folder


@pytest.fixture(scope="module")
def embedder():
    keras.utils.set_random_seed(0)
    return Embedder("mobilenetv2", "expanded_conv_project_BN", size=32, weights=None)


def test_a_run_is_judged_once_and_noted(folder, domains, embedder, monkeypatch):
    judged = judge_run(folder, domains, embedder)
    assert judged["floor"] > 0
    assert [row["epoch"] for row in judged["by_epoch"]] == [1, 2]
    final = judged["by_epoch"][-1]["fid"]
    assert final == pytest.approx(judged["fid"], rel=1e-3)  # it is the very same generator
    assert judged["cycle_error"] > 0
    assert set(models.verify(folder).values()) == {"ok"}
    assert storage.read_json(folder / "metrics.json")["judged"]["fid"] == judged["fid"]
    assert "FID" in models.card(folder)
    monkeypatch.setattr("atelier.translate.report.floor_and_ceiling", None)
    assert judge_run(folder, domains, embedder) == judged


def test_methods_are_compared_and_kept(folder, domains, embedder, tmp_path):
    calls = []

    def invert(photo):
        calls.append(1)
        return 255.0 - photo

    ways = {"photos as they are": (lambda photo: photo, ""), "negatives": (invert, "a")}
    photos, monets = at_size(domains.held_out, 32), at_size(domains.monets, 32)
    table, painted = compare(ways, photos, monets, embedder, tmp_path / "kept")
    assert table["method"].tolist() == ["paintings among themselves", *ways]
    assert table["way"].iloc[0] == 0
    assert table["way"].iloc[1] == pytest.approx(1)
    np.testing.assert_array_equal(painted["negatives"], 255 - photos)
    assert len(calls) == 1 + len(photos)
    again, _ = compare(ways, photos, monets, embedder, tmp_path / "kept")
    pd.testing.assert_frame_equal(again, table)
    assert len(calls) == 1 + len(photos)
    ways["negatives"] = (invert, "b")
    compare(ways, photos, monets, embedder, tmp_path / "kept")
    assert len(calls) == 2 + 2 * len(photos)


def test_pictures_of_a_run(folder, domains):
    assert len(history(folder)) == 2
    assert "4 steps at 32 pixels" in caption(folder)
    epochs = paintings_by_epoch(folder)
    assert list(epochs) == [1, 2]
    assert [len(column) for column in epochs.values()] == [2, 2]
    assert np.all(epochs[2][0] == 200)
    painted, lost = cycle_pictures(folder, list(domains.held_out[:2]))
    assert painted[0].shape == lost[0].shape == (32, 32, 3)


def test_a_run_that_was_only_read_back_has_no_epochs(folder):
    for path in (folder / PICTURES).iterdir():
        path.unlink()
    assert paintings_by_epoch(folder) == {}


def test_transposed_convolutions_leave_a_checkerboard():
    boards = checkerboards(CONFIG.replace(channels=8))
    assert boards["transposed"][1] > 2 * boards["resize"][1]
    assert boards["resize"][0].shape == (256, 256, 3)
