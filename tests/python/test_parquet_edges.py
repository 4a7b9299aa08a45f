"""What stands at the edges of the format: types inside types, arrays that begin anywhere, tiny chunks,
damage, and what is not looked at."""

from __future__ import annotations

import io
import os

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")
pq = pytest.importorskip("pyarrow.parquet")

import armillaria as am  # noqa: E402

from . import gen, thrift  # noqa: E402


def encode(table, **options):
    return am.ParquetEncoder(**options).encode(table)


def decode(data, **options):
    return am.ParquetDecoder().decode(data, **options).to_arrow()


# ---- types inside types ----


class Colour(pa.ExtensionType):
    """An extension that no library knows, with parameters that are no text."""

    def __init__(self, storage=None):
        super().__init__(storage or pa.int32(), "test.colour")

    def __arrow_ext_serialize__(self):
        return b"\x00\xff rgb"

    @classmethod
    def __arrow_ext_deserialize__(cls, storage, serialized):
        assert serialized == b"\x00\xff rgb"
        return cls(storage)


@pytest.fixture(scope="module", autouse=True)
def colour_is_known():
    pa.register_extension_type(Colour())
    yield
    pa.unregister_extension_type("test.colour")


INSIDE = {
    "list of views": pa.list_(pa.string_view()),
    "struct of views": pa.struct([("a", pa.string_view()), ("b", pa.binary_view())]),
    "list of list views": pa.list_(pa.list_view(pa.int32())),
    "list view of list views": pa.list_view(pa.list_view(pa.int32())),
    "map with sorted keys": pa.map_(pa.string(), pa.int32(), keys_sorted=True),
    "list of large lists": pa.list_(pa.large_list(pa.large_string())),
    "fixed list of fixed lists": pa.list_(pa.list_(pa.int8(), 2), 3),
    "fixed list of structs": pa.list_(pa.struct([("a", pa.int8()), ("b", pa.string())]), 3),
    "fixed list of maps": pa.list_(pa.map_(pa.string(), pa.int32()), 2),
    "map of fixed lists": pa.map_(pa.string(), pa.list_(pa.int32(), 2)),
    "list of halves": pa.list_(pa.float16()),
    "list of wide decimals": pa.list_(pa.decimal256(70, 3)),
    "list of fixed binary": pa.list_(pa.binary(7)),
    "list of durations": pa.list_(pa.duration("s")),
    "list of date64": pa.list_(pa.date64()),
    "struct of extensions": pa.struct([("j", pa.json_()), ("u", pa.uuid())]),
    "struct of dictionaries": pa.struct([("d", pa.dictionary(pa.uint16(), pa.string())),
                                         ("e", pa.dictionary(pa.int8(), pa.binary()))]),
    "map of dictionaries": pa.map_(pa.string(), pa.dictionary(pa.int32(), pa.string())),
    "dictionary of dates": pa.dictionary(pa.int8(), pa.date32()),
    "dictionary of bools": pa.dictionary(pa.int8(), pa.bool_()),
    "bool8": pa.bool8(),
    "opaque": pa.opaque(pa.binary(), "kind", "vendor"),
    "tensor": pa.fixed_shape_tensor(pa.float32(), [2, 2]),
    "unknown extension": Colour(),
    "unknown extension of lists": Colour(pa.list_(pa.int32())),
    "list of an unknown extension": pa.list_(Colour()),
}


@pytest.mark.parametrize("name", INSIDE)
def test_types_inside_types_come_back(name, db):
    type_ = INSIDE[name]
    for shape in (gen.Shape(300, 0.2, offset=13), gen.Shape(3000, 0.1, "few", 3, ragged=True), gen.Shape(0)):
        column = gen.column(type_, shape)
        table = pa.table({"k": range(shape.rows), "x": column})
        data = encode(table)
        db.write("t", table, schema_mode="overwrite")
        for got in (decode(data), db.read("t").to_arrow()):
            got.validate(full=True)
            assert got.schema == table.schema
            assert gen.same_values(column, got["x"])
        assert gen.same_values(column, pq.read_table(io.BytesIO(data))["x"])
        assert not db.write("t", table).changed


