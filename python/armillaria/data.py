"""Data in: anything that speaks the Arrow PyCapsule protocol, and pandas through pyarrow."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

from . import _native
from .convert import type_name
from .errors import InvalidArgumentError


def stream_of(data: Any) -> object:
    """The data as an ``arrow_array_stream`` capsule; TypeError names what is not tabular."""
    if _is_pandas(data):
        return _pandas_table(data).__arrow_c_stream__()
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


# ---- pandas ----


def _is_pandas(data: object) -> bool:
    kind = type(data)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


def _pandas_table(frame: Any) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ImportError("a pandas DataFrame needs pyarrow: "
                          "pip install 'armillaria[pandas]'") from None
    for place, name in enumerate(frame.columns):
        if frame.dtypes.iloc[place] == object:
            _check_objects(name, frame.iloc[:, place])
    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=not _plain_index(frame.index))
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise InvalidArgumentError(f"pandas: {' '.join(map(str, error.args))}") from error


def _plain_index(index: Any) -> bool:
    return (type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
            and index.name is None)


# What to_pandas() itself hands out as objects, beside text.
_OBJECTS = (bytes, decimal.Decimal, dt.date, dt.time)


def _check_objects(name: object, column: Any) -> None:
    """Objects must be text, or all of one of the few types that pandas has no dtype for."""
    kinds = {type(value) for value in column[column.notna()]}
    if all(issubclass(kind, str) for kind in kinds):
        return
    if len(kinds) == 1 and next(iter(kinds)) in _OBJECTS:
        return
    names = ", ".join(sorted(kind.__qualname__ for kind in kinds))
    raise InvalidArgumentError(
        f'Column "{name}" holds objects that are not strings ({names}): give it a dtype')
