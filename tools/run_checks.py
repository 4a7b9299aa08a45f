#!/usr/bin/env python3
"""What `make check` holds the tree against, beyond the tests; one line a check, a sum at the end.

CHECK_FUZZ_SECONDS (60) is how long each fuzzer runs.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
BUILD = ROOT / "build"
JOBS = os.environ.get("JOBS", "2")
FUZZ_SECONDS = int(os.environ.get("CHECK_FUZZ_SECONDS", "60"))
ENV = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}

results: list[tuple[str, bool]] = []


def run(*command: object, env: dict[str, str] | None = None, cwd: pathlib.Path = ROOT) -> tuple[bool, str]:
    done = subprocess.run(
        [str(c) for c in command], cwd=cwd, env=ENV | (env or {}), check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    )
    return done.returncode == 0, done.stdout


def check(name: str, *steps: tuple) -> bool:
    """Runs the steps until one fails; prints what the failing one said."""
    began = time.monotonic()
    good, output = True, ""
    for step in steps:
        command, env = (step[:-1], step[-1]) if isinstance(step[-1], dict) else (step, None)
        good, output = run(*command, env=env)
        if not good:
            break
    results.append((name, good))
    print(f"{'ok  ' if good else 'FAIL'} {name} ({time.monotonic() - began:.0f} s)", flush=True)
    if not good:
        print("\n".join(output.splitlines()[-60:]), flush=True)
    return good


def build_steps(name: str, *options: str, env: dict[str, str] | None = None) -> list[tuple]:
    folder = BUILD / name
    steps = []
    if not (folder / "build.ninja").exists():
        steps.append(("meson", "setup", folder, "-Dpython=false", *options, env or {}))
    steps.append(("ninja", "-C", folder, f"-j{JOBS}"))
    return steps


def sources(*folders: str) -> list[str]:
    return [str(p) for f in folders for p in sorted((ROOT / f).rglob("*.[ch]"))]


def headers_alone() -> None:
    """Each public header compiles by itself, as C11 and as C++."""
    steps = []
    for header in sorted((ROOT / "include" / "armillaria").glob("*.h")):
        for language, standard in (("c", "c11"), ("c++", "c++17")):
            steps.append(("clang" if language == "c" else "clang++", "-x", language, f"-std={standard}", "-Wall",
                          "-Wextra", "-Werror", "-fsyntax-only", "-Wno-pragma-once-outside-header", "-Iinclude",
                          header))
    check("public headers alone, in C11 and C++17", *steps)


def exported_symbols() -> None:
    library = next(iter(sorted((BUILD / "check-gcc").glob("libarmillaria.so.*.*"))), None)
    if library is None:
        results.append(("exported symbols", False))
        return
    good, output = run("nm", "-D", "--defined-only", "--format=posix", library)
    foreign = [line.split()[0] for line in output.splitlines() if not line.startswith("armi_")]
    results.append(("exported symbols", good and not foreign))
    print(f"{'ok  ' if good and not foreign else 'FAIL'} exported symbols all start with armi_ {foreign or ''}")


def fuzzers() -> None:
    if not check("fuzzers build", *build_steps("check-fuzz", "-Dfuzz=true", "-Dtests=true", "-Dbuildtype=debugoptimized",
                                               "-Db_sanitize=address,undefined", "-Db_lundef=false",
                                               env={"CC": "clang"})):
        return
    folder = BUILD / "check-fuzz" / "tests" / "fuzz"
    for target in sorted(p for p in folder.glob("fuzz_*") if p.is_file() and os.access(p, os.X_OK)):
        corpus = ROOT / "tests" / "fuzz" / "corpus" / target.name.removeprefix("fuzz_")
        with tempfile.TemporaryDirectory() as found:
            check(f"{target.name}, {FUZZ_SECONDS} s",
                  (target, f"-max_total_time={FUZZ_SECONDS}", "-rss_limit_mb=2048", "-timeout=20", "-close_fd_mask=3",
                   f"-artifact_prefix={found}/", found, *([corpus] if corpus.exists() else [])))


def main() -> int:
    check("clang-format", ("clang-format", "--dry-run", "-Werror", *sources("src", "include", "python/src", "tests")))
    check("layers", (BIN / "python", "tools/check_layers.py"))
    check("style", (BIN / "python", "tools/check_style.py"))
    check("gcc -Werror", *build_steps("check-gcc", "-Dwerror=true", env={"CC": "gcc"}))
    check("clang -Werror", *build_steps("check-clang", "-Dwerror=true", env={"CC": "clang"}))
    headers_alone()
    exported_symbols()
    check("types of the Python package", ("mypy", "--strict", "python/armillaria"))
    sanitizer = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1", "UBSAN_OPTIONS": "halt_on_error=1"}
    if check("ASan and UBSan build", *build_steps("check-asan", "-Dbuildtype=debugoptimized", "-Db_lundef=false",
                                                   "-Db_sanitize=address,undefined", env={"CC": "gcc"})):
        check("C suite under ASan and UBSan",
              ("meson", "test", "-C", BUILD / "check-asan", "--no-rebuild", "-t", "4", "--print-errorlogs", sanitizer))
    if check("TSan build", *build_steps("check-tsan", "-Dbuildtype=debugoptimized", "-Db_lundef=false",
                                        "-Db_sanitize=thread", env={"CC": "gcc"})):
        check("threaded tests under TSan",
              ("meson", "test", "-C", BUILD / "check-tsan", "--no-rebuild", "-t", "4", "--print-errorlogs",
               "--suite", "threads", {"TSAN_OPTIONS": "halt_on_error=1"}))
    fuzzers()
    failed = sum(not good for _, good in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
