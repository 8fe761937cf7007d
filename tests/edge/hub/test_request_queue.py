from hypothesis import given
from hypothesis import strategies as st

from edge.hub.outgoing import Outgoing
from edge.hub.request_queue import RequestLimits, RequestQueue


def answer(name, count):
    return (Outgoing(name, bytes([n])) for n in range(count))


def serve(queue):
    """Take one message; return the booth and what it got."""
    booth_id, messages = queue.next_turn()
    message = next(messages, None)
    queue.served(is_finished=message is None)
    return booth_id, message


def serve_all(queue):
    served = []
    while queue.next_turn() is not None:
        booth_id, message = serve(queue)
        if message is not None:
            served.append(booth_id)
    return served


def test_a_long_answer_does_not_make_the_others_wait():
    queue = RequestQueue(RequestLimits())
    queue.add("greedy", answer("greedy", 100), now_s=0)
    queue.add("modest", answer("modest", 1), now_s=0)
    assert serve_all(queue).index("modest") == 1


def test_the_answers_to_one_booth_keep_their_order():
    queue = RequestQueue(RequestLimits())
    queue.add("booth", answer("first", 2), now_s=0)
    queue.add("booth", answer("second", 1), now_s=0)
    topics = []
    while queue.next_turn() is not None:
        _, message = serve(queue)
        topics += [message.topic] if message else []
    assert topics == ["first", "first", "second"]


def test_a_booth_that_asks_too_often_is_not_heard_until_time_has_passed():
    queue = RequestQueue(RequestLimits(rate_per_s=1, burst=2, waiting=100))
    assert [queue.add("b", answer("b", 1), now_s=0) for _ in range(3)] == [
        *(True, True),
        False,
    ]
    assert queue.add("other", answer("o", 1), now_s=0)
    assert queue.add("b", answer("b", 1), now_s=1.0)


def test_a_booth_has_few_requests_waiting_at_a_time():
    queue = RequestQueue(RequestLimits(burst=100, waiting=3))
    taken = [queue.add("b", answer("b", 1), now_s=0) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    serve_all(queue)
    assert queue.add("b", answer("b", 1), now_s=0)


def test_the_number_of_booths_is_bounded_and_the_idle_ones_make_room():
    queue = RequestQueue(RequestLimits(booths=2))
    assert queue.add("a", answer("a", 1), now_s=0)
    assert queue.add("b", answer("b", 1), now_s=0)
    assert not queue.add("c", answer("c", 1), now_s=0)
    serve_all(queue)
    assert queue.add("c", answer("c", 1), now_s=0)


def test_what_waits_is_forgotten_on_demand():
    queue = RequestQueue(RequestLimits())
    queue.add("a", answer("a", 3), now_s=0)
    queue.clear()
    assert queue.next_turn() is None
    assert queue.add("a", answer("a", 1), now_s=0)
    assert serve_all(queue) == ["a"]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 5)), max_size=40))
def test_everything_taken_is_served_once(requests):
    queue = RequestQueue(RequestLimits(burst=1000, waiting=5))
    expected = dict.fromkeys("abcd", 0)
    for name, count in requests:
        if queue.add(name, answer(name, count), now_s=0):
            expected[name] += count
    served = serve_all(queue)
    assert {name: served.count(name) for name in "abcd"} == expected
