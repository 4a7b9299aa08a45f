"""What stands in a file beside the values: pages, offsets, statistics, indexes, types, keys.

Files are taken apart by hand (thrift.py). Bounds and null counts of chunks and of pages are held
against those that pyarrow writes for the same rows.
"""

from __future__ import annotations

import decimal
import io
import math
import re
import struct

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")
pq = pytest.importorskip("pyarrow.parquet")

from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import armillaria as am  # noqa: E402

from . import gen, thrift  # noqa: E402
from .readers import CODECS, PROFILES  # noqa: E402

TYPES = {name: type_ for name, type_ in gen.TYPES.items() if type_ != pa.binary(0)}
SMALL = [name for name, shape in gen.SHAPES.items() if shape.rows <= 5000]
LARGE = [name for name, shape in gen.SHAPES.items() if shape.rows > 5000]
CODEC_IDS = {"none": 0, "snappy": 1, "gzip": 2, "brotli": 4, "zstd": 6, "lz4_raw": 7}
RLE, RLE_DICTIONARY, PLAIN = 3, 8, 0
BYTE_ARRAY, FIXED = 6, 7


def encode(table, compression="none", profile="standard", threads=1):
    return am.ParquetEncoder(compression=compression, profile=profile,
                             threads=threads).encode(table)


def file_of(array, **options):
    if not isinstance(array, (pa.Array, pa.ChunkedArray)):
        array = pa.array(*array) if isinstance(array, tuple) else pa.array(array)
    return thrift.parse(encode(pa.table({"x": array}), **options))


def combinations(number):
    """Shapes for one type with profiles and codecs, which over all types meet in every pair."""
    names = [*SMALL, LARGE[number % len(LARGE)]]
    for place, name in enumerate(names):
        yield (name, PROFILES[(number + place) % len(PROFILES)],
               CODECS[(2 * number + place) % len(CODECS)])


# ---- structure ----


def check_footer(file, table):
    footer = file.footer
    assert footer[1] == 1
    assert footer[3] == table.num_rows
    assert re.fullmatch(rb"armillaria version \d+\.\d+\.\d+( \(build .+\))?", footer[6])
    leaves = [element for element in file.schema if 5 not in element]
    assert footer[7] == [{1: {}}] * len(leaves)
    assert sum(group[3] for group in footer[4]) == table.num_rows
    for ordinal, (group, chunks) in enumerate(zip(footer[4], file.groups, strict=True)):
        assert len(chunks) == len(leaves)
        assert group[2] == sum(chunk.meta[6] for chunk in chunks)
        assert group[6] == sum(chunk.meta[7] for chunk in chunks)
        assert group[5] == min(chunk.meta.get(11, chunk.meta[9]) for chunk in chunks)
        assert group[7] == ordinal
        for chunk, leaf in zip(chunks, leaves, strict=True):
            assert chunk.meta[1] == leaf[1]
            assert chunk.meta[3][-1] == leaf[4]


def check_layout(file, size):
    """Every byte between the magic numbers belongs to one thing, in the order that is promised."""
    spans = []
    for chunks in file.groups:
        spans += [(page.offset, page.size) for chunk in chunks for page in chunk.pages]
    for offset, length in ((14, 15),):
        spans += [(chunk.meta[offset], chunk.meta[length]) for chunks in file.groups
                  for chunk in chunks if offset in chunk.meta]
    for offset in (6, 4):
        spans += [(chunk.fields[offset], chunk.fields[offset + 1]) for chunks in file.groups
                  for chunk in chunks if offset in chunk.fields]
    at = 4
    for begin, length in spans:
        assert begin == at
        at += length
    assert at == file.footer_offset < size


def check_pages(chunk):
    meta, pages = chunk.meta, chunk.pages
    assert all(page.crc_is_right() for page in pages)
    assert chunk.data_pages
    assert meta[9] == chunk.data_pages[0].offset
    assert (11 in meta) == (not pages[0].is_data)
    if 11 in meta:
        assert meta[11] == pages[0].offset
        assert pages[0].header[7][2] == PLAIN
    assert all(page.is_data for page in pages[1:])
    assert meta[5] == sum(page.values for page in chunk.data_pages)
    assert meta[6] == sum(page.size - page.header[3] + page.header[2] for page in pages)
    if meta[4] == 0:
        assert all(page.header[2] == page.header[3] for page in pages)
    used = {}
    for page in pages:
        kind = (page.header[1], page.encoding)
        used[kind] = used.get(kind, 0) + 1
    assert {(s[1], s[2]): s[3] for s in meta[13]} == used
    levels = {RLE} if 16 in meta and (2 in meta[16] or 3 in meta[16]) else set()
    assert set(meta[2]) == {encoding for _, encoding in used} | levels
    assert len(set(meta[2])) == len(meta[2])
    for page in chunk.data_pages:
        assert page.header[5][3] == page.header[5][4] == RLE
        assert page.header[2] <= (1 << 20) + 400_000
    for key in (2, 3):
        if key in meta.get(16, {}):
            assert sum(meta[16][key]) == meta[5]


