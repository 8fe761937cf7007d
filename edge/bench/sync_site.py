"""What the benchmark of the wire is run on, and how it waits and counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge.errors import LinkError
from edge.store.database import mapped_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    import sqlite_utils

    from edge.simulate.fault_proxy import FaultProxy
    from edge.terms import Candidate, Template
    from edge.trust.booth_keys import BoothKeys

POLL_S = 0.002
# Nothing that is measured stands still for so long.
PATIENCE_S = 300.0


class WatchedSearch(Protocol):
    @property
    def sequence(self) -> int:
        """Of the change up to which searches see the list."""
        ...

    def search(self, probes: Sequence[Template]) -> Sequence[Candidate]: ...


class Site(Protocol):
    """A hub and a booth; line: between them. Not started: hub and edge-sync.

    source_keys: of a second booth, which has no process.
    """

    hub: sqlite_utils.Database
    booth: sqlite_utils.Database
    watchlist: sqlite_utils.Database
    line: FaultProxy
    source_keys: BoothKeys

    @property
    def is_secure(self) -> bool: ...

    def make_snapshot(self, on_progress: Callable[[int, int], None]) -> int: ...

    def start_hub(self) -> None: ...

    def start_sync(self) -> None: ...

    def stop_sync(self) -> None: ...

    def sync_peak_bytes(self) -> int | None: ...

    def hub_peak_bytes(self) -> int | None: ...

    def searching(
        self, on_progress: Callable[[float], None]
    ) -> AbstractContextManager[WatchedSearch]: ...


def await_true(
    condition: Callable[[], bool], what: str, *, poll_s: float = POLL_S
) -> None:
    """Wait until the condition holds.

    Raises:
        LinkError: it does not within PATIENCE_S; names what.
    """
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline_s:
            message = f"sync benchmark: {what} did not come in {PATIENCE_S:.0f} s"
            raise LinkError(message)
        time.sleep(poll_s)


def await_count(
    count: Callable[[], int],
    wanted: int,
    what: str,
    on_progress: Callable[[int, int], None],
) -> None:
    """Wait until count gives wanted.

    Raises:
        LinkError: it stood still for PATIENCE_S.
    """
    seen, deadline_s = -1, 0.0
    while seen < wanted:
        now_s, found = time.monotonic(), count()
        if found > seen:
            seen, deadline_s = found, now_s + PATIENCE_S
            on_progress(seen, wanted)
        elif now_s > deadline_s:
            message = f"sync benchmark: {what} stands at {seen} of {wanted}"
            raise LinkError(message)
        else:
            time.sleep(0.01)


def rows(database: sqlite_utils.Database, query: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]  # whatever the query asks for
    with mapped_errors("read"):
        return list(database.conn.execute(query, values).fetchall())


def hits_at_hub(site: Site) -> int:
    [(count,)] = rows(site.hub, "select count(*) from received_hits")
    return int(count)


def milliseconds(seconds: Sequence[float]) -> dict[str, float | int]:
    """Return median, 99th percentile and most of durations in seconds, in ms."""
    ms = 1000 * np.array(seconds)
    return {
        "count": len(seconds),
        "median_ms": round(float(np.median(ms)), 1),
        "p99_ms": round(float(np.percentile(ms, 99)), 1),
        "most_ms": round(float(ms.max()), 1),
    }
