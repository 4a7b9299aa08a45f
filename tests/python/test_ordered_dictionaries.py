"""The entries of an ordered dictionary, used or not, and their order come back: from Parquet, for
pyarrow too, and from tables whatever was done to them."""

from __future__ import annotations

import decimal
import io

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

import armillaria as am  # noqa: E402

SIZES = ["tiny", "small", "medium", "large", "huge"]
ENTRIES = {
    "string": pa.array(SIZES),
    "large_string": pa.array(SIZES, pa.large_string()),
    "string_view": pa.array(SIZES, pa.string_view()),
    "binary": pa.array([b"\xff", b"", b"a" * 40, b"\0", b"b"]),
    "int64": pa.array([7, -1, 2**40, 0, -(2**60)]),
    "int8": pa.array([7, -1, 100, 0, -100], pa.int8()),
    "double": pa.array([2.5, float("nan"), -1, 0.0, -0.0]),
    "half": pa.array(np.array([2.5, -1, 0, 9, 3], np.float16)),
    "timestamp": pa.array([5, 1, 3, 2, 4], pa.timestamp("s")),
    "decimal": pa.array([decimal.Decimal(n) for n in (5, -3, 10**20, 0, 1)], pa.decimal128(30, 2)),
    "fixed": pa.array([b"zzzz", b"aaaa", b"mmmm", b"0000", b"kkkk"], pa.binary(4)),
}


def ordered(entries, rows=40, index=None, nulls=True):
    """Rows that begin with the last entry but one and never name the second."""
    numbers = [(3, 0, 4, 2)[i % 4] if not nulls or i % 7 != 5 else None for i in range(rows)]
    return pa.DictionaryArray.from_arrays(pa.array(numbers, index or pa.int8()), entries, ordered=True)


def check(got, entries, values):
    assert got.type.ordered
    for chunk in got.chunks:
        assert chunk.dictionary.equals(entries) or str(chunk.dictionary) == str(entries)  # NaN
    assert str(got.to_pylist()) == str(values.to_pylist())
    return True


def encode(table, **options):
    return am.ParquetEncoder(**options).encode(table)


@pytest.mark.parametrize("profile", ["standard", "portable", "dense"])
@pytest.mark.parametrize("name", ENTRIES)
def test_a_file_keeps_all_entries_in_their_order(name, profile):
    entries = ENTRIES[name]
    for rows, group in ((1, None), (40, 9), (70_000, None)):
        array = ordered(entries, rows)
        data = encode(pa.table({"x": array}), profile=profile, row_group_rows=group)
        assert check(am.ParquetDecoder().decode(data).to_arrow()["x"], entries, array)
        theirs = pq.read_table(io.BytesIO(data))["x"]
        if name in ("string", "binary"):  # the types that pyarrow reads as dictionaries without a cast
            assert check(theirs, entries, array)
        else:
            assert str(theirs.to_pylist()) == str(array.to_pylist())


def test_a_file_keeps_the_order_where_no_row_has_a_value():
    array = pa.DictionaryArray.from_arrays(pa.array([None] * 9, pa.int8()), SIZES, ordered=True)
    data = encode(pa.table({"x": array}))
    assert check(am.ParquetDecoder().decode(data).to_arrow()["x"], array.dictionary, array)
    assert check(pq.read_table(io.BytesIO(data))["x"], array.dictionary, array)


@pytest.mark.parametrize("count", [5, 200_000])
def test_long_columns_keep_it_on_any_number_of_threads(count):
    """Of so many entries no dictionary would be made for its own sake."""
    entries = pa.array([f"{i * 7919 % 1_000_003:07}" for i in range(count)])
    numbers = np.random.default_rng(1).integers(0, count - 1, 600_000).astype("i4")
    array = pa.DictionaryArray.from_arrays(pa.array(numbers), entries, ordered=True)
    one, *others = (encode(pa.table({"x": array}), threads=threads) for threads in (1, 2, 4))
    assert all(data == one for data in others)
    for got in (am.ParquetDecoder().decode(one).to_arrow(), pq.read_table(io.BytesIO(one))):
        assert all(chunk.dictionary.equals(entries) for chunk in got["x"].chunks)
        assert got["x"].combine_chunks().cast("string").equals(array.cast("string"))


def test_nulls_and_repeats_among_the_entries_are_left_out():
    entries = pa.array(["low", None, "high", "low", "top"])
    array = pa.DictionaryArray.from_arrays(pa.array([2, 3, 1, 0, None], pa.int8()), entries, ordered=True)
    data = encode(pa.table({"x": array}))
    for got in (am.ParquetDecoder().decode(data).to_arrow(), pq.read_table(io.BytesIO(data))):
        assert got["x"].chunk(0).dictionary.to_pylist() == ["low", "high", "top"]
        assert got["x"].to_pylist() == ["high", "low", None, "low", None]


