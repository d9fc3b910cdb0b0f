import io
import os
import stat
import sys
import types
import urllib.error
import zipfile

import pytest

from atelier import paths
from atelier.data import download
from atelier.data.sources import SOURCES, fetch, get_source, locate
from atelier.data.unpack import link_tree, unpack_zip
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

ARTISTS_CSV = "id,name,genre\n0,Claude Monet,Impressionism\n"
CONTENTS = {
    "best-artworks-of-all-time": {
        "artists.csv": ARTISTS_CSV,
        "images/images/Claude_Monet/Claude_Monet_1.jpg": "1",
        "resized/resized/Claude_Monet_1.jpg": "1",
    },
    "wikiart": {"Cubism/pablo-picasso_x.jpg": "x", "classes.csv": "a,b\n"},
    "wikiart_csv": {
        f"{task}_{part}": text
        for task in ("artist", "genre", "style")
        for part, text in (("class.txt", "0 A\n"), ("train.csv", "a/b.jpg,0\n"), ("val.csv", ""))
    },
    "painter-by-numbers": {
        "all_data_info.csv": "artist,genre,style,new_filename\nA,portrait,Cubism,1.jpg\n",
        "train/1.jpg": "1",
    },
    "gan-getting-started": {"monet_jpg/a.jpg": "a", "photo_jpg/b.jpg": "b"},
}


