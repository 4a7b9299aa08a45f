"""Ways in which Parquet readers were broken before: each is refused with a message, or read as the
values that it has; no process dies of one, and none takes more memory than it says it may."""

from __future__ import annotations

import base64
import io
import resource
import struct
import subprocess
import sys

import pytest

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

import armillaria as am  # noqa: E402

from .parquet_patch import (  # noqa: E402
    BINARY, I32, I64, LIST, STRUCT, Raw, Reader, grafted, make, varint, write_struct, zigzag,
)

NUMBERS = pa.array([5, 7, 9, 11] * 100, pa.int64())
SOME = pa.array([5, None, 9, 11] * 100, pa.int64())
TEXTS = pa.array(["spore", "gill", "cap", "stem"] * 100)
LISTS = pa.array([[1, 2], [], None, [3]] * 100, pa.list_(pa.int64()))
DECIMALS = pa.array([1, 2, 3], pa.decimal128(30, 0))
ALL = (am.CorruptionError, am.LimitError, am.UnsupportedError)


def read(data, **options):
    return am.read_parquet(data, max_bytes=256 << 20, **options).to_arrow()


def refused(file, match=None, kinds=ALL, **build):
    data = file.build(**build)
    with pytest.raises(kinds, match=match) as caught:
        read(data)
    assert str(caught.value)
    with pytest.raises(kinds):
        read(data, where="c is not null")


@pytest.mark.parametrize("values", [NUMBERS, SOME, TEXTS, LISTS, DECIMALS])
@pytest.mark.parametrize("options", [{}, {"use_dictionary": True}, {"data_page_version": "2.0"},
                                     {"compression": "zstd"}, {"compression": "snappy", "data_page_version": "2.0"}])
def test_what_is_put_together_unchanged_is_whole(values, options):
    """Else everything below would be refused for another reason."""
    assert read(make(values, **options).build())["c"].combine_chunks().equals(values)


# ---- 1: the footer's length ----


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0xFFFFFFF8, 0xFFFFFFF4, 0x80000000, 0x7FFFFFFF, 1 << 20, 0, 1])
def test_footer_length(size):
    data = make(NUMBERS).build()
    with pytest.raises(ALL):
        read(data[:-8] + struct.pack("<I", size) + b"PAR1")
    with pytest.raises(ALL):
        read(b"PAR1" + struct.pack("<I", size) + b"PAR1")


# ---- 2, 9, 10, 14: sizes of pages ----

BAD_SIZES = [-1, -2, -2**31, 2**31 - 1, 1 << 30, 0]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("size", BAD_SIZES)
def test_page_sizes(version, codec, number, size):
    file = make(SOME, compression=codec, data_page_version=version)
    file.data[0][number][1] = size
    refused(file, sizes=False)


@pytest.mark.parametrize("number", [5, 6])
@pytest.mark.parametrize("size", [-1, -2**31, 2**31 - 1, 1 << 20])
@pytest.mark.parametrize("codec", ["none", "zstd"])
def test_level_sizes_of_v2_pages(number, size, codec):
    file = make(LISTS, data_page_version="2.0", compression=codec)
    file.head[number][1] = size
    refused(file)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0xFFFFFFFC, 0x80000000, 1 << 20])
def test_level_sizes_of_v1_pages(size):
    file = make(SOME)
    file.data[1] = struct.pack("<I", size) + file.data[1][4:]
    refused(file)


def test_a_page_that_is_stored_short_is_not_filled_with_whatever_was_there():
    file = make(NUMBERS, compression="snappy")
    file.data[0][2][1] += 8
    refused(file, sizes=False)


# ---- 3, 4, 5: counts ----


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("values", [NUMBERS, TEXTS, LISTS])
@pytest.mark.parametrize("count", [-1, -2**31, 2**31 - 1, 401 * 4, 0])
def test_values_of_a_page(version, values, count):
    file = make(values, data_page_version=version)
    file.head[1][1] = count
    refused(file)


@pytest.mark.parametrize("count", [-1, -2**63, 2**62, 2**63 - 1, 2**61 + 1, 401])
@pytest.mark.parametrize("values", [NUMBERS, TEXTS])
def test_values_and_rows_of_a_chunk(values, count):
    for both in (False, True):
        file = make(values)
        file.meta[5][1] = count
        if both:
            file.group[3][1] = count
        refused(file)


