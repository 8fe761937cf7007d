"""The hash chain over the watchlist log: one value stands for the whole past."""

from __future__ import annotations

import hashlib

CHAIN_START = bytes(32)
_DOMAIN = b"edge-log"


def chain_step(log: str, previous: bytes, record: bytes) -> bytes:
    """Return the chain after one more record; previous: 32 bytes, CHAIN_START first."""
    return hashlib.sha256(_DOMAIN + log.encode() + previous + record).digest()
