import hashlib
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from atelier.data.audit import audit_collection
from atelier.data.reading import read_rgb
from atelier.errors import AtelierError
from atelier.serve import feedback
from atelier.serve.feedback import export, feedback_table, give
from atelier.serve.store import Request, Store

pytestmark = pytest.mark.once

MONET, MANET = "Claude Monet", "Édouard Manet"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "served" / "served.db")


@pytest.fixture
def ask(store):
    """A function that adds a request and gives its id."""

    def add(predicted=MONET, **changes):
        given = {"kind": "classify", "model": "atelier", "version": "2", "seconds": 0.1}
        request = Request(**{**given, "predicted": predicted, "confidence": 0.5, **changes})
        store.add(request)
        return request.id

    return add


def picture(seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.kron(coarse, np.ones((8, 8, 1), np.uint8))


def digest(pixels):
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def kept(store):
    return sorted(path.name for path in store.pictures.glob("*"))


def said(store):
    return feedback_table(store).iloc[-1]


# ---- what is said ----------------------------------------------------------


def test_feedback_comes_with_what_the_request_was_answered(store, ask):
    identity = ask(arm="challenger", time=1_700_000_000.0)
    give(store, identity, right=False, artist="  Edouard \n Manet ")
    row = said(store)
    assert row["request"] == identity
    assert (row["model"], row["version"], row["arm"]) == ("atelier", "2", "challenger")
    assert (row["predicted"], row["confidence"]) == (MONET, 0.5)
    assert row["artist"] == "Edouard Manet"
    assert not row["right"]
    assert row["asked"] == pd.Timestamp(1_700_000_000, unit="s", tz="UTC")
    assert abs(row["time"].timestamp() - time.time()) < 60


@pytest.mark.parametrize(
    ("given", "right", "artist"),
    [
        ({"right": True}, True, MONET),
        ({"right": False}, False, None),
        ({"artist": "claude  MONET"}, True, MONET),
        ({"artist": "Manet"}, False, "Manet"),
        ({"right": np.bool_(True), "artist": MONET}, True, MONET),
    ],
)
def test_artist_and_judgement_follow_from_each_other(store, ask, given, right, artist):
    give(store, ask(), **given)
    row = said(store)
    assert bool(row["right"]) == right
    assert (None if pd.isna(row["artist"]) else row["artist"]) == artist


def test_an_answer_that_named_nobody_is_judged_by_the_user_alone(store, ask):
    give(store, ask(predicted=None), artist=MONET)
    assert pd.isna(said(store)["right"])
    give(store, ask(predicted=None), right=False, artist=MONET)
    assert not said(store)["right"]
    with pytest.raises(AtelierError, match="named nobody"):
        give(store, ask(predicted=None), right=True)


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"right": "yes"},
        {"right": 1},
        {"right": True, "artist": MANET},
        {"right": False, "artist": MONET},
        {"right": False, "rating": 3},
        {"rating": 3},
        {"artist": ""},
        {"artist": "   "},
        {"artist": "x" * 81},
        {"artist": "Monet\x00"},
        {"artist": "\u202etenoM"},
        {"artist": "../../etc"},
        {"artist": "=SUM(A1)"},
        {"artist": 7},
        {"right": True, "picture": np.zeros((8, 8, 3))},
        {"right": True, "picture": np.zeros((8, 8), np.uint8)},
        {"right": True, "picture": np.zeros((0, 8, 3), np.uint8)},
    ],
    ids=str,
)
def test_nonsense_about_a_classification_is_refused(store, ask, nonsense):
    identity = ask()
    with pytest.raises(AtelierError, match="Expected"):
        give(store, identity, **nonsense)
    assert feedback_table(store).empty
    assert not kept(store)


def test_the_longest_name_is_kept_whole(store, ask):
    give(store, ask(), artist="É" * 80)
    assert said(store)["artist"] == "É" * 80


@pytest.mark.parametrize("rating", [0, 6, 2.5, True, "5", None])
def test_a_rating_is_one_to_five(store, ask, rating):
    with pytest.raises(AtelierError, match="1 to 5"):
        give(store, ask(None, kind="stylize"), rating=rating)


