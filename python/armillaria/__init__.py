"""Armillaria: git for tables, at memory speed.

    import armillaria as am

    db = am.open("mydata")
    db.write("flights", table, message="load")
    db.read("flights", where="dep_delay > 60").to_arrow()
    db.read("flights", version=1)
    dev = db.branch("dev")

Data comes in from anything with ``__arrow_c_stream__`` or ``__arrow_c_array__`` and goes out
the same way.
"""

from __future__ import annotations

from ._native import version as __version__
from .chunks import ChunkStore
from .database import Database, open
from .errors import (
    AlreadyExistsError,
    BusyError,
    CommitUnknownError,
    ConflictError,
    ConstraintError,
    CorruptionError,
    Error,
    InvalidArgumentError,
    LimitError,
    MergeConflict,
    NotFoundError,
    SchemaMismatchError,
    StorageError,
    UnsupportedError,
)
from .feed import Changes, Subscription
from .parquet import (
    ColumnChunk,
    ParquetDecoder,
    ParquetEncoder,
    ParquetMetadata,
    read_parquet,
    write_parquet,
)
from .parts import TableReader, TableWriter, merkle_root
from .results import (
    Change,
    Commit,
    CommitResult,
    MergeResult,
    Problem,
    TableChange,
    TableDiff,
    TableMetadata,
    VerifyResult,
    Version,
    WriteResult,
)
from .scan import Scan
from .schema import Field, Schema
from .transaction import Transaction

__all__ = [
    "AlreadyExistsError",
    "BusyError",
    "Change",
    "Changes",
    "ChunkStore",
    "ColumnChunk",
    "Commit",
    "CommitResult",
    "CommitUnknownError",
    "ConflictError",
    "ConstraintError",
    "CorruptionError",
    "Database",
    "Error",
    "Field",
    "InvalidArgumentError",
    "LimitError",
    "MergeConflict",
    "MergeResult",
    "NotFoundError",
    "ParquetDecoder",
    "ParquetEncoder",
    "ParquetMetadata",
    "Problem",
    "Scan",
    "Schema",
    "SchemaMismatchError",
    "StorageError",
    "Subscription",
    "TableChange",
    "TableDiff",
    "TableMetadata",
    "TableReader",
    "TableWriter",
    "Transaction",
    "UnsupportedError",
    "VerifyResult",
    "Version",
    "WriteResult",
    "__version__",
    "merkle_root",
    "open",
    "read_parquet",
    "write_parquet",
]
