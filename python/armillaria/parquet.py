"""Parquet: an encoder and a decoder that stand alone, and files on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from . import _native
from .answers import ChunkInfo
from .convert import choice, names_or_none, path_of, text, text_or_none, whole, whole_or_none
from .data import stream_of
from .scan import Scan
from .schema import Schema

PROFILES = ("standard", "portable", "dense")
MAX_BYTES = 4 << 30

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True)
class ColumnChunk:
    """One column of one row group, as the footer describes it."""

    path: str
    physical_type: str
    compression: str
    encodings: list[str]
    rows: int
    values: int
    nulls: int | None
    compressed_bytes: int
    uncompressed_bytes: int
    has_min_max: bool
    has_dictionary: bool
    has_page_index: bool
    has_bloom_filter: bool


@dataclass(frozen=True)
class ParquetMetadata:
    """What a file's footer says."""

    rows: int
    row_groups: int
    columns: int
    created_by: str
    schema: Schema
    chunks: list[list[ColumnChunk]]


class ParquetEncoder:
    """Tables to Parquet bytes.

    ``compression``: auto, none, snappy, gzip, brotli, zstd, lz4_raw; gzip, brotli and zstd with
    an optional ":level". ``profile``: standard, portable (the oldest readers) or dense.
    ``bloom_columns``: top-level columns that get Bloom filters, as keys should.
    ``row_group_rows``: at most so many rows in a row group; 2^20, or 128 MiB, unless said otherwise.
    """

    def __init__(self, compression: str = "auto", profile: str = "standard",
                 threads: int | None = None,
                 bloom_columns: Sequence[str] | str | None = None,
                 row_group_rows: int | None = None) -> None:
        self._compression = text(compression, "compression")
        self._profile = choice(profile, "profile", PROFILES)
        self._threads = whole_or_none(threads, "threads") or 0
        self._row_group_rows = whole_or_none(row_group_rows, "row_group_rows", 1) or 0
        self._bloom: tuple[str, ...] | None = None
        self._encode(_native.columns(0, ()), 1)  # an unknown codec is refused here
        self._bloom = names_or_none(bloom_columns, "column")

    def _encode(self, data: Any, threads: int) -> bytes:
        return _native.parquet_encode(stream_of(data), self._compression, self._profile, threads,
                                      self._row_group_rows, self._bloom)

    def encode(self, batch: Any) -> bytes:
        """A batch, a table or a stream as one Parquet file."""
        return self._encode(batch, self._threads)

    def encode_batch(self, batches: Iterable[Any]) -> list[bytes]:
        """One file for each, in parallel, in order."""
        return _parallel(lambda data: self._encode(data, 1), batches, self._threads)


class ParquetDecoder:
    """Parquet bytes to tables."""

    def __init__(self, threads: int | None = None, max_bytes: int | None = MAX_BYTES) -> None:
        self._threads = whole_or_none(threads, "threads") or 0
        self._max_bytes = _limit(max_bytes)

    def decode(self, data: Any, columns: Sequence[str] | str | None = None,
               where: str | None = None) -> Scan:
        """The rows, in memory; columns in the order asked for."""
        return self._decode(data, names_or_none(columns, "column"), None,
                            text_or_none(where, "where"), self._threads)

    def _decode(self, data: Any, columns: tuple[str, ...] | None, numbers: list[int] | None,
                where: str | None, threads: int) -> Scan:
        stream = _native.parquet_open(data).read(columns, numbers, where, self._max_bytes, threads)
        return Scan._of_batches(stream.collect())

    def decode_batch(self, items: Iterable[Any]) -> list[Scan]:
        """Each file's rows, in parallel, in order."""
        return _parallel(lambda data: self._decode(data, None, None, None, 1), items,
                         self._threads)

    def decode_columns(self, data: Any, columns: Sequence[int],
                       where: str | None = None) -> Scan:
        """Columns by number."""
        numbers = [whole(number, "column number", 0, 2**31 - 1) for number in columns]
        return self._decode(data, None, numbers, text_or_none(where, "where"), self._threads)

    def decode_columns_by_name(self, data: Any, columns: Sequence[str],
                               where: str | None = None) -> Scan:
        """Columns by name."""
        return self.decode(data, columns, where)

    def decode_with_filter(self, data: Any, where: str,
                           columns: Sequence[str] | str | None = None) -> Scan:
        """The rows that match; none is an answer, not an error."""
        return self.decode(data, columns, text(where, "where"))

    def pruning_stats(self, data: Any, where: str) -> tuple[int, int, int]:
        """(row groups in all, pruned, kept), without reading a row."""
        return _native.parquet_open(data).prune(text(where, "where"))

    def metadata(self, data: Any) -> ParquetMetadata:
        """What the footer says."""
        return _metadata(_native.parquet_open(data))


