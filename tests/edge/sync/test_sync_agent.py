from random import Random

import pytest

from edge.simulate.memory_broker import Faults
from edge.sync.messages import LinkState, Receipt, ReceiptOutcome, WatchlistBatch

BOOTH = "booth-1"
RECEIPT = f"edge/{BOOTH}/down/receipt"


def hub_state(wire, *, instance="cd", connection=1):
    state = LinkState(online=True, instance=instance, connection=connection)
    wire.hub.link.publish("edge/hub/state", state.encode(), retain=True)


def test_a_message_is_delivered_and_cleared_by_the_receipt(wire):
    message_id = wire.outbox.add(b"evidence")
    wire.run()
    assert wire.hub.accepted == [message_id]
    assert wire.hub.arrivals[0].payload == b"evidence"
    assert wire.outbox.depth() == 0
    assert "delivered" in wire.events()


def test_without_a_receipt_the_row_stays_whatever_the_broker_says(wire):
    wire.hub.is_silent = True
    message_id = wire.outbox.add()
    wire.run()
    assert wire.outbox.sent == [message_id]
    assert list(wire.outbox.rows) == [message_id]


def test_a_message_is_sent_again_when_its_receipt_is_late(wire):
    wire.hub.is_silent = True
    wire.outbox.add()
    wire.run()
    wire.hub.is_silent = False
    wire.run()
    assert wire.outbox.depth() == 1
    wire.clock.advance(5.0)
    wire.run()
    assert wire.outbox.depth() == 0


def test_the_pause_between_repetitions_grows(wire):
    wire.hub.is_silent = True
    wire.outbox.add()
    wire.run(rounds=100, seconds=1.0)
    # At 0, 5, 15, 35 and 75 s.
    assert len(wire.outbox.sent) == 5


def test_the_order_of_the_outbox_is_kept(wire):
    ids = [wire.outbox.add() for _ in range(20)]
    wire.run(rounds=30)
    assert [arrival.message_id for arrival in wire.hub.arrivals] == ids
    assert wire.outbox.depth() == 0


def test_no_more_than_the_allowed_number_is_under_way(wire):
    wire.hub.is_silent = True
    for _ in range(20):
        wire.outbox.add()
    wire.run()
    assert len(wire.outbox.sent) == 4


def test_what_was_recorded_while_the_broker_was_down_is_delivered_later(wire):
    wire.run()
    wire.broker.stop()
    wire.outbox.add()
    wire.run()
    assert wire.outbox.depth() == 1
    wire.broker.start()
    wire.run()
    assert wire.outbox.depth() == 0


def test_a_hub_that_comes_back_gets_at_once_what_it_missed(wire):
    wire.run()
    wire.hub.link.cut()
    wire.outbox.add()
    wire.agent.step(0)
    wire.agent.step(0)
    assert "hub_not_listening" in wire.events()
    wire.hub.step()
    hub_state(wire)
    wire.run()
    assert wire.outbox.depth() == 0


def test_a_restarted_booth_sends_everything_again(wire):
    wire.hub.is_silent = True
    wire.outbox.add()
    wire.run()
    wire.link.kill()
    wire.hub.is_silent = False
    wire.start_booth()
    wire.run()
    assert wire.outbox.depth() == 0


@pytest.mark.parametrize("seed", range(8))
def test_a_bad_wire_delivers_every_message_once_and_every_change_in_order(wire, seed):
    wire.broker.faults = Faults(drop=0.3, duplicate=0.3, reorder=0.3)
    wire.broker.random = Random(seed)  # noqa: S311  test chance
    ids = [wire.outbox.add() for _ in range(12)]
    wire.hub.head = 700
    wire.run(rounds=300, seconds=2.0)
    assert sorted(wire.hub.accepted) == sorted(ids)
    assert wire.outbox.depth() == 0
    assert wire.replica.applied == list(range(1, 701))


def test_an_announced_change_is_fetched_and_the_cursor_moves(wire):
    wire.run()
    wire.hub.head = 1
    wire.hub.announce()
    wire.run()
    assert wire.replica.cursor() == 1
    assert "watchlist_applied" in wire.events()


def test_a_long_watchlist_comes_in_bounded_batches_without_waiting(wire):
    wire.hub.head = 1000
    wire.run(rounds=12)
    assert wire.replica.cursor() == 1000


def test_a_lost_announcement_is_made_up_for_by_the_timer(wire):
    wire.run()
    wire.hub.head = 3
    wire.run()
    assert wire.replica.cursor() == 0
    wire.clock.advance(60.0)
    wire.run()
    assert wire.replica.cursor() == 3


