"""Thin readers and writers of tables, for code that wants the parts. They hold no logic."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from .convert import names_or_none, text, time_of, whole_or_none
from .database import Database
from .filters import where_of
from .parquet import ParquetEncoder, read_parquet
from .results import TableMetadata, Version, WriteResult
from .scan import Scan
from .schema import Schema


class TableWriter:
    """Writes tables; ``use_native_parquet=False`` has pyarrow encode them on the way."""

    def __init__(self, db: Database, chunk_rows: int | None = None,
                 use_native_parquet: bool = True) -> None:
        self._db = db
        self._chunk_rows = whole_or_none(chunk_rows, "chunk_rows", 1)
        self._native = use_native_parquet

    def write(self, name: str, data: Any, **options: Any) -> WriteResult:
        """Writes a table; ``options`` are those of :meth:`Database.write`."""
        if not self._native:
            data = read_parquet(_pyarrow_encode(data), max_bytes=None)
        return self._db.write(name, data, chunk_rows=self._chunk_rows, **options)


class TableReader:
    """Reads tables. ``use_mmap`` and ``parallel_workers`` are hints; reads map and run in
    parallel where that is faster. ``use_native_parquet=False`` has pyarrow decode the rows."""

    def __init__(self, db: Database, verify_integrity: bool = True, use_mmap: bool = True,
                 parallel_workers: int | None = None, use_native_parquet: bool = True) -> None:
        self._db = db
        self._no_verify = not verify_integrity
        self._native = use_native_parquet
        whole_or_none(parallel_workers, "parallel_workers")

    def _scan(self, name: str, version: int | None, columns: Sequence[str] | str | None,
              filters: Any, ranges_apart: bool = False) -> Scan:
        table = text(name, "table name")
        return self._db._scan(self._db._at(table, version), table,
                              names_or_none(columns, "column"), where_of(filters),
                              ranges_apart=ranges_apart, no_verify=self._no_verify)

    def read_arrow(self, name: str, version: int | None = None,
                   columns: Sequence[str] | str | None = None, filters: Any = None) -> Any:
        """The rows as a ``pyarrow.Table``; ``filters`` is a ``where`` text or
        ``[(column, op, value), …]``."""
        scan = self._scan(name, version, columns, filters)
        if self._native:
            return scan.to_arrow()
        return _pyarrow_decode(ParquetEncoder(compression="none").encode(scan))

    def read_pandas(self, name: str, version: int | None = None,
                    columns: Sequence[str] | str | None = None, filters: Any = None) -> Any:
        """The rows as a ``pandas.DataFrame``."""
        return self.read_arrow(name, version, columns, filters).to_pandas()

    def iter_chunks(self, name: str, version: int | None = None,
                    columns: Sequence[str] | str | None = None,
                    filters: Any = None) -> Iterator[Any]:
        """One ``pyarrow.Table`` for each range of the table, in row order."""
        import pyarrow

        for batch in self._scan(name, version, columns, filters, True).iter_batches():
            yield pyarrow.Table.from_batches([batch])

    def list_tables(self) -> list[str]:
        return self._db.tables()

    def list_versions(self, name: str) -> list[Version]:
        return self._db.versions(name)

    def get_metadata(self, name: str, version: int | None = None) -> TableMetadata:
        """What a version is; its chunks can be had from ``db.chunks``."""
        table = text(name, "table name")
        at = self._db._at(table, version)
        info = self._db._info(table, at)
        schema = Schema(self._db._repo().schema(table, *at.args))
        return TableMetadata(table, info[0], info[1], time_of(info[2]) if info[1] else None,
                             info[3], info[4], info[6], schema, info[10])


def merkle_root(db: Database, table: str, version: int | None = None) -> str:
    """The logical root hash of a version: equal roots mean equal content."""
    name = text(table, "table name")
    return db._info(name, db._at(name, version))[8]


def _pyarrow_encode(data: Any) -> bytes:
    import pyarrow
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(data), sink)
    return sink.getvalue()


def _pyarrow_decode(data: bytes) -> Any:
    import pyarrow
    import pyarrow.parquet

    return pyarrow.parquet.read_table(pyarrow.BufferReader(data))
