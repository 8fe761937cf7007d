"""How fast the operators' console is over real HTTP, and how soon it shows a hit."""

from __future__ import annotations

import threading
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import numpy as np

from edge.clock import SystemClock
from edge.errors import InputError
from edge.simulate.console_store import HitWriter, StoreSize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.bench.progress import Progress

ASKED_MS = 200.0
QUIET_S = 1.0
HIT_TIMEOUT_S = 10.0


class Site(Protocol):
    """A console that runs. store: the hub's store behind it."""

    store: Path

    def client(self, name: str) -> httpx.Client: ...


def measure_console(
    site: Site, size: StoreSize, *, rounds: int, hits: int, progress: Progress
) -> dict[str, Any]:
    """Return milliseconds of every action, and of hits until they are on the stream.

    rounds: how often each action is done. hits: stored one by one while a browser
    listens.

    Raises:
        InputError: the console refused what was asked, or showed too little.
    """
    with (
        closing(site.client("operator-1")) as operator,
        closing(site.client("supervisor-1")) as supervisor,
        closing(site.client("auditor-1")) as auditor,
    ):
        wait_for_cases(operator, size.hits)
        actions = _actions(operator, supervisor, auditor)
        times: dict[str, list[float]] = {name: [] for name in actions}
        for number in range(rounds):
            progress.step("actions", number, rounds)
            for name, act in actions.items():
                times[name].append(_timed_ms(act))
        shown = hit_delays_ms(site, operator, size, hits)
    return {
        "hits": size.hits,
        "posts": size.posts,
        "actions_ms": {name: _summary(values) for name, values in times.items()},
        "slowest_action_ms": max(max(values) for values in times.values()),
        "asked_ms": ASKED_MS,
        "hit_stored_until_on_stream_ms": _summary(shown),
    }


def wait_for_cases(client: httpx.Client, count: int, timeout_s: float = 300.0) -> None:
    """Wait until the console has made a case of each hit.

    Raises:
        InputError: it has not in time.
    """
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        counts = client.get("/api/cases", params={"limit": 1}).json()["counts"]
        if counts["open"] + counts["closed"] >= count:
            return
        time.sleep(0.2)
    raise InputError(f"the console has not shown {count} cases in {timeout_s:.0f} s")


def hit_delays_ms(
    site: Site, client: httpx.Client, size: StoreSize, count: int
) -> list[float]:
    """Return for each of count hits how long after its commit it was on the stream."""
    seen: dict[str, float] = {}
    listening, stop = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=_listen, args=(client, seen, listening, stop), daemon=True
    )
    thread.start()
    listening.wait(HIT_TIMEOUT_S)
    writer = HitWriter(
        site.store, entries=size.entries, evidence_bytes=size.evidence_bytes
    )
    delays = []
    rng = np.random.default_rng(2)
    try:
        for number in range(count):
            now = SystemClock().now()
            content = writer.content(f"new-post-{number % 20}", now)
            writer.store([content], now)
            delays.append(_until_seen_ms(seen, content.message_id))
            time.sleep(float(rng.uniform(0, 0.1)))
    finally:
        stop.set()
        writer.close()
    return delays


def _until_seen_ms(seen: dict[str, float], hit_id: str) -> float:
    stored_s = time.monotonic()
    while time.monotonic() - stored_s < HIT_TIMEOUT_S:
        if hit_id in seen:
            return 1000 * max(0.0, seen[hit_id] - stored_s)
        time.sleep(0.001)
    raise InputError(f"hit {hit_id} was not on the stream in {HIT_TIMEOUT_S:.0f} s")


def _listen(
    client: httpx.Client,
    seen: dict[str, float],
    listening: threading.Event,
    stop: threading.Event,
) -> None:
    # The stream's heartbeat lets it see that it is to stop; closing the client ends it.
    with (
        suppress(httpx.HTTPError),
        client.stream("GET", "/api/events", timeout=30.0) as answer,
    ):
        for line in answer.iter_lines():
            listening.set()
            at_s = time.monotonic()
            if line.startswith("data:"):
                _, _, after = line.partition('"hit_id":"')
                seen.setdefault(after.partition('"')[0], at_s)
            if stop.is_set():
                return


def _actions(
    operator: httpx.Client, supervisor: httpx.Client, auditor: httpx.Client
) -> dict[str, Callable[[], httpx.Response]]:
    """Return what operators do, by name; each works on a case of its own."""
    cases = iter(_hit_ids(operator))
    held: list[str] = []

    def claim() -> httpx.Response:
        held.append(next(cases))
        return operator.post(f"/api/cases/{held[-1]}/claim")

    def on_held(action: str, body: dict[str, Any]) -> Callable[[], httpx.Response]:
        return lambda: operator.post(f"/api/cases/{held[-1]}/{action}", json=body)

    def withdraw() -> httpx.Response:
        body = {"entry_id": f"entry-{len(held):05}", "reason": "measured"}
        return operator.post("/api/withdrawals", json=body)

    def release() -> httpx.Response:
        waiting = operator.get("/api/drafts?state=waiting&limit=1").json()
        [draft] = waiting["drafts"]
        return supervisor.post(f"/api/drafts/{draft['draft_id']}/release")

    return {
        "page of cases": lambda: operator.get("/"),
        "queue": lambda: operator.get("/api/cases"),
        "queue, deep page": lambda: operator.get("/api/cases?after=2:3000&limit=200"),
        "closed cases": lambda: operator.get("/api/cases?state=closed"),
        "cases of a post": lambda: operator.get("/api/cases?booth=post-007"),
        "claim": claim,
        "one case": lambda: operator.get(f"/api/cases/{held[-1]}"),
        "comparisons": lambda: operator.get(f"/api/cases/{held[-1]}/comparisons"),
        "instruct": on_held("instruct", {"text": "Hold the traveller."}),
        "remark": on_held("note", {"text": "measured"}),
        "escalate": on_held("escalate", {"reason": "measured"}),
        "export": lambda: operator.post(f"/api/cases/{held[-1]}/archive"),
        "close": on_held("close", {"outcome": "not_the_person"}),
        "posts": lambda: operator.get("/api/posts"),
        "watchlist": lambda: operator.get("/api/watchlist"),
        "watchlist, search": lambda: operator.get("/api/watchlist?text=Person 77"),
        "expiring": lambda: operator.get("/api/watchlist/expiring"),
        "draft a withdrawal": withdraw,
        "drafts, release": release,
        "recalls": lambda: operator.get("/api/recalls"),
        "audit": lambda: auditor.get("/api/audit"),
    }


def _hit_ids(client: httpx.Client) -> list[str]:
    page = client.get("/api/cases", params={"limit": 200}).json()
    return [case["hit_id"] for case in page["cases"]]


def _timed_ms(act: Callable[[], httpx.Response]) -> float:
    started_s = time.perf_counter()
    answer = act()
    took_ms = 1000 * (time.perf_counter() - started_s)
    if answer.status_code >= 400:
        raise InputError(f"{answer.request.url.path}: {answer.text[:200]}")
    return took_ms


def _summary(values: list[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), 1),
        "p95": round(float(np.percentile(values, 95)), 1),
        "max": round(max(values), 1),
    }
