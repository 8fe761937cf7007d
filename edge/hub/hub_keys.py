"""The hub's working keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge.trust.keys import SealingKey, SigningKey


@dataclass(frozen=True)
class HubKeys:
    """watchlist signs the log, operations everything else that the hub says.

    sealing: what booths and epochs are sealed to, old ones included, by key id. trust:
    the array of trust documents that name these keys.
    """

    watchlist: SigningKey
    operations: SigningKey
    sealing: Mapping[bytes, SealingKey]
    trust: bytes

    def is_same(self, other: HubKeys) -> bool:
        """Return whether nothing has changed."""
        return (
            self.watchlist.raw == other.watchlist.raw
            and self.operations.raw == other.operations.raw
            and self.sealing.keys() == other.sealing.keys()
            and self.trust == other.trust
        )
