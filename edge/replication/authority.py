"""Who may speak about the watchlist log, and what all that is said has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

from pydantic import Field

from edge.errors import RefusalError, RefusalReason
from edge.records.message_map import MessageMap, Sequence
from edge.trust.cose import read_signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.trust.keys import VerifyingKey


class LogAuthority(Protocol):
    """The part of the accepted trust document that concerns the watchlist log."""

    @property
    def log(self) -> str: ...

    @property
    def watchlist_keys(self) -> Mapping[bytes, VerifyingKey]:
        """Keys that may sign heads, changes and manifests, by key id."""
        ...


class LogMessage(MessageMap):
    """Base of what is signed by a watchlist key: which log, and the epoch of keys."""

    log: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    epoch: Sequence


M = TypeVar("M", bound=LogMessage)


def read_message(
    data: bytes, kind: type[M], authority: LogAuthority, *, limit: int
) -> M:
    """Return the message of this kind in an object that a watchlist key has signed.

    Raises:
        RefusalError: TOO_LARGE: over limit; WRONG_SIGNER: by another key; WRONG_LOG.
        MessageError: no signed object of this kind, or changed since it was signed.
    """
    what = kind.type_name
    if len(data) > limit:
        raise RefusalError(
            RefusalReason.TOO_LARGE, f"{what}: {len(data)} bytes, {limit} allowed"
        )
    signed = read_signed(data, limit=limit)
    key = authority.watchlist_keys.get(signed.key_id)
    if key is None:
        raise RefusalError(
            RefusalReason.WRONG_SIGNER,
            f"{what}: signed by {signed.key_id.hex()}, which is no watchlist key",
        )
    message = kind.decode(signed.verified(key), limit=limit)
    if message.log != authority.log:
        raise RefusalError(
            RefusalReason.WRONG_LOG,
            f"{what}: of log {message.log}, not of {authority.log}",
        )
    return message
