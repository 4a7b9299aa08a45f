"""How far the codec and tables reach, and that one step further is refused by name.

What needs gigabytes runs with ARMI_LARGE=1 alone.
"""

from __future__ import annotations

import io
import mmap
import os

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

import armillaria as am  # noqa: E402

from .parquet_patch import make, write_struct  # noqa: E402
from .test_parquet_hostile import nulls  # noqa: E402

large = pytest.mark.skipif("ARMI_LARGE" not in os.environ, reason="ARMI_LARGE=1: takes gigabytes")


def encode(table):
    return am.ParquetEncoder().encode(table)


# ---- columns ----


def test_ten_thousand_columns(db):
    table = pa.table({f"c{i}": pa.array([i, None, i % 7], pa.int32()) for i in range(10_000)})
    data = encode(table)
    assert am.ParquetDecoder().decode(data).to_arrow().equals(table)
    assert pq.read_table(io.BytesIO(data)).equals(table)
    picked = am.ParquetDecoder().decode(data, columns=["c9999", "c5"]).to_arrow()
    assert picked.equals(table.select(["c9999", "c5"]))
    db.write("wide", table)
    assert db.read("wide").to_arrow().equals(table)
    assert db.read("wide", columns=["c77"], where="c9999 is null").to_arrow()["c77"].to_pylist() == [None]
    assert not db.write("wide", table).changed


# ---- nesting ----


def nested(kind, levels):
    type_, value = pa.int32(), 1
    for _ in range(levels):
        if kind == "list":
            type_, value = pa.list_(type_), [value]
        elif kind == "required list":
            type_, value = pa.list_(pa.field("item", type_, False)), [value]
        elif kind == "struct":
            type_, value = pa.struct([("a", type_)]), {"a": value}
        else:
            type_, value = pa.map_(pa.string(), type_), [("k", value)]
    return pa.table({"deep": pa.array([value, value], type_)})


DEEPEST = {"list": 63, "required list": 64, "struct": 64, "map": 32}


@pytest.mark.parametrize("kind", DEEPEST)
def test_nesting_ends_at_the_limit_and_not_before(db, kind):
    """pyarrow takes less than this from us, so what comes back is held against itself."""
    table = nested(kind, DEEPEST[kind])
    data = encode(table)
    assert encode(am.ParquetDecoder().decode(data)) == data
    assert am.ParquetDecoder().decode(data).schema.names == ["deep"]
    db.write("t", table)
    assert encode(db.read("t")) == data
    assert not db.write("t", table).changed
    assert db.read("t", where="deep is null").num_rows == 0


@pytest.mark.parametrize("kind", DEEPEST)
def test_one_level_more_is_refused_before_anything_is_written(db, kind):
    for levels in (DEEPEST[kind] + 1, 150):
        table = nested(kind, levels)
        for write in (encode, lambda t: db.write("t", t)):
            with pytest.raises(am.LimitError, match=r'column .deep.: .*nested') as caught:
                write(table)
            assert caught.value.name == "deep"
    assert db.tables() == []


def test_forty_levels_are_read_by_pyarrow():
    for kind, levels in (("list", 40), ("struct", 40), ("map", 20)):
        table = nested(kind, levels)
        data = encode(table)
        assert pq.read_table(io.BytesIO(data)).equals(table)
        assert am.ParquetDecoder().decode(data).to_arrow().equals(table)


# ---- bytes ----

MOST = 1 << 30


def value_of(size, type_):
    """One value in the third row."""
    offsets = pa.array([0, 0, 0, size], pa.int64() if type_ == pa.large_binary() else pa.int32())
    buffers = [None, offsets.buffers()[1], pa.py_buffer(bytes(size))]
    return pa.table({"id": [1, 2, 3], "big": pa.Array.from_buffers(type_, 3, buffers)})


@large
@pytest.mark.parametrize("kind", ["binary", "large_binary"])
def test_a_value_of_a_gibibyte_is_carried(db, kind):
    table = value_of(MOST, getattr(pa, kind)())
    data = encode(table)
    assert am.ParquetDecoder().decode(data).to_arrow().equals(table)
    del data
    db.write("t", table)
    assert db.read("t").to_arrow().equals(table)


@large
@pytest.mark.parametrize("kind", ["binary", "large_binary"])
def test_a_byte_more_is_refused_by_column_and_row(db, kind):
    table = value_of(MOST + 1, getattr(pa, kind)())
    for write in (encode, lambda t: db.write("t", t)):
        with pytest.raises(am.LimitError) as caught:
            write(table)
        assert "big" in str(caught.value)
        assert "row 3 " in str(caught.value)
    assert db.tables() == []


@large
def test_more_than_two_gibibytes_of_text_come_in_several_batches(db, tmp_path):
    text = "0123456789abcdef" * 65_536  # a mebibyte
    part = pa.array([text] * 600)
    table = pa.table({"t": pa.chunked_array([part] * 4), "n": range(2400)})
    path = tmp_path / "x.parquet"
    am.write_parquet(table, path)
    rows = 0
    for batch in am.read_parquet(path, max_bytes=None).iter_batches():
        assert batch.schema.field("t").type == pa.string()
        assert batch["n"].to_pylist() == list(range(rows, rows + len(batch)))
        assert all(value.as_py() == text for value in batch["t"])
        rows += len(batch)
    assert rows == 2400
    db.write("t", table)
    assert sum(len(batch) for batch in db.read("t").iter_batches()) == 2400
    with pytest.raises(am.LimitError, match="max_bytes"):
        am.read_parquet(path, max_bytes=1 << 30).to_arrow()


