#!/usr/bin/env python3
"""What `make check` holds the tree against, beyond the tests: one line a check, a sum at the end.

Arguments pick checks by a part of their names: `tools/run_checks.py layers fuzz_schema`; without
one, every check runs. CHECK_FUZZ_SECONDS (60) is how long each fuzzer runs, ARMI_CRASH_SEEDS (40)
in how many ways each point of the sample of crash states is crashed, JOBS how much runs at once.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
BUILD = ROOT / "build"
JOBS = int(os.environ.get("JOBS", "2"))
FUZZ_SECONDS = int(os.environ.get("CHECK_FUZZ_SECONDS", "60"))
CRASH_SEEDS = os.environ.get("ARMI_CRASH_SEEDS", "40")
CRASH_TESTS = ("test_store_faults", "test_catalog_faults", "test_repository_faults")
ENV = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}
SANITIZED = ("-Dbuildtype=debugoptimized", "-Db_lundef=false", "-Dpython=false")

results: list[bool] = []


class Step:
    """A command, with what it adds to the environment."""

    def __init__(self, *command: object, **env: str) -> None:
        self.command = [str(c) for c in command]
        self.env = env

    def run(self) -> tuple[bool, str]:
        try:
            done = subprocess.run(
                self.command, cwd=ROOT, env=ENV | self.env, check=False, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            )
        except OSError as error:
            return False, str(error)
        return done.returncode == 0, done.stdout


def wanted(name: str) -> bool:
    return len(sys.argv) < 2 or any(word in name for word in sys.argv[1:])


def tell(name: str, good: bool, seconds: float, output: str) -> bool:
    results.append(good)
    print(f"{'ok  ' if good else 'FAIL'} {name} ({seconds:.0f} s)", flush=True)
    if not good:
        print("\n".join(output.splitlines()[-80:]), flush=True)
    return good


def check(name: str, *steps: Step) -> bool:
    """Runs the steps until one fails; prints what that one said."""
    if not wanted(name):
        return True
    began = time.monotonic()
    good, output = True, ""
    for step in steps:
        good, output = step.run()
        if not good:
            break
    return tell(name, good, time.monotonic() - began, output)


def building(name: str, compiler: str, *options: str) -> list[Step]:
    folder = BUILD / name
    steps = []
    if not (folder / "build.ninja").exists():
        steps.append(Step("meson", "setup", folder, *options, CC=compiler))
    return [*steps, Step("ninja", "-C", folder, f"-j{JOBS}", "--quiet", "-k", "0")]


def testing(name: str, *options: str, **env: str) -> Step:
    return Step(*fixed_addresses(), "meson", "test", "-C", BUILD / name, "--no-rebuild", "-t", "6",
                "--num-processes", JOBS, "--print-errorlogs", *options, **env)


def fixed_addresses() -> list[str]:
    """ThreadSanitizers before 2024 do not start where the kernel randomises more bits than they know."""
    command = ["setarch", os.uname().machine, "--addr-no-randomize"]
    return command if Step(*command, "true").run()[0] else []


def formatted() -> None:
    files = [p for folder in ("src", "include", "python/src", "tests", "bench", "examples")
             for p in sorted((ROOT / folder).rglob("*.[ch]"))]
    check("clang-format", Step("clang-format", "--dry-run", "-Werror", *files))


def headers_alone() -> None:
    """Each public header compiles by itself, as C11 and as C++."""
    steps = []
    for header in sorted((ROOT / "include" / "armillaria").glob("*.h")):
        text = f"#include <armillaria/{header.name}>"
        for compiler, language, standard in (("clang", "c", "c11"), ("clang++", "c++", "c++17")):
            steps.append(Step("sh", "-c", f"echo '{text}' | {compiler} -x {language} -std={standard} -Wall -Wextra "
                              "-Wpedantic -Wno-empty-translation-unit -Werror -fsyntax-only -Iinclude -"))
    check("public headers alone, in C11 and C++17", *steps)


def exported_symbols() -> None:
    """Of the shared library, and of the static one, where a foreign name would meet a program's own."""
    folder = BUILD / "check-gcc"
    for library, dynamic in ((folder / "libarmillaria.so", ["-D"]), (folder / "libarmillaria.a", ["-g"])):
        name = f"exported symbols of {library.name}: only armi_…"
        if not wanted(name):
            continue
        good, output = Step("nm", *dynamic, "--defined-only", "--format=posix", library.resolve()).run()
        symbols = [line.split()[0] for line in output.splitlines() if not line.endswith(":")]
        foreign = [symbol for symbol in symbols if not symbol.startswith("armi_")]
        tell(name, good and bool(symbols) and not foreign, 0, " ".join(foreign) if good else output)


