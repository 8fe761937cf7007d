"""A snapshot on its way: which chunks are still missing."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from edge.replication.requests import CHUNK_WINDOW

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.replication.manifest import Manifest


class Fetching:
    def __init__(self, manifest: Manifest, have: Collection[bytes]) -> None:
        self.manifest = manifest
        kept = frozenset(have)
        self._missing = {
            line.digest: None for line in manifest.lines() if line.digest not in kept
        }

    def has(self, digest: bytes) -> None:
        self._missing.pop(digest, None)

    def wanted(self) -> tuple[bytes, ...]:
        """Return the next chunks to ask for, one window; empty when complete."""
        return tuple(islice(self._missing, CHUNK_WINDOW))
