"""Every file of the corpus is read with the expected values, or refused with a clear error.

ARMI_CORPUS names the folder (default: ../shared/corpus beside the project): expected.jsonl, the files
it names, and digest.py, which defines the digest.
"""

import hashlib
import importlib.util
import json
import os
import re
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow")

import armillaria as am  # noqa: E402

ROOT = Path(os.environ.get("ARMI_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))

# What differs from the expectation on purpose (docs/design/parquet-decoder.md).
CHECKSUMS = {"datapage_v1-corrupt-checksum.parquet", "rle-dict-uncompressed-corrupt-checksum.parquet"}


def cases():
    if not (ROOT / "expected.jsonl").exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=f"NO CORPUS at {ROOT}: set ARMI_CORPUS"))]
    lines = (ROOT / "expected.jsonl").read_text().splitlines()
    return [pytest.param(case, id=case["file"]) for case in map(json.loads, lines)]


def digest(column) -> str:
    spec = importlib.util.spec_from_file_location("corpus_digest", ROOT / "digest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    state = hashlib.sha256()
    module._update(state.update, column)
    return state.hexdigest()


def plain(type_name: str) -> str:
    """Without the names that stand inside lists and maps, which ARROW:schema may restore."""
    return re.sub(r"list<\w+:", "list<item:", re.sub(r" \('[^']*'\)", "", type_name))


def as_expected(column, wanted: str):
    """INT96 is read in microseconds, which hold every date that Spark writes."""
    if str(column.type) == "timestamp[us]" and wanted == "timestamp[ns]":
        return column.cast(pa.timestamp("ns"))
    return column


def check_values(table, case):
    table.validate(full=True)
    assert table.num_rows == case["rows"]
    assert table.column_names == [column["name"] for column in case["columns"]]
    for i, wanted in enumerate(case["columns"]):
        column = as_expected(table.column(i), wanted["type"])
        assert plain(str(column.type)) == plain(wanted["type"]), wanted["name"]
        assert table.schema.field(i).nullable == wanted["nullable"], wanted["name"]
        assert digest(column) == wanted["sha256"], wanted["name"]


@pytest.mark.parametrize("case", cases())
def test_a_file_is_read_with_the_expected_values_or_refused(case):
    path = ROOT / case["file"]
    expect = case["expect"]
    if expect == "special":
        pytest.skip("needs more than 4 GiB")
    try:
        table = am.read_parquet(path).to_arrow()
    except am.Error as error:
        assert "\n" not in str(error) and str(error)
        if path.name in CHECKSUMS:
            assert "CRC-32" in str(error)
        else:
            assert expect in ("error", "unsupported", "read_or_error"), str(error)
        if expect == "unsupported":
            assert "encrypted" in str(error)
        return
    assert expect in ("read", "read_or_error")
    assert path.name not in CHECKSUMS
    check_values(table, case)
