import dataclasses
import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest

from atelier.errors import AtelierError
from atelier.serve.database import SCHEMA_VERSION
from atelier.serve.store import Request, Store

pytestmark = pytest.mark.once

DAY = 86_400
WRITER = """
import sys
from atelier.serve.store import Request, Store
store = Store(sys.argv[1])
for number in range(int(sys.argv[2])):
    request = Request(kind="classify", model="m", seconds=0.1, embedding=[0.5] * 32)
    store.add(request)
    print(request.id, flush=True)
"""


def request(**changes):
    return Request(**{"kind": "classify", "model": "atelier", "seconds": 0.1, **changes})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "served" / "served.db")


@pytest.fixture
def writer(store):
    """A function that starts a process which adds so many requests and prints their ids."""
    started = []

    def start(number):
        command = [sys.executable, "-c", WRITER, str(store.path), str(number)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_nothing_is_made_before_the_first_write(store):
    assert store.count() == 0
    assert store.requests().empty
    assert store.forget(0) == 0
    assert not store.path.parent.exists()


def test_the_default_place_is_in_the_repositorys_data(atelier_root):
    store = Store()
    store.add(request())
    assert (atelier_root / "data" / "served" / "served.db").is_file()


def test_a_request_comes_back_as_it_was_given(store):
    given = request(
        time=1_700_000_000.25,
        model="models/atelier",
        version="3",
        arm="challenger",
        predicted="Claude Monet",
        confidence=np.float32(0.75),
        outlying=np.bool_(False),
        embedding=np.linspace(-2, 2, 32),
    )
    store.add(given)
    found = store.requests().iloc[0]
    assert found["time"] == pd.Timestamp("2023-11-14 22:13:20.250", tz="UTC")
    assert found["embedding"].dtype == np.float16
    np.testing.assert_array_equal(found["embedding"], np.float16(given.embedding))
    for name in ("id", "kind", "model", "version", "arm", "seconds", "predicted", "confidence"):
        assert found[name] == getattr(given, name)
    assert found["outlying"] is False or not found["outlying"]
    assert pd.isna(found["problem"])
    assert np.isnan(found["style_distance"])


def test_columns_and_their_types_are_the_same_for_any_requests(store):
    empty = store.requests()
    store.add(request(kind="stylize", content_distance=0.5))
    store.add(request(problem="too large"))
    table = store.requests()
    assert list(table) == [field.name for field in dataclasses.fields(Request)]
    assert empty.dtypes.to_dict() == table.dtypes.to_dict()
    assert table["embedding"].tolist() == [None, None]


def test_requests_can_be_chosen(store):
    for number in range(6):
        store.add(
            request(
                id=f"{number}",
                time=1000.0 - number,  # added newest first
                kind="stylize" if number % 2 else "classify",
                model="a" if number < 3 else "b",
                version=str(number // 2),
            )
        )

    def ids(**chosen):
        return store.requests(**chosen)["id"].tolist()

    assert ids() == list("543210")
    assert ids(last=2) == list("10")
    assert ids(last=0) == []
    assert ids(kind="stylize") == list("531")
    assert ids(since=997.0) == list("3210")
    assert ids(since=pd.Timestamp(997, unit="s", tz="UTC")) == list("3210")
    assert ids(model="b", version="2") == list("54")
    assert ids(kind="classify", last=1, model="b") == ["4"]


@pytest.mark.parametrize(
    "wrong", [{"kind": "guess"}, {"arm": "third"}, {"embedding": np.zeros((2, 2))}]
)
def test_a_request_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(AtelierError, match="Expected"):
        request(**wrong)


def test_an_id_is_given_once(store):
    store.add(request(id="one"))
    with pytest.raises(AtelierError, match="an id of its own"):
        store.add(request(id="one"))
    assert store.count() == 1


def test_ids_are_new_and_of_32_hex_digits():
    first, second = request().id, request().id
    assert first != second
    assert uuid.UUID(hex=first).version == 4


def test_old_requests_are_forgotten(store):
    for days in (0, 5, 20):
        store.add(request(id=str(days), time=time.time() - days * DAY))
    assert store.forget(10) == 1
    assert store.requests()["id"].tolist() == ["5", "0"]
    with pytest.raises(AtelierError, match="0 days"):
        store.forget(-1)


def test_twenty_processes_write_at_once_and_no_row_is_lost(store, writer):
    writers = [writer(25) for _ in range(20)]  # the file is made by whoever comes first
    written = []
    for process in writers:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        written += out.split()
    assert len(written) == 500
    assert set(store.requests()["id"]) == set(written)


def test_whoever_comes_first_makes_the_file(tmp_path):
    for attempt in range(10):
        stores = [Store(tmp_path / str(attempt) / "served.db") for _ in range(8)]
        together = threading.Barrier(len(stores))

        def add(store, together=together):
            together.wait()
            store.add(request())

        with ThreadPoolExecutor(len(stores)) as pool:
            list(pool.map(add, stores))
        assert stores[0].count() == len(stores)


def test_threads_share_a_store(store):
    problems = []

    def work():
        try:
            for _ in range(20):
                store.add(request())
                store.requests(last=1)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert store.count() == 400


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_writer_leaves_all_that_it_had_written(store, writer):
    for _ in range(3):
        process = writer(100_000)
        for _ in range(50):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        acknowledged = process.communicate()[0].split()
        store.close()
        ids = set(store.requests()["id"])
        assert set(acknowledged) <= ids
        assert store.read("PRAGMA integrity_check") == [("ok",)]
        store.add(request())


def test_tables_of_a_newer_version_are_refused_and_left_alone(store):
    store.add(request())
    store.close()
    with sqlite3.connect(store.path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    for use in (store.count, store.requests, lambda: store.add(request())):
        with pytest.raises(AtelierError, match=rf"version {SCHEMA_VERSION + 1}\b.*Update"):
            use()
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM requests").fetchone() == (1,)
    connection.close()


def test_a_file_that_is_no_database_is_named(store):
    store.path.parent.mkdir(parents=True)
    store.path.write_text("not a database, but long enough to be taken for the head of one" * 9)
    with pytest.raises(AtelierError, match=r"served\.db.*not a database"):
        store.add(request())


def test_a_file_that_was_taken_away_is_made_anew(store):
    store.add(request())
    for path in store.path.parent.iterdir():
        path.unlink()
    assert store.count() == 0
    store.add(request())
    assert store.count() == 1


def test_a_transaction_that_fails_leaves_nothing(store):
    store.add(request())

    def fail_half_way():
        with store.writing() as connection:
            connection.execute("DELETE FROM requests")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert store.count() == 1


def test_a_store_that_is_dropped_closes_its_file(store):
    store.add(request())
    connection = store._connection
    another = Store(store.path)
    another.add(request())
    held = another._connection
    del another
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        held.execute("SELECT 1")
    assert connection.execute("SELECT count(*) FROM requests").fetchone() == (2,)


def test_adding_takes_a_few_milliseconds(store):
    store.add(request())
    taken = []
    for _ in range(100):
        start = time.perf_counter()
        store.add(request(embedding=np.zeros(32)))
        taken.append(time.perf_counter() - start)
    assert np.median(taken) < 0.01


def test_the_store_needs_no_keras():
    code = (
        "import sys, atelier.serve.store, atelier.serve.feedback, atelier.serve.ab\n"
        "assert not {'keras', 'tensorflow', 'jax', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
