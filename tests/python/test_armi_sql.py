"""The armi-sql program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import armillaria as am

pytest.importorskip("duckdb")
pytest.importorskip("sqlglot")


@pytest.fixture
def folder(tmp_path):
    with am.open(tmp_path / "repo") as db:
        db.write("t", pa.table({"id": [1, 2], "name": ["ann", None], "ok": [True, False]}))
        db.branch("dev").append("t", pa.table({"id": [3], "name": ["bob"], "ok": [True]}))
    return tmp_path / "repo"


def armi_sql(*arguments: object, env=None, **options) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(Path(am.__file__).parents[1])} | (env or {})
    return subprocess.run([sys.executable, "-m", "armillaria.sql_command", *map(str, arguments)],
                          capture_output=True, text=True, check=False, env=environment, **options)


def test_a_table_is_aligned(folder):
    run = armi_sql("-C", folder, "select * from t order by id")
    assert run.stdout.splitlines() == [
        "id  name  ok", "--  ----  -----", " 1  ann   true", " 2  null  false", "(2 rows)"]
    assert run.returncode == 0 and run.stderr == ""


def test_json_and_csv(folder):
    run = armi_sql("-C", folder, "--json", "select * from t order by id")
    assert [json.loads(line) for line in run.stdout.splitlines()] == [
        {"id": 1, "name": "ann", "ok": True}, {"id": 2, "name": None, "ok": False}]
    run = armi_sql("-C", folder, "--csv", "select * from t order by id")
    assert run.stdout == "id,name,ok\n1,ann,true\n2,,false\n"
    run = armi_sql("-C", folder, "--csv", "select 'a,b' as x, '' as y, null as z, 'q\"' as w")
    assert run.stdout == 'x,y,z,w\n"a,b","",,"q"""\n'
    run = armi_sql("-C", folder, "--json", "select 1.5::decimal(5,2) as d, [1, 2] as l, "
                   "{'k': 'v'} as s, date '2013-01-02' as day, 'nan'::double as n")
    assert json.loads(run.stdout) == {"d": "1.50", "l": [1, 2], "s": {"k": "v"},
                                      "day": "2013-01-02", "n": None}


def test_a_table_shows_so_many_rows_and_only_text(folder):
    run = armi_sql("-C", folder, "-n", "2", "select i from range(5) t(i)")
    assert run.stdout.splitlines()[-2:] == ["1", "(5 rows, 2 shown)"]
    run = armi_sql("-C", folder, "select 'a' || chr(10) || chr(27) || '[2J' as x")
    assert run.stdout.splitlines()[2] == "a\\n\\x1b[2J"


def test_a_name_that_comes_twice_loses_no_value(folder):
    run = armi_sql("-C", folder, "--json", "select 1 as n, 2 as n, id as n from t where id = 1")
    assert json.loads(run.stdout) == {"n": 1, "n_1": 2, "n_2": 1}


def test_the_place_comes_from_options_or_the_environment(folder):
    assert "(3 rows)" in armi_sql("-C", folder, "-b", "dev", "select * from t").stdout
    environment = {"ARMI_DIR": str(folder), "ARMI_BRANCH": "dev"}
    assert "(3 rows)" in armi_sql("select * from t", env=environment).stdout
    assert "(2 rows)" in armi_sql("-", cwd=folder, input="select * from t").stdout


@pytest.mark.parametrize("arguments, status, message", [
    (["selec 1"], 3, "armi: Parser Error"),
    (["select * from t@nowhere"], 3, "armi: Branch not found: nowhere\n"),
    (["-b", "nowhere", "select 1"], 3, "armi: Branch not found: nowhere\n"),
    (["--format", "xml", "select 1"], 2, "usage: armi sql"),
    ([], 2, "usage: armi sql"),
])
def test_failures_are_one_line_and_a_status(folder, arguments, status, message):
    run = armi_sql("-C", folder, *arguments)
    assert run.returncode == status
    assert run.stderr.startswith(message) and run.stdout == ""
    if status == 3:
        assert run.stderr.count("\n") == 1


def test_no_repository(tmp_path):
    run = armi_sql("-C", tmp_path / "nothing", "select 1")
    assert run.returncode == 3 and "nothing" in run.stderr
    assert not (tmp_path / "nothing").exists()


def armi_program() -> str | None:
    """The armi program of this build, or the installed one."""
    built = Path(am.__file__).parents[2] / "src" / "cli" / "armi"
    beside = Path(sys.executable).parent / "armi"
    return next((str(path) for path in (built, beside) if path.exists()), shutil.which("armi"))


@pytest.mark.skipif(armi_program() is None, reason="no armi program")
def test_armi_sql_is_found_as_a_command(folder, tmp_path):
    script = tmp_path / "bin" / "armi-sql"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m armillaria.sql_command "$@"\n')
    script.chmod(0o755)
    environment = os.environ | {"PATH": f"{script.parent}:{os.environ['PATH']}"}
    run = subprocess.run([armi_program(), "-C", folder, "-b", "dev", "--json", "sql",
                          "select count(*) as n from t"],
                         capture_output=True, text=True, check=False, env=environment)
    assert (run.returncode, run.stdout, run.stderr) == (0, '{"n": 3}\n', "")
