"""Files of other writers: every type, encoding, codec and page version that they make."""

import decimal
import io
import os
import random

import pytest

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")
pq = pytest.importorskip("pyarrow.parquet")
np = pytest.importorskip("numpy")

import armillaria as am  # noqa: E402

N = 1500
CODECS = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]
INTS = ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"]
TEXT = ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"]
FIXED = ["PLAIN", "DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT"]
FLOATS = ["PLAIN", "BYTE_STREAM_SPLIT"]


def decimals(type_, digits):
    rng = random.Random(1)
    return pa.array([decimal.Decimal(rng.randrange(-10**digits, 10**digits)).scaleb(-2)
                     for _ in range(N)], type_)


def columns():
    rng = np.random.default_rng(7)
    pick = random.Random(7)

    def ints(low, high, type_):
        return pa.array(rng.integers(low, high, N, dtype=np.int64)).cast(type_)

    return {
        "int8": (ints(-128, 128, pa.int8()), INTS), "uint16": (ints(0, 65536, pa.uint16()), INTS),
        "int32": (ints(-2**31, 2**31, pa.int32()), INTS),
        "uint32": (ints(0, 2**32, pa.uint32()), INTS),
        "int64": (pa.array(rng.integers(-2**63, 2**63 - 1, N)), INTS),
        "rising": (pa.array(np.cumsum(rng.integers(0, 90, N))), INTS),
        "runs": (pa.array(np.repeat(rng.integers(0, 5, N // 50), 50)), INTS),
        "float16": (pa.array(rng.random(N).astype(np.float16)), FIXED),
        "float32": (pa.array(rng.random(N).astype(np.float32)), FLOATS),
        "float64": (pa.array(rng.random(N)), FLOATS),
        "bool": (pa.array(rng.random(N) < 0.3), ["PLAIN", "RLE"]),
        "text": (pa.array([pick.choice(["", "a", "é€🍄", "x" * 40]) for _ in range(N)]), TEXT),
        "paths": (pa.array([f"/api/v1/item/{i * 37}" for i in range(N)]), TEXT),
        "binary": (pa.array([pick.randbytes(pick.randrange(70)) for _ in range(N)]), TEXT),
        "large": (pa.array([f"L{pick.randrange(10**6)}" for _ in range(N)], pa.large_string()), TEXT),
        "view": (pa.array([pick.choice(["short", "longer than twelve"]) for _ in range(N)],
                          pa.string_view()), TEXT),
        "fixed5": (pa.array([pick.randbytes(5) for _ in range(N)], pa.binary(5)), FIXED),
        "decimal32": (decimals(pa.decimal32(9, 2), 9), ["PLAIN"]),
        "decimal64": (decimals(pa.decimal64(18, 2), 18), ["PLAIN"]),
        "decimal128": (decimals(pa.decimal128(30, 2), 30), ["PLAIN"]),
        "decimal256": (decimals(pa.decimal256(60, 2), 50), ["PLAIN"]),
        "date32": (ints(-9999, 99999, pa.int32()).cast(pa.date32()), INTS),
        "date64": (pa.array(rng.integers(-999, 9999, N) * 86400000).cast(pa.date64()), ["PLAIN"]),
        "time32": (ints(0, 86400, pa.int32()).cast(pa.time32("s")), INTS),
        "time64": (ints(0, 86400 * 10**6, pa.int64()).cast(pa.time64("us")), INTS),
        "seconds": (ints(-10**9, 10**10, pa.int64()).cast(pa.timestamp("s")), INTS),
        "nanos": (ints(0, 10**18, pa.int64()).cast(pa.timestamp("ns", "Europe/Paris")), INTS),
        "duration": (ints(-10**9, 10**9, pa.int64()).cast(pa.duration("ms")), INTS),
        "dictionary": (pa.array([f"k{pick.randrange(20)}" for _ in range(N)]).dictionary_encode(), []),
    }


COLUMNS = columns()


def with_nulls(array, share):
    if share == 0:
        return array
    keep = pa.array(np.random.default_rng(3).random(len(array)) >= share)
    return pc.if_else(keep, array, pa.scalar(None, array.type))


def written(table, **options):
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def check(table, **options):
    got = am.ParquetDecoder().decode(written(table, **options)).to_arrow()
    got.validate(full=True)
    assert got.schema.types == table.schema.types
    assert got.combine_chunks().equals(table.combine_chunks())


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("share", [0, 0.2, 0.97, 1])
@pytest.mark.parametrize("name", COLUMNS)
def test_every_encoding_of_every_type(name, share, version):
    array, encodings = COLUMNS[name]
    if name == "dictionary":
        array = pa.DictionaryArray.from_arrays(with_nulls(array.indices, share), array.dictionary)
    elif name == "view" and share:
        array = with_nulls(array.cast(pa.string()), share).cast(pa.string_view())
    else:
        array = with_nulls(array, share)
    pick = random.Random(f"{name}{share}{version}")
    common = {"data_page_version": version, "write_page_checksum": True}
    for small in (False, True):
        options = common | {"compression": pick.choice(CODECS), "write_page_index": small,
                            "data_page_size": 2000 if small else 1 << 20,
                            "row_group_size": N // 3 + 1 if small else N}
        table = pa.table({"x": array})
        check(table, **options)
        check(table, dictionary_pagesize_limit=200, **options)
        for encoding in encodings:
            check(table, use_dictionary=False, column_encoding={"x": encoding}, **options)
        if share == 0:
            check(pa.table([array], pa.schema([pa.field("x", array.type, False)])), **options)


def value_of(pick, type_):
    if pick.random() < 0.15:
        return None
    if pa.types.is_fixed_size_list(type_):
        return [value_of(pick, type_.value_type) for _ in range(type_.list_size)]
    if pa.types.is_map(type_):
        return [(f"k{i}", value_of(pick, type_.item_type)) for i in range(pick.choice([0, 1, 3]))]
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return [value_of(pick, type_.value_type) for _ in range(pick.choice([0, 0, 1, 2, 5]))]
    if pa.types.is_struct(type_):
        return {field.name: value_of(pick, field.type) for field in type_}
    return pick.choice(["", "ab", "hello"]) if pa.types.is_string(type_) else pick.randrange(1000)


INT, TXT = pa.int32(), pa.string()
NESTED = [
    pa.list_(INT), pa.large_list(TXT), pa.list_(pa.list_(pa.list_(TXT))),
    pa.struct([("a", INT), ("b", pa.struct([("c", TXT), ("d", pa.struct([("e", INT)]))]))]),
    pa.list_(pa.struct([("a", INT), ("b", pa.list_(TXT)), ("c", pa.struct([("d", INT)]))])),
    pa.struct([("l", pa.list_(INT)), ("m", pa.map_(TXT, INT))]),
    pa.map_(TXT, pa.list_(pa.struct([("q", INT), ("r", TXT)]))),
    pa.list_(INT, 3), pa.list_(pa.list_(INT, 2), 3), pa.list_(pa.struct([("a", INT), ("b", TXT)]), 2),
    pa.list_(pa.list_(INT, 2)), pa.list_(pa.list_(INT), 2),
]


@pytest.mark.parametrize("type_", NESTED, ids=str)
def test_nested_values_with_nulls_at_every_level(type_):
    pick = random.Random(str(type_))
    for rows in (1, 10, 700):
        values = [value_of(pick, type_) for _ in range(rows)]
        table = pa.table({"n": pa.array(values, type_), "k": pa.array(range(rows))})
        for version in ("1.0", "2.0"):
            check(table, data_page_version=version, data_page_size=500, write_batch_size=64,
                  compression=pick.choice(CODECS), row_group_size=rows // 2 + 1)


def test_files_of_duckdb_and_polars(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    polars = pytest.importorskip("polars")
    names = ["int32", "int64", "rising", "uint32", "float64", "bool", "text", "paths", "date32"]
    table = pa.table({name: with_nulls(COLUMNS[name][0], 0.1) for name in names})
    path = os.fspath(tmp_path / "x.parquet")
    source = table
    assert source is not None  # duckdb finds it by its name
    for version in ("V1", "V2"):
        duckdb.sql(f"copy (select * from source) to '{path}' (format parquet, parquet_version '{version}')")
        assert am.read_parquet(path).to_arrow().equals(table)
    polars.from_arrow(table).write_parquet(path, row_group_size=400)
    got = am.read_parquet(path).to_arrow()
    assert got.cast(table.schema).equals(table)


@pytest.mark.parametrize("index", ["int8", "uint8", "int16"])
@pytest.mark.parametrize("values", [pa.utf8(), pa.int64(), pa.binary(20)], ids=str)
def test_a_dictionary_that_went_plain_in_mid_chunk_has_each_value_once_where_indices_are_narrow(values, index):
    pick = random.Random(1)
    rows = [pick.randrange(100) if pick.random() > 0.1 else None for _ in range(40_000)]
    entries = {pa.utf8(): [f"value {i}" for i in range(100)], pa.int64(): list(range(100)),
               pa.binary(20): [f"{i:020}".encode() for i in range(100)]}[values]
    column = pa.DictionaryArray.from_arrays(pa.array(rows, index), pa.array(entries, values))
    for options in ({"dictionary_pagesize_limit": 600}, {"use_dictionary": False},
                    {"dictionary_pagesize_limit": 300, "data_page_size": 1000, "write_batch_size": 64}):
        sink = io.BytesIO()
        pq.write_table(pa.table({"c": column}), sink, **options)
        got = am.ParquetDecoder().decode(sink.getvalue()).to_arrow().column(0)
        assert got.type == column.type
        assert got.cast(values).to_pylist() == column.cast(values).to_pylist()
        if index != "int16":
            assert [len(chunk.dictionary) for chunk in got.chunks] == [100] * got.num_chunks
            assert got.num_chunks == 1


def test_members_of_structs_are_columns_by_their_path():
    kind = pa.struct([
        pa.field("b", pa.int64()), pa.field("needed", pa.int32(), False),
        pa.field("c", pa.struct([pa.field("d", pa.utf8(), False), ("list", pa.list_(pa.int64()))])),
        pa.field("items", pa.list_(pa.struct([("x", pa.int8())]))),
    ])
    pick = random.Random(3)
    rows = [None if pick.random() < 0.2 else {
        "b": i % 100, "needed": i, "items": [{"x": i % 5}] * (i % 2),
        "c": None if pick.random() < 0.3 else {"d": f"s{i}", "list": [i] * (i % 3)}} for i in range(5000)]
    table = pa.table([pa.array(rows, kind), pa.array(range(5000)), pa.array(range(5000))],
                     schema=pa.schema([("a", kind), pa.field("k", pa.int64(), False), ("a.k", pa.int64())]))
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=1700, data_page_size=900, write_page_index=True)
    names = ["a.b", "k", "a.c.d", "a.needed", "a", "a.c", "a.k", "a.c.list", "a.items"]
    keeps = {None: lambda i: True, "k < 1000": lambda i: i < 1000, "a.b > 50": lambda i: rows[i] and rows[i]["b"] > 50}
    for data in (sink.getvalue(), am.ParquetEncoder().encode(table)):
        for where, keep in keeps.items():
            got = am.ParquetDecoder().decode(data, columns=names, where=where).to_arrow()
            got.validate(full=True)
            assert got.column_names == names
            kept = [i for i in range(5000) if keep(i)]
            assert got.column("k").to_pylist() == got.column("a.k").to_pylist() == kept
            for name in names:
                if name in ("k", "a.k"):
                    continue
                wanted = [rows[i] for i in kept]
                for step in name.split(".")[1:]:
                    wanted = [None if row is None else row[step] for row in wanted]
                assert got.column(name).to_pylist() == wanted, (name, where)
        for name in ("a.z", "a.", "a.items.x", ".a", "k.b"):
            with pytest.raises(am.NotFoundError, match="columns: a, k"):
                am.ParquetDecoder().decode(data, columns=[name])


@pytest.mark.parametrize("nullable", [False, True])
def test_a_plain_page_without_nulls_is_handed_out_where_it_lies(nullable):
    values = np.random.default_rng(1).uniform(size=50_000)
    table = pa.table([pa.array(values)], schema=pa.schema([pa.field("x", pa.float64(), nullable)]))
    data = am.ParquetEncoder(compression="none").encode(table)
    start = pa.py_buffer(data).address
    got = am.ParquetDecoder().decode(data).to_arrow().column(0).chunk(0)
    assert got.null_count == 0 and got.to_numpy().tolist() == values.tolist()
    assert start <= got.buffers()[1].address < start + len(data)
