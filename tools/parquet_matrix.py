#!/usr/bin/env python3
"""Which reader carries which type of the Parquet files written here.

    tools/parquet_matrix.py            prints docs/parquet-readers.md
    tools/parquet_matrix.py --write    writes it
    tools/parquet_matrix.py --full     every type x profile x codec x shape x reader; what differs
                                       from the document is printed, and the exit code is 1

The package armillaria and the readers must be importable.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

os.environ["RUST_BACKTRACE"] = "0"
ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "parquet-readers.md"
sys.path.insert(0, str(ROOT))

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

import armillaria as am  # noqa: E402
from tests.python import gen, readers  # noqa: E402

PACKAGES = {"pyarrow": "pyarrow", "Polars": "polars", "DuckDB": "duckdb", "arrow-rs": "arro3-io"}

HEAD = """\
# What other readers make of our Parquet files

`tools/parquet_matrix.py --write` makes this page, and a test compares it with what the readers do.
Each type was written in the three profiles and read by: {versions}.

- **yes**: the same values, the same Arrow type.
- **as T**: the same values in the type that this reader has for them. What it has no type for, it
  shows as the physical one (a duration as an integer, 76 digits as doubles). NaN, the sign of zero
  and nulls are compared to the bit.
- **no**: the reader fails, with the reason it gives. *pyarrow's too*: it fails as well on what
  pyarrow writes of that column, so the reason is the reader's alone.

A date64 may lie within a day, so it is stored as TIMESTAMP(ms), and others show that: ARROW:schema
says date64, but only our decoder asks it for more than zones (what pyarrow itself writes as date64, it
reads as date32). So it is with seconds, which are stored as milliseconds. The entries of an ordered
dictionary stand in the file in their order, used or not; who reads dictionaries reads them so.

Our own decoder gives every type back exactly, with the metadata of schema and fields; run-end
encoded columns come back plain. Fixed-size binary of 0 bytes, unions, intervals, structs without
members and decimals with a negative scale are refused when written. Files without columns are read
by us alone.
"""


@functools.cache
def versions() -> dict[str, str]:
    return {reader: version(package) for reader, package in PACKAGES.items()}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Panics print before they become exceptions."""
    kept, sink = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(sink)


def encode(table: pa.Table, compression: str, profile: str) -> bytes:
    return am.ParquetEncoder(compression=compression, profile=profile, threads=1).encode(table)


def names() -> list[str]:
    return [name for name, type_ in gen.TYPES.items() if type_ != pa.binary(0)]


# ---- the document ----


PYARROWS = {True: "; *pyarrow's too*", False: "", None: "; pyarrow writes none"}


def fails_on_pyarrows(name: str, reader: str, path: Path) -> bool | None:
    """Whether the reader fails on pyarrow's file of the type; None: pyarrow writes none."""
    table = pa.table({"x": gen.column(gen.TYPES[name], gen.SHAPES["no nulls"])})
    sink = io.BytesIO()
    try:
        pq.write_table(table, sink)
    except pa.ArrowException:
        return None
    path.write_bytes(sink.getvalue())
    return readers.outcome(reader, table, sink.getvalue(), str(path)).startswith("no")


def cell(name: str, reader: str, path: Path) -> str:
    outcomes = []
    for profile in readers.PROFILES:
        table = pa.table({"x": gen.column(gen.TYPES[name], gen.SHAPES["some nulls"])})
        data = encode(table, "zstd", profile)
        path.write_bytes(data)
        outcome = readers.outcome(reader, table, data, str(path))
        if outcome.startswith("no"):
            outcome += PYARROWS[fails_on_pyarrows(name, reader, path)]
        if outcome not in outcomes:
            outcomes.append(outcome)
    return " / ".join(outcomes)


