"""What the operator at the hub sees: one line for each new hit.

For now the hub's log is the console. The store remembers, before the line is written,
that it was: a power cut between the two swallows a line, and nothing ever writes one
twice. `edge hub hits` is the record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.logs import EventLog
    from edge.records.hub_values import StoredHit


class Console:
    def __init__(self, log: EventLog) -> None:
        self._log = log

    def show(self, stored: StoredHit) -> None:
        hit = stored.hit
        modalities = sorted({candidate.modality.value for candidate in hit.candidates})
        self._log.event(
            "hit",
            kind="drill" if hit.is_drill else "hit",
            hit_id=hit.hit_id,
            booth_id=hit.booth_id,
            check_id=hit.check_id,
            sequence=stored.sequence,
            entry_id=hit.entry_id,
            version=hit.entry_version,
            modality=",".join(modalities),
            count=len(hit.evidence),
            state="historical" if stored.is_historical else "new",
        )