def sanitizers() -> None:
    everywhere = {"ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
                  "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    if check("ASan and UBSan build",
             *building("check-asan", "gcc", *SANITIZED, "-Db_sanitize=address,undefined")):
        check("C suite under ASan and UBSan", testing("check-asan", **everywhere))
    if check("TSan build", *building("check-tsan", "gcc", *SANITIZED, "-Db_sanitize=thread")):
        check("threaded tests under TSan",
              testing("check-tsan", "--suite", "threads", TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:die_after_fork=0"))


# Of the footer, the most that one allocation may ask for, which its limits promise. The choice of inputs by entropy costs
# more than it gives where a run is long.
FUZZ_FLAGS = {"fuzz_parquet": ["-malloc_limit_mb=128"], "fuzz_roundtrip": ["-entropic=0"]}


def fuzz(target: pathlib.Path) -> tuple[bool, str]:
    corpus = ROOT / "tests" / "fuzz" / "corpus" / target.name.removeprefix("fuzz_")
    crashes = BUILD / "fuzz-crashes" / target.name
    crashes.mkdir(parents=True, exist_ok=True)
    for _ in range(2):
        with tempfile.TemporaryDirectory() as found:
            good, output = Step(target, f"-max_total_time={FUZZ_SECONDS}", "-rss_limit_mb=3072", "-timeout=30",
                                "-close_fd_mask=1", "-print_final_stats=1", *FUZZ_FLAGS.get(target.name, []),
                                f"-artifact_prefix={crashes}/", found,
                                *([corpus] if corpus.exists() else []), ASAN_OPTIONS="allow_addr2line=1").run()
        slow = list(crashes.glob("timeout-*"))
        if good or not slow or not Step(target, "-timeout=30", *slow).run()[0]:
            break
        for path in slow:  # quick when it runs again: the machine stood still, not the decoder
            path.unlink()
    return good, output


def fuzzers() -> None:
    """Inputs that crashed one stay in build/fuzz-crashes: they belong into its corpus."""
    if not (wanted("fuzzers build") or any("fuzz" in word for word in sys.argv[1:])):
        return
    good = check("fuzzers build", *building("check-fuzz", "clang", *SANITIZED, "-Dfuzz=true"))
    folder = BUILD / "check-fuzz" / "tests" / "fuzz"
    targets = [p for p in sorted(folder.glob("fuzz_*")) if p.is_file() and os.access(p, os.X_OK) and wanted(p.name)]
    if not good:
        return
    if not targets:
        tell("fuzzers run", False, 0, "there is none")
    with concurrent.futures.ThreadPoolExecutor(max_workers=JOBS) as pool:
        runs = {pool.submit(fuzz, target): target for target in targets}
        for run in concurrent.futures.as_completed(runs):
            tell(runs[run].name, *(lambda done: (done[0], FUZZ_SECONDS, done[1]))(run.result()))


def main() -> int:
    formatted()
    check("layers", Step(BIN / "python", "tools/check_layers.py"))
    check("style", Step(BIN / "python", "tools/check_style.py"))
    check("types of the Python package", Step("mypy", "--strict", "python/armillaria"))
    check("gcc -Werror", *building("check-gcc", "gcc", "-Dwerror=true"))
    exported_symbols()
    check("clang -Werror", *building("check-clang", "clang", "-Dwerror=true"))
    headers_alone()
    check("a sample of crash states", testing("check-gcc", *CRASH_TESTS, ARMI_CRASH_SEEDS=CRASH_SEEDS))
    sanitizers()
    fuzzers()
    failed = results.count(False)
    print(f"{len(results) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