# ---- the row that an error names ----


def in_batches(array, size=700):
    """The array as a column of batches that begin in the middle of its buffers."""
    pieces = [array.slice(at, size) for at in range(0, len(array), size)]
    return pa.table({"id": range(len(array)), "odd": pa.chunked_array(pieces)})


def bad_text(row, rows):
    data = bytearray(b"x" * rows)
    data[row] = 0xFF
    offsets = pa.array(range(rows + 1), pa.int32()).buffers()[1]
    return pa.Array.from_buffers(pa.string(), rows, [None, offsets, pa.py_buffer(bytes(data))])


@pytest.mark.parametrize("write", ["encode", "file", "table"])
def test_the_row_is_counted_over_all_batches_and_from_one(write, db, tmp_path):
    table = in_batches(bad_text(4321, 5000))
    call = {"encode": lambda: encode(table), "table": lambda: db.write("t", table),
            "file": lambda: am.write_parquet(table, tmp_path / "x.parquet")}[write]
    with pytest.raises(am.InvalidArgumentError, match=r"column 'odd': .*row 4322 is not valid UTF-8"):
        call()
    assert not list(tmp_path.glob("*.parquet"))


def test_the_row_is_counted_over_row_groups_too(tmp_path):
    """Seconds that milliseconds cannot hold are found while the second row group is encoded."""
    rows = (1 << 20) + 5000
    values = pa.concat_arrays([pa.nulls(rows, pa.int64()), pa.array([2**62])]).cast(pa.timestamp("s"))
    table = in_batches(values, 300_000)
    for write in (encode, lambda t: am.write_parquet(t, tmp_path / "x.parquet")):
        with pytest.raises(am.InvalidArgumentError, match=rf'column "odd", row {rows + 1}:'):
            write(table)


def test_items_of_lists_are_no_rows():
    items = bad_text(5, 9)
    table = pa.table({"odd": pa.ListArray.from_arrays(pa.array([0, 3, 9], pa.int32()), items)})
    with pytest.raises(am.InvalidArgumentError, match=r"column 'odd.*': .*item 6 is not valid UTF-8"):
        encode(table)
    inner = pa.StructArray.from_arrays([items], ["t"])
    with pytest.raises(am.InvalidArgumentError, match=r"column 'odd.t': .*row 6 is not valid UTF-8"):
        encode(pa.table({"odd": inner}))


# ---- beyond 32 bits ----


@large
def test_ten_billion_nulls_are_read_through_a_predicate():
    """Some hundred bytes: each span of a page costs what it holds, not what the page does."""
    data = nulls(5).build()
    assert am.read_parquet(data, where="c is not null").num_rows == 0


@large
def test_a_column_chunk_of_over_four_gibibytes(tmp_path):
    """Nine pages of half a gibibyte of zeros, in a file with holes; the last value is none."""
    file = make(pa.array([0], pa.int64()), nullable=False)
    header, rows, pages = file.data[0], 1 << 26, 9
    header.pop(4, None)
    header[2][1] = header[3][1] = rows * 8
    file.head[1][1] = rows
    file.head.pop(5, None)
    file.meta.pop(12, None)
    head = write_struct(header)
    file.meta[9][1], file.meta[5][1] = 4, rows * pages
    file.group[3][1] = file.footer[3][1] = rows * pages
    file.meta[6][1] = file.meta[7][1] = pages * (len(head) + rows * 8)
    path = tmp_path / "x.parquet"
    with path.open("wb") as out:
        out.write(b"PAR1")
        for _ in range(pages):
            out.write(head)
            out.seek(rows * 8, 1)
        out.seek(-8, 1)
        out.write((7).to_bytes(8, "little"))
        footer = write_struct(file.footer)
        out.write(footer + len(footer).to_bytes(4, "little") + b"PAR1")
    assert am.read_parquet(path, where="c = 7").to_arrow()["c"].to_pylist() == [7]
    with pytest.raises(am.LimitError, match="page"):
        am.read_parquet(path, where="c = 7", max_bytes=1 << 20).to_arrow()
    assert am.read_parquet(path).num_rows == rows * pages
    with pytest.raises(am.LimitError):
        am.read_parquet(path).to_arrow()


def zeros(length, type_, size):
    """An array over a mapping of zeros, which costs no memory before it is touched."""
    memory = pa.py_buffer(mmap.mmap(-1, size))
    return pa.Array.from_buffers(type_, length, [None, memory])


@large
def test_an_array_of_over_two_billion_rows(tmp_path):
    rows = (1 << 31) + 5
    path = tmp_path / "x.parquet"
    am.write_parquet(pa.table({"c": zeros(rows, pa.bool_(), rows // 8 + 1)}), path)
    assert am.read_parquet(path).num_rows == rows
    assert sum(len(b) for b in am.read_parquet(path).iter_batches()) == rows
    am.write_parquet(pa.table({"c": zeros(rows, pa.int8(), rows)}), path)
    assert am.read_parquet(path, where="c > 0").to_arrow().num_rows == 0


@large
def test_more_pages_than_16_bits_number(tmp_path):
    rows = 70_000 * 20
    table = pa.table({"c": range(rows)})
    path = tmp_path / "x.parquet"
    pq.write_table(table, path, row_group_size=rows, data_page_size=1, write_batch_size=20, use_dictionary=False,
                   write_page_index=True)
    assert am.read_parquet(path).to_arrow().equals(table)
    assert am.read_parquet(path, where="c = 1399999").to_arrow()["c"].to_pylist() == [rows - 1]
