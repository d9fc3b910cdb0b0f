import hashlib
import os
import sys
import time
import types

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from atelier import paths
from atelier.data.layouts import read_layout
from atelier.data.manifest import MANIFEST_TYPES, data_fingerprint, load_manifest
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


@pytest.fixture
def audits(monkeypatch):
    """A stand-in audit that opens nothing; the list holds what each call was told."""
    calls = []

    def audit_collection(directory, *, table=None, progress=None, workers=None):
        calls.append({"directory": directory, "rows": len(table), "workers": workers})
        bad = table["path"].str.contains("bad")
        manifest = table.assign(
            width=np.where(bad, np.nan, 8.0),
            height=np.where(bad, np.nan, 9.0),
            mode=pd.Series(np.where(bad, None, "RGB"), dtype=object),
            sha256=[
                None if wrong else hashlib.sha256((directory / path).read_bytes()).hexdigest()
                for path, wrong in zip(table["path"], bad, strict=True)
            ],
            readable=~bad,
            leak_group=range(len(table)),
        )
        if progress:
            progress(len(table), len(table))
        return types.SimpleNamespace(manifest=manifest)

    stub = types.ModuleType("atelier.data.audit")
    stub.audit_collection = audit_collection
    monkeypatch.setitem(sys.modules, "atelier.data.audit", stub)
    return calls


@pytest.fixture
def collection(tmp_path):
    root = tmp_path / "collection"
    for path in ("Joan_Miro/1.jpg", "Joan_Miro/bad.jpg", "Paul_Klee/1.jpg", "loose.jpg"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(path.encode())
    return root


def test_the_manifest_has_its_columns_and_types_and_misses_what_is_not_known(collection, audits):
    table = load_manifest(collection)
    assert {column: str(kind) for column, kind in table.dtypes.items()} == MANIFEST_TYPES
    assert table["path"].is_monotonic_increasing
    bad = table.set_index("path").loc["Joan_Miro/bad.jpg"]
    assert bad["width"] is pd.NA
    assert bad["sha256"] is pd.NA
    assert not bad["readable"]
    assert table.set_index("path").loc["loose.jpg", "artist"] is pd.NA


def test_a_kept_manifest_is_read_back_as_it_was_written(collection, audits):
    first = load_manifest(collection)
    again = load_manifest(collection)
    assert len(audits) == 1
    pd.testing.assert_frame_equal(first, again)
    assert first.attrs["fingerprint"] == again.attrs["fingerprint"] == data_fingerprint(again)


def test_both_files_lie_in_the_workspace_and_agree(collection, audits):
    table = load_manifest(collection)
    home = paths.workspace(collection)
    assert sorted(path.name for path in home.iterdir()) == [
        "manifest.csv",
        "manifest.json",
        "manifest.parquet",
    ]
    from_csv = pd.read_csv(home / "manifest.csv", dtype=MANIFEST_TYPES)
    pd.testing.assert_frame_equal(from_csv, table)


def test_nothing_is_written_into_the_collection(collection, audits):
    before = sorted(collection.rglob("*"))
    load_manifest(collection)
    assert sorted(collection.rglob("*")) == before


def add(root):
    (root / "Joan_Miro" / "2.jpg").write_bytes(b"new")


def remove(root):
    (root / "Paul_Klee" / "1.jpg").unlink()


def rename(root):
    (root / "Paul_Klee").rename(root / "Piet_Mondrian")


def rewrite_with_the_same_size(root):
    path = root / "Paul_Klee" / "1.jpg"
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(1, 1))


def rewrite_at_the_same_time(root):
    path = root / "Paul_Klee" / "1.jpg"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes() + b"more")
    os.utime(path, ns=times)


CHANGES = [add, remove, rename, rewrite_with_the_same_size, rewrite_at_the_same_time]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_collection_is_audited_again(collection, audits, change):
    first = load_manifest(collection)
    change(collection)
    again = load_manifest(collection)
    assert len(audits) == 2
    assert again["path"].tolist() == read_layout(collection)["path"].tolist()
    assert data_fingerprint(first) != data_fingerprint(again)


