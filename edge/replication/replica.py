"""The booth's end of the watchlist log: bytes in, trusted values or a refusal out.

Nothing here stores, sends or looks at a clock. The caller keeps what comes out and says
so: after its commit it calls moved_to, so that a crash in between changes nothing.

Heads prove freshness and are refused when the clock speaks against them. Changes and
snapshots are signed, chained and digested: they are good at any time and under any
clock, and are applied even where freshness cannot be claimed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import RefusalError, RefusalReason
from edge.replication import opening
from edge.replication.changes import read_changes
from edge.replication.fetching import Fetching
from edge.replication.freshness import Freshness, FreshnessState, TrustedTime
from edge.replication.head import read_head
from edge.replication.manifest import position_of, read_manifest
from edge.replication.position import LogPosition, beginning
from edge.replication.requests import (
    SNAPSHOT_BEHIND,
    AskChanges,
    AskChunks,
    AskManifest,
    AskNothing,
    Request,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from edge.replication.authority import LogAuthority
    from edge.replication.head import Head
    from edge.replication.manifest import Manifest
    from edge.replication.position import RecordedChange
    from edge.trust.keys import ContentKey


@dataclass(frozen=True)
class AcceptedChanges:
    """The next changes, in order, that lead from before to after.

    before: what was held, or the beginning of the log; a list of another log that is
    still held then goes, all of it. changes: empty if nothing is new. after.digest is
    the hub's word: compare it with the set digest before committing.
    """

    before: LogPosition
    after: LogPosition
    changes: tuple[RecordedChange, ...]


class Replica:
    """What one booth holds of the watchlist log, and what it lets itself be told.

    For one thread. Every accept method raises RefusalError with the reason, or
    MessageError for bytes that are no such object; nothing has changed then, except
    that a signed object that says how far the log goes is remembered for behind.
    """

    def __init__(
        self,
        booth_id: str,
        authority: LogAuthority,
        content_keys: Mapping[int, ContentKey],
        held: LogPosition | None,
        newest: Head | None,
        latest_trusted_at: datetime | None,
    ) -> None:
        """Go on from what was kept.

        content_keys: by epoch. held: position of the list in the store. newest: the
        newest head that was accepted. latest_trusted_at: as this class last said.
        """
        self.booth_id = booth_id
        self._authority = authority
        self._content_keys = dict(content_keys)
        self._held = held
        self._newest: Head | None = None
        self._proof: Head | None = None  # the newest head that what is held reaches
        self._known_sequence = self._known_snapshot = 0
        self._fetching: Fetching | None = None
        self._time = TrustedTime(latest_trusted_at)
        if newest is not None and newest.log == authority.log:
            self._know(newest.sequence, newest.snapshot)
            self._take(newest, newest.issued_at)

    @property
    def held(self) -> LogPosition | None:
        """The position last given to the constructor or to moved_to."""
        return self._held

    @property
    def newest(self) -> Head | None:
        """The newest head accepted; to be kept."""
        return self._newest

    @property
    def latest_trusted_at(self) -> datetime | None:
        """How far the clock is believed; to be kept when it has moved by a minute."""
        return self._time.latest_trusted_at

    @property
    def fetching(self) -> Manifest | None:
        """The manifest whose chunks are being collected."""
        return None if self._fetching is None else self._fetching.manifest

    def accept_head(self, data: bytes, now: datetime) -> Head:
        """Take a head; one that came before is taken again and changes nothing.

        Raises:
            RefusalError: WRONG_SIGNER, WRONG_LOG, TOO_LARGE; ROLLBACK: older than the
                newest head or than what is held; FORK: of another past; MIXED: same
                past, another set of entries; FUTURE: issued over 300 s after now;
                EXPIRED.
            MessageError: no head, or changed.
        """
        head = read_head(data, self._authority)
        self._time.note(now, self._newest)
        self._require_no_older(head)
        self._know(head.sequence, head.snapshot)
        if self._time.is_future(head.issued_at, now):
            self._time.note_hub_ahead(head.issued_at)
            raise RefusalError(
                RefusalReason.FUTURE,
                f"head {head.sequence}: issued at {head.issued_at}, now is {now}; "
                "one of the clocks is wrong",
            )
        if head.expires_at <= self._time.no_earlier(now):
            raise RefusalError(
                RefusalReason.EXPIRED,
                f"head {head.sequence}: expired at {head.expires_at}",
            )
        self._take(head, now)
        return head

    def accept_changes(self, data: bytes, now: datetime) -> AcceptedChanges:
        """Take the changes of a batch that follow what is held.

        A batch may begin before that, if its past is the same.

        Raises:
            RefusalError: WRONG_SIGNER, WRONG_LOG, TOO_LARGE; ROLLBACK: it ends before
                what is held; GAP: it begins later; FORK: its past is another than that
                of what is held or of the newest head; NO_KEY; MIXED: its content is not
                what it says.
            MessageError: no batch, or changed.
        """
        batch = read_changes(data, self._authority)
        self._time.note(now, self._newest)
        base = self._base()
        self._know(batch.upto)
        if batch.upto < base.sequence:
            raise RefusalError(
                RefusalReason.ROLLBACK,
                f"changes to {batch.upto}: {base.sequence} is held already",
            )
        if batch.after > base.sequence:
            raise RefusalError(
                RefusalReason.GAP,
                f"changes after {batch.after}: only {base.sequence} is held",
            )
        changes, chains = opening.open_batch(batch, self._content_keys)
        after = LogPosition(
            log=batch.log,
            sequence=batch.upto,
            chain=batch.chain_after,
            digest=batch.digest_after,
            count=batch.count_after,
        )
        past = dict(enumerate(chains, start=batch.after))
        for known in self._landmarks():
            if past.get(known.sequence, known.chain) != known.chain:
                raise RefusalError(
                    RefusalReason.FORK,
                    f"changes {batch.after + 1} to {batch.upto}: of another past than "
                    f"position {known.sequence} that is known",
                )
            _require_same_entries(after, known, f"changes to {batch.upto}")
        return AcceptedChanges(
            base, after, tuple(changes[base.sequence - batch.after :])
        )

    def accept_manifest(self, data: bytes, now: datetime) -> Manifest:
        """Take a manifest; its chunks are collected after a call of fetch.

        Raises:
            RefusalError: WRONG_SIGNER, WRONG_LOG, TOO_LARGE; ROLLBACK: of an earlier
                state than what is held; MIXED: it does not agree with itself, with the
                newest head or with what is held.
            MessageError: no manifest, or changed.
        """
        manifest = read_manifest(data, self._authority)
        self._time.note(now, self._newest)
        held = self._base()
        if manifest.sequence < held.sequence:
            raise RefusalError(
                RefusalReason.ROLLBACK,
                f"manifest {manifest.sequence}: {held.sequence} is held already",
            )
        position = position_of(manifest)
        for known in self._landmarks():
            if known.sequence == position.sequence and known != position:
                raise RefusalError(
                    RefusalReason.MIXED,
                    f"manifest {manifest.sequence}: it is not the state that the head "
                    "or the list held names",
                )
        self._know(manifest.sequence, manifest.sequence)
        return manifest

    def open_chunk(self, manifest: Manifest, data: bytes) -> tuple[RecordedChange, ...]:
        """Return the changes that made the entries of a chunk as they stand.

        manifest: as accept_manifest returned it.

        Raises:
            RefusalError: MIXED: not in the manifest or not what that says; NO_KEY;
                TOO_LARGE.
            MessageError: its content cannot be read.
        """
        return tuple(opening.open_chunk(manifest, data, self._content_keys))

    def fetch(self, manifest: Manifest, have: Collection[bytes] = ()) -> None:
        """Collect this snapshot from now on; have: addresses of chunks already kept."""
        self._fetching = Fetching(manifest, have)

    def has_chunk(self, digest: bytes) -> None:
        """A chunk of the snapshot being collected has been kept."""
        if self._fetching is not None:
            self._fetching.has(digest)

    def stop_fetching(self) -> None:
        """Give the snapshot up, such as one whose chunks the hub no longer has."""
        self._fetching = None

    def moved_to(self, position: LogPosition) -> None:
        """What is held is now at position: the commit is done."""
        self._held = position
        fetching = self._fetching
        if fetching is not None and fetching.manifest.sequence <= position.sequence:
            self._fetching = None
        self._prove()

    def trust(self, authority: LogAuthority) -> None:
        """Go by a new trust document.

        If a key is gone or the log is another one, the newest head is forgotten: what
        a lost key signed must not keep later, honest heads out.
        """
        before, self._authority = self._authority, authority
        is_same_log = before.log == authority.log
        if not is_same_log:
            self._fetching = None
        if not is_same_log or before.watchlist_keys.keys() - authority.watchlist_keys:
            self._newest = self._proof = None
            self._known_sequence = self._known_snapshot = 0

    def use_content_keys(self, content_keys: Mapping[int, ContentKey]) -> None:
        """Go by these content keys alone, by epoch."""
        self._content_keys = dict(content_keys)

    def freshness(self, now: datetime) -> Freshness:
        """Return what may be said at now; remembers how late it has been."""
        self._time.note(now, self._newest)
        return Freshness(
            state=self._state(now),
            as_of=None if self._proof is None else self._proof.issued_at,
            behind=self._behind(),
        )

    def next_request(self) -> Request:
        """Return what to ask the hub for now; when to ask again is the caller's.

        While no head is known it is the changes after what is held: the hub answers
        with a head if there are none. AskNothing while a snapshot is complete: it is to
        be applied.
        """
        if self._fetching is not None:
            wanted = self._fetching.wanted()
            return AskChunks(wanted) if wanted else AskNothing()
        base, behind = self._base(), self._behind()
        if self._newest is not None and behind == 0:
            return AskNothing()
        is_far_behind = not self._has_list() or behind > SNAPSHOT_BEHIND
        if is_far_behind and self._known_snapshot > base.sequence:
            return AskManifest(base.sequence)
        return AskChanges(base.sequence, base.chain)

    def _has_list(self) -> bool:
        return self._held is not None and self._held.log == self._authority.log

    def _base(self) -> LogPosition:
        held = self._held
        if held is None or held.log != self._authority.log:
            return beginning(self._authority.log)
        return held

    def _landmarks(self) -> list[LogPosition]:
        """Return the positions that the log is known to pass through."""
        newest = [] if self._newest is None else [self._newest.position]
        return [self._base(), *newest]

    def _know(self, sequence: int, snapshot: int = 0) -> None:
        self._known_sequence = max(self._known_sequence, sequence)
        self._known_snapshot = max(self._known_snapshot, snapshot)

    def _behind(self) -> int:
        return max(0, self._known_sequence - self._base().sequence)

    def _take(self, head: Head, now: datetime) -> None:
        if self._newest is None or head.issued_at > self._newest.issued_at:
            self._time.note_agreement()
        self._newest = head
        self._time.note(max(now, head.issued_at), head)
        self._prove()

    def _prove(self) -> None:
        if self._newest is not None and self._newest.sequence <= self._base().sequence:
            self._proof = self._newest

    def _state(self, now: datetime) -> FreshnessState:
        proof = self._proof
        if not self._time.is_trusted(now):
            return FreshnessState.CLOCK_UNTRUSTED
        if self._newest is None or (proof is None and not self._has_list()):
            return FreshnessState.UNKNOWN
        if proof is None or proof.expires_at <= self._time.no_earlier(now):
            return FreshnessState.STALE
        return FreshnessState.FRESH

    def _require_no_older(self, head: Head) -> None:
        newest, what = self._newest, f"head {head.sequence}"
        for known in self._landmarks():
            if head.sequence < known.sequence:
                raise RefusalError(
                    RefusalReason.ROLLBACK, f"{what}: {known.sequence} is known already"
                )
            if head.sequence == known.sequence and head.chain != known.chain:
                raise RefusalError(RefusalReason.FORK, f"{what}: of another past")
            _require_same_entries(head.position, known, what)
        if newest is not None and head.issued_at < newest.issued_at:
            raise RefusalError(
                RefusalReason.ROLLBACK,
                f"{what}: issued at {head.issued_at}, a later one is known",
            )


def _require_same_entries(one: LogPosition, known: LogPosition, what: str) -> None:
    if one.sequence == known.sequence and one != known:
        raise RefusalError(
            RefusalReason.MIXED, f"{what}: other entries than are known for this place"
        )
