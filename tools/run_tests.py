#!/usr/bin/env python3
"""Every test: the C suite (cmocka under Meson), then the Python, command-line and example tests.

The last line sums up, `N passed, N failed, N skipped`: tests, not executables.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
BUILD = ROOT / "build" / "test"
JOBS = os.environ.get("JOBS", "2")
ENV = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"}


def run(*command: object, **options: object) -> int:
    return subprocess.run([str(c) for c in command], cwd=ROOT, env=ENV, check=False, **options).returncode


def c_suite() -> tuple[int, int, int]:
    """Passed, failed and skipped subtests of the C suite."""
    steps = [("ninja", "-C", BUILD, f"-j{JOBS}")]
    if not (BUILD / "build.ninja").exists():
        steps.insert(0, ("meson", "setup", BUILD, "-Dbuildtype=debugoptimized", "-Dpython=false"))
    for step in steps:
        print(f"==> {step[0]}: the C tests", flush=True)
        output = BUILD.parent / "test-build.log"
        output.parent.mkdir(exist_ok=True)
        with output.open("w") as file:
            status = run(*step, stdout=file, stderr=subprocess.STDOUT)
        if status != 0:
            print("".join(output.read_text(errors="replace").splitlines(keepends=True)[-60:]))
            print("the C tests do not build")
            return 0, 1, 0
    run("meson", "test", "-C", BUILD, "--no-rebuild", "--print-errorlogs", "--num-processes", JOBS)
    passed = failed = skipped = 0
    for line in (BUILD / "meson-logs" / "testlog.json").read_text().splitlines():
        test = json.loads(line)
        taps = re.findall(r"^(not ok|ok) \d+(.*)$", test.get("stdout", ""), re.M)
        bad = sum(word == "not ok" for word, _ in taps)
        skips = sum("# SKIP" in rest.upper() for word, rest in taps if word == "ok")
        passed += len(taps) - bad - skips
        skipped += skips
        failed += bad
        if test["result"] not in ("OK", "SKIP", "EXPECTEDFAIL") and bad == 0:
            failed += 1  # it crashed, or ran out of time
        elif not taps and test["result"] == "OK":
            passed += 1
    return passed, failed, skipped


def python_suite() -> tuple[int, int, int]:
    report = ROOT / "build" / "pytest.xml"
    report.unlink(missing_ok=True)
    run(BIN / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", "-n", min(int(JOBS), 8),
        "--dist", "loadfile", f"--junitxml={report}", "tests")
    if not report.exists():
        return 0, 1, 0
    passed = failed = skipped = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skips = int(suite.get("skipped", 0))
        passed += int(suite.get("tests", 0)) - bad - skips
        failed += bad
        skipped += skips
    return passed, failed, skipped


def main() -> int:
    totals = [sum(column) for column in zip(c_suite(), python_suite(), strict=True)]
    passed, failed, skipped = totals
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
