import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.clock import ManualClock
from edge.errors import MessageError, StoreError
from edge.hub.ingest import Ingest
from edge.sync.messages import (
    Head,
    LinkState,
    ReceiptOutcome,
    WatchlistBatch,
    WatchlistRequest,
)

OUTBOX = "edge/booth-1/up/outbox"
REQUEST = "edge/booth-1/up/watchlist-request"


def ask(hub, after, limit=256):
    request = WatchlistRequest(booth_id="booth-1", after=after, limit=limit)
    hub.send(REQUEST, request.encode())
    batches = [e for e in hub.received if e.topic == "edge/booth-1/down/watchlist"]
    return WatchlistBatch.decode(batches[-1].payload)


def test_a_hit_is_stored_shown_and_receipted(hub, new_hit, envelope):
    hub.send(OUTBOX, envelope(new_hit()).encode())
    [receipt] = hub.receipts()
    assert receipt.outcome is ReceiptOutcome.STORED
    assert receipt.message_id == "hit-1"
    assert hub.store.has_hit("hit-1")
    [line] = hub.lines("hit")
    assert line["hit_id"] == "hit-1"
    assert line["booth_id"] == "booth-1"


def test_a_repeated_hit_is_receipted_again_but_stored_and_shown_once(
    hub, new_hit, envelope
):
    for _ in range(5):
        hub.send(OUTBOX, envelope(new_hit()).encode())
    outcomes = [receipt.outcome for receipt in hub.receipts()]
    assert outcomes == [ReceiptOutcome.STORED] + [ReceiptOutcome.DUPLICATE] * 4
    assert len(hub.store.hits()) == 1
    assert len(hub.lines("hit")) == 1


def test_a_message_id_used_for_another_hit_is_no_duplicate(hub, new_hit, envelope):
    hub.send(OUTBOX, envelope(new_hit("hit-1")).encode())
    other = envelope(new_hit("hit-2"), message_id="hit-1", sequence=2)
    hub.send(OUTBOX, other.encode())
    assert hub.receipts()[-1].outcome is ReceiptOutcome.REFUSED


def test_a_restarted_hub_knows_what_it_has(hub, new_hit, envelope):
    hub.send(OUTBOX, envelope(new_hit()).encode())
    hub.link.kill()
    hub.start_hub()
    hub.run()
    hub.send(OUTBOX, envelope(new_hit()).encode())
    assert hub.receipts()[-1].outcome is ReceiptOutcome.DUPLICATE
    assert len(hub.lines("hit")) == 1


@pytest.mark.parametrize("topic", [OUTBOX, REQUEST, "edge/booth-1/state"])
@pytest.mark.parametrize("payload", [b"", b"\xff" * 64, b"text", bytes(range(256))])
def test_random_bytes_to_the_hub_are_logged_refusals(hub, topic, payload):
    hub.send(topic, payload)
    assert len(hub.lines("message_refused")) == 1
    assert hub.receipts() == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"payload": b"\xff\xff"}, "hit"),
        ({"payload": b""}, "hit"),
        ({"kind": "unknown"}, "not known"),
    ],
)
def test_an_unreadable_content_is_refused_in_the_receipt(
    hub, new_hit, envelope, changes, problem
):
    hub.send(OUTBOX, envelope(new_hit(), **changes).encode())
    assert hub.receipts()[0].outcome is ReceiptOutcome.REFUSED
    assert problem in hub.lines("message_refused")[0]["error"]
    assert hub.store.hits() == []


def test_a_booth_cannot_speak_for_another(hub, new_hit, envelope):
    foreign = new_hit(booth_id="booth-2")
    hub.send(OUTBOX, envelope(foreign).encode())
    assert hub.receipts() == []
    hub.send(OUTBOX, envelope(foreign, booth_id="booth-1").encode())
    assert hub.receipts()[0].outcome is ReceiptOutcome.REFUSED
    request = WatchlistRequest(booth_id="booth-2", after=0, limit=1)
    hub.send(REQUEST, request.encode())
    assert len(hub.lines("message_refused")) == 3
    assert hub.store.hits() == []


def test_no_receipt_is_given_when_the_store_fails(hub, new_hit, envelope):
    hub.store.close()
    with pytest.raises(StoreError):
        hub.service._ingest.receive("booth-1", envelope(new_hit()).encode())
    hub.send(OUTBOX, envelope(new_hit()).encode())
    assert hub.receipts() == []
    assert hub.lines("store_failed")


def test_the_head_is_retained_and_announced_when_another_process_moved_it(hub):
    assert Head.decode(hub.broker.retained["edge/hub/head"]).sequence == 0
    hub.publish_entry("entry-1")
    hub.run()
    assert Head.decode(hub.broker.retained["edge/hub/head"]).sequence == 1
    assert len(hub.lines("head_announced")) == 2


def test_a_broker_that_forgot_everything_is_told_head_and_state_again(hub):
    hub.broker.stop()
    hub.run()
    hub.broker.start()
    hub.run()
    assert Head.decode(hub.broker.retained["edge/hub/head"]).sequence == 0
    assert LinkState.decode(hub.broker.retained["edge/hub/state"]).online


def test_changes_are_answered_from_the_cursor_in_bounded_batches(hub):
    for number in range(1, 8):
        hub.publish_entry(f"entry-{number}")
    first = ask(hub, after=0, limit=3)
    assert (first.after, first.head, len(first.changes)) == (0, 7, 3)
    assert len(ask(hub, after=5).changes) == 2
    assert ask(hub, after=7).changes == []
    assert ask(hub, after=2**63 - 1).changes == []


def test_what_a_booth_says_of_itself_is_kept(hub):
    birth = LinkState(online=True, instance="cd", connection=1)
    hub.send("edge/booth-1/state", birth.encode())
    ask(hub, after=5)
    [booth] = hub.store.booths()
    assert (booth.booth_id, booth.state, booth.cursor) == ("booth-1", "online", 5)
    death = LinkState(online=False, instance="cd", connection=0)
    hub.send("edge/booth-1/state", death.encode())
    assert hub.store.booths()[0].state == "offline"


def test_the_hubs_own_state_is_no_booth(hub):
    assert hub.lines("message_refused") == []
    assert hub.store.booths() == []


def test_a_hub_that_ends_says_so(hub):
    hub.service.close()
    assert not LinkState.decode(hub.broker.retained["edge/hub/state"]).online


def test_a_foreign_topic_is_refused(hub):
    for topic in ("edge/booth-1/down/receipt", "edge/hub/head", "other/topic"):
        hub.link.arrive(topic, b"", early=False)
    hub.run()
    # The hub hears its own announcements and does not mind them.
    assert len(hub.lines("message_refused")) == 2


@given(payload=st.binary(max_size=100))
def test_any_bytes_are_refused_before_the_store_is_touched(payload):
    clock = ManualClock(None)
    ingest = Ingest(None, None, clock, None)
    with pytest.raises(MessageError):
        ingest.receive("booth-1", payload)
