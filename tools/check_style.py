#!/usr/bin/env python3
"""The rules that a machine can hold: sizes, banned calls, unfinished work, machine paths.

Function sizes are measured by Universal Ctags where it is installed. Prints each offence and
exits 1 if there is one.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

FILE_LINES_MAX = 900
FUNCTION_LINES_MAX = 70
KERNELS = re.compile(r"(kernel|_sse41|_avx2|_avx512|_neon|_portable|unpack|_pack)")
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|gets|atoi|strtok|alloca)\s*\(")
RAW_ALLOC = re.compile(r"\b(malloc|calloc|realloc|strdup|posix_memalign)\s*\(")
ALLOCATORS = ("alloc.c", "cli_memory.c")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"(/root/|/home/[a-z]|/work/)")


def sources() -> list[pathlib.Path]:
    patterns = ("src/**/*.[ch]", "include/**/*.h", "python/src/*.[ch]", "tests/**/*.[ch]")
    return sorted(p for pattern in patterns for p in ROOT.glob(pattern))


def text_offences(path: pathlib.Path) -> list[str]:
    name, found = path.relative_to(ROOT), []
    lines = path.read_text().splitlines()
    if len(lines) > FILE_LINES_MAX:
        found.append(f"{name}: {len(lines)} lines, the limit is {FILE_LINES_MAX}")
    for number, line in enumerate(lines, 1):
        if BANNED.search(line):
            found.append(f"{name}:{number}: banned call: {line.strip()}")
        if RAW_ALLOC.search(line) and str(name).startswith("src/") and path.name not in ALLOCATORS:
            found.append(f"{name}:{number}: memory comes from base/alloc.h: {line.strip()}")
        if UNFINISHED.search(line):
            found.append(f"{name}:{number}: unfinished: {line.strip()}")
        if MACHINE_PATH.search(line):
            found.append(f"{name}:{number}: a machine's path: {line.strip()}")
    return found


def function_offences(paths: list[pathlib.Path]) -> list[str]:
    if shutil.which("ctags") is None:
        print("style: no ctags, so function sizes were not measured")
        return []
    run = subprocess.run(
        ["ctags", "-L", "-", "--kinds-C=f", "--fields=+ne", "-f", "-"],
        input="\n".join(str(p.relative_to(ROOT)) for p in paths),
        capture_output=True, text=True, cwd=ROOT, check=False,
    )
    found = []
    for row in run.stdout.splitlines():
        name, path, *rest = row.split("\t")
        fields = dict(f.split(":", 1) for f in rest if ":" in f)
        if "line" not in fields or "end" not in fields:
            continue
        size = int(fields["end"]) - int(fields["line"]) + 1
        if size > FUNCTION_LINES_MAX and not KERNELS.search(path):
            found.append(f"{path}: {name} has {size} lines, the limit is {FUNCTION_LINES_MAX}")
    return found


def main() -> int:
    paths = sources()
    offences = [o for path in paths for o in text_offences(path)]
    offences += function_offences([p for p in paths if "src/" in str(p.relative_to(ROOT))])
    print("\n".join(offences) if offences else f"style: {len(paths)} files within the rules")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
