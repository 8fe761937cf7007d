from edge.web.events import EVENTS_HELD_PER_LISTENER, EventFeed


def test_every_listener_hears_every_event():
    feed = EventFeed()
    first, second = feed.listen(), feed.listen()
    feed.publish({"event": "a"})
    assert first.get_nowait() == second.get_nowait() == {"event": "a"}


def test_a_listener_that_sleeps_loses_the_oldest_events_only():
    feed = EventFeed()
    listener = feed.listen()
    for number in range(EVENTS_HELD_PER_LISTENER + 10):
        feed.publish({"event": "a", "number": number})
    numbers = [listener.get_nowait()["number"] for _ in range(listener.qsize())]
    assert numbers == list(range(10, EVENTS_HELD_PER_LISTENER + 10))


def test_who_left_hears_nothing_more():
    feed = EventFeed()
    listener = feed.listen()
    feed.leave(listener)
    feed.publish({"event": "a"})
    assert listener.empty()


def test_closing_ends_listeners_of_now_and_later():
    feed = EventFeed()
    before = feed.listen()
    feed.close()
    assert before.get_nowait() is None
    assert feed.listen().get_nowait() is None
