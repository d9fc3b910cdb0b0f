import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from atelier import paths
from atelier.data import splits
from atelier.data.apportion import apportion, quotas
from atelier.data.manifest import MANIFEST_TYPES, load_manifest
from atelier.data.splits import SplitConfig, leaking, load_split, make_split
from atelier.errors import AtelierError

pytestmark = pytest.mark.once

SHARED = Path(os.environ.get("ATELIER_SHARED", Path(__file__).parents[3] / "shared")) / "data"


def make_manifest(counts, groups=None, **columns):
    """A manifest of `counts[artist]` readable pictures; each its own leak group unless given."""
    artists = [artist for artist, count in counts.items() for _ in range(count)]
    size = len(artists)
    table = pd.DataFrame(
        {
            "path": [f"{artist}/{number:04d}.jpg" for number, artist in enumerate(artists)],
            "artist": artists,
            "style": pd.NA,
            "genre": pd.NA,
            "movement": pd.NA,
            "width": 8,
            "height": 8,
            "mode": "RGB",
            "sha256": [f"{number:064x}" for number in range(size)],
            "readable": True,
            "leak_group": range(size) if groups is None else groups,
        }
    )
    return table.assign(**columns).astype(MANIFEST_TYPES)


def random_manifest(seed, *, entangled=False):
    """Many classes of uneven size, leak groups of 1 to 6; some span classes if entangled."""
    rng = np.random.default_rng(seed)
    classes = int(rng.integers(2, 9))
    counts = {f"painter {c}": int(rng.integers(30, 300)) for c in range(classes)}
    size = sum(counts.values())
    order = rng.permutation(size) if entangled else np.arange(size)
    groups, group = np.empty(size, int), 0
    position = 0
    while position < size:
        length = 1 + int(rng.integers(0, 6)) * int(rng.random() < 0.3)
        if entangled and rng.random() < 0.9:
            length = 1
        groups[order[position : position + length]] = group
        position, group = position + length, group + 1
    return make_manifest(counts, groups=rng.permutation(group)[groups])


# ---- grouped ---------------------------------------------------------------