def check_indexes(chunk, rows):
    index, column = chunk.offset_index, chunk.column_index
    assert index is not None
    assert [(entry[1], entry[2]) for entry in index[1]] == [
        (page.offset, page.size) for page in chunk.data_pages]
    first = [entry[3] for entry in index[1]]
    assert first[0] == 0
    assert first == sorted(set(first))
    assert first[-1] < rows
    assert all(b - a <= 65_536 for a, b in zip(first, [*first[1:], rows], strict=True))
    if chunk.meta[1] == BYTE_ARRAY:
        assert sum(index[2]) == chunk.meta[16][1]
    if column is None:
        return
    assert {len(column[key]) for key in (1, 2, 3, 5)} == {len(chunk.data_pages)}
    assert sum(column[5]) == chunk.statistics[3]
    for null, low, high, nulls, page in zip(*(column[k] for k in (1, 2, 3, 5)),
                                            chunk.data_pages, strict=True):
        assert null == (nulls == page.values)
        if null:
            assert low == high == b""


def check_structure(data, table, compression):
    file = thrift.parse(data)
    check_footer(file, table)
    check_layout(file, len(data))
    for group, chunks in zip(file.footer[4], file.groups, strict=True):
        for chunk in chunks:
            check_pages(chunk)
            check_indexes(chunk, group[3])
            wanted = {0, 6} if compression == "auto" else {0, CODEC_IDS[compression]}
            assert chunk.meta[4] in wanted
            assert chunk.meta[4] or compression != "none" or 0 in wanted
    return file


# ---- against pyarrow's numbers ----


def as_pyarrow_writes(column):
    """The same values in a type that pyarrow can write, with the same physical type."""
    type_ = column.type
    if pa.types.is_run_end_encoded(type_):
        return pa.chunked_array([pc.run_end_decode(c) for c in column.chunks], type_.value_type)
    if pa.types.is_dictionary(type_):
        return pa.chunked_array([gen.decoded(c) for c in column.chunks], type_.value_type)
    if type_ == pa.date64():
        return column.cast(pa.timestamp("ms"))
    if pa.types.is_list_view(type_) or "dictionary" in str(type_):
        value = type_.value_type
        value = value.value_type if pa.types.is_dictionary(value) else value
        return pa.chunked_array([pa.array(column.to_pylist(), pa.list_(value))])
    return column


def theirs(column):
    sink = io.BytesIO()
    pq.write_table(pa.table({"x": column}), sink, store_decimal_as_integer=True,
                   row_group_size=1 << 20, data_page_size=1 << 30)
    return thrift.parse(sink.getvalue()).groups[0]


def is_text(chunk, file):
    leaves = [element for element in file.schema if 5 not in element]
    place = [c.path for c in file.groups[0]].index(chunk.path)
    return bool({1, 11, 12} & set(leaves[place].get(10, {})))


def check_bounds(ours, other, text):
    """Statistics against untruncated ones: (nulls, min, max, exact min, exact max)."""
    nulls, low, high, low_exact, high_exact = ours
    assert nulls == other[3]
    assert (low is None) <= (6 not in other)
    if 6 in other:
        if len(other[6]) <= 64 or low_exact:
            assert low == other[6]
            assert low_exact
        else:
            assert other[6].startswith(low)
            assert 60 < len(low) <= 64
            if text:
                low.decode()
    if 5 in other:
        if len(other[5]) <= 64 or high_exact:
            assert high == other[5]
            assert high_exact
        elif high is not None:
            assert len(high) <= 64
            assert other[5] < high
            if text:
                high.decode()


def bounds_of(statistics):
    return (statistics[3], statistics.get(6), statistics.get(5), statistics.get(8, False),
            statistics.get(7, False))


@pytest.mark.parametrize("name", TYPES)
def test_structure_and_statistics_of_every_type(name):
    type_ = TYPES[name]
    for shape_name, profile, compression in combinations(list(TYPES).index(name)):
        shape = gen.SHAPES[shape_name]
        if not gen.fits(type_, shape):
            continue
        column = gen.column(type_, shape)
        table = pa.table({"x": column})
        file = check_structure(encode(table, compression, profile), table, compression)
        if shape.rows == 0:
            assert file.groups == []
            continue
        if name in ("null", "list<null>"):  # null_count is ours alone
            assert file.groups[0][-1].statistics[3] >= shape.rows
            continue
        source = as_pyarrow_writes(column)
        for place, (chunk, other) in enumerate(zip(file.groups[0], theirs(source), strict=True)):
            assert chunk.meta[1] == other.meta[1]
            assert chunk.meta[5] == other.meta[5]
            check_bounds(bounds_of(chunk.statistics), other.statistics, is_text(chunk, file))
            for key in (2, 3):
                assert (chunk.meta.get(16, {}).get(key) or []) == other.meta[16].get(key, [])
            check_page_bounds(chunk, place, source, is_text(chunk, file))


