"""Chunks of a snapshot that wait in files until all are there.

A folder beside the watchlist's store, one file a chunk, named by its digest: whole or
not there. They are encrypted as they came. Files and not rows, because half a gigabyte
of rows would be written twice and overwritten once to be deleted.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason, StoreError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

_PART = ".part"


class StagedChunks:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def missing(self, digests: Sequence[bytes]) -> list[bytes]:
        """Return those that are not kept, in their order."""
        kept = self._names()
        return [digest for digest in digests if digest.hex() not in kept]

    def add(self, digest: bytes, data: bytes) -> None:
        """Keep a chunk durably.

        Raises:
            RefusalError: MIXED: data does not have this digest.
            StoreError: it cannot be written, such as to a full disk.
        """
        if hashlib.sha256(data).digest() != digest:
            raise RefusalError(
                RefusalReason.MIXED, f"chunk {digest.hex()[:16]}: other data than named"
            )
        path = self._folder / digest.hex()
        part = path.with_suffix(_PART)
        with self._mapped("write"):
            self._folder.mkdir(mode=0o700, exist_ok=True)
            _write_durably(part, data)
            part.replace(path)

    def read(self, digest: bytes) -> bytes:
        """Return a chunk as it was added.

        Raises:
            StoreError: it is not there, or damaged and now gone: get it again.
        """
        path = self._folder / digest.hex()
        with self._mapped("read"):
            data = path.read_bytes()
        if hashlib.sha256(data).digest() != digest:
            with self._mapped("remove"):
                path.unlink()
            raise StoreError(f"{path}: damaged and removed; to be fetched again")
        return data

    def keep_only(self, digests: Collection[bytes]) -> None:
        """Remove every other file."""
        names = {digest.hex() for digest in digests}
        with self._mapped("remove"):
            for name in self._names() - names:
                (self._folder / name).unlink(missing_ok=True)

    def clear(self) -> None:
        with self._mapped("remove"):
            if self._folder.exists():
                shutil.rmtree(self._folder)

    def _names(self) -> set[str]:
        with self._mapped("read"):
            if not self._folder.exists():
                return set()
            return {entry.name for entry in os.scandir(self._folder)}

    @contextmanager
    def _mapped(self, action: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"{self._folder}: cannot {action} a staged chunk: {error.strerror}"
            ) from error


def _write_durably(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
