"""What the tests of the Python package share."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings

import armillaria as am

settings.register_profile("everyday", max_examples=25, deadline=None,
                          suppress_health_check=[HealthCheck.function_scoped_fixture])
settings.register_profile("long", parent=settings.get_profile("everyday"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))


@pytest.fixture
def db(tmp_path):
    """A fresh repository."""
    with am.open(tmp_path / "repo") as database:
        yield database


@pytest.fixture
def people():
    """A small table with a null and a few types."""
    return pa.table({
        "id": pa.array([1, 2, 3], pa.int64()),
        "name": ["ann", "bob", None],
        "score": [1.5, 2.5, 3.5],
        "born": pa.array([dt.date(1990, 1, 1), dt.date(1991, 2, 2), None], pa.date32()),
    })


@pytest.fixture
def run_python():
    """Runs a program in a process of its own and gives its standard output."""

    def run(code: str, *arguments: object, timeout: float = 60) -> str:
        process = subprocess.run([sys.executable, "-c", code, *map(str, arguments)],
                                 capture_output=True, text=True, timeout=timeout, check=False)
        assert process.returncode == 0, process.stderr
        return process.stdout

    return run


def numbers(start: int, stop: int) -> pa.Table:
    """Rows n = start … stop - 1 with a text beside each."""
    values = list(range(start, stop))
    return pa.table({"n": pa.array(values, pa.int64()), "text": pa.array([f"row {n}" for n in values], pa.string())})