def check_page_bounds(chunk, place, source, text):
    """Each page's bounds are those of its rows; their order is what boundary_order says."""
    column = chunk.column_index
    if column is None:
        assert 6 not in chunk.statistics or not exact_everywhere(chunk)
        return
    if len(chunk.data_pages) == 1:
        if 6 in chunk.statistics:
            assert (column[2][0], column[3][0]) == (chunk.statistics[6], chunk.statistics[5])
        return
    first = [entry[3] for entry in chunk.offset_index[1]] + [len(source)]
    for page, (a, b) in enumerate(zip(first, first[1:], strict=False)):
        other = theirs(source.slice(a, b - a))[place].statistics
        null = column[1][page]
        low, high = (None, None) if null else (column[2][page], column[3][page])
        check_bounds((column[5][page], low, high, 6 in other and low == other[6],
                      5 in other and high == other[5]), other, text)


def exact_everywhere(chunk):
    """Whether every page has bounds, so that a column index could have been written."""
    return chunk.statistics.get(9, 0) == 0 and 5 in chunk.statistics


def key_of(type_, signed=True):
    return {1: lambda b: struct.unpack("<i" if signed else "<I", b)[0],
            2: lambda b: struct.unpack("<q" if signed else "<Q", b)[0],
            4: lambda b: struct.unpack("<f", b)[0], 5: lambda b: struct.unpack("<d", b)[0],
            6: bytes}[type_]


@pytest.mark.parametrize(("values", "order"), [
    (np.arange(200_000), 1), (np.arange(200_000)[::-1].copy(), 2),
    (np.arange(200_000) % 70_001 - 9, 0), (np.zeros(200_000, np.int64), 1),
])
@pytest.mark.parametrize("kind", ["int32", "int64", "float64", "string"])
def test_boundary_order_tells_how_pages_follow(values, order, kind):
    array = pa.array(values).cast(kind)
    if kind == "string":
        array = pc.utf8_lpad(array, 7, "0")
        if values.min() < 0:
            array = pc.replace_substring(array, "-", "0")
    chunk = file_of(array).groups[0][0]
    assert len(chunk.data_pages) > 2
    assert chunk.column_index[4] == order
    key = key_of(chunk.meta[1])
    lows, highs = ([key(b) for b in chunk.column_index[i]] for i in (2, 3))
    if order == 1:
        assert lows == sorted(lows)
        assert highs == sorted(highs)
    if order == 2:
        assert lows == sorted(lows, reverse=True)
        assert highs == sorted(highs, reverse=True)


def test_pages_of_nulls_are_skipped_in_the_boundary_order():
    array = pa.concat_arrays([pa.array(range(70_000)), pa.nulls(140_000, pa.int64()),
                              pa.array(range(70_000, 200_000))])
    chunk = file_of(array).groups[0][0]
    assert chunk.column_index[4] == 1
    assert any(chunk.column_index[1])
    assert not all(chunk.column_index[1])


# ---- bounds, rule by rule ----


def bounds(array, **options):
    (chunk,) = file_of(array, **options).groups[0]
    return chunk.statistics.get(6), chunk.statistics.get(5)


FLOATS = {"float16": "<e", "float32": "<f", "float64": "<d"}


def floats(values, kind):
    return pa.array(np.array(values, kind))


@pytest.mark.parametrize("kind", FLOATS)
def test_nan_is_in_no_bound_and_is_counted(kind):
    form, nan = FLOATS[kind], math.nan
    for values in ([nan, 1, 2], [1, nan, 2], [1, 2, nan], [nan, nan, 2, 1, nan]):
        assert bounds(floats(values, kind)) == (struct.pack(form, 1), struct.pack(form, 2))
        (chunk,) = file_of(floats(values, kind)).groups[0]
        assert chunk.statistics[9] == sum(v != v for v in values)
        assert chunk.column_index[8] == [chunk.statistics[9]]
    negative = np.array([math.nan], kind)
    negative = np.copysign(negative, -1)
    assert bounds(pa.array(np.concatenate([negative, np.array([3], kind)]))) == (
        struct.pack(form, 3), struct.pack(form, 3))


@pytest.mark.parametrize("kind", FLOATS)
def test_nan_alone_gives_no_bounds_and_no_column_index(kind):
    (chunk,) = file_of(floats([math.nan, math.nan], kind)).groups[0]
    assert not {1, 2, 5, 6} & set(chunk.statistics)
    assert chunk.statistics[9] == 2
    assert chunk.column_index is None
    assert chunk.offset_index is not None