def test_entries_that_differ_from_batch_to_batch_follow_each_other():
    parts = [pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), words, ordered=True)
             for words in (["a", "b"], ["b", "c", "d"], ["a", "e"])]
    table = pa.table({"x": pa.chunked_array(parts)})
    for got in (am.ParquetDecoder().decode(encode(table)).to_arrow(),
                pq.read_table(io.BytesIO(encode(table)))):
        assert got["x"].chunk(0).dictionary.to_pylist() == ["a", "b", "c", "d", "e"]
        assert got["x"].to_pylist() == ["b", "a", "c", "b", "e", "a"]


@pytest.mark.parametrize("wrap", ["struct", "list", "list of struct", "map"])
def test_nested_ones_keep_it_too(wrap):
    array = ordered(pa.array(SIZES), 40)
    offsets = pa.array(range(0, 41, 2), pa.int32())
    inner = pa.StructArray.from_arrays([pa.array(range(40)), array], ["n", "x"])
    column = {"struct": lambda: inner,
              "list": lambda: pa.ListArray.from_arrays(offsets, array),
              "list of struct": lambda: pa.ListArray.from_arrays(offsets, inner),
              "map": lambda: pa.MapArray.from_arrays(offsets, pa.array(range(40)), array)}[wrap]()
    table = pa.table({"k": range(len(column)), "x": column})
    got = am.ParquetDecoder().decode(encode(table)).to_arrow()
    assert got.schema == table.schema
    assert got["x"].to_pylist() == column.to_pylist()
    leaf = got["x"].chunk(0)
    while not pa.types.is_dictionary(leaf.type):
        leaf = leaf.field(1) if pa.types.is_struct(leaf.type) else \
            leaf.items if pa.types.is_map(leaf.type) else leaf.values
    assert leaf.dictionary.to_pylist() == SIZES


def test_a_column_without_order_has_only_what_is_used():
    array = ordered(pa.array(SIZES), 40)
    table = pa.table({"x": pa.DictionaryArray.from_arrays(array.indices, array.dictionary)})
    got = am.ParquetDecoder().decode(encode(table)).to_arrow()["x"].chunk(0)
    assert got.dictionary.to_pylist() == ["large", "tiny", "huge", "medium"]


# ---- tables ----


def rows_of(start, count, entries=None):
    array = ordered(entries or pa.array(SIZES), count)
    return pa.table({"k": range(start, start + count), "x": array})


@pytest.mark.parametrize("rows", [3, 500, 120_000])
def test_a_table_keeps_all_entries_in_their_order(db, rows):
    table = rows_of(0, rows)
    entries = pa.array(SIZES)
    db.write("t", table)
    assert check(db.read("t").to_arrow()["x"], entries, table["x"])
    assert not db.write("t", pa.concat_tables([table.slice(0, 1), table.slice(1)])).changed
    assert not db.write("t", db.read("t")).changed
    one = db.read("t", where="k = 1").to_arrow()["x"]
    assert check(one, entries, table["x"].slice(1, 1))
    more = rows_of(rows, 700)
    db.append("t", more)
    assert check(db.read("t").to_arrow()["x"], entries, pa.concat_tables([table, more])["x"])
    added = db.diff(table="t", versions=(1, 2)).rows().to_arrow()
    assert check(added["x"], entries, more["x"])
    dev = db.branch("dev")
    theirs = rows_of(rows + 700, 60)
    dev.append("t", theirs)
    db.write("other", pa.table({"n": [1]}))
    db.merge("dev", into="main")
    assert check(db.read("t").to_arrow()["x"], entries, pa.concat_tables([table, more, theirs])["x"])
    # Once more, with a stretch left out: ranges that stayed are shared, others written anew.
    kept = pa.concat_tables([table.slice(0, rows // 2), more, theirs])
    db.write("t", kept)
    assert check(db.read("t").to_arrow()["x"], entries, kept["x"])
    assert db.verify(deep=True).ok


def test_the_same_values_in_another_order_are_the_same_content(db):
    """The order lies beside the values, and the first one written stays (docs/limits.md)."""
    table = rows_of(0, 50)
    db.write("t", table)
    other = ordered(pa.array(SIZES), 50)
    turned = pa.array(SIZES[::-1])
    numbers = pa.array([None if v is None else turned.index(v).as_py() for v in other.to_pylist()],
                       pa.int8())
    again = pa.table({"k": range(50), "x": pa.DictionaryArray.from_arrays(numbers, turned, ordered=True)})
    assert not db.write("t", again).changed
    assert db.read("t").to_arrow()["x"].chunk(0).dictionary.to_pylist() == SIZES
