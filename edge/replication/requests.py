"""What a booth asks the hub for next."""

from __future__ import annotations

from dataclasses import dataclass

# Only more changes than this, and than this share of the entries held, cost more than
# a snapshot. Fewer already touch nearly all of its chunks when they are spread.
SNAPSHOT_BEHIND = 5_000
SNAPSHOT_BEHIND_SHARE = 0.25
CHUNK_WINDOW = 16


@dataclass(frozen=True)
class AskNothing:
    """There is nothing to ask for."""


@dataclass(frozen=True)
class AskChanges:
    """The changes after a position of the log; after = 0 is the beginning."""

    after: int
    chain: bytes


@dataclass(frozen=True)
class AskManifest:
    """A snapshot later than after; after = 0 if no list is held."""

    after: int


@dataclass(frozen=True)
class AskChunks:
    """Chunks of the snapshot being fetched, at most 16 addresses."""

    digests: tuple[bytes, ...]


Request = AskNothing | AskChanges | AskManifest | AskChunks