@pytest.mark.parametrize("kind", FLOATS)
def test_a_page_of_nan_takes_the_column_index_away(kind):
    (chunk,) = file_of(floats([1.0] * 70_000 + [math.nan] * 140_000, kind)).groups[0]
    assert chunk.column_index is None
    assert chunk.statistics[6] == struct.pack(FLOATS[kind], 1)


@pytest.mark.parametrize("kind", FLOATS)
def test_zero_is_negative_below_and_positive_above(kind):
    form = FLOATS[kind]
    zeros = (struct.pack(form, -0.0), struct.pack(form, 0.0))
    for values in ([0.0], [-0.0], [0.0, -0.0], [-0.0, 0.0], [math.nan, 0.0], [-0.0] * 300):
        assert bounds(floats(values, kind)) == zeros
    assert bounds(floats([-0.0, 5], kind)) == (zeros[0], struct.pack(form, 5))
    assert bounds(floats([0.0, -5], kind)) == (struct.pack(form, -5), zeros[1])


@pytest.mark.parametrize("kind", FLOATS)
def test_infinities_are_bounds(kind):
    form = FLOATS[kind]
    assert bounds(floats([math.inf, 1, -math.inf], kind)) == (
        struct.pack(form, -math.inf), struct.pack(form, math.inf))
    assert bounds(floats([math.inf, math.nan], kind)) == (struct.pack(form, math.inf),) * 2
    assert bounds(floats([-math.inf], kind)) == (struct.pack(form, -math.inf),) * 2


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_unsigned_integers_are_ordered_as_such(bits):
    form = "<Q" if bits == 64 else "<I"
    values = [0, 1, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2**bits - 1]
    assert bounds((values, f"uint{bits}")) == (struct.pack(form, 0),
                                               struct.pack(form, 2**bits - 1))
    assert bounds((values[2:4], f"uint{bits}")) == (struct.pack(form, values[2]),
                                                    struct.pack(form, values[3]))


@pytest.mark.parametrize("type_", [pa.decimal32(9, 2), pa.decimal64(18, 2), pa.decimal128(9, 2),
                                   pa.decimal128(18, 2), pa.decimal128(30, 2),
                                   pa.decimal256(60, 2)], ids=str)
def test_decimals_are_ordered_by_value(type_):
    texts = ["-1234567.89", "-0.01", "0.00", "0.01", "1234567.89"]
    (chunk,) = file_of(pa.array([decimal.Decimal(t) for t in texts], type_)).groups[0]
    order = "little" if chunk.meta[1] != FIXED else "big"
    low, high = (int.from_bytes(chunk.statistics[k], order, signed=True) for k in (6, 5))
    assert (low, high) == (-123456789, 123456789)
    assert chunk.statistics[7] is chunk.statistics[8] is True
    negative = file_of(pa.array([decimal.Decimal(t) for t in texts[:2]], type_)).groups[0][0]
    assert int.from_bytes(negative.statistics[5], order, signed=True) == -1


def test_booleans_have_bounds():
    assert bounds([True, None]) == (b"\1", b"\1")
    assert bounds([False, True]) == (b"\0", b"\1")
    assert bounds([False] * 1000) == (b"\0", b"\0")


def test_an_empty_text_is_a_minimum():
    (chunk,) = file_of(["", "b", None]).groups[0]
    assert (chunk.statistics[6], chunk.statistics[5]) == (b"", b"b")
    assert chunk.statistics[3] == 1
    (chunk,) = file_of(["", "", ""]).groups[0]
    assert (chunk.statistics[6], chunk.statistics[5]) == (b"", b"")
    assert chunk.column_index[1] == [False]


def test_types_without_an_order_have_only_their_null_count():
    (chunk,) = file_of(pa.nulls(3)).groups[0]
    assert chunk.statistics == {3: 3}
    assert chunk.column_index is None


@pytest.mark.parametrize(("value", "low", "high"), [
    ("a" * 64, b"a" * 64, b"a" * 64),
    ("a" * 65, b"a" * 64, b"a" * 63 + b"b"),
    ("a" * 62 + "€€", b"a" * 62, b"a" * 61 + b"b"),
    ("a" * 61 + "€x", b"a" * 61 + "€".encode(), b"a" * 61 + "₭".encode()),
    ("\x7f" * 70, b"\x7f" * 64, None),
    ("a" + "\x7f" * 70, b"a" + b"\x7f" * 63, b"b"),
    ("\U0010ffff" * 20, "\U0010ffff".encode() * 16, None),
    ("b" + "\U0010ffff" * 20, b"b" + "\U0010ffff".encode() * 15, b"c"),
])
def test_long_texts_are_cut_between_characters(value, low, high):
    (chunk,) = file_of([value]).groups[0]
    statistics = chunk.statistics
    exact = len(value.encode()) <= 64
    assert statistics[6] == low
    assert statistics[8] is exact
    assert low.decode() <= value
    if high is None:
        assert 5 not in statistics
        assert chunk.column_index is None
    else:
        assert statistics[5] == high
        assert statistics[7] is exact
        assert high.decode() >= value


