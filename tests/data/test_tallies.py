"""Twins, grey pictures and gaps, counted in tables made by hand."""

import numpy as np
import pandas as pd
import pytest

from atelier.data import tallies

pytestmark = pytest.mark.once


def test_grey_is_what_the_pixels_say():
    grey = np.repeat(np.arange(64, dtype="uint8").reshape(1, 8, 8, 1), 3, axis=-1)
    tinted = grey.copy()
    tinted[0, 3, 3, 2] += 9
    assert tallies.is_grey(np.concatenate([grey, tinted, grey + np.uint8(1)])).tolist() == [
        True,
        False,
        True,
    ]


def test_twins_are_one_row_a_painting_and_different_files_come_first():
    manifest = pd.DataFrame(
        {
            "path": ["a", "b", "c", "d", "e", "f", "g", "h"],
            "artist": ["Goya"] * 8,
            "sha256": ["1", "1", "2", "3", "4", "5", "6", "7"],
            "leak_group": [0, 0, 1, 2, 2, 2, 3, 3],
            "readable": pd.array([True] * 7 + [False], dtype="boolean"),
        }
    )
    twins = tallies.twin_pairs(manifest)
    assert twins.to_numpy().tolist() == [
        ["d", "e", "Goya", False, 3],
        ["a", "b", "Goya", True, 2],
    ]
    assert tallies.twin_pairs(manifest[2:3]).empty


def test_missing_values_are_counted_by_column():
    table = pd.DataFrame({"name": ["a", "b", "b"], "years": ["1", None, "2"]})
    counted = tallies.missing_values(table)
    assert counted[["missing", "distinct"]].to_numpy().tolist() == [[0, 2], [1, 2]]


def test_styles_are_tallied_by_movement_and_those_left_out_come_last():
    manifest = pd.DataFrame(
        {
            "path": list("abcdefg"),
            "artist": ["Monet", "Degas", "Monet", "Picasso", "Klee", "Klee", "Goya"],
            "style": [*["Impressionism"] * 2, "Post-Impressionism,Impressionism", "Cubism",
                      "Expressionism,Surrealism", None, "Cubism"],
            "readable": pd.array([True] * 6 + [False], dtype="boolean"),
        }
    )  # fmt: skip
    tally = tallies.movement_tally(manifest)
    assert tally["style"].tolist() == [
        "Cubism",
        "Impressionism",
        "Post-Impressionism,Impressionism",
        "Expressionism,Surrealism",
    ]
    assert tally["movement"].fillna("-").tolist() == ["Cubism", *["Impressionism"] * 2, "-"]
    assert tally["pictures"].tolist() == [1, 2, 1, 1]
    assert tally["painters"].tolist() == [1, 2, 1, 1]
