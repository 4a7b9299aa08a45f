"""The systems of the Parquet benchmark, each behind the same two calls.

A table is put into the system's own form before the clock starts. Files go to memory and come from it; DuckDB and
carquet know files by path only, so theirs lie in /dev/shm. What is read must be whole: Arrow arrays for those that have
them, Polars' own columns (which are Arrow's) for Polars.
"""

from __future__ import annotations

import io
import os
import pathlib
import tempfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import armillaria as am

MEMORY = pathlib.Path("/dev/shm") if pathlib.Path("/dev/shm").is_dir() else pathlib.Path(tempfile.gettempdir())


class System:
    """encode() answers the file in the form that decode() takes; size() its bytes, take() makes such a form of bytes."""

    name = ""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def prepare(self, table: pa.Table) -> Any:
        return table

    def encode(self, data: Any) -> Any:
        raise NotImplementedError

    def decode(self, file: Any) -> Any:
        raise NotImplementedError

    def size(self, file: Any) -> int:
        return len(file)

    def take(self, content: bytes) -> Any:
        return content

    def rows(self, result: Any) -> int:
        return result.num_rows


class Armillaria(System):
    name = "armillaria"

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.encoder = am.ParquetEncoder(threads=threads)
        self.decoder = am.ParquetDecoder(threads=threads)

    def encode(self, data: Any) -> Any:
        return self.encoder.encode(data)

    def decode(self, file: Any) -> Any:
        return self.decoder.decode(file)

    def rows(self, result: Any) -> int:
        return result.to_arrow().num_rows


class ArmillariaAlone(Armillaria):
    """One thread where the others have all cores: what the second core is worth."""

    name = "armillaria, 1 thread"

    def __init__(self, threads: int) -> None:
        super().__init__(1)


class Pyarrow(System):
    name = "pyarrow"
    options: dict[str, Any] = {}

    def encode(self, data: Any) -> Any:
        sink = pa.BufferOutputStream()
        pq.write_table(data, sink, **self.options)
        return sink.getvalue()

    def decode(self, file: Any) -> Any:
        return pq.read_table(pa.BufferReader(file), use_threads=self.threads > 1)


class PyarrowZstd(Pyarrow):
    name = "pyarrow zstd-1"
    options = {"compression": "zstd", "compression_level": 1}


class ArrowRs(System):
    name = "arrow-rs zstd-1"

    def encode(self, data: Any) -> Any:
        import arro3.io

        sink = io.BytesIO()
        arro3.io.write_parquet(data, sink, compression="zstd(1)")
        return sink.getvalue()

    def decode(self, file: Any) -> Any:
        import arro3.io

        return arro3.io.read_parquet(io.BytesIO(file)).read_all()


class Polars(System):
    name = "Polars zstd-1"

    def prepare(self, table: pa.Table) -> Any:
        import polars as pl

        return pl.from_arrow(table).rechunk()

    def encode(self, data: Any) -> Any:
        sink = io.BytesIO()
        data.write_parquet(sink, compression="zstd", compression_level=1)
        return sink.getvalue()

    def decode(self, file: Any) -> Any:
        import polars as pl

        return pl.read_parquet(io.BytesIO(file))

    def rows(self, result: Any) -> int:
        return result.height


class ByPath(System):
    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.folder = tempfile.TemporaryDirectory(prefix="armi-bench-", dir=MEMORY)
        self.count = 0

    def path(self) -> pathlib.Path:
        return pathlib.Path(self.folder.name) / "t.parquet"

    def size(self, file: Any) -> int:
        return os.stat(file).st_size

    def take(self, content: bytes) -> Any:
        self.count += 1
        path = pathlib.Path(self.folder.name) / f"foreign{self.count}.parquet"
        path.write_bytes(content)
        return path


class Duck(ByPath):
    name = "DuckDB zstd-1"

    def __init__(self, threads: int) -> None:
        import duckdb

        super().__init__(threads)
        self.connection = duckdb.connect(config={"threads": threads})

    def encode(self, data: Any) -> Any:
        self.connection.register("t", data)
        self.connection.execute(
            f"COPY t TO '{self.path()}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
        self.connection.unregister("t")
        return self.path()

    def decode(self, file: Any) -> Any:
        return self.connection.sql(f"SELECT * FROM read_parquet('{file}')").to_arrow_table()


class Carquet(ByPath):
    name = "carquet zstd-1"

    def encode(self, data: Any) -> Any:
        import carquet

        carquet.write_table(data, self.path(), compression="zstd", compression_level=1)
        return self.path()

    def decode(self, file: Any) -> Any:
        import carquet

        return carquet.read_table(str(file))


SYSTEMS: tuple[type[System], ...] = (Armillaria, ArmillariaAlone, Pyarrow, PyarrowZstd, ArrowRs, Polars, Duck, Carquet)
