#!/bin/sh
# Builds the library with optimisation and prints the speed of the kernels over Arrow columns.
# Usage: bench/arrow/run.sh [BUILD_DIR] [RANGE_ROWS]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build-bench}
[ -f "$build/build.ninja" ] ||
    meson setup "$build" "$root" --buildtype=release -Dtests=false -Dpython=false >/dev/null
ninja -C "$build" libcore.a >/dev/null
${CC:-cc} -std=c17 -O3 -D_GNU_SOURCE -I"$root/src" -I"$root/include" \
    "$root/bench/arrow/bench_fingerprint.c" "$build/libcore.a" -lpthread -lm \
    -o "$build/bench_fingerprint"
"$build/bench_fingerprint" ${2:-}
