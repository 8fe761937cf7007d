"""The hub's store, as the hub's code sees it: one port in parts.

Each part is thread-bound like its database connection. Every method raises StoreError
when the store cannot be read or written; what else is raised stands with the method.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from edge.records.hub_values import (
        BoothOverview,
        CommandRecord,
        Gap,
        HitToIllustrate,
        Recall,
        ReceivedContent,
        ShownImage,
        StoredDecision,
        StoredHit,
        StoredOutcome,
    )
    from edge.replication.position import LogPosition, RecordedChange
    from edge.replication.snapshot import Chunk
    from edge.terms import DraftChange
    from edge.trust.registered_booth import AdmittedBooth


class HubLog(Protocol):
    """The append-only watchlist log and the set of entries that it leaves."""

    def log(self) -> str | None:
        """Return the log's name, None before begin_log."""
        ...

    def begin_log(self, log: str, *, at: datetime) -> None:
        """Begin a log of this name; the entries there are become its first changes.

        Raises:
            WatchlistError: a log of this name has been written already.
        """
        ...

    def position(self) -> LogPosition: ...

    def position_at(self, sequence: int) -> LogPosition | None: ...

    def append(
        self, drafts: Sequence[DraftChange], *, at: datetime
    ) -> list[RecordedChange]:
        """Append changes under the next numbers, all of them or none.

        Raises:
            WatchlistError: no log has begun; adding what is there, or replacing or
                withdrawing what is not.
        """
        ...

    def records_after(self, sequence: int, limit: int) -> list[RecordedChange]: ...

    def record_bytes(self) -> int:
        """Return how many bytes the records of all current entries have."""
        ...

    def current_records(self) -> Iterator[tuple[str, bytes]]:
        """Yield id and record of each entry in the order of SHA-256 of its id."""
        ...


class HubSnapshots(Protocol):
    def newest(self) -> tuple[int, int, bytes] | None:
        """Return sequence, epoch and signed manifest of the newest snapshot."""
        ...

    def add_chunk(self, chunk: Chunk) -> None:
        """Keep a chunk; one that is there already stays."""
        ...

    def chunk(self, address: bytes) -> bytes | None: ...

    def chunk_of_text(self, plaintext_digest: bytes) -> bytes | None:
        """Return the chunk that an earlier snapshot made of the same text."""
        ...

    def publish(
        self, *, sequence: int, epoch: int, manifest: bytes, addresses: Sequence[bytes]
    ) -> None:
        """Make a snapshot the newest; drop what only older than the last two need."""
        ...


class HubMessages(Protocol):
    """What the booths have sent."""

    def accept(
        self, contents: Sequence[ReceivedContent], *, at: datetime
    ) -> list[StoredOutcome]:
        """Store all in one durable transaction; one outcome each, in order."""
        ...

    def hits(
        self,
        *,
        limit: int = 1000,
        booth_id: str | None = None,
        since: datetime | None = None,
        is_historical: bool | None = None,
    ) -> list[StoredHit]:
        """Return the last hits received, oldest first."""
        ...

    def hit(self, hit_id: str) -> StoredHit | None: ...

    def hits_beginning(self, beginning: str, *, limit: int) -> list[StoredHit]:
        """Return hits by the beginning of their ids, in the order of the ids."""
        ...

    def decisions(self, hit_id: str) -> list[StoredDecision]:
        """Return what officers at the hit's booth said, the first officer first."""
        ...

    def signed(self, message_id: str) -> bytes | None:
        """Return the booth's signed object of a message."""
        ...

    def take_new_hits(self, *, limit: int) -> list[StoredHit]:
        """Return hits that no call has returned before, and remember that durably."""
        ...

    def gaps(self, booth_id: str | None = None) -> list[Gap]: ...

    def note_access(self, hit_id: str, *, actor: str, at: datetime) -> None:
        """Write into the audit log that a person has looked at a hit."""
        ...


class HubRecalls(Protocol):
    """Which withdrawals the admitted booths have proved to have carried out."""

    def withdraw(
        self, entry_id: str, *, originator: str, reason: str, at: datetime
    ) -> RecordedChange:
        """Withdraw an entry, and note who wanted it and why, in one transaction.

        Raises:
            WatchlistError: no log has begun; the entry is not on the watchlist.
        """
        ...

    def recalls(self, *, pending_only: bool = False) -> list[Recall]:
        """Return all withdrawals of the log, newest last."""
        ...


class HubCommands(Protocol):
    def add(self, command: CommandRecord) -> None: ...

    def due(self, now: datetime, *, repeat_s: float) -> list[CommandRecord]:
        """Return what is waiting, not over, and not sent within repeat_s."""
        ...

    def sent(self, command_id: str, *, at: datetime) -> None: ...

    def answered(
        self, command_id: str, *, booth_id: str, outcome: str, detail: str, at: datetime
    ) -> bool:
        """Note a booth's answer; False if it was not asked, or has answered."""
        ...

    def expire(self, now: datetime) -> int:
        """Give up what is over; return how many."""
        ...

    def commands(self, *, limit: int = 100) -> list[CommandRecord]: ...


class HubImages(Protocol):
    """The images of references, for the officers who decide on hits."""

    def shown(self, entry_id: str) -> list[ShownImage]:
        """Return what can be sent of an entry's images, fingers first."""
        ...

    def to_illustrate(self, *, limit: int) -> list[HitToIllustrate]:
        """Return hits of entries with images that illustrated() has not had."""
        ...

    def illustrated(self, number: int, commands: Sequence[CommandRecord]) -> None:
        """Add commands with the images of a hit, and remember that, in one step."""
        ...


class HubBooths(Protocol):
    def seen(self, booth_id: str, *, state: str, at: datetime) -> None: ...

    def seen_all(self, states: dict[str, str], *, at: datetime) -> None:
        """Note the link states of booths, by booth id, in one transaction."""
        ...

    def booths(self) -> list[BoothOverview]: ...


class HubRegistry(Protocol):
    """Who is admitted, and the keys of the epochs, sealed to the hub itself."""

    def admit(
        self,
        booth: AdmittedBooth,
        *,
        at: datetime,
        held: bytes | None = None,
        until: datetime | None = None,
    ) -> None:
        """Admit a booth, or give it new keys; the key it had is good until then.

        held: the signing key that it has shown to have.
        """
        ...

    def revoke(self, booth_id: str, *, at: datetime) -> None: ...

    def end_renewal(self, booth_id: str) -> None:
        """Let a booth sign by its newest key alone: it has used it."""
        ...

    def booth(self, booth_id: str) -> AdmittedBooth | None: ...

    def booths(self) -> list[AdmittedBooth]: ...

    def current_epoch(self) -> int:
        """Return the number of the newest epoch, 0 if there is none."""
        ...

    def add_epoch(self, epoch: int, sealed_key: bytes, *, at: datetime) -> None: ...

    def sealed_epochs(self) -> list[tuple[int, bytes]]: ...

    def next_serial(self, booth_id: str) -> int:
        """Return the next serial of a booth's grants; no number comes twice."""
        ...

    def revision(self) -> int:
        """Return a number that moves when a booth or an epoch comes or goes."""
        ...