def required(name: str, type_: pa.DataType) -> pa.Field:
    return pa.field(name, type_, nullable=False)


PAIR = pa.struct([required("a", pa.int32()), required("b", pa.string())])
REQUIRED = {
    "struct": (required("x", PAIR), [{"a": 1, "b": "p"}, {"a": 2, "b": "q"}]),
    "struct in a struct": (required("x", pa.struct([required("s", PAIR), pa.field("o", pa.int8())])),
                           [{"s": {"a": 1, "b": ""}, "o": None}, {"s": {"a": 2, "b": "q"}, "o": 3}]),
    "struct in a null": (pa.field("x", pa.struct([required("s", PAIR)])),
                         [None, {"s": {"a": 2, "b": "q"}}, None]),
    "list in a null": (pa.field("x", pa.struct([required("l", pa.list_(required("i", pa.int16())))])),
                       [{"l": [1, 2]}, None, {"l": []}, {"l": [3]}]),
    "list": (required("x", pa.list_(required("i", PAIR))), [[], [{"a": 1, "b": "p"}], []]),
    "fixed list in a null": (pa.field("x", pa.struct([required("f", pa.list_(required("i", pa.int8()), 2))])),
                             [None, {"f": [1, 2]}, None, {"f": [3, 4]}]),
    "map in a list": (required("x", pa.list_(required("m", pa.map_(pa.string(), required("v", pa.int8()))))),
                      [[[("a", 1)], []], [], [[("b", 2), ("c", 3)]]]),
}


@pytest.mark.parametrize("name", REQUIRED)
def test_members_that_are_never_null_come_back(name, db):
    """Nothing in the file tells of them; under a null they are there, and not null."""
    field, rows = REQUIRED[name]
    table = pa.table([pa.array(rows * 200, field.type)], schema=pa.schema([field]))
    sink = io.BytesIO()
    pq.write_table(table, sink, data_page_size=64)
    db.write("t", table)
    for got in (decode(encode(table)), decode(sink.getvalue()), db.read("t").to_arrow()):
        got.validate(full=True)
        assert got.schema == table.schema
        assert got.to_pylist() == table.to_pylist()


@pytest.mark.parametrize("list_size", [None, 2])
def test_an_index_under_a_null_is_never_outside_its_dictionary(list_size, db):
    """Where all is null the dictionary has no entry that it could name."""
    field = required("d", pa.dictionary(pa.int8(), pa.string()))
    entries = pa.array(["a", "b"] * 200).dictionary_encode().cast(field.type)
    masks = [b"\0" * 25 + b"\xff" * 25, b"\0" * 50]
    for mask in masks:
        type_ = pa.struct([field]) if list_size is None else pa.list_(field, list_size)
        children = [entries] if list_size is None else [pa.concat_arrays([entries] * list_size)]
        table = pa.table({"x": pa.Array.from_buffers(type_, 400, [pa.py_buffer(mask)], children=children)})
        sink = io.BytesIO()
        pq.write_table(table, sink, row_group_size=100, use_dictionary=False)
        db.write("t", table, schema_mode="overwrite")
        for got in (decode(encode(table)), decode(sink.getvalue()), db.read("t").to_arrow()):
            got.validate(full=True)
            assert got.schema == table.schema
            assert got.to_pylist() == table.to_pylist()
            db.write("again", got, schema_mode="overwrite")