@pytest.mark.parametrize(("value", "high"), [
    (b"\xff" * 64, b"\xff" * 64), (b"\xff" * 65, None),
    (b"a" + b"\xff" * 70, b"b"), (b"\xfe" * 65, b"\xfe" * 63 + b"\xff"),
    (b"\x00" * 65, b"\x00" * 63 + b"\x01"),
])
@pytest.mark.parametrize("type_", ["binary", "large_binary", "binary_view", "fixed"])
def test_long_bytes_are_cut_and_raised(value, high, type_):
    if type_ == "fixed":
        type_ = pa.binary(len(value))
    (chunk,) = file_of(pa.array([value]).cast(type_)).groups[0]
    assert chunk.statistics.get(5) == high
    assert chunk.statistics[6] == value[:64]
    assert chunk.statistics[8] is (len(value) <= 64)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=90)


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_bounds_of_any_texts_hold_them(values):
    statistics = file_of((values, pa.string())).groups[0][0].statistics
    raw = sorted(value.encode() for value in values)
    low = statistics[6]
    assert low.decode().encode() == low <= raw[0]
    assert statistics[8] is (low == raw[0])
    assert len(low) <= 64
    if 5 in statistics:
        high = statistics[5]
        assert high.decode().encode() == high >= raw[-1]
        assert len(high) <= 64
        assert statistics[7] is (high == raw[-1])
    else:
        assert len(raw[-1]) > 64


@given(st.lists(st.binary(max_size=90), min_size=1, max_size=8))
def test_bounds_of_any_bytes_hold_them(values):
    statistics = file_of((values, pa.binary())).groups[0][0].statistics
    assert statistics[6] <= min(values)
    assert statistics[8] is (statistics[6] == min(values))
    if 5 in statistics:
        assert statistics[5] >= max(values)
        assert statistics[7] is (statistics[5] == max(values))
    else:
        assert max(values).startswith(b"\xff" * 64)


def test_distinct_counts_are_those_of_the_values():
    for values in ([1, 2, 2, None, 3] * 2000, ["a", "b", None] * 3000):
        (chunk,) = file_of(values).groups[0]
        if 4 in chunk.statistics:
            assert chunk.statistics[4] == len({v for v in values if v is not None})
    codes = pa.DictionaryArray.from_arrays(pa.array([0, 2, 0, None] * 500, pa.int8()),
                                           ["a", "unused", "c", "a"])
    (chunk,) = file_of(codes).groups[0]
    assert chunk.statistics.get(4, 2) == 2
    assert (chunk.statistics[6], chunk.statistics[5]) == (b"a", b"c")


# ---- types as the schema tells them ----

STRING, DECIMAL, DATE, TIME, STAMP, INTEGER = 1, 5, 6, 7, 8, 10
MILLI, MICRO, NANO = {1: {}}, {2: {}}, {3: {}}
INT32, INT64 = 1, 2


