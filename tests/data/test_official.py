import os
from pathlib import Path

import pandas as pd
import pytest

from atelier import paths
from atelier.data import splits
from atelier.data.layouts import find_lists, read_artgan_lists
from atelier.data.manifest import MANIFEST_TYPES
from atelier.data.splits import SplitConfig, leaking, load_split
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

SHARED = Path(os.environ.get("ATELIER_SHARED", Path(__file__).parents[3] / "shared")) / "data"
GENRES = ["landscape", "portrait", "still_life"]
OFFICIAL = SplitConfig(kind="official", label="genre")


class WikiArt:
    """A collection of empty files whose manifest is made up, and lists beside it."""

    def __init__(self, root):
        self.directory, self.lists = root / "wikiart", root / "wikiart_csv"
        self.rows, self.groups = {"train": [], "val": []}, {}

    def add(self, split, genre, count=1, *, group=None, there=True, style="Cubism"):
        """List so many pictures of a genre; returns their paths."""
        added = []
        for _ in range(count):
            number = len(self.groups) + 1000
            path = f"{style}/somebody_{number}.jpg"
            self.groups[path] = number if group is None else group
            self.rows[split].append((path, genre))
            if there:
                (self.directory / style).mkdir(parents=True, exist_ok=True)
                (self.directory / path).touch()
            added.append(path)
        return added

    def write(self, folder=None, names=GENRES):
        """Write the lists of genres."""
        folder = folder or self.lists
        folder.mkdir(parents=True, exist_ok=True)
        classes = "".join(f"{index} {name}\n" for index, name in enumerate(names))
        (folder / "genre_class.txt").write_text(classes)
        for split, rows in self.rows.items():
            lines = [f"{path},{names.index(genre)}\r\n" for path, genre in rows]
            (folder / f"genre_{split}.csv").write_text("".join(lines))

    def manifest(self, directory, progress=None):
        """What the audit would say of the pictures that are there."""
        there = [path for path in self.groups if (self.directory / path).exists()]
        table = pd.DataFrame({"path": sorted(there)}, dtype="string")
        table = table.assign(
            style=table["path"].str.split("/").str[0],
            sha256=table["path"],
            readable=True,
            leak_group=table["path"].map(self.groups),
        )
        return table.reindex(columns=list(MANIFEST_TYPES)).astype(MANIFEST_TYPES)

    def split(self, config=OFFICIAL):
        """Path -> split."""
        return load_split(self.directory, config).table.set_index("path")["split"]


@pytest.fixture
def wikiart(tmp_path, monkeypatch):
    collection = WikiArt(tmp_path)
    monkeypatch.setattr(splits, "load_manifest", collection.manifest)
    return collection


@pytest.fixture
def listed(wikiart):
    """Twenty pictures of two genres to train with, eight to judge by."""
    for genre in ("landscape", "portrait"):
        wikiart.add("train", genre, 20)
        wikiart.add("val", genre, 8)
    wikiart.write()
    return wikiart


def test_the_validation_list_judges_and_the_training_list_trains_and_chooses(listed):
    split = load_split(listed.directory, OFFICIAL)
    assert split.class_names == ["landscape", "portrait"]  # nothing is a still life
    counts = split.table.groupby(["label", "split"]).size().unstack()
    assert counts.to_dict("list") == {"test": [8, 8], "train": [17, 17], "val": [3, 3]}
    judging = set(split.table["path"][split.table["split"] == "test"])
    assert judging == {path for path, _ in listed.rows["val"]}
    assert split.table["path"].is_monotonic_increasing


def test_an_official_split_depends_on_its_seed_and_fractions(listed):
    first, again = listed.split(), listed.split()
    assert first.equals(again)
    other = listed.split(SplitConfig(kind="official", label="genre", seed=1))
    assert not first.equals(other)
    assert (first == "test").equals(other == "test")
    half = listed.split(SplitConfig(kind="official", label="genre", fractions=(0.5, 0.5)))
    assert half.value_counts().to_dict() == {"train": 20, "val": 20, "test": 16}


def test_a_painting_of_both_lists_is_left_out_of_training_and_counted(listed, caplog):
    copies = listed.add("train", "landscape", 2, group=7)
    judged = listed.add("val", "landscape", 1, group=7)
    listed.write()
    split = load_split(listed.directory, OFFICIAL)
    places = split.table.set_index("path")["split"]
    assert not places.index.isin(copies).any()
    assert places[judged[0]] == "test"
    assert leaking(split.table).empty
    assert "2 of 42 pictures of the training list left out" in caplog.text


def test_reproductions_in_the_training_list_stay_together(listed):
    pairs = [listed.add("train", "portrait", 2, group=group) for group in range(10)]
    listed.write()
    places = listed.split()
    assert all(places[first] == places[second] for first, second in pairs)


def test_listed_pictures_that_are_not_there_are_counted_and_named(listed, caplog):
    gone = listed.add("train", "portrait", 2, there=False)
    listed.write()
    assert not listed.split().index.isin(gone).any()
    assert "2 of 58 pictures of the genre lists are not in" in caplog.text
    assert gone[0] in caplog.text


