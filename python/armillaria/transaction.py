"""Transactions: any number of operations on any number of tables, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

from . import _native
from .convert import choice, metadata_of, names_or_none, text, txid_of, whole_or_none
from .data import stream_of
from .errors import Error
from .reading import Reads
from .results import CommitResult, WriteResult
from .sql import SqlEngine

MODES = ("overwrite", "append", "error", "ignore")
SCHEMA_MODES = ("strict", "merge", "overwrite")


class Transaction(Reads):
    """One snapshot of a branch and what was written on it since; one thread at a time.

    Reads see the snapshot and the transaction's own writes. ``commit()`` makes everything
    visible and durable at once; leaving the ``with`` block by an exception aborts.
    """

    def __init__(
        self,
        repo: _native.Repository,
        engine: SqlEngine,
        branch: str,
        *,
        message: str | None = None,
        metadata: dict[str, str] | None = None,
        author: str | None = None,
        expected: str | None = None,
        txid: Any = None,
    ) -> None:
        self._native_repo = repo
        self._engine = engine
        self._tx = repo.begin(branch)
        self._written: set[str] = set()
        self._ended: str | None = None
        self._result: CommitResult | None = None
        if message is not None:
            self._tx.set_message(text(message, "message"))
        if author is not None:
            self._tx.set_author(text(author, "author"))
        for key, value in metadata_of(metadata):
            self._tx.set_metadata(key, value)
        if txid is not None:
            self._tx.set_txid(txid_of(txid))
        if expected is not None:
            self._tx.set_expected(repo.resolve(text(expected, "commit"))[1] or "0" * 64)

    # ---- what reading needs ----

    def _repo(self) -> _native.Repository:
        self._check()
        return self._native_repo

    def _default_ref(self) -> str:
        self._check()
        return self._tx.snapshot() or self._tx.branch()

    def _own_writes(self, table: str | None) -> _native.Transaction | None:
        self._check()
        mine = bool(self._written) if table is None else table in self._written
        return self._tx if mine or self._tx.snapshot() is None else None

    def _sql_engine(self) -> SqlEngine:
        return self._engine

    def _check(self) -> None:
        if self._ended is not None:
            raise Error(self._ended)

    # ---- what it is ----

    @property
    def branch(self) -> str:
        """The branch that it commits to."""
        return self._tx.branch()

    @property
    def active(self) -> bool:
        """Whether it can still be used."""
        return self._ended is None

    @property
    def result(self) -> CommitResult | None:
        """What the commit did; None before it."""
        return self._result

    # ---- writing ----

    def write(
        self,
        table: str,
        data: Any,
        *,
        mode: str = "overwrite",
        key: Sequence[str] | str | None = None,
        schema_mode: str | None = None,
        chunk_rows: int | None = None,
    ) -> WriteResult:
        """Writes a table; see :meth:`Database.write`."""
        return self._write(table, data, mode, key, schema_mode, chunk_rows, blind=False)

    def append(self, table: str, data: Any, *, key: Sequence[str] | str | None = None,
               schema_mode: str | None = None) -> WriteResult:
        """Adds rows behind those that are there; makes an absent table."""
        return self._write(table, data, "append", key, schema_mode, None, blind=False)

    def _write(self, table: str, data: Any, mode: str, key: Sequence[str] | str | None,
               schema_mode: str | None, chunk_rows: int | None, blind: bool) -> WriteResult:
        self._check()
        name = text(table, "table name")
        how = choice(mode, "mode", MODES)
        shape = choice(schema_mode or "strict", "schema_mode", SCHEMA_MODES)
        columns = names_or_none(key, "key column")
        rows = whole_or_none(chunk_rows, "chunk_rows", 1) or 0
        capsule = stream_of(data)
        result = WriteResult(*self._tx.write(name, capsule, how, shape, columns, rows, blind))
        self._written.add(name)
        return result

    def drop(self, table: str) -> None:
        """Removes a table; its history stays."""
        self._check()
        name = text(table, "table name")
        self._tx.drop(name)
        self._written.add(name)

    # ---- the end ----

    def commit(self) -> CommitResult:
        """Makes everything visible and durable at once."""
        self._check()
        try:
            commit = self._tx.commit()
        except BaseException:
            if not self._tx.active():
                self._ended = "transaction was aborted"
            raise
        self._ended = "transaction already committed"
        tables = {result[0]: WriteResult(*result) for result in self._tx.results()}
        changed = any(result.changed for result in tables.values())
        self._result = CommitResult(commit, changed, tables)
        return self._result

    def abort(self) -> None:
        """Forgets everything. Harmless when repeated or after the end."""
        if self._ended is None:
            self._tx.abort()
            self._ended = "transaction was aborted"

    def __enter__(self) -> Transaction:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if kind is not None:
            self.abort()
        elif self.active:
            self.commit()

    def __repr__(self) -> str:
        return f"Transaction(branch {self.branch!r}, {self._ended or 'active'})"
