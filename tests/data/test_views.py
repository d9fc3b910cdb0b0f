import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier.data.images import decode
from atelier.data.views import VIEWS, average_views, six_views, view_side

pytestmark = pytest.mark.once


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_details_are_pixels_of_the_file_at_its_corners_and_middle():
    image = noise(70, 50)
    _, *details = six_views(image, (32, 32))
    corners = [(0, 0), (0, 18), (38, 0), (38, 18), (19, 9)]
    for detail, (top, left) in zip(details, corners, strict=True):
        assert np.array_equal(detail, image[top : top + 32, left : left + 32])


def test_the_whole_is_padded_to_a_square_and_keeps_its_proportions():
    whole = six_views(np.full((100, 50, 3), 200, np.uint8), (32, 32))[0]
    assert whole.shape == (32, 32, 3)
    assert (whole[:, :8] == 0).all()
    assert (whole[:, 24:] == 0).all()
    assert (whole[:, 8:24] == 200).all()


@pytest.mark.parametrize("shape", [(20, 90), (90, 20), (5, 5), (1, 40)])
def test_what_is_smaller_than_a_view_is_enlarged_to_cover_it(shape):
    _, *details = six_views(np.full((*shape, 3), 90, np.uint8), (32, 48))
    assert np.array_equal(details, np.full((5, 32, 48, 3), 90))


@pytest.mark.parametrize(
    ("shorter", "side"), [((224, 224, 900), 128), ((500, 600, 700), 256), ((96, 96, 20), 64)]
)
def test_a_view_is_at_most_about_half_a_typical_file(shorter, side):
    manifest = pd.DataFrame({"width": shorter, "height": [1000] * 3}, dtype="Int64")
    assert view_side(manifest, 256) == side
    assert view_side(manifest.rename(columns={"width": "height", "height": "width"}), 256) == side


def test_a_picture_of_a_views_size_is_each_of_its_views():
    image = noise(32, 32)
    assert np.array_equal(six_views(image, (32, 32)), [image] * len(VIEWS))


def test_views_are_decoded_once_at_the_files_own_size(tmp_path, monkeypatch):
    collection = tmp_path / "collection"
    collection.mkdir()
    pictures = {f"{seed}.png": noise(300, 200, seed) for seed in range(3)}
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(collection / name)
    (collection / "bad.png").write_text("not a picture")
    asked = [*pictures, "bad.png"]
    decoded = decode(collection, asked, image_size=(24, 24), fit="views")
    assert decoded.pixels.shape == (3, 6, 24, 24, 3)
    assert list(decoded.skipped) == ["bad.png"]
    for path, pixels in pictures.items():
        (row,) = decoded.rows([path])
        assert np.array_equal(decoded.pixels[row], six_views(pixels, (24, 24)))
    monkeypatch.setattr("atelier.data.images.read_rgb", None)  # it is not read twice
    again = decode(collection, asked, image_size=(24, 24), fit="views")
    assert np.array_equal(again.pixels, decoded.pixels)


def test_the_average_over_views_is_one_row_a_painting():
    answers = np.random.default_rng(0).dirichlet(np.ones(3), 12)
    averaged = average_views(answers)
    assert averaged.shape == (2, 3)
    np.testing.assert_allclose(averaged[1], sum(answers[6:]) / 6)
