"""Bad input at every door: one clear line that names the object, and nothing changed."""

from __future__ import annotations

import os
import sqlite3

import pyarrow as pa
import pytest

import armillaria as am

from .conftest import numbers


def one_line(error: BaseException, *words: str) -> None:
    text = str(error)
    assert text and "\n" not in text and not text.endswith("."), text
    for word in words:
        assert word in text, text


def test_a_repository_of_a_newer_version(tmp_path):
    am.open(tmp_path / "repo").close()
    format_file = tmp_path / "repo" / "FORMAT"
    text = format_file.read_text()
    assert text.startswith("armillaria 1")
    os.chmod(format_file, 0o644)
    format_file.write_text(text.replace("armillaria 1", "armillaria 9", 1))
    with pytest.raises(am.Error) as caught:
        am.open(tmp_path / "repo")
    assert isinstance(caught.value, (am.UnsupportedError, am.CorruptionError))
    one_line(caught.value, "newer version", "repo")


def test_a_catalog_that_is_not_ours(tmp_path):
    am.open(tmp_path / "repo").close()
    catalog = tmp_path / "repo" / "catalog.db"
    for path in (tmp_path / "repo").glob("catalog.db*"):
        path.unlink()
    with sqlite3.connect(catalog) as connection:
        connection.execute("create table mine (x)")
    connection.close()
    with pytest.raises(am.CorruptionError) as caught:
        am.open(tmp_path / "repo")
    one_line(caught.value, "catalog")
    with sqlite3.connect(catalog) as connection:
        assert connection.execute("select count(*) from mine").fetchone() == (0,)


@pytest.mark.parametrize("garbage", [b"", b"not a database at all" * 100])
def test_a_catalog_of_garbage(tmp_path, garbage):
    am.open(tmp_path / "repo").write("n", numbers(0, 3))
    for path in (tmp_path / "repo").glob("catalog.db*"):
        path.unlink()
    (tmp_path / "repo" / "catalog.db").write_bytes(garbage)
    with pytest.raises(am.CorruptionError) as caught:
        am.open(tmp_path / "repo")
    one_line(caught.value, "catalog")


def test_a_path_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(am.Error) as caught:
        am.open(tmp_path / "file")
    one_line(caught.value, "file")
    with pytest.raises(am.Error):
        am.open(tmp_path / "file" / "below")


def test_a_path_with_a_zero_byte_and_one_that_is_no_path(tmp_path):
    with pytest.raises(am.InvalidArgumentError, match="zero byte"):
        am.open("a\0b")
    with pytest.raises(TypeError):
        am.open(7)
    am.open(os.fsencode(tmp_path / "bytes")).close()


def test_a_damaged_chunk_is_named_by_reading_and_by_verify(tmp_path):
    noise = os.urandom(3_200_000)
    table = pa.table({"n": pa.array(range(100_000), pa.int64()),
                      "noise": [noise[i:i + 32] for i in range(0, 3_200_000, 32)]})
    with am.open(tmp_path / "repo") as db:
        db.write("t", table)
    path = next((tmp_path / "repo" / "chunks").iterdir())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    os.chmod(path, 0o644)
    path.write_bytes(data)
    with am.open(tmp_path / "repo") as db:
        with pytest.raises(am.CorruptionError) as caught:
            db.read("t").to_arrow()
        one_line(caught.value, path.name[:12])
        result = db.verify()
        assert not result.ok
        assert any(path.name.startswith(problem.name) for problem in result.problems)
        assert "NOT OK" in str(result)
        pa_error = pytest.raises((OSError, pa.ArrowException), match=path.name[:12])
        with pa_error:
            pa.table(db.read("t"))
        db.write("again", table)  # the same bytes repair it
        assert db.read("t").to_arrow().equals(table)
        assert db.verify(deep=True).ok


# A file size limit stands in for a full disk: writing fails with EFBIG.
FULL = """
import os, resource, signal, sys
import pyarrow as pa
import armillaria as am
db = am.open(sys.argv[1])
db.write("n", pa.table({"n": list(range(10))}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
try:
    db.write("big", pa.table({"x": [os.urandom(100) for _ in range(100_000)]}))
except am.StorageError as error:
    print(bool(error.errno), "\\n" in str(error))
resource.setrlimit(resource.RLIMIT_FSIZE, limits)
db.append("n", pa.table({"n": [10]}))
print(db.tables(), db.count("n"), db.verify(deep=True).ok)
"""


def test_a_full_disk(tmp_path, run_python):
    assert run_python(FULL, tmp_path / "repo").splitlines() == ["True False", "['n'] 11 True"]


@pytest.mark.parametrize("call", [
    lambda db: db.read("t\0"), lambda db: db.read("t", where="a\0"), lambda db: db.branch("b\0"),
    lambda db: db.at("\ud800"), lambda db: db.write("t", numbers(0, 1), message="m\0"),
    lambda db: db.write("t", numbers(0, 1), metadata={"k\0": "v"}),
    lambda db: db.read("t", columns=["a\0"]), lambda db: db.show("c\0"),
])
def test_texts_that_cannot_be_are_refused(db, call):
    with pytest.raises(am.InvalidArgumentError, match="^Invalid "):
        call(db)
    assert db.log() == []


@pytest.mark.parametrize("call", [
    lambda db: db.read(b"t"), lambda db: db.branch(None), lambda db: db.write(5, numbers(0, 1)),
    lambda db: db.write("t", numbers(0, 1), metadata=["k"]),
    lambda db: db.write("t", numbers(0, 1), message=5), lambda db: db.read("t", limit="5"),
    lambda db: db.read("t", limit=True), lambda db: db.at(3), lambda db: db.sql(3),
    lambda db: db.run(lambda tx: None, retries="many"),
])
def test_things_of_the_wrong_type_are_type_errors(db, call):
    with pytest.raises(TypeError):
        call(db)


def test_long_names_and_messages_have_limits(db):
    with pytest.raises(am.InvalidArgumentError):
        db.branch("b" * 256)
    with pytest.raises(am.LimitError):
        db.write("t", numbers(0, 1), message="m" * (1 << 24))
    assert db.log() == [] and db.tables() == []


def test_a_schema_of_too_many_columns_is_refused(db):
    with pytest.raises(am.LimitError):
        db.write("wide", pa.table({f"c{i}": pa.array([], pa.int8()) for i in range(33_000)}))
    assert db.tables() == []


def test_every_error_is_an_error_and_carries_its_object(db):
    classes = [am.NotFoundError, am.AlreadyExistsError, am.InvalidArgumentError,
               am.SchemaMismatchError, am.ConstraintError, am.ConflictError, am.MergeConflict,
               am.CommitUnknownError, am.CorruptionError, am.StorageError, am.LimitError]
    assert all(issubclass(kind, am.Error) for kind in classes)
    assert issubclass(am.MergeConflict, am.ConflictError)
    assert issubclass(am.NotFoundError, LookupError)
    assert issubclass(am.InvalidArgumentError, ValueError)
    assert issubclass(am.StorageError, OSError)
    with pytest.raises(am.Error) as caught:
        db.read("nobody")
    assert (caught.value.kind, caught.value.name) == ("table", "nobody")