def test_changed_labels_are_noticed(tmp_path, audits):
    root = tmp_path / "kaggle"
    (root / "images/images/Joan_Miro").mkdir(parents=True)
    (root / "images/images/Joan_Miro/Joan_Miro_1.jpg").write_bytes(b"1")
    for style in ("Surrealism", "Cubism"):
        (root / "artists.csv").write_text(f"name,genre\nJoan Miro,{style}\n")
        assert load_manifest(root)["style"].tolist() == [style]


def flip_a_byte(home):
    content = bytearray((home / "manifest.parquet").read_bytes())
    content[len(content) // 2] ^= 1
    (home / "manifest.parquet").write_bytes(content)


def cut(home):
    content = (home / "manifest.parquet").read_bytes()
    (home / "manifest.parquet").write_bytes(content[: len(content) // 2])


def lose_the_table(home):
    (home / "manifest.parquet").unlink()


def lose_the_note(home):
    (home / "manifest.json").unlink()


def spoil_the_note(home):
    (home / "manifest.json").write_text('["not", "a note"]')


@pytest.mark.parametrize(
    "damage", [flip_a_byte, cut, lose_the_table, lose_the_note, spoil_the_note]
)
def test_a_corrupt_cache_is_noticed_and_built_anew(collection, audits, damage, caplog):
    first = load_manifest(collection)
    damage(paths.workspace(collection))
    again = load_manifest(collection)
    assert len(audits) == 2
    assert "built anew" in caplog.text
    pd.testing.assert_frame_equal(first, again)
    load_manifest(collection)
    assert len(audits) == 2


def test_rebuild_builds_whatever_is_kept(collection, audits):
    load_manifest(collection)
    load_manifest(collection, rebuild=True, workers=1)
    assert [call["workers"] for call in audits] == [None, 1]


def test_progress_is_handed_on(collection, audits):
    seen = []
    load_manifest(collection, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 4)]


def test_the_data_fingerprint_follows_content_and_not_order(collection, audits):
    table = load_manifest(collection)
    shuffled = table.sample(frac=1, random_state=0)
    assert data_fingerprint(shuffled) == data_fingerprint(table)
    for column, value in (("sha256", "0" * 64), ("leak_group", 99), ("artist", "X"), ("path", "y")):
        changed = table.copy()
        changed.loc[0, column] = value
        assert data_fingerprint(changed) != data_fingerprint(table)


def test_no_data_and_no_pictures_are_refused(tmp_path):
    with pytest.raises(AtelierError, match="no such folder"):
        load_manifest(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AtelierError, match="Found none"):
        load_manifest(tmp_path / "empty")


def test_a_kept_manifest_of_thousands_loads_in_under_a_second_of_work(tmp_path, audits):
    root = tmp_path / "large"
    for artist in range(50):
        (root / f"painter_{artist}").mkdir(parents=True)
        for number in range(150):
            (root / f"painter_{artist}" / f"{number}.jpg").write_bytes(b"%d" % number)
    load_manifest(root)
    start = time.process_time()
    assert len(load_manifest(root)) == 7500
    assert time.process_time() - start < 1
    assert len(audits) == 1


def test_the_real_audit_fills_the_manifest(tmp_path):
    root = tmp_path / "real"
    rng = np.random.default_rng(0)
    for artist, size in (("Joan_Miro", (40, 32)), ("Paul_Klee", (32, 48))):
        (root / artist).mkdir(parents=True)
        pixels = rng.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / artist / "1.png")
        Image.fromarray(pixels).save(root / artist / "2.png")
    (root / "Paul_Klee" / "3.jpg").write_bytes(b"no picture")
    table = load_manifest(root, workers=1).set_index("path")
    assert table.loc["Joan_Miro/1.png", ["artist", "width", "height", "mode"]].tolist() == [
        "Joan Miro",
        40,
        32,
        "RGB",
    ]
    expected = hashlib.sha256((root / "Paul_Klee/1.png").read_bytes()).hexdigest()
    assert table.loc["Paul_Klee/1.png", "sha256"] == expected
    assert table["readable"].tolist() == [True, True, True, True, False]
    groups = table["leak_group"]
    assert groups["Joan_Miro/1.png"] == groups["Joan_Miro/2.png"]
    assert groups["Joan_Miro/1.png"] != groups["Paul_Klee/1.png"]
    pd.testing.assert_frame_equal(table.reset_index(), load_manifest(root))
