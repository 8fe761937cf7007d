"""The synthetic person of a drill: one drawn finger, named by the seed it grows from.

The seed stands in the entry's id, so that a booth that holds the entry can draw another
impression of the same finger.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.simulate.fingers import Condition, SyntheticFinger
from edge.terms import DRILL_CATEGORY, WatchlistEntry, is_drill

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    import numpy as np
    from numpy.typing import NDArray

ID_BEGINNING = "drill-"
_ENTRY_ID = re.compile(r"drill-(\d{1,9})", re.ASCII)
LARGEST_SEED = 999_999_999
# A finger that is put down with care, so that a drill measures the way of an alert and
# not how well a finger was drawn.
_ENROLLED = Condition(
    pressure=0.0, moisture=0.0, rotation_deg=0.0, coverage=1.0, dirt=0.0
)
_PRESENTED = replace(_ENROLLED, pressure=0.1, rotation_deg=4.0)
IMPRESSIONS = 3


def drill_entry(
    seed: int, *, name: str, at: datetime, valid: timedelta
) -> WatchlistEntry:
    """Return the entry of a drill's person; it ends by itself."""
    return WatchlistEntry(
        entry_id=f"{ID_BEGINNING}{seed}",
        version=1,
        category=DRILL_CATEGORY,
        originator="drill",
        handling_code="DRILL",
        legal_basis="exercise; no person",
        instruction="This is a drill. Decide as you always do; hold nobody.",
        valid_from=at,
        expires_at=at + valid,
        name=name,
    )


def drill_seed(entry: WatchlistEntry) -> int | None:
    """Return the seed of a drill's entry, None if it is no drill of ours."""
    found = _ENTRY_ID.fullmatch(entry.entry_id) if is_drill(entry) else None
    return None if found is None else int(found[1])


def enrolled_impression(seed: int) -> NDArray[np.uint8]:
    """Return the impression that is on the list, dark ridges, at 500 ppi."""
    return SyntheticFinger(seed).impression(0, condition=_ENROLLED)


def presented_impressions(seed: int, number: int) -> list[NDArray[np.uint8]]:
    """Return other impressions; number: of the drill, no two give the same."""
    finger = SyntheticFinger(seed)
    first = 1 + number * IMPRESSIONS
    return [
        finger.impression(first + step, condition=_PRESENTED)
        for step in range(IMPRESSIONS)
    ]
