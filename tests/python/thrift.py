"""Parquet files taken apart by hand: Thrift's compact protocol as plain dicts by field number."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

Fields = dict[int, Any]

DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE, DATA_PAGE_V2 = range(4)
ENCODINGS = {0: "PLAIN", 2: "PLAIN_DICTIONARY", 3: "RLE", 4: "BIT_PACKED",
             5: "DELTA_BINARY_PACKED", 6: "DELTA_LENGTH_BYTE_ARRAY", 7: "DELTA_BYTE_ARRAY",
             8: "RLE_DICTIONARY", 9: "BYTE_STREAM_SPLIT"}


class Reader:
    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def zigzag(self) -> int:
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def value(self, kind: int) -> Any:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind == 7:
            self.at += 8
            return struct.unpack("<d", self.data[self.at - 8:self.at])[0]
        if kind == 8:
            size = self.varint()
            self.at += size
            return self.data[self.at - size:self.at]
        if kind in (9, 10):
            head = self.byte()
            count = head >> 4 if head >> 4 < 15 else self.varint()
            inner = head & 15
            if inner in (1, 2):
                return [self.byte() == 1 for _ in range(count)]
            return [self.value(inner) for _ in range(count)]
        assert kind == 12, kind
        return self.struct()

    def struct(self) -> Fields:
        fields: Fields = {}
        last = 0
        while head := self.byte():
            last = last + (head >> 4) if head >> 4 else self.zigzag()
            assert last not in fields, f"field {last} twice"
            fields[last] = self.value(head & 15)
        return fields


@dataclass
class Page:
    offset: int
    size: int  # with its header
    header: Fields
    body: bytes
    body_offset: int

    @property
    def is_data(self) -> bool:
        return self.header[1] == DATA_PAGE

    @property
    def encoding(self) -> int:
        return self.header[5 if self.is_data else 7][2]

    @property
    def values(self) -> int:
        return self.header[5 if self.is_data else 7][1]

    def crc_is_right(self) -> bool:
        return self.header[4] & 0xFFFFFFFF == zlib.crc32(self.body)


@dataclass
class Chunk:
    """A column chunk: its entry in the footer, its pages, its indexes."""

    fields: Fields
    meta: Fields
    pages: list[Page]
    column_index: Fields | None
    offset_index: Fields | None

    @property
    def data_pages(self) -> list[Page]:
        return [page for page in self.pages if page.is_data]

    @property
    def path(self) -> str:
        return ".".join(part.decode() for part in self.meta[3])

    @property
    def statistics(self) -> Fields:
        return self.meta.get(12, {})


@dataclass
class File:
    footer: Fields
    groups: list[list[Chunk]] = field(default_factory=list)
    keys: dict[bytes, bytes] = field(default_factory=dict)
    footer_offset: int = 0

    @property
    def schema(self) -> list[Fields]:
        return self.footer[2]


def parse(data: bytes) -> File:
    """Everything in the file; fails where the pages of a chunk do not fill it exactly."""
    assert data[:4] == data[-4:] == b"PAR1"
    size = struct.unpack("<I", data[-8:-4])[0]
    reader = Reader(data, len(data) - 8 - size)
    file = File(reader.struct(), footer_offset=len(data) - 8 - size)
    assert reader.at == len(data) - 8, "the footer is longer than it says"
    file.keys = {pair[1]: pair.get(2) for pair in file.footer.get(5, [])}
    file.groups = [[_chunk(data, chunk) for chunk in group[1]] for group in file.footer[4]]
    return file


def _chunk(data: bytes, fields: Fields) -> Chunk:
    meta = fields[3]
    start = meta.get(11, meta[9])
    at, end, pages = start, start + meta[7], []
    while at < end:
        reader = Reader(data, at)
        header = reader.struct()
        body = data[reader.at:reader.at + header[3]]
        assert len(body) == header[3]
        pages.append(Page(at, reader.at + header[3] - at, header, body, reader.at))
        at = reader.at + header[3]
    assert at == end, "the pages do not end where the chunk does"
    column_index = Reader(data, fields[6]) if 6 in fields else None
    offset_index = Reader(data, fields[4]) if 4 in fields else None
    chunk = Chunk(fields, meta, pages, column_index and column_index.struct(),
                  offset_index and offset_index.struct())
    assert column_index is None or column_index.at == fields[6] + fields[7]
    assert offset_index is None or offset_index.at == fields[4] + fields[5]
    return chunk
