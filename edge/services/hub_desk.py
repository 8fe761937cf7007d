"""What the operator at the hub does: publish, withdraw, command, look at a hit."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.errors import ConfigurationError, InputError
from edge.hub.command_sender import new_command
from edge.hub.entitlements import Entitlements
from edge.hub.snapshot_building import build_snapshot
from edge.records.changes import decode_change
from edge.services.hub import building_stores, hub_stores
from edge.services.user_name import user_name
from edge.services.wiring import shown_image
from edge.store.database import open_database
from edge.store.hub_images import StoredReferenceImages
from edge.store.hub_log import StoredHubLog
from edge.store.hub_recalls import StoredHubRecalls
from edge.sync.messages import CommandKind, Instruction
from edge.terms import ChangeOperation, DraftChange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from edge.config import Config
    from edge.hub.hub_stores import HubStores
    from edge.hub.store_port import HubRecalls
    from edge.records.hub_values import CommandRecord, StoredHit
    from edge.replication.position import RecordedChange
    from edge.terms import Reference, WatchlistEntry
    from edge.trust.hub_keys import HubKeys

    Item = tuple[WatchlistEntry, tuple[Reference, ...]]

COMMAND_VALID_S = 24 * 3600.0
# Entries in one transaction: it holds up the hits for a fraction of a second.
PUBLISHED_AT_ONCE = 500


@dataclass(frozen=True)
class HubDesk:
    """The hub's store, opened for a person at the shell.

    Raises StoreError when the store cannot be read or written.
    """

    stores: HubStores
    recalls: HubRecalls
    images: StoredReferenceImages
    log: StoredHubLog
    actor: str

    def end_of_log(self) -> int:
        """Return the sequence of the last change, 0 if there is none."""
        return 0 if self.log.log() is None else self.log.position().sequence

    def publish(
        self,
        items: Sequence[Item],
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> int:
        """Add the items to the log; higher versions replace what is there.

        An entry that is there in the same or a higher version is left alone. Some
        entries at a time are written at once, so that hits are taken meanwhile; what
        was interrupted is finished by publishing the same again. on_progress is told
        how many of how many items are done. Returns how many were published.

        Raises:
            WatchlistError: the hub has no log yet.
        """
        published = 0
        for start in range(0, len(items), PUBLISHED_AT_ONCE):
            on_progress(start, len(items))
            some = items[start : start + PUBLISHED_AT_ONCE]
            drafts = [draft for draft in map(self._draft, some) if draft is not None]
            published += len(self.log.append(drafts, at=SystemClock().now()))
        on_progress(len(items), len(items))
        return published

    def withdraw(
        self, entry_id: str, *, originator: str, reason: str
    ) -> RecordedChange:
        """Withdraw an entry everywhere; every booth has to confirm its deletion.

        Raises:
            WatchlistError: the entry is not on the watchlist.
        """
        return self.recalls.withdraw(
            entry_id, originator=originator, reason=reason, at=SystemClock().now()
        )

    def hit(self, hit_id: str) -> StoredHit:
        """Return a hit, found by its id or the beginning of it; the look is audited.

        Raises:
            InputError: there is no such hit, or several.
        """
        stored = self._hit_beginning_with(hit_id)
        self.stores.messages.note_access(
            stored.hit.hit_id, actor=self.actor, at=SystemClock().now()
        )
        return stored

    def instruct(self, hit_id: str, text: str, *, valid_s: float) -> CommandRecord:
        """Send an instruction on a hit to the booth that it came from.

        Raises:
            InputError: there is no such hit, or several; no text, or too long.
        """
        hit = self.hit(hit_id).hit
        try:
            instruction = Instruction(hit_id=hit.hit_id, text=text)
        except ValueError:
            message = "the text of an instruction: 1 to 4000 characters"
            raise InputError(message) from None
        return self._command(
            hit.booth_id, CommandKind.INSTRUCTION, instruction.encode(), valid_s
        )

    def command(
        self, booth_id: str, kind: CommandKind, *, valid_s: float = COMMAND_VALID_S
    ) -> CommandRecord:
        """Send a command without a body.

        Raises:
            InputError: no such booth.
        """
        booth = self.stores.registry.booth(booth_id)
        if booth is None or booth.revoked_at is not None:
            message = f"booth {booth_id} is not admitted: see `edge hub booths`"
            raise InputError(message)
        return self._command(booth_id, kind, b"", valid_s)

    def _command(
        self, booth_id: str, kind: CommandKind, body: bytes, valid_s: float
    ) -> CommandRecord:
        now = SystemClock().now()
        command = new_command(booth_id, kind, body, at=now, valid_s=valid_s)
        self.stores.commands.add(command)
        return command

    def _draft(self, item: Item) -> DraftChange | None:
        entry, references = item
        record = self.log.entry_record(entry.entry_id)
        if record is None:
            operation = ChangeOperation.ADD
        else:
            known = decode_change(record).entry
            if known is not None and known.version >= entry.version:
                return None
            operation = ChangeOperation.REPLACE
        return DraftChange(operation, entry.entry_id, entry, references)

    def _hit_beginning_with(self, beginning: str) -> StoredHit:
        found = self.stores.messages.hits_beginning(beginning, limit=2)
        is_whole = bool(found) and found[0].hit.hit_id == beginning
        if len(found) != 1 and not is_whole:
            what = "several hits" if found else "no hit"
            message = f"{what} with an id that begins with {beginning!r}"
            raise InputError(message)
        return found[0]


@contextmanager
def open_desk(config: Config) -> Iterator[HubDesk]:
    """Open the hub's store of this machine.

    Raises:
        ConfigurationError: this machine is not configured as a hub.
        StoreError: the store cannot be opened.
    """
    actor = user_name()
    database = open_database(hub_store_path(config), "hub")
    try:
        yield HubDesk(
            stores=hub_stores(database, actor=actor),
            recalls=StoredHubRecalls(database, actor=actor),
            images=StoredReferenceImages(database, actor=actor, shown=shown_image),
            log=StoredHubLog(database, actor=actor),
            actor=actor,
        )
    finally:
        database.conn.close()


def make_snapshot(
    path: Path, keys: HubKeys, on_progress: Callable[[int, int], None]
) -> int:
    """Make a snapshot of the log now; return its sequence.

    on_progress: told bytes done and bytes in all.

    Raises:
        ConfigurationError: the hub has no epoch key, or none that opens.
        StoreError: the store cannot be read or written.
        WatchlistError: there is no log, nothing is on it, or it changed at the start.
    """
    with building_stores(path) as stores:
        content_key = Entitlements(
            stores.registry, keys.sealing, SystemClock()
        ).content_key()
        total, done = stores.log.record_bytes(), 0

        def note(size: int) -> None:
            nonlocal done
            done += size
            on_progress(done, total)

        return build_snapshot(
            stores.log,
            stores.snapshots,
            content_key,
            keys.watchlist,
            SystemClock(),
            note,
        )


def hub_store_path(config: Config) -> Path:
    """Return where the hub's store of this machine lies.

    Raises:
        ConfigurationError: this machine is not configured as a hub.
    """
    if config.hub is None:
        message = "no [hub] section in the configuration: this machine is no hub"
        raise ConfigurationError(message)
    return config.hub.store