@pytest.mark.parametrize("kind", ["stylize", "translate"])
def test_what_was_painted_is_rated_and_not_judged(store, ask, kind):
    give(store, ask(None, kind=kind), rating=np.int64(4))
    assert said(store)["rating"] == 4
    for judgement in ({"right": True}, {"artist": MONET}):
        with pytest.raises(AtelierError, match="a rating"):
            give(store, ask(None, kind=kind), rating=4, **judgement)


@pytest.mark.parametrize("identity", ["0" * 32, "", "'; DROP TABLE requests", None, 7])
def test_feedback_on_no_request_is_refused(store, ask, identity):
    ask()
    with pytest.raises(AtelierError, match="a request that was answered"):
        give(store, identity, right=True, picture=picture())
    assert not kept(store)
    assert store.count() == 1


def test_later_feedback_replaces_earlier(store, ask):
    identity = ask()
    give(store, identity, right=True)
    give(store, identity, artist=MANET)
    table = feedback_table(store)
    assert len(table) == 1
    assert table["artist"].tolist() == [MANET]
    assert table["right"].tolist() == [False]


def test_the_table_without_feedback_has_the_same_columns(store, ask):
    empty = feedback_table(store)
    give(store, ask(), right=True)
    assert empty.empty
    assert empty.dtypes.to_dict() == feedback_table(store).dtypes.to_dict()


def test_twenty_judge_at_once(store, ask):
    identities = [ask() for _ in range(100)]

    def judge(number):
        own = Store(store.path)  # a connection of its own, as another process has
        for identity in identities[number::20]:
            give(own, identity, right=False, artist=MANET, picture=picture(number % 3))
        own.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(judge, range(20)))
    assert set(feedback_table(store)["request"]) == set(identities)
    assert len(kept(store)) == 3


# ---- pictures --------------------------------------------------------------


def test_a_picture_is_stored_only_where_it_is_given(store, ask):
    give(store, ask(), right=True)
    assert not store.pictures.exists()
    give(store, ask(), right=True, picture=picture())
    assert kept(store) == [f"{digest(picture())}.png"]
    np.testing.assert_array_equal(read_rgb(store.pictures / kept(store)[0]), picture())
    assert said(store)["picture"] == digest(picture())


def test_a_picture_is_stored_once_and_goes_when_nobody_refers_to_it(store, ask):
    first, second = ask(), ask()
    give(store, first, right=True, picture=picture())
    give(store, second, right=True, picture=picture())
    assert len(kept(store)) == 1
    give(store, first, right=True)
    assert len(kept(store)) == 1
    give(store, second, right=True)
    assert kept(store) == []


def test_the_same_picture_given_again_stays(store, ask):
    identity = ask()
    for _ in range(2):
        give(store, identity, right=True, picture=picture())
    assert len(kept(store)) == 1


def test_what_is_forgotten_takes_its_feedback_and_pictures_along(store, ask):
    old, new = ask(time=time.time() - 50 * 86_400), ask()
    give(store, old, right=True, picture=picture(0))
    give(store, new, right=True, picture=picture(1))
    assert store.forget(30) == 1
    assert feedback_table(store)["request"].tolist() == [new]
    assert kept(store) == [f"{digest(picture(1))}.png"]


def test_a_picture_that_a_crash_left_goes_after_a_while(store, ask):
    give(store, ask(), right=True, picture=picture(0))
    stray, fresh = store.pictures / f"{'0' * 64}.png", store.pictures / f"{'1' * 64}.png"
    for path in (stray, fresh):
        path.write_bytes(b"")
    os.utime(stray, (0, 0))
    store.forget(30)
    assert len(kept(store)) == 2
    assert not stray.exists()


# ---- export ----------------------------------------------------------------


