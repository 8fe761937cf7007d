"""Checks that end in a hit, at a given pace, written to a store as a booth does.

    python -m edge.simulate.hit_source --store booth.db --hits-per-s 20

stands where edge-booth stands, without capture and recognition: one durable transaction
a hit, and a line with its id on standard output after the commit, as the officer's
screen shows a hit as recorded. For runs in which thousands of hits have to flow.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from edge.clock import SystemClock
from edge.errors import StoreError
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.terms import (
    Candidate,
    CheckRecord,
    ComparisonScore,
    Evidence,
    FingerPosition,
    Hit,
    Modality,
    Outcome,
    SampleEvidence,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

EVIDENCE_BYTES = 8_000
BUSY_PAUSE_S = 0.05


def invented_hit(booth_id: str, at: datetime, *, evidence_bytes: int) -> Hit:
    """Return a hit on an invented entry; its evidence is noise of the given length."""
    noise = np.random.default_rng().bytes(evidence_bytes)
    finger = (Modality.FINGERPRINT, FingerPosition.RIGHT_INDEX)
    score = ComparisonScore(0.9, 1e-7)
    sample = SampleEvidence(*finger, "reference-1", score, 5.0, is_deciding=True)
    return Hit(
        hit_id=uuid4().hex,
        check_id=uuid4().hex,
        booth_id=booth_id,
        occurred_at=at,
        entry_id="invented",
        entry_version=1,
        candidates=(Candidate("invented", "reference-1", *finger, score, (sample,)),),
        evidence=(Evidence(*finger, "application/octet-stream", noise),),
    )


def check_of(hit: Hit) -> CheckRecord:
    return CheckRecord(
        check_id=hit.check_id,
        started_at=hit.occurred_at,
        finished_at=hit.occurred_at,
        outcome=Outcome.REFER,
        attempts=1,
        reasons=(),
        duration_ms=0,
    )


def run_source(
    store: CheckStore,
    *,
    booth_id: str,
    hits_per_s: float,
    evidence_bytes: int,
    stop: threading.Event,
    on_recorded: Callable[[Hit], None],
) -> None:
    """Record hits until stop is set; a store that is busy or full is tried again."""
    clock = SystemClock()
    due_s = clock.monotonic_s()
    while not stop.wait(max(0.0, due_s - clock.monotonic_s())):
        due_s += 1.0 / hits_per_s
        hit = invented_hit(booth_id, clock.now(), evidence_bytes=evidence_bytes)
        try:
            store.record(check_of(hit), hit)
        except StoreError:
            stop.wait(BUSY_PAUSE_S)
        else:
            on_recorded(hit)


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--booth-id", default="booth-1")
    parser.add_argument("--hits-per-s", type=float, default=20.0)
    parser.add_argument("--evidence-bytes", type=int, default=EVIDENCE_BYTES)
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    database = open_database(options.store, "booth")
    run_source(
        CheckStore(database),
        booth_id=options.booth_id,
        hits_per_s=options.hits_per_s,
        evidence_bytes=options.evidence_bytes,
        stop=stop,
        on_recorded=_say,
    )
    database.conn.close()


def _say(hit: Hit) -> None:
    sys.stdout.write(f"{hit.hit_id}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
