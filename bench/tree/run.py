#!/usr/bin/env python3
"""Builds the library for speed and runs bench_tree: what changes to a tree cost in nodes, bytes, time.

Usage: bench/tree/run.py [--build DIR] [--cc CC] [ENTRIES ...]
"""

import argparse
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build-bench")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"))
    parser.add_argument("entries", nargs="*", default=[])
    args = parser.parse_args()
    if not (args.build / "build.ninja").exists():
        subprocess.run(
            ["meson", "setup", args.build, ROOT, "--buildtype=release", "-Dtests=false", "-Dpython=false"],
            check=True, stdout=subprocess.DEVNULL, env={**os.environ, "CC": args.cc},
        )
    subprocess.run(["ninja", "-C", args.build, "libcore.a"], check=True, stdout=subprocess.DEVNULL)
    program = args.build / "bench_tree"
    subprocess.run(
        [args.cc, "-std=c17", "-D_GNU_SOURCE", "-O2", f"-I{ROOT}/src", f"-I{ROOT}/include",
         HERE / "bench_tree.c", args.build / "libcore.a", "-lpthread", "-lm", "-o", program],
        check=True,
    )
    subprocess.run([program, *args.entries], check=True)


if __name__ == "__main__":
    main()
