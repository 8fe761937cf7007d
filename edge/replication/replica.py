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
from edge.replication.head import read_head
from edge.replication.horizon import Horizon, require_same_entries
from edge.replication.manifest import position_of, read_manifest
from edge.replication.position import LogPosition
from edge.replication.requests import (
    SNAPSHOT_BEHIND,
    SNAPSHOT_BEHIND_SHARE,
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
    from edge.replication.freshness import Freshness
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

    For one thread. A snapshot goes accept_manifest, fetch, open_chunk and has_chunk for
    each; once none is missing, the caller compares the set digest of all entries with
    the manifest's, commits and calls moved_to(position_of(manifest)).

    Every accept method raises RefusalError with the reason, or
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
        self._fetching: Fetching | None = None
        self._horizon = Horizon(authority.log, held, latest_trusted_at)
        if newest is not None and newest.log == authority.log:
            self._horizon.know(newest.sequence, newest.snapshot)
            self._horizon.take(newest, newest.issued_at)

    @property
    def held(self) -> LogPosition | None:
        """The position last given to the constructor or to moved_to."""
        return self._horizon.held

    @property
    def newest(self) -> Head | None:
        """The newest head accepted; to be kept."""
        return self._horizon.newest

    @property
    def latest_trusted_at(self) -> datetime | None:
        """How far the clock is believed; to be kept when it has moved by a minute."""
        return self._horizon.time.latest_trusted_at

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
        self._horizon.note(now)
        self._horizon.require_no_older(head)
        self._horizon.know(head.sequence, head.snapshot)
        if self._horizon.time.is_future(head.issued_at, now):
            self._horizon.time.note_hub_ahead(head.issued_at)
            raise RefusalError(
                RefusalReason.FUTURE,
                f"head {head.sequence}: issued at {head.issued_at}, now is {now}; "
                "one of the clocks is wrong",
            )
        if head.expires_at <= self._horizon.time.no_earlier(now):
            raise RefusalError(
                RefusalReason.EXPIRED,
                f"head {head.sequence}: expired at {head.expires_at}",
            )
        self._horizon.take(head, now)
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
        self._horizon.note(now)
        base = self._horizon.base()
        self._horizon.know(batch.upto)
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
        what = f"changes {batch.after + 1} to {batch.upto}"
        past = dict(enumerate(chains, start=batch.after))
        self._horizon.require_same_past(past, what)
        for known in self._horizon.landmarks():
            require_same_entries(after, known, what)
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
        self._horizon.note(now)
        held = self._horizon.base()
        if manifest.sequence < held.sequence:
            raise RefusalError(
                RefusalReason.ROLLBACK,
                f"manifest {manifest.sequence}: {held.sequence} is held already",
            )
        position = position_of(manifest)
        for known in self._horizon.landmarks():
            if known.sequence == position.sequence and known != position:
                raise RefusalError(
                    RefusalReason.MIXED,
                    f"manifest {manifest.sequence}: it is not the state that the head "
                    "or the list held names",
                )
        self._horizon.know(manifest.sequence, manifest.sequence)
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
        """A chunk of the snapshot being collected has been opened and kept.

        digest: chunk_address of its bytes; what a message calls it proves nothing.
        """
        if self._fetching is not None:
            self._fetching.has(digest)

    def stop_fetching(self) -> None:
        """Give the snapshot up, such as one whose chunks the hub no longer has."""
        self._fetching = None

    def moved_to(self, position: LogPosition) -> None:
        """What is held is now at position: the commit is done."""
        self._horizon.move_to(position)
        fetching = self._fetching
        if fetching is not None and fetching.manifest.sequence <= position.sequence:
            self._fetching = None

    def trust(self, authority: LogAuthority) -> None:
        """Go by a new trust document.

        If a key is gone or the log is another one, the newest head is forgotten: what
        a lost key signed must not keep later, honest heads out.
        """
        before, self._authority = self._authority, authority
        is_same_log = before.log == authority.log
        if not is_same_log:
            self._fetching = None
            self._horizon.log = authority.log
        if not is_same_log or before.watchlist_keys.keys() - authority.watchlist_keys:
            self._horizon.forget_heads()

    def use_content_keys(self, content_keys: Mapping[int, ContentKey]) -> None:
        """Go by these content keys alone, by epoch."""
        self._content_keys = dict(content_keys)

    def freshness(self, now: datetime) -> Freshness:
        """Return what may be said at now; remembers how late it has been."""
        self._horizon.note(now)
        return self._horizon.freshness(now)

    def next_request(self) -> Request:
        """Return what to ask the hub for now; when to ask again is the caller's.

        While no head is known it is the changes after what is held: the hub answers
        with a head if there are none. AskNothing while a snapshot is complete: it is to
        be applied.
        """
        if self._fetching is not None:
            wanted = self._fetching.wanted()
            return AskChunks(wanted) if wanted else AskNothing()
        horizon = self._horizon
        base, behind = horizon.base(), horizon.behind()
        if horizon.newest is not None and behind == 0:
            return AskNothing()
        worth = max(SNAPSHOT_BEHIND, SNAPSHOT_BEHIND_SHARE * base.count)
        is_far_behind = not horizon.has_list() or behind > worth
        if is_far_behind and horizon.known_snapshot > base.sequence:
            return AskManifest(base.sequence)
        return AskChanges(base.sequence, base.chain)
