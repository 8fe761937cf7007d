from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.checkpoint.check import CheckRequest
from edge.checkpoint.freshness import (
    BEHIND,
    CLOCK_UNTRUSTED,
    LOCAL_LIST,
    MOST_LAG_S,
    OUTDATED,
    STALE,
    UNPROVEN,
    USUAL_LIMITS,
    FreshnessLimits,
    FreshnessVerdict,
    WatchlistStanding,
    judge,
)
from edge.checkpoint.policy import Finding, decide
from edge.terms import FreshnessState, Modality, Outcome, WatchlistFreshness

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LIMITS = FreshnessLimits(stale_after_s=3600, degraded_after_s=10 * 3600)


def standing(age=None, state=FreshnessState.FRESH, **others):
    as_of = None if age is None else NOW - age
    return WatchlistStanding(WatchlistFreshness(state, as_of, 0), **others)


@pytest.mark.parametrize(
    ("age", "reasons", "is_degrading"),
    [
        (timedelta(0), (), False),
        (HOUR - timedelta(seconds=1), (), False),
        (HOUR, (STALE,), False),
        (10 * HOUR - timedelta(seconds=1), (STALE,), False),
        (10 * HOUR, (OUTDATED,), True),
    ],
)
def test_age_is_told_after_one_limit_and_degrades_after_the_other(
    age, reasons, is_degrading
):
    verdict = judge(standing(age), NOW, LIMITS)
    assert verdict == FreshnessVerdict(reasons, is_degrading)


@given(age=st.timedeltas(timedelta(0), timedelta(days=9000)))
def test_a_limit_of_0_degrades_nothing_however_old(age):
    assert not judge(standing(age), NOW, FreshnessLimits(1, 0)).is_degrading


def test_a_port_out_of_reach_for_a_month_works_with_the_usual_limits():
    verdict = judge(standing(timedelta(days=30)), NOW, USUAL_LIMITS)
    assert verdict == FreshnessVerdict((STALE,))
    assert judge(standing(timedelta(days=40)), NOW, USUAL_LIMITS).is_degrading


@given(limit_s=st.floats(0, 1e9), stale_s=st.floats(1, 1e9))
def test_a_list_of_this_machine_has_no_age(limit_s, stale_s):
    limits = FreshnessLimits(stale_s, limit_s)
    assert judge(WatchlistStanding(), NOW, limits) == FreshnessVerdict()


@pytest.mark.parametrize("state", [FreshnessState.UNKNOWN, FreshnessState.STALE])
def test_a_list_that_nobody_called_complete_is_told_and_degrades_nothing(state):
    verdict = judge(standing(None, state), NOW, LIMITS)
    assert verdict == FreshnessVerdict((UNPROVEN,))


def test_a_clock_that_is_not_to_be_trusted_is_told():
    untrusted = FreshnessState.CLOCK_UNTRUSTED
    for age, reasons, is_degrading in [
        (-HOUR, (CLOCK_UNTRUSTED,), False),
        (None, (CLOCK_UNTRUSTED, UNPROVEN), False),
        (10 * HOUR, (CLOCK_UNTRUSTED, OUTDATED), True),
    ]:
        verdict = judge(standing(age, untrusted), NOW, LIMITS)
        assert verdict == FreshnessVerdict(reasons, is_degrading)


@pytest.mark.parametrize(
    ("others", "is_degrading"),
    [
        ({"is_building": True}, True),
        ({"lag_s": MOST_LAG_S + 1}, True),
        ({"lag_s": MOST_LAG_S}, False),
    ],
)
@pytest.mark.parametrize("state", [FreshnessState.LOCAL, FreshnessState.FRESH])
def test_a_list_that_is_not_searched_whole_degrades(others, is_degrading, state):
    verdict = judge(standing(timedelta(0), state, **others), NOW, LIMITS)
    assert verdict == FreshnessVerdict((BEHIND,) if is_degrading else (), is_degrading)


SEARCHED = [Finding(Modality.FACE, was_searched=True)]
OLD = FreshnessVerdict((OUTDATED,), is_degrading=True)


def test_what_would_be_clear_is_degraded_by_an_outdated_list():
    decision = decide(SEARCHED, watchlist_size=1, watchlist=OLD)
    assert (decision.outcome, decision.reasons) == (Outcome.DEGRADED, (OUTDATED,))


def test_a_list_that_is_only_stale_leaves_a_check_clear_and_says_so():
    told = FreshnessVerdict((STALE,))
    decision = decide(SEARCHED, watchlist_size=1, watchlist=told)
    assert (decision.outcome, decision.reasons) == (Outcome.CLEAR, (STALE,))


def test_who_was_not_searched_is_captured_again_first():
    decision = decide([Finding(Modality.FACE)], watchlist_size=1, watchlist=OLD)
    assert decision.outcome is Outcome.RETRY


def test_a_candidate_is_referred_however_old_the_list(booth):
    booth.standings = [standing(timedelta(days=100))]
    booth.found[Modality.FACE] = (booth.candidate(Modality.FACE),)
    result = booth.runner().run(CheckRequest(modalities=(Modality.FACE,)))
    assert (result.outcome, result.reasons) == (Outcome.REFER, (OUTDATED,))


def test_a_check_tells_the_freshness_of_the_list_that_it_searched(booth):
    booth.standings = [WatchlistStanding(), standing(timedelta(days=2))]
    result = booth.runner().run(CheckRequest(modalities=(Modality.FACE,)))
    assert result.watchlist == booth.standings[-1].freshness
    assert (result.outcome, result.reasons) == (Outcome.CLEAR, (STALE,))


@pytest.mark.parametrize("first", [{"is_building": True}, {"lag_s": 99.0}])
def test_what_one_search_of_a_check_missed_is_not_made_good_by_a_later_one(
    booth, first
):
    booth.standings = [LOCAL, standing(HOUR, **first), standing(HOUR)]
    result = booth.runner().run(CheckRequest())
    assert (result.outcome, result.reasons) == (Outcome.DEGRADED, (BEHIND,))


def test_a_list_that_was_whole_when_it_was_searched_counts(booth):
    booth.standings = [standing(HOUR, is_building=True), standing(HOUR)]
    result = booth.runner().run(CheckRequest())
    assert result.outcome is Outcome.CLEAR


def test_a_check_without_a_search_tells_how_the_list_stood(booth):
    booth.standings = [standing(HOUR)]
    result = booth.runner(has_face=False).run(CheckRequest(modalities=(Modality.FACE,)))
    assert result.outcome is Outcome.DEGRADED
    assert result.watchlist == booth.standings[0].freshness


LOCAL = WatchlistStanding(LOCAL_LIST)
