"""The Parquet parts: options, metadata, and files to and from other readers and writers."""

from __future__ import annotations

import datetime as dt
import decimal
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

import armillaria as am

from .arrow_strategies import tables
from .conftest import numbers

NAMED = ["none", "snappy", "gzip", "brotli", "zstd", "lz4_raw", "zstd:9", "gzip:1", "auto", "lz4",
         "uncompressed"]


def every_type(rows: int = 300) -> pa.Table:
    """A column of every primitive type, each with nulls."""
    n = list(range(rows))

    def some(values):
        return [None if i % 7 == 3 else value for i, value in enumerate(values)]

    day = dt.date(2013, 1, 1)
    moment = dt.datetime(2013, 1, 1, 5, 15)
    columns = {
        **{str(t): pa.array(some([i % 100 for i in n]), t)
           for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(),
                     pa.uint32(), pa.uint64())},
        "bool": pa.array(some([i % 3 == 0 for i in n])),
        "float": pa.array(some([i / 7 for i in n]), pa.float32()),
        "double": pa.array(some([i * 1e100 for i in n])),
        "string": pa.array(some([f"text {i % 40}" for i in n])),
        "large_string": pa.array(some([f"text {i}" for i in n]), pa.large_string()),
        "binary": pa.array(some([b"%d" % i for i in n])),
        "fixed": pa.array(some([b"%03d" % i for i in n]), pa.binary(3)),
        "date32": pa.array(some([day + dt.timedelta(i) for i in n]), pa.date32()),
        "time32": pa.array(some([i * 1000 for i in n]), pa.int32()).cast(pa.time32("ms")),
        "time64": pa.array(some([i * 1000 for i in n]), pa.int64()).cast(pa.time64("us")),
        "millis": pa.array(some([moment + dt.timedelta(i) for i in n]), pa.timestamp("ms")),
        "micros": pa.array(some([moment + dt.timedelta(i) for i in n]), pa.timestamp("us", "UTC")),
        "nanos": pa.array(some([moment + dt.timedelta(i) for i in n]), pa.timestamp("ns")),
        "decimal": pa.array(some([decimal.Decimal(i) / 4 for i in n]), pa.decimal128(12, 2)),
        "wide_decimal": pa.array(some([decimal.Decimal(i) for i in n]), pa.decimal128(38, 0)),
        "null": pa.nulls(rows),
        "constant": pa.array([7] * rows),
    }
    return pa.table(columns)


# ---- others read ours ----


@pytest.mark.parametrize("compression", NAMED)
@pytest.mark.parametrize("profile", ["standard", "portable", "dense"])
def test_pyarrow_reads_every_type_that_we_write(compression, profile):
    table = every_type()
    data = am.ParquetEncoder(compression=compression, profile=profile).encode(table)
    back = pq.read_table(io.BytesIO(data))
    assert back.schema.equals(table.schema)
    assert back.equals(table)


def test_polars_and_duckdb_read_every_type_that_we_write(tmp_path):
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    table = every_type().drop_columns(["null"])
    am.write_parquet(table, tmp_path / "t.parquet")
    wanted = table.to_pylist()
    assert polars.read_parquet(tmp_path / "t.parquet").to_arrow().to_pylist() == wanted
    # DuckDB gives times in the session's zone, and knows no unsigned-to-text surprises.
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    got = connection.sql(f"select * from '{tmp_path / 't.parquet'}'").to_arrow_table()
    assert got.select(["int8", "uint64", "string", "decimal", "double"]).to_pylist() == (
        table.select(["int8", "uint64", "string", "decimal", "double"]).to_pylist())
    assert got.column_names == table.column_names and got.num_rows == table.num_rows
    for name in table.column_names:
        assert got[name].null_count == table[name].null_count, name


@given(table=tables())
def test_pyarrow_reads_random_tables_that_we_write(table):
    back = pq.read_table(io.BytesIO(am.ParquetEncoder().encode(table)))
    assert back.column_names == table.column_names and back.num_rows == table.num_rows
    for ours, column in zip(back.columns, table.columns, strict=True):
        assert ours.null_count == column.null_count
        if not pa.types.is_floating(column.type) and not pa.types.is_dictionary(column.type):
            assert ours.cast(column.type).equals(column)


# ---- we read others' ----


@pytest.mark.parametrize("options", [
    {}, {"compression": "none"}, {"compression": "zstd"}, {"compression": "gzip"},
    {"compression": "brotli"}, {"compression": "lz4"}, {"use_dictionary": False},
    {"data_page_version": "2.0"}, {"version": "1.0"}, {"row_group_size": 50},
    {"data_page_size": 100}, {"write_page_index": True}, {"store_schema": False},
    {"use_dictionary": False, "column_encoding": {"int32": "DELTA_BINARY_PACKED",
                                                  "string": "DELTA_BYTE_ARRAY",
                                                  "double": "BYTE_STREAM_SPLIT"}},
], ids=str)
def test_we_read_every_type_that_pyarrow_writes(options):
    table = every_type()
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    wanted = pq.read_table(io.BytesIO(sink.getvalue()))
    assert am.ParquetDecoder().decode(sink.getvalue()).to_arrow().equals(wanted)


