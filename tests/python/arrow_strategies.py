"""Random tables of every type that tables carry, for property tests."""

from __future__ import annotations

import decimal

import pyarrow as pa
from hypothesis import strategies as st

# Parquet has no unit of seconds: they are kept as milliseconds, which reach less far.
SECONDS = st.integers(-(2**63) // 1000 + 1, 2**63 // 1000 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)


def integers(type_: pa.DataType) -> st.SearchStrategy:
    low = 0 if pa.types.is_unsigned_integer(type_) else -(2 ** (type_.bit_width - 1))
    return st.integers(low, low + 2**type_.bit_width - 1)


def decimals(precision: int, scale: int) -> st.SearchStrategy:
    most = 10**precision - 1
    context = decimal.Context(prec=precision + 2)
    return st.integers(-most, most).map(
        lambda n: context.scaleb(decimal.Decimal(n), -scale))


def fixed(kind: str, unit: str, **extra) -> pa.DataType:
    return getattr(pa, kind)(unit, **extra)


# Types by how their values are made; temporal ones from their raw numbers.
INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(),
            pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
TIMES = [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]
DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
STAMPS = [pa.timestamp(unit, tz) for unit in ("s", "ms", "us", "ns")
          for tz in (None, "UTC", "Europe/Berlin")]
TEXTS = [pa.string(), pa.large_string(), pa.string_view()]
BYTES = [pa.binary(), pa.large_binary(), pa.binary_view()]
DECIMALS = [pa.decimal128(5, 2), pa.decimal128(18, 0), pa.decimal128(38, 10),
            pa.decimal256(50, 20)]


@st.composite
def column(draw, rows: int) -> pa.Array:
    """A column of a random type with nulls."""
    type_, values, via = draw(st.sampled_from(KINDS))
    some = st.lists(st.none() | values, min_size=rows, max_size=rows)
    array = pa.array(draw(some), via)
    return array if via == type_ else array.cast(type_)


def kind(type_, values, via=None):
    return (type_, values, via or type_)


KINDS = (
    [kind(t, integers(t)) for t in INTEGERS]
    + [kind(pa.bool_(), st.booleans())]
    + [kind(pa.float32(), st.floats(width=32)), kind(pa.float64(), st.floats())]
    + [kind(t, st.text(max_size=20)) for t in TEXTS]
    + [kind(t, st.binary(max_size=20)) for t in BYTES]
    + [kind(pa.binary(7), st.binary(min_size=7, max_size=7))]
    + [kind(pa.date32(), st.dates())]
    + [kind(t, st.integers(0, DAY[t.unit] - 1), pa.int32() if t.bit_width == 32 else pa.int64())
       for t in TIMES]
    + [kind(t, SECONDS if t.unit == "s" else I64, pa.int64()) for t in STAMPS]
    + [kind(t, decimals(t.precision, t.scale)) for t in DECIMALS]
    + [kind(pa.null(), st.none())]
    + [kind(pa.dictionary(pa.int32(), pa.string()), st.sampled_from(["a", "bb", "", "ü"]))]
)

METADATA = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=2)


def plain_key(text: str) -> bool:
    return "\0" not in text and not text.startswith(("armi.", "ARROW:", "PARQUET:"))


@st.composite
def tables(draw, max_rows: int = 60) -> pa.Table:
    """A table with metadata on schema and fields, in one or more chunks."""
    rows = draw(st.integers(0, max_rows))
    names = draw(st.lists(st.text(min_size=1, max_size=8).filter(lambda n: "\0" not in n),
                          min_size=1, max_size=5, unique=True))
    arrays = [draw(column(rows)) for _ in names]
    fields = []
    for name, array in zip(names, arrays, strict=True):
        metadata = {k: v for k, v in draw(METADATA).items() if plain_key(k)}
        nullable = array.null_count > 0 or array.type == pa.null() or draw(st.booleans())
        fields.append(pa.field(name, array.type, nullable, metadata or None))
    metadata = {k: v for k, v in draw(METADATA).items() if plain_key(k)}
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata or None))
    cut = draw(st.integers(0, rows))
    return pa.concat_tables([table.slice(0, cut), table.slice(cut)]) if rows else table


def same(a: pa.Table, b: pa.Table) -> bool:
    """Equal to the bit: schema with metadata, nulls, NaN and the sign of zero."""
    assert a.schema.equals(b.schema), f"{a.schema}\n{b.schema}"
    assert (a.schema.metadata or {}) == (b.schema.metadata or {}), (
        a.schema.metadata, b.schema.metadata)
    for x, y in zip(a.schema, b.schema, strict=True):
        assert (x.metadata or {}) == (y.metadata or {}), x.name
    assert a.num_rows == b.num_rows
    for x, y in zip(a.columns, b.columns, strict=True):
        assert bits(x) == bits(y)
    return True


def bits(column: pa.ChunkedArray) -> list:
    """Values as things that compare by their bits."""
    type_ = column.type
    if pa.types.is_dictionary(type_):
        return [value.as_py() for value in column]
    if pa.types.is_floating(type_):
        kind = "e" if type_.bit_width == 16 else "f" if type_.bit_width == 32 else "d"
        import struct

        return [None if v is None else struct.pack(kind, v) if v == v else "nan"
                for v in column.to_pylist()]
    if pa.types.is_timestamp(type_) or pa.types.is_time(type_):
        return [value.value for value in column]
    return column.to_pylist()


__all__ = ["column", "same", "tables"]