def test_rows_of_all_row_groups_do_not_overflow():
    file = make(NUMBERS)
    file.group[3][1] = 2**63 - 1
    file.footer[4][1][1].append(file.group)
    refused(file)


@pytest.mark.parametrize("count", [-1, -2**31, 2**31 - 1, 5, 100000])
@pytest.mark.parametrize("values", [NUMBERS, TEXTS, DECIMALS])
def test_values_of_a_dictionary(values, count):
    file = make(values, use_dictionary=True)
    file.pages[0][0][7][1][1][1] = count
    refused(file)


def test_a_dictionary_in_the_middle_and_one_too_many():
    file = make(NUMBERS, use_dictionary=True)
    file.pages.append(file.pages[0])
    file.meta[5][1] += 1
    refused(file)


@pytest.mark.parametrize("length", [-1, 14, 15, 2**31 - 1])
def test_length_of_a_fixed_type(length):
    for dictionary in (False, True):
        file = make(DECIMALS, use_dictionary=dictionary)
        file.schema[1][2][1] = length
        refused(file)


@pytest.mark.parametrize("precision", [-1, 0, 1000])
def test_precision_of_a_decimal(precision):
    file = make(DECIMALS)
    file.schema[1].pop(10)
    file.schema[1][8][1] = precision
    assert pa.types.is_fixed_size_binary(read(file.build()).schema.field("c").type)


# ---- 6, 7: indices and runs ----


def indices(width, runs):
    return make(NUMBERS, use_dictionary=True, nullable=False), bytes([width]) + runs


@pytest.mark.parametrize("width, runs", [
    (32, varint(400 << 1) + struct.pack("<I", 0xFFFFFFFF)), (32, varint(400 << 1) + struct.pack("<I", 0x80000000)),
    (8, varint(400 << 1) + b"\4"), (8, varint(50 << 1 | 1) + b"\4" * 400), (33, varint(400 << 1) + b"\0" * 8),
    (64, varint(400 << 1) + b"\0" * 8), (255, varint(400 << 1) + b"\0" * 32), (2, varint(400 << 1)),
    (2, b"\0\0" * 40), (2, varint(2**63)), (2, b"\xff" * 12), (2, varint(2**31 << 1 | 1) + b"\0"), (2, b""),
    (2, varint(2**60 << 1 | 1) + b"\0" * 99), (0, varint(399 << 1))])
def test_indices(width, runs):
    file, body = indices(width, runs)
    file.data[1] = body
    refused(file)


def test_no_width_and_a_run_longer_than_the_page_are_what_they_are():
    for width, runs in ((0, varint(400 << 1)), (2, varint(2**31 - 1 << 1) + b"\0")):
        file, body = indices(width, runs)
        file.data[1] = body
        assert read(file.build())["c"].to_pylist() == [5] * 400


def test_indices_without_a_dictionary():
    file = make(NUMBERS, use_dictionary=True)
    file.pages = file.pages[1:]
    file.meta.pop(11)
    refused(file)


# ---- 8: levels ----


def levels(runs):
    return struct.pack("<I", len(runs)) + runs


@pytest.mark.parametrize("runs", [varint(400 << 1) + b"\2", varint(400 << 1) + b"\xff", varint(399 << 1) + b"\1",
                                  b"", varint(100 << 1) + b"\1", varint(51 << 1 | 1) + b"\xff" * 3])
def test_definition_levels(runs):
    file = make(SOME)
    old = struct.unpack("<I", file.data[1][:4])[0]
    file.data[1] = levels(runs) + file.data[1][4 + old:]
    refused(file)


def test_nulls_where_none_can_be():
    file = make(SOME)
    file.schema[1][3][1] = 0
    refused(file)


@pytest.mark.parametrize("first", [1, 3])
def test_a_first_row_inside_a_list(first):
    file = make(LISTS)
    count = file.head[1][1]
    old = struct.unpack("<I", file.data[1][:4])[0]
    file.data[1] = levels(varint(1 << 1) + bytes([first]) + varint(count - 1 << 1) + b"\0") + file.data[1][4 + old:]
    refused(file)


@pytest.mark.parametrize("rows", [0, 1, 399, 401, 2**40])
def test_lists_of_another_number_of_rows(rows):
    file = make(LISTS)
    file.group[3][1] = rows
    if rows > 0:
        refused(file)
    else:
        assert read(file.build()).num_rows == 0


