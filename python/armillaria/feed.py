"""The change feed: what happened, in order, missing nothing and repeating nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from types import TracebackType

from . import _native
from .convert import names_or_none, text_or_none, time_of
from .results import Change
from .scan import Scan

_POLL_SECONDS = 0.025


class _Feed:
    def __init__(self, repo: _native.Repository, ref: str, since: str | None,
                 tables: Sequence[str] | str | None) -> None:
        self._repo = repo
        now = since == "now"
        start = None if now else text_or_none(since, "commit")
        self._native = repo.changes(ref, start, now, names_or_none(tables, "table name"))

    @property
    def since(self) -> str | None:
        """Where to go on: the last commit that was delivered whole."""
        return self._native.since()

    def _take(self) -> Change | None:
        parts = self._native.next()
        if parts is None:
            return None
        commit, table, op, old, new, when, author, message = parts
        repo = self._repo

        def rows() -> Scan:
            def opener() -> _native.Stream:
                return repo.diff_rows(None, commit, table, old or 0, new or 0, None, False)

            return Scan(opener, ready=opener())

        return Change(commit, table, old, new, time_of(when), author, message, op, rows)


class Changes(_Feed):
    """An iterator over the changes that are there; ends when there is no more."""

    def __iter__(self) -> Iterator[Change]:
        return self

    def __next__(self) -> Change:
        change = self._take()
        if change is None:
            raise StopIteration
        return change


class Subscription(_Feed):
    """An iterator that waits for more. ``stop()`` ends it, from any thread; so does ``with``."""

    def __init__(self, repo: _native.Repository, ref: str, since: str | None,
                 tables: Sequence[str] | str | None, timeout: float | None) -> None:
        super().__init__(repo, ref, since, tables)
        self._timeout = timeout
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends the iteration; a waiting thread wakes up."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Change]:
        return self

    def __next__(self) -> Change:
        """The next change; ends when stopped, or when nothing came within ``timeout``."""
        deadline = None if self._timeout is None else time.monotonic() + self._timeout
        while not self._stopped.is_set():
            change = self._take()
            if change is not None:
                return change
            wait = _POLL_SECONDS
            if deadline is not None:
                wait = min(wait, deadline - time.monotonic())
                if wait <= 0:
                    break
            self._stopped.wait(wait)
        raise StopIteration

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()
