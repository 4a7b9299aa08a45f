"""Parquet files of one column chunk taken apart, changed anywhere, and put together again with right
sizes, offsets and checksums: so that what a test breaks is the one thing that is wrong."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from . import thrift

I32, I64, DOUBLE, BINARY, LIST, STRUCT = 5, 6, 7, 8, 9, 12

Struct = dict[int, list]  # field number: [wire type, value]; a list is (item type, [values])


class Reader(thrift.Reader):
    """Keeps the wire types, so that what is read can be written again."""

    def value(self, kind: int) -> Any:
        if kind == DOUBLE:
            self.at += 8
            return self.data[self.at - 8:self.at]
        if kind != LIST:
            return super().value(kind)
        head = self.byte()
        count = head >> 4 if head >> 4 < 15 else self.varint()
        kind = head & 15
        return kind, [self.byte() if kind in (1, 2) else self.value(kind) for _ in range(count)]

    def struct(self) -> Struct:
        fields: Struct = {}
        last = 0
        while head := self.byte():
            last = last + (head >> 4) if head >> 4 else self.zigzag()
            fields[last] = [head & 15, self.value(head & 15)]
        return fields


def varint(v: int) -> bytes:
    out = bytearray()
    while v > 127:
        out.append(v & 127 | 128)
        v >>= 7
    return bytes(out) + bytes([v])


def zigzag(v: int) -> bytes:
    return varint(v << 1 if v >= 0 else (-v << 1) - 1)


def write_value(kind: int, v: Any) -> bytes:
    if isinstance(v, Raw):
        return v.data
    if kind in (1, 2):
        return b""
    if kind == 3:
        return bytes([v])
    if kind in (4, 5, 6):
        return zigzag(v)
    if kind == 7:
        return v
    if kind == 8:
        return varint(len(v)) + v
    if kind == LIST:
        item, values = v
        head = bytes([len(values) << 4 | item]) if len(values) < 15 else bytes([0xF0 | item]) + varint(len(values))
        return head + b"".join(bytes([x]) if item in (1, 2) else write_value(item, x) for x in values)
    return write_struct(v)


def write_struct(fields: Struct) -> bytes:
    out, last = b"", 0
    for number, (kind, v) in sorted(fields.items()):
        if kind in (1, 2):
            kind = 1 if v else 2
        step = number - last
        out += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + zigzag(number)
        out += write_value(kind, v)
        last = number
    return out + b"\0"


class Raw:
    """Bytes in place of a value."""

    def __init__(self, data: bytes) -> None:
        self.data = data


def footer_of(data: bytes) -> tuple[Struct, int]:
    """The footer, and where it begins."""
    start = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    return Reader(data, start).struct(), start


def grafted(data: bytes, other: bytes, leaf: int) -> bytes:
    """The first file with one leaf of the other, which has the same schema and number of rows."""
    (footer, end), (theirs, _) = footer_of(data), footer_of(other)
    columns = footer[4][1][1][0][1][1][1]
    columns[leaf] = theirs[4][1][1][0][1][1][1][leaf]
    for column in columns:
        for number in (4, 5, 6, 7):
            column.pop(number, None)
    meta = columns[leaf][3][1]
    start = meta[11][1] if 11 in meta else meta[9][1]
    for number in {9, 11} & meta.keys():
        meta[number][1] += end - start
    tail = write_struct(footer)
    body = data[:end] + other[start:start + meta[7][1]]
    return body + tail + struct.pack("<I", len(tail)) + b"PAR1"


class File:
    """`pages` are [header, body]; `meta` is the column chunk's metadata."""

    def __init__(self, data: bytes) -> None:
        self.footer, _ = footer_of(data)
        self.chunk = self.footer[4][1][1][0][1][1][1][0]
        self.meta = self.chunk[3][1]
        for number in (4, 5, 6, 7):
            self.chunk.pop(number, None)
        self.pages: list[list] = []
        self.index = b""
        self.tail: bytes | None = None
        start = self.meta[11][1] if 11 in self.meta else self.meta[9][1]
        at = start
        while at < start + self.meta[7][1]:
            reader = Reader(data, at)
            header = reader.struct()
            at = reader.at + header[3][1]
            self.pages.append([header, data[reader.at:at]])

    @property
    def schema(self) -> list[Struct]:
        return self.footer[2][1][1]

    @property
    def group(self) -> Struct:
        return self.footer[4][1][1][0]

    @property
    def data(self) -> list:
        return next(page for page in self.pages if page[0][1][1] != 2)

    @property
    def head(self) -> Struct:
        """The data page header proper, of either version."""
        header = self.data[0]
        return header[5][1] if 5 in header else header[8][1]

    def build(self, *, sizes: bool = True) -> bytes:
        out, self.meta[9][1] = b"PAR1", -1
        for header, body in self.pages:
            if sizes:
                grown = len(body) - header[3][1]
                header[3][1] += grown
                header[2][1] += grown
            if 4 in header:
                crc = zlib.crc32(body)
                header[4][1] = crc - (1 << 32) if crc >= 1 << 31 else crc
            if header[1][1] == 2:
                self.meta[11] = [I64, len(out)]
            elif self.meta[9][1] < 0:
                self.meta[9][1] = len(out)
            out += write_struct(header) + body
        self.meta[7][1] = len(out) - 4
        if self.index:
            self.chunk[4] = [I64, len(out)]
            self.chunk[5] = [I32, len(self.index)]
            out += self.index
        footer = write_struct(self.footer) if self.tail is None else self.tail
        return out + footer + struct.pack("<I", len(footer)) + b"PAR1"


def make(values: pa.Array, *, nullable: bool = True, **options: Any) -> File:
    """Written by pyarrow, without a codec and a dictionary unless the options say so."""
    options = {"compression": "none", "use_dictionary": False, "write_page_checksum": True} | options
    sink = io.BytesIO()
    table = pa.table([values], pa.schema([pa.field("c", values.type, nullable)]))
    pq.write_table(table, sink, store_schema=False, **options)
    return File(sink.getvalue())