@pytest.mark.parametrize("entries", [
    [(0, 1), (1, 3), (0, 3)], [(0, 0), (1, 3), (0, 3)],  # behind an empty list, behind a null
    [(0, 3), (1, 1), (0, 3)], [(0, 3), (1, 0), (0, 3)],  # with what says: empty, null
    [(0, 3)] * 63 + [(0, 1), (1, 3)], [(0, 3)] * 64 + [(1, 1), (0, 3)],
])
def test_a_list_that_goes_on_where_it_is_null_or_empty(entries):
    rows, items = sum(rep == 0 for rep, _ in entries), sum(level == 3 for _, level in entries)
    file = make(pa.array([[1]] * rows, pa.list_(pa.int64())))
    runs = [b"".join(varint(1 << 1) + bytes([entry[i]]) for entry in entries) for i in (0, 1)]
    file.data[1] = levels(runs[0]) + levels(runs[1]) + struct.pack(f"<{items}q", *range(items))
    file.head[1][1] = file.meta[5][1] = len(entries)
    refused(file, "a list goes on", am.CorruptionError)


# ---- leaves that share lists and structs ----

PAIR = pa.struct([("a", pa.int32()), ("b", pa.string())])
ONE, TWO, THREE = ({"a": i, "b": str(i)} for i in range(3))
SHARED = {
    "lists of other lengths": (pa.list_(PAIR), [[ONE], [TWO, THREE]], [[ONE, TWO], [THREE]]),
    "another list is null": (pa.list_(PAIR), [None, [ONE]], [[ONE], None]),
    "an empty list for a null": (pa.list_(PAIR), [None, [ONE]], [[], [ONE]]),
    "another struct is null": (PAIR, [None, ONE], [ONE, None]),
    "another struct in a list is null": (pa.list_(PAIR), [[None, ONE]], [[ONE, None]]),
    "one struct more is null": (pa.list_(PAIR), [[ONE, ONE]], [[ONE, None]]),
    "inner lists of other lengths": (pa.list_(pa.list_(PAIR)), [[[ONE], [TWO, THREE]]], [[[ONE, TWO], [THREE]]]),
    "outer lists of other lengths": (pa.list_(pa.list_(PAIR)), [[[ONE], [TWO]], [[THREE]]],
                                     [[[ONE]], [[TWO], [THREE]]]),
    "a list and no list in a struct": (pa.struct([("l", pa.list_(pa.int8())), ("n", pa.int8())]),
                                       [{"l": [1, 2]}, None], [None, {"l": [1, 2]}]),
    "maps of other lengths": (pa.map_(pa.string(), pa.int8()), [[("a", 1)], [("b", 2), ("c", 3)]],
                              [[("a", 1), ("b", 2)], [("c", 3)]]),
    "another map is null": (pa.map_(pa.string(), pa.int8()), [None, [("a", 1)]], [[("a", 1)], None]),
    "another fixed-size list is null": (pa.list_(PAIR, 2), [None, [ONE, TWO]], [[ONE, TWO], None]),
    "fixed-size lists in another list": (pa.list_(pa.list_(PAIR, 2)), [[None, [ONE, TWO]], []], [[None], [[ONE, TWO]]]),
}
WRITERS = {
    "one page": {}, "V2": {"data_page_version": "2.0"},
    "tiny pages": {"data_page_size": 1, "write_batch_size": 1}, "our own": None,
}


@pytest.mark.parametrize("before", [0, 63, 64, 500])
@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("name", SHARED)
def test_leaves_that_tell_different_things_of_what_they_share(name, writer, before):
    type_, ours, theirs = SHARED[name]

    def written(rows):
        table = pa.table({"c": pa.array(ours[:1] * before + rows + ours, type_)})
        if WRITERS[writer] is None:
            return am.ParquetEncoder().encode(table)
        sink = io.BytesIO()
        pq.write_table(table, sink, store_schema=pa.types.is_fixed_size_list(type_), **WRITERS[writer])
        return sink.getvalue()

    data, other = written(ours), written(theirs)
    for leaf in (0, 1):
        assert read(grafted(data, data, leaf)).equals(read(data))
        broken = grafted(data, other, leaf)
        with pytest.raises(am.CorruptionError, match="different nulls or lengths|of another length"):
            read(broken)
        with pytest.raises(am.CorruptionError):
            read(broken, where="c is not null")


# ---- null lists that have as many items as their type says ----

WIDEST = 2**31 - 1


