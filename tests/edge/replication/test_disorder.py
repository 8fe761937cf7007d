"""A wire that drops, repeats and reorders, with forgeries in between.

Whatever comes in whatever order, a booth is only ever in a state that the hub was in;
and once the hub is heard again it is in the hub's state, by what it asks for itself.
"""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.replication.freshness import Freshness, FreshnessState
from edge.replication.requests import AskNothing
from edge.terms import ChangeOperation

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STEPS = [
    "add",
    "replace",
    "withdraw",
    "head",
    "changes",
    "changes",
    "snapshot",
    "forge",
] + ["deliver"] * 10


class Wire:
    """Holds every message ever sent, and delivers any of them at any time."""

    def __init__(self, hub, pick):
        """pick(n) chooses one of 0 to n - 1."""
        self.hub = hub
        self.sent = []
        self.pick = pick

    def any_message(self):
        """Return any message ever sent, every other time one of the latest."""
        choice = self.sent[-8:] if self.pick(2) else self.sent
        return choice[self.pick(len(choice))]

    def send_changes(self, hub):
        if last := hub.position.sequence:
            upto = 1 + self.pick(last)
            after = max(0, upto - 1 - self.pick(6))
            self.sent.append(("changes", hub.changes(after, upto)))

    def send_snapshot(self, hub, now):
        if hub.position.sequence:
            self.sent.append(("manifest", hub.take_snapshot(now)))
            self.sent += [("chunk", data) for data in hub.chunks.values()]

    def spoil(self):
        """Send a message again with one byte changed."""
        if self.sent:
            kind, data = self.any_message()
            changed = bytearray(data)
            changed[self.pick(len(data))] ^= 1 + self.pick(255)
            self.sent.append((kind, bytes(changed)))


def take_step(step, wire, forger, now):
    hub = wire.hub
    names = sorted(hub.entries)
    if step == "add":
        hub.add(1)
    elif step == "replace" and names:
        name = names[wire.pick(len(names))]
        hub.change(ChangeOperation.REPLACE, name, text=f"since {hub.position.sequence}")
    elif step == "withdraw" and names:
        hub.withdraw(names[wire.pick(len(names))])
    elif step == "head":
        wire.sent.append(("head", hub.head(now)))
    elif step == "changes":
        wire.send_changes(hub)
    elif step == "snapshot":
        wire.send_snapshot(hub, now)
    elif step == "forge":
        forger.add(1, prefix="forged")
        wire.send_changes(forger)
        wire.send_snapshot(forger, now)
        wire.sent.append(("head", forger.head(now)))
        wire.spoil()


def is_state_of(booth, hub):
    """Return whether the booth is where the hub once was, entry by entry."""
    if booth.position.sequence > hub.position.sequence:
        return False
    return booth.position == hub.positions[booth.position.sequence] and not any(
        name.startswith("forged") for name in booth.entries
    )


def answers(hub, booth, now):
    """Return what the hub answers to the booth's question; it may still get lost."""
    request = booth.replica.next_request()
    if isinstance(request, AskNothing):
        return []
    if not (messages := hub.answer(request, now)):
        booth.replica.stop_fetching()  # chunks that the hub has no more
    return messages


def walk(hub, forger, booth, steps, pick):
    """Go all steps, then let the hub be heard again; return the states passed."""
    wire, now, passed = Wire(hub, pick), START, []
    for step in steps:
        now += SECOND
        if step == "ask":
            wire.sent += answers(hub, booth, now)
        elif step != "deliver":
            take_step(step, wire, forger, now)
        elif wire.sent:
            booth.hear(wire.any_message(), now)
            assert is_state_of(booth, hub)
            passed.append(booth.position.sequence)
    now += SECOND
    assert booth.hear(("head", hub.head(now)), now) is None
    booth.ask(hub, now)
    assert booth.position == hub.position
    assert booth.entries == hub.entries
    fresh = Freshness(FreshnessState.FRESH, now, 0)
    assert booth.replica.freshness(now) == fresh
    return passed


@pytest.fixture
def parties(make_hub, make_booth):
    """A hub, a forger who knows all but the key that signs, and a booth."""

    def made():
        hub = make_hub()
        return hub, make_hub(content_key=hub.content_key), make_booth(hub)

    return made


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(st.sampled_from(STEPS), max_size=60), data=st.data())
def test_any_disorder_ends_in_the_hubs_exact_state(parties, steps, data):
    passed = walk(*parties(), steps, lambda n: data.draw(st.integers(0, n - 1)))
    assert passed == sorted(passed)


@pytest.mark.parametrize("seed", range(20))
def test_a_long_walk_of_disorder_goes_only_through_states_that_the_hub_was_in(
    parties, seed
):
    random = Random(seed)  # noqa: S311  the same walk every time
    steps = random.choices(STEPS, k=600)
    passed = walk(*parties(), steps, random.randrange)
    assert passed == sorted(passed)
    assert len(set(passed)) >= 5, "the walk never got going"