def files_below(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_an_export_is_a_collection_by_artist(store, ask, tmp_path):
    right, corrected = ask(), ask()
    give(store, right, right=True, picture=picture(0))
    give(store, corrected, artist=MANET, picture=picture(1))
    give(store, ask(), right=False, picture=picture(2))  # nobody knows by whom
    give(store, ask(), artist=MANET)  # no picture
    folder = export(store, tmp_path / "export")
    names = [f"{MONET}/{digest(picture(0))}.png", f"{MANET}/{digest(picture(1))}.png"]
    assert files_below(folder) == sorted([*names, "feedback.csv"])
    table = pd.read_csv(folder / "feedback.csv", dtype=str).set_index("request")
    assert table["path"].to_dict() == dict(zip((right, corrected), names, strict=True))
    assert table.loc[corrected, ["model", "version", "predicted", "artist"]].tolist() == [
        "atelier",
        "2",
        MONET,
        MANET,
    ]
    assert pd.to_datetime(table["time"]).dt.tz is not None
    audited = audit_collection(folder).manifest
    assert audited["readable"].all()
    assert set(audited["artist"]) == {MONET, MANET}


def test_a_second_export_repeats_nothing(store, ask, tmp_path):
    for seed in (0, 0, 1):
        give(store, ask(), right=True, picture=picture(seed))
    before = files_below(export(store, tmp_path / "export"))
    assert len(before) == 3
    assert files_below(export(store, tmp_path / "export")) == before
    assert len(pd.read_csv(tmp_path / "export" / "feedback.csv")) == 2


def test_of_several_artists_of_a_picture_the_last_counts(store, ask, tmp_path):
    first = ask()
    give(store, first, artist=MANET, picture=picture())
    give(store, ask(), artist="Degas", picture=picture())
    export(store, tmp_path / "export")
    assert files_below(tmp_path / "export")[0].startswith("Degas/")
    give(store, first, artist="Renoir", picture=picture())
    assert [name.split("/")[0] for name in files_below(export(store, tmp_path / "export"))] == [
        "Renoir",
        "feedback.csv",
    ]


def test_what_the_store_forgot_stays_in_an_export_and_what_was_withdrawn_does_not(
    store, ask, tmp_path
):
    old, withdrawn = ask(time=time.time() - 50 * 86_400), ask()
    give(store, old, right=True, picture=picture(0))
    give(store, withdrawn, right=True, picture=picture(1))
    give(store, ask(), right=True, picture=picture(2))
    export(store, tmp_path / "export")
    store.forget(30)
    give(store, withdrawn, right=True)
    export(store, tmp_path / "export")
    names = {name.split("/")[-1] for name in files_below(tmp_path / "export")}
    assert names == {f"{digest(picture(seed))}.png" for seed in (0, 2)} | {"feedback.csv"}


def test_a_folder_of_anything_else_is_left_alone(store, ask, tmp_path):
    give(store, ask(), right=True, picture=picture())
    for name in ("holiday.jpg", f"{MONET}/notes.txt"):
        folder = tmp_path / name.replace("/", "_")
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("precious")
        (folder / "feedback.csv").write_text("request\n")
        with pytest.raises(AtelierError, match="nothing but exported feedback"):
            export(store, folder)
        assert (folder / name).read_text() == "precious"


def test_an_export_that_fails_leaves_the_last_one(store, ask, tmp_path, monkeypatch):
    give(store, ask(), right=True, picture=picture(0))
    before = files_below(export(store, tmp_path / "export"))
    give(store, ask(), right=True, picture=picture(1))

    def fail(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(feedback.shutil, "copy2", fail)
    with pytest.raises(OSError, match="disk full"):
        export(store, tmp_path / "export")
    assert files_below(tmp_path / "export") == before
    assert not list(tmp_path.glob(".tmp-*"))


def test_an_export_of_nothing_is_refused(store, ask, tmp_path):
    give(store, ask(), right=False, picture=picture())
    with pytest.raises(AtelierError, match="none yet"):
        export(store, tmp_path / "export")
    assert not (tmp_path / "export").exists()


def test_names_become_folders_that_every_file_system_takes(store, ask, tmp_path):
    give(store, ask(), artist='A/B: "C" <D>...', picture=picture())
    folder = export(store, tmp_path / "export")
    assert [path.name for path in folder.iterdir() if path.is_dir()] == ["A_B_ _C_ _D_"]
