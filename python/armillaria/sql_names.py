"""Where a statement names tables: found with sqlglot, spliced as text, never re-printed.

Two passes. The first works on tokens and takes out what only Armillaria knows: ``t@dev``,
``"t@feature-x"`` and ``AT (VERSION => 3)``; a quoted placeholder stands in for each. What is
left is DuckDB's SQL, so the second can ask sqlglot's parser which names are tables (and not
columns, functions or common table expressions). Spliced back is a quoted name of ours for
each, and an alias where the statement gave none, so that ``flights.origin`` still means what
it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from .convert import microseconds_or_none, whole
from .errors import InvalidArgumentError

_PREFIX = "__armi_"
_REF_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/")


@dataclass(frozen=True)
class TableName:
    """A table as a statement names it."""

    parts: tuple[str, ...]
    ref: str | None = None
    version: int | None = None
    as_of: int | None = None

    @property
    def is_explicit(self) -> bool:
        return self.ref is not None or self.version is not None or self.as_of is not None

    @property
    def dotted(self) -> str:
        return ".".join(self.parts)


@dataclass
class Statement:
    """A text ready for DuckDB, the sources it names, and the columns that it may need."""

    text: str
    sources: dict[str, TableName] = field(default_factory=dict)
    columns: frozenset[str] | None = None  # in lower case; None: all


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# ---- the first pass: tokens ----


@dataclass
class _Edit:
    start: int
    end: int  # behind the last character
    name: TableName


class _Tokens:
    """A walk over the tokens with their places in the text."""

    def __init__(self, query: str) -> None:
        self.query = query
        self.tokens = list(sqlglot.tokenize(query, read="duckdb"))

    def kind(self, index: int) -> str:
        inside = 0 <= index < len(self.tokens)
        return self.tokens[index].token_type.name if inside else ""

    def text(self, index: int) -> str:
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def touches(self, index: int) -> bool:
        """Whether the token follows the one before it without a space."""
        return 0 < index < len(self.tokens) and (
            self.tokens[index - 1].end + 1 == self.tokens[index].start)

    def is_name(self, index: int) -> bool:
        kind, text = self.kind(index), self.text(index)
        if kind == "IDENTIFIER":
            return True
        return kind not in ("", "STRING", "NUMBER") and text.isidentifier()

    def is_source(self, index: int) -> bool:
        """Whether a table may stand here: after FROM, JOIN, a comma or a parenthesis."""
        return self.kind(index - 1) in ("FROM", "JOIN", "COMMA", "L_PAREN", "DESCRIBE",
                                        "SUMMARIZE", "TABLE", "PIVOT", "UNPIVOT")


def _explicit_names(tokens: _Tokens) -> Iterator[_Edit]:
    index = 0
    while index < len(tokens.tokens):
        if not tokens.is_name(index) or not tokens.is_source(index):
            index += 1
            continue
        edit, index = _read_name(tokens, index)
        if edit is not None:
            yield edit


def _read_name(tokens: _Tokens, index: int) -> tuple[_Edit | None, int]:
    """``a.b``, ``@ref``, ``AT (…)`` from here on; None when nothing in it is ours."""
    first = index
    parts = [tokens.text(index)]
    index += 1
    while tokens.kind(index) == "DOT" and tokens.is_name(index + 1):
        parts.append(tokens.text(index + 1))
        index += 2
    end = tokens.tokens[index - 1].end + 1
    ref: str | None = None
    if "@" in parts[-1]:
        parts[-1], _, ref = parts[-1].partition("@")
    elif tokens.text(index) == "@" and tokens.touches(index):
        ref, end = _read_ref(tokens.query, tokens.tokens[index].end + 1)
        while index < len(tokens.tokens) and tokens.tokens[index].start < end:
            index += 1
    version, as_of, index, end = _read_at(tokens, index, end)
    name = TableName(tuple(parts), ref, version, as_of)
    start = tokens.tokens[first].start
    return (_Edit(start, end, name) if name.is_explicit else None), max(index, first + 1)


def _read_ref(query: str, start: int) -> tuple[str, int]:
    end = start
    while end < len(query) and query[end] in _REF_CHARACTERS:
        end += 1
    if end == start:
        raise InvalidArgumentError("a branch, tag or commit must follow the @ of a table; "
                                   'quote a name with other characters: "t@feature-x"')
    return query[start:end], end


def _read_at(tokens: _Tokens, index: int,
             end: int) -> tuple[int | None, int | None, int, int]:
    """``AT (VERSION => 3)`` or ``AT (TIMESTAMP => '…')``, if it is there."""
    words = [tokens.text(index + step).upper() for step in range(4)]
    if words[0] != "AT" or words[1] != "(" or words[3] != "=>":
        return None, None, index, end
    if words[2] not in ("VERSION", "TIMESTAMP"):
        raise InvalidArgumentError(
            f"AT takes VERSION => a number or TIMESTAMP => '…', not {words[2]}")
    index += 4
    if words[2] == "TIMESTAMP" and tokens.text(index).upper() in ("TIMESTAMP", "TIMESTAMPTZ"):
        index += 1
    value, kind = tokens.text(index), tokens.kind(index)
    if tokens.kind(index + 1) != "R_PAREN":
        raise InvalidArgumentError(f"AT ({words[2]} => …) takes one literal")
    end = tokens.tokens[index + 1].end + 1
    if words[2] == "VERSION":
        if kind != "NUMBER" or not value.isdecimal():
            raise InvalidArgumentError(f"AT (VERSION => …) takes a number, not {value!r}")
        return whole(int(value), "version", 1), None, index + 2, end
    if kind != "STRING":
        raise InvalidArgumentError(f"AT (TIMESTAMP => …) takes a text, not {value}")
    return None, microseconds_or_none(value, "TIMESTAMP"), index + 2, end


# ---- the second pass: the parser ----


def _table_nodes(trees: list[Any]) -> Iterator[Any]:
    for tree in trees:
        if tree is None:
            continue
        for node in tree.find_all(exp.Table):
            if isinstance(node.this, exp.Identifier) and not _is_common(node):
                yield node


def _with_of(node: Any) -> Any:
    return node.args.get("with_") or node.args.get("with")


def _is_common(table: Any) -> bool:
    """Whether the name is a common table expression that is visible here."""
    if len(table.parts) != 1:
        return False
    name = table.name.lower()
    node, inside = table, None
    while node.parent is not None:
        parent = node.parent
        if isinstance(node, exp.CTE):
            inside = node
        clause = parent if isinstance(parent, exp.With) else _with_of(parent)
        if clause is not None and node is not clause:
            visible = list(clause.expressions)
            if inside is not None and inside in visible and not clause.args.get("recursive"):
                visible = visible[: visible.index(inside)]
            if any(cte.alias.lower() == name for cte in visible):
                return True
        node = parent
    return False


def _span(node: Any) -> tuple[int, int] | None:
    places = [part.meta for part in node.parts]
    if any("start" not in place or "end" not in place for place in places):
        return None
    return places[0]["start"], places[-1]["end"] + 1


def _needs_alias(node: Any) -> bool:
    return not node.alias and isinstance(node.parent, (exp.From, exp.Join))


def _siblings(node: Any) -> list[str]:
    """The names under which the other tables of the same SELECT go."""
    select = node.find_ancestor(exp.Select)
    if select is None:
        return []
    return [other.alias_or_name.lower() for other in select.find_all(exp.Table)
            if other is not node and other.find_ancestor(exp.Select) is select]


def _columns(trees: list[Any], names: set[str]) -> frozenset[str] | None:
    """Every identifier, in lower case: no column outside this set can be needed. None when the
    statement may take columns that it does not spell out."""
    found: set[str] = set()
    for tree in trees:
        if tree is None or isinstance(tree, (exp.Describe, exp.Summarize)):
            return None
        for node in tree.walk():
            if isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
                return None
            if isinstance(node, (exp.Pivot, exp.Columns, exp.Command)):
                return None
            if isinstance(node, exp.Join) and node.args.get("method") == "NATURAL":
                return None
            if isinstance(node, exp.Column) and not node.table and node.name.lower() in names:
                return None  # a whole row, by the name of its table
            if isinstance(node, exp.Identifier):
                found.add(node.name.lower())
    return frozenset(found)


# ---- both ----


def read_statement(query: str, resolve: Callable[[TableName], TableName | None]) -> Statement:
    """The statement with its tables taken out.

    ``resolve`` gives the table that a name means, or None when it is not one of ours.
    """
    try:
        tokens = _Tokens(query)
    except SqlglotError:
        return Statement(query)  # DuckDB says what is wrong with it
    explicit: dict[str, TableName] = {}
    text = query
    for edit in reversed(list(_explicit_names(tokens))):
        key = f"{_PREFIX}x{len(explicit)}"
        explicit[key] = edit.name
        text = text[: edit.start] + quoted(key) + text[edit.end:]
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except SqlglotError:
        return _unparsed(text, explicit, resolve)
    return _splice(text, trees, explicit, resolve)


def _splice(text: str, trees: list[Any], explicit: dict[str, TableName],
            resolve: Callable[[TableName], TableName | None]) -> Statement:
    statement = Statement(text)
    edits: list[tuple[int, int, str]] = []
    known: set[str] = set()
    for node in _table_nodes(trees):
        span = _span(node)
        written = explicit.get(node.name) if len(node.parts) == 1 else None
        found = resolve(written or TableName(tuple(part.name for part in node.parts)))
        if found is None or span is None:
            continue
        key = f"{_PREFIX}{len(statement.sources)}"
        statement.sources[key] = found
        alias = (written or found).parts[-1] if written else node.parts[-1].name
        known.update((alias.lower(), node.alias.lower()))
        new = quoted(key)
        if _needs_alias(node):
            if written is not None and written.ref and alias.lower() in _siblings(node):
                alias = f"{alias}@{written.ref}"
            new += f" AS {quoted(alias)}"
        edits.append((*span, new))
    for start, end, new in sorted(edits, reverse=True):
        statement.text = statement.text[:start] + new + statement.text[end:]
    statement.columns = _columns(trees, known - {""})
    return statement


def _unparsed(text: str, explicit: dict[str, TableName],
              resolve: Callable[[TableName], TableName | None]) -> Statement:
    """What the parser does not know is left to DuckDB, with every name that may be a table
    registered under the name it goes by."""
    statement = Statement(text)
    for key, name in explicit.items():
        found = resolve(name)
        if found is not None:
            statement.sources[key] = found
    tokens = _Tokens(text)
    for index in range(len(tokens.tokens)):
        word = tokens.text(index)
        if not tokens.is_name(index) or word in statement.sources:
            continue
        found = resolve(TableName((word,)))
        if found is not None:
            statement.sources[word] = found
    return statement