def null_lists(type_, like, rows):
    """Nulls of a type that is written like a narrower one."""
    file = make(pa.nulls(rows, like))
    schema = pa.schema([pa.field("c", type_)]).serialize().to_pybytes()
    file.footer[5] = [LIST, (STRUCT, [{1: [BINARY, b"ARROW:schema"], 2: [BINARY, base64.b64encode(schema)]}])]
    return file


def fixed(item, *widths):
    for width in widths:
        item = pa.list_(item, width)
    return item


@pytest.mark.parametrize("item", [pa.int8(), pa.bool_(), pa.null(), pa.list_(pa.int8())])
@pytest.mark.parametrize("widths", [(WIDEST,), (WIDEST, WIDEST), (2**16, 2**16), (2**13,) * 5, (WIDEST,) * 9])
@pytest.mark.parametrize("rows", [1, 100])
def test_null_lists_of_any_size_are_held_against_the_limit(item, widths, rows):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    file = null_lists(fixed(item, *widths), fixed(item, *(1 for _ in widths)), rows)
    assert len(file.build()) < 4096
    refused(file, "larger than|a null fixed-size list of", am.LimitError)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


@pytest.mark.parametrize("item", [pa.null(), pa.list_(pa.int8()), pa.struct([("a", pa.int8())])])
def test_millions_of_items_of_null_lists_are_no_more_work_than_they_are_long(item):
    """Their room is asked for once, not once a block."""
    count = 5_000_000
    (chunk,) = read(null_lists(fixed(item, count), fixed(item, 3), 3).build())["c"].chunks
    chunk.validate(full=True)
    assert len(chunk) == chunk.null_count == 3
    assert len(chunk.values) == chunk.values.null_count == 3 * count


# ---- 11, 12, 13: deltas and bytes ----


def delta(block, minis, total, first, rest=b""):
    return varint(block) + varint(minis) + varint(total) + zigzag(first) + rest


@pytest.mark.parametrize("body", [
    delta(0, 4, 400, 0), delta(128, 0, 400, 0), delta(100, 3, 400, 0), delta(129, 4, 400, 0), delta(128, 4, 399, 0),
    delta(128, 4, 2**62, 0), delta(2**63, 2**60, 400, 0), delta(2**31, 1, 400, 0), delta(128, 128, 400, 0),
    delta(128, 4, 400, 0, zigzag(0) + b"\x41" * 4 + b"\0" * 4000), delta(128, 4, 400, 0, zigzag(0) + b"\x20"),
    delta(128, 4, 400, 0, zigzag(0) + b"\x20" * 4 + b"\0" * 10), delta(128, 4, 400, 0), b"", b"\xff" * 20,
    delta(2**30, 2**27, 400, 0, zigzag(0) + b"\0" * 64)])
@pytest.mark.parametrize("encoding", ["DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"])
def test_deltas(body, encoding):
    values = NUMBERS if encoding == "DELTA_BINARY_PACKED" else TEXTS
    file = make(values, nullable=False, column_encoding={"c": encoding})
    file.data[1] = body
    refused(file)


def lengths(*values):
    """Each in a block of its own miniblock of 32 bits."""
    deltas = [b - a for a, b in zip(values, values[1:], strict=False)]
    packed = b"".join(struct.pack("<I", d & 0xFFFFFFFF) for d in deltas).ljust(128, b"\0")
    return delta(128, 4, len(values), values[0], zigzag(0) + b"\x20\0\0\0" + packed)


FOUR = pa.array(["spore", "gill", "cap", "stem"])


@pytest.mark.parametrize("sizes", [(-1, 1, 1, 1), (5, -5, 5, 5), (2**31 - 1,) * 4, (2**30,) * 4, (10, 10, 10, 10),
                                   (1, 2**31 - 1, 1, 1), (-2**31, 0, 0, 0)])
def test_lengths_of_texts(sizes):
    file = make(FOUR, nullable=False, column_encoding={"c": "DELTA_LENGTH_BYTE_ARRAY"})
    file.data[1] = lengths(*sizes) + b"x" * 16
    refused(file)
    for prefix in (sizes, (0, 0, 0, 0)):
        file = make(FOUR, nullable=False, column_encoding={"c": "DELTA_BYTE_ARRAY"})
        file.data[1] = lengths(*prefix) + lengths(*sizes) + b"x" * 16
        refused(file)


