from dataclasses import replace

import pytest

from edge.simulate.lies import HONEST, Delivery, Liar, LyingPlan
from edge.simulate.mqtt5_packets import Publication

FIRST = Publication("edge/booth-1/up/outbox", b"first", packet_id=7)
SECOND = replace(FIRST, payload=b"second")
OTHER = Publication("edge/booth-2/up/outbox", b"other")


def plain(publication):
    return replace(publication, packet_id=0)


def test_without_a_lie_each_publication_goes_out_once():
    assert Liar(HONEST).deliveries(FIRST) == [Delivery(plain(FIRST))]


def test_a_dropped_publication_never_goes_out():
    liar = Liar(LyingPlan(drop=1.0))
    assert liar.deliveries(FIRST) == []
    assert liar.told["drop"] == 1


def test_a_redelivered_publication_comes_again_later_and_says_so():
    now, later = sorted(
        Liar(LyingPlan(redeliver=1.0)).deliveries(FIRST), key=lambda d: d.delay_s
    )
    assert now == Delivery(plain(FIRST))
    assert later.is_repeat
    assert later.delay_s > 0


def test_a_reordered_publication_is_held_back():
    [held] = Liar(LyingPlan(reorder=1.0)).deliveries(FIRST)
    assert held.delay_s > 0


def test_a_flipped_payload_differs_in_one_bit():
    [turned] = Liar(LyingPlan(flip=1.0)).deliveries(FIRST)
    bits = int.from_bytes(turned.publication.payload) ^ int.from_bytes(b"first")
    assert bits.bit_count() == 1


def test_a_replay_brings_an_older_publication_of_the_topic():
    liar = Liar(LyingPlan(replay=1.0))
    liar.deliveries(FIRST)
    payloads = [d.publication.payload for d in liar.deliveries(SECOND)]
    assert payloads == [b"first", b"second"]


def test_a_crossed_publication_goes_out_in_anothers_name_as_well():
    liar = Liar(LyingPlan(cross=1.0))
    liar.deliveries(OTHER)
    topics = [d.publication.topic for d in liar.deliveries(FIRST)]
    assert topics == ["edge/booth-2/up/outbox", "edge/booth-1/up/outbox"]


def test_a_stale_retained_message_is_an_older_one():
    liar = Liar(LyingPlan(stale=1.0))
    liar.keep(FIRST)
    assert liar.retained_for(["edge/+/up/outbox"]) == [FIRST]
    liar.keep(SECOND)
    assert liar.retained_for(["edge/+/up/outbox"]) == [FIRST]
    assert liar.newest_retained() == {FIRST.topic: b"second"}


def test_an_empty_retained_message_ends_it_and_forgetting_ends_all():
    liar = Liar(HONEST)
    liar.keep(FIRST)
    liar.keep(OTHER)
    liar.keep(replace(FIRST, payload=b""))
    assert liar.retained_for(["#"]) == [OTHER]
    liar.forget()
    assert liar.retained_for(["#"]) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_tells_the_same_lies(seed):
    plan = LyingPlan(seed, redeliver=0.5, reorder=0.5, drop=0.5, flip=0.5, replay=0.5)
    one, two = Liar(plan), Liar(plan)
    for number in range(50):
        publication = replace(FIRST, payload=bytes([number]))
        assert one.deliveries(publication) == two.deliveries(publication)
