"""A check and its lines: each runs in a thread of its own, all under one deadline.

A part that hangs or breaks costs its own line only.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.errors import EdgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One line of the report. text says what is the matter and what to do."""

    subject: str
    status: Status
    text: str


def run_checks(
    checks: Mapping[str, Callable[[], Sequence[Finding]]], limit_s: float
) -> list[Finding]:
    """Run all checks at once; one that is not back after limit_s has failed."""
    clock = SystemClock()
    results: dict[str, Sequence[Finding]] = {}

    def run(subject: str) -> None:
        results[subject] = _guarded(subject, checks[subject])

    threads = {
        subject: threading.Thread(target=run, args=(subject,), daemon=True)
        for subject in checks
    }
    deadline_s = clock.monotonic_s() + limit_s
    for thread in threads.values():
        thread.start()
    findings: list[Finding] = []
    for subject, thread in threads.items():
        thread.join(max(0.0, deadline_s - clock.monotonic_s()))
        late = Finding(subject, Status.FAILED, f"no answer within {limit_s:g} s")
        findings += results.get(subject, [late])
    return findings


def _guarded(subject: str, check: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    try:
        return check()
    except EdgeError as error:
        text = str(error)
    except Exception as error:  # noqa: BLE001  a report with a gap beats a traceback
        text = f"the check itself broke: {type(error).__name__}: {error}"
    return [Finding(subject, Status.FAILED, " ".join(text.split()))]
