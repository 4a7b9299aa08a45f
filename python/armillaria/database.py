"""The database: what :func:`open` gives, and views of it bound to a ref."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from . import _native
from .answers import MergeInfo
from .chunks import DURABILITIES, ChunkStore
from .convert import choice, path_of, text, text_or_none, whole, whole_or_none
from .errors import ConflictError, Error, InvalidArgumentError, MergeConflict, NotFoundError
from .feed import Subscription
from .reading import Reads
from .results import MergeResult, Problem, VerifyResult, WriteResult
from .scan import Scan
from .sql import SqlEngine
from .transaction import Transaction

T = TypeVar("T")
_NO_CACHE = 2**64 - 1


class _Handle:
    """The open repository that a database and its views share."""

    def __init__(self, native: _native.Repository) -> None:
        self.native: _native.Repository | None = native
        self.engine = SqlEngine()


def open(
    path: Any,
    durability: str | None = None,
    verify: bool = True,
    threads: int | None = None,
    memory: int | None = None,
    cache_bytes: int = 256 << 20,
    lock_timeout: float = 60,
    *,
    create: bool = True,
    read_only: bool = False,
    author: str | None = None,
    unsafe_network: bool = False,
) -> Database:
    """Opens the repository in a folder, and makes it when the folder is absent or empty.

    ``durability`` is "full" unless the repository was made with "none"; "normal" may lose the
    last commits in a power cut, never a part of one. ``cache_bytes=0`` keeps no cache.
    ``create=False`` refuses to make a repository.
    """
    seconds = float(lock_timeout)
    if not 0 <= seconds <= 4_000_000:
        raise InvalidArgumentError(f"lock_timeout must be at least 0, not {lock_timeout}")
    native = _native.open_repository(
        path_of(path),
        0 if durability is None else choice(durability, "durability", DURABILITIES) + 1,
        not create,
        not verify,
        bool(read_only),
        bool(unsafe_network),
        whole_or_none(threads, "threads") or 0,
        whole_or_none(memory, "memory") or 0,
        whole(cache_bytes, "cache_bytes") or _NO_CACHE,
        max(int(seconds * 1000), 1),
        text_or_none(author, "author"),
    )
    return Database(_Handle(native), None, False)


class Database(Reads):
    """A repository, seen from one ref: main, or what :meth:`at` and :meth:`branch` bind it to.

    A view of a branch moves with it; a view of a tag or a commit is read-only.
    """

    def __init__(self, handle: _Handle, ref: str | None, pinned: bool,
                 label: str | None = None) -> None:
        self._handle = handle
        self._ref = ref
        self._pinned = pinned
        self._label = label or ref or "main"

    # ---- what reading needs ----

    def _repo(self) -> _native.Repository:
        if self._handle.native is None:
            raise Error("the database is closed")
        return self._handle.native

    def _default_ref(self) -> str:
        return self._ref or "main"

    def _sql_engine(self) -> SqlEngine:
        return self._handle.engine

    # ---- what it is ----

    @property
    def path(self) -> str:
        return self._repo().path()

    @property
    def ref(self) -> str:
        """The branch, tag or commit that this view is bound to."""
        return self._label

    @property
    def read_only(self) -> bool:
        return self._pinned or self._repo().read_only()

    @property
    def chunks(self) -> ChunkStore:
        """The chunks of the repository as a chunk store."""
        return ChunkStore._of(self._repo().chunks())

    @property
    def closed(self) -> bool:
        return self._handle.native is None

    def close(self) -> None:
        """Closes this handle and its views. Scans that came from it go on working."""
        self._handle.native = None

    def __enter__(self) -> Database:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "closed" if self.closed else f"{self.path!r}, {self._label!r}"
        return f"Database({where})"

    # ---- writing ----

    def transaction(self, message: str | None = None, *, metadata: dict[str, str] | None = None,
                    author: str | None = None, expected: str | None = None,
                    txid: Any = None) -> Transaction:
        """A transaction on this branch, to be used in a ``with`` block or committed by hand."""
        return Transaction(self._repo(), self._handle.engine, self._branch(), message=message, metadata=metadata,
                           author=author, expected=expected, txid=txid)

    def _branch(self) -> str:
        if self._pinned:
            raise InvalidArgumentError(
                f"{self._label} is a tag or a commit: only a branch can be written to")
        return self._default_ref()

    def write(
        self,
        table: str,
        data: Any,
        message: str | None = None,
        *,
        mode: str = "overwrite",
        key: Sequence[str] | str | None = None,
        schema_mode: str | None = None,
        metadata: dict[str, str] | None = None,
        author: str | None = None,
        expected: str | None = None,
        txid: Any = None,
        chunk_rows: int | None = None,
    ) -> WriteResult:
        """Writes a table in a commit of its own.

        ``mode`` is "overwrite" (history keeps the old rows), "append", "error" or "ignore" when
        the table exists. ``schema_mode="merge"`` adds columns and widens types, "overwrite"
        takes the new schema. ``expected`` is compare and swap; a repeated ``txid`` lands once.
        """
        options = {"metadata": metadata, "author": author, "expected": expected, "txid": txid}
        return self._single(table, data, message, options, mode, key, schema_mode, chunk_rows)

    def append(
        self,
        table: str,
        data: Any,
        message: str | None = None,
        *,
        key: Sequence[str] | str | None = None,
        schema_mode: str | None = None,
        metadata: dict[str, str] | None = None,
        author: str | None = None,
        expected: str | None = None,
        txid: Any = None,
    ) -> WriteResult:
        """Adds rows behind those that are there; makes an absent table."""
        options = {"metadata": metadata, "author": author, "expected": expected, "txid": txid}
        return self._single(table, data, message, options, "append", key, schema_mode, None)

    def _single(self, table: str, data: Any, message: str | None, options: dict[str, Any],
                mode: str, key: Sequence[str] | str | None, schema_mode: str | None,
                chunk_rows: int | None) -> WriteResult:
        """One write as a transaction of its own: an overwrite is blind, the last one wins."""
        started = time.perf_counter()
        tx = Transaction(self._repo(), self._handle.engine, self._branch(), message=message, **options)
        try:
            tx._write(table, data, mode, key, schema_mode, chunk_rows, blind=mode == "overwrite")
            result = tx.commit()[table]
        finally:
            tx.abort()
        return _with_seconds(result, time.perf_counter() - started)

    def drop(
        self,
        table: str,
        message: str | None = None,
        *,
        metadata: dict[str, str] | None = None,
        author: str | None = None,
        expected: str | None = None,
        txid: Any = None,
    ) -> str | None:
        """Removes a table; its history stays readable. Answers the commit."""
        with self.transaction(message, metadata=metadata, author=author, expected=expected,
                              txid=txid) as tx:
            tx.drop(table)
        return tx.result.commit if tx.result else None

    def run(self, fn: Callable[[Transaction], T], retries: int = 10, *,
            message: str | None = None, metadata: dict[str, str] | None = None,
            author: str | None = None) -> T:
        """``fn(tx)`` in a transaction, again with back-off when it loses a true conflict."""
        for attempt in range(whole(retries, "retries") + 1):
            try:
                with self.transaction(message, metadata=metadata, author=author) as tx:
                    return fn(tx)
            except MergeConflict:
                raise
            except ConflictError:
                if attempt == retries:
                    raise
            time.sleep(random.uniform(0, min(1.0, 0.005 * 2**attempt)))
        raise AssertionError("unreachable")

    # ---- refs ----

    def at(self, ref: str) -> Database:
        """This database seen from a branch, a tag or a commit."""
        kind, commit = self._repo().resolve(text(ref, "ref"))
        if kind == "branch":
            return Database(self._handle, ref, False)
        return Database(self._handle, commit, True, ref)

    def branch(self, name: str, at: str | None = None) -> Database:
        """Makes a branch (at this view's ref, or ``at``) and gives a view bound to it."""
        place = text(at, "ref") if at is not None else self._default_ref()
        self._repo().branch_create(text(name, "branch name"), place)
        return Database(self._handle, name, False)

    def delete_branch(self, name: str) -> None:
        self._repo().branch_delete(text(name, "branch name"))

    def tag(self, name: str, at: str | None = None) -> str | None:
        """Makes a tag (at this view's ref, or ``at``); answers its commit."""
        place = text(at, "ref") if at is not None else self._default_ref()
        repo = self._repo()
        repo.tag_create(text(name, "tag name"), place)
        return repo.resolve(name)[1]

    def delete_tag(self, name: str) -> None:
        self._repo().tag_delete(text(name, "tag name"))

    # ---- merge ----

    def merge(self, ref: str, into: str | None = None, *, message: str | None = None,
              author: str | None = None, dry_run: bool = False,
              resolutions: str | None = None) -> MergeResult:
        """Merges a ref into a branch (this view's, or ``into``).

        Raises :class:`MergeConflict` when both sides changed the same thing; then no branch
        moved. ``resolutions`` "ours" or "theirs" decides all of them; ``dry_run=True`` tells
        what would happen.
        """
        target = text(into, "branch name") if into is not None else self._branch()
        prefer = 0 if resolutions is None else choice(resolutions, "resolutions",
                                                      ("ours", "theirs")) + 1
        source = text(ref, "ref")
        repo = self._repo()
        try:
            parts = repo.merge(source, target, text_or_none(message, "message"),
                               text_or_none(author, "author"), prefer, bool(dry_run))
        except MergeConflict as error:
            if error._result is not None:
                error.result = self._merge_result(source, target, error._result)
                error.conflicts = error.result.conflicts
                error.tables = list(error.conflicts)
            raise
        return self._merge_result(source, target, parts)

    def _merge_result(self, source: str, target: str,
                      parts: MergeInfo) -> MergeResult:
        kind, commit, base, tables, conflicts = parts
        return MergeResult(kind, commit, base, tables, {
            table: self._conflict(table, base, target, source) for table in conflicts
        })

    def _conflict(self, table: str, base: str | None, ours: str, theirs: str) -> Scan:
        """A conflict of whole tables as a row: which version each side has."""
        texts = [None, None, "table", *(self._version_text(table, ref)
                                        for ref in (base, ours, theirs))]
        names = ("key", "column", "kind", "base", "ours", "theirs")
        columns = tuple((name, "u", (value,)) for name, value in zip(names, texts, strict=True))
        return Scan._of_batches(_native.columns(1, columns))

    def _version_text(self, table: str, ref: str | None) -> str | None:
        if ref is None:
            return None
        try:
            return f"version {self._info(table, self._at(None, ref=ref))[0]}"
        except NotFoundError:
            return None

    # ---- the feed, waiting ----

    def subscribe(self, since: str | None = None, tables: Sequence[str] | str | None = None,
                  timeout: float | None = None) -> Subscription:
        """The feed, waiting for more: a commit of any process arrives within 100 ms.

        ``since`` is a commit, None for the beginning or "now" for the tip of this moment.
        """
        return Subscription(self._repo(), self._default_ref(), since, tables, timeout)

    # ---- upkeep ----

    def verify(self, deep: bool = False) -> VerifyResult:
        """Proves the repository; what it finds is in the answer, nothing is raised for it."""
        ok, problems, objects, size = self._repo().verify(bool(deep))
        return VerifyResult(ok, [Problem(*problem) for problem in problems], objects, size)


def _with_seconds(result: WriteResult, seconds: float) -> WriteResult:
    values = dict(vars(result))
    values["seconds"] = seconds
    return WriteResult(**values)