VALUES = {
    "uint64": pa.array([1, None, 2**64 - 1], pa.uint64()), "double": pa.array([0.5, None, -0.0]),
    "bool": pa.array([True, None, False]), "view": pa.array(["a", None, "longer than twelve"], pa.string_view()),
    "seconds": pa.array([1, None, 3], pa.timestamp("s")), "dictionary": pa.array(["a", None, "b"]).dictionary_encode(),
    "decimal": pa.array([1, None, 3]).cast(pa.decimal128(30, 2)),
    "fixed": pa.array([b"\1" * 16, None, b"\2" * 16], pa.binary(16)), "null": pa.nulls(3),
}


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("ends", [pa.int16(), pa.int32(), pa.int64()], ids=str)
def test_run_ends_of_any_flat_value_come_back_plain(name, ends, db):
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 5, 9], ends), VALUES[name])
    wanted = pa.chunked_array([VALUES[name].take(pa.array([0, 0, 1, 1, 1, 2, 2, 2, 2]))]) \
        if name != "view" else pa.chunked_array([pa.array(["a"] * 2 + [None] * 3 + ["longer than twelve"] * 4)])
    nested = pa.ListArray.from_arrays(pa.array([0, 3, 3, 9], pa.int32()), runs)
    for array, plain in ((runs, wanted), (runs.slice(1, 5), wanted.slice(1, 5)),
                         (pa.StructArray.from_arrays([runs], ["r"]), None), (nested, None)):
        table = pa.table({"x": array})
        got = decode(encode(table))
        assert got["x"].to_pylist() == array.to_pylist()
        if plain is not None:
            assert gen.same_values(plain, got["x"])
        db.write("t", table, schema_mode="overwrite")
        assert db.read("t").to_arrow()["x"].to_pylist() == array.to_pylist()
        assert not db.write("t", table).changed


@pytest.mark.parametrize("array", [
    pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array([{"a": 1}])),
    pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), pa.array([[1]]))], ids=["dictionary", "runs"])
def test_nested_values_behind_an_encoding_are_refused_by_column(array):
    with pytest.raises(am.UnsupportedError, match=r'column "odd": .* of (struct|list)'):
        encode(pa.table({"odd": array}))


# ---- arrays that begin anywhere ----


def texts(count):
    return pa.array([None if i % 5 == 0 else f"s{i}" for i in range(count)])


def cut_arrays():
    """Arrays whose children, dictionaries, offsets and bitmaps begin in the middle of something."""
    members = pa.StructArray.from_arrays([texts(100).slice(7, 80), pa.array(range(100)).slice(11, 80)], ["a", "b"],
                                         mask=pa.array([i % 3 == 0 for i in range(100)]).slice(3, 80)).slice(5, 60)
    offsets = pa.array(range(0, 61, 3), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, members)
    fixed = pa.FixedSizeListArray.from_arrays(members.slice(1, 57), 3).slice(2, 9)
    codes = pa.array([i % 7 if i % 4 else None for i in range(100)], pa.uint8()).slice(9, 70)
    yield "struct", members
    yield "list", lists.slice(3, 10)
    yield "offsets", pa.ListArray.from_arrays(offsets.slice(2, 12), members)
    yield "fixed list", fixed
    beside = pa.array(range(20)).slice(4, 9)
    yield "fixed list in struct", pa.StructArray.from_arrays([fixed, beside], ["f", "n"]).slice(1, 7)
    yield "dictionary", pa.DictionaryArray.from_arrays(codes, texts(20).slice(6, 9)).slice(3, 50)
    yield "map", pa.MapArray.from_arrays(offsets, pa.array(range(200)).slice(13, 60), members).slice(2, 15)
    yield "bits", pa.array([i % 3 == 0 if i % 7 else None for i in range(1000)]).slice(13, 700)
    yield "list view", pa.ListViewArray.from_arrays(pa.array([50, 0, 10, 10], pa.int32()),
                                                    pa.array([5, 3, 0, 7], pa.int32()), members).slice(1, 3)
    yield "large list view", pa.LargeListViewArray.from_arrays(pa.array([50, 0, 10, 10], pa.int64()),
                                                               pa.array([5, 3, 0, 7], pa.int64()), members).slice(1)
    yield "view", pa.array([f"{i} and some more bytes" for i in range(99)], pa.string_view()).slice(5, 90)


