"""The parts of the hub's store that one thread works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.hub.store_port import (
        HubBooths,
        HubCommands,
        HubImages,
        HubLog,
        HubMessages,
        HubRegistry,
        HubSnapshots,
    )


@dataclass(frozen=True)
class HubStores:
    """images: None where no images of references are held."""

    log: HubLog
    snapshots: HubSnapshots
    messages: HubMessages
    commands: HubCommands
    booths: HubBooths
    registry: HubRegistry
    images: HubImages | None = None


@dataclass(frozen=True)
class BuildingStores:
    """What building a snapshot needs; log and snapshots on connections of their own."""

    log: HubLog
    snapshots: HubSnapshots
    registry: HubRegistry
