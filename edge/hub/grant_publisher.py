"""Keeps each entitled booth's grant, the keys of the epochs, retained on the broker."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from edge.errors import MessageError
from edge.hub.outgoing import Outgoing
from edge.sync.topics import BoothChannel, BoothTopic
from edge.trust.grants import make_grant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.clock import Clock
    from edge.hub.entitlements import Entitlements
    from edge.hub.store_port import HubRegistry
    from edge.logs import EventLog
    from edge.trust.keys import SealingPublicKey, SigningKey

_What = tuple[bytes, int]  # the reader's key and the newest epoch


class GrantPublisher:
    def __init__(
        self,
        entitlements: Entitlements,
        registry: HubRegistry,
        key: SigningKey,
        clock: Clock,
        log: EventLog,
    ) -> None:
        """key: an operations key."""
        self._entitlements = entitlements
        self._registry = registry
        self._key = key
        self._clock = clock
        self._log = log
        self._made: dict[str, tuple[_What, bytes]] = {}
        self._retained: dict[str, bytes] = {}

    def forget(self) -> None:
        """Make every grant due again: the broker may have lost them."""
        self._retained.clear()

    def due(self, limit: int) -> Iterator[Outgoing]:
        """Yield grants that the broker does not hold yet, at most limit.

        Raises:
            StoreError: no serial could be taken.
        """
        readers = self._entitlements.readers
        for booth_id in self._made.keys() - readers.keys():
            del self._made[booth_id]
            self._retained.pop(booth_id, None)
            yield _retained(booth_id, b"")
        stale = (
            (booth_id, reader)
            for booth_id, reader in readers.items()
            if booth_id not in self._retained
            or self._made[booth_id][0] != self._what(reader)
        )
        for booth_id, reader in islice(stale, limit):
            grant = self._grant(booth_id, reader)
            self._retained[booth_id] = grant
            if grant:
                yield _retained(booth_id, grant)

    def grant(self, booth_id: str) -> bytes | None:
        """Return the grant of a booth, None if it is not entitled or cannot read one.

        Raises:
            StoreError: no serial could be taken.
        """
        reader = self._entitlements.readers.get(booth_id)
        return None if reader is None else self._grant(booth_id, reader) or None

    def _grant(self, booth_id: str, reader: SealingPublicKey) -> bytes:
        what = self._what(reader)
        made = self._made.get(booth_id)
        if made is not None and made[0] == what:
            return made[1]
        serial = self._registry.next_serial(booth_id)
        try:
            grant = make_grant(
                booth_id,
                reader,
                self._entitlements.epochs,
                serial=serial,
                issued_at=self._clock.now(),
                key=self._key,
            )
        except MessageError as error:
            # One booth with a bad key must not keep the others from their grants.
            self._log.event("grant_failed", booth_id=booth_id, error=str(error))
            grant = b""
        self._made[booth_id] = (what, grant)
        return grant

    def _what(self, reader: SealingPublicKey) -> _What:
        return reader.raw, self._entitlements.content_key().epoch


def _retained(booth_id: str, grant: bytes) -> Outgoing:
    topic = str(BoothTopic(booth_id, BoothChannel.GRANT))
    return Outgoing(topic, grant, is_retained=True)