@pytest.mark.parametrize("prefixes", [(1, 0, 0, 0), (0, 5, 0, 0), (0, 4, 9, 0), (0, -1, 0, 0), (0, 2**31 - 1, 0, 0)])
def test_prefixes_longer_than_what_is_before(prefixes):
    file = make(FOUR, nullable=False, column_encoding={"c": "DELTA_BYTE_ARRAY"})
    file.data[1] = lengths(*prefixes) + lengths(4, 4, 4, 4) + b"x" * 16
    refused(file)


def test_prefixes_that_multiply_are_held_against_the_limit():
    """Each value repeats the last and adds a mebibyte: 4000 of them would be 8 GiB."""
    count, size = 400, 1 << 20
    file = make(pa.array(["x"] * count), nullable=False, column_encoding={"c": "DELTA_BYTE_ARRAY"})
    step = delta(128, 4, count, 0, (zigzag(size) + b"\0" * 4) * 4)
    suffixes = delta(128, 4, count, size, zigzag(-size) + b"\0\0\0\0" + (zigzag(0) + b"\0" * 4) * 3)
    file.data[1] = step + suffixes + b"x" * size
    refused(file)


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0xFFFFFFFC, 0x80000000, 0x7FFFFFFF, 1 << 16])
@pytest.mark.parametrize("where", ["first", "last"])
def test_lengths_of_plain_texts(size, where):
    file = make(FOUR, nullable=False)
    at = 0 if where == "first" else len(file.data[1]) - 8
    file.data[1] = file.data[1][:at] + struct.pack("<I", size) + file.data[1][at + 4:]
    refused(file)
    file = make(TEXTS, use_dictionary=True)
    file.pages[0][1] = struct.pack("<I", size) + file.pages[0][1][4:]
    refused(file)


def test_a_dictionary_multiplies_up_to_the_limit_only():
    """400 indices that name a text of 16 MiB: 6.4 GiB out of 16 MiB."""
    file = make(TEXTS, use_dictionary=True, nullable=False)
    text = b"x" * (16 << 20)
    file.pages[0][1] = struct.pack("<I", len(text)) + text + b"\1\0\0\0a" * 3
    file.data[1] = b"\2" + varint(400 << 1) + b"\0"
    refused(file, kinds=am.LimitError)


# ---- 14: what unpacks to more than it may ----


@pytest.mark.parametrize("codec", ["snappy", "gzip", "lz4", "zstd", "brotli"])
def test_a_page_that_says_it_unpacks_to_gigabytes_takes_none(codec, run_python, tmp_path):
    file = make(NUMBERS, compression=codec)
    file.data[0][2][1] = 2**31 - 1
    path = tmp_path / "x.parquet"
    path.write_bytes(file.build(sizes=False))
    program = """
import resource, sys
import armillaria as am
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    am.read_parquet(sys.argv[1]).to_arrow()
except am.CorruptionError:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000)
"""
    assert run_python(program, path) == "True\n"


# ---- 15, 16: Thrift and the schema ----

LEVEL = b"\x1c"  # a field of type struct, number one more than the last


@pytest.mark.parametrize("tail", [
    b"\x19\xfc" + varint(2**31), b"\x19\xfc" + varint(2**32 - 1), b"\x19\xfc" + varint(2**63), b"\x19\xfc\xff",
    b"\x1b" + varint(2**31 - 1) + b"\xcc", LEVEL * 100_000, b"\x19" + b"\x19" * 100_000, b"\x19\xf1" + varint(2**31 - 1),
    b"\x18" + varint(2**32 - 1), b"\x18" + varint(2**63), b"\x1d\0", b"\x1f", b"\x15" + b"\xff" * 11, b"\xf5\x7f" * 9,
    b"\x0c\xff\xff\xff\xff\x0f" + LEVEL * 300, b"\x19\xf2" + varint(2**28), b""])
def test_footers_that_no_writer_writes(tail):
    file = make(NUMBERS)
    file.tail = tail
    refused(file)
    file = make(NUMBERS)
    file.tail = write_struct(file.footer)[:-1] + b"\x0c" + zigzag(999) + tail
    refused(file)


@pytest.mark.parametrize("node, children", [(0, -1), (0, 0), (0, 2), (0, 2**31 - 1), (0, -2**31), (1, 1), (1, 2**31 - 1)])
def test_children_of_the_schema(node, children):
    file = make(NUMBERS)
    file.schema[node][5] = [I32, children]
    refused(file)


