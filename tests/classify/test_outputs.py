"""The files that the published classifiers leave."""

import shutil

import keras
import numpy as np
import pytest

from atelier import models
from atelier.classify.networks import transfer
from atelier.classify.outputs import boxes_of, sample_predictions, write_published_outputs
from atelier.errors import AtelierError
from atelier.plots.architecture import architecture
from atelier.plots.grids import answer_bars
from atelier.plots.judging import f1_bars


def texts(figure):
    return {text.get_text() for axes in figure.axes for text in axes.texts}


def test_the_published_files_are_written(tiny_model, tiny_collection, tmp_path):
    model = shutil.copytree(tiny_model, tmp_path / "model")  # judging is recorded there
    written = write_published_outputs(model, tiny_collection, tmp_path / "out", "artist")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {path.name for path in written}
    assert names == {
        "model_architecture_artist.png",
        "confusion_matrix_artist.png",
        "classification_report_artist.txt",
        "f1_scores_artist.png",
        "best_model_artist.keras",
    }
    report = (tmp_path / "out" / "classification_report_artist.txt").read_text(encoding="utf-8")
    assert {"Across", "Down", "Plain"} <= {line.split()[0] for line in report.splitlines() if line}
    best = keras.models.load_model(
        tmp_path / "out" / "best_model_artist.keras", compile=False, safe_mode=True
    )
    for ours, theirs in zip(
        best.get_weights(), models.load(tiny_model).model.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_long_body_is_one_box_and_no_parameter_is_lost():
    network = transfer(3, backbone="mobilenetv2", cut="block_2_add", weights=None, head="pooled")
    boxes = boxes_of(network)
    assert [box[0] for box in boxes] == [
        "image",
        "mobilenetv2_pooled",
        "head_pool",
        "head_dropout",
        "probabilities",
    ]
    assert sum(box[3] for box in boxes) == network.count_params()


@pytest.mark.once
def test_boxes_name_shapes_and_parameters():
    figure = architecture(
        [("image", "InputLayer", (None, None, None, 3), 0), ("out", "Dense", (None, 5), 1234)]
    )
    assert {"image", "? × ? × 3", "Dense", "1,234"} <= texts(figure)


@pytest.mark.once
def test_f1_bars_are_sorted_and_leave_out_classes_without_pictures():
    rows = {
        "Goya": {"f1": 0.25, "support": 4},
        "Degas": {"f1": 0.75, "support": 8},
        "Titian": {"f1": None, "support": 0},
    }
    figure = f1_bars(rows, title="here")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Degas (8)", "Goya (4)"]
    assert [bar.get_width() for bar in axes.patches] == [0.75, 0.25]
    assert axes.get_legend().get_texts()[0].get_text() == "mean 0.500"


def test_sample_predictions_show_pictures_or_else_their_names(
    tiny_model, tiny_collection, monkeypatch
):
    shown = sample_predictions(tiny_model, tiny_collection, count=2)
    assert sum(len(axes.images) for axes in shown.axes) == 2
    monkeypatch.setattr(
        "atelier.classify.outputs.pictures_may_be_shown",
        lambda directory, paths: np.zeros(len(paths), bool),
    )
    named = sample_predictions(tiny_model, tiny_collection, count=2)
    assert not any(axes.images for axes in named.axes)
    titles = [axes.get_title(loc="left") for axes in named.axes if axes.get_title(loc="left")]
    assert len(titles) == 2
    assert all(title.split("\n")[1] in ("Across", "Down", "Plain") for title in titles)


@pytest.mark.once
def test_answers_need_a_caption_each():
    with pytest.raises(AtelierError, match="as many captions as labels"):
        answer_bars(["one"], np.eye(2), [0, 1], ["a", "b"])
