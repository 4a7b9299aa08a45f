#!/usr/bin/env python3
"""Builds the library and the Rust crate `blake3`, and prints how fast each rung is beside the crate.

Both hash the same bytes in turn in one process; a ratio is the median over turns of our speed over
the crate's, with the 10th and 90th percentile. Needs meson, ninja, a C compiler and cargo.

Usage: bench/blake3/run.py [--build DIR] [--cc CC] [--offset BYTES] [--rounds N]
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SIZES = ["64", "256", "1024", "4096", "16384", "65536", "131072", "1048576", "16777216"]
MANY = ["many:40", "many:200", "many:1024"]
# Our features word, the crate's features that take it to the same rung.
RUNGS = {
    "x86_64": [
        ("avx512", 7, ""),
        ("avx2", 3, "no_avx512"),
        ("sse41", 1, "no_avx512,no_avx2"),
        ("portable", 0, "no_avx512,no_avx2,no_sse41,no_sse2"),
    ],
    "aarch64": [("neon", 8, ""), ("portable", 0, "no_neon")],
}[platform.machine()]


def build_core(build: Path, cc: str) -> Path:
    if not (build / "build.ninja").exists():
        subprocess.run(
            ["meson", "setup", build, ROOT, "--buildtype=release", "-Dtests=false", "-Dpython=false"],
            check=True, stdout=subprocess.DEVNULL, env={**os.environ, "CC": cc},
        )
    subprocess.run(["ninja", "-C", build, "libcore.a"], check=True, stdout=subprocess.DEVNULL)
    return build / "libcore.a"


def build_program(build: Path, cc: str, core: Path, rung: str, features: str) -> Path:
    crate, target = build / "rival", build / f"rival-{rung}"
    shutil.copytree(HERE / "rival", crate, dirs_exist_ok=True)  # cargo writes beside the manifest
    subprocess.run(
        ["cargo", "build", "--release", "--quiet", "--manifest-path", crate / "Cargo.toml",
         "--target-dir", target, "--features", features],
        check=True,
    )
    program = build / f"bench_blake3_{rung}"
    subprocess.run(
        [cc, "-std=c17", "-D_GNU_SOURCE", "-O2", f"-I{ROOT}/src", f"-I{ROOT}/include",
         HERE / "bench_blake3.c", core, target / "release/libblake3_rival.a", "-lpthread", "-ldl", "-lm",
         "-o", program],
        check=True,
    )
    return program


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--build", type=Path, default=ROOT / "build-bench-blake3")
    options.add_argument("--cc", default=os.environ.get("CC", "cc"))
    options.add_argument("--offset", default="0", help="misalign the input by so many bytes")
    options.add_argument("--rounds", type=int, default=3, help="processes per rung; medians are printed")
    args = options.parse_args()

    core = build_core(args.build, args.cc)
    for rung, word, features in RUNGS:
        program = build_program(args.build, args.cc, core, rung, features)
        rows: dict[str, list[list[float]]] = {}
        for _ in range(args.rounds):
            output = subprocess.run(
                [program, str(word), args.offset, *SIZES, *MANY], check=True, capture_output=True, text=True
            ).stdout.splitlines()
            if output[0] != rung:
                break
            for line in output[1:]:
                size, *numbers = line.split("\t")
                rows.setdefault(size, []).append([float(n) for n in numbers])
        print(f"\n{rung}, crate at the same rung, {args.cc}, offset {args.offset}")
        if not rows:
            print("  this machine lacks it")
        for size, runs in rows.items():
            ours, rival, ratio, low, high = (statistics.median(column) for column in zip(*runs))
            print(f"  {size:>10}  {ours:7.2f} GB/s  crate {rival:7.2f} GB/s  ratio {ratio:5.2f}  [{low:.2f} {high:.2f}]")


if __name__ == "__main__":
    main()
