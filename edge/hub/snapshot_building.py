"""Makes a snapshot of the watchlist: the same for the hub's process and the shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.replication.snapshot import SnapshotBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.clock import Clock
    from edge.hub.store_port import HubLog, HubSnapshots
    from edge.trust.keys import ContentKey, SigningKey


class BuildingStoppedError(Exception):
    """on_progress raises it to give up; nothing is published then."""


def is_snapshot_due(
    log: HubLog, snapshots: HubSnapshots, *, epoch: int, after_changes: int
) -> bool:
    """Return whether a new snapshot is worth making.

    Raises:
        StoreError: the store cannot be read.
    """
    position, newest = log.position(), snapshots.newest()
    if position.count == 0:
        return False
    if newest is None or newest[1] != epoch or newest[0] > position.sequence:
        return True
    return position.sequence - newest[0] > after_changes


def build_snapshot(
    log: HubLog,
    snapshots: HubSnapshots,
    content_key: ContentKey,
    key: SigningKey,
    clock: Clock,
    on_progress: Callable[[int], None],
) -> int:
    """Make a snapshot of the log as it is now the newest; return its sequence.

    log and snapshots must not share a connection. key: a watchlist key. on_progress:
    told how many bytes of records were packed since the last call.

    Raises:
        WatchlistError: nothing is on the watchlist, or it changed in the instant of
            the start; try again.
        StoreError: the store cannot be read or written.
    """
    position = log.position()
    builder = SnapshotBuilder(position, content_key, snapshots.chunk_of_text)
    addresses = []
    for chunk in builder.chunks(log.current_records()):
        if not chunk.is_reused:
            snapshots.add_chunk(chunk)
        addresses.append(chunk.line.digest)
        on_progress(chunk.line.inflated_size)
    snapshots.publish(
        sequence=position.sequence,
        epoch=content_key.epoch,
        manifest=builder.manifest(clock.now(), key),
        addresses=addresses,
    )
    return position.sequence
