"""Parquet readers that are not ours, and how to tell whether what one read is what was written."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import armillaria as am

from . import gen

PROFILES = ("portable", "standard", "dense")
CODECS = ("none", "snappy", "gzip", "brotli", "zstd", "lz4_raw", "auto")


def read_pyarrow(data: bytes, path: str) -> pa.Table:
    return pq.read_table(io.BytesIO(data))


def read_polars(data: bytes, path: str) -> pa.Table:
    import polars

    return polars.read_parquet(io.BytesIO(data)).to_arrow(compat_level=None)


def read_duckdb(data: bytes, path: str) -> pa.Table:
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set threads = 1; set timezone = 'UTC'")
        found = connection.sql(f"from read_parquet('{path}')")
        return found.to_arrow_table()


def read_arrow_rs(data: bytes, path: str) -> pa.Table:
    import arro3.io

    return pa.table(arro3.io.read_parquet(path))


def read_ours(data: bytes, path: str) -> pa.Table:
    return am.ParquetDecoder().decode(data).to_arrow()


OTHERS: dict[str, Callable[[bytes, str], pa.Table]] = {
    "pyarrow": read_pyarrow, "Polars": read_polars, "DuckDB": read_duckdb,
    "arrow-rs": read_arrow_rs,
}


# ---- whether the values are the same ----


def carried(written: pa.ChunkedArray, got: pa.ChunkedArray) -> bool:
    """Whether `got` is `written` after the cast that its reader makes. Exact, save for decimals
    beyond 38 digits, which one reader turns into doubles."""
    source, target = written.type, got.type
    if pa.types.is_decimal(source) and pa.types.is_float64(target):
        return _close(written.cast(pa.float64()), got)
    if source == pa.float16() and target != source:
        return gen.same_values(written.cast(target), got)
    if has_uuid(source) and not has_uuid(target) and "string" in str(target):
        return [_uuid_text(v) for v in written.to_pylist()] == got.to_pylist()
    return gen.same_values(written, got)


def has_uuid(type_: pa.DataType) -> bool:
    return "arrow.uuid" in str(type_)


def _uuid_text(value: object) -> object:
    if value is None:
        return None
    return [_uuid_text(item) for item in value] if isinstance(value, list) else str(value)


def _close(a: pa.ChunkedArray, b: pa.ChunkedArray) -> bool:
    gap = pc.abs(pc.subtract(a, b))
    small = pc.less_equal(gap, pc.multiply(pc.abs(a), 1e-14))
    return a.is_valid().equals(b.is_valid()) and pc.all(small).as_py() in (True, None)


# ---- what becomes of a column ----

SAME = "yes"


def outcome(reader: str, table: pa.Table, data: bytes, path: str) -> str:
    """"yes", "as T" for equal values of another type, "DIFFERS", or "no: why"."""
    try:
        got = OTHERS[reader](data, path)
    except BaseException as error:  # the panics of Rust are no Exceptions
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        return "no: " + reason(error)
    if got.num_rows != table.num_rows or got.column_names != table.column_names:
        return "DIFFERS"
    types = []
    for before, after in zip(table.columns, got.columns, strict=True):
        if not carried(before, after):
            return f"DIFFERS as {after.type}"
        if after.type != before.type:
            types.append(type_text(after.type))
    return f"as {', '.join(types)}" if types else SAME


def reason(error: BaseException) -> str:
    text = " ".join(str(error).replace("`", "").replace("|", "/").split())
    for noise in ("called Result::unwrap() on an Err value: ", "C Data interface error: ",
                  "Parquet argument error: ", "ComputeError(ErrString(\"", "General(\""):
        text = text.replace(noise, "")
    return text.partition(". ")[0].partition(" - ")[0][:80].rstrip()


def type_text(type_: pa.DataType) -> str:
    """The name of a type, short enough for a table."""
    text = str(type_).replace("dictionary<values=", "dictionary<").replace(", ordered=0", "")
    return text.replace(", indices=", ", ").replace("extension<arrow.", "ext<")
