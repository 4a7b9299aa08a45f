"""What our encoder writes is right for everybody else: type x shape x profile x codec x reader.

Everyday a sample, in which shapes, profiles and codecs meet in every pair over the types;
ARMI_MATRIX=full (or tools/parquet_matrix.py --full) takes every combination. What a reader may
refuse, or give as another type, stands in docs/parquet-readers.md, and no more than that.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

for needed in ("pyarrow", "polars", "duckdb", "arro3.io"):
    pytest.importorskip(needed)

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

import armillaria as am  # noqa: E402

from . import gen  # noqa: E402
from .readers import CODECS, OTHERS, PROFILES, carried  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import parquet_matrix as matrix  # noqa: E402

NAMES = matrix.names()
FULL = os.environ.get("ARMI_MATRIX") == "full"
SMALL = [name for name, shape in gen.SHAPES.items() if shape.rows <= 5000]
LARGE = [name for name, shape in gen.SHAPES.items() if shape.rows > 5000]


def ways(number):
    """How the type of that number is written: shape, profile, codec."""
    if FULL:
        return [(s, p, c) for s in gen.SHAPES for p in PROFILES for c in CODECS]
    shapes = [SMALL[(number + step * 5) % len(SMALL)] for step in range(4)]
    if number % 4 == 0:
        shapes.append(LARGE[number // 4 % len(LARGE)])
    return [(shape, PROFILES[(number // 3 + place) % 3], CODECS[(number + number // 7 + place) % 7])
            for place, shape in enumerate(shapes)]


@pytest.mark.parametrize("name", NAMES)
def test_every_type_is_read_by_everybody(name, tmp_path):
    wrong = []
    for way in ways(NAMES.index(name)):
        if gen.fits(gen.TYPES[name], gen.SHAPES[way[0]]):
            with matrix.quiet():
                wrong += matrix.check_one(name, way, tmp_path / "x.parquet")
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(FULL, reason="everything is taken")
def test_the_sample_meets_in_every_pair():
    taken = [way for number in range(len(NAMES)) for way in ways(number)]
    assert {(s, p) for s, p, _ in taken} == {(s, p) for s in gen.SHAPES for p in PROFILES}
    assert {(p, c) for _, p, c in taken} == {(p, c) for p in PROFILES for c in CODECS}
    assert {(s, c) for s, _, c in taken} >= {(s, c) for s in SMALL for c in CODECS}


def test_the_document_lists_every_type_and_only_known_refusals():
    told, cells = matrix.stored()
    assert list(cells) == NAMES
    assert set(told) == set(OTHERS)
    refused = {(name, reader) for name, row in cells.items() for reader, cell in row.items()
               if cell.startswith("no")}
    assert "DIFFERS" not in matrix.DOCUMENT.read_text()
    # Grows by hand alone, with a reason: these readers have no such type.
    zones = {(name, "Polars") for name in NAMES if name.startswith("timestamp") and "+05:30" in name}
    assert refused == zones | {("decimal256(40, 0)", "Polars"), ("decimal256(76, 38)", "Polars"),
                               ("dictionary<decimal>", "arrow-rs"),
                               ("dictionary<fixed>", "arrow-rs"), ("list_view", "Polars")}


@pytest.mark.skipif(not FULL, reason="ARMI_MATRIX=full")
def test_the_document_is_what_the_tool_writes():
    assert matrix.document() == matrix.DOCUMENT.read_text()


@pytest.mark.parametrize("profile", PROFILES)
def test_all_types_in_one_file_of_several_row_groups(profile, tmp_path):
    cells = matrix.stored()[1]
    names = [name for name in NAMES if not any(c.startswith("no") for c in cells[name].values())]
    shape = gen.Shape(1500, 0.1, offset=9)
    table = pa.table({name: gen.column(gen.TYPES[name], shape) for name in names})
    path = tmp_path / "all.parquet"
    am.write_parquet(table, path, profile=profile, row_group_rows=400)
    assert pq.read_metadata(path).num_row_groups == 4
    data = path.read_bytes()
    for reader, read in {**OTHERS, "ours": lambda d, p: am.read_parquet(p).to_arrow()}.items():
        got = read(data, os.fspath(path))
        assert got.column_names == names
        assert [n for n in names if not carried(table[n], got[n])] == [], reader


@pytest.mark.parametrize("columns", [["b"], ["l", "a"], ["s"]])
def test_readers_take_single_columns(columns):
    table = pa.table({"a": gen.column(pa.int64(), gen.SHAPES["many"]),
                      "b": gen.column(pa.string(), gen.SHAPES["many"]),
                      "l": gen.column(pa.list_(pa.int32()), gen.SHAPES["many"]),
                      "s": gen.column(gen.NESTED["struct"], gen.SHAPES["many"])})
    data = am.ParquetEncoder().encode(table)
    got = pq.read_table(io.BytesIO(data), columns=columns).select(columns)
    assert all(gen.same_values(table[name], got[name]) for name in columns)
    got = am.ParquetDecoder().decode(data, columns=columns).to_arrow()
    assert got.column_names == columns
    assert all(gen.same_values(table[name], got[name]) for name in columns)


def test_readers_push_predicates_down_on_our_statistics(tmp_path):
    """Bounds and page indexes that were too narrow would lose rows."""
    import duckdb
    import polars

    path = os.fspath(tmp_path / "x.parquet")
    rng = np.random.default_rng(4)
    table = pa.table({"n": pa.array(np.sort(rng.integers(0, 10**6, 300_000))),
                      "f": gen.column(pa.float64(), gen.Shape(300_000, 0.1)),
                      "t": pa.array([f"{i % 977:04}{'x' * 70}" for i in range(300_000)])})
    am.write_parquet(table, path)
    for where in ("n between 1000 and 1100", "n = 77", "f > 2", "f is null", "f < -250",
                  "t >= '0976'", "t < '0001'", "t = '0500" + "x" * 70 + "'"):
        query = f"select count(*) from {{}} where {where}"
        with duckdb.connect() as connection:
            connection.register("source", table)
            wanted = connection.sql(query.format("source")).fetchall()
            assert connection.sql(query.format(f"'{path}'")).fetchall() == wanted, where
        assert am.read_parquet(path, where=where).num_rows == wanted[0][0], where
    low = polars.scan_parquet(path).filter(polars.col("n") < 5000).select(polars.len()).collect()
    assert low.item() == int((table["n"].to_numpy() < 5000).sum())
    kept = pq.read_table(path, filters=[("n", ">", 990_000)])
    assert kept.num_rows == int((table["n"].to_numpy() > 990_000).sum())


# ---- what other readers do not carry, or what is no column of the matrix ----


@pytest.mark.parametrize("type_", [
    pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.float64()),
    pa.dictionary(pa.int32(), pa.large_binary()), pa.dictionary(pa.int64(), pa.bool_()),
    pa.dictionary(pa.int16(), pa.decimal128(20, 2))], ids=str)
@pytest.mark.parametrize("how", ["all plain", "plain later"])
def test_a_dictionary_read_from_plain_pages_has_each_value_once(type_, how):
    plain = gen.column(type_.value_type, gen.Shape(4000, 0.2, "few"))
    table = pa.table({"x": plain.combine_chunks().dictionary_encode().cast(type_)})
    sink = io.BytesIO()
    pq.write_table(table, sink, use_dictionary=how == "plain later", dictionary_pagesize_limit=1,
                   write_batch_size=100, data_page_size=100)
    got = am.ParquetDecoder().decode(sink.getvalue()).to_arrow()
    assert got.schema.types == [type_]
    assert gen.same_values(plain, got["x"])
    entries = set(map(str, gen.plain(plain).drop_null()))
    assert [len(chunk.dictionary) for chunk in got["x"].chunks] == [len(entries)]
    got.to_pandas()  # which refuses a category that is there twice


def test_more_values_than_the_indices_number_come_in_smaller_batches():
    parts = [pa.DictionaryArray.from_arrays(pa.array(np.arange(400) % 100).cast("int8"),
                                            [f"{part}-{k}" for k in range(100)])
             for part in range(5)]
    table = pa.table({"x": pa.chunked_array(parts)})
    got = am.ParquetDecoder().decode(am.ParquetEncoder().encode(table)).to_arrow()
    assert got.schema == table.schema
    assert got["x"].cast("string").equals(table["x"].cast("string"))
    assert all(len(chunk.dictionary) <= 128 for chunk in got["x"].chunks)


def test_a_file_without_columns_keeps_its_rows():
    table = pa.table({"a": range(5)}).select([])
    data = am.ParquetEncoder().encode(table)
    assert am.ParquetDecoder().decode(data).num_rows == 5


@pytest.mark.parametrize(("array", "why"), [
    (pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]), "union"),
    (pa.array([None], pa.month_day_nano_interval()), "interval"),
    (pa.array([{}], pa.struct([])), "struct"),
    (pa.array([None], pa.decimal128(5, -2)), "scale"),
    (pa.array([b""], pa.binary(0)), "0 bytes"),
], ids=["union", "interval", "empty struct", "negative scale", "binary(0)"])
def test_what_parquet_does_not_carry_is_refused_by_column(array, why):
    for table in (pa.table({"fine": [1], "odd": array}),
                  pa.table({"odd": pa.StructArray.from_arrays([array], ["inner"])})):
        with pytest.raises(am.UnsupportedError, match="odd") as caught:
            am.ParquetEncoder().encode(table)
        assert why in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("rows", [0, 3])
def test_fixed_size_lists_of_size_zero_come_back(rows):
    array = pa.array([[], None, []][:rows], pa.list_(pa.int32(), 0))
    table = pa.table({"x": array})
    got = am.ParquetDecoder().decode(am.ParquetEncoder().encode(table)).to_arrow()
    assert got.schema == table.schema
    assert got["x"].to_pylist() == array.to_pylist()


# ---- the comparison itself ----


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("null", "list<null>")])
def test_the_comparison_sees_one_value_more_or_less(name):
    shape = gen.Shape(60, 0.1)
    a, b = gen.column(gen.TYPES[name], shape, 1), gen.column(gen.TYPES[name], shape, 2)
    assert gen.same_values(a, gen.column(gen.TYPES[name], shape, 1))
    assert not gen.same_values(a, b)
    valid = a.is_valid().to_numpy()
    at = int(np.argmax(valid != valid[-1]))  # a null in place of a value, or the other way round
    moved = pa.chunked_array([*a.slice(0, 59).chunks, *a.slice(at, 1).chunks])
    assert not gen.same_values(a, moved)


def test_the_comparison_sees_the_sign_of_zero_and_nan():
    for kind in ("float16", "float32", "float64"):
        one = pa.chunked_array([pa.array(np.array([0.0, np.nan], kind))])
        other = pa.chunked_array([pa.array(np.array([-0.0, np.nan], kind))])
        assert gen.same_values(one, one)
        assert not gen.same_values(one, other)
