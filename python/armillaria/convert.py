"""Arguments: what callers may hand in, checked once and turned into what the library takes."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from .errors import InvalidArgumentError

UTC = dt.timezone.utc
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def text(value: object, what: str) -> str:
    """A str that the library can take: no zero byte, no lone surrogate."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type_name(value)}")
    if "\0" in value:
        raise InvalidArgumentError(f"Invalid {what}: it has a zero byte")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"Invalid {what}: it is not Unicode text") from None
    return value


def text_or_none(value: object, what: str) -> str | None:
    return None if value is None else text(value, what)


def names_or_none(value: object, what: str) -> tuple[str, ...] | None:
    """Names from one str or several; None stays None."""
    if value is None:
        return None
    if isinstance(value, str):
        return (text(value, what),)
    if not isinstance(value, Iterable):
        raise TypeError(f"{what}s must be a list of str, not {type_name(value)}")
    return tuple(text(name, what) for name in value)


def type_name(value: object) -> str:
    """The type as a reader would write it: polars.LazyFrame, dict."""
    kind = type(value)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def whole(value: object, what: str, least: int = 0, most: int = 2**63 - 1) -> int:
    """A whole number (also numpy's), within bounds."""
    index = getattr(value, "__index__", None)
    if index is None or isinstance(value, bool):
        raise TypeError(f"{what} must be an int, not {type_name(value)}")
    number = int(index())
    if not least <= number <= most:
        raise InvalidArgumentError(f"{what} must be at least {least}, not {number}"
                                   if number < least else f"{what} is too large: {number}")
    return number


def whole_or_none(value: object, what: str, least: int = 0) -> int | None:
    return None if value is None else whole(value, what, least)


def choice(value: object, what: str, known: Sequence[str]) -> int:
    """The place of a word in a list of known ones."""
    if not isinstance(value, str) or value not in known:
        raise InvalidArgumentError(f"{what} must be one of {', '.join(known)}, not {value!r}")
    return known.index(value)


def time_of(microseconds: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=microseconds)


def microseconds_or_none(value: object, what: str = "as_of") -> int | None:
    """A datetime or an ISO 8601 text as microseconds since 1970; naive means UTC."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            raise InvalidArgumentError(f"{what} is not an ISO 8601 time: {value!r}") from None
    elif not isinstance(value, dt.datetime):
        if not isinstance(value, dt.date):
            raise TypeError(
                f"{what} must be a datetime or an ISO 8601 text, not {type_name(value)}")
        value = dt.datetime(value.year, value.month, value.day)
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return (value - EPOCH) // _MICROSECOND


def txid_of(value: object) -> bytes:
    """A transaction id: 16 bytes, a uuid.UUID or 32 hex digits."""
    if isinstance(value, uuid.UUID):
        return value.bytes
    if isinstance(value, (bytes, bytearray)) and len(value) == 16:
        return bytes(value)
    if isinstance(value, str) and len(value) == 32:
        try:
            return bytes.fromhex(value)
        except ValueError:
            pass
    raise InvalidArgumentError("txid must be 16 bytes, a uuid.UUID or 32 hex digits")


def metadata_of(value: object) -> list[tuple[str, str]]:
    if value is None:
        return []
    items = getattr(value, "items", None)
    if items is None:
        raise TypeError(f"metadata must be a dict of str to str, not {type_name(value)}")
    return [(text(key, "metadata key"), text(item, "metadata value")) for key, item in items()]


def path_of(value: Any) -> str | bytes:
    path: str | bytes = os.fspath(value)
    if isinstance(path, str):
        text(path, "path")
    return path
