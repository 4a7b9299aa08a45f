"""Handles over the C library. Use the package armillaria."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, TypeAlias, final, type_check_only

version: str

_At: TypeAlias = str | None

# ---- what calls answer ----

TableInfo: TypeAlias = tuple[
    int | None, str | None, int, int, int, int, int, int, str, list[str], list[str]
]
