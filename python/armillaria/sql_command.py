"""``armi-sql``: one statement over the tables of a repository, run by DuckDB.

``armi sql 'SELECT …'`` finds it beside the ``armi`` program or in PATH.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import decimal
import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import IO, Any

from .convert import type_name
from .database import open as open_database
from .errors import CorruptionError, Error
from .scan import Scan

_FAILED = 3
_ROWS_SHOWN = 1000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="armi sql",
        description="Run a SQL statement over the tables of a repository with DuckDB. "
                    "A table may be followed by @BRANCH, @TAG or AT (VERSION => 3).")
    parser.add_argument("-C", dest="folder", metavar="DIR",
                        default=os.environ.get("ARMI_DIR") or ".", help="the repository")
    parser.add_argument("-b", dest="branch", metavar="BRANCH",
                        default=os.environ.get("ARMI_BRANCH") or "main",
                        help="the branch, tag or commit to look from")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_const", dest="form", const="json",
                      help="one JSON object a line")
    form.add_argument("--csv", action="store_const", dest="form", const="csv", help="CSV")
    form.add_argument("--format", dest="form", choices=("table", "json", "csv"),
                      help="how to print (default: table)")
    parser.add_argument("--no-progress", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--author", help=argparse.SUPPRESS)
    parser.add_argument("--lock-timeout", type=float, default=60, help=argparse.SUPPRESS)
    parser.add_argument("-n", dest="limit", type=int, default=_ROWS_SHOWN, metavar="N",
                        help="rows that a table shows at most (default: %(default)s)")
    parser.add_argument("statement", help="the statement, or - to read it from standard input")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; answers its exit status."""
    options = _parser().parse_args(arguments)
    try:
        statement = sys.stdin.read() if options.statement == "-" else options.statement
        with open_database(options.folder, create=False, lock_timeout=options.lock_timeout) as db:
            result = db.at(options.branch).sql(statement)
        _print(result, options.form or "table", options.limit, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (Error, ImportError, OSError) as error:
        return _complain(str(error), 1 if isinstance(error, CorruptionError) else _FAILED)
    except Exception as error:
        if not type(error).__module__.partition(".")[0].lstrip("_") == "duckdb":
            raise
        return _complain(str(error), _FAILED)
    return 0


def _complain(message: str, status: int) -> int:
    print(f"armi: {' '.join(message.split())}", file=sys.stderr)
    return status


def _rows(scan: Scan) -> Iterator[tuple[Any, ...]]:
    for batch in scan.to_arrow().to_batches():
        columns = [column.to_pylist() for column in batch.columns]
        yield from zip(*columns, strict=True)


def _print(scan: Scan, form: str, limit: int, out: IO[str]) -> None:
    names = scan.column_names
    if form == "json":
        keys = _distinct(names)
        for row in _rows(scan):
            record = dict(zip(keys, row, strict=True))
            print(json.dumps(record, default=_json_value, ensure_ascii=False), file=out)
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_text(value) for value in row] for row in _rows(scan))
    else:
        _print_table(scan, names, limit, out)


def _distinct(names: Sequence[str]) -> list[str]:
    """Keys of a JSON object: a name that comes again gets a number, as in a table of DuckDB."""
    keys: list[str] = []
    for name in names:
        key, number = name, 1
        while key in keys:
            key, number = f"{name}_{number}", number + 1
        keys.append(key)
    return keys


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        utc = value.astimezone(dt.timezone.utc) if value.tzinfo else value
        return utc.replace(tzinfo=None).isoformat(sep=" ") + ("Z" if value.tzinfo else "")
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def _json_value(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (dt.datetime, dt.date, dt.time, dt.timedelta, bytes)):
        return _text(value)
    raise TypeError(f"{type_name(value)} has no JSON form")


def _print_table(scan: Scan, names: list[str], limit: int, out: IO[str]) -> None:
    rows: list[list[str]] = []
    for row in _rows(scan):
        if len(rows) == limit:
            break
        rows.append(["null" if value is None else _text(value) for value in row])
    right = [column.type.startswith(("int", "uint", "double", "float", "decimal"))
             for column in scan.schema]
    widths = [max([len(name), *(len(row[place]) for row in rows)])
              for place, name in enumerate(names)]

    def line(cells: Sequence[str]) -> str:
        texts = [cell.rjust(width) if flag else cell.ljust(width)
                 for cell, width, flag in zip(cells, widths, right, strict=True)]
        return "  ".join(texts).rstrip()

    if names:
        print(line(names), file=out)
        print("  ".join("-" * width for width in widths), file=out)
    for cells in rows:
        print(line(cells), file=out)
    count = scan.num_rows
    shown = f", {len(rows)} shown" if len(rows) < count else ""
    print(f"({count} row{'' if count == 1 else 's'}{shown})", file=out)


if __name__ == "__main__":
    sys.exit(main())
