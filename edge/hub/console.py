"""What the operator at the hub sees: one line for each new hit.

For now the hub's log is the console. The store is the operator's record; a line that a
power cut swallows between commit and output is still there, and `edge hub hits` shows
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.logs import EventLog
    from edge.terms import Hit


class Console:
    def __init__(self, log: EventLog) -> None:
        self._log = log

    def show(self, hit: Hit, *, sequence: int) -> None:
        """Write the line of a hit that the store has just accepted as new."""
        modalities = sorted({candidate.modality.value for candidate in hit.candidates})
        self._log.event(
            "hit",
            hit_id=hit.hit_id,
            booth_id=hit.booth_id,
            check_id=hit.check_id,
            sequence=sequence,
            entry_id=hit.entry_id,
            version=hit.entry_version,
            modality=",".join(modalities),
            count=len(hit.evidence),
        )
