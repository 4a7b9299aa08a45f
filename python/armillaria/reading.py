"""What can be read, from a database, a view of a ref, or inside a transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from . import _native
from .answers import TableDiffInfo, TableInfo
from .convert import (
    microseconds_or_none,
    names_or_none,
    text,
    text_or_none,
    time_of,
    whole_or_none,
)
from .errors import InvalidArgumentError, NotFoundError
from .feed import Changes
from .results import Commit, TableDiff, Version, commit_of
from .scan import Scan
from .schema import Schema

if TYPE_CHECKING:
    from .sql import SqlEngine


AsOf = dt.datetime | dt.date | str


class At:
    """A place in history as the extension takes it: what it says is pinned when made."""

    def __init__(self, ref: str | None, version: int | None, as_of: int | None,
                 tx: _native.Transaction | None) -> None:
        self.args = (ref, version, as_of, tx)
        self.tx = tx


class Reads:
    """The reading half of :class:`Database` and :class:`Transaction`."""

    # ---- what the two have to say ----

    def _repo(self) -> _native.Repository:
        """The open handle; raises when there is none any more."""
        raise NotImplementedError

    def _default_ref(self) -> str:
        """Where to look when nothing is said."""
        raise NotImplementedError

    def _own_writes(self, table: str | None) -> _native.Transaction | None:
        """The transaction to look through, when it wrote that table (or any, for None)."""
        return None

    def _sql_engine(self) -> SqlEngine:
        raise NotImplementedError

    # ---- places ----

    def _pin(self, ref: str) -> str:
        """The commit that a ref names now, so that what is read later is the same."""
        return self._repo().resolve(text(ref, "ref"))[1] or ref

    def _at(self, table: str | None, version: int | None = None, as_of: AsOf | None = None,
            ref: str | None = None) -> At:
        number = whole_or_none(version, "version", 1)
        time = microseconds_or_none(as_of)
        if ref is None and number is None and time is None:
            tx = self._own_writes(table)
            if tx is not None:
                return At(None, None, None, tx)
        if number is not None and time is not None:
            raise InvalidArgumentError("version and as_of exclude each other")
        return At(self._pin(ref if ref is not None else self._default_ref()), number, time, None)

    # ---- rows ----

    def read(
        self,
        table: str,
        columns: Sequence[str] | str | None = None,
        where: str | None = None,
        limit: int | None = None,
        version: int | None = None,
        as_of: AsOf | None = None,
        ref: str | None = None,
        offset: int = 0,
    ) -> Scan:
        """Rows of a table, lazily: names and ``where`` are checked now, rows read when asked for.

        ``columns`` come in the order given; ``where`` is a condition such as
        ``"dep_delay > 60 and origin = 'JFK'"``. ``version`` or ``as_of`` look into the past of
        ``ref`` (of this view, or main).
        """
        name = text(table, "table name")
        return self._scan(self._at(name, version, as_of, ref), name,
                          names_or_none(columns, "column"), text_or_none(where, "where"),
                          whole_or_none(limit, "limit"), whole_or_none(offset, "offset") or 0)

    def _scan(self, at: At, table: str, columns: tuple[str, ...] | None = None,
              where: str | None = None, limit: int | None = None, offset: int = 0,
              ranges_apart: bool = False, no_verify: bool = False) -> Scan:
        repo = self._repo()

        def opener() -> _native.Stream:
            return repo.scan(table, *at.args, columns, where, limit, offset, 0, ranges_apart,
                             no_verify)

        def count() -> int:
            rows = repo.count(table, *at.args) - offset
            return max(rows if limit is None else min(rows, limit), 0)

        def count_matching() -> int:
            return repo.scan(table, *at.args, (), where, limit, offset, 0, False,
                             no_verify).count()

        ready = opener()
        if at.tx is not None:
            return Scan(_kept(ready))
        return Scan(opener, ready=ready, counter=count if where is None else count_matching)

    def count(self, table: str, version: int | None = None, as_of: AsOf | None = None,
              ref: str | None = None) -> int:
        """The number of rows, from the metadata alone."""
        name = text(table, "table name")
        return self._repo().count(name, *self._at(name, version, as_of, ref).args)

    # ---- tables ----

    def tables(self, as_of: AsOf | None = None, ref: str | None = None) -> list[str]:
        """The names of the tables, sorted."""
        at = self._at(None, None, as_of, ref)
        return self._repo().tables(at.args[0], at.args[2], at.args[3])

    def exists(self, table: str, version: int | None = None, as_of: AsOf | None = None,
               ref: str | None = None) -> bool:
        """Whether the table (that version of it) is there."""
        try:
            self.count(table, version, as_of, ref)
        except NotFoundError as error:
            if error.kind in ("table", "version"):
                return False
            raise
        return True

    def schema(self, table: str, version: int | None = None, as_of: AsOf | None = None,
               ref: str | None = None) -> Schema:
        """Columns and types."""
        name = text(table, "table name")
        return Schema(self._repo().schema(name, *self._at(name, version, as_of, ref).args))

    def versions(self, table: str, ref: str | None = None) -> list[Version]:
        """All versions of a table along the history of the ref, oldest first."""
        place = text(ref, "ref") if ref is not None else self._default_ref()
        return [
            Version(version, commit, time_of(time), author, message, rows, size)
            for version, commit, time, author, message, rows, size in self._repo().versions(
                text(table, "table name"), place)
        ]

    def stats(self, table: str | None = None, version: int | None = None,
              as_of: AsOf | None = None, ref: str | None = None) -> dict[str, Any]:
        """Sizes, sharing and the cache of the repository; or what one table version is."""
        if table is None:
            if version is not None or as_of is not None:
                raise InvalidArgumentError("version and as_of are of a table: name one")
            place = text(ref, "ref") if ref is not None else self._default_ref()
            return self._repo().stats(place)
        name = text(table, "table name")
        info = self._info(name, self._at(name, version, as_of, ref))
        return {
            "table": name, "version": info[0], "commit": info[1],
            "time": time_of(info[2]) if info[1] else None, "rows": info[3],
            "logical_bytes": info[4], "stored_bytes": info[5], "ranges": info[6],
            "columns": info[7], "root": info[8], "key": info[9], "chunks": len(info[10]),
        }

    def _info(self, table: str, at: At) -> TableInfo:
        return self._repo().table_info(table, *at.args)

    # ---- history ----

    def log(self, table: str | None = None, limit: int | None = None,
            ref: str | None = None) -> list[Commit]:
        """Commits along first parents, newest first; of one table, those that changed it."""
        place = text(ref, "ref") if ref is not None else self._default_ref()
        if limit == 0:
            return []
        commits = self._repo().log(place, text_or_none(table, "table name"),
                                   whole_or_none(limit, "limit") or 0)
        return [commit_of(parts) for parts in commits]

    def show(self, commit: str) -> Commit:
        """One commit, by its id, a prefix of it, a branch or a tag."""
        return commit_of(self._repo().show(text(commit, "commit")))

    def branches(self) -> dict[str, str | None]:
        """Branches and their commits, in name order; None for one without a commit."""
        return dict(self._repo().branches())

    def tags(self) -> dict[str, str]:
        """Tags and their commits, in name order."""
        return {name: commit for name, commit in self._repo().tags() if commit is not None}

    def changes(self, since: str | None = None,
                tables: Sequence[str] | str | None = None) -> Changes:
        """The feed: every change after ``since`` (None: from the beginning), oldest first."""
        return Changes(self._repo(), self._default_ref(), since, tables)

    # ---- differences ----

    def diff(
        self,
        a: str | None = None,
        b: str | None = None,
        table: str | None = None,
        versions: tuple[int, int] | None = None,
        key: Sequence[str] | str | None = None,
    ) -> Any:
        """What turns ``a`` into ``b``: a list of :class:`TableDiff`, or one with ``table=``.

        ``diff(table="t", versions=(1, 2))`` compares versions of a table; ``key`` compares by
        columns that are not the declared key.
        """
        name = text_or_none(table, "table name")
        columns = names_or_none(key, "key column")
        old_version = new_version = 0
        if versions is not None:
            if name is None or a is not None or b is not None:
                raise InvalidArgumentError("versions are of one table: diff(table=, versions=)")
            old, new = versions
            old_version = whole_or_none(old, "version", 1) or 0
            new_version = whole_or_none(new, "version", 1) or 0
        elif a is None:
            raise InvalidArgumentError("diff needs two refs, or a table and two versions")
        here = self._default_ref()
        args = (self._pin(a if a is not None else here), self._pin(b if b is not None else here))
        repo = self._repo()
        diffs = [
            _table_diff(repo, args, old_version, new_version, columns, parts)
            for parts in repo.diff(*args, name, old_version, new_version, columns, False)
        ]
        return diffs if name is None else diffs[0]

    # ---- SQL ----

    def sql(self, query: str, params: Any = None,
            versions: dict[str, int] | None = None) -> Scan:
        """A SELECT over the tables, by DuckDB; see the guide for ``t AT (VERSION => 3)``."""
        from .sql import run_sql

        return run_sql(self, query, params, versions)


def _kept(stream: _native.Stream) -> Callable[[], _native.Stream]:
    """An opener over rows that can be had only once: they are kept at the first use."""
    batches: list[_native.Batches] = []

    def opener() -> _native.Stream:
        if not batches:
            batches.append(stream.collect())
        return _native.stream(batches[0].__arrow_c_stream__())

    return opener


def _table_diff(repo: _native.Repository, refs: tuple[str, str], old_version: int,
                new_version: int, key: tuple[str, ...] | None,
                parts: TableDiffInfo) -> TableDiff:
    table, old_table, kind, old, new, added, removed, changed, schema_changed, reordered = parts

    def rows() -> Scan:
        def opener() -> _native.Stream:
            return repo.diff_rows(*refs, table, old_version, new_version, key, False)

        return Scan(opener, ready=opener())

    return TableDiff(table, kind, old, new, added, removed, changed, schema_changed, reordered,
                     old_table, rows)