def cells() -> dict[str, dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder, quiet():
        path = Path(folder) / "x.parquet"
        return {name: {reader: cell(name, reader, path) for reader in readers.OTHERS}
                for name in names()}


def document() -> str:
    found = versions()
    head = HEAD.format(versions=", ".join(
        f"{reader} {found[reader]}" if reader == PACKAGES[reader] or reader in ("Polars", "DuckDB")
        else f"{reader} ({PACKAGES[reader]} {found[reader]})" for reader in readers.OTHERS))
    lines = [head, f"| type | {' | '.join(readers.OTHERS)} |", "|---" * (1 + len(readers.OTHERS)) + "|"]
    for name, row in cells().items():
        lines.append(f"| {' | '.join([name, *(row[reader] for reader in readers.OTHERS)])} |")
    return "\n".join(lines) + "\n"


@functools.cache
def stored() -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The versions and the cells of the document."""
    text = DOCUMENT.read_text()
    rows = [[part.strip() for part in line.strip("| ").split(" | ")]
            for line in text.splitlines() if line.startswith("| ")]
    head, *body = rows
    told = {reader: re.search(rf"{package} (\d[\w.]*\w)", text, re.IGNORECASE)[1]
            for reader, package in PACKAGES.items()}
    return told, {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in body}


# ---- everything ----


def agrees(outcome: str, told: str, same_version: bool = True) -> bool:
    """Of another version of the reader only that it carries what it carried."""
    if outcome.startswith(("no", "DIFFERS")):
        return False
    return outcome == told or not same_version


def check_one(name: str, way: tuple[str, str, str], path: Path) -> list[str]:
    """What is wrong with one column written in one way: a shape, a profile and a codec."""
    shape_name, profile, compression = way
    told_versions, told_cells = stored()
    found = versions()
    type_, where = gen.TYPES[name], f"{name}, {shape_name}, {profile}, {compression}"
    column = gen.column(type_, gen.SHAPES[shape_name])
    table = pa.table({"x": column})
    data = encode(table, compression, profile)
    path.write_bytes(data)
    wrong = []
    got = readers.read_ours(data, "")
    got.validate(full=True)
    if got.schema.field("x").type != type_ and not pa.types.is_run_end_encoded(type_):
        wrong.append(f"{where}: ours gives {got.schema.field('x').type}")
    if not gen.same_values(column, got["x"]):
        wrong.append(f"{where}: ours differs")
    for reader in readers.OTHERS:
        told = told_cells[name][reader]
        if told.startswith("no"):
            continue  # one reader takes the process with it when it fails
        outcome = readers.outcome(reader, table, data, str(path))
        if not agrees(outcome, told, told_versions[reader] == found[reader]):
            wrong.append(f"{where}: {reader} gives {outcome}, not {told}")
    return wrong


def check_type(name: str) -> list[str]:
    wrong = []
    with tempfile.TemporaryDirectory() as folder, quiet():
        for shape_name, shape in gen.SHAPES.items():
            for profile in readers.PROFILES:
                for compression in readers.CODECS if gen.fits(gen.TYPES[name], shape) else ():
                    wrong += check_one(name, (shape_name, profile, compression),
                                       Path(folder) / "x.parquet")
    return wrong


def check_apart(name: str) -> list[str]:
    """In a process of its own: a reader may take it down."""
    command = [sys.executable, __file__, "--full", "--here", name]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    wrong = process.stdout.splitlines()
    if process.returncode < 0:
        wrong.append(f"{name}: ended by signal {-process.returncode}")
    elif process.returncode != bool(wrong):
        wrong.append(f"{name}: {process.stderr.strip()}")
    return wrong


def check_all(jobs: int, chosen: list[str]) -> int:
    bad = 0
    with ThreadPoolExecutor(jobs) as pool:
        for name, wrong in zip(chosen, pool.map(check_apart, chosen), strict=True):
            print(f"{name}: {len(wrong)} wrong" if wrong else f"{name}: ok", flush=True)
            print("\n".join(f"    {line}" for line in wrong[:20]), end="\n" if wrong else "")
            bad += bool(wrong)
    return bad


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.relative_to(ROOT)}")
    parser.add_argument("--full", action="store_true", help="every combination")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--here", action="store_true", help="with --full: in this process")
    parser.add_argument("types", nargs="*", help="with --full: these types alone")
    arguments = parser.parse_args()
    if arguments.here:
        wrong = [line for name in arguments.types for line in check_type(name)]
        print("\n".join(wrong), end="\n" if wrong else "")
        return 1 if wrong else 0
    if arguments.full:
        return 1 if check_all(arguments.jobs, arguments.types or names()) else 0
    text = document()
    if arguments.write:
        DOCUMENT.write_text(text)
    else:
        sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