@pytest.mark.parametrize(("type_", "physical", "converted", "logical"), [
    ("bool", 0, None, None), ("int32", INT32, None, None), ("int64", INT64, None, None),
    ("int8", INT32, 15, {INTEGER: {1: 8, 2: True}}),
    ("int16", INT32, 16, {INTEGER: {1: 16, 2: True}}),
    ("uint8", INT32, 11, {INTEGER: {1: 8, 2: False}}),
    ("uint16", INT32, 12, {INTEGER: {1: 16, 2: False}}),
    ("uint32", INT32, 13, {INTEGER: {1: 32, 2: False}}),
    ("uint64", INT64, 14, {INTEGER: {1: 64, 2: False}}),
    ("float32", 4, None, None), ("float64", 5, None, None), ("float16", FIXED, None, {15: {}}),
    ("string", BYTE_ARRAY, 0, {STRING: {}}), ("large_string", BYTE_ARRAY, 0, {STRING: {}}),
    ("string_view", BYTE_ARRAY, 0, {STRING: {}}), ("binary", BYTE_ARRAY, None, None),
    (pa.binary(3), FIXED, None, None), (pa.uuid(), FIXED, None, {14: {}}),
    (pa.json_(), BYTE_ARRAY, 19, {12: {}}), ("date32", INT32, 6, {DATE: {}}),
    (pa.decimal32(7, 2), INT32, 5, {DECIMAL: {1: 2, 2: 7}}),
    (pa.decimal128(9, 0), INT32, 5, {DECIMAL: {1: 0, 2: 9}}),
    (pa.decimal128(18, 3), INT64, 5, {DECIMAL: {1: 3, 2: 18}}),
    (pa.decimal128(19, 3), FIXED, 5, {DECIMAL: {1: 3, 2: 19}}),
    (pa.decimal256(76, 3), FIXED, 5, {DECIMAL: {1: 3, 2: 76}}),
    (pa.timestamp("s"), INT64, None, {STAMP: {1: False, 2: MILLI}}),
    (pa.timestamp("ms", "UTC"), INT64, 9, {STAMP: {1: True, 2: MILLI}}),
    (pa.timestamp("us", "+01:00"), INT64, 10, {STAMP: {1: True, 2: MICRO}}),
    (pa.timestamp("us"), INT64, None, {STAMP: {1: False, 2: MICRO}}),
    (pa.timestamp("ns", "UTC"), INT64, None, {STAMP: {1: True, 2: NANO}}),
    (pa.time32("s"), INT32, None, {TIME: {1: False, 2: MILLI}}),
    (pa.time64("us"), INT64, None, {TIME: {1: False, 2: MICRO}}),
    (pa.time64("ns"), INT64, None, {TIME: {1: False, 2: NANO}}),
    ("duration[us]", INT64, None, None), (pa.null(), INT32, None, {11: {}}),
], ids=str)
def test_both_annotations_of_a_type(type_, physical, converted, logical):
    element = file_of(pa.array([None], type_)).schema[1]
    assert (element[1], element.get(6), element.get(10)) == (physical, converted, logical)
    assert (2 in element) == (physical == FIXED)
    if converted == 5:
        decimal_type = next(iter(logical.values()))
        assert (element[7], element[8]) == (decimal_type[1], decimal_type[2])


def test_lists_and_maps_have_three_levels_and_both_annotations():
    type_ = pa.struct([("l", pa.list_(pa.int8())), ("m", pa.map_("string", "int32"))])
    schema = file_of(pa.array([None], type_)).schema
    names = [element[4] for element in schema]
    assert names[1:] == [b"x", b"l", b"list", b"element", b"m", b"key_value", b"key", b"value"]
    by_name = dict(zip(names, schema, strict=True))
    assert (by_name[b"l"][6], by_name[b"l"][10]) == (3, {3: {}})
    assert (by_name[b"m"][6], by_name[b"m"][10]) == (1, {2: {}})
    assert [by_name[n][3] for n in (b"list", b"key_value")] == [2, 2]
    assert [by_name[n][3] for n in (b"x", b"l", b"element", b"value")] == [1, 1, 1, 1]
    assert by_name[b"key"][3] == 0


def with_id(name, type_, number, nullable=True):
    return pa.field(name, type_, nullable, {"PARQUET:field_id": str(number)})


def test_field_ids_stand_on_every_level():
    inner = pa.struct([with_id("a", pa.int32(), 7), with_id("b", pa.list_(
        with_id("element", pa.string(), 9)), 8)])
    mapped = pa.map_(with_id("key", pa.string(), 11, False), with_id("value", pa.int32(), 12))
    schema = pa.schema([with_id("s", inner, 0), with_id("m", mapped, 2**31 - 1),
                        pa.field("without", pa.int32())])
    rows = [{"s": {"a": 1, "b": ["x"]}, "m": [("k", 1)], "without": 1}]
    table = pa.Table.from_pylist(rows, schema)
    data = encode(table)
    ids = {element[4].decode(): element.get(9) for element in thrift.parse(data).schema[1:]}
    assert ids == {"s": 0, "a": 7, "b": 8, "list": None, "element": 9, "m": 2**31 - 1,
                   "key_value": None, "key": 11, "value": 12, "without": None}
    for got in (am.ParquetDecoder().decode(data).to_arrow(), pq.read_table(io.BytesIO(data))):
        assert got.schema.field("s").metadata[b"PARQUET:field_id"] == b"0"
        assert got.schema.field("s").type.field("a").metadata[b"PARQUET:field_id"] == b"7"
        assert got.schema.field("without").metadata is None


# ---- keys ----


def test_reserved_keys_are_neither_taken_over_nor_handed_out():
    field = pa.field("x", pa.int32(), metadata={"armi.id": "9", "unit": "m"})
    schema = pa.schema([field], {"armi.blake3": "forged", "armi.x": "1", "origin": "here",
                                 "ARROW:schema": "forged"})
    data = encode(pa.table({"x": pa.array([1], pa.int32())}, schema))
    keys = thrift.parse(data).keys
    assert keys[b"origin"] == b"here"
    assert b"armi.x" not in keys
    assert b"forged" not in keys.values()
    for got in (am.ParquetDecoder().decode(data).to_arrow(),
                am.ParquetDecoder().decode(encode(am.ParquetDecoder().decode(data))).to_arrow()):
        assert got.schema.metadata == {b"origin": b"here"}
        assert got.schema.field("x").metadata == {b"unit": b"m"}
    for element in pq.read_schema(io.BytesIO(data)).field("x").metadata:
        assert not element.startswith(b"armi.")


