"""When a booth asks again, and how much it asks for."""

from datetime import UTC, datetime
from random import Random

import pytest

from edge.clock import ManualClock
from edge.replication.changes import MAX_CHANGES
from edge.sync.asking_pace import AskingPace, FollowerSettings

SETTINGS = FollowerSettings(
    answer_s=4.0, spread_s=0.0, idle_s=60.0, first_limit=32, trust_s=30.0
)


@pytest.fixture
def clock():
    return ManualClock(datetime(2030, 1, 1, tzinfo=UTC))


@pytest.fixture
def pace(clock):
    return AskingPace(clock, Random(1), SETTINGS)  # noqa: S311  repeatable


def pause_s(pace, clock):
    """Move the clock until the next question is due; return how long that took."""
    started_s = clock.monotonic_s()
    while not pace.is_due():
        clock.advance(0.5)
    return clock.monotonic_s() - started_s


def test_each_question_in_vain_doubles_the_pause_and_halves_the_amount(pace, clock):
    pauses, limits = [], []
    for _ in range(7):
        pace.asked()
        limits.append(pace.limit)
        pauses.append(pause_s(pace, clock))
    assert pauses == [4, 8, 16, 32, 60, 60, 60]
    assert limits == [32, 16, 8, 4, 2, 1, 1]
    assert pace.is_repeated


def test_prompt_answers_double_the_amount_up_to_what_a_message_holds(pace, clock):
    for _ in range(10):
        pace.asked()
        clock.advance(1.0)
        pace.answered()
    assert pace.limit == MAX_CHANGES


def test_a_late_answer_leaves_the_amount_as_it_is(pace, clock):
    pace.asked()
    clock.advance(3.0)
    pace.answered()
    assert pace.limit == SETTINGS.first_limit


def test_news_does_not_disturb_a_question_that_is_under_way(pace, clock):
    pace.asked()
    clock.advance(1.0)
    pace.ask_soon()
    assert not pace.is_due()
    pace.answered()
    pace.ask_soon()
    assert pace.is_due()


def test_a_part_of_an_answer_gives_the_rest_its_time_anew(pace, clock):
    pace.asked()
    clock.advance(3.0)
    pace.await_more()
    assert pause_s(pace, clock) == SETTINGS.answer_s


def test_booths_that_lost_the_same_message_do_not_ask_at_once(clock):
    spread = FollowerSettings(answer_s=4.0, spread_s=10.0)
    paces = [
        AskingPace(clock, Random(seed), spread)  # noqa: S311  repeatable
        for seed in range(40)
    ]
    for pace in paces:
        pace.ask_now()
    clock.advance(5.0)
    due = sum(pace.is_due() for pace in paces)
    assert 0 < due < len(paces)


def test_keys_are_asked_for_once_in_a_while(pace, clock):
    assert pace.may_ask_for_trust()
    assert not pace.may_ask_for_trust()
    clock.advance(SETTINGS.trust_s)
    assert pace.may_ask_for_trust()
