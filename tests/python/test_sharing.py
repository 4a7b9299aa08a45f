"""What is there already is not written again."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import armillaria as am


def wide(rows: int) -> pa.Table:
    """Six columns that compress badly enough to fill chunk files."""
    n = pa.array(range(rows), pa.int64())
    return pa.table({
        "id": n,
        "name": pc.binary_join_element_wise("user", n.cast(pa.string()), "-"),
        "a": pc.multiply(pc.bit_wise_xor(n, pc.shift_left(n, 7)), 2654435761),
        "b": pc.multiply(n.cast(pa.float64()), 0.37),
        "c": pc.bit_wise_and(pc.multiply(n, 40503), 1023),
        "day": pc.bit_wise_and(n, 255).cast(pa.int32()).cast(pa.date32()),
    })


@pytest.fixture
def loaded(db):
    db.write("t", wide(200_000))
    return db


def test_an_identical_rewrite_makes_no_commit_and_no_chunk(loaded):
    commits, chunks = len(loaded.log()), sorted(loaded.chunks)
    result = loaded.write("t", wide(200_000))
    assert not result.changed and result.version == 1
    assert result.commit == loaded.log()[0].commit
    assert (result.chunks_written, result.bytes_written, result.columns_encoded) == (0, 0, 0)
    assert result.chunks_reused > 0 and result.bytes_reused > 0
    assert len(loaded.log()) == commits and sorted(loaded.chunks) == chunks


def test_the_same_data_in_other_batches_is_identical_too(loaded):
    table = wide(200_000)
    batches = pa.Table.from_batches(table.to_batches(max_chunksize=12_345))
    assert not loaded.write("t", batches).changed


def test_one_column_changed_encodes_only_that_column(loaded):
    table = wide(200_000)
    before = loaded.write("t", table)
    edited = table.set_column(3, "b", pc.add(table["b"], 1.0))
    result = loaded.write("t", edited)
    assert result.changed and result.version == 2
    assert result.columns_encoded == result.ranges
    assert result.columns_shared == result.ranges * (table.num_columns - 1)
    assert result.bytes_written < before.bytes_reused
    assert loaded.read("t").to_arrow().equals(edited)
    assert loaded.read("t", version=1).to_arrow().equals(table)


def test_one_column_changed_in_part_encodes_it_in_the_touched_ranges(loaded):
    table = wide(200_000)
    touched = pc.and_(pc.greater_equal(table["id"], 100), pc.less(table["id"], 200))
    edited = table.set_column(3, "b", pc.if_else(touched, -1.0, table["b"]))
    result = loaded.write("t", edited)
    assert result.columns_encoded == 1
    assert result.columns_shared == result.ranges * table.num_columns - 1
    assert loaded.read("t").to_arrow().equals(edited)


def test_an_append_touches_no_old_chunk(loaded):
    old = set(loaded.chunks)
    result = loaded.append("t", wide(1_000))
    assert old <= set(loaded.chunks)
    assert result.chunks_written == 1
    assert loaded.count("t") == 201_000


def test_the_same_data_under_another_name_and_on_a_branch_is_stored_once(loaded):
    size = len(loaded.chunks)
    copy = loaded.write("copy", wide(200_000))
    loaded.branch("dev").write("copy", wide(200_000))
    assert copy.changed and copy.bytes_written == 0
    assert len(loaded.chunks) == size
    assert am.merkle_root(loaded, "copy") == am.merkle_root(loaded, "t")


def test_a_version_keeps_its_root(loaded):
    root = am.merkle_root(loaded, "t")
    assert len(root) == 64
    loaded.write("t", wide(1_000))
    assert am.merkle_root(loaded, "t") != root
    assert am.merkle_root(loaded, "t", version=1) == root
    loaded.write("t", wide(200_000))
    assert loaded.read("t").to_arrow().equals(wide(200_000))
    assert loaded.verify(deep=True).ok