def test_a_batch_with_a_gap_changes_nothing_and_is_asked_for_again(wire):
    wire.hub.head = 4
    wire.hub.is_silent = True
    wire.run()
    batch = WatchlistBatch(booth_id=BOOTH, after=2, head=4, changes=[b"3", b"4"])
    wire.hub.link.publish(f"edge/{BOOTH}/down/watchlist", batch.encode())
    wire.run()
    assert wire.replica.cursor() == 0
    assert "watchlist_gap" in wire.events()
    wire.hub.is_silent = False
    wire.clock.advance(3.0)
    wire.run()
    assert wire.replica.cursor() == 4


def test_a_batch_that_cannot_be_read_changes_nothing(wire):
    wire.run()
    batch = WatchlistBatch(booth_id=BOOTH, after=0, head=2, changes=[b"1", b"?"])
    wire.hub.link.publish(f"edge/{BOOTH}/down/watchlist", batch.encode())
    wire.run()
    assert wire.replica.cursor() == 0
    assert wire.events()[-1] == "message_refused"


@pytest.mark.parametrize("channel", ["down/receipt", "down/watchlist"])
@pytest.mark.parametrize(
    "payload", [b"", b"\xff" * 40, b"\x00", b"{}", bytes(range(256))]
)
def test_random_bytes_to_the_booth_are_logged_refusals(wire, channel, payload):
    wire.run()
    wire.hub.link.publish(f"edge/{BOOTH}/{channel}", payload)
    wire.hub.link.publish("edge/hub/head", payload)
    wire.hub.link.publish("edge/hub/state", payload)
    wire.run()
    assert wire.events()[-3:] == ["message_refused"] * 3
    wire.outbox.add()
    wire.run()
    assert wire.outbox.depth() == 0


def test_a_receipt_for_another_booth_clears_nothing(wire):
    wire.hub.is_silent = True
    message_id = wire.outbox.add()
    wire.run()
    receipt = Receipt(
        message_id=message_id,
        booth_id="booth-2",
        sequence=1,
        outcome=ReceiptOutcome.STORED,
        issued_at=wire.clock.now(),
    )
    wire.hub.link.publish(RECEIPT, receipt.encode())
    wire.run()
    assert wire.outbox.depth() == 1


def test_a_message_the_hub_refuses_is_kept_and_does_not_block_the_others(wire):
    bad = wire.outbox.add()
    wire.hub.refuse = {bad}
    for _ in range(9):
        wire.outbox.add()
    wire.run(rounds=30)
    assert list(wire.outbox.rows) == [bad]
    assert "message_held" in wire.events()
    wire.hub.refuse = set()
    wire.clock.advance(300.0)
    wire.run()
    assert wire.outbox.depth() == 0


def test_a_message_too_large_for_the_broker_is_kept_and_does_not_block(wire):
    wire.broker.maximum_bytes = 1000
    large = wire.outbox.add(bytes(2000))
    wire.outbox.add()
    wire.run()
    assert list(wire.outbox.rows) == [large]
    assert "message_held" in wire.events()


def test_a_message_that_breaks_every_connection_is_put_aside(wire):
    wire.run()
    poison = wire.outbox.add(b"poison")
    second = wire.outbox.add()
    attempts = []
    publish = wire.link.publish

    def cut_on_poison(topic, payload, *, retain=False):
        if b"poison" in payload:
            attempts.append(payload)
            # The broker cuts the line before it answers.
            wire.link.cut()
            return 10**9
        return publish(topic, payload, retain=retain)

    wire.link.publish = cut_on_poison
    wire.run(rounds=30)
    assert len(attempts) == 3
    assert list(wire.outbox.rows) == [poison]
    assert second in wire.hub.accepted


def test_a_broken_store_is_logged_and_tried_again(wire):
    wire.outbox.is_broken = True
    wire.outbox.add()
    wire.run()
    assert "store_failed" in wire.events()
    wire.outbox.is_broken = False
    wire.run()
    assert wire.outbox.depth() == 0


def test_the_booths_birth_and_death_are_retained(wire):
    topic = f"edge/{BOOTH}/state"
    wire.run()
    assert LinkState.decode(wire.broker.retained[topic]).online
    wire.link.cut()
    assert not LinkState.decode(wire.broker.retained[topic]).online
    wire.run()
    assert LinkState.decode(wire.broker.retained[topic]).online
    wire.agent.close()
    assert not LinkState.decode(wire.broker.retained[topic]).online
    assert not wire.agent.is_connected


def test_a_retained_birth_of_the_hub_does_not_send_everything_twice(wire):
    wire.hub.step()
    hub_state(wire)
    wire.hub.is_silent = True
    wire.outbox.add()
    wire.run()
    assert len(wire.outbox.sent) == 1


def test_a_hub_behind_the_booth_is_reported(wire):
    wire.hub.head = 2
    wire.run()
    wire.hub.head = 1
    wire.hub.announce()
    wire.run()
    assert "hub_behind_booth" in wire.events()
    assert wire.replica.cursor() == 2
