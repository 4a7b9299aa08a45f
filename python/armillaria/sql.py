"""SQL by DuckDB over the tables, versions and branches of a repository.

Each table that a statement names is handed to DuckDB as an Arrow stream of its own, with only
the columns that the statement can need. The result is in memory and is a Scan.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from . import _native
from .convert import microseconds_or_none, text, time_of, whole
from .errors import InvalidArgumentError, NotFoundError
from .scan import Scan

if TYPE_CHECKING:
    from .reading import Reads
    from .sql_names import TableName

CHANGELOG = "__changelog"


class SqlEngine:
    """DuckDB for one open repository; every statement gets a connection of its own.

    A child after fork makes its own, since DuckDB's threads did not come along.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._base: Any = None
        self._pid = 0

    def connect(self) -> Any:
        duckdb = _duckdb()
        pid = os.getpid()
        if self._pid != pid:  # also when a fork caught the lock held
            self._lock = threading.Lock()
        with self._lock:
            if self._base is None or self._pid != pid:
                self._base = duckdb.connect(":memory:")
                self._pid = pid
            connection = self._base.cursor()
        # Names that are not ours must never be looked up among the variables of this file.
        connection.execute("SET python_enable_replacements = false")
        connection.execute("SET TimeZone = 'UTC'")
        return connection


def _duckdb() -> Any:
    try:
        import duckdb
        import sqlglot  # noqa: F401
    except ImportError as error:
        raise ImportError(f"SQL needs {error.name}: pip install 'armillaria[sql]'",
                          name=error.name) from None
    return duckdb


class _Resolver:
    """What names in a statement mean, all at one moment."""

    def __init__(self, view: Reads, versions: dict[str, int] | None) -> None:
        self._view = view
        self._here = view._default_ref()
        self._pins: dict[str, str] = {}
        self._tables: dict[str | None, list[str]] = {}
        self._versions = {
            text(name, "table name"): whole(version, "version", 1)
            for name, version in (versions or {}).items()
        }

    def pin(self, ref: str | None) -> str:
        name = ref if ref is not None else self._here
        if name not in self._pins:
            self._pins[name] = self._view._pin(name)
        return self._pins[name]

    def tables(self, ref: str | None) -> list[str]:
        if ref not in self._tables:
            place = None if ref is None and self._view._own_writes(None) else self.pin(ref)
            self._tables[ref] = self._view.tables(ref=place)
        return self._tables[ref]

    def resolve(self, name: TableName) -> TableName | None:
        """The table that is meant; None leaves the name to DuckDB."""
        known = [*self.tables(name.ref), CHANGELOG]
        table = _match(name.dotted, known) or _match(name.dotted, list(self._versions))
        if table is None and name.is_explicit:
            table = name.dotted  # a dropped table has versions still; reading says if not
        if table is None:
            return None
        version = name.version
        if not name.is_explicit:
            version = self._versions.get(table)
        return type(name)((table,), name.ref, version, name.as_of)

    def open(self, name: TableName, columns: frozenset[str] | None) -> Scan:
        table = name.parts[0]
        if table == CHANGELOG:
            return _changelog(self._view, name, self.pin(name.ref))
        as_of = None if name.as_of is None else time_of(name.as_of)
        own = self._view._own_writes(table) is not None and not name.is_explicit
        ref = None if own and name.version is None else self.pin(name.ref)
        scan = self._view.read(table, version=name.version, as_of=as_of, ref=ref)
        if columns is None:
            return scan
        needed = [column for column in scan.column_names if column.lower() in columns]
        if len(needed) == scan.num_columns or len(set(needed)) != len(needed):
            return scan
        if not needed:
            needed = [_cheapest(scan)]
        return self._view.read(table, needed, version=name.version, as_of=as_of, ref=ref)


def _match(name: str, known: list[str]) -> str | None:
    """The exact name, else the one that fits without regard to case, if only one does."""
    if name in known:
        return name
    fitting = [table for table in known if table.lower() == name.lower()]
    return fitting[0] if len(fitting) == 1 else None


def _cheapest(scan: Scan) -> str:
    """A column to count rows by."""
    wide = ("string", "binary", "list", "struct", "map", "large", "fixed_size", "dictionary")
    for column in scan.schema:
        if not column.type.startswith(wide):
            return column.name
    return scan.column_names[0]


def _changelog(view: Reads, name: TableName, ref: str) -> Scan:
    if name.version is not None or name.as_of is not None:
        raise InvalidArgumentError(f"{CHANGELOG} has no versions: filter it by commit or time")
    rows = []
    try:
        for commit in reversed(view.log(ref=ref)):
            if not commit.layout_only:
                rows += [(commit, change) for change in commit.tables]
    except NotFoundError:
        if view._repo().resolve(ref)[1] is not None:
            raise
    micros = [_micros(commit) for commit, _ in rows]
    columns = (
        ("commit", "u", tuple(commit.commit for commit, _ in rows)),
        ("time", "tsu:UTC", tuple(micros)),
        ("author", "u", tuple(commit.author for commit, _ in rows)),
        ("message", "u", tuple(commit.message for commit, _ in rows)),
        ("op", "u", tuple(change.op for _, change in rows)),
        ("table_name", "u", tuple(change.table for _, change in rows)),
        ("old_version", "l", tuple(change.old_version for _, change in rows)),
        ("new_version", "l", tuple(change.new_version for _, change in rows)),
    )
    return Scan._of_batches(_native.columns(len(rows), columns))


def _micros(commit: Any) -> int:
    return microseconds_or_none(commit.time) or 0


# ---- running ----


def run_sql(view: Reads, query: str, params: Any, versions: dict[str, int] | None) -> Scan:
    """Runs one statement (of several, the last one's rows are the answer)."""
    statement_text = text(query, "SQL")
    _duckdb()
    from .sql_names import read_statement

    resolver = _Resolver(view, versions)
    statement = read_statement(statement_text, resolver.resolve)
    opened = {key: resolver.open(name, statement.columns)
              for key, name in statement.sources.items()}
    connection = view._sql_engine().connect()
    try:
        for key, scan in opened.items():
            connection.register(key, scan)
        relation = connection.sql(statement.text, params=params)
        if relation is None:
            return Scan._of_batches(_native.columns(0, ()))
        return Scan._of_batches(_collect(relation))
    finally:
        connection.close()


def _collect(relation: Any) -> _native.Batches:
    """The rows, in memory: what fails while they are made is DuckDB's own exception."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        try:
            return _native.stream(relation.__arrow_c_stream__()).collect()
        except InvalidArgumentError as error:
            raise _duckdb().Error(str(error)) from None
    return _native.stream(relation.to_arrow_table().__arrow_c_stream__()).collect()
