"""A booth as the hub knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class AdmittedBooth:
    """signing, sealing: raw public keys. certificate: of its broker line; PEM."""

    booth_id: str
    signing: bytes
    sealing: bytes
    certificate: bytes
    admitted_at: datetime
    revoked_at: datetime | None = None
