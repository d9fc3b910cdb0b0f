import os
import sys
from pathlib import Path

import pandas as pd
import pytest

from atelier.data.layouts import (
    find_images,
    layout_of,
    movement_of,
    read_artgan_lists,
    read_artists,
    read_domains,
    read_layout,
    repair_name,
)
from atelier.data.layouts.names import spoken_slug
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

SHARED = Path(os.environ.get("ATELIER_SHARED", Path(__file__).parents[3] / "shared")) / "data"
COLUMNS = ["path", "artist", "style", "genre", "movement"]
BROKEN_ONCE, BROKEN_TWICE = "Albrecht_Du╠êrer", "Albrecht_DuΓòá├¬rer"
CLASSES = {
    "artist": ["Claude_Monet", "Vincent_van_Gogh"],
    "genre": ["landscape", "still_life"],
    "style": ["Art_Nouveau", "Impressionism"],
}


def put(root, *paths, content=None):
    """Files that look like pictures by name; a layout opens none."""
    for number, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if content is not None else f"{path}{number}".encode())
    return root


def write_artists(root, rows):
    root.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows, columns=["name", "genre"]).to_csv(root / "artists.csv", index_label="id")
    return root


def write_lists(folder, task, train, val, names=None):
    folder.mkdir(parents=True, exist_ok=True)
    names = names or CLASSES[task]
    (folder / f"{task}_class.txt").write_text(
        "".join(f"{index} {name}\n" for index, name in enumerate(names))
    )
    for split, rows in (("train", train), ("val", val)):
        (folder / f"{task}_{split}.csv").write_text("".join(f"{p},{i}\n" for p, i in rows))


def labels(table, path):
    row = table.set_index("path").loc[path]
    return [None if pd.isna(value) else value for value in row[COLUMNS[1:]]]


# ---- names -----------------------------------------------------------------


@pytest.mark.parametrize("times", [0, 1, 2, 3])
@pytest.mark.parametrize("page", ["cp437", "latin-1"])
@pytest.mark.parametrize("name", ["Albrecht Dürer", "Joan Miró", "Édouard Manet", "蒙德里安"])
def test_repair_name_undoes_any_number_of_wrong_readings(name, page, times):
    broken = name
    for _ in range(times):
        broken = broken.encode("utf-8").decode(page)
    assert repair_name(broken) == name


def test_repair_name_mends_both_of_durers_folders_and_leaves_sound_names():
    assert repair_name(BROKEN_ONCE) == repair_name(BROKEN_TWICE) == "Albrecht_Dürer"
    for sound in ("Albrecht Dürer", "Brâncuși", "Ærø", "Łódź", "北斎", "a_b-c"):
        assert repair_name(sound) == sound


def test_wikiart_names_read_as_people_write_them():
    assert spoken_slug("vincent-van-gogh") == "Vincent van Gogh"
    assert spoken_slug("el-greco") == "El Greco"
    assert spoken_slug("marevna-(marie-vorobieff)") == "Marevna (Marie Vorobieff)"