def test_a_schema_deeper_than_any_stack():
    file = make(NUMBERS)
    step = {3: [I32, 1], 4: [BINARY, b"s"], 5: [I32, 1]}
    file.schema[1:1] = [step] * 50_000
    refused(file)


def test_types_and_numbers_that_are_none():
    for number, value in ((1, 99), (1, -1), (3, 7), (3, -1)):
        file = make(NUMBERS)
        file.schema[1][number] = [I32, value]
        refused(file)
    for number, value in ((1, 4), (1, 77), (4, 99), (4, -1)):
        file = make(NUMBERS)
        file.meta[number][1] = value
        refused(file)
    for value in (1, 99, -1):
        file = make(NUMBERS)
        file.head[2][1] = value
        refused(file)


# ---- 17, 18, 19, 20: indexes, filters, statistics, ARROW:schema ----


def location(offset, size, row):
    return {1: [I64, offset], 2: [I32, size], 3: [I64, row]}


@pytest.mark.parametrize("pages", [
    [], [location(2**63 - 1, 2**31 - 1, 0)], [location(-1, 10, 0)], [location(4, -1, 0)], [location(4, 2**31 - 1, 0)],
    [location(4, 50, 0), location(4, 50, 2)], [location(4, 50, 7)], [location(4, 50, 0), location(54, 50, -1)],
    [location(4, 50, 0), location(54, 50, 2**62)], [location(0, 1 << 20, 0)]])
def test_an_offset_index_that_lies_is_left_alone(pages):
    file = make(NUMBERS)
    file.index = write_struct({1: [LIST, (STRUCT, pages)]})
    data = file.build()
    assert read(data, where="c = 9")["c"].to_pylist() == [9] * 100
    assert read(data)["c"].combine_chunks().equals(NUMBERS)


@pytest.mark.parametrize("numbers", [(4, 5), (6, 7)])
@pytest.mark.parametrize("offset, length", [(2**63 - 1, 100), (-1, 100), (4, -1), (4, 2**31 - 1), (4, 20), (2**62, 1)])
def test_indexes_outside_of_the_file(numbers, offset, length):
    file = make(NUMBERS)
    file.chunk[numbers[0]] = [I64, offset]
    file.chunk[numbers[1]] = [I32, length]
    assert read(file.build(), where="c = 9")["c"].to_pylist() == [9] * 100


def test_a_column_index_of_unequal_lists():
    for mins in (0, 1, 3, 1000):
        file = make(NUMBERS)
        file.index = write_struct({1: [LIST, (1, [2] * 2)], 2: [LIST, (BINARY, [b"\0" * 8] * mins)],
                                   3: [LIST, (BINARY, [b"\1" * 8])], 4: [I32, 0]})
        data = file.build()
        file.chunk[6], file.chunk[7] = file.chunk.pop(4), file.chunk.pop(5)
        file.index = file.index[:0]
        data = data[:4] + file.build()[4:]
        assert read(data, where="c = 9")["c"].to_pylist() == [9] * 100


@pytest.mark.parametrize("size", [-32, 0, 1, 31, 33, 2**31 - 1, 1 << 20])
@pytest.mark.parametrize("offset", [4, -1, 2**63 - 1])
def test_bloom_filters_that_are_none(size, offset):
    empty = [STRUCT, {1: [STRUCT, {}]}]
    bloom = write_struct({1: [I32, size], 2: empty, 3: empty, 4: empty})
    file = make(NUMBERS)
    file.pages.insert(0, [{1: [I32, 1], 2: [I32, 0], 3: [I32, 0]}, bloom + b"\0" * 64])
    file.meta[14] = [I64, offset if offset != 4 else len(write_struct({1: [I32, 1], 2: [I32, 64], 3: [I32, 64]})) + 4]
    assert read(file.build(), where="c = 9")["c"].to_pylist() == [9] * 100


@pytest.mark.parametrize("bound", [b"", b"\1", b"\1" * 7, b"\1" * 9, b"\1" * 4000])
def test_bounds_of_another_width_rule_nothing_out(bound):
    file = make(NUMBERS)
    for number in (1, 2, 5, 6):
        file.meta[12][1][number] = [BINARY, bound]
    assert read(file.build(), where="c = 9")["c"].to_pylist() == [9] * 100