@pytest.mark.parametrize("entangled", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_no_group_straddles_all_pictures_are_used_and_shares_are_kept(seed, entangled):
    manifest = random_manifest(seed, entangled=entangled)
    table = make_split(manifest, SplitConfig(seed=seed))
    assert set(table["path"]) == set(manifest["path"])
    assert table["path"].is_unique
    if not entangled:
        wanted = table.merge(manifest, on="path")
        assert (wanted["leak_group_x"] == wanted["leak_group_y"]).all()
    assert (table.groupby("leak_group")["split"].nunique() == 1).all()
    assert leaking(table).empty
    largest = int(table["leak_group"].value_counts().max())
    for _, rows in table.groupby("label"):
        shares = rows["split"].value_counts()
        for name, fraction in zip(("train", "val", "test"), (0.7, 0.15, 0.15), strict=True):
            assert abs(shares[name] - fraction * len(rows)) <= largest + 1


def test_single_works_are_split_as_exactly_as_whole_numbers_allow():
    table = make_split(make_manifest({"a": 100, "b": 40}), SplitConfig())
    counts = table.groupby(["label", "split"]).size().to_dict()
    assert [counts["a", name] for name in splits.SPLITS] == [70, 15, 15]
    assert [counts["b", name] for name in splits.SPLITS] == [28, 6, 6]


def test_a_large_group_goes_first_so_that_single_works_make_up_for_it():
    places = apportion(["a"] * 20, [*range(14), *[99] * 6], list(range(20)), (0.7, 0.15, 0.15))
    assert [places.count(place) for place in range(3)] == [14, 3, 3]


def test_the_smallest_class_reaches_every_split():
    manifest = make_manifest(
        {"a": 50, "b": 3, "c": 21}, groups=[*range(53), *[90] * 10, *[91] * 10, 92]
    )
    table = make_split(manifest, SplitConfig())
    assert (table.groupby("label")["split"].nunique() == 3).all()


def test_a_group_that_spans_classes_lies_in_one_split():
    manifest = make_manifest({"a": 30, "b": 30}, groups=[*range(28), 7, 99, 99, *range(31, 60)])
    for seed in range(10):
        table = make_split(manifest, SplitConfig(seed=seed))
        assert table.loc[table["leak_group"] == 99, "split"].nunique() == 1


def test_a_class_with_fewer_works_than_splits_is_named_with_its_count():
    manifest = make_manifest(
        {"Frida Kahlo": 9, "Joan Miró": 5}, groups=[*range(9), 9, 9, 9, 10, 10]
    )
    with pytest.raises(AtelierError, match=r"at least 3 works.*Joan Miró 2"):
        make_split(manifest, SplitConfig())
    many = make_manifest({f"p{number:02d}": 1 for number in range(30)})
    with pytest.raises(AtelierError, match=r"p07 1 and 22 more"):
        make_split(many, SplitConfig())
    two = SplitConfig(fractions=(0.8, 0.2))
    assert set(make_split(manifest, two)["split"]) == {"train", "val"}


def test_classes_too_entangled_to_reach_every_split_are_refused():
    triples = {"a": (0, 1, 2), "b": (0, 1, 3), "c": (2, 3, 4)}  # a, b: 2 goes with 3; c: it cannot
    labels = [label for label, groups in triples.items() for _ in groups]
    groups = [group for groups in triples.values() for group in groups]
    with pytest.raises(AtelierError, match="no leak group to spare"):
        apportion(labels, groups, list(range(9)), (0.6, 0.2, 0.2))


def test_of_exact_copies_one_is_kept(caplog):
    manifest = make_manifest({"a": 20, "b": 20})
    manifest.loc[[1, 20], ["sha256", "leak_group"]] = [manifest["sha256"][0], 0]
    table = make_split(manifest, SplitConfig())
    assert len(table) == 38
    assert "1 pictures lie under two labels" in caplog.text
    assert len(make_split(manifest, SplitConfig(kind="random"))) == 40


def test_unreadable_and_unlabeled_pictures_take_no_part():
    manifest = make_manifest({"a": 20, "b": 20})
    manifest.loc[0, ["readable", "sha256"]] = [False, pd.NA]
    manifest.loc[1, "artist"] = pd.NA
    manifest.loc[2, "sha256"] = pd.NA
    table = make_split(manifest, SplitConfig())
    assert len(table) == 38


# ---- random ----------------------------------------------------------------


def test_a_random_split_is_four_to_one_in_each_class_and_leaks():
    manifest = make_manifest({"a": 100, "b": 50}, groups=[number // 2 for number in range(150)])
    table = make_split(manifest, SplitConfig(kind="random"))
    counts = table.groupby(["label", "split"]).size().to_dict()
    assert counts == {("a", "train"): 80, ("a", "val"): 20, ("b", "train"): 40, ("b", "val"): 10}
    leaks = leaking(table)
    by_hand = [
        path
        for path, group, split in table[["path", "leak_group", "split"]].to_numpy()
        if split == "val" and ((table["leak_group"] == group) & (table["split"] == "train")).any()
    ]
    assert leaks["path"].tolist() == by_hand
    assert len(leaks) > 10


# ---- classes and settings --------------------------------------------------


def test_classes_are_chosen_by_distinct_readable_works():
    manifest = make_manifest({"a": 30, "b": 20, "c": 20, "d": 10})
    manifest.loc[manifest["artist"] == "b", "sha256"] = manifest["sha256"][30]
    manifest.loc[manifest["artist"] == "d", "readable"] = False

    def chosen(**settings):
        return set(make_split(manifest, SplitConfig(kind="random", **settings))["label"])

    assert chosen() == {"a", "b", "c"}
    assert chosen(min_works=20) == {"a", "c"}
    assert chosen(top=2) == {"a", "c"}


def test_one_class_only_is_refused():
    with pytest.raises(AtelierError, match=r"at least two classes of artist.*a 30"):
        make_split(make_manifest({"a": 30, "b": 5}), SplitConfig(min_works=6))
    with pytest.raises(AtelierError, match="no label at all"):
        make_split(make_manifest({"a": 30}), SplitConfig(label="style"))


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "sorted"},
        {"fractions": (0.5, 0.4)},
        {"fractions": (1.0,)},
        {"fractions": (1.2, -0.2)},
        {"label": "title"},
        {"top": 0},
        {"min_works": -3},
    ],
)
def test_senseless_settings_are_refused(settings):
    with pytest.raises(AtelierError):
        SplitConfig(**settings)


def test_defaults_are_those_of_the_kind():
    assert SplitConfig().fractions == (0.7, 0.15, 0.15)
    assert SplitConfig(kind="random").fractions == (0.8, 0.2)
    assert SplitConfig(**asdict(SplitConfig(seed=3))) == SplitConfig(seed=3)


# ---- the same again --------------------------------------------------------


