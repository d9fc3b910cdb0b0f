import threading

import pytest

from atelier.serve.shelf import Shelf

pytestmark = pytest.mark.once


def test_what_was_loaded_is_kept():
    shelf, loads = Shelf(100), []

    first = shelf.get("a", lambda: loads.append("a") or object(), lambda _: 10)

    assert shelf.get("a", lambda: loads.append("again"), lambda _: 10) is first
    assert loads == ["a"]


def test_the_least_recently_used_goes():
    shelf = Shelf(25)
    for key in "ab":
        shelf.get(key, object, lambda _: 10)
    shelf.get("a", object, lambda _: 10)

    shelf.get("c", object, lambda _: 10)

    assert [key in shelf for key in "abc"] == [True, False, True]
    assert shelf.taken() == 20


def test_it_is_told_when_something_goes():
    gone = []
    shelf = Shelf(15, lambda: gone.append(1))

    shelf.get("a", object, lambda _: 10)
    assert not gone
    shelf.get("b", object, lambda _: 10)
    assert gone == [1]


def test_what_is_asked_for_stays_however_large():
    shelf = Shelf(5)

    shelf.get("huge", object, lambda _: 10)

    assert "huge" in shelf


def test_threads_that_ask_at_once_load_once():
    shelf, loads, gate = Shelf(100), [], threading.Event()

    def load():
        gate.wait(5)
        loads.append(1)
        return object()

    found = []
    threads = [
        threading.Thread(target=lambda: found.append(shelf.get("a", load, lambda _: 1)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()

    assert len(loads) == 1
    assert len(set(map(id, found))) == 1


def test_a_load_that_fails_is_tried_again():
    shelf = Shelf(100)

    with pytest.raises(OSError, match="no disk"):
        shelf.get("a", _fail, lambda _: 1)

    assert shelf.get("a", lambda: "there", lambda _: 1) == "there"


def _fail():
    raise OSError("no disk")


def test_one_that_loads_does_not_hold_up_another():
    shelf, gate = Shelf(100), threading.Event()
    slow = threading.Thread(target=lambda: shelf.get("slow", lambda: gate.wait(5), lambda _: 1))
    slow.start()

    assert shelf.get("quick", lambda: "there", lambda _: 1) == "there"

    gate.set()
    slow.join()
