"""Columns of every Arrow type that Parquet can carry, in every shape that breaks encoders.

A column is made of a type and a shape, the same for the same seed. What lies under nulls is
random on purpose: values, text that is no UTF-8, items of null lists.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# ---- types ----


def decimals() -> dict[str, pa.DataType]:
    chosen = [(pa.decimal32, [(1, 0), (5, 2), (9, 9)]),
              (pa.decimal64, [(7, 2), (18, 4)]),
              (pa.decimal128, [(4, 1), (12, 3), (19, 0), (38, 10)]),
              (pa.decimal256, [(9, 2), (38, 5), (40, 0), (76, 38)])]
    return {f"decimal{str(make(1, 0)).split('(')[0][7:]}({p}, {s})": make(p, s)
            for make, sizes in chosen for p, s in sizes}


FLAT = {
    **{str(t): t for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64(),
                           pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
                           pa.float16(), pa.float32(), pa.float64(), pa.bool_(),
                           pa.string(), pa.large_string(), pa.string_view(),
                           pa.binary(), pa.large_binary(), pa.binary_view(),
                           pa.binary(1), pa.binary(5), pa.binary(16), pa.binary(0),
                           pa.date32(), pa.date64(), pa.null())},
    **decimals(),
    **{str(t): t for unit in ("s", "ms", "us", "ns")
       for t in (pa.time32(unit) if unit in ("s", "ms") else pa.time64(unit),
                 pa.timestamp(unit), pa.timestamp(unit, "UTC"),
                 pa.timestamp(unit, "America/New_York"), pa.timestamp(unit, "+05:30"),
                 pa.duration(unit))},
}
DICTIONARIES = {
    **{f"dictionary<string, {index}>": pa.dictionary(index, pa.string())
       for index in (pa.int8(), pa.int16(), pa.int32(), pa.int64(),
                     pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())},
    "dictionary<string, ordered>": pa.dictionary(pa.int32(), pa.string(), ordered=True),
    "dictionary<large_string>": pa.dictionary(pa.int32(), pa.large_string()),
    "dictionary<binary>": pa.dictionary(pa.int32(), pa.binary()),
    "dictionary<int64>": pa.dictionary(pa.int32(), pa.int64()),
    "dictionary<double>": pa.dictionary(pa.int16(), pa.float64()),
    "dictionary<timestamp>": pa.dictionary(pa.int32(), pa.timestamp("us")),
    "dictionary<decimal>": pa.dictionary(pa.int32(), pa.decimal128(20, 2)),
    "dictionary<fixed>": pa.dictionary(pa.int32(), pa.binary(4)),
}
INT, TEXT = pa.int32(), pa.string()
NESTED = {
    "struct": pa.struct([("a", INT), ("b", TEXT)]),
    "struct<required>": pa.struct([pa.field("a", pa.int64(), False), ("b", pa.bool_())]),
    "list<int>": pa.list_(INT),
    "list<string>": pa.list_(TEXT),
    "list<bool>": pa.list_(pa.bool_()),
    "list<decimal>": pa.list_(pa.decimal128(20, 2)),
    "list<dictionary>": pa.list_(pa.dictionary(pa.int32(), TEXT)),
    "list<null>": pa.list_(pa.null()),
    "list<not null>": pa.list_(pa.field("item", INT, False)),
    "large_list": pa.large_list(TEXT),
    "fixed_list<2>": pa.list_(INT, 2),
    "fixed_list<3> of string": pa.list_(TEXT, 3),
    "map<string, int>": pa.map_(TEXT, INT),
    "map<int, list>": pa.map_(INT, pa.list_(TEXT)),
    "list<list<list>>": pa.list_(pa.list_(pa.list_(INT))),
    "list<struct<list>>": pa.list_(pa.struct([("a", INT), ("b", pa.list_(TEXT))])),
    "struct<struct<struct>>": pa.struct(
        [("x", pa.struct([("y", pa.struct([("z", TEXT), ("n", INT)])), ("w", pa.float64())]))]),
    "struct<list, map>": pa.struct([("l", pa.large_list(INT)), ("m", pa.map_(TEXT, pa.date32()))]),
    "map<string, struct<list>>": pa.map_(TEXT, pa.struct([("l", pa.list_(INT)), ("t", TEXT)])),
    "list<fixed_list>": pa.list_(pa.list_(pa.float32(), 2)),
    "fixed_list of list": pa.list_(pa.list_(INT), 2),
    "list<map>": pa.list_(pa.map_(TEXT, INT)),
    "list<uuid>": pa.list_(pa.uuid()),
    "list<timestamp[s]>": pa.list_(pa.timestamp("s")),
    "list_view": pa.list_view(INT),
}
ENCODED = {
    "run_end_encoded<int>": pa.run_end_encoded(pa.int32(), pa.int64()),
    "run_end_encoded<string>": pa.run_end_encoded(pa.int16(), pa.string()),
}
EXTENSIONS = {
    "uuid": pa.uuid(),
    "json": pa.json_(pa.string()),
    "json<large>": pa.json_(pa.large_string()),
}
TYPES = {**FLAT, **DICTIONARIES, **NESTED, **ENCODED, **EXTENSIONS}


# ---- shapes ----


@dataclass(frozen=True)
class Shape:
    """How many rows, which nulls, how many distinct values, and how the array is cut."""

    rows: int = 300
    nulls: float = 0.2
    values: str = "any"  # any | few | rising | runs
    offset: int = 0
    ragged: bool = False


SHAPES = {
    "no nulls": Shape(nulls=0),
    "some nulls": Shape(),
    "mostly null": Shape(nulls=0.97),
    "all null": Shape(nulls=1),
    "empty": Shape(rows=0),
    "one row": Shape(rows=1, nulls=0),
    "one null": Shape(rows=1, nulls=1),
    "sliced": Shape(offset=13),
    "ragged": Shape(offset=3, ragged=True, values="few"),
    "few values": Shape(rows=5000, values="few"),
    "runs": Shape(rows=5000, nulls=0, values="runs"),
    "rising": Shape(rows=3000, nulls=0.05, values="rising"),
    "many": Shape(rows=70_000, nulls=0.1),
    "many rising": Shape(rows=70_000, nulls=0, values="rising"),
    "many few": Shape(rows=70_000, nulls=0.3, values="few", ragged=True),
}


def fits(type_: pa.DataType, shape: Shape) -> bool:
    """Whether there is such a column: 16-bit run ends count no further than 32,767."""
    return shape.rows <= 32_767 or type_ != pa.run_end_encoded(pa.int16(), pa.string())


def column(type_: pa.DataType, shape: Shape, seed: object = 0) -> pa.ChunkedArray:
    """A column of that type and shape."""
    rng = np.random.default_rng(zlib.crc32(f"{type_}{shape}{seed}".encode()))
    array = make(type_, shape.rows + 2 * shape.offset, shape, rng)
    array = array.slice(shape.offset, shape.rows)
    if not shape.ragged:
        return pa.chunked_array([array], type_)
    cuts = np.sort(rng.integers(0, shape.rows + 1, 7))
    edges = [0, *cuts, shape.rows]
    return pa.chunked_array([array.slice(a, b - a) for a, b in zip(edges, edges[1:], strict=False)],
                            type_)


def _validity(rows: int, shape: Shape, rng) -> tuple[pa.Buffer | None, int]:
    if shape.nulls == 0:
        return None, 0
    valid = rng.random(rows) >= shape.nulls
    return pa.py_buffer(np.packbits(valid, bitorder="little").tobytes()), int(rows - valid.sum())


def _numbers(rows: int, low: int, high: int, shape: Shape, rng) -> np.ndarray:
    """Numbers of [low, high], which is within int64 or uint64, as that type."""
    kind = np.int64 if low < 0 or high < 2**63 else np.uint64
    if shape.values == "rising":
        step = max(1, min(37, (high - low) // max(rows, 1)))
        start = low + (high - low) // 3 if high - low > 2**20 else low
        values = np.cumsum(rng.integers(0, step, rows, endpoint=True), dtype=np.int64)
        return np.minimum(values, (high - start) & 0x7FFFFFFFFFFFFFFF).astype(kind) + kind(start)
    if shape.values == "runs":
        base = rng.integers(low, high, rows // 50 + 1, dtype=kind, endpoint=True)
        return np.repeat(base, 50)[:rows]
    if shape.values == "few":
        base = rng.integers(low, high, 9, dtype=kind, endpoint=True)
        return base[rng.integers(0, 9, rows)]
    values = rng.integers(low, high, rows, dtype=kind, endpoint=True)
    if rows > 4:
        values[rng.integers(0, rows, 4)] = [low, high, low, high]
    return values


def _floats(rows: int, bits: int, shape: Shape, rng) -> np.ndarray:
    kind = {16: np.float16, 32: np.float32, 64: np.float64}[bits]
    odd = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1.5, -1.5], kind)
    if shape.values == "any":
        values = rng.normal(0, 100, rows).astype(kind)
        at = rng.random(rows) < 0.05
        values[at] = odd[rng.integers(0, len(odd), int(at.sum()))]
        return values
    return (_numbers(rows, -1000, 1000, shape, rng) / 8).astype(kind)


LETTERS = np.array(list("abcdefghijé€🍄ß中 _/"), object)


def _texts(rows: int, shape: Shape, rng) -> list[bytes]:
    if shape.values == "rising":
        return [b"/api/v1/item/%09d" % n for n in range(rows)]
    count = {"few": 9, "runs": rows // 50 + 1}.get(shape.values, min(rows, 4000))
    sizes = np.minimum(rng.geometric(0.08, count) - 1, 300)
    pool = ["".join(LETTERS[rng.integers(0, len(LETTERS), size)]).encode() for size in sizes]
    if shape.values == "runs":
        return [text for text in pool for _ in range(50)][:rows]
    if shape.values == "few":
        return [pool[i] for i in rng.integers(0, count, rows)]
    return [pool[i % count] + (b"%d" % i if i >= count else b"") for i in range(rows)]


def _bytes(rows: int, shape: Shape, rng) -> list[bytes]:
    return [text[::-1] + b"\xff\x00" if text else text for text in _texts(rows, shape, rng)]


def _strings(type_: pa.DataType, rows: int, shape: Shape, rng) -> pa.Array:
    is_text = type_ in (pa.string(), pa.large_string(), pa.string_view())
    values = (_texts if is_text else _bytes)(rows, shape, rng)
    validity, nulls = _validity(rows, shape, rng)
    if validity is not None and is_text:  # no UTF-8 under nulls
        keep = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")[:rows]
        values = [v if k else b"\xff\xfe" + v for v, k in zip(values, keep, strict=True)]
    if type_ in (pa.string_view(), pa.binary_view()):
        big = pa.array(values, pa.binary_view()).buffers()
        return pa.Array.from_buffers(type_, rows, [validity, *big[1:]], nulls)
    wide = type_ in (pa.large_string(), pa.large_binary())
    offsets = np.zeros(rows + 1, np.int64 if wide else np.int32)
    np.cumsum([len(v) for v in values], out=offsets[1:])
    return pa.Array.from_buffers(
        type_, rows, [validity, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))], nulls)


def _decimal(type_: pa.DataType, rows: int, shape: Shape, rng) -> np.ndarray:
    most, width = 10**type_.precision - 1, type_.bit_width // 8
    small = min(most, 2**63 - 1)
    low = _numbers(rows, -small, small, shape, rng).tolist()
    if most > small and shape.values == "any":
        low = [n * (most // small) + (n & 1) for n in low]
    return np.frombuffer(b"".join(max(-most, min(most, n)).to_bytes(width, "little", signed=True)
                                  for n in low), np.uint8)


SECOND = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}


def _range(type_: pa.DataType) -> tuple[int, int]:
    """Raw values that every part of a round trip can hold: seconds are kept as milliseconds."""
    if pa.types.is_time(type_):
        return 0, 86_400 * SECOND[type_.unit] - 1
    if pa.types.is_timestamp(type_):
        reach = 9_000_000_000 if type_.unit != "ns" else 9_000_000_000
        return -2_200_000_000 * SECOND[type_.unit], reach * SECOND[type_.unit]
    if pa.types.is_duration(type_):
        return -(2**62) // (10**9 // SECOND[type_.unit]), 2**62 // (10**9 // SECOND[type_.unit])
    if pa.types.is_date(type_):
        return (-25_000, 80_000)
    if pa.types.is_unsigned_integer(type_):
        return 0, 2**type_.bit_width - 1
    return -(2 ** (type_.bit_width - 1)), 2 ** (type_.bit_width - 1) - 1


def _fixed(type_: pa.DataType, rows: int, shape: Shape, rng) -> bytes:
    if pa.types.is_boolean(type_):
        share = np.repeat(rng.random(rows // 50 + 1) < 0.4, 50)[:rows]
        bits = share if shape.values == "runs" else rng.random(rows) < 0.4
        return np.packbits(bits, bitorder="little").tobytes()
    if pa.types.is_floating(type_):
        return _floats(rows, type_.bit_width, shape, rng).tobytes()
    if pa.types.is_decimal(type_):
        return _decimal(type_, rows, shape, rng).tobytes()
    if pa.types.is_fixed_size_binary(type_):
        width = type_.byte_width
        if shape.values == "any":
            return rng.bytes(rows * width)
        numbers = _numbers(rows, 0, 2**40, shape, rng).astype(">u8").view(np.uint8).reshape(-1, 8)
        return np.resize(numbers, (rows, 8))[:, [7 - i % 8 for i in range(width)]].tobytes()
    low, high = _range(type_)
    values = _numbers(rows, low, high, shape, rng)
    if type_ == pa.date64():
        values = values * 86_400_000
    kind = "u" if pa.types.is_unsigned_integer(type_) else "i"
    return values.astype(f"{kind}{type_.bit_width // 8}").tobytes()


def _offsets(rows: int, shape: Shape, rng, wide: bool) -> tuple[np.ndarray, int]:
    most = 2 if shape.rows > 10_000 else 4
    offsets = np.zeros(rows + 1, np.int64 if wide else np.int32)
    np.cumsum(rng.integers(0, most, rows, endpoint=True), out=offsets[1:])
    return offsets, int(offsets[-1])


def _keys(type_: pa.DataType, offsets: np.ndarray, shape: Shape, rng) -> pa.Array:
    """Keys of maps: distinct within each, for readers that insist."""
    count = int(offsets[-1])
    place = np.arange(count) - np.repeat(offsets[:-1], np.diff(offsets))
    if pa.types.is_string(type_):
        return pa.array([f"k{p}{chr(97 + int(r))}" for p, r in
                         zip(place, rng.integers(0, 20, count), strict=True)], type_)
    return pa.array(place * 100 + rng.integers(0, 20, count), type_)


def make(type_: pa.DataType, rows: int, shape: Shape, rng, nullable: bool = True) -> pa.Array:
    """An array of that type, with garbage under its nulls."""
    if not nullable:
        shape = Shape(shape.rows, 0, shape.values)
    if isinstance(type_, pa.BaseExtensionType):
        storage = make(type_.storage_type, rows, shape, rng)
        if type_.extension_name == "arrow.json":
            storage = _as_json(storage)
        return pa.ExtensionArray.from_storage(type_, storage)
    if pa.types.is_null(type_):
        return pa.nulls(rows)
    if pa.types.is_run_end_encoded(type_):
        plain = make(type_.value_type, rows, Shape(shape.rows, 0, "runs"), rng)
        plain = pc.if_else(pa.array(np.repeat(rng.random(rows // 10 + 1) >= shape.nulls, 10)[:rows]),
                           plain, pa.scalar(None, type_.value_type))
        return pc.run_end_encode(plain, run_end_type=type_.run_end_type) if rows else \
            pa.RunEndEncodedArray.from_arrays(pa.array([], type_.run_end_type),
                                              pa.array([], type_.value_type), type=type_)
    if pa.types.is_dictionary(type_):
        return _dictionary(type_, rows, shape, rng)
    if pa.types.is_nested(type_):
        return _nested(type_, rows, shape, rng)
    if type_ in (pa.string(), pa.large_string(), pa.string_view(),
                 pa.binary(), pa.large_binary(), pa.binary_view()):
        return _strings(type_, rows, shape, rng)
    validity, nulls = _validity(rows, shape, rng)
    return pa.Array.from_buffers(
        type_, rows, [validity, pa.py_buffer(_fixed(type_, rows, shape, rng))], nulls)


def _as_json(array: pa.Array) -> pa.Array:
    keep = array.is_valid().to_pylist()
    return pa.array(['{"n": %d}' % (i % 1000) if k else None for i, k in enumerate(keep)],
                    array.type)


def _dictionary(type_: pa.DataType, rows: int, shape: Shape, rng) -> pa.Array:
    """Nulls stand in the indices and, where there are nulls at all, in the dictionary."""
    size = 9 if shape.values in ("few", "runs") else 100
    plain = Shape(size, 0, "rising" if shape.values == "rising" else "any")
    values = make(type_.value_type, size, plain, rng)
    if shape.nulls:
        values = pa.concat_arrays([values, pa.nulls(1, type_.value_type)])
    index = type_.index_type
    numbers = rng.integers(0, len(values), rows) if shape.values != "runs" else \
        np.repeat(rng.integers(0, len(values), rows // 50 + 1), 50)[:rows]
    validity, nulls = _validity(rows, shape, rng)
    raw = numbers.astype(f"{'u' if pa.types.is_unsigned_integer(index) else 'i'}"
                         f"{index.bit_width // 8}")
    indices = pa.Array.from_buffers(index, rows, [validity, pa.py_buffer(raw)], nulls)
    return pa.DictionaryArray.from_arrays(indices, values, ordered=type_.ordered, safe=False)


def _nested(type_: pa.DataType, rows: int, shape: Shape, rng) -> pa.Array:
    validity, nulls = _validity(rows, shape, rng)
    if pa.types.is_struct(type_):
        children = [make(f.type, rows, shape, rng, f.nullable) for f in type_.fields]
        return pa.Array.from_buffers(type_, rows, [validity], nulls, children=children)
    if pa.types.is_fixed_size_list(type_):
        items = make(type_.value_type, rows * type_.list_size, shape, rng)
        return pa.Array.from_buffers(type_, rows, [validity], nulls, children=[items])
    if pa.types.is_list_view(type_):
        offsets, count = _offsets(rows, shape, rng, False)
        items = make(type_.value_type, count, shape, rng)
        order = rng.permutation(rows)
        buffers = [validity, pa.py_buffer(offsets[:-1][order].copy()),
                   pa.py_buffer(np.diff(offsets)[order].astype(np.int32))]
        return pa.Array.from_buffers(type_, rows, buffers, nulls, children=[items])
    offsets, count = _offsets(rows, shape, rng, pa.types.is_large_list(type_))
    buffers = [validity, pa.py_buffer(offsets)]
    if pa.types.is_map(type_):
        entries = pa.StructArray.from_arrays(
            [_keys(type_.key_type, offsets, shape, rng), make(type_.item_type, count, shape, rng)],
            fields=[type_.key_field, type_.item_field])
        return pa.Array.from_buffers(type_, rows, buffers, nulls, children=[entries])
    items = make(type_.value_type, count, shape, rng, type_.value_field.nullable)
    return pa.Array.from_buffers(type_, rows, buffers, nulls, children=[items])


# ---- comparing ----


def decoded(array: pa.DictionaryArray) -> pa.Array:
    """The values that a dictionary array stands for; a null's index is garbage and is cleared."""
    indices = pc.if_else(array.indices.is_valid(), array.indices.cast(pa.int64(), safe=False),
                         pa.scalar(None, pa.int64()))
    return array.dictionary.take(indices)


