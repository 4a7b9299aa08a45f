"""TableWriter, TableReader, merkle_root: thin over the database."""

from __future__ import annotations

import datetime as dt
import decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import armillaria as am
from armillaria.filters import literal, where_of

from .conftest import numbers


@pytest.fixture
def table():
    n = pa.array(range(5000), pa.int64())
    return pa.table({"n": n, "text": [f"row {i}" for i in range(5000)],
                     "half": pc.divide(n.cast(pa.float64()), 2)})


@pytest.mark.parametrize("native", [True, False])
def test_what_is_written_is_read(db, table, native):
    result = am.TableWriter(db, use_native_parquet=native).write("t", table, message="load")
    assert result.version == 1 and db.log()[0].message == "load"
    reader = am.TableReader(db, use_native_parquet=native)
    assert reader.read_arrow("t").equals(table)
    assert reader.read_arrow("t", columns=["half", "n"]).equals(table.select(["half", "n"]))
    assert reader.read_arrow("t", filters=[("n", "<", 10), ("text", "!=", "row 3")]).num_rows == 9
    assert reader.read_arrow("t", filters="n < 10").num_rows == 10
    assert reader.read_pandas("t", columns=["n"])["n"].tolist() == list(range(5000))
    assert reader.list_tables() == ["t"]
    assert [version.version for version in reader.list_versions("t")] == [1]


@pytest.mark.parametrize("options", [{"verify_integrity": False}, {"use_mmap": False},
                                     {"parallel_workers": 1}, {"parallel_workers": 0},
                                     {"parallel_workers": None}])
def test_options_change_no_answer(db, table, options):
    db.write("t", table)
    assert am.TableReader(db, **options).read_arrow("t").equals(table)


def test_bad_options_are_refused(db):
    with pytest.raises(am.InvalidArgumentError, match="^parallel_workers must be at least 0"):
        am.TableReader(db, parallel_workers=-1)
    with pytest.raises(am.InvalidArgumentError, match="^chunk_rows must be at least 1"):
        am.TableWriter(db, chunk_rows=0)


def test_chunk_rows_cut_chunk_files(db):
    table = numbers(0, 200_000)
    result = am.TableWriter(db, chunk_rows=50_000).write("n", table)
    assert result.chunks_written >= 4
    assert db.read("n").to_arrow().equals(table)


def test_versions_are_read(db, table):
    db.write("t", table)
    db.write("t", table.slice(0, 10))
    reader = am.TableReader(db)
    assert reader.read_arrow("t", version=1).num_rows == 5000
    assert reader.read_pandas("t", version=2).shape == (10, 3)
    with pytest.raises(am.NotFoundError, match="^Version not found: t version 3$"):
        reader.read_arrow("t", version=3)


def test_chunks_are_one_table_a_range(db, table):
    db.write("t", table)
    for step in range(3):
        db.append("t", table.slice(0, step + 1))
    chunks = list(am.TableReader(db).iter_chunks("t"))
    assert len(chunks) == db.stats("t")["ranges"] >= 4
    assert all(isinstance(chunk, pa.Table) for chunk in chunks)
    assert pa.concat_tables(chunks).equals(db.read("t").to_arrow())
    names = list(am.TableReader(db).iter_chunks("t", columns=["n"], filters="n < 3"))
    assert pa.concat_tables(names).column_names == ["n"]


def test_metadata_names_chunks_that_can_be_had(db, table):
    result = db.write("t", table)
    db.append("t", table)
    meta = am.TableReader(db).get_metadata("t", version=1)
    assert (meta.table, meta.version, meta.commit, meta.rows) == ("t", 1, result.commit, 5000)
    assert meta.time == db.versions("t")[0].time and meta.bytes > 0
    assert meta.ranges == result.ranges and meta.schema == table.schema
    assert len(meta.chunk_hashes) == len(set(meta.chunk_hashes)) > 0
    for data in db.chunks.get_batch_verified(meta.chunk_hashes):
        assert am.ParquetDecoder().metadata(data).rows > 0
    newest = am.TableReader(db).get_metadata("t")
    assert newest.version == 2 and set(meta.chunk_hashes) <= set(newest.chunk_hashes)


