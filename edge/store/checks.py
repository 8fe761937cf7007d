"""The booth's checks. Implements edge.ports.CheckRecorder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from edge.store.audit import append_audit
from edge.store.database import mapped_errors, transaction
from edge.store.hits import insert_hit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlite_utils

    from edge.terms import CheckRecord, Exemption, Hit, Modality


class CheckStore:
    """devices: by what name a supervisor knows what took the samples of a modality."""

    def __init__(
        self,
        database: sqlite_utils.Database,
        devices: Mapping[Modality, str] | None = None,
    ) -> None:
        self._database = database
        self._devices = devices or {}

    def record(self, check: CheckRecord, hit: Hit | None) -> None:
        """Write check, hit, outbox row and audit lines in one durable transaction."""
        with transaction(self._database) as connection:
            if hit is not None:
                insert_hit(connection, hit)
            connection.execute(
                "insert into checks values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    check.check_id,
                    check.started_at.isoformat(),
                    check.finished_at.isoformat(),
                    str(check.outcome),
                    check.attempts,
                    ",".join(check.reasons),
                    check.duration_ms,
                    None if check.presentation is None else str(check.presentation),
                    check.officer,
                    json.dumps({k: round(v, 1) for k, v in check.timings_ms.items()}),
                ),
            )
            connection.executemany(
                "insert into check_samples values (?, ?, ?, ?, ?, ?, ?, ?)",
                self._sample_rows(check),
            )
            for exemption in check.exemptions:
                append_audit(
                    connection,
                    at=check.finished_at,
                    actor=exemption.officer,
                    action=str(exemption.kind),
                    subject=_told(check, exemption),
                )
            append_audit(
                connection,
                at=check.finished_at,
                actor="edge-booth",
                action="checked",
                subject=f"{check.check_id} {check.outcome}",
            )

    def _sample_rows(self, check: CheckRecord) -> list[tuple[str | int, ...]]:
        return [
            (
                check.check_id,
                number,
                str(sample.modality),
                int(sample.position),
                self._devices.get(sample.modality, ""),
                sample.quality.score,
                sample.quality.is_sufficient,
                ",".join(map(str, sample.quality.reasons)),
            )
            for number, sample in enumerate(check.samples, start=1)
        ]

    def counts(self) -> dict[str, int]:
        """Return the number of checks by outcome."""
        with mapped_errors("read"):
            rows = self._database.conn.execute(
                "select outcome, count(*) from checks group by outcome"
            ).fetchall()
        return {str(outcome): int(count) for outcome, count in rows}


def _told(check: CheckRecord, exemption: Exemption) -> str:
    """Return which sample of the check it was and why, for the audit log."""
    modality, position = exemption.modality, exemption.position
    which = "" if modality is None else f" {modality}"
    finger = "" if position is None else f" {int(position)}"
    reason = "" if exemption.reason is None else f" {exemption.reason}"
    note = f": {exemption.note}" if exemption.note else ""
    return f"{check.check_id}{which}{finger}{reason}{note}"