@pytest.mark.parametrize("text", [b"", b"A", b"====", b"\xff\xfe", b"!!!!", b"A" * 4000, b"/////w==" * 50,
                                  b"//////////8=", b"AAAAAA==", b"/////xAAAAA="])
def test_junk_in_arrow_schema_gives_the_types_of_parquet(text):
    file = make(NUMBERS)
    file.footer[5] = [LIST, (STRUCT, [{1: [BINARY, b"ARROW:schema"], 2: [BINARY, text]}])]
    assert read(file.build())["c"].combine_chunks().equals(NUMBERS)


# ---- a few bytes that are very many rows ----


def nulls(pages, rows=2**31 - 1):
    file = make(pa.array([None] * 100, pa.int32()))
    runs = varint(rows << 1) + b"\0"
    file.data[1] = struct.pack("<I", len(runs)) + runs
    file.head[1][1] = rows
    file.head.pop(5, None)
    file.meta.pop(12, None)
    file.pages *= pages
    file.meta[5][1] = file.group[3][1] = file.footer[3][1] = rows * pages
    return file


def test_rows_beyond_32_bits_are_counted_and_held_against_the_limit():
    data = nulls(5).build()
    scan = am.read_parquet(data, max_bytes=100 << 20)
    assert len(data) < 1000
    assert scan.num_rows == 5 * (2**31 - 1)
    batches = scan.iter_batches()
    first = next(batches)
    assert first["c"].null_count == len(first) > 1_000_000
    with pytest.raises(am.LimitError):
        for _ in batches:
            pass


def test_a_page_of_two_billion_levels_in_a_few_bytes_takes_no_memory():
    file, rows = make(LISTS), 2**31 - 1
    run = varint(rows << 1) + b"\0"
    file.data[1] = 2 * (struct.pack("<I", len(run)) + run)
    file.head[1][1] = file.meta[5][1] = file.group[3][1] = file.footer[3][1] = rows
    file.meta.pop(12, None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(am.LimitError, match="levels in"):
        am.read_parquet(file.build()).to_arrow()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 << 10


@pytest.mark.parametrize("rows", [1, 399, 401, 2**31 - 1])
def test_rows_that_a_v2_header_tells_are_those_of_its_levels(rows):
    """Pages before a span are passed over by them."""
    file = make(LISTS, data_page_version="2.0")
    assert file.head[3][1] == 400
    file.head[3][1] = rows
    refused(file, "rows")


def test_rows_without_a_column_are_not_believed_without_end():
    """Nothing else in the file could show that they are not there."""
    data = am.ParquetEncoder().encode(pa.table({"x": [1, 2]}).select([]))
    footer = Reader(data, len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]).struct()
    for rows in (2**63 - 1, 2**60, -1):
        footer[3][1] = footer[4][1][1][0][3][1] = rows
        tail = write_struct(footer)
        with pytest.raises(am.CorruptionError, match="row group 0 has"):
            am.read_parquet(b"PAR1" + tail + struct.pack("<I", len(tail)) + b"PAR1")


# ---- 22: arithmetic on times ----


@pytest.mark.parametrize("day, nanos", [(0, 0), (2**32 - 1, 0), (2**32 - 1, 2**63 - 1), (2440588, 2**64 - 1000),
                                        (2440588, 2**63), (2**31, 2**63 - 1)])
def test_int96_beyond_any_date(day, nanos):
    stamps = pa.array([0, 1], pa.timestamp("us"))
    file = make(stamps, nullable=False, use_deprecated_int96_timestamps=True)
    file.data[1] = struct.pack("<QI", nanos, day) * 2
    try:
        assert read(file.build()).num_rows == 2
    except ALL as error:
        assert str(error)


# ---- 23: files that become shorter ----


def test_a_file_cut_short_under_a_reader(tmp_path, run_python):
    path = tmp_path / "x.parquet"
    am.write_parquet(pa.table({"c": list(range(3_000_000)), "d": [float(i) for i in range(3_000_000)]}), path,
                     compression="none")
    program = """
import os, sys
import armillaria as am
scan = am.read_parquet(sys.argv[1])
batches = scan.iter_batches()
first = next(batches)
os.truncate(sys.argv[1], 5000)
try:
    for _ in batches:
        pass
except am.CorruptionError as error:
    print("shorter" in str(error))
print(len(first) > 0, first["c"][0].as_py(), first["c"][-1].as_py() == len(first) - 1)
"""
    assert run_python(program, path).splitlines() == ["True", "True 0 True"]