@pytest.mark.parametrize(("name", "array"), list(cut_arrays()), ids=[name for name, _ in cut_arrays()])
def test_arrays_that_begin_in_the_middle_of_others(name, array, db):
    table = pa.table({"x": array})
    wanted = array.to_pylist()
    data = encode(table)
    db.write("t", table)
    for got in (decode(data), db.read("t").to_arrow()):
        got.validate(full=True)
        assert got.schema == table.schema
        assert got["x"].to_pylist() == wanted
    assert pq.read_table(io.BytesIO(data))["x"].to_pylist() == wanted
    whole = pa.table({"x": pa.array(wanted, array.type)}) if not pa.types.is_dictionary(array.type) else table
    assert encode(whole) == data
    assert not db.write("t", whole).changed


@pytest.mark.parametrize("rows", [0, 3])
def test_tables_without_columns_have_rows(rows, db):
    table = pa.table({"a": range(rows)}).select([])
    assert am.ParquetDecoder().decode(encode(table)).num_rows == rows
    db.write("t", table)
    assert db.count("t") == rows
    assert db.read("t").num_rows == rows
    assert not db.write("t", table).changed


# ---- tiny chunks, and chunks in place ----


def ten_columns(kind):
    if kind == "mixed":
        types = [pa.int8(), pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.date32(), pa.timestamp("us", "UTC"),
                 pa.decimal128(12, 2), pa.binary(16), pa.list_(pa.int32())]
        return pa.table({f"column_{i}": gen.column(t, gen.Shape(10, 0.1)) for i, t in enumerate(types) if i != 3} |
                        {"column_3": [f"text {i}" for i in range(10)]})
    type_ = {"int64": pa.int64(), "double": pa.float64(), "ordered": None}[kind]
    if type_ is None:
        words = pa.array(["low", "mid", "high"])
        return pa.table({f"column_{i}": pa.DictionaryArray.from_arrays(
            pa.array([j % 3 for j in range(10)], pa.int8()), words, ordered=True) for i in range(10)})
    return pa.table({f"column_{i}": gen.column(type_, gen.Shape(10, 0.1), i) for i in range(10)})


@pytest.mark.parametrize("kind", ["mixed", "int64", "double", "ordered"])
def test_ten_rows_of_ten_columns_take_less_than_three_kibibytes(kind, db):
    table = ten_columns(kind)
    db.write("t", table)
    (chunk,) = am.TableReader(db).get_metadata("t").chunk_hashes
    data = db.chunks.get(chunk)
    assert len(data) < 3 * 1024
    assert [name for name in os.listdir(os.path.join(db.path, "chunks"))] == []
    plain = pq.read_table(io.BytesIO(data))
    assert [column.to_pylist() for column in plain.columns] == [column.to_pylist() for column in table.columns]
    assert db.read("t").to_arrow().equals(table)


def maps_of(text):
    with open("/proc/self/maps") as lines:
        spans = [line.split()[0].split("-") for line in lines if text in line]
    return [(int(a, 16), int(b, 16)) for a, b in spans]


def test_plain_columns_of_a_table_are_used_where_they_are_mapped(db):
    """Rows of one page: those of several are joined, which takes a copy."""
    rng = np.random.default_rng(1)
    count = 50_000
    columns = {"x": pa.array(rng.random(count)), "n": pa.array(rng.integers(-2**63, 2**63 - 1, count)),
               "t": pa.array(rng.integers(-2**62, 2**62, count)).cast(pa.timestamp("ns")),
               "b": pa.Array.from_buffers(pa.binary(16), count, [None, pa.py_buffer(rng.bytes(16 * count))])}
    db.write("t", pa.table({"pad": ["x"] * count} | columns))
    reader = am.TableReader(db)
    assert reader.get_metadata("t").ranges > 1
    at = 0
    for part in reader.iter_chunks("t", columns=[*columns]):
        for name, column in columns.items():
            (chunk,) = part[name].chunks
            address = chunk.buffers()[1].address + column.type.bit_width // 8 * chunk.offset
            assert any(a <= address < b for a, b in maps_of("/chunks/"))
            assert address % 64 == 0
            assert chunk.equals(column.slice(at, len(chunk)))
        at += len(chunk)
    assert at == count


