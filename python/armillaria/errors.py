"""Errors: one class for each kind of answer, all of them :class:`Error`.

Each carries ``kind`` and ``name`` of the object it is about ("table", "flights"); conflicts
also say ``branch``, ``tables`` and the other ``commit``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .results import MergeResult
    from .scan import Scan


class Error(Exception):
    """Anything that Armillaria refuses or could not do."""

    kind: str | None = None
    name: str | None = None
    branch: str | None = None
    commit: str | None = None
    tables: list[str] = []


class NotFoundError(Error, LookupError):
    """No such table, version, branch, tag, commit, chunk or column."""


class AlreadyExistsError(Error):
    """The name is taken."""


class InvalidArgumentError(Error, ValueError):
    """An argument, a name or the data handed in is wrong."""


class UnsupportedError(InvalidArgumentError):
    """Well-formed, but this version does not carry it."""


class SchemaMismatchError(Error):
    """The data does not fit the table's schema."""


class ConstraintError(Error):
    """A null in a column that has none, or a key that is there already."""


class ConflictError(Error):
    """Another commit changed the same thing first; nothing was written."""


class MergeConflict(ConflictError):
    """Both sides of a merge changed the same thing; no branch moved.

    ``conflicts`` has a :class:`Scan` for each table, ``result`` the whole answer.
    """

    conflicts: dict[str, Scan] = {}
    result: MergeResult | None = None
    _result: Any = None


class CommitUnknownError(Error):
    """The system failed while ``commit`` was being made durable: it may be there or not.

    ``db.show(error.commit)`` tells; a write with the same ``txid`` lands once.
    """


class CorruptionError(Error):
    """Bytes do not match their hash or their format."""


class StorageError(Error, OSError):
    """The operating system refused; ``errno`` says why."""

    def __str__(self) -> str:
        return str(self.args[-1]) if self.args else ""


class BusyError(Error):
    """A lock was not to be had within ``lock_timeout``."""


class LimitError(Error):
    """Larger than a stated limit."""


_BY_STATUS: dict[str, type[Error]] = {
    "storage": StorageError,
    "not_found": NotFoundError,
    "already_exists": AlreadyExistsError,
    "invalid": InvalidArgumentError,
    "schema_mismatch": SchemaMismatchError,
    "constraint": ConstraintError,
    "conflict": ConflictError,
    "merge_conflict": MergeConflict,
    "commit_unknown": CommitUnknownError,
    "corruption": CorruptionError,
    "limit": LimitError,
    "unsupported": UnsupportedError,
    "busy": BusyError,
}


def make_error(
    status: str,
    errno: int,
    message: str,
    kind: str,
    name: str,
    branch: str,
    commit: str | None,
) -> Error:
    """The exception for an error of the library (called by the extension)."""
    error = _BY_STATUS.get(status, Error)(message)
    if isinstance(error, StorageError):
        error.errno = errno or None
    error.kind = kind or None
    error.name = name or None
    error.branch = branch or None
    error.commit = commit
    if isinstance(error, ConflictError):
        error.tables = [part.strip() for part in name.split(",")] if name else []
    return error