def test_we_read_what_polars_and_duckdb_write(tmp_path):
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    table = every_type()
    frame = polars.from_arrow(table)
    frame.write_parquet(tmp_path / "polars.parquet")
    assert am.read_parquet(tmp_path / "polars.parquet").to_arrow().to_pylist() == (
        frame.to_arrow().to_pylist())
    connection = duckdb.connect()
    connection.register("t", table.drop_columns(["null"]))
    connection.execute(f"copy t to '{tmp_path / 'duckdb.parquet'}' (format parquet)")
    assert am.read_parquet(tmp_path / "duckdb.parquet").to_arrow().to_pylist() == (
        pq.read_table(tmp_path / "duckdb.parquet").to_pylist())


# ---- the encoder ----


def test_the_same_data_gives_the_same_bytes():
    one = am.ParquetEncoder().encode(every_type())
    assert am.ParquetEncoder(threads=1).encode(every_type()) == one
    assert am.ParquetEncoder().encode(pa.Table.from_batches(
        every_type().to_batches(max_chunksize=17))) == one


def test_a_batch_a_table_a_stream_and_no_rows_are_taken(people):
    encoder, decoder = am.ParquetEncoder(), am.ParquetDecoder()
    for data in (people, people.to_batches()[0], people.to_reader(), people.slice(0, 0)):
        rows = 0 if data is not people and getattr(data, "num_rows", 3) == 0 else 3
        assert decoder.decode(encoder.encode(data)).num_rows == rows
    with pytest.raises(TypeError, match="dict"):
        encoder.encode({"a": [1]})


def test_batches_are_encoded_in_order(people):
    encoded = am.ParquetEncoder(threads=2).encode_batch(people.slice(i, 1) for i in range(3))
    assert encoded == [am.ParquetEncoder().encode(people.slice(i, 1)) for i in range(3)]
    decoded = am.ParquetDecoder(threads=2).decode_batch(encoded)
    assert [scan.to_arrow()["id"].to_pylist() for scan in decoded] == [[1], [2], [3]]
    assert am.ParquetEncoder().encode_batch([]) == [] == am.ParquetDecoder().decode_batch([])


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(am.InvalidArgumentError) as caught:
        am.ParquetEncoder(compression="rar")
    for codec in ("auto", "none", "snappy", "gzip", "brotli", "zstd", "lz4_raw"):
        assert codec in str(caught.value)
    with pytest.raises(am.InvalidArgumentError, match="^profile must be one of"):
        am.ParquetEncoder(profile="tiny")


def test_a_named_codec_is_applied():
    table = pa.table({"text": ["the same words again and again"] * 10_000,
                      "n": list(range(10_000))})
    plain = am.ParquetEncoder(compression="none").encode(table)
    assert {c.compression for c in am.ParquetDecoder().metadata(plain).chunks[0]} <= {
        "none", "uncompressed"}
    packed = am.ParquetEncoder(compression="zstd").encode(table)
    assert len(packed) < len(plain)
    assert "zstd" in {c.compression for c in am.ParquetDecoder().metadata(packed).chunks[0]}


# ---- the decoder ----


def test_columns_by_number_and_name(people):
    data = am.ParquetEncoder().encode(people)
    decoder = am.ParquetDecoder()
    assert decoder.decode_columns(data, [2, 0]).column_names == ["score", "id"]
    assert decoder.decode_columns_by_name(data, ["name"]).to_arrow().equals(
        people.select(["name"]))
    assert decoder.decode(data, columns=["born", "id"]).column_names == ["born", "id"]
    assert decoder.decode(data, columns=[]).num_rows == 3
    with pytest.raises(am.NotFoundError, match="zz"):
        decoder.decode(data, columns=["zz"])
    with pytest.raises(am.NotFoundError):
        decoder.decode_columns(data, [9])
    with pytest.raises(am.InvalidArgumentError):
        decoder.decode_columns(data, [-1])


def test_rows_by_condition(people):
    data = am.ParquetEncoder().encode(people)
    decoder = am.ParquetDecoder()
    assert decoder.decode_with_filter(data, "id > 1", columns=["name"]).to_arrow().to_pylist() == [
        {"name": "bob"}, {"name": None}]
    assert decoder.decode(data, where="id > 100").num_rows == 0
    assert decoder.decode(data, where="id > 100").schema == people.schema
    with pytest.raises(am.InvalidArgumentError):
        decoder.decode(data, where="id >")


def test_row_groups_are_pruned_by_statistics():
    sink = io.BytesIO()
    pq.write_table(numbers(0, 1000), sink, row_group_size=100)
    decoder = am.ParquetDecoder()
    assert decoder.pruning_stats(sink.getvalue(), "n between 250 and 260") == (10, 9, 1)
    assert decoder.pruning_stats(sink.getvalue(), "n >= 0") == (10, 0, 10)
    assert decoder.pruning_stats(sink.getvalue(), "n < 0") == (10, 10, 0)


