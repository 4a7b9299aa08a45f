"""Many processes and threads: fork, kill -9, races, the interpreter lock, Ctrl-C."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest

import armillaria as am

from .conftest import numbers

# ---- fork ----


def in_child(work) -> str:
    """Runs work() in a forked child and gives what it answers, or its error."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = str(work())
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        os.write(write, answer.encode())
        os._exit(0)
    os.close(write)
    with open(read, "rb") as pipe:
        answer = pipe.read().decode()
    os.waitpid(pid, 0)
    return answer


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_reads_and_writes_with_the_handle_it_inherited(db):
    db.write("n", numbers(0, 3))
    scan = db.read("n")

    def work():
        db.append("n", numbers(3, 5))
        return db.count("n"), db.read("n").num_rows, scan.to_arrow().num_rows

    assert in_child(work) == "(5, 5, 3)"
    assert db.count("n") == 5
    db.append("n", numbers(5, 6))
    assert db.read("n").to_arrow().equals(numbers(0, 6))
    assert db.verify(deep=True).ok


def test_a_transaction_is_the_parents(db):
    db.write("n", numbers(0, 3))
    tx = db.transaction()
    tx.append("n", numbers(3, 4))
    answer = in_child(lambda: tx.commit())
    assert "Error" in answer
    tx.commit()
    assert db.count("n") == 4


def test_the_chunk_store_survives_a_fork(tmp_path):
    store = am.ChunkStore(tmp_path / "store")
    first = store.put(b"parent")
    assert in_child(lambda: (store.get(first), store.put(b"child"))[1]) == store.put(b"child")
    assert len(store) == 2


FORK_AND_DIE = """
import os, sys, time
import pyarrow as pa
import armillaria as am
db = am.open(sys.argv[1])
db.write("n", pa.table({"n": [1]}))
tx = db.transaction()
tx.write("m", pa.table({"n": list(range(100_000))}))
if os.fork() == 0:
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(600)
os.write(1, b"ready\\n")
time.sleep(600)
"""


def test_a_killed_parent_leaves_no_lock_in_its_child(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", FORK_AND_DIE, tmp_path / "repo"],
                               stdout=subprocess.PIPE, text=True)
    words = {process.stdout.readline().strip() for _ in range(2)}
    child = int((words - {"ready"}).pop())
    try:
        process.kill()
        process.wait()
        with am.open(tmp_path / "repo", lock_timeout=10) as db:
            db.append("n", numbers(0, 1).select(["n"]))
            assert db.count("n") == 2 and db.tables() == ["n"]
            assert db.verify().ok
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()


# ---- multiprocessing ----


def append_rows(path: str, worker: int) -> int:
    with am.open(path) as db:
        for step in range(10):
            db.append("n", numbers(worker * 100 + step, worker * 100 + step + 1))
    return worker


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_that_append_lose_nothing(tmp_path, method):
    path = str(tmp_path / "repo")
    am.open(path).close()
    with multiprocessing.get_context(method).Pool(3) as pool:
        assert sorted(pool.starmap(append_rows, [(path, worker) for worker in range(3)])) == [
            0, 1, 2]
    with am.open(path) as db:
        rows = db.read("n").to_arrow()["n"].to_pylist()
        assert sorted(rows) == [worker * 100 + step for worker in range(3) for step in range(10)]
        assert [version.version for version in db.versions("n")] == list(range(1, 31))
        for worker in range(3):  # each one's rows are in its order
            mine = [n for n in rows if n // 100 == worker]
            assert mine == sorted(mine)
        times = [commit.time for commit in db.log()]
        assert times == sorted(times, reverse=True) and len(set(times)) == 30
        assert db.verify(deep=True).ok


def test_one_of_many_counters_is_never_lost(db, tmp_path):
    db.write("counter", pa.table({"value": [0]}))

    def add(tx):
        value = tx.read("counter").to_arrow()["value"][0].as_py()
        tx.write("counter", pa.table({"value": [value + 1]}))

    errors = []

    def work():
        try:
            for _ in range(5):
                db.run(add, retries=100)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert db.read("counter").to_arrow()["value"].to_pylist() == [20]
    assert len(db.versions("counter")) == 21


# ---- threads ----


def test_threads_share_a_handle(db):
    errors = []

    def work(name: str) -> None:
        try:
            for step in range(10):
                db.append(name, numbers(step, step + 1))
                assert db.count(name) == step + 1
                assert db.read(name).to_arrow().equals(numbers(0, step + 1))
                assert name in db.tables()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(f"t{i}",)) for i in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(db.log()) == 50 and db.verify().ok


