"""Tabular results: lazy, re-openable, handed out as Arrow streams."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from . import _native
from .schema import Schema


class Scan:
    """Rows that are read when asked for, as often as asked for.

    Any Arrow library takes it as it is (``pyarrow.table(scan)``, ``polars.DataFrame(scan)``);
    ``to_arrow()``, ``to_pandas()``, ``to_polars()`` and ``to_batches()`` say it in a word. It
    shows the same rows each time, whatever is written meanwhile, and outlives the handle it
    came from.
    """

    def __init__(
        self,
        opener: Callable[[], _native.Stream],
        *,
        ready: _native.Stream | None = None,
        counter: Callable[[], int] | None = None,
    ) -> None:
        self._opener = opener
        self._ready = ready
        self._pid = os.getpid()
        self._counter = counter
        self._rows: int | None = None
        self._schema: Schema | None = None

    @classmethod
    def _of_batches(cls, batches: _native.Batches) -> Scan:
        """Rows that are in memory already."""
        return cls(
            lambda: _native.stream(batches.__arrow_c_stream__()),
            counter=batches.rows,
        )

    def _open(self) -> _native.Stream:
        if self._pid != os.getpid():  # a stream does not survive fork: the child opens its own
            self._ready, self._pid = None, os.getpid()
        ready, self._ready = self._ready, None
        return ready if ready is not None else self._opener()

    # ---- what it is ----

    @property
    def schema(self) -> Schema:
        """Columns and types."""
        if self._schema is None:
            self._ready = self._open()
            self._schema = Schema(self._ready.schema())
        return self._schema

    @property
    def column_names(self) -> list[str]:
        return self.schema.names

    @property
    def num_columns(self) -> int:
        return len(self.schema)

    @property
    def num_rows(self) -> int:
        """The number of rows; with a condition it is found by looking, once."""
        if self._rows is None:
            self._rows = self._counter() if self._counter else self._opener().count()
        return self._rows

    def __len__(self) -> int:
        return self.num_rows

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"Scan({', '.join(str(column) for column in self.schema)})"

    # ---- the rows ----

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._open().__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self.schema.__arrow_c_schema__()

    def to_batches(self) -> list[Any]:
        """All rows as ``pyarrow.RecordBatch`` objects, or Arrow-protocol batches without pyarrow."""
        return list(self.iter_batches())

    def iter_batches(self) -> Iterator[Any]:
        """The rows batch by batch, in bounded memory."""
        stream = self._open()
        try:
            import pyarrow
        except ImportError:
            pyarrow = None
        while (batch := stream.next()) is not None:
            yield batch if pyarrow is None else _record_batch(pyarrow, batch)

    def to_arrow(self) -> Any:
        """All rows as a ``pyarrow.Table``."""
        import pyarrow

        return pyarrow.table(self._open().collect())

    def to_pandas(self, **options: Any) -> Any:
        """All rows as a ``pandas.DataFrame``; ``options`` are those of pyarrow's to_pandas."""
        from .frames import frame_of

        return frame_of(self.to_arrow(), options)

    def to_polars(self) -> Any:
        """All rows as a ``polars.DataFrame``."""
        import polars

        return polars.DataFrame(self._open().collect())


def _record_batch(pyarrow: Any, batch: _native.Batches) -> Any:
    return pyarrow.RecordBatchReader.from_stream(batch).read_next_batch()