# ---- damage ----


def test_any_byte_of_a_page_that_is_wrong_is_found():
    table = pa.table({"n": pa.array([i * i % 1009 if i % 9 else None for i in range(700)]),
                      "s": [f"text {i * 7 % 300}" for i in range(700)],
                      "d": np.random.default_rng(3).random(700), "l": [[i] * (i % 3) for i in range(700)]})
    for compression in ("none", "zstd"):
        data = bytearray(encode(table, compression=compression))
        for chunk in thrift.parse(bytes(data)).groups[0]:
            for page in chunk.pages:
                for at in range(page.body_offset, page.body_offset + len(page.body)):
                    data[at] ^= 1 << at % 8
                    with pytest.raises(am.CorruptionError, match=f'column "{chunk.path}".*CRC-32'):
                        am.ParquetDecoder(threads=1).decode(data, columns=[chunk.path.split(".")[0]])
                    data[at] ^= 1 << at % 8
        assert decode(bytes(data)).equals(table)


def flipped(path, at, mask=0xFF, count=1):
    """Turns bytes over in the file itself; again turns them back. Clocks of files are coarse: what was
    seen of a file is remembered by its times, so each state gets one of its own."""
    before = os.stat(path).st_mtime_ns
    with open(path, "r+b") as file:
        file.seek(at)
        bytes_ = file.read(count)
        file.seek(at)
        file.write(bytes(byte ^ mask for byte in bytes_))
    os.utime(path, ns=(before + 1, before + 1))