def test_a_split_depends_on_the_seed_and_not_on_the_order_or_the_group_numbers():
    manifest = random_manifest(1)
    first = make_split(manifest, SplitConfig(seed=5))
    renumbered = manifest.assign(leak_group=manifest["leak_group"] * 7 + 3)
    again = make_split(renumbered.sample(frac=1, random_state=2), SplitConfig(seed=5))
    assert first["path"].tolist() == again["path"].tolist()
    assert first["split"].tolist() == again["split"].tolist()
    assert first["split"].tolist() != make_split(manifest, SplitConfig(seed=6))["split"].tolist()


def test_the_split_of_a_known_manifest_never_changes():
    table = make_split(make_manifest({"a": 10, "b": 7}), SplitConfig())
    seconds = "".join(name[1] for name in table["split"])  # tRain, vAl, tEst
    assert seconds == "rrerrrararrrerrra"


def test_quotas_sum_and_leave_no_place_empty():
    rng = np.random.default_rng(0)
    for _ in range(300):
        fractions = rng.dirichlet([1, 1, 1])
        count = int(rng.integers(3, 200))
        shares = quotas(count, fractions)
        assert sum(shares) == count
        assert min(shares) >= 1
        assert all(abs(s - count * f) < 2 for s, f in zip(shares, fractions, strict=True) if s > 1)


# ---- kept ------------------------------------------------------------------


@pytest.fixture
def collection(tmp_path, monkeypatch):
    """A folder whose manifest is given, so that nothing is audited."""
    state = {"manifest": make_manifest({"a": 20, "NA": 20})}
    monkeypatch.setattr(splits, "load_manifest", lambda directory, progress=None: state["manifest"])
    state["directory"] = tmp_path / "collection"
    return state


def test_a_split_is_kept_and_used_again(collection, monkeypatch):
    first = load_split(collection["directory"], SplitConfig())
    assert first.path.is_relative_to(paths.workspace(collection["directory"]))
    assert first.class_names == ["NA", "a"]
    monkeypatch.setattr(splits, "make_split", None)  # it is not made twice
    again = load_split(collection["directory"], SplitConfig())
    pd.testing.assert_frame_equal(first.table, again.table)
    assert again.fingerprint == first.fingerprint


def test_another_config_or_other_data_give_another_split(collection):
    first = load_split(collection["directory"], SplitConfig())
    other = load_split(collection["directory"], SplitConfig(seed=1))
    collection["manifest"] = make_manifest({"a": 20, "NA": 21})
    changed = load_split(collection["directory"], SplitConfig())
    assert len({split.fingerprint for split in (first, other, changed)}) == 3
    assert len({split.path for split in (first, other, changed)}) == 3
    assert len(changed.table) == 41


@pytest.mark.parametrize("damage", ["byte", "note", "missing note"])
def test_a_damaged_split_is_made_anew(collection, damage, caplog):
    first = load_split(collection["directory"], SplitConfig())
    note = first.path.with_suffix(".json")
    if damage == "byte":
        first.path.write_bytes(first.path.read_bytes().replace(b"train", b"val", 1))
    elif damage == "note":
        note.write_text("{")
    else:
        note.unlink()
    again = load_split(collection["directory"], SplitConfig())
    pd.testing.assert_frame_equal(first.table, again.table)
    assert "made anew" in caplog.text


def test_a_part_carries_class_numbers(collection):
    split = load_split(collection["directory"], SplitConfig())
    part = split.part("val")
    assert [split.class_names[index] for index in part["class_index"]] == part["label"].tolist()
    assert Counter(split.table["split"])["val"] == len(part)
    with pytest.raises(AtelierError, match="'validation'"):
        split.part("validation")


# ---- the real one ----------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="no real collections beside the repository")
def test_min_works_200_chooses_the_eleven_painters():
    manifest = load_manifest(SHARED / "best-artworks-of-all-time")
    table = make_split(manifest, SplitConfig(min_works=200))
    assert sorted(table["label"].unique()) == [
        "Albrecht Dürer",
        "Alfred Sisley",
        "Edgar Degas",
        "Francisco Goya",
        "Marc Chagall",
        "Pablo Picasso",
        "Paul Gauguin",
        "Pierre-Auguste Renoir",
        "Rembrandt",
        "Titian",
        "Vincent van Gogh",
    ]
    assert leaking(table).empty
    assert len(leaking(make_split(manifest, SplitConfig(kind="random", min_works=200)))) > 0
