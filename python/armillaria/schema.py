"""Schemas: columns and types, with or without an Arrow library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import _native

_NULLABLE = 2

_SIMPLE = {
    "n": "null", "b": "bool", "c": "int8", "C": "uint8", "s": "int16", "S": "uint16",
    "i": "int32", "I": "uint32", "l": "int64", "L": "uint64", "e": "halffloat", "f": "float",
    "g": "double", "z": "binary", "Z": "large_binary", "vz": "binary_view", "u": "string",
    "U": "large_string", "vu": "string_view", "tdD": "date32[day]", "tdm": "date64[ms]",
    "tts": "time32[s]", "ttm": "time32[ms]", "ttu": "time64[us]", "ttn": "time64[ns]",
    "tDs": "duration[s]", "tDm": "duration[ms]", "tDu": "duration[us]", "tDn": "duration[ns]",
    "tiM": "month_interval", "tiD": "day_time_interval", "tin": "month_day_nano_interval",
}
_UNITS = {"s": "s", "m": "ms", "u": "us", "n": "ns"}
_LISTS = {"+l": "list", "+L": "large_list", "+vl": "list_view", "+vL": "large_list_view"}
_DECIMALS = {"32": "decimal32", "64": "decimal64", "128": "decimal128", "256": "decimal256"}


def _type_text(format: str, children: list[Any], dictionary: Any, flags: int) -> str:
    """The type in the words of pyarrow."""
    if dictionary is not None:
        values = _type_text(dictionary[0], dictionary[4], dictionary[5], dictionary[2])
        ordered = int(bool(flags & 1))
        return f"dictionary<values={values}, indices={_SIMPLE[format]}, ordered={ordered}>"
    if format in _SIMPLE:
        return _SIMPLE[format]
    head, _, rest = format.partition(":")
    if head.startswith("ts"):
        unit = _UNITS.get(head[2:], head[2:])
        return f"timestamp[{unit}, tz={rest}]" if rest else f"timestamp[{unit}]"
    if head == "d":
        parts = rest.split(",")
        name = _DECIMALS.get(parts[2] if len(parts) > 2 else "128", "decimal")
        return f"{name}({parts[0]}, {parts[1]})"
    if head == "w":
        return f"fixed_size_binary[{rest}]"
    return _nested_text(format, head, rest, children)


def _nested_text(format: str, head: str, rest: str, children: list[Any]) -> str:
    if format == "+m":
        key, value = children[0][4]
        return f"map<{_tree_text(key)}, {_tree_text(value)}>"
    parts = [_child_text(child) for child in children]
    if format in _LISTS:
        return f"{_LISTS[format]}<{parts[0]}>"
    if head == "+w":
        return f"fixed_size_list<{parts[0]}>[{rest}]"
    if format == "+s":
        return f"struct<{', '.join(parts)}>"
    return f"{format}<{', '.join(parts)}>"


def _tree_text(tree: Any) -> str:
    return _type_text(tree[0], tree[4], tree[5], tree[2])


def _child_text(tree: Any) -> str:
    null = "" if tree[2] & _NULLABLE else " not null"
    return f"{tree[1]}: {_tree_text(tree)}{null}"


@dataclass(frozen=True)
class Field:
    """One column: its name, its type in the words of pyarrow, whether it may hold nulls."""

    name: str
    type: str
    nullable: bool
    metadata: dict[bytes, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}: {self.type}{'' if self.nullable else ' not null'}"


class Schema:
    """The columns of a table. ``pyarrow.schema(this)`` takes it without a copy of our own."""

    def __init__(self, native: _native.Schema) -> None:
        self._native = native
        tree = native.tree()
        self._tree = tree
        self.fields: tuple[Field, ...] = tuple(
            Field(child[1], _tree_text(child), bool(child[2] & _NULLABLE), dict(child[3]))
            for child in tree[4]
        )
        self.metadata: dict[bytes, bytes] = dict(tree[3])

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.fields]

    @property
    def types(self) -> list[str]:
        return [column.type for column in self.fields]

    def field(self, which: int | str) -> Field:
        """A column by place or name."""
        if isinstance(which, int):
            return self.fields[which]
        for column in self.fields:
            if column.name == which:
                return column
        raise KeyError(which)

    def to_arrow(self) -> Any:
        """As a ``pyarrow.Schema``."""
        import pyarrow

        return pyarrow.schema(self)

    def __arrow_c_schema__(self) -> object:
        return self._native.__arrow_c_schema__()

    def __len__(self) -> int:
        return len(self.fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Schema):
            return bool(self._tree == other._tree)
        if hasattr(other, "__arrow_c_schema__"):
            return bool(self._tree == _native.schema(other.__arrow_c_schema__()).tree())
        return NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.names))

    def __str__(self) -> str:
        return "\n".join(str(column) for column in self.fields)

    def __repr__(self) -> str:
        return f"Schema({', '.join(str(column) for column in self.fields)})"