def test_find_images_passes_over_hidden_files_and_follows_a_loop_once(tmp_path):
    put(tmp_path, "a/1.JPG", "a/.2.jpg", "__MACOSX/a/1.jpg", ".cache/3.png", "b/4.webp", "b/n.txt")
    (tmp_path / "b" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert find_images(tmp_path) == ["a/1.JPG", "b/4.webp"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of undecodable bytes need Linux")
def test_a_name_that_is_no_text_is_passed_over_and_counted(tmp_path, caplog):
    put(tmp_path, "a/1.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path / "a") + b"/\xff.jpg")).write_bytes(b"x")
    assert find_images(tmp_path) == ["a/1.jpg"]
    assert "1 files" in caplog.text


# ---- movements -------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "movement"),
    [
        ("Analytical_Cubism", "Cubism"),
        ("Post Impressionism", "Impressionism"),
        ("Hard Edge Painting", "Abstract"),
        ("Impressionism,Post-Impressionism", "Impressionism"),
    ],
)
def test_a_style_belongs_to_its_movement(style, movement):
    assert movement_of(style) == movement


@pytest.mark.parametrize("style", ["Pointillism", "Realism,Impressionism", "Cubism,Baroque", pd.NA])
def test_a_style_in_no_list_or_in_two_has_no_movement(style):
    assert movement_of(style) is pd.NA


# ---- Kaggle's artists ------------------------------------------------------


def test_artists_are_labeled_from_the_csv_and_its_genre_is_the_style(tmp_path):
    write_artists(tmp_path, [("Claude Monet", "Impressionism"), ("Marc Chagall", "Primitivism")])
    put(tmp_path, "images/images/Claude_Monet/Claude_Monet_1.jpg", "photos/x.jpg")
    table = read_layout(tmp_path)
    assert list(table) == COLUMNS
    assert len(table) == 1
    expected = ["Claude Monet", "Impressionism", None, "Impressionism"]
    assert labels(table, "images/images/Claude_Monet/Claude_Monet_1.jpg") == expected


def test_the_resized_copies_are_not_counted_again(tmp_path):
    write_artists(tmp_path, [("Claude Monet", "Impressionism")])
    put(
        tmp_path,
        "images/images/Claude_Monet/Claude_Monet_1.jpg",
        "resized/resized/Claude_Monet_1.jpg",
    )
    assert len(read_layout(tmp_path)) == 1


def test_the_resized_copies_serve_where_the_others_are_missing(tmp_path):
    write_artists(tmp_path, [("Claude Monet", "Impressionism"), ("Albrecht Dürer", "Renaissance")])
    put(
        tmp_path,
        "resized/resized/Claude_Monet_1.jpg",
        f"resized/resized/{BROKEN_ONCE}_1.jpg",
        f"resized/resized/{BROKEN_TWICE}_1.jpg",
    )
    table = read_layout(tmp_path)
    assert table["artist"].tolist() == ["Albrecht Dürer", "Claude Monet"]


def test_durers_two_folders_are_one_painter_counted_once(tmp_path):
    write_artists(tmp_path, [("Albrecht Dürer", "Northern Renaissance")])
    for folder in (BROKEN_ONCE, BROKEN_TWICE):
        for number in (1, 2):
            path = f"images/images/{folder}/{folder}_{number}.jpg"
            put(tmp_path, path, content=f"picture {number}".encode())
    only_there = f"images/images/{BROKEN_TWICE}/{BROKEN_TWICE}_3.jpg"
    put(tmp_path, only_there)
    table = read_layout(tmp_path)
    assert set(table["artist"]) == {"Albrecht Dürer"}
    assert len(table) == 3
    assert only_there in set(table["path"])
    assert sum(BROKEN_ONCE in path for path in table["path"]) == 2


def test_merging_two_spellings_keeps_different_pictures_of_one_name(tmp_path):
    for folder in ("Marc Chagall", "Marc_Chagall"):
        put(tmp_path, f"{folder}/one.jpg")
        put(tmp_path, f"{folder}/two.jpg", content=b"the same in both")
    put(tmp_path, "Joan Miro/one.jpg", "Joan Miro/copy.jpg", content=b"not merged, so kept")
    table = read_layout(tmp_path)
    assert table["artist"].value_counts().to_dict() == {"Marc Chagall": 3, "Joan Miro": 2}


def test_a_folder_that_the_csv_does_not_know_is_labeled_by_its_name(tmp_path, caplog):
    write_artists(tmp_path, [("Claude Monet", "Impressionism")])
    put(tmp_path, "images/images/Joan_Miro/Joan_Miro_1.jpg")
    table = read_layout(tmp_path)
    assert labels(table, "images/images/Joan_Miro/Joan_Miro_1.jpg") == [
        "Joan Miro",
        None,
        None,
        None,
    ]
    assert "Joan Miro" in caplog.text


@pytest.mark.parametrize("content", ["", "id,painter\n0,Monet\n", 'name\n"unclosed'])
def test_a_broken_artists_csv_is_refused(tmp_path, content):
    put(tmp_path, "images/images/a/1.jpg")
    (tmp_path / "artists.csv").write_text(content)
    with pytest.raises(AtelierError, match=r"artists\.csv"):
        read_layout(tmp_path)


def test_read_artists_says_where_it_looked(tmp_path):
    with pytest.raises(AtelierError, match=str(tmp_path)):
        read_artists(tmp_path)


# ---- WikiArt and ArtGAN ----------------------------------------------------

MONET = "Impressionism/claude-monet_water-lilies.jpg"
GOGH = "Art_Nouveau_Modern/vincent-van-gogh_a,-b_c.jpg"


def test_wikiart_file_names_give_artists_and_folders_give_styles(tmp_path):
    put(tmp_path, MONET, GOGH)
    table = read_layout(tmp_path)
    assert layout_of(tmp_path) == "wikiart"
    assert labels(table, MONET) == ["Claude Monet", "Impressionism", None, "Impressionism"]
    assert labels(table, GOGH) == ["Vincent van Gogh", "Art Nouveau Modern", None, None]


@pytest.mark.parametrize("beside", [True, False])
def test_lists_beside_or_inside_add_genres(tmp_path, beside):
    root = put(tmp_path / "wikiart", MONET, GOGH)
    lists = (tmp_path if beside else root) / "wikiart_csv"
    gogh_listed = GOGH.replace("_Modern", "")
    write_lists(lists, "genre", [(MONET, 0)], [(gogh_listed, 1), ("Cubism/gone_x.jpg", 1)])
    table = read_layout(root)
    assert labels(table, MONET)[2] == "landscape"
    assert labels(table, GOGH)[2] == "still life"


def test_official_lists_keep_their_order_and_their_splits(tmp_path):
    root = put(tmp_path / "wikiart", MONET, GOGH)
    write_lists(tmp_path, "artist", [(MONET, 0)], [("Cubism/gone_x.jpg", 1), (GOGH, 1)])
    table = read_artgan_lists(tmp_path, "artist")
    assert table["split"].tolist() == ["train", "val", "val"]
    assert table["label"].tolist() == ["Claude Monet", "Vincent van Gogh", "Vincent van Gogh"]
    assert table.attrs["class_names"] == ["Claude Monet", "Vincent van Gogh"]
    here = read_artgan_lists(tmp_path, "artist", directory=root)
    assert here["path"].tolist() == [MONET, GOGH]


@pytest.mark.parametrize("line", ["a/b.jpg,9", "a/b.jpg", "a/b.jpg,x", ",1", "a/b.jpg,-1"])
def test_a_bad_line_in_a_list_is_named(tmp_path, line):
    write_lists(tmp_path, "genre", [(MONET, 0)], [])
    with (tmp_path / "genre_train.csv").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(AtelierError, match="line 2"):
        read_artgan_lists(tmp_path, "genre")


def test_missing_lists_and_unknown_tasks_are_refused(tmp_path):
    with pytest.raises(AtelierError, match=r"style_class\.txt"):
        read_artgan_lists(tmp_path, "style")
    with pytest.raises(AtelierError, match="'century'"):
        read_artgan_lists(tmp_path, "century")
    write_lists(tmp_path, "style", [], [], names=["A"])
    (tmp_path / "style_class.txt").write_text("0 A\n2 B\n")
    with pytest.raises(AtelierError, match="from 0"):
        read_artgan_lists(tmp_path, "style")


# ---- the others ------------------------------------------------------------


def test_painter_by_numbers_reads_its_csv_and_prefers_replacements(tmp_path, caplog):
    put(
        tmp_path,
        "train/1.jpg",
        "test/2.jpg",
        "replacements_for_corrupted_files/2.jpg",
        "test/9.jpg",
    )
    header = "artist,date,genre,pixelsx,pixelsy,size_bytes,source,style,title,artist_group,in_train"
    rows = [
        "Paul Klee,1920,portrait,1,1,1,w,Cubism,T,train_only,True,1.jpg",
        'Joan Miró,,,1,1,1,w,,"T, too",test_only,False,2.jpg',
        "Nobody,,,1,1,1,w,,T,test_only,False,3.jpg",
    ]
    (tmp_path / "all_data_info.csv").write_text(
        "\n".join([f"{header},new_filename", *rows]) + "\n", encoding="utf-8"
    )
    table = read_layout(tmp_path)
    assert labels(table, "train/1.jpg") == ["Paul Klee", "Cubism", "portrait", "Cubism"]
    assert labels(table, "replacements_for_corrupted_files/2.jpg") == [
        "Joan Miró",
        None,
        None,
        None,
    ]
    assert len(table) == 2
    assert "1 of 3" in caplog.text


def test_gan_getting_started_is_two_domains(tmp_path):
    put(tmp_path, "monet_jpg/a.jpg", "photo_jpg/b.jpg", "photo_jpg/c.jpg", "monet_tfrec/m.tfrec")
    table = read_layout(tmp_path)
    assert labels(table, "monet_jpg/a.jpg")[0] == "Claude Monet"
    assert labels(table, "photo_jpg/b.jpg") == [None, None, "photograph", None]
    assert read_domains(tmp_path)["photo"] == ["photo_jpg/b.jpg", "photo_jpg/c.jpg"]
    with pytest.raises(AtelierError, match="monet_jpg"):
        read_domains(tmp_path / "elsewhere")


def test_a_folder_of_folders_always_works(tmp_path):
    put(tmp_path, "Frida_Kahlo/a.jpg", "Frida_Kahlo/late/b.png", "Joan Miro/c.jpg", "loose.jpg")
    table = read_layout(tmp_path)
    assert labels(table, "Frida_Kahlo/late/b.png") == ["Frida Kahlo", None, None, None]
    assert labels(table, "loose.jpg") == [None] * 4
    assert table["path"].is_monotonic_increasing
    assert all(str(dtype) == "string" for dtype in table.dtypes)


def test_a_collection_one_folder_down_is_read_through(tmp_path):
    outer = tmp_path / "outer"
    write_artists(outer / "archive", [("Claude Monet", "Impressionism")])
    put(outer, "archive/images/images/Claude_Monet/Claude_Monet_1.jpg")
    table = read_layout(outer)
    assert table["artist"].tolist() == ["Claude Monet"]
    assert (outer / table["path"][0]).is_file()


def test_one_artists_folder_is_not_taken_for_a_wrapping(tmp_path):
    put(tmp_path, "Frida_Kahlo/a.jpg")
    assert read_layout(tmp_path)["artist"].tolist() == ["Frida Kahlo"]


def test_no_folder_no_pictures_and_several_collections_are_refused(tmp_path):
    with pytest.raises(AtelierError, match="no such folder"):
        read_layout(tmp_path / "nowhere")
    with pytest.raises(AtelierError, match="a file"):
        read_layout(put(tmp_path / "f", "x.jpg") / "x.jpg")
    (tmp_path / "empty" / "a").mkdir(parents=True)
    with pytest.raises(AtelierError, match="Found none"):
        read_layout(tmp_path / "empty")
    put(tmp_path / "several", "w/Cubism/a_b.jpg", "g/monet_jpg/a.jpg", "g/photo_jpg/b.jpg")
    with pytest.raises(AtelierError, match="holds g, w"):
        read_layout(tmp_path / "several")


# ---- the real ones ---------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="no real collections beside the repository")
def test_the_real_collections_read_as_they_are_known():
    paintings = read_layout(SHARED / "best-artworks-of-all-time")
    artists = read_artists(SHARED / "best-artworks-of-all-time")
    assert set(paintings["artist"]) == set(artists["name"].str.strip())
    counts = paintings["artist"].value_counts()
    assert set(counts[counts >= 200].index) == set(artists["name"][artists["paintings"] >= 200])
    wikiart = read_layout(SHARED / "wikiart")
    assert (wikiart["style"].nunique(), wikiart["genre"].nunique()) == (11, 10)
    domains = read_domains(SHARED / "gan-getting-started")
    assert (len(domains["monet"]), len(domains["photo"])) == (300, 1000)
    for task, classes in (("artist", 16), ("genre", 10), ("style", 11)):
        listed = read_artgan_lists(SHARED / "wikiart_csv", task, directory=SHARED / "wikiart")
        assert listed["label"].nunique() == classes
