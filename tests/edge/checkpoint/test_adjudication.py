"""What the officers' verdicts make of a hit."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.checkpoint.adjudication import (
    FINAL,
    REASONS,
    Adjudication,
    with_first,
    with_second,
)
from edge.errors import AdjudicationError, InputError
from edge.terms import DecisionState, OfficerVerdict, Verdict, VerdictReason

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONFIRM, REFUTE, CANNOT_TELL = Verdict


def said(verdict=CONFIRM, officer="officer-1", reason=None, note=""):
    return OfficerVerdict(officer, verdict, reason or REASONS[verdict][0], note, NOON)


@pytest.mark.parametrize(
    ("verdict", "state"),
    [(CONFIRM, "confirmed"), (REFUTE, "refuted"), (CANNOT_TELL, "undetermined")],
)
def test_one_officer_decides_where_policy_wants_no_second(verdict, state):
    after = with_first(Adjudication(needs_second=False), said(verdict))
    assert (after.state, after.is_final) == (state, True)


@pytest.mark.parametrize("first", Verdict)
@pytest.mark.parametrize("second", Verdict)
def test_two_who_agree_decide_and_two_who_do_not_dispute(first, second):
    waiting = with_first(Adjudication(needs_second=True), said(first))
    assert (waiting.state, waiting.is_final) == ("awaiting_second", False)
    after = with_second(waiting, said(second, "officer-2"))
    alone = with_first(Adjudication(needs_second=False), said(first))
    assert after.state == (alone.state if first is second else "disputed")
    assert after.is_final


@pytest.mark.parametrize("officer", ["officer-1", "Officer-1", "OFFICER-1"])
def test_the_second_officer_is_another_person(officer):
    waiting = with_first(Adjudication(needs_second=True), said())
    with pytest.raises(AdjudicationError, match="another person"):
        with_second(waiting, said(officer=officer))


def test_nobody_speaks_twice_or_out_of_turn():
    begun = Adjudication(needs_second=True)
    with pytest.raises(AdjudicationError, match="no first"):
        with_second(begun, said())
    waiting = with_first(begun, said())
    with pytest.raises(AdjudicationError, match="officer-1"):
        with_first(waiting, said(REFUTE, "officer-2"))
    decided = with_second(waiting, said(REFUTE, "officer-2"))
    with pytest.raises(AdjudicationError, match="disputed"):
        with_second(decided, said(officer="officer-3"))
    alone = with_first(Adjudication(needs_second=False), said())
    with pytest.raises(AdjudicationError, match="no second officer"):
        with_second(alone, said(officer="officer-2"))


@pytest.mark.parametrize(
    ("verdict", "reason", "note", "problem"),
    [
        (CONFIRM, VerdictReason.FACES_DIFFER, "", "not of confirm"),
        (REFUTE, VerdictReason.POOR_CAPTURE, "", "not of refute"),
        (CANNOT_TELL, VerdictReason.OTHER, "  ", "say in the note"),
        (CONFIRM, VerdictReason.FACES_AGREE, "n" * 1001, "1000 allowed"),
    ],
)
def test_a_reason_belongs_to_its_verdict(verdict, reason, note, problem):
    verdict = said(verdict, reason=reason, note=note)
    with pytest.raises(InputError, match=problem):
        with_first(Adjudication(needs_second=True), verdict)
    waiting = with_first(Adjudication(needs_second=True), said(officer="officer-9"))
    with pytest.raises(InputError, match=problem):
        with_second(waiting, verdict)


def test_every_reason_has_a_verdict_and_every_state_a_way_to_it():
    assert set().union(*REASONS.values()) == set(VerdictReason)
    assert set(DecisionState) - FINAL == {"undecided", "awaiting_second"}


@given(
    needs_second=st.booleans(),
    words=st.lists(
        st.tuples(st.booleans(), st.sampled_from(Verdict), st.sampled_from("abA")),
        max_size=6,
    ),
)
def test_whatever_is_tried_a_final_state_stays_and_has_the_officers_it_needs(
    needs_second, words
):
    now = Adjudication(needs_second=needs_second)
    for is_first, verdict, officer in words:
        before = now
        try:
            step = with_first if is_first else with_second
            now = step(now, said(verdict, officer))
        except AdjudicationError:
            continue
        assert not before.is_final
    if now.is_final and needs_second:
        assert now.first.officer.casefold() != now.second.officer.casefold()
