"""The package is typed: mypy --strict passes, and the stubs say what the extension has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import armillaria as am

pytest.importorskip("mypy")

ROOT = Path(__file__).parents[2]
PACKAGE = Path(am.__file__).parent


def run(*arguments: object) -> None:
    environment = dict(os.environ)
    if PACKAGE.parent.name != "site-packages":  # there mypy finds it by itself, and wants no path to it
        environment["MYPYPATH"] = str(PACKAGE.parent)
    process = subprocess.run([sys.executable, "-m", *map(str, arguments)], capture_output=True,
                             text=True, check=False, env=environment)
    assert process.returncode == 0, process.stdout + process.stderr


def test_mypy_is_content(tmp_path):
    run("mypy", "--config-file", ROOT / "pyproject.toml", "--cache-dir", tmp_path, "-p",
        "armillaria")


def test_the_stubs_say_what_the_extension_has(tmp_path):
    allowed = tmp_path / "allowed"
    allowed.write_text("armillaria\\._native\\.Buffer\\.__buffer__\n")  # there from 3.12 on
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nignore_missing_imports = True\n")
    run("mypy.stubtest", "armillaria._native", "--allowlist", allowed,
        "--ignore-unused-allowlist", "--mypy-config-file", config)


def test_users_code_is_checked_against_the_package(tmp_path):
    (tmp_path / "user.py").write_text(
        "import armillaria as am\n"
        "db = am.open('x')\n"
        "names: list[str] = db.tables()\n"
        "result: am.WriteResult = db.write('t', object(), message='m')\n"
        "scan: am.Scan = db.read('t', columns=['a'], where='a > 1', version=3)\n"
        "with db.transaction(message='m') as tx:\n"
        "    tx.append('t', scan)\n"
        "rows: int = db.run(lambda tx: tx.count('t'))\n"
        "for change in db.changes():\n"
        "    old: int | None = change.old_version\n")
    run("mypy", "--strict", "--cache-dir", tmp_path / "cache", tmp_path / "user.py")