def plain(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The same values in plain form: no dictionaries, views, run ends or extensions; floats as
    their bits, so that NaN equals NaN and -0.0 does not equal 0.0; nothing under nulls."""
    if isinstance(array, pa.ChunkedArray):
        chunks = [plain(chunk) for chunk in array.chunks]
        return pa.concat_arrays(chunks) if chunks else plain(
            make(array.type, 0, SHAPES["empty"], np.random.default_rng(0)))
    t = array.type
    if isinstance(t, pa.BaseExtensionType):
        return plain(array.storage)
    if pa.types.is_dictionary(t):
        return plain(decoded(array))
    if pa.types.is_run_end_encoded(t):
        return plain(pc.run_end_decode(array))
    if pa.types.is_floating(t):
        bits = {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[t.bit_width]
        quiet = pc.if_else(pc.is_nan(array.cast(pa.float64())), pa.scalar(float("nan"), t), array) \
            if t.bit_width > 16 else _quiet_half(array)
        return quiet.view(bits)
    if t in (pa.string_view(), pa.binary_view()):
        return plain(array.cast(pa.large_binary()))
    if pa.types.is_string(t) or pa.types.is_binary(t) or pa.types.is_large_string(t):
        return array.cast(pa.large_binary())
    if pa.types.is_struct(t):
        return _plain_struct(array)
    if pa.types.is_nested(t):
        return _plain_list(array)
    return array


def _quiet_half(array: pa.Array) -> pa.Array:
    bits = array.view(pa.int16())
    wide = bits.cast(pa.int32())
    magnitude = pc.bit_wise_and(wide, 0x7FFF)
    return pc.if_else(pc.greater(magnitude, 0x7C00), pa.scalar(0x7E00, pa.int16()), bits)


def _plain_struct(array: pa.StructArray) -> pa.Array:
    children = [plain(child) for child in array.flatten()]
    if not children:
        return array
    return pa.StructArray.from_arrays(children, [f.name for f in array.type.fields],
                                      mask=array.is_null())


def _plain_list(array: pa.Array) -> pa.Array:
    """Any list or map as a large list: its items, and a null or a length for each row."""
    t = array.type
    valid = array.is_valid()
    if pa.types.is_map(t):
        array = _map_as_list(array)
    lengths = pc.list_value_length(array)
    items = pc.list_flatten(array)
    sizes = pc.fill_null(lengths.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    sizes = np.where(valid.to_numpy(zero_copy_only=False), sizes, 0)
    offsets = np.zeros(len(array) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return pa.LargeListArray.from_arrays(pa.array(offsets), plain(items), mask=pc.invert(valid))


def _map_as_list(array: pa.MapArray) -> pa.Array:
    t = array.type
    item = pa.field("entries", pa.struct([t.key_field, t.item_field]), False)
    entries = pa.StructArray.from_arrays([array.keys, array.items],
                                         fields=[t.key_field, t.item_field])
    return pa.Array.from_buffers(pa.list_(item), len(array), array.buffers()[:2],
                                 array.null_count, array.offset, children=[entries])


def same_values(a: pa.ChunkedArray, b: pa.ChunkedArray) -> bool:
    """Equal to the bit, whatever form the values are in."""
    x, y = plain(a), plain(b)
    if x.type != y.type:
        y = y.cast(x.type)
    return x.equals(y)