def test_closing_while_others_work_breaks_nothing(tmp_path):
    db = am.open(tmp_path / "repo")
    db.write("n", numbers(0, 1000))
    started = threading.Barrier(4)
    ends = []

    def work():
        started.wait()
        try:
            while True:
                assert db.read("n").to_arrow().num_rows == 1000
        except am.Error as error:
            ends.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    started.wait()
    db.close()
    for thread in threads:
        thread.join()
    assert ends == ["the database is closed"] * 3


def test_other_threads_run_during_a_native_call(db):
    """While one big write holds no interpreter lock, another thread goes on counting."""
    table = numbers(0, 400_000)
    counted, running, done = [0], threading.Event(), threading.Event()

    def count():
        running.set()
        while not done.is_set():
            counted[0] += 1
            time.sleep(0)  # gives the lock back at once

    # An interval this long: no thread gives up the lock unless a call releases it.
    old = sys.getswitchinterval()
    thread = threading.Thread(target=count)
    progress = []
    thread.start()
    running.wait()
    sys.setswitchinterval(1000)
    try:
        for call in (lambda: db.write("n", table), lambda: db.read("n")._open().collect(),
                     lambda: db.verify(deep=True), lambda: am.ParquetEncoder().encode(table),
                     lambda: db.chunks.put(bytes(30_000_000))):
            before = counted[0]
            for _ in range(100):  # a busy machine may not let the other thread in at once
                call()
                if counted[0] > before:
                    break
            progress.append(counted[0] - before)
    finally:
        sys.setswitchinterval(old)
        done.set()
        thread.join()
    assert all(steps > 0 for steps in progress), progress


# ---- being interrupted ----

INTERRUPTED = """
import os, signal, sys
import pyarrow as pa
import armillaria as am
db = am.open(sys.argv[1])
db.write("n", pa.table({"n": [1]}))
def batches():
    batch = pa.record_batch({"n": list(range(5000))})
    for i in range(10**9):
        if i == 20:
            os.kill(os.getpid(), signal.SIGINT)
        yield batch
reader = pa.RecordBatchReader.from_batches(pa.schema([("n", pa.int64())]), batches())
try:
    db.append("n", reader)
except KeyboardInterrupt:
    print("interrupted")
except am.Error as error:
    print("stream", "KeyboardInterrupt" in str(error), error)
print(db.count("n"), len(db.log()), db.verify().ok)
db.append("n", pa.table({"n": [2]}))
print(db.count("n"))
"""


def test_ctrl_c_ends_an_endless_write_and_nothing_is_written(tmp_path, run_python):
    lines = run_python(INTERRUPTED, tmp_path / "repo").splitlines()
    assert lines[0] == "interrupted" or lines[0].startswith("stream True")
    assert lines[1:] == ["1 1 True", "2"]


# ---- being killed ----

COMMITTING = """
import sys
import pyarrow as pa
import armillaria as am
db = am.open(sys.argv[1])
n = db.count("a") if db.exists("a") else 0
while True:
    rows = pa.table({"n": [n], "text": ["x" * (n % 3000)]})
    with db.transaction(message=str(n)) as tx:
        tx.append("a", rows)
        tx.append("b", rows)
        if n % 4 == 0:
            tx.write("c", pa.table({"n": list(range(n * 200 + 20_000))}))
    n += 1
    print(n, flush=True)
"""


def test_what_a_killed_process_committed_is_there_and_nothing_half(tmp_path):
    path = tmp_path / "repo"
    for round_ in range(8):
        process = subprocess.Popen([sys.executable, "-c", COMMITTING, path],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        told = [process.stdout.readline() for _ in range(2 + round_ % 3)]
        process.kill()
        rest, errors = process.communicate()
        assert all(told), errors
        last = int((told + rest.split())[-1].strip() or 0)
        with am.open(path) as db:
            count = db.count("a")
            assert count >= last
            assert db.count("b") == count
            assert db.read("a").to_arrow()["n"].to_pylist() == list(range(count))
            assert db.read("b").to_arrow().equals(db.read("a").to_arrow())
            assert len(db.log()) == count
    with am.open(path) as db:
        result = db.verify(deep=True)
        assert result.ok, result
        assert not any((path / "tmp").iterdir())
