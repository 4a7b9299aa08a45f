"""What calls answer: plain frozen objects that print readably.

Ids are hex and are called ``commit`` everywhere; times are ``datetime`` in UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .answers import CommitInfo
from .convert import time_of
from .scan import Scan
from .schema import Schema


def short(commit: str | None) -> str:
    return commit[:12] if commit else "-"


def size_text(count: int) -> str:
    """Bytes for a reader."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


@dataclass(frozen=True)
class WriteResult:
    """What a write did. In a transaction ``version`` and ``commit`` are None until it commits."""

    table: str
    version: int | None
    commit: str | None
    changed: bool
    rows: int
    rows_total: int
    ranges: int
    chunks_written: int
    chunks_reused: int
    bytes_written: int
    bytes_reused: int
    columns_encoded: int
    columns_shared: int
    seconds: float

    def __str__(self) -> str:
        what = "" if self.changed else " (unchanged)"
        return (f"{self.table}: version {self.version or '-'}{what}, {self.rows} rows, "
                f"{self.chunks_written} chunks written ({size_text(self.bytes_written)}), "
                f"{self.chunks_reused} reused ({size_text(self.bytes_reused)}), "
                f"{self.seconds:.3f} s")


@dataclass(frozen=True)
class CommitResult:
    """What a transaction's commit did: a :class:`WriteResult` for each table written."""

    commit: str | None
    changed: bool
    tables: dict[str, WriteResult] = field(default_factory=dict)

    def __getitem__(self, table: str) -> WriteResult:
        return self.tables[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def __str__(self) -> str:
        return "\n".join([f"commit {short(self.commit)}", *map(str, self.tables.values())])


@dataclass(frozen=True)
class Version:
    """One version of a table."""

    version: int
    commit: str
    time: dt.datetime
    author: str
    message: str
    rows: int
    bytes: int

    def __str__(self) -> str:
        return (f"version {self.version}  {short(self.commit)}  {self.time:%Y-%m-%d %H:%M:%S}Z  "
                f"{self.rows} rows  {size_text(self.bytes)}  {self.message}")


@dataclass(frozen=True)
class TableChange:
    """What one commit did to one table."""

    table: str
    op: str
    old_version: int | None
    new_version: int | None
    old_rows: int
    new_rows: int

    def __str__(self) -> str:
        return (f"{self.op} {self.table}: version {self.old_version or '-'} -> "
                f"{self.new_version or '-'}, rows {self.old_rows} -> {self.new_rows}")


@dataclass(frozen=True)
class Commit:
    """One commit: ``tables`` tells what it did, in name order."""

    commit: str
    parents: list[str]
    author: str
    time: dt.datetime
    message: str
    metadata: dict[str, str]
    tables: list[TableChange]
    layout_only: bool = False

    def __str__(self) -> str:
        head = f"{short(self.commit)}  {self.time:%Y-%m-%d %H:%M:%S}Z  {self.author}  {self.message}"
        return "\n".join([head, *(f"    {change}" for change in self.tables)])


@dataclass(frozen=True)
class TableDiff:
    """What turns one state of a table into another; ``rows()`` has it row by row."""

    table: str
    kind: str
    old_version: int | None
    new_version: int | None
    rows_added: int
    rows_removed: int
    rows_changed: int
    schema_changed: bool
    reordered: bool = False
    old_table: str | None = None
    _rows: Callable[[], Scan] | None = field(default=None, repr=False, compare=False)

    def rows(self) -> Scan:
        """The rows that differ: ``_change_type``, then the columns of the newer schema."""
        assert self._rows is not None
        return self._rows()

    def __str__(self) -> str:
        return (f"{self.table}: {self.kind}, +{self.rows_added} -{self.rows_removed} "
                f"~{self.rows_changed} rows{', schema changed' if self.schema_changed else ''}"
                f"{', reordered' if self.reordered else ''}")


@dataclass(frozen=True)
class MergeResult:
    """What a merge did, or would do: ``kind`` is up-to-date, fast-forward or merge."""

    kind: str
    commit: str | None
    base: str | None
    tables: list[str]
    conflicts: dict[str, Scan] = field(default_factory=dict)

    def __str__(self) -> str:
        text = f"{self.kind} {short(self.commit)}: {', '.join(self.tables) or 'no table'}"
        return text + (f"; conflicts in {', '.join(self.conflicts)}" if self.conflicts else "")


@dataclass(frozen=True)
class Change:
    """One table's change in one commit; ``rows()`` has its net rows."""

    commit: str
    table: str
    old_version: int | None
    new_version: int | None
    time: dt.datetime
    author: str
    message: str
    op: str
    _rows: Callable[[], Scan] | None = field(default=None, repr=False, compare=False)

    def rows(self) -> Scan:
        assert self._rows is not None
        return self._rows()

    def __str__(self) -> str:
        return (f"{short(self.commit)}  {self.time:%Y-%m-%d %H:%M:%S}Z  {self.op} {self.table}: "
                f"version {self.old_version or '-'} -> {self.new_version or '-'}  {self.message}")


@dataclass(frozen=True)
class Problem:
    """One thing that verify found wrong."""

    kind: str
    name: str
    message: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.message}"


@dataclass(frozen=True)
class VerifyResult:
    """``ok``, and if it is not, the ``problems``; how much was looked at."""

    ok: bool
    problems: list[Problem]
    objects: int
    bytes: int

    def __str__(self) -> str:
        head = f"{'ok' if self.ok else 'NOT OK'}: {self.objects} objects, {size_text(self.bytes)}"
        return "\n".join([head, *map(str, self.problems)])


@dataclass(frozen=True)
class TableMetadata:
    """One version of a table. ``chunk_hashes`` are in row order, without repeats."""

    table: str
    version: int | None
    commit: str | None
    time: dt.datetime | None
    rows: int
    bytes: int
    ranges: int
    schema: Schema
    chunk_hashes: list[str]


def commit_of(parts: CommitInfo) -> Commit:
    """A :class:`Commit` from what the extension answers."""
    commit, parents, author, when, message, metadata, tables, layout_only = parts
    changes = [TableChange(*change) for change in tables]
    return Commit(commit, parents, author, time_of(when), message, dict(metadata), changes,
                  layout_only)
