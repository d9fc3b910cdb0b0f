import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier.classify.datasets import load_datasets
from atelier.data.corrections import load_corrections
from atelier.data.reading import read_rgb
from atelier.data.splits import Split, SplitConfig, load_split
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def painting(seed, size=(96, 128)):
    """A picture with enough to see, (height, width, 3) uint8."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return np.array(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC))


def write(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def collection(tmp_path):
    """Two artists of ten paintings, JPEG."""
    for number, artist in enumerate(("Berthe Morisot", "Paul Cézanne")):
        for work in range(10):
            pixels = painting(100 * number + work)
            write(tmp_path / "works" / artist / f"{work}.jpg", pixels, quality=90)
    return tmp_path / "works"


@pytest.fixture
def split(collection):
    return load_split(collection, SplitConfig())


@pytest.fixture
def given(tmp_path):
    """A function that puts a picture among the feedback."""

    def put(pixels, artist, name="a"):
        write(tmp_path / "feedback" / artist / f"{name}.png", pixels)
        return tmp_path / "feedback"

    return put


def first_of(split, part, label="Berthe Morisot"):
    rows = split.part(part)
    return rows[rows["label"] == label].iloc[0]


def reproductions(pixels):
    """The picture as others have photographed, cut, turned, shrunk and painted it."""
    height, width = pixels.shape[:2]
    touch = np.random.default_rng(7).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    touch = np.array(Image.fromarray(touch).resize((width, height), Image.Resampling.BICUBIC))
    small = Image.fromarray(pixels).resize((width * 2 // 3, height * 2 // 3))
    return {
        "itself": pixels,
        "smaller": np.array(small),
        "cut": pixels[6:-4, 9:],
        "mirrored": pixels[:, ::-1],
        "darker": np.uint8(pixels * 0.8),
        "painted again": np.uint8(pixels * 0.6 + touch * 0.4),
    }


def test_a_new_picture_joins_training_under_its_artist_however_spelled(collection, split, given):
    folder = given(painting(500), "Paul_Cezanne")
    found = load_corrections(folder, collection, split)
    row = found.table.iloc[0]
    assert (row["label"], row["split"]) == ("Paul Cézanne", "train")
    assert np.array_equal(read_rgb(row["path"]), painting(500))
    assert row["leak_group"] not in set(split.table["leak_group"])
    assert found.left_out == {}
    assert found.facts()["labels"] == {"Paul Cézanne": 1}


@pytest.mark.parametrize("part", ["val", "test"])
@pytest.mark.parametrize("how", ["itself", "smaller", "cut", "mirrored", "darker", "painted again"])
def test_a_reproduction_of_a_held_out_picture_is_left_out(collection, split, given, part, how):
    row = first_of(split, part)
    pixels = reproductions(read_rgb(collection / row["path"]))[how]
    found = load_corrections(given(pixels, row["label"]), collection, split)
    assert found.table.empty
    assert found.left_out == {"of a val or test picture": 1}


def test_a_second_version_of_a_training_picture_may_be_anothers(collection, split, given):
    pixels = read_rgb(collection / first_of(split, "train")["path"])
    folder = given(reproductions(pixels)["painted again"], "Paul Cézanne")
    assert load_corrections(folder, collection, split).left_out == {}


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_held_out_picture_under_another_artist_is_left_out_too(collection, split, given, part):
    pixels = read_rgb(collection / first_of(split, part)["path"])
    found = load_corrections(given(pixels, "Paul Cézanne"), collection, split)
    assert found.left_out == {"of a val or test picture": 1}


def test_so_are_the_very_bytes(collection, split, given):
    row = first_of(split, "test")
    folder = given(painting(500), "Paul Cézanne")
    (folder / "Paul Cézanne" / "b.jpg").write_bytes((collection / row["path"]).read_bytes())
    found = load_corrections(folder, collection, split)
    assert found.left_out == {"of a val or test picture": 1}
    assert len(found.table) == 1


def test_so_is_a_plain_picture_in_which_there_is_nothing_to_compare(tmp_path, given):
    for work in range(10):
        for number, artist in enumerate("ab"):
            grey = np.full((48, 48, 3), 20 * work + 9 * number, np.uint8)
            write(tmp_path / "plain" / artist / f"{work}.png", grey)
    split = load_split(tmp_path / "plain", SplitConfig())
    row = first_of(split, "val", "a")
    pixels = read_rgb(tmp_path / "plain" / row["path"])
    found = load_corrections(given(pixels, "a"), tmp_path / "plain", split)
    assert found.left_out == {"of a val or test picture": 1}


def test_so_is_what_resembles_it_by_way_of_another(collection, split, given):
    held = read_rgb(collection / first_of(split, "val")["path"])
    between = held[:, :100]
    far = between[:, 26:]
    given(far, "Berthe Morisot", "far")
    assert len(load_corrections(given(far, "Berthe Morisot"), collection, split).table) == 1
    found = load_corrections(given(between, "Berthe Morisot", "between"), collection, split)
    assert found.table.empty
    assert found.left_out == {"of a val or test picture": 3}


def test_all_of_a_leak_group_in_training_is_one_group(collection, split, given):
    row = first_of(split, "train")
    darker = reproductions(read_rgb(collection / row["path"]))["darker"]
    found = load_corrections(given(darker, row["label"]), collection, split)
    assert found.table["leak_group"].tolist() == [row["leak_group"]]


def test_a_copy_of_a_training_picture_adds_nothing(collection, split, given):
    row = first_of(split, "train")
    found = load_corrections(
        given(read_rgb(collection / row["path"]), row["label"]), collection, split
    )
    assert found.table.empty
    assert found.left_out == {"there already": 1}


def test_a_label_that_contradicts_training_corrects_nothing_silently(
    collection, split, given, caplog
):
    pixels = read_rgb(collection / first_of(split, "train")["path"])
    for number, how in enumerate(("itself", "smaller")):
        given(reproductions(pixels)[how], "Paul Cézanne", str(number))
    folder = given(painting(500), "Paul Cézanne", "new")
    found = load_corrections(folder, collection, split)
    assert found.left_out == {"disputed": 2}
    assert found.disputed == found.facts()["disputed"]
    assert set(found.disputed) == {"Paul Cézanne/0.png", "Paul Cézanne/1.png"}
    assert "Paul Cézanne/0.png" in caplog.text
    assert len(found.table) == 1


def test_users_who_contradict_each_other_are_left_out_both(collection, split, given):
    given(painting(500), "Paul Cézanne", "one")
    folder = given(reproductions(painting(500))["smaller"], "Berthe Morisot", "two")
    assert load_corrections(folder, collection, split).left_out == {"disputed": 2}


def test_a_picture_given_twice_counts_once(collection, split, given):
    given(painting(500), "Paul Cézanne", "one")
    folder = given(painting(500), "paul cezanne", "two")
    found = load_corrections(folder, collection, split)
    assert len(found.table) == 1
    assert found.left_out == {"there already": 1}


def test_strangers_and_broken_files_are_counted(collection, split, given):
    given(painting(500), "Rembrandt")
    folder = given(painting(501), "Paul Cézanne")
    (folder / "Paul Cézanne" / "broken.png").write_bytes(b"not a picture")
    found = load_corrections(folder, collection, split)
    assert found.left_out == {"of no class here": 1, "unreadable": 1}
    assert len(found.table) == 1


def test_nothing_usable_adds_nothing(collection, split, given):
    found = load_corrections(given(painting(500), "Rembrandt"), collection, split)
    assert found.table.empty
    assert found.facts()["added"] == 0


def test_a_folder_without_pictures_is_refused(collection, split, tmp_path):
    with pytest.raises(AtelierError, match="pictures"):
        load_corrections(tmp_path / "none", collection, split)


def test_the_fingerprint_follows_bytes_and_labels_of_what_is_added(
    collection, split, given, tmp_path
):
    def mark(folder):
        return load_corrections(folder, collection, split).fingerprint

    folder = given(painting(500), "Paul Cézanne")
    before = mark(folder)
    given(painting(501), "Rembrandt")
    assert mark(folder) == before
    folder.rename(tmp_path / "moved")
    assert mark(tmp_path / "moved") == before
    path = tmp_path / "moved" / "Paul Cézanne" / "a.png"
    path.rename(path.with_name("b.png"))
    assert mark(tmp_path / "moved") == before
    (tmp_path / "moved" / "Berthe Morisot").mkdir()
    path.with_name("b.png").rename(tmp_path / "moved" / "Berthe Morisot" / "b.png")
    relabeled = mark(tmp_path / "moved")
    write(tmp_path / "moved" / "Berthe Morisot" / "b.png", painting(502))
    assert len({before, relabeled, mark(tmp_path / "moved")}) == 3


def test_the_order_of_pictures_does_not_follow_their_names(collection, split, given):
    given(painting(500), "Paul Cézanne", "one")
    folder = given(painting(501), "Paul Cézanne", "two") / "Paul Cézanne"
    before = load_corrections(folder.parent, collection, split)
    (folder / "one.png").rename(folder / "zero.png")
    after = load_corrections(folder.parent, collection, split)
    assert after.fingerprint == before.fingerprint
    again = [path.replace("zero", "one") for path in after.table["path"]]
    assert again == before.table["path"].tolist()


# ---- as a recipe sees it ---------------------------------------------------


def test_only_the_training_part_grows(tiny_recipe, tiny_collection, given):
    plain = load_datasets(tiny_recipe, tiny_collection)
    folder = given(painting(500, (32, 32)), "Plain")
    data = load_datasets(tiny_recipe, tiny_collection, feedback=folder)
    rows = len(plain.part("train"))
    assert len(data.part("train")) == rows + 1
    for part in ("val", "test"):
        pd.testing.assert_frame_equal(data.part(part), plain.part(part))
    added = data.pictures("train")[-1]
    assert np.array_equal(added, painting(500, (32, 32)))
    assert data.class_names[data.labels("train")[-1]] == "Plain"
    shown = np.concatenate([images for images, _ in data.train_ds(augment=None)])
    assert len(shown) == (rows + 1) // 8 * 8
    pd.testing.assert_frame_equal(data.table.head(rows), plain.table.head(rows))


def test_feedback_comes_on_top_of_a_subset(tiny_recipe, tiny_collection, given):
    folder = given(painting(500, (32, 32)), "Plain")
    data = load_datasets(tiny_recipe, tiny_collection, subset=2, feedback=folder)
    counts = data.part("train")["label"].value_counts()
    assert counts.to_dict() == {"Across": 2, "Down": 2, "Plain": 3}


def test_without_feedback_the_fingerprint_is_the_splits(tiny_recipe, tiny_collection, given):
    plain = load_datasets(tiny_recipe, tiny_collection)
    assert plain.fingerprint == plain.split.fingerprint
    data = load_datasets(
        tiny_recipe, tiny_collection, feedback=given(painting(500, (32, 32)), "Plain")
    )
    assert data.fingerprint != plain.fingerprint
    assert data.split.fingerprint == plain.fingerprint
    assert isinstance(data.split, Split)
