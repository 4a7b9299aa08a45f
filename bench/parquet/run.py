#!/usr/bin/env python3
"""Our Parquet codec against pyarrow, arrow-rs, Polars, DuckDB and carquet, interleaved.

Every round runs each task on every system in turn; what is compared is the ratio to ours within a round: its median
and its quartiles. Three passes, each in a process of its own: one core (bound to it, CPU time of the process), all of
them (wall-clock time), and all of them without the rivals, which leave threads running: what the other cores are worth.
Tables are encoded to memory; decoded are each system's own files and those of pyarrow at its defaults. Sizes stand
beside. A system that is not installed, or cannot carry a shape, is left out and named.

    bench/parquet/run.py [--quick] [--rounds N] [--rows N] [--shapes a,b] [--svg FILE] [--markdown FILE] [--json FILE]
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

OURS = "armillaria"
ALONE = "armillaria, 1 thread"
PASSES = ("one-core", "all-cores", "alone")
TASKS = ("encode", "decode own", "decode pyarrow's")
LEAST_SECONDS = 0.004  # a call that is shorter is repeated

# ---- one pass, in its own process ----


def timed(call: Callable[[], object], clock: Callable[[], float], calls: int) -> float:
    gc.disable()
    began = clock()
    for _ in range(calls):
        call()
    seconds = clock() - began
    gc.enable()
    return seconds / calls


class Work:
    """A table, the systems that carry it, and the files that they made of it."""

    def __init__(self, table: Any, systems: list[Any], foreign: Any, problems: list[str], shape: str) -> None:
        self.calls: dict[tuple[str, str], tuple[Callable[[], object], int]] = {}
        self.sizes: dict[str, int] = {}
        content = foreign.encode(table).to_pybytes()
        for s in systems:
            try:
                self._add(s, table, content)
            except Exception as error:  # any refusal of a rival is a result
                if s.name == OURS:
                    raise
                problems.append(f"{s.name}, {shape}: {type(error).__name__}: {str(error)[:160]}")

    def _add(self, s: Any, table: Any, content: bytes) -> None:
        data = s.prepare(table)
        own = s.encode(data)
        other = s.take(content)
        size = s.size(own)
        for file in (own, other):
            rows = s.rows(s.decode(file))
            if rows != table.num_rows:
                raise ValueError(f"{rows} rows of {table.num_rows}")
        calls = {"encode": lambda: s.encode(data), "decode own": lambda: s.decode(own),
                 "decode pyarrow's": lambda: s.decode(other)}
        self.sizes[s.name] = size
        for task, call in calls.items():
            took = timed(call, time.perf_counter, 1)
            self.calls[task, s.name] = call, max(1, min(50, math.ceil(LEAST_SECONDS / max(took, 1e-6))))


def one_pass(options: argparse.Namespace) -> dict[str, Any]:
    from parquet_shapes import SHAPES
    from parquet_systems import SYSTEMS, Pyarrow

    import pyarrow as pa

    one_core = options.run == "one-core"
    threads = 1 if one_core else len(os.sched_getaffinity(0))
    clock = time.process_time if one_core else time.perf_counter
    problems: list[str] = []
    systems = []
    for make in SYSTEMS:
        if (make.name == ALONE and one_core) or (make.name not in (OURS, ALONE) and options.run == "alone"):
            continue
        try:
            systems.append(make(threads))
        except Exception as error:
            problems.append(f"{make.name}: {error}")
    pa.set_cpu_count(threads)
    foreign = Pyarrow(threads)
    result: dict[str, Any] = {"threads": threads, "shapes": {}, "problems": problems}
    for shape in options.shapes.split(","):
        try:
            table = SHAPES[shape](options.rows)
        except Exception as error:
            problems.append(f"{shape}: {error}")
            continue
        work = Work(table, systems, foreign, problems, shape)
        times: dict[str, dict[str, list[float]]] = {task: {} for task in TASKS}
        order = random.Random(0)
        for _ in range(options.rounds):
            for task in TASKS:
                # Nobody always comes after the same: some leave threads that go on for a while.
                for name in order.sample(sorted(work.sizes), len(work.sizes)):
                    call, calls = work.calls[task, name]
                    times[task].setdefault(name, []).append(timed(call, clock, calls))
            gc.collect()
        result["shapes"][shape] = {"rows": table.num_rows, "columns": table.num_columns, "bytes": table.nbytes,
                                   "largest": max(column.nbytes for column in table.columns) / max(table.nbytes, 1),
                                   "sizes": work.sizes, "seconds": times}
        print(f"{shape} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return result


def spawn(options: argparse.Namespace, run: str) -> dict[str, Any]:
    env = os.environ | {"OMP_WAIT_POLICY": "passive"}  # threads that spin on would be charged to whoever comes next
    cores = sorted(os.sched_getaffinity(0))
    if run == "one-core":
        cores = cores[-1:]
        env |= {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory(prefix="armi-bench-") as folder:
        file = pathlib.Path(folder) / "result.json"
        command = [sys.executable, __file__, "--child", str(file), "--run", run, "--rounds", str(options.rounds),
                   "--rows", str(options.rows), "--shapes", options.shapes]
        subprocess.run(command, check=True, env=env, preexec_fn=lambda: os.sched_setaffinity(0, cores))
        return json.loads(file.read_text())


# ---- figures ----


def quartiles(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    if len(ordered) < 3:
        return ordered[0], statistics.median(ordered), ordered[-1]
    low, middle, high = statistics.quantiles(ordered, n=4)
    return low, middle, high


def ratios(shape: dict[str, Any], task: str, name: str) -> list[float]:
    """The rival's time as a multiple of ours, round by round."""
    seconds = shape["seconds"][task]
    return [b / a for a, b in zip(seconds[OURS], seconds.get(name, []))]


