"""pandas: frames in, frames out.

pyarrow turns frames into tables and back by the metadata that it leaves in the schema. What it
does not remember is added there, under "metadata" of a column: the categories of a categorical
(Parquet keeps only those that occur, in the order in which they do) and that a column was
backed by Arrow, which is lost of text.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
from typing import Any

from .errors import InvalidArgumentError

_CATEGORIES = "armillaria_categories"
_ARROW_BACKED = "armillaria_arrow_backed"


def is_frame(data: object) -> bool:
    kind = type(data)
    return kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] == "pandas"


# ---- in ----


def table_of(frame: Any) -> Any:
    """A frame as a ``pyarrow.Table``; an index that is not plain becomes a column."""
    try:
        import pyarrow
    except ImportError:
        raise ImportError("a pandas DataFrame needs pyarrow: "
                          "pip install 'armillaria[pandas]'", name="pyarrow") from None
    for place, name in enumerate(frame.columns):
        if frame.dtypes.iloc[place] == object:
            _check_objects(name, frame.iloc[:, place])
    try:
        table = pyarrow.Table.from_pandas(frame, preserve_index=not _is_plain(frame.index))
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError) as error:
        raise InvalidArgumentError(f"pandas: {' '.join(map(str, error.args))}") from error
    return _remember(frame, table)


def _is_plain(index: Any) -> bool:
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


def _remember(frame: Any, table: Any) -> Any:
    notes: dict[str, dict[str, Any]] = {}
    for name, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if hasattr(dtype, "categories") and _is_json(list(dtype.categories)):
            notes[str(name)] = {_CATEGORIES: list(dtype.categories)}
        elif type(dtype).__name__ == "ArrowDtype":
            notes[str(name)] = {_ARROW_BACKED: True}
    if not notes:
        return table
    metadata = dict(table.schema.metadata)
    pandas = json.loads(metadata[b"pandas"])
    for column in pandas["columns"]:
        if column["name"] in notes:
            column["metadata"] = {**(column["metadata"] or {}), **notes[column["name"]]}
    metadata[b"pandas"] = json.dumps(pandas).encode()
    return table.replace_schema_metadata(metadata)


def _is_json(values: list[Any]) -> bool:
    return all(type(value) in (str, int, float, bool) for value in values)


# ---- out ----


def frame_of(table: Any, options: dict[str, Any]) -> Any:
    """A ``pyarrow.Table`` as a frame, with the index and the dtypes that it was written with."""
    frame = table.to_pandas(**options)
    for name, note in _notes(table).items():
        if name not in frame.columns:
            continue
        if _CATEGORIES in note and hasattr(frame[name].dtype, "categories"):
            known = note[_CATEGORIES]
            new = [value for value in frame[name].cat.categories if value not in known]
            frame[name] = frame[name].cat.set_categories(known + new)
        if note.get(_ARROW_BACKED) and type(frame[name].dtype).__name__ != "ArrowDtype":
            import pandas

            frame[name] = frame[name].astype(pandas.ArrowDtype(table.schema.field(name).type))
    return frame


def _notes(table: Any) -> dict[str, dict[str, Any]]:
    """What ``_remember`` noted; metadata of any other shape is somebody else's."""
    try:
        columns = json.loads((table.schema.metadata or {}).get(b"pandas", b"{}"))["columns"]
        notes = {column["name"]: column["metadata"] for column in columns}
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: note for name, note in notes.items() if isinstance(note, dict)}
