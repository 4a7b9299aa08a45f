"""The chunk store, to the letter of its contract."""

from __future__ import annotations

import multiprocessing
import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import armillaria as am

blake3 = pytest.importorskip("blake3").blake3

ABSENT = "ab" * 32


@pytest.fixture
def store(tmp_path):
    with am.ChunkStore(tmp_path / "store") as chunks:
        yield chunks


def name(data: bytes) -> str:
    return blake3(data).hexdigest()


def chunk_file(tmp_path, hash: str):
    """Where the bytes of a chunk lie."""
    return next((tmp_path / "store" / "chunks").glob(f"{hash}*"))


def damage(path) -> None:
    """Flips a bit of a file, with a new change time."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(path, 0o644)
    path.write_bytes(bytes(data))


# ---- names and bytes ----


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 1023, 1024, 1025, 2048, 4097, 65536, 131073,
                                  (1 << 20) - 1, (4 << 20) + 3])
def test_the_name_is_the_blake3_of_the_bytes(store, size):
    data = bytes(i * 31 % 251 for i in range(size))
    hash = store.put(data)
    assert hash == name(data)
    assert store.get(hash) == data
    assert store.get_verified(hash) == data
    assert bytes(store.get_mmap(hash)) == data


@given(items=st.lists(st.binary(max_size=3000), max_size=12))
def test_batches_keep_the_order_and_take_repeats_and_nothing(tmp_path_factory, items):
    store = am.ChunkStore(tmp_path_factory.mktemp("chunks") / "store")
    hashes = store.put_batch(items + items)
    assert hashes == [name(item) for item in items + items]
    backwards = hashes[::-1]
    wanted = (items + items)[::-1]
    assert store.get_batch(backwards) == wanted
    assert store.get_batch_verified(backwards) == wanted
    assert [bytes(view) for view in store.get_mmap_batch(backwards)] == wanted
    assert len(store) == len(set(items)) and sorted(store) == sorted(set(hashes))


def test_any_contiguous_buffer_is_taken(store):
    data = b"some bytes in a row"
    assert {store.put(form) for form in (data, bytearray(data), memoryview(data))} == {name(data)}
    numpy = pytest.importorskip("numpy")
    column = numpy.arange(1000, dtype="int64")
    assert store.put(column) == name(column.tobytes())
    with pytest.raises((BufferError, ValueError)):
        store.put(column[::2])
    with pytest.raises(TypeError):
        store.put("text")
    with pytest.raises(TypeError):
        store.put_batch([b"fine", "text"])


def test_existence_and_iteration(store):
    hashes = store.put_batch([b"a", b"b", b"c"])
    assert len(store) == 3 and list(store) == sorted(hashes)
    assert store.exists(hashes[0]) and hashes[0] in store
    assert not store.exists(ABSENT) and ABSENT not in store and 7 not in store
    assert bool(am.ChunkStore(store.path))


def test_deleting_is_silent_when_absent(store):
    hash = store.put(b"data")
    store.delete(hash)
    assert not store.exists(hash) and len(store) == 0
    store.delete(hash)
    store.delete(ABSENT)
    assert store.put(b"data") == hash and store.exists(hash)


# ---- names that are none ----

METHODS = ["get", "get_verified", "get_mmap", "exists", "delete"]
BATCHES = ["get_batch", "get_batch_verified", "get_mmap_batch"]


@pytest.mark.parametrize("method", METHODS + BATCHES)
@pytest.mark.parametrize("bad", ["", "ab", "g" * 64, "AB" * 32, "ab" * 33, " " + "ab" * 32,
                                 "ab" * 31 + "a\0", "é" * 32])
def test_every_method_checks_the_form(store, method, bad):
    with pytest.raises(am.InvalidArgumentError, match="^Invalid hash: "):
        getattr(store, method)([bad] if method in BATCHES else bad)
    with pytest.raises(TypeError):
        getattr(store, method)([7] if method in BATCHES else 7)


@pytest.mark.parametrize("method", ["get", "get_verified", "get_mmap"])
def test_an_absent_chunk_is_named(store, method):
    with pytest.raises(am.NotFoundError) as caught:
        getattr(store, method)(ABSENT)
    assert str(caught.value) == f"Chunk not found: {ABSENT}"
    assert (caught.value.kind, caught.value.name) == ("chunk", ABSENT)
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize("method", BATCHES)
def test_a_failed_batch_names_the_first_failing_item(store, method):
    good = store.put(b"data")
    first, second = "1" * 64, "0" * 64
    with pytest.raises(am.NotFoundError, match=f"^Chunk not found: {first}$"):
        getattr(store, method)([good, first, second, good])
    with pytest.raises(TypeError):
        getattr(store, method)(good)


# ---- damage ----


def test_a_corrupt_chunk_is_detected_named_and_repaired_by_a_new_put(store, tmp_path):
    data = bytes(range(256)) * 100
    hash = store.put(data)
    damage(chunk_file(tmp_path, hash))
    for read in (store.get, store.get_verified, store.get_mmap):
        with pytest.raises(am.CorruptionError, match=hash):
            read(hash)
    with pytest.raises(am.CorruptionError, match=hash):
        store.get_batch([hash])
    assert store.put(data) == hash
    assert store.get(hash) == data and store.get_verified(hash) == data


def test_a_chunk_that_was_cut_short_is_repaired_by_another_handle(store, tmp_path):
    data = b"x" * 10_000
    hash = store.put(data)
    path = chunk_file(tmp_path, hash)
    os.chmod(path, 0o644)
    os.truncate(path, 5000)
    other = am.ChunkStore(tmp_path / "store")
    with pytest.raises(am.CorruptionError):
        other.get(hash)
    other.put_batch([data])
    assert store.get(hash) == data


def test_verification_can_be_off_but_get_verified_verifies(tmp_path):
    data = b"y" * 10_000
    hash = am.ChunkStore(tmp_path / "store").put(data)
    damage(chunk_file(tmp_path, hash))
    trusting = am.ChunkStore(tmp_path / "store", verify=False)
    assert trusting.get(hash) != data
    with pytest.raises(am.CorruptionError):
        trusting.get_verified(hash)


# ---- views ----


def test_views_are_read_only_and_outlive_everything(store, tmp_path):
    data = os.urandom(200_000)
    hash = store.put(data)
    view = store.get_mmap(hash)
    assert isinstance(view, memoryview) and view.readonly and view.nbytes == len(data)
    with pytest.raises(TypeError):
        view[0] = 1
    store.delete(hash)
    store.close()
    assert view == data


def test_many_views_at_once(store):
    hashes = store.put_batch([b"%d" % i for i in range(500)])
    views = [store.get_mmap(hash) for hash in hashes * 40]
    assert all(bytes(view) == b"%d" % (i % 500) for i, view in enumerate(views))


def test_a_closed_store_says_so(store):
    store.close()
    with pytest.raises(am.Error, match="^the chunk store is closed$"):
        store.put(b"x")
    assert repr(store) == "ChunkStore(closed)"
    store.close()


# ---- opening ----


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(am.InvalidArgumentError):
        am.ChunkStore(tmp_path)
    with pytest.raises(am.NotFoundError):
        am.ChunkStore(tmp_path / "there", create=False)
    am.open(tmp_path / "repo").close()
    with pytest.raises(am.InvalidArgumentError, match="repository"):
        am.ChunkStore(tmp_path / "repo")


def test_a_read_only_store_refuses_to_change(tmp_path):
    hash = am.ChunkStore(tmp_path / "store").put(b"data")
    store = am.ChunkStore(tmp_path / "store", read_only=True)
    assert store.get(hash) == b"data"
    with pytest.raises(am.Error):
        store.put(b"more")
    with pytest.raises(am.Error):
        store.delete(hash)


def test_the_chunks_of_a_repository(db, people):
    assert len(db.chunks) == 0
    db.write("people", people)
    chunks = db.chunks
    assert len(chunks) == 1
    hash = next(iter(chunks))
    assert name(chunks.get(hash)) == hash and name(bytes(chunks.get_mmap(hash))) == hash
    assert am.ParquetDecoder().decode(chunks.get(hash)).num_rows == 3
    with pytest.raises(am.Error, match="gc"):
        chunks.delete(hash)
    mine = chunks.put(b"not part of any table")
    assert mine in chunks and chunks.get(mine) == b"not part of any table"


# ---- many at once ----


def put_some(path, seed: int) -> list[str]:
    store = am.ChunkStore(path)
    items = [b"chunk %d" % (i % 60) * 50 for i in range(seed, seed + 100)]
    return store.put_batch(items[:50]) + [store.put(item) for item in items[50:]]


def test_processes_that_put_the_same_chunks_agree(tmp_path):
    am.ChunkStore(tmp_path / "store").close()
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        answers = pool.starmap(put_some, [(str(tmp_path / "store"), seed) for seed in range(4)])
    store = am.ChunkStore(tmp_path / "store")
    assert sorted(set(sum(answers, []))) == list(store)
    assert len(store) == 60
    for hash in store:
        assert name(store.get_verified(hash)) == hash


def test_threads_share_a_handle(store):
    errors = []

    def work(seed: int) -> None:
        try:
            for i in range(40):
                data = b"%d" % ((seed + i) % 25) * 100
                assert store.get(store.put(data)) == data
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == [] and len(store) == 25


KILLED = """
import os, sys
import armillaria as am
store = am.ChunkStore(sys.argv[1])
for i in range(10**9):
    print(store.put(os.urandom(20_000 + i)), flush=True)
"""


def test_a_killed_writer_leaves_nothing_torn(tmp_path):
    import subprocess
    import sys

    told = []
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", KILLED, tmp_path / "store"],
                                   stdout=subprocess.PIPE, text=True)
        told += [process.stdout.readline().strip() for _ in range(10)]
        process.kill()
        process.stdout.close()
        process.wait()
    store = am.ChunkStore(tmp_path / "store")
    assert all(store.exists(hash) for hash in told)
    for hash in store:
        assert name(store.get_verified(hash)) == hash
    assert not any((tmp_path / "store" / "tmp").iterdir())