def test_one_column_is_proved_by_the_blocks_it_lies_in_whatever_byte_of_the_file_is_wrong(tmp_path):
    """armi.blake3: reading one column of a damaged chunk gives its values or says that it is damaged."""
    block = 128 << 10
    rng = np.random.default_rng(5)
    rows = 30_000
    wanted = pa.array(rng.permutation(40), pa.int64()).take(pa.array(np.arange(rows) // 750))
    with am.open(tmp_path / "repo", durability="none") as db:
        db.write("t", pa.table({"before": rng.random(rows), "x": wanted, "after": rng.random(rows)}))
    (name,) = os.listdir(tmp_path / "repo" / "chunks")
    path = tmp_path / "repo" / "chunks" / name
    data = path.read_bytes()
    file = thrift.parse(data)
    assert b"armi.blake3" in file.keys
    (chunk,) = [c for c in file.groups[0] if c.path == "x"]
    first, last = chunk.pages[0].offset, chunk.pages[-1].offset + chunk.pages[-1].size
    touched = range(first // block * block, -(-last // block) * block)
    tail = range(file.footer_offset // block * block, len(data))
    assert 0 < touched.start < touched.stop < tail.start

    with am.open(tmp_path / "repo", cache_bytes=0, durability="none") as db:
        def read():
            return db.read("t", columns=["x"]).to_arrow()["x"]

        assert read().combine_chunks().equals(wanted)
        # Every byte of every other block at once, none of them looked at.
        others = [(0, touched.start), (touched.stop, tail.start)]
        for begin, end in others:
            flipped(path, begin, count=end - begin)
        assert read().combine_chunks().equals(wanted)
        with pytest.raises(am.CorruptionError, match=name[:64]):
            db.read("t", columns=["before"]).to_arrow()
        for begin, end in others:
            flipped(path, begin, count=end - begin)
        # Each byte of the column, of the footer and of what stands before it; the rest of the same
        # blocks in runs of 61.
        single = [(at, 1) for at in (*range(first, last), *range(file.footer_offset - 500, len(data)))]
        runs = [(at, 61) for part in (touched, tail) for at in range(part.start, part.stop, 61)]
        assert len(single) > 1000
        for at, count in single + runs:
            flipped(path, at, 1 << at % 8, count)
            with pytest.raises(am.CorruptionError, match=name[:64]):
                read()
            flipped(path, at, 1 << at % 8, count)
        assert read().combine_chunks().equals(wanted)


# ---- what is not looked at ----


def damaged_outside(data, columns, keep):
    """The file with every page of the columns turned over whose rows `keep` does not want."""
    data = bytearray(data)
    wrong = 0
    for chunks in thrift.parse(bytes(data)).groups:
        for chunk in chunks:
            if chunk.path not in columns:
                continue
            firsts = [entry[3] for entry in chunk.offset_index[1]]
            rows = sum(page.values for page in chunk.data_pages)
            for page, begin, end in zip(chunk.data_pages, firsts, [*firsts[1:], rows], strict=True):
                if not keep(begin, end):
                    wrong += 1
                    for at in range(page.body_offset, page.body_offset + len(page.body)):
                        data[at] ^= 0xFF
    return bytes(data), wrong


def paged(writer, rows=300_000):
    table = pa.table({"k": range(rows), "v": [f"text {i * 7919 % 100_003}" for i in range(rows)],
                      "w": np.random.default_rng(2).random(rows)})
    if writer == "ours":
        return table, encode(table)
    sink = io.BytesIO()
    pq.write_table(table, sink, write_page_index=True, write_page_checksum=True, max_rows_per_page=20_000,
                   row_group_size=rows)
    return table, sink.getvalue()


@pytest.mark.parametrize("writer", ["ours", "pyarrow"])
def test_pages_without_a_row_that_matches_are_not_looked_at(writer):
    """Neither of the column that is asked about nor of the others."""
    table, data = paged(writer)
    span = (150_000, 150_010)
    where = f"k between {span[0]} and {span[1] - 1}"
    broken, wrong = damaged_outside(data, ["k", "v", "w"], lambda a, b: a < span[1] and b > span[0])
    assert wrong >= 6
    assert decode(broken, where=where).equals(table.slice(span[0], span[1] - span[0]))
    with pytest.raises(am.CorruptionError):
        decode(broken)
    broken, wrong = damaged_outside(data, ["w"], lambda a, b: a >= span[1] or b <= span[0])
    assert wrong == 1
    with pytest.raises(am.CorruptionError, match='"w"'):
        decode(broken, where=where)


def test_other_columns_are_read_where_rows_are_kept_and_nowhere_else():
    """Late materialisation: bounds rule nothing out here, only the rows do."""
    rows = 400_000
    table = pa.table({"k": [i * 7919 % 1000 if i != 200_001 else -5 for i in range(rows)],
                      "w": np.random.default_rng(2).random(rows)})
    data = encode(table)
    broken, wrong = damaged_outside(data, ["w"], lambda a, b: a <= 200_001 < b)
    assert wrong >= 5
    low = table["k"].to_numpy().min()
    assert low == -5
    where = "k = -5 or (k = 3 and k = 4)"
    assert decode(broken, where=where).equals(table.slice(200_001, 1))
    with pytest.raises(am.CorruptionError, match='"w"'):
        decode(broken)


def test_files_without_statistics_or_indexes_are_read_and_asked():
    table = pa.table({"n": [i if i % 7 else None for i in range(5000)], "s": [f"t{i % 90}" for i in range(5000)]})
    for options in ({}, {"use_dictionary": False, "data_page_size": 700}, {"data_page_version": "2.0"}):
        sink = io.BytesIO()
        pq.write_table(table, sink, write_statistics=False, row_group_size=900, store_schema=False, **options)
        data = sink.getvalue()
        assert all(6 not in chunk.statistics for group in thrift.parse(data).groups for chunk in group) \
            if not options.get("data_page_version") else True
        assert decode(data).equals(table)
        kept = table.filter(pc.and_(pc.greater(table["n"], 1000), pc.equal(table["s"], "t5")))
        assert decode(data, where="n > 1000 and s = 't5'").equals(kept)
        pruned = am.ParquetDecoder().pruning_stats(data, "n > 99999")
        assert pruned == ((6, 0, 6) if "use_dictionary" in options else (6, 6, 0))  # by dictionary
