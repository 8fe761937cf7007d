"""What edge-sync tells the hub now and then: the booth's health, its audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge import __version__
from edge.services.booth_health import HealthCollector
from edge.store.audit import lines_after
from edge.sync.messages import MAX_LINES, AuditExtract, AuditLine, Health
from edge.sync.sync_agent import Chore

if TYPE_CHECKING:
    from pathlib import Path

    import sqlite_utils

    from edge.clock import Clock
    from edge.sync.assembly import BoothOutbox, BoothReplica

HEALTH_S = 60.0
AUDIT_S = 24 * 3600.0
# The last line of the audit log that an extract was made of.
EXTRACTED = "audit-extracted"


def chores_of(
    booth: sqlite_utils.Database,
    watchlist: sqlite_utils.Database,
    outbox: BoothOutbox,
    replica: BoothReplica,
    clock: Clock,
    *,
    folder: Path,
) -> list[Chore]:
    """Return the chores; folder: on the disk whose room counts."""
    collector = HealthCollector(booth, watchlist, folder)

    def report_health() -> None:
        report = collector.report(clock.now())
        health = Health(
            at=report.at,
            watchlist_sequence=report.watchlist_sequence,
            head_issued_at=report.head_issued_at,
            outbox_depth=report.outbox_depth,
            disk_free_bytes=report.disk_free_bytes,
            clock_is_trusted=report.clock_is_trusted,
            software=__version__,
            counts=report.counts,
        )
        outbox.post("health", health.encode(), at=report.at)

    def extract_audit() -> None:
        kept = replica.document(EXTRACTED)
        last = 0 if kept is None else int(kept)
        while lines := lines_after(booth, last, limit=MAX_LINES):
            extract = AuditExtract(
                first=lines[0].number,
                last=lines[-1].number,
                hash=lines[-1].hash,
                lines=[AuditLine(**vars(line)) for line in lines],
            )
            outbox.post("audit", extract.encode(), at=clock.now())
            last = lines[-1].number
            replica.save_document(EXTRACTED, str(last).encode())
            if len(lines) < MAX_LINES:
                return

    return [Chore(HEALTH_S, report_health), Chore(AUDIT_S, extract_audit)]
