"""Data in: anything that speaks the Arrow PyCapsule protocol, and pandas through pyarrow."""

from __future__ import annotations

from typing import Any

from . import _native
from .convert import type_name
from .frames import is_frame, table_of


def stream_of(data: Any) -> object:
    """The data as an ``arrow_array_stream`` capsule; TypeError names what is not tabular."""
    if is_frame(data):
        return table_of(data).__arrow_c_stream__()
    if isinstance(data, type):
        raise TypeError(_not_tabular(data))
    if hasattr(data, "__arrow_c_stream__"):
        capsule = data.__arrow_c_stream__()
        _check_struct(data, _peek_format(data))
        return capsule
    if hasattr(data, "__arrow_c_array__"):
        schema, array = data.__arrow_c_array__()
        _check_struct(data, _native.schema(schema).tree()[0])
        return _native.batch(schema, array).__arrow_c_stream__()
    raise TypeError(_not_tabular(data))


def _not_tabular(data: object) -> str:
    return (f"{type_name(data)} is not tabular data: it has no __arrow_c_stream__ "
            "(pass a pyarrow, Polars, DuckDB or pandas table)")


def _peek_format(data: Any) -> str | None:
    """The Arrow format of what the object streams, where asking costs nothing."""
    schema = getattr(data, "__arrow_c_schema__", None)
    if schema is None:
        kind = getattr(data, "type", None)
        schema = getattr(kind, "__arrow_c_schema__", None)
    if schema is None:
        return None
    format: str = _native.schema(schema()).tree()[0]
    return format


def _check_struct(data: object, format: str | None) -> None:
    if format is not None and format != "+s":
        raise TypeError(f"{type_name(data)} is a single column, not a table")