def _metadata(file: _native.ParquetFile) -> ParquetMetadata:
    rows, groups, leaves, created_by = file.info()
    chunks = [[_chunk(file.chunk(group, leaf)) for leaf in range(leaves)]
              for group in range(groups)]
    schema = Schema(file.schema())
    return ParquetMetadata(rows, groups, len(schema), created_by, schema, chunks)


def _chunk(parts: ChunkInfo) -> ColumnChunk:
    path, physical, compression, encodings, rows, values, nulls, packed, plain = parts[:9]
    min_max, dictionary, page_index, bloom = parts[9:]
    return ColumnChunk(path, physical, compression, encodings.split(", ") if encodings else [],
                       rows, values, None if nulls < 0 else nulls, packed, plain, min_max,
                       dictionary, page_index, bloom)


def _parallel(work: Callable[[A], B], items: Iterable[A], threads: int) -> list[B]:
    """The library's calls release the interpreter lock, so threads do run side by side."""
    todo = list(items)
    count = min(threads or len(os.sched_getaffinity(0)), len(todo))
    if count <= 1:
        return [work(item) for item in todo]
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, todo))


def _limit(max_bytes: int | None) -> int:
    return 2**64 - 1 if max_bytes is None else whole(max_bytes, "max_bytes", 1)


def read_parquet(source: Any, columns: Sequence[str] | str | None = None,
                 where: str | None = None, max_bytes: int | None = MAX_BYTES) -> Scan:
    """A Parquet file, by path or as bytes; columns and ``where`` are checked now.

    A result beyond ``max_bytes`` is a LimitError before it is allocated; None lifts the limit.
    """
    if isinstance(source, (str, os.PathLike)):
        file = _native.parquet_open_path(path_of(source))
    else:
        file = _native.parquet_open(source)
    args = (names_or_none(columns, "column"), None, text_or_none(where, "where"),
            _limit(max_bytes), 0)

    def opener() -> _native.Stream:
        return file.read(*args)

    return Scan(opener, ready=opener(), counter=None if where else lambda: file.info()[0])


def write_parquet(data: Any, path: Any, *, compression: str = "auto", profile: str = "standard",
                  threads: int | None = None,
                  bloom_columns: Sequence[str] | str | None = None,
                  row_group_rows: int | None = None) -> int:
    """Writes a Parquet file; it appears under its name when it is complete. Answers the rows.

    ``bloom_columns`` get Bloom filters, by which readers rule out row groups for ``=`` and ``in``.
    A row group has at most ``row_group_rows``: 2^20, or 128 MiB, unless said otherwise.
    """
    return _native.parquet_write(stream_of(data), path_of(path),
                                 text(compression, "compression"),
                                 choice(profile, "profile", PROFILES),
                                 whole_or_none(threads, "threads") or 0,
                                 whole_or_none(row_group_rows, "row_group_rows", 1) or 0,
                                 names_or_none(bloom_columns, "column"))[0]
