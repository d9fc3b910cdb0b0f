import hashlib
import json
import threading

import pytest

from atelier import storage
from atelier.errors import AtelierError

pytestmark = pytest.mark.once


def names_in(folder):
    """What lies in a folder, but for the repository that every test has."""
    return sorted(path.name for path in folder.iterdir() if path.name != "repository")


def write_half(target):
    with storage.atomic_path(target) as temporary:
        temporary.write_text("new")
        1 / 0  # noqa: B018


def test_a_file_appears_only_when_whole(tmp_path):
    target = tmp_path / "deep" / "a.txt"
    with storage.atomic_path(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        assert temporary.suffix == target.suffix
    assert target.read_text() == "half"
    assert names_in(target.parent) == ["a.txt"]


def test_an_error_leaves_what_was_there(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_half(target)
    assert target.read_text() == "old"
    assert names_in(tmp_path) == ["a.txt"]


def test_a_folder_replaces_a_full_folder(tmp_path):
    target = tmp_path / "model"
    for content in ("old", "new"):
        with storage.atomic_path(target) as temporary:
            temporary.mkdir()
            (temporary / f"{content}.txt").write_text(content)
    assert names_in(target) == ["new.txt"]
    assert names_in(tmp_path) == ["model"]


def test_writers_at_the_same_time_do_not_mix(tmp_path):
    target = tmp_path / "a.txt"
    texts = [letter * 100_000 for letter in "abcd"]
    threads = [threading.Thread(target=storage.write_text, args=(target, t)) for t in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_text() in texts
    assert names_in(tmp_path) == ["a.txt"]


def test_json_comes_back_as_it_was(tmp_path):
    value = {"z": "Dürer", "a": [1, 2.5, None]}
    storage.write_json(tmp_path / "a.json", value)
    assert storage.read_json(tmp_path / "a.json") == value
    assert list(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))) == ["z", "a"]


def test_file_digest_is_that_of_its_bytes(tmp_path):
    content = bytes(range(256)) * 8192  # 2 MiB: more than one block
    (tmp_path / "a.bin").write_bytes(content)
    assert storage.file_sha256(tmp_path / "a.bin") == hashlib.sha256(content).hexdigest()


def test_fingerprint_ignores_key_order_and_notices_values():
    assert storage.fingerprint({"a": 1, "b": 2}) == storage.fingerprint({"b": 2, "a": 1})
    assert storage.fingerprint({"a": 1}) != storage.fingerprint({"a": 2})
    assert len(storage.fingerprint([])) == 12


def test_an_error_is_one_line_that_says_what_to_do():
    error = AtelierError("a folder", "a\nfile", "Correct the path.")
    assert str(error) == "Expected a folder. Found a file. Correct the path."
    assert (error.expected, error.found, error.remedy) == (
        "a folder",
        "a\nfile",
        "Correct the path.",
    )