def test_the_root_is_of_the_content(db, table):
    db.write("a", table)
    db.write("b", table)
    assert am.merkle_root(db, "a") == am.merkle_root(db, "b")
    db.write("b", table.slice(1))
    assert am.merkle_root(db, "a") != am.merkle_root(db, "b")
    assert am.merkle_root(db, "a") == am.merkle_root(db, "b", version=1)
    with pytest.raises(am.NotFoundError, match="^Table not found: c$"):
        am.merkle_root(db, "c")


# ---- filters ----


@pytest.mark.parametrize("filters, where", [
    (None, None),
    ([], None),
    ("a > 1", "a > 1"),
    ([("a", "=", 1)], '"a" = 1'),
    ([("a", "==", 1), ("b", "<>", "x'y")], "\"a\" = 1 and \"b\" != 'x''y'"),
    ([('odd "name"', ">=", 1.5)], '"odd ""name""" >= 1.5'),
    ([("a", "in", [1, 2])], '"a" in (1, 2)'),
    ([("a", "NOT  IN", ("x",))], "\"a\" not in ('x')"),
    ([("a", "=", None)], '"a" is null'),
    ([("a", "!=", None)], '"a" is not null'),
    ([("a", "like", "x%")], "\"a\" like 'x%'"),
    ([("a", "=", True)], '"a" = true'),
    ([("a", "=", dt.date(2013, 1, 2))], "\"a\" = date '2013-01-02'"),
    ([("a", "<", dt.datetime(2013, 1, 2, 3, 4, 5, 6))],
     "\"a\" < timestamp '2013-01-02 03:04:05.000006'"),
    ([("a", "=", decimal.Decimal("1.50"))], '"a" = 1.50'),
    ([("a", "=", b"\0\xff")], "\"a\" = x'00ff'"),
])
def test_filters_become_conditions(filters, where):
    assert where_of(filters) == where


@pytest.mark.parametrize("filters", [
    [("a", "~", 1)], [("a", "=")], ["a = 1"], [(1, "=", 1)], [("a", "<", None)],
    [("a", "in", "abc")], [("a", "in", 5)], [("a", "=", float("nan"))], [("a", "=", object())],
])
def test_bad_filters_are_refused(filters):
    with pytest.raises(am.InvalidArgumentError):
        where_of(filters)


def test_numpy_values_and_zones_in_filters():
    numpy = pytest.importorskip("numpy")
    assert literal(numpy.int32(7)) == "7" and literal(numpy.float64(0.5)) == "0.5"
    moment = dt.datetime(2013, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert literal(moment) == "timestamp '2013-01-01 10:00:00'"


@given(values=st.lists(st.text(max_size=10).filter(lambda t: "\0" not in t), min_size=1,
                       max_size=5, unique=True))
def test_any_text_is_found_by_its_literal(tmp_path_factory, values):
    data = am.ParquetEncoder().encode(pa.table({"t": values}))
    for value in values:
        found = am.ParquetDecoder().decode(data, where=where_of([("t", "=", value)])).to_arrow()
        assert found["t"].to_pylist() == [value]


@given(value=st.one_of(st.integers(-(2**63), 2**63 - 1)), others=st.lists(
    st.integers(-(2**63), 2**63 - 1), max_size=4))
def test_any_number_is_found_by_its_literal(value, others):
    values = [value, *others]
    data = am.ParquetEncoder().encode(pa.table({"n": pa.array(values, pa.int64())}))
    found = am.ParquetDecoder().decode(data, where=where_of([("n", "in", [value])])).num_rows
    assert found == values.count(value)