def test_lists_of_another_collection_are_refused(wikiart):
    wikiart.add("train", "portrait", 5, there=False)
    wikiart.write()
    (wikiart.directory / "Rococo").mkdir(parents=True)
    with pytest.raises(AtelierError, match=r"genre lists in .*Found none of 5, such as Cubism"):
        wikiart.split()


@pytest.mark.parametrize(("split", "counts"), [("train", "1 and 0"), ("val", "0 and 1")])
def test_a_class_that_one_of_the_lists_lacks_is_named_with_the_way_out(listed, split, counts):
    listed.add(split, "still_life", 1)
    listed.write()
    with pytest.raises(AtelierError, match=rf"still life \({counts}\).*min_works=1"):
        listed.split()
    leave_out = SplitConfig(kind="official", label="genre", min_works=1)
    assert set(load_split(listed.directory, leave_out).table["label"]) == {"landscape", "portrait"}


def test_a_class_too_small_to_choose_by_is_named(listed):
    listed.add("train", "still_life", 1)
    listed.add("val", "still_life", 1)
    listed.write()
    with pytest.raises(AtelierError, match=r"at least 2 works.*still life 1"):
        listed.split()


def test_unknown_labels_are_no_class(listed, caplog):
    listed.add("train", "Unknown_Genre", 4)
    listed.add("val", "Unknown_Genre", 4)
    listed.write(names=[*GENRES, "Unknown_Genre"])
    assert len(listed.split()) == 56
    assert "8 pictures of unknown label left out" in caplog.text


def test_changed_lists_give_another_split(listed):
    assert len(listed.split()) == 56
    listed.rows["train"].pop()
    listed.write()
    assert len(listed.split()) == 55


def test_movements_are_split_by_the_lists_of_styles(wikiart):
    for style in ("Cubism", "Fauvism", "Rococo"):
        wikiart.add("train", style, 10, style=style)
        wikiart.add("val", style, 5, style=style)
    wikiart.write(names=["Cubism", "Fauvism", "Rococo"])
    for path in wikiart.lists.iterdir():
        path.rename(path.with_name(path.name.replace("genre", "style")))
    split = load_split(wikiart.directory, SplitConfig(kind="official", label="movement"))
    assert split.class_names == ["Cubism", "Expressionism"]
    assert len(split.table) == 30


def test_only_two_fractions_divide_a_training_list():
    assert OFFICIAL.fractions == (0.85, 0.15)
    with pytest.raises(AtelierError, match="Expected 2 fractions"):
        SplitConfig(kind="official", label="genre", fractions=(0.7, 0.15, 0.15))


# ---- where lists lie -------------------------------------------------------


@pytest.mark.parametrize(
    "place", ["wikiart", "wikiart/wikiart_csv", "artgan_csv", "repository/data/wikiart_csv"]
)
def test_lists_are_found_inside_beside_and_where_they_are_fetched_to(listed, place, tmp_path):
    for path in listed.lists.iterdir():
        path.unlink()
    listed.write(tmp_path / place)
    assert find_lists(listed.directory) == tmp_path / place
    assert len(listed.split()) == 56


def test_lists_are_found_in_a_copy_of_artgans_repository(listed, tmp_path):
    folder = tmp_path / "ArtGAN" / "WikiArt Dataset" / "Genre"
    folder.mkdir(parents=True)
    for path in listed.lists.iterdir():
        path.rename(folder / path.name)
    (folder / "genre_class.txt").rename(folder / "genre_class")
    assert find_lists(listed.directory) == tmp_path / "ArtGAN"
    assert len(listed.split()) == 56


def test_lists_that_are_named_win(listed, tmp_path, monkeypatch):
    listed.rows["train"].pop()
    listed.write(tmp_path / "elsewhere")
    monkeypatch.setenv("ATELIER_LISTS", str(tmp_path / "elsewhere"))
    assert len(listed.split()) == 55
    monkeypatch.setenv("ATELIER_LISTS", str(tmp_path / "nowhere"))
    with pytest.raises(AtelierError, match=r"ATELIER_LISTS.*Found none in .*nowhere"):
        listed.split()


def test_without_lists_the_places_that_were_looked_at_are_named(wikiart):
    wikiart.directory.mkdir()
    with pytest.raises(AtelierError, match=r"wikiart_csv.*artgan-lists") as error:
        wikiart.split()
    assert str(paths.data_dir() / "wikiart_csv") in str(error.value)


def test_a_picture_that_both_lists_name_judges(listed):
    path, genre = listed.rows["val"][0]
    listed.rows["train"].append((path, genre))
    listed.write()
    table = read_artgan_lists(listed.lists, "genre", directory=listed.directory)
    assert table.set_index("path").loc[path, "split"] == "val"


# ---- the real one ----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="no real collections beside the repository")
@pytest.mark.parametrize(
    ("label", "classes", "judged"), [("genre", 10, 965), ("style", 11, 961), ("artist", 15, 409)]
)
def test_the_real_lists_judge_by_all_their_pictures_and_leak_nothing(
    label, classes, judged, monkeypatch
):
    monkeypatch.setenv("ATELIER_ROOT", str(Path(__file__).parents[2]))
    config = SplitConfig(kind="official", label=label, min_works=1)  # Repin is in one list only
    split = load_split(SHARED / "wikiart", config)
    assert len(split.class_names) == classes
    assert (split.table["split"] == "test").sum() == judged
    assert leaking(split.table).empty
