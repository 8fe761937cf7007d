"""What happens to cases reaches every browser, also one that was away."""

import asyncio
import time

import pytest

from edge.console.live_events import LiveEvents
from edge.logs import EventLog


@pytest.fixture
def live(desk, clock):
    with LiveEvents(desk, EventLog(clock, "edge-console"), look_s=0.01) as live:
        yield live


async def heard(live, count, act, timeout_s=10.0):
    """Return what a listener hears after act, at least count events."""
    listener = live.listen()
    try:
        await asyncio.to_thread(act)
        found, end = [], time.monotonic() + timeout_s
        while len(found) < count and time.monotonic() < end:
            found += await listener.next(0.2)
        return found
    finally:
        live.leave(listener)


def test_a_stored_hit_is_told_at_once(hub, live):
    events = asyncio.run(heard(live, 1, hub.receive))
    assert [(item.event.kind, item.case.hit_id) for item in events] == [
        ("received", "hit-1")
    ]


def test_what_another_does_is_told(hub, live, browser):
    hub.receive()
    asyncio.run(heard(live, 0, lambda: time.sleep(0.2)))
    client = browser("operator-1")
    events = asyncio.run(heard(live, 1, lambda: client.post("/api/cases/hit-1/claim")))
    assert events[-1].event.kind == "claimed"
    assert events[-1].case.claimed_by == "operator-1"


def test_a_burst_comes_whole_and_in_order(hub, live):
    def burst():
        for _ in range(40):
            hub.receive()

    events = asyncio.run(heard(live, 40, burst))
    numbers = [item.number for item in events]
    assert numbers == sorted(set(numbers))
    assert {item.case.hit_id for item in events} == {f"hit-{n}" for n in range(1, 41)}


def test_hits_of_before_the_start_become_cases(hub, desk, clock, browser):
    for _ in range(3):
        hub.receive()
    with LiveEvents(desk, EventLog(clock, "edge-console"), look_s=0.01):
        client, end = browser("operator-1"), time.monotonic() + 10
        while time.monotonic() < end:
            if len(client.get("/api/cases").json()["cases"]) == 3:
                return
            time.sleep(0.02)
    pytest.fail("no cases were made of what had come before")


def test_the_past_is_told_from_any_number_on(hub, live):
    asyncio.run(heard(live, 3, lambda: [hub.receive() for _ in range(3)]))
    numbers = [item.number for item in live.after(0)]
    assert len(numbers) == 3
    assert [item.number for item in live.after(numbers[0])] == numbers[1:]