def write_tree(root, files):
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def zip_of(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def tree(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def refuse(monkeypatch, error):
    """kagglehub raises this, whatever is asked of it."""
    import kagglehub

    def fail(handle):
        raise error

    monkeypatch.setattr(kagglehub, "dataset_download", fail)
    monkeypatch.setattr(kagglehub, "competition_download", fail)


def http_error(status):
    import requests
    from kagglehub.exceptions import KaggleApiHTTPError

    response = requests.Response()
    response.status_code = status
    return KaggleApiHTTPError(f"{status} Client Error.\n\nYou don't have permission", response)


# ---- declarations ----------------------------------------------------------


def test_every_collection_says_where_it_comes_from_and_on_what_terms():
    for name, source in SOURCES.items():
        assert source.name == name
        assert source.handles or source.url
        assert all(kind in ("dataset", "competition") for kind, _ in source.handles)
        assert source.page.startswith("https://")
        for text in (source.title, source.expects, source.citation, source.licence, source.by_hand):
            assert text


def test_an_unknown_collection_is_met_with_the_nearest_name():
    with pytest.raises(AtelierError, match="Did you mean painter-by-numbers"):
        get_source("painters-by-number")
    assert get_source("artgan-lists").name == "wikiart_csv"


# ---- a local zip or folder -------------------------------------------------


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("kind", ["zip", "folder"])
@pytest.mark.parametrize("name", sorted(CONTENTS))
def test_a_zip_or_folder_at_hand_becomes_the_collection(tmp_path, name, kind, wrapped):
    files = {("download/" if wrapped else "") + k: v for k, v in CONTENTS[name].items()}
    if kind == "zip":
        given = tmp_path / "given.zip"
        given.write_bytes(zip_of(files))
    else:
        given = write_tree(tmp_path / "given", files)
    home = fetch(name, archive=given)
    assert home == paths.data_dir() / name
    assert tree(home) == {path: content.encode() for path, content in CONTENTS[name].items()}
    assert given.exists()
    assert [path.name for path in home.parent.iterdir()] == [name]
    assert locate(name) == home.resolve()


def test_archives_within_the_archive_are_unpacked(tmp_path):
    inner = {
        "all_data_info.csv.zip": zip_of(
            {"all_data_info.csv": CONTENTS["painter-by-numbers"]["all_data_info.csv"]}
        ),
        "train.zip": zip_of({"train/1.jpg": "1"}),
        "test.zip": zip_of({"9.jpg": "9"}),
    }
    folder = write_tree(tmp_path / "given", inner)
    home = fetch("painter-by-numbers", archive=folder)
    assert sorted(tree(home)) == ["all_data_info.csv", "test/9.jpg", "train/1.jpg"]
    assert (folder / "train.zip").is_file()


def test_a_second_fetch_is_instant_and_a_spoiled_collection_is_not_used(tmp_path):
    home = fetch("wikiart", archive=write_tree(tmp_path / "given", CONTENTS["wikiart"]))
    assert fetch("wikiart", archive=tmp_path / "nowhere") == home
    (home / "Cubism" / "pablo-picasso_x.jpg").unlink()
    with pytest.raises(AtelierError, match=r"Move .* away"):
        fetch("wikiart")


def test_progress_counts_files(tmp_path):
    given = tmp_path / "given.zip"
    given.write_bytes(zip_of(CONTENTS["gan-getting-started"]))
    seen = []
    fetch(
        "gan-getting-started",
        archive=given,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    "files", [{"readme.txt": "no"}, CONTENTS["gan-getting-started"], {"a/x.jpg": "1"}]
)
def test_another_collection_is_refused_and_leaves_nothing(tmp_path, files):
    with pytest.raises(AtelierError, match="27 style folders"):
        fetch("wikiart", archive=write_tree(tmp_path / "given", files))
    assert list(paths.data_dir().iterdir()) == []


@pytest.mark.parametrize(
    "member", ["../evil.jpg", "/evil.jpg", "a/../../evil", "C:/evil", "..\\evil"]
)
def test_a_zip_that_leads_outside_is_refused(tmp_path, member):
    given = tmp_path / "given.zip"
    given.write_bytes(zip_of({"Cubism/a_b.jpg": "1", member: "evil"}))
    with pytest.raises(AtelierError, match="leads outside"):
        fetch("wikiart", archive=given)
    assert list(paths.data_dir().iterdir()) == []
    assert not list(tmp_path.rglob("*evil*"))


def test_a_zip_with_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("Cubism/a_b.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "given.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(AtelierError, match="is a link"):
        unpack_zip(tmp_path / "given.zip", tmp_path / "out")


def test_a_damaged_zip_leaves_nothing(tmp_path):
    packed = bytearray(zip_of({"Cubism/a_b.jpg": "the picture's bytes"}))
    packed[packed.index(b"picture")] ^= 1
    (tmp_path / "given.zip").write_bytes(packed)
    with pytest.raises(AtelierError, match="CRC"):
        fetch("wikiart", archive=tmp_path / "given.zip")
    (tmp_path / "given.zip").write_bytes(b"<html>Sign in</html>")
    with pytest.raises(AtelierError, match="whole, unencrypted zip"):
        fetch("wikiart", archive=tmp_path / "given.zip")
    assert list(paths.data_dir().iterdir()) == []


def test_a_zip_larger_than_the_disk_is_refused(tmp_path, monkeypatch):
    (tmp_path / "given.zip").write_bytes(zip_of({"a.jpg": "1"}))
    usage = types.SimpleNamespace(free=100)
    monkeypatch.setattr("atelier.data.unpack.shutil.disk_usage", lambda folder: usage)
    with pytest.raises(AtelierError, match="GB free"):
        unpack_zip(tmp_path / "given.zip", tmp_path / "out")


def test_a_linked_tree_outlives_its_source_and_falls_back_to_links_and_copies(
    tmp_path, monkeypatch
):
    source = write_tree(tmp_path / "source", {"a/1.jpg": "1", "2.jpg": "2"})
    link_tree(source, tmp_path / "hard")
    assert (tmp_path / "hard/2.jpg").samefile(source / "2.jpg")

    def refuse_link(*_args, **_options):
        raise OSError("another disk")

    monkeypatch.setattr(os, "link", refuse_link)
    link_tree(source, tmp_path / "soft")
    assert (tmp_path / "soft/2.jpg").is_symlink()
    monkeypatch.setattr(os, "symlink", refuse_link)
    link_tree(source, tmp_path / "copy")
    (source / "2.jpg").unlink()
    assert tree(tmp_path / "hard") == tree(tmp_path / "copy") == {"a/1.jpg": b"1", "2.jpg": b"2"}


# ---- downloads -------------------------------------------------------------


@pytest.mark.parametrize("name", ["best-artworks-of-all-time", "painter-by-numbers"])
def test_a_download_is_linked_from_kagglehubs_cache(tmp_path, monkeypatch, name):
    import kagglehub

    cache = write_tree(tmp_path / "cache" / "versions" / "1", CONTENTS[name])
    asked = []

    def answer(handle):
        asked.append(handle)
        return str(cache)

    kind, handle = SOURCES[name].handles[0]
    monkeypatch.setattr(kagglehub, f"{kind}_download", answer)
    home = fetch(name)
    assert asked == [handle]
    assert tree(home) == tree(cache)


REFUSALS = {
    "network": ("ConnectionError", "network connection to Kaggle", "Connect and try again"),
    "timeout": ("ReadTimeout", "network connection to Kaggle", "Connect and try again"),
    "401": (401, "Kaggle credentials", "kaggle.json"),
    "403": (403, "Kaggle credentials", "kaggle.json"),
    "404": (404, "on Kaggle", "Look for it at"),
    "429": (429, "an answer from Kaggle", "Wait some minutes"),
    "503": (503, "an answer from Kaggle", "Try again later"),
    "unauthenticated": ("UnauthenticatedError", "Kaggle credentials", "KAGGLE_USERNAME"),
    "credential": ("CredentialError", "Kaggle credentials", "KAGGLE_USERNAME"),
    "corrupt": ("DataCorruptionError", "undamaged download", "Try again"),
    "backend": ("BackendError", "an answer from Kaggle", "Try again later"),
    "unforeseen": ("UserCancelledError", "a download of steubk/wikiart", "UserCancelledError"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_says_which_and_what_to_do(monkeypatch, case):
    import kagglehub.exceptions
    import requests.exceptions

    what, expected, remedy = REFUSALS[case]
    if isinstance(what, int):
        error = http_error(what)
    else:
        kind = getattr(kagglehub.exceptions, what, None) or getattr(requests.exceptions, what)
        error = kind("as raised")
    refuse(monkeypatch, error)
    with pytest.raises(AtelierError) as caught:
        fetch("wikiart")
    message = str(caught.value)
    assert expected in message
    assert remedy in message
    assert "atelier data fetch wikiart --from PATH" in message
    assert "\n" not in message
    assert list(paths.data_dir().iterdir()) == []


def test_rules_that_were_not_accepted_are_named_with_their_page(monkeypatch):
    refuse(monkeypatch, http_error(403))
    with pytest.raises(AtelierError, match="competitions/painter-by-numbers/rules"):
        fetch("painter-by-numbers")


def test_the_second_handle_is_tried_when_the_first_is_refused(tmp_path, monkeypatch):
    import kagglehub

    refuse(monkeypatch, http_error(403))
    given = write_tree(tmp_path / "given", CONTENTS["gan-getting-started"])
    monkeypatch.setattr(kagglehub, "dataset_download", lambda handle: str(given))
    assert tree(fetch("gan-getting-started")) == tree(given)


def test_when_both_are_refused_the_first_reason_is_given(monkeypatch):
    refuse(monkeypatch, http_error(403))
    with pytest.raises(AtelierError, match="accepted competition rules"):
        fetch("gan-getting-started")


def test_a_full_disk_and_a_folder_that_may_not_be_written_are_told_apart(monkeypatch):
    refuse(monkeypatch, OSError(28, "No space left on device"))
    with pytest.raises(AtelierError, match="Make room"):
        fetch("wikiart")
    refuse(monkeypatch, PermissionError(13, "Permission denied"))
    with pytest.raises(AtelierError, match="folder you may write"):
        fetch("wikiart")


def test_without_kagglehub_the_way_by_hand_is_shown(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(AtelierError, match=r"`pip install kagglehub`; or without it: Download"):
        fetch("wikiart")


def test_the_lists_are_downloaded_from_their_page(monkeypatch):
    def answer(request, timeout):
        assert request.full_url == SOURCES["wikiart_csv"].url
        return io.BytesIO(
            zip_of({f"wikiart_csv/{k}": v for k, v in CONTENTS["wikiart_csv"].items()})
        )

    monkeypatch.setattr(download.urllib.request, "urlopen", answer)
    assert len(tree(fetch("artgan-lists"))) == 9


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (urllib.error.URLError("no route"), "network connection"),
        (urllib.error.HTTPError("u", 404, "gone", {}, None), "a zip at"),
    ],
)
def test_lists_that_cannot_be_downloaded_are_explained(monkeypatch, error, expected):
    def fail(request, timeout):
        raise error

    monkeypatch.setattr(download.urllib.request, "urlopen", fail)
    with pytest.raises(AtelierError, match=expected):
        fetch("wikiart_csv")


def test_a_path_that_is_not_there_is_no_archive(tmp_path):
    with pytest.raises(AtelierError, match="nothing at"):
        fetch("wikiart", archive=tmp_path / "nowhere.zip")


# ---- locating --------------------------------------------------------------


def test_an_existing_folder_is_itself(tmp_path):
    folder = write_tree(tmp_path / "mine", {"a/1.jpg": "1"})
    assert locate(folder) == locate(str(folder)) == folder.resolve()


def test_a_name_is_looked_for_in_the_variable_and_then_in_data(tmp_path, monkeypatch):
    several = tmp_path / "several"
    write_tree(several / "wikiart", CONTENTS["wikiart"])
    at_home = write_tree(paths.data_dir() / "wikiart", CONTENTS["wikiart"])
    assert locate("wikiart") == at_home.resolve()
    monkeypatch.setenv("ATELIER_DATA", str(several))
    assert locate("wikiart") == (several / "wikiart").resolve()
    monkeypatch.setenv("ATELIER_DATA", str(several / "wikiart"))
    assert locate("wikiart") == (several / "wikiart").resolve()


def test_the_variable_may_be_the_root_under_another_name(tmp_path, monkeypatch):
    root = write_tree(tmp_path / "paintings", CONTENTS["best-artworks-of-all-time"])
    monkeypatch.setenv("ATELIER_DATA", str(root))
    assert locate("best-artworks-of-all-time") == locate() == root.resolve()
    with pytest.raises(AtelierError, match="data fetch wikiart"):
        locate("wikiart")


def test_the_sample_never_passes_for_the_real_collection(tmp_path, monkeypatch):
    sample = write_tree(paths.data_dir() / "sample", CONTENTS["best-artworks-of-all-time"])
    with pytest.raises(AtelierError, match="atelier data sample"):
        locate()
    assert locate("sample") == sample.resolve()
    renamed = write_tree(tmp_path / "mine", CONTENTS["best-artworks-of-all-time"])
    (renamed / "sample.json").write_text("{}")
    monkeypatch.setenv("ATELIER_DATA", str(renamed))
    with pytest.raises(AtelierError, match="data fetch best-artworks"):
        locate("best-artworks-of-all-time")
    monkeypatch.setenv("ATELIER_DATA", str(sample))
    assert locate() == sample.resolve()  # asked for by name
    with pytest.raises(AtelierError, match="data fetch best-artworks"):
        locate("best-artworks-of-all-time")


def test_the_default_prefers_the_variable_then_the_paintings(tmp_path, monkeypatch):
    at_home = write_tree(
        paths.data_dir() / "best-artworks-of-all-time", CONTENTS["best-artworks-of-all-time"]
    )
    assert locate() == at_home.resolve()
    several = tmp_path / "several"
    gan = write_tree(several / "gan", CONTENTS["gan-getting-started"])
    monkeypatch.setenv("ATELIER_DATA", str(several))
    assert locate() == gan.resolve()
    write_tree(several / "wikiart", CONTENTS["wikiart"])
    with pytest.raises(AtelierError, match="with gan, wikiart"):
        locate()
    main = several / "best-artworks-of-all-time"
    write_tree(main, CONTENTS["best-artworks-of-all-time"])
    assert locate() == main.resolve()


def test_what_is_not_there_is_said_with_every_place(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path / "elsewhere"))
    with pytest.raises(AtelierError) as caught:
        locate("wikiart")
    for part in (
        "elsewhere/wikiart",
        str(paths.data_dir() / "wikiart"),
        "atelier data fetch wikiart",
    ):
        assert part in str(caught.value)
    with pytest.raises(AtelierError, match="nothing there"):
        locate(tmp_path / "no" / "where")
    with pytest.raises(AtelierError, match="Name a folder, or one of best-artworks"):
        locate("holiday")
    monkeypatch.setenv("ATELIER_DATA", str(tmp_path / "gone"))
    with pytest.raises(AtelierError, match="unset ATELIER_DATA"):
        locate()


def test_importing_sources_needs_no_kagglehub():
    import subprocess

    code = "import sys, atelier.data.sources; print('kagglehub' in sys.modules, 'keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