def own_speed(shape: dict[str, Any], task: str) -> float:
    return shape["bytes"] / statistics.median(shape["seconds"][task][OURS]) / 1e9


def mean(values: list[float]) -> float:
    return math.exp(statistics.fmean(math.log(v) for v in values)) if values else math.nan


def names_of(result: dict[str, Any]) -> list[str]:
    names: list[str] = []
    for shape in result["shapes"].values():
        names += [n for n in shape["sizes"] if n not in names]
    return [n for n in names if n != OURS]


def geometric(result: dict[str, Any], task: str, name: str) -> float:
    found = [ratios(s, task, name) for s in result["shapes"].values()]
    return mean([statistics.median(r) for r in found if r])


# What is to be reached with one thread: rival, task, least geometric mean.
TARGETS = (
    [("encode", n, 4.0) for n in ("pyarrow", "pyarrow zstd-1", "arrow-rs zstd-1", "DuckDB zstd-1")]
    + [("encode", "Polars zstd-1", 3.0), ("encode", "carquet zstd-1", 1.0)]
    + [("decode own", "pyarrow", 2.0), ("decode own", "pyarrow zstd-1", 2.0), ("decode own", "arrow-rs zstd-1", 1.5),
       ("decode own", "DuckDB zstd-1", 3.0), ("decode own", "Polars zstd-1", 2.5), ("decode own", "carquet zstd-1", 1.0)]
    + [("decode pyarrow's", n, 1.0) for n in ("pyarrow", "arrow-rs zstd-1", "Polars zstd-1", "DuckDB zstd-1",
                                             "carquet zstd-1")]
)


def table_of(result: dict[str, Any], task: str) -> list[list[str]]:
    names = names_of(result)
    rows = [["shape", "ours, GB/s", *names]]
    for shape, s in result["shapes"].items():
        row = [shape, f"{own_speed(s, task):.2f}"]
        for n in names:
            r = ratios(s, task, n)
            if not r:
                row.append("–")
                continue
            low, middle, high = quartiles(r)
            row.append(f"{middle:.2f} ({low:.2f}–{high:.2f})")
        rows.append(row)
    rows.append(["geometric mean", "", *[f"**{geometric(result, task, n):.2f}**" for n in names]])
    return rows


def sizes_of(result: dict[str, Any]) -> list[list[str]]:
    names = names_of(result)
    rows = [["shape", "in Arrow", OURS, *names]]
    total = dict.fromkeys([OURS, *names], 0)
    complete = dict.fromkeys([OURS, *names], True)
    for shape, s in result["shapes"].items():
        row = [shape, f"{s['bytes']:,}"]
        for n in (OURS, *names):
            size = s["sizes"].get(n)
            row.append("–" if size is None else f"{size:,}")
            total[n] += size or 0
            complete[n] &= size is not None
        rows.append(row)
    rows.append(["total", "", *[f"{total[n]:,}" if complete[n] else "(some missing)" for n in (OURS, *names)]])
    return rows


def markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(rows[0]) + " |", "|---" + "|---:" * (len(rows[0]) - 1) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows[1:]])


def aligned(rows: list[list[str]]) -> str:
    widths = [max(len(r[i].replace("*", "")) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.replace("*", "").rjust(w) if i else c.ljust(w)
                               for i, (c, w) in enumerate(zip(row, widths))) for row in rows)


def targets(result: dict[str, Any]) -> list[str]:
    out = []
    for task, name, least in TARGETS:
        reached = geometric(result, task, name)
        if not math.isnan(reached):
            verdict = "met" if reached >= least else "MISSED"
            out.append(f"{task} against {name}: {reached:.2f}× (at least {least:g}×) {verdict}")
    for task in TASKS:
        for shape, s in result["shapes"].items():
            slowest = min(((statistics.median(ratios(s, task, n)), n) for n in names_of(result) if ratios(s, task, n)),
                          default=None)
            if slowest and slowest[0] < 0.9:
                out.append(f"{task}, {shape}: {slowest[1]} takes {slowest[0]:.2f} of our time")
    return out


def scaling(alone: dict[str, Any], many: dict[str, Any]) -> list[list[str]]:
    """One thread's time as a multiple of all cores', of what is to gain 1.8 by two: large tables of several columns."""
    rows = [["shape", *TASKS, *[f"{task}, beside rivals" for task in TASKS]]]
    for shape, s in alone["shapes"].items():
        if s["columns"] < 4 or s["bytes"] < 8 << 20 or s["largest"] > 0.4:
            continue
        row = [shape]
        for result in (alone, many):
            for task in TASKS:
                low, middle, high = quartiles(ratios(result["shapes"][shape], task, ALONE))
                row.append(f"{middle:.2f} ({low:.2f}–{high:.2f})")
        rows.append(row)
    return rows


def report(results: dict[str, dict[str, Any]], show: Callable[[list[list[str]]], str]) -> str:
    one, many = results["one-core"], results.get("all-cores")
    parts = []
    for result, what in ((one, "one core, CPU time"), (many, f"{many['threads']} cores, wall-clock" if many else "")):
        if result is None:
            continue
        for task in TASKS:
            parts.append(f"{task}, {what}: their time as a multiple of ours, median and quartiles\n\n"
                         + show(table_of(result, task)))
    parts.append("bytes\n\n" + show(sizes_of(one)))
    parts.append("targets, one core\n\n" + "\n".join("- " + t for t in targets(one)))
    if many:
        parts.append(f"one thread's time as a multiple of that on {many['threads']} cores, wall-clock\n\n"
                     + show(scaling(results["alone"], many)))
    problems = dict.fromkeys(problem for result in results.values() for problem in result["problems"])
    if problems:
        parts.append("left out\n\n" + "\n".join("- " + p for p in problems))
    return "\n\n".join(parts) + "\n"


def chart(one: dict[str, Any], file: pathlib.Path) -> None:
    from parquet_chart import draw

    names = names_of(one)
    panels = [(f"{task}, one core", {shape: {n: statistics.median(ratios(s, task, n)) for n in names
                                            if ratios(s, task, n)} for shape, s in one["shapes"].items()})
              for task in TASKS]
    file.write_text(draw(panels, list(one["shapes"]), names,
                         "their CPU time as a multiple of ours; right of 1× we are faster"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rows, three rounds")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--shapes", default="i64seq,i64rnd,i64ts,f64rnd,f64price,i64null,strlow,strhigh,strurl,"
                                            "flights,lineitem,wide,nested")
    parser.add_argument("--only-one-core", action="store_true")
    parser.add_argument("--svg", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--child", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--run", choices=PASSES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 9)
    options.rows = options.rows or (100_000 if options.quick else 1_000_000)
    if options.child:
        options.child.write_text(json.dumps(one_pass(options)))
        return
    passes = PASSES[:1] if options.only_one_core or len(os.sched_getaffinity(0)) < 2 else PASSES
    results = {run: spawn(options, run) for run in passes}
    print(report(results, aligned))
    if options.markdown:
        options.markdown.write_text(report(results, markdown))
    if options.svg:
        chart(results["one-core"], options.svg)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
