"""Conditions given as ``[(column, op, value), …]``, written as ``where`` text."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Iterable
from typing import Any

from .convert import UTC, type_name
from .errors import InvalidArgumentError

_OPS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
        "in": "in", "not in": "not in", "like": "like", "not like": "not like"}


def where_of(filters: Any) -> str | None:
    """``where`` text as it is, or all of the conditions joined by "and"."""
    if filters is None or isinstance(filters, str):
        return filters
    conditions = [_condition(item) for item in filters]
    return " and ".join(conditions) if conditions else None


def _condition(item: Any) -> str:
    if not isinstance(item, (tuple, list)) or len(item) != 3:
        raise InvalidArgumentError(f"a filter is (column, op, value), not {item!r}")
    column, op, value = item
    if not isinstance(column, str) or not isinstance(op, str):
        raise InvalidArgumentError(f"a filter is (column, op, value), not {item!r}")
    word = _OPS.get(" ".join(op.lower().split()))
    if word is None:
        raise InvalidArgumentError(f"unknown operator {op!r}: {', '.join(_OPS)}")
    name = '"' + column.replace('"', '""') + '"'
    if value is None:
        if word not in ("=", "!="):
            raise InvalidArgumentError(f"None can only be compared with = and !=, not {op}")
        return f"{name} is {'not ' if word == '!=' else ''}null"
    if word.endswith("in"):
        return _membership(name, word, value)
    return f"{name} {word} {literal(value)}"


def _membership(name: str, word: str, values: Any) -> str:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise InvalidArgumentError(f"{word} needs a list of values, not {type_name(values)}")
    literals = [literal(value) for value in values]
    if not literals:  # no value is in an empty list
        return f"({name} is null and {name} is not null)" if word == "in" else "true"
    return f"{name} {word} ({', '.join(literals)})"


def literal(value: Any) -> str:
    """A Python value as a literal of ``where``."""
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()  # numpy
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InvalidArgumentError(f"{value} has no literal in a condition")
        return repr(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"x'{bytes(value).hex()}'"
    if isinstance(value, dt.datetime):
        return _timestamp(value)
    if isinstance(value, dt.date):
        return f"date '{value.isoformat()}'"
    raise InvalidArgumentError(f"{type_name(value)} has no literal in a condition")


def _timestamp(value: dt.datetime) -> str:
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return f"timestamp '{value.isoformat(sep=' ')}'"
