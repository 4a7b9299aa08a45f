"""The tuples that the extension answers with, for the type checker."""

from __future__ import annotations

from typing import TypeAlias

TableInfo: TypeAlias = tuple[
    int | None, str | None, int, int, int, int, int, int, str, list[str], list[str]
]
VersionInfo: TypeAlias = tuple[int, str, int, str, str, int, int]
TableChangeInfo: TypeAlias = tuple[str, str, int | None, int | None, int, int]
CommitInfo: TypeAlias = tuple[
    str, list[str], str, int, str, list[tuple[str, str]], list[TableChangeInfo], bool
]
TableDiffInfo: TypeAlias = tuple[
    str, str, str, int | None, int | None, int, int, int, bool, bool
]
MergeInfo: TypeAlias = tuple[str, str | None, str | None, list[str], list[str]]
ChangeInfo: TypeAlias = tuple[str, str, str, int | None, int | None, int, str, str]
WriteInfo: TypeAlias = tuple[
    str, int | None, str | None, bool, int, int, int, int, int, int, int, int, int, float
]
ChunkInfo: TypeAlias = tuple[
    str, str, str, str, int, int, int, int, int, bool, bool, bool, bool
]