def test_metadata_comes_back_exactly():
    metadata = {"k": "v", "empty": "", "ü": "€", "pandas": '{"index_columns": []}'}
    inner = pa.field("a", pa.int32(), metadata={"deep": "yes"})
    schema = pa.schema([pa.field("x", pa.int64(), False, {"unit": "m", "note": ""}),
                        pa.field("s", pa.struct([inner]))], metadata)
    table = pa.table({"x": [1, 2], "s": pa.array([{"a": 1}, None], schema.field("s").type)}, schema)
    got = am.ParquetDecoder().decode(encode(table)).to_arrow()
    assert got.equals(table, check_metadata=True)
    assert got.schema.metadata == table.schema.metadata
    assert pq.read_table(io.BytesIO(encode(table))).schema.metadata == table.schema.metadata


# ---- the same bytes ----


@pytest.mark.parametrize("name", TYPES)
def test_the_same_values_give_the_same_bytes_however_they_are_cut(name):
    """Not the format's promise but ours: equal values, settings and library versions are equal
    bytes, in any batches and on any number of threads."""
    column = gen.column(TYPES[name], gen.Shape(2500, 0.1, "few", offset=5))
    table = pa.table({"a": column, "b": column})
    whole = encode(table)
    assert encode(table) == whole
    assert encode(table, threads=4) == whole
    pieces = pa.concat_tables([table.slice(0, 0), table.slice(0, 13), table.slice(13, 1000),
                               table.slice(1013)])
    assert encode(pieces) == whole
    assert encode(pa.RecordBatchReader.from_batches(
        table.schema, table.to_batches(max_chunksize=700)), threads=3) == whole


@pytest.mark.parametrize("noise_first", [True, False])
@pytest.mark.parametrize("compression", ["auto", "zstd", "none"])
def test_a_long_column_is_the_same_on_any_number_of_threads(compression, noise_first):
    """It is encoded in parts side by side; that a codec pays may show in one of them alone."""
    rng = np.random.default_rng(3)
    rows, part = 700_001, 262_144
    noise, smooth = rng.integers(-2**62, 2**62, part), np.arange(rows - part) // 40 * 1_000_003
    numbers = pa.array(np.concatenate([noise, smooth] if noise_first else [smooth, noise]),
                       mask=rng.random(rows) < 0.01)
    offsets = np.sort(rng.integers(0, rows, 400_000)).astype(np.int32)
    offsets[0], offsets[-1] = 0, rows
    texts = pa.array([f"{i}:{i * 7919 % rows}" for i in range(rows)])
    table = pa.table({"numbers": numbers, "texts": texts}).slice(0, 399_999).append_column(
        "lists", pa.ListArray.from_arrays(pa.array(offsets), numbers))
    tables = [pa.table({"numbers": numbers, "texts": texts}), table]
    for data in tables:
        one = encode(data, compression)
        assert encode(data, compression, threads=2) == one
        assert encode(data, compression, threads=5) == one
        assert pq.read_table(io.BytesIO(one)).equals(data)
        assert am.ParquetDecoder().decode(one).to_arrow().equals(data)
        meta = pq.read_metadata(io.BytesIO(one)).row_group(0).column(0)
        assert meta.statistics.null_count == data["numbers"].null_count
        assert [meta.statistics.min, meta.statistics.max] == list(pc.min_max(data["numbers"]).as_py().values())
        if compression == "auto" and noise_first:
            assert meta.compression == "ZSTD"


