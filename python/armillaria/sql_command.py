"""``armi-sql``: one statement over the tables of a repository, run by DuckDB.

``armi sql 'SELECT …'`` finds it beside the ``armi`` program or in PATH.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO

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


def _rows(scan: Scan) -> Iterator[list[str | None]]:
    """Rows as texts, in the forms that CSV has; None for null."""
    stream = scan._open()
    while (batch := stream.next()) is not None:
        yield from batch.texts(batch.rows())


def _print(scan: Scan, form: str, limit: int, out: IO[str]) -> None:
    if form == "json":
        _print_json(scan, out)
    elif form == "csv":
        print(",".join(map(_csv_field, scan.column_names)), file=out)
        for row in _rows(scan):
            print(",".join(map(_csv_field, row)), file=out)
    else:
        _print_table(scan, limit, out)


def _csv_field(text: str | None) -> str:
    """Null is the empty field, empty text a quoted one, as everywhere in Armillaria."""
    if text is None:
        return ""
    if not text or any(char in text for char in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


# ---- JSON ----


def _print_json(scan: Scan, out: IO[str]) -> None:
    keys = [json.dumps(name, ensure_ascii=False) for name in _distinct(scan.column_names)]
    makers = [_json_maker(column.type) for column in scan.schema]
    for row in _rows(scan):
        values = ("null" if text is None else make(text)
                  for text, make in zip(row, makers, strict=True))
        pairs = (f"{key}: {value}" for key, value in zip(keys, values, strict=True))
        print("{" + ", ".join(pairs) + "}", file=out)


def _distinct(names: Sequence[str]) -> list[str]:
    """Keys of a JSON object: a name that comes again gets a number, as in a table of DuckDB."""
    keys: list[str] = []
    for name in names:
        key, number = name, 1
        while key in keys:
            key, number = f"{name}_{number}", number + 1
        keys.append(key)
    return keys


def _json_maker(type_text: str) -> Callable[[str], str]:
    """Numbers, truth values and nested values are JSON as they are; the rest is text."""
    if type_text.startswith(("int", "uint", "bool", "list", "large_list", "struct", "map")):
        return str
    if type_text in ("double", "float", "halffloat"):
        return _json_number
    return lambda text: json.dumps(text, ensure_ascii=False)


def _json_number(text: str) -> str:
    try:
        return text if math.isfinite(float(text)) else "null"
    except ValueError:
        return "null"


# ---- tables ----


def _print_table(scan: Scan, limit: int, out: IO[str]) -> None:
    names = scan.column_names
    rows = [["null" if text is None else _one_line(text) for text in row]
            for row in itertools.islice(_rows(scan), limit)]
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


def _one_line(text: str) -> str:
    """A cell never breaks its row, and sends nothing to the terminal but text."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


if __name__ == "__main__":
    sys.exit(main())
