"""Scans: lazy, pinned, re-openable, for every Arrow library."""

from __future__ import annotations

import pyarrow as pa
import pytest

import armillaria as am

from .conftest import numbers


@pytest.fixture
def scanned(db):
    db.write("n", numbers(0, 1000))
    return db


def test_a_scan_tells_its_shape_and_can_be_taken_again_and_again(scanned):
    scan = scanned.read("n")
    assert (scan.num_rows, scan.num_columns) == (1000, 2)
    assert scan.column_names == ["n", "text"]
    assert scan.schema.types == ["int64", "string"]
    assert len(scan) == 1000
    for _ in range(3):
        assert pa.table(scan).equals(numbers(0, 1000))
    assert scan.to_arrow().equals(numbers(0, 1000))


def test_columns_come_in_the_order_asked_for(scanned):
    scan = scanned.read("n", columns=["text", "n"])
    assert scan.column_names == ["text", "n"]
    assert scan.to_arrow().equals(numbers(0, 1000).select(["text", "n"]))
    assert scanned.read("n", columns="text").column_names == ["text"]


def test_no_column_still_counts_the_rows(scanned):
    scan = scanned.read("n", columns=[])
    assert (scan.num_rows, scan.num_columns) == (1000, 0)
    assert scanned.read("n", columns=[], where="n < 10").num_rows == 10


def test_limit_and_offset(scanned):
    assert scanned.read("n", limit=3).to_arrow()["n"].to_pylist() == [0, 1, 2]
    assert scanned.read("n", limit=3, offset=998).to_arrow()["n"].to_pylist() == [998, 999]
    assert scanned.read("n", limit=0).num_rows == 0
    assert scanned.read("n", limit=0).to_arrow().equals(numbers(0, 0))
    assert scanned.read("n", limit=5, offset=998).num_rows == 2
    assert scanned.read("n", offset=2000).num_rows == 0
    assert scanned.read("n", where="n >= 500", limit=2).to_arrow()["n"].to_pylist() == [500, 501]
    assert scanned.read("n", where="n >= 500", limit=2).num_rows == 2
    with pytest.raises(am.InvalidArgumentError, match="^limit must be at least 0, not -1$"):
        scanned.read("n", limit=-1)


@pytest.mark.parametrize("where, rows", [
    ("n < 10", 10),
    ("n >= 990 or n = 5", 11),
    ("n between 10 and 19", 10),
    ("n in (1, 2, 3, 5000)", 3),
    ("not n > 4", 5),
    ("text = 'row 7'", 1),
    ("text like 'row 99%'", 11),
    ("text is null", 0),
    ("n = 1.5", 0),
    ('"n" < 1e1', 10),
    ("true", 1000),
    ("n < 0", 0),
])
def test_where_keeps_the_rows_it_says(scanned, where, rows):
    scan = scanned.read("n", where=where)
    assert scan.num_rows == rows
    assert scan.to_arrow().num_rows == rows


def test_a_condition_on_a_column_that_is_not_returned(scanned):
    assert scanned.read("n", columns=["text"], where="n = 7").to_arrow().to_pylist() == [
        {"text": "row 7"}]


def test_what_does_not_resolve_is_refused_at_the_call(scanned):
    with pytest.raises(am.NotFoundError) as caught:
        scanned.read("n", columns=["n", "zz"])
    assert str(caught.value) == 'No column "zz" in table "n" (columns: n, text)'
    assert (caught.value.kind, caught.value.name) == ("column", "zz")
    with pytest.raises(am.NotFoundError, match='^No column "zz" in table "n"'):
        scanned.read("n", where="zz = 1")
    with pytest.raises(am.InvalidArgumentError):
        scanned.read("n", where="n = = 1")
    with pytest.raises(am.InvalidArgumentError, match="text.*string|string.*text"):
        scanned.read("n", where="text > 5")
    with pytest.raises(am.NotFoundError, match="^Table not found: m$"):
        scanned.read("m")
    with pytest.raises(TypeError):
        scanned.read("n", columns=5)
    with pytest.raises(TypeError):
        scanned.read(7)


def test_a_scan_shows_what_was_there_when_it_was_made(scanned):
    scan = scanned.read("n")
    again = scanned.read("n", where="n < 5")
    scanned.write("n", numbers(0, 1))
    scanned.drop("n")
    assert scan.to_arrow().equals(numbers(0, 1000))
    assert scan.to_arrow().equals(numbers(0, 1000))
    assert scan.num_rows == 1000 and again.num_rows == 5


def test_polars_pandas_and_duckdb_take_a_scan(scanned):
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    scan = scanned.read("n", where="n < 3")
    assert polars.DataFrame(scan)["n"].to_list() == [0, 1, 2]
    assert scan.to_polars()["text"].to_list() == ["row 0", "row 1", "row 2"]
    assert scan.to_pandas()["n"].tolist() == [0, 1, 2]
    connection = duckdb.connect()
    connection.register("rows", scan)
    assert connection.execute("select sum(n) from rows").fetchone()[0] == 3


def test_batches_come_whole_or_one_by_one(scanned):
    scan = scanned.read("n")
    batches = scan.to_batches()
    assert all(isinstance(batch, pa.RecordBatch) for batch in batches)
    assert pa.Table.from_batches(batches).equals(numbers(0, 1000))
    assert pa.Table.from_batches(list(scan.iter_batches())).equals(numbers(0, 1000))


def test_an_exported_stream_is_independent_of_everything(db):
    db.write("n", numbers(0, 10))
    reader = pa.RecordBatchReader.from_stream(db.read("n"))
    db.close()
    assert reader.read_all().equals(numbers(0, 10))


def test_a_capsule_that_nobody_takes_is_released(db):
    db.write("n", numbers(0, 10))
    for _ in range(100):
        capsule = db.read("n").__arrow_c_stream__()
        del capsule
        db.read("n").schema.__arrow_c_schema__()


NO_PYARROW = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyarrow", "numpy", "pandas"):
            raise ImportError(name)
sys.meta_path.insert(0, Block())
import armillaria as am
db = am.open(sys.argv[1])
scan = db.read("n", where="n < 3", columns=["n"])
print(scan.num_rows, scan.num_columns, scan.column_names, scan.schema.types)
db.write("copy", scan)
print(db.count("copy"), len(scan.to_batches()), am.ParquetDecoder().decode(
    am.ParquetEncoder().encode(scan)).num_rows)
try:
    scan.to_arrow()
except ImportError as error:
    print("ImportError", "pyarrow" in str(error))
"""


def test_everything_but_to_arrow_works_without_pyarrow(scanned, tmp_path, run_python):
    assert run_python(NO_PYARROW, tmp_path / "repo").splitlines() == [
        "3 1 ['n'] ['int64']", "3 1 3", "ImportError True"]
