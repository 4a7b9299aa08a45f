"""The chunk store: immutable bytes named by their BLAKE3, stored once and proved when read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

from . import _native
from .convert import choice, path_of, type_name, whole_or_none
from .errors import Error

DURABILITIES = ("full", "normal", "none")


class ChunkStore:
    """A folder of chunks; ``db.chunks`` is the one of a repository.

    Names are 64 lower-case hex digits of BLAKE3-256. Batches run in parallel, keep the order,
    and take repeated items and none at all. Safe from many threads and processes.
    """

    def __init__(
        self,
        path: Any,
        durability: str | None = None,
        verify: bool = True,
        threads: int | None = None,
        *,
        create: bool = True,
        read_only: bool = False,
        unsafe_network: bool = False,
    ) -> None:
        self._store: _native.ChunkStore | None = _native.open_chunk_store(
            path_of(path),
            0 if durability is None else choice(durability, "durability", DURABILITIES) + 1,
            not create,
            not verify,
            bool(read_only),
            bool(unsafe_network),
            whole_or_none(threads, "threads") or 0,
        )

    @classmethod
    def _of(cls, native: _native.ChunkStore) -> ChunkStore:
        store = cls.__new__(cls)
        store._store = native
        return store

    def _open(self) -> _native.ChunkStore:
        if self._store is None:
            raise Error("the chunk store is closed")
        return self._store

    def put(self, data: Any) -> str:
        """Stores any contiguous buffer and returns its hash when the bytes are durable."""
        return self._open().put(data)

    def put_batch(self, items: Iterable[Any]) -> list[str]:
        """Stores many with one flush of the folder."""
        return self._open().put_batch(items)

    def get(self, hash: str) -> bytes:
        """The bytes, verified once for each state of the file."""
        return self._open().get(hash)

    def get_batch(self, hashes: Iterable[str]) -> list[bytes]:
        return self._open().get_batch(_hashes(hashes))

    def get_verified(self, hash: str) -> bytes:
        """The bytes, read and verified every time."""
        return self._open().get_verified(hash)

    def get_batch_verified(self, hashes: Iterable[str]) -> list[bytes]:
        return self._open().get_batch_verified(_hashes(hashes))

    def get_mmap(self, hash: str) -> memoryview:
        """A read-only view onto the mapped file, no copy made; valid while it is referenced."""
        return memoryview(self._open().get_mmap(hash))

    def get_mmap_batch(self, hashes: Iterable[str]) -> list[memoryview]:
        return [memoryview(view) for view in self._open().get_mmap_batch(_hashes(hashes))]

    def exists(self, hash: str) -> bool:
        return self._open().exists(hash)

    def delete(self, hash: str) -> None:
        """Deletes a chunk, silently if it is absent; refused on the store of a repository."""
        self._open().delete(hash)

    @property
    def path(self) -> str:
        return self._open().path()

    def close(self) -> None:
        """Closes the handle. What it handed out stays valid."""
        self._store = None

    def __enter__(self) -> ChunkStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __contains__(self, hash: object) -> bool:
        return isinstance(hash, str) and self.exists(hash)

    def __len__(self) -> int:
        return self._open().count()

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self._open().iterate())

    def __repr__(self) -> str:
        return "ChunkStore(closed)" if self._store is None else f"ChunkStore({self.path!r})"


def _hashes(hashes: Iterable[str]) -> Iterable[str]:
    if isinstance(hashes, str):
        raise TypeError(f"a list of hashes is needed, not {type_name(hashes)}")
    return hashes
