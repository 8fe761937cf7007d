"""The signed head of the watchlist log: how far it goes, and until when that holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from pydantic import model_validator

from edge.errors import ConfigurationError
from edge.records.message_map import (  # noqa: TC001  pydantic reads annotations
    Cursor,
    Digest,
    Instant,
)
from edge.replication.authority import LogMessage, read_message
from edge.replication.position import LogPosition
from edge.trust.cose import OVERHEAD_BYTES, sign

if TYPE_CHECKING:
    from edge.replication.authority import LogAuthority
    from edge.trust.keys import SigningKey

MAX_VALID_S = 7 * 24 * 3600
MAX_HEAD_BYTES = 1024 + OVERHEAD_BYTES


class Head(LogMessage):
    """The hub's word that at issued_at its log ended here.

    snapshot: sequence of the newest snapshot, 0 if there is none. A head says nothing
    about the time after expires_at, at most 7 days later.
    """

    type_name = "head"
    sequence: Cursor
    chain: Digest
    digest: Digest
    count: Cursor
    snapshot: Cursor
    issued_at: Instant
    expires_at: Instant

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if not timedelta(0) < self.expires_at - self.issued_at <= _MAX_VALID:
            raise ValueError("valid for no time, or for more than 7 days")
        if self.snapshot > self.sequence or self.count > self.sequence:
            raise ValueError("more entries or a later snapshot than changes")
        return self

    @property
    def position(self) -> LogPosition:
        return LogPosition(self.log, self.sequence, self.chain, self.digest, self.count)


def make_head(
    position: LogPosition,
    epoch: int,
    snapshot: int,
    issued_at: datetime,
    valid_s: float,
    key: SigningKey,
) -> bytes:
    """Return a signed head.

    snapshot: sequence of the newest snapshot, 0 if there is none. valid_s: seconds, at
    most 7 days.

    Raises:
        ConfigurationError: valid_s is out of range.
    """
    if not 0 < valid_s <= MAX_VALID_S:
        raise ConfigurationError(
            f"a head valid for {valid_s} s: more than 0, at most {MAX_VALID_S} allowed"
        )
    head = Head(
        log=position.log,
        epoch=epoch,
        sequence=position.sequence,
        chain=position.chain,
        digest=position.digest,
        count=position.count,
        snapshot=snapshot,
        issued_at=issued_at,
        expires_at=issued_at + timedelta(seconds=valid_s),
    )
    return sign(head.encode(), key)


def read_head(data: bytes, authority: LogAuthority) -> Head:
    """Return a head that a watchlist key signed, whatever the time.

    Raises:
        RefusalError: TOO_LARGE, WRONG_SIGNER or WRONG_LOG.
        MessageError: no head, or changed since it was signed.
    """
    return read_message(data, Head, authority, limit=MAX_HEAD_BYTES)


_MAX_VALID = timedelta(seconds=MAX_VALID_S)