def test_row_groups_are_as_long_as_asked(tmp_path):
    table = numbers(0, 1000)
    data = am.ParquetEncoder(row_group_rows=300).encode(table)
    am.write_parquet(table, tmp_path / "n.parquet", row_group_rows=300)
    for bytes_ in (data, (tmp_path / "n.parquet").read_bytes()):
        assert [chunks[0].rows for chunks in am.ParquetDecoder().metadata(bytes_).chunks] == [300, 300, 300, 100]
        assert am.ParquetDecoder().decode(bytes_).to_arrow().equals(table)
        assert pq.read_table(io.BytesIO(bytes_)).equals(table)
        assert am.ParquetDecoder().pruning_stats(bytes_, "n between 650 and 660") == (4, 3, 1)
        assert am.ParquetDecoder().decode(bytes_, where="n in (299, 300, 999)").num_rows == 3
    with pytest.raises(am.InvalidArgumentError, match="row_group_rows"):
        am.ParquetEncoder(row_group_rows=0)


def test_metadata_tells_what_the_footer_says(people):
    meta = am.ParquetDecoder().metadata(am.ParquetEncoder().encode(people))
    assert (meta.rows, meta.row_groups, meta.columns) == (3, 1, 4)
    assert meta.created_by.startswith("armillaria version ")
    assert meta.schema == people.schema
    name = meta.chunks[0][1]
    assert (name.path, name.rows, name.nulls, name.has_min_max) == ("name", 3, 1, True)
    assert name.encodings and name.compressed_bytes > 0


def test_any_buffer_is_decoded_and_may_go_away(people):
    data = am.ParquetEncoder(compression="none").encode(people)
    for form in (data, bytearray(data), memoryview(data), pa.py_buffer(data)):
        assert am.ParquetDecoder().decode(form).to_arrow().equals(people)
    form = bytearray(data)
    scan = am.ParquetDecoder().decode(form)
    del form
    assert scan.to_arrow().equals(people)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"not a parquet file at all", b"PAR1" * 10,
                                  b"\0" * 100])
def test_what_is_not_parquet_is_refused(data, tmp_path):
    with pytest.raises(am.CorruptionError) as caught:
        am.ParquetDecoder().decode(data)
    assert "\n" not in str(caught.value)
    (tmp_path / "x.parquet").write_bytes(data)
    with pytest.raises(am.CorruptionError, match="x.parquet"):
        am.read_parquet(tmp_path / "x.parquet")


def test_a_truncated_file_is_refused(people, tmp_path):
    data = am.ParquetEncoder().encode(people)
    for size in (len(data) - 1, len(data) // 2, 20):
        with pytest.raises(am.CorruptionError):
            am.ParquetDecoder().decode(data[:size])


# ---- files ----


def test_files_are_written_whole_and_read_lazily(people, tmp_path):
    path = tmp_path / "people.parquet"
    assert am.write_parquet(people, path, compression="zstd") == 3
    assert [file.name for file in tmp_path.iterdir()] == ["people.parquet"]
    scan = am.read_parquet(path)
    assert (scan.num_rows, scan.column_names) == (3, people.column_names)
    assert scan.to_arrow().equals(people) and scan.to_arrow().equals(people)
    assert am.read_parquet(str(path), columns=["id"], where="id > 1").num_rows == 2
    assert am.read_parquet(path.read_bytes()).to_arrow().equals(people)


def test_a_table_is_written_from_a_file_and_to_one(db, people, tmp_path):
    am.write_parquet(people, tmp_path / "in.parquet")
    db.write("people", am.read_parquet(tmp_path / "in.parquet"))
    am.write_parquet(db.read("people"), tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").equals(people)


def test_a_result_beyond_max_bytes_is_a_limit_error(tmp_path):
    am.write_parquet(numbers(0, 200_000), tmp_path / "n.parquet")
    with pytest.raises(am.LimitError):
        am.read_parquet(tmp_path / "n.parquet", max_bytes=100_000).to_arrow()
    assert am.read_parquet(tmp_path / "n.parquet", max_bytes=None).to_arrow().num_rows == 200_000
    with pytest.raises(am.LimitError):
        am.ParquetDecoder(max_bytes=1000).decode((tmp_path / "n.parquet").read_bytes())


def test_files_that_are_not_there(people, tmp_path):
    with pytest.raises(am.NotFoundError, match="nothing.parquet"):
        am.read_parquet(tmp_path / "nothing.parquet")
    with pytest.raises(am.StorageError) as caught:
        am.write_parquet(people, tmp_path / "no" / "such" / "folder.parquet")
    assert isinstance(caught.value, OSError) and caught.value.errno
    with pytest.raises(TypeError):
        am.read_parquet(7)
