"""What goes in comes out: every type that tables carry, to the bit, metadata too."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import armillaria as am

from .arrow_strategies import same, tables
from .conftest import numbers


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with am.open(tmp_path_factory.mktemp("roundtrip") / "repo", durability="none") as db:
        yield db


@given(table=tables())
def test_a_random_table_comes_back_equal(shared, table):
    shared.write("t", table, schema_mode="overwrite")
    back = shared.read("t").to_arrow()
    assert same(back, table), (back.schema, table.schema, back.to_pylist(), table.to_pylist())
    assert shared.read("t").num_rows == table.num_rows
    assert not shared.write("t", table).changed


@given(table=tables(), data=st.data())
def test_a_projection_is_the_same_columns(shared, table, data):
    shared.write("p", table, schema_mode="overwrite")
    names = data.draw(st.permutations(table.column_names))
    names = names[: data.draw(st.integers(1, len(names)))]
    assert same(shared.read("p", columns=names).to_arrow(), table.select(names))


@given(table=tables(max_rows=30), cuts=st.lists(st.integers(0, 30), max_size=3))
def test_appends_are_the_concatenation(shared, table, cuts):
    edges = sorted({0, table.num_rows, *(cut for cut in cuts if cut < table.num_rows)})
    name = "a"
    shared.write(name, table.slice(0, 0), schema_mode="overwrite")
    for start, stop in zip(edges, edges[1:], strict=False):
        shared.append(name, table.slice(start, stop - start))
    assert same(shared.read(name).to_arrow(), table)


@given(table=tables())
def test_parquet_comes_back_equal(table):
    data = am.ParquetEncoder().encode(table)
    assert same(am.ParquetDecoder().decode(data).to_arrow(), table)


@pytest.mark.parametrize("type_", [pa.float16(), pa.duration("us"), pa.list_(pa.int32()),
                                   pa.struct([("a", pa.int8()), ("b", pa.string())]),
                                   pa.map_(pa.string(), pa.int64())], ids=str)
def test_further_types_come_back_or_are_refused_by_column(shared, type_):
    values = {"list": [[1, 2], None, []], "struct": [{"a": 1, "b": "x"}, None, {"a": 2}],
              "map": [[("k", 1)], None, []]}
    name = str(type_).partition("<")[0]
    numbers_ = pa.array([1, None, 2], pa.int64())
    array = (pa.array(values[name], type_) if name in values
             else numbers_.cast(pa.float32()).cast(type_) if type_ == pa.float16()
             else numbers_.cast(type_))
    table = pa.table({"odd": array})
    try:
        shared.write("odd", table, schema_mode="overwrite")
    except am.UnsupportedError as error:
        assert "odd" in str(error) and "\n" not in str(error)
    else:
        assert shared.read("odd").to_arrow().equals(table)


def test_a_union_is_refused_by_column_and_nothing_is_written(shared):
    union = pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array([1, 2])])
    before = shared.log()
    with pytest.raises(am.UnsupportedError, match="strange"):
        shared.write("u", pa.table({"strange": union}))
    assert shared.log() == before


def test_a_large_table_in_many_batches(db):
    table = numbers(0, 300_000)
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=7_001))
    db.write("n", reader)
    scan = db.read("n")
    assert scan.num_rows == 300_000
    assert scan.to_arrow().equals(table)
    assert db.read("n", where="n between 150000 and 150004").to_arrow()["n"].to_pylist() == list(
        range(150_000, 150_005))
    assert db.read("n", offset=299_999).to_arrow()["n"].to_pylist() == [299_999]


def test_sliced_input_keeps_its_rows(db):
    table = numbers(0, 100).slice(13, 50)
    db.write("n", table)
    assert db.read("n").to_arrow().equals(table)


def test_a_table_without_columns_keeps_its_rows_or_is_refused(db):
    empty = pa.table({"a": [1, 2, 3]}).select([])
    try:
        db.write("none", empty)
    except am.Error as error:
        assert "\n" not in str(error)
    else:
        assert db.count("none") == 3 or db.count("none") == empty.num_rows
