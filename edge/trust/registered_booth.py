"""A booth as the hub knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class AdmittedBooth:
    """signing, sealing: raw public keys. certificate: of its broker line; PEM.

    previous_signing: after a renewal, the key that it may still sign by, until
    previous_until or until it has spoken by the new one. previous_sealing: the key that
    it reads by as long as it does so.
    """

    booth_id: str
    signing: bytes
    sealing: bytes
    certificate: bytes
    admitted_at: datetime
    revoked_at: datetime | None = None
    previous_signing: bytes | None = None
    previous_until: datetime | None = None
    previous_sealing: bytes | None = None
