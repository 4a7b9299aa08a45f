#!/usr/bin/env python3
"""Memory at its height of encoding and decoding, by the shapes of the benchmark: one process a case.

What is held against what: to a file the file and 64 MiB a thread, to bytes once more the file; decoding
1.3 times the result. Figures are resident memory above what stood before (VmHWM); the exact ones are
tests/unit/parquet/test_memory.c. Arguments: shapes (all), --rows.
"""

from __future__ import annotations

import argparse
import gc
import json
import pathlib
import subprocess
import sys
import tempfile

import parquet_shapes
import pyarrow as pa

import armillaria as am

MIB = 1 << 20
KINDS = ("file", "bytes", "decode", "decode file")


def status(key: str) -> int:
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def warm(folder: pathlib.Path, threads: int) -> None:
    """What is loaded and started at the first call is no part of it."""
    tiny = pa.table({"x": [1, 2, 3]})
    am.ParquetDecoder(threads=threads).decode(am.ParquetEncoder(threads=threads).encode(tiny)).to_arrow()
    am.write_parquet(tiny, folder / "tiny", threads=threads)
    am.read_parquet(folder / "tiny").to_arrow()


def case(folder: pathlib.Path, kind: str, threads: int) -> None:
    """In a process of its own: {"peak", "encoded", "result"}."""
    warm(folder, threads)
    packed = folder / "packed.parquet"
    if kind.startswith("decode"):
        data = packed.read_bytes() if kind == "decode" else b""
    else:
        with pa.memory_map(str(folder / "table.arrow")) as file:
            table = pa.ipc.open_file(file).read_all()
        for column in table.columns:
            for buffer in (b for chunk in column.chunks for b in chunk.buffers() if b is not None):
                bytes(memoryview(buffer)[::4096])  # mapped before, not while it is encoded
    gc.collect()
    base = status("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")
    result = 0
    if kind == "bytes":
        kept = am.ParquetEncoder(threads=threads).encode(table)
    elif kind == "file":
        kept = am.write_parquet(table, folder / "out", threads=threads)
    elif kind == "decode":
        kept = am.ParquetDecoder(threads=threads).decode(data)
    else:
        kept = am.read_parquet(packed).to_arrow()
    peak = status("VmHWM") - base
    if kind.startswith("decode"):
        result = (kept.to_arrow() if kind == "decode" else kept).nbytes
    print(json.dumps({"peak": peak, "encoded": packed.stat().st_size, "result": result}))


def prepare(shape: str, rows: int, folder: pathlib.Path) -> None:
    table = parquet_shapes.SHAPES[shape](rows)
    with pa.OSFile(str(folder / "table.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    am.write_parquet(table, folder / "packed.parquet")


def line(shape: str, kind: str, threads: int, folder: pathlib.Path) -> bool:
    output = subprocess.run([sys.executable, __file__, "--case", str(folder), kind, str(threads)],
                            check=True, capture_output=True, text=True).stdout
    found = json.loads(output)
    peak, encoded, result = found["peak"], found["encoded"], found["result"]
    # a decoder has a page, and of a file a window, in hand in each thread
    allowed = 1.3 * result + 4 * MIB * threads if result else encoded * (2 if kind == "bytes" else 1) + 64 * MIB * threads
    print(f"{shape:10} {kind:12} {threads} threads {peak / MIB:8.1f} MiB of {allowed / MIB:8.1f}"
          f"   file {encoded / MIB:7.1f}" + (f", result {result / MIB:7.1f}: {peak / result:.2f}" if result else "")
          + ("" if peak <= allowed else "   MORE"), flush=True)
    return peak <= allowed


def main() -> int:
    if sys.argv[1:2] == ["--case"]:
        case(pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shapes", nargs="*", default=list(parquet_shapes.SHAPES))
    parser.add_argument("--rows", type=int, default=4_000_000)
    options = parser.parse_args()
    good = True
    for shape in options.shapes:
        with tempfile.TemporaryDirectory(prefix="armi-bench-") as name:
            folder = pathlib.Path(name)
            prepare(shape, options.rows, folder)
            for kind in KINDS:
                for threads in (1, 2):
                    good &= line(shape, kind, threads, folder)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