@pytest.mark.parametrize("compression", ["auto", "zstd", "none"])
@pytest.mark.parametrize("length", [0, 3, 40, 1000])
def test_texts_are_the_same_on_any_number_of_threads(length, compression):
    """They are encoded a page to a part, so long ones in parts of few rows, in lists too."""
    rng = np.random.default_rng(4)
    rows = 6_000 if length == 1000 else 150_001
    texts = pa.array([f"{i:0{max(length, 1)}d}" if i % 7 or length == 3 else "" for i in range(rows)],
                     mask=rng.random(rows) < 0.1)
    offsets = np.concatenate([[0], np.sort(rng.integers(0, rows, rows - 1)), [rows]]).astype(np.int32)
    table = pa.table({"texts": texts, "lists": pa.ListArray.from_arrays(pa.array(offsets), texts),
                      "noise": pa.array(rng.random(rows))})
    one = encode(table, compression)
    assert encode(table, compression, threads=2) == one
    assert encode(table, compression, threads=5) == one
    assert pq.read_table(io.BytesIO(one)).equals(table)
    assert am.ParquetDecoder(threads=2).decode(one).to_arrow().equals(table)
    few = am.ParquetDecoder().decode(one, where=f"noise < {table['noise'][rows // 2].as_py() / 50}").to_arrow()
    assert few.equals(table.filter(pc.field("noise") < table["noise"][rows // 2].as_py() / 50))


def lists_of(items, mean, rows, rng):
    offsets = np.concatenate([[0], np.cumsum(rng.exponential(mean, rows).astype(np.int32))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), items(int(offsets[-1])))


@pytest.mark.parametrize("step", [50, 777, 5000])
@pytest.mark.parametrize("kind", ["integers", "texts", "dictionary"])
def test_lists_and_dictionaries_are_the_same_however_they_are_cut(kind, step):
    """Where pages and row groups end must not tell where a batch ended, nor how often a dictionary came by."""
    rng = np.random.default_rng(1)
    if kind == "dictionary":
        words = pa.array([f"{i}-{'x' * (i % 40)}" for i in range(20_000)])
        column = pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, 20_000, 20_000), pa.int32()), words)
    elif kind == "texts":
        column = lists_of(lambda n: pa.array([f"{x:x}" * 3 for x in rng.integers(0, 2**60, n)]), 30, 8_000, rng)
    else:
        column = lists_of(lambda n: pa.array(rng.integers(0, 2**60, n)), 60, 8_000, rng)
    table = pa.table({"x": column})
    pieces = pa.concat_tables([table.slice(at, step) for at in range(0, len(table), step)])
    assert encode(pieces, "auto") == encode(table, "auto")


@pytest.mark.parametrize("size", [3_000_000, 3_000_001, 3_000_016, 3_000_061])
@pytest.mark.parametrize("profile", ["portable", "standard"])
def test_a_large_list_of_texts_where_the_codec_is_sampled(profile, size):
    """In the middle of the column; a sanitizer sees what is written behind the sample's memory."""
    rows = [[f"u{i}" + "q" * 20, f"b{i}"] for i in range(120_000)]
    rows[60_000] = ["x" * size, "ab0", "ab1", "ab2"]
    table = pa.table({"l": pa.array(rows, pa.list_(pa.string()))})
    assert pq.read_table(io.BytesIO(encode(table, "auto", profile))).equals(table)


def test_texts_between_nulls_and_beside_a_long_one_take_no_more_than_alone():
    """Parts are cut by rows, so that many small pages would come of a mean that is wrong."""
    rng = np.random.default_rng(5)
    words = [f"{x:x}"[:8] for x in rng.integers(2**40, 2**62, 5000)]
    texts = [" ".join(words[i] for i in chosen) for chosen in rng.integers(0, 5000, (10_000, 60))]
    alone = len(encode(pa.table({"x": texts}), "auto"))
    sparse = [None] * (10 * len(texts))
    sparse[::10] = texts
    validity = len(sparse) // 8
    assert len(encode(pa.table({"x": sparse}), "auto")) < 1.01 * alone + validity
    long = "y" * (8 << 20)
    assert len(encode(pa.table({"x": [long, *texts]}), "auto")) < 1.01 * alone + len(long) // 100


def test_what_lies_under_nulls_leaves_no_trace():
    clean = pa.array([1, None, 3, None] * 700, pa.int64())
    raw = np.array([1, 77, 3, 99] * 700)
    dirty = pa.Array.from_buffers(pa.int64(), 2800, [clean.buffers()[0], pa.py_buffer(raw)])
    assert dirty.equals(clean)
    assert encode(pa.table({"x": clean})) == encode(pa.table({"x": dirty}))


# ---- alignment ----


@pytest.mark.parametrize(("array", "width"), [
    (pa.array(np.random.default_rng(1).random(200_000)), 8),
    (pa.array(np.random.default_rng(1).random(200_000).astype("f4")), 4),
    (pa.array(np.random.default_rng(1).random(150_000), mask=np.arange(150_000) % 7 == 0), 8),
    (pa.array([bytes(np.random.default_rng(i).bytes(16)) for i in range(9000)], pa.binary(16)), 16),
], ids=["double", "float", "nullable", "fixed"])
def test_plain_payloads_begin_at_multiples_of_64(array, width):
    data = encode(pa.table({"pad": pa.nulls(len(array)), "x": array}))
    chunk = thrift.parse(data).groups[0][1]
    assert chunk.data_pages
    for page in chunk.data_pages:
        assert page.encoding == PLAIN
        levels = len(page.body) - (page.values - page_nulls(page, chunk)) * width
        assert (page.body_offset + levels) % 64 == 0
    assert any(100 in page.header for page in chunk.data_pages)
    for read in (lambda: pq.read_table(io.BytesIO(data)),
                 lambda: am.ParquetDecoder().decode(data).to_arrow()):
        assert read()["x"].combine_chunks().equals(array)


def page_nulls(page, chunk):
    return chunk.column_index[5][chunk.data_pages.index(page)]
