"""What an officer may order during a check, and that none of it clears anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.checkpoint.check import CheckRequest
from edge.checkpoint.officer_order import (
    OfficerOrder,
    OrderBox,
    Unavailable,
    other_finger,
)
from edge.terms import (
    Exemption,
    ExemptionKind,
    ExemptionReason,
    FingerPosition,
    Modality,
    Outcome,
    Quality,
    QualityReason,
)

FINGER, FACE = Modality.FINGERPRINT, Modality.FACE
RIGHT, LEFT = FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX
THUMB = FingerPosition.RIGHT_THUMB
ONE_FINGER = CheckRequest((FINGER,), (RIGHT,))
TWO_FINGERS = CheckRequest((FINGER,), (RIGHT, LEFT))
BOTH = CheckRequest((FINGER, FACE), (RIGHT,))
MISSING, REFUSED = ExemptionReason.MISSING, ExemptionReason.REFUSED
LOW = Quality(15, (QualityReason.TOO_DRY,))


def skip(reason=MISSING, **more):
    return OfficerOrder(ExemptionKind.SKIPPED, "officer-1", reason, **more)


def override(**more):
    worn = ExemptionReason.WORN_RIDGES
    return OfficerOrder(ExemptionKind.OVERRIDDEN, "officer-1", worn, "queue", **more)


CANCEL = OfficerOrder(ExemptionKind.CANCELLED, "officer-1")


def checked(booth, request, **limits):
    return booth.runner(**limits).run(request, booth.events.append, booth.officer)


def test_for_a_missing_finger_another_one_is_searched_and_nobody_is_cleared(booth):
    booth.orders[1] = [skip()]
    result = checked(booth, ONE_FINGER)
    assert booth.positions == [LEFT]
    assert result.searched == ((FINGER, LEFT),)
    assert result.outcome is Outcome.DEGRADED
    assert result.reasons == ("fingerprint: skipped",)
    told = Exemption(ExemptionKind.SKIPPED, "officer-1", FINGER, RIGHT, MISSING)
    assert result.exemptions == (told,)
    assert booth.records[0][0].exemptions == (told,)


def test_the_officer_may_choose_the_other_finger(booth):
    booth.orders[1] = [skip(instead=THUMB)]
    assert checked(booth, ONE_FINGER).searched == ((FINGER, THUMB),)


def test_one_other_finger_is_asked_for_and_then_the_check_goes_on(booth):
    booth.orders[1] = [skip(), skip()]
    result = checked(booth, BOTH)
    assert [f.position for f in result.exemptions] == [RIGHT, LEFT]
    assert result.searched == ((FACE, FingerPosition.UNKNOWN),)
    assert result.outcome is Outcome.DEGRADED


def test_with_a_finger_left_in_the_request_no_other_one_is_asked_for(booth):
    booth.orders[1] = [skip()]
    assert checked(booth, TWO_FINGERS).searched == ((FINGER, LEFT),)


@pytest.mark.parametrize("reason", [REFUSED, ExemptionReason.CHILD])
def test_who_gives_no_finger_is_asked_for_none_but_for_the_face(booth, reason):
    booth.orders[1] = [skip(reason)]
    request = replace(BOTH, positions=(RIGHT, LEFT))
    result = checked(booth, request)
    assert booth.positions == []
    assert result.searched == ((FACE, FingerPosition.UNKNOWN),)
    assert result.outcome is Outcome.DEGRADED
    assert [one.position for one in result.exemptions] == [None]


def test_a_face_that_cannot_be_taken_is_skipped(booth, poor):
    booth.faces = [poor]
    booth.orders[3] = [skip(ExemptionReason.MEDICAL, modality=FACE)]
    result = checked(booth, BOTH)
    assert result.outcome is Outcome.DEGRADED
    assert result.reasons == ("face: skipped",)
    assert result.attempts == {FINGER: 1, FACE: 1}


def test_what_was_known_before_is_not_asked_for(booth):
    request = replace(
        BOTH,
        unavailable=(Unavailable(FINGER, RIGHT, MISSING, "since birth"),),
        officer="officer-2",
    )
    result = checked(booth, request)
    assert booth.positions == [LEFT]
    assert result.outcome is Outcome.DEGRADED
    assert result.exemptions == (
        Exemption(
            ExemptionKind.UNAVAILABLE,
            "officer-2",
            FINGER,
            RIGHT,
            MISSING,
            "since birth",
        ),
    )


def test_whose_fingers_and_face_are_not_there_is_not_cleared(booth):
    request = replace(
        TWO_FINGERS,
        modalities=(FINGER, FACE),
        unavailable=(
            Unavailable(FINGER, None, REFUSED),
            Unavailable(FACE, None, REFUSED),
        ),
    )
    result = checked(booth, request)
    assert (booth.positions, result.searched) == ([], ())
    assert result.outcome is Outcome.DEGRADED
    assert len(result.exemptions) == 2


def test_who_is_found_with_another_finger_is_referred(booth):
    booth.orders[1] = [skip()]
    booth.found[1] = (booth.candidate(FINGER),)
    result = checked(booth, BOTH)
    assert result.outcome is Outcome.REFER
    assert booth.records[0][1] is not None


def test_the_best_sample_so_far_is_taken_on_an_order_and_nobody_is_cleared(booth):
    better = Quality(18, (QualityReason.TOO_DRY,))
    booth.fingers = [LOW, better, LOW]
    booth.orders[3] = [override()]
    result = checked(booth, ONE_FINGER)
    assert result.quality[FINGER].score == 18
    assert result.searched == ((FINGER, RIGHT),)
    assert result.outcome is Outcome.DEGRADED
    assert result.reasons == ("fingerprint: overridden",)
    (told,) = result.exemptions
    assert (told.kind, told.note) == (ExemptionKind.OVERRIDDEN, "queue")
    assert result.attempts == {FINGER: 2}


def test_before_any_sample_an_override_takes_the_next_one_as_it_is(booth):
    booth.fingers = [LOW]
    booth.orders[1] = [override()]
    result = checked(booth, ONE_FINGER)
    assert (result.outcome, result.attempts) == (Outcome.DEGRADED, {FINGER: 1})
    assert result.searched == ((FINGER, RIGHT),)


def test_an_override_of_what_turns_out_good_overrides_nothing(booth):
    booth.orders[1] = [override()]
    result = checked(booth, ONE_FINGER)
    assert (result.outcome, result.exemptions) == (Outcome.CLEAR, ())


def test_a_face_in_view_is_taken_on_an_order(booth, poor):
    booth.faces = [poor]
    booth.orders[3] = [override()]
    result = checked(booth, CheckRequest((FACE,)))
    assert result.outcome is Outcome.DEGRADED
    assert result.reasons == ("face: overridden",)
    assert result.searched == ((FACE, FingerPosition.UNKNOWN),)
    assert booth.captures == 3


def test_a_cancelled_check_is_to_be_made_again(booth):
    booth.orders[1] = [CANCEL]
    result = checked(booth, replace(BOTH, positions=(RIGHT, LEFT)))
    assert result.outcome is Outcome.RETRY
    assert result.reasons == ("fingerprint: cancelled",)
    assert (booth.positions, result.searched) == ([], ())
    assert booth.records[0][0].exemptions[0].kind is ExemptionKind.CANCELLED


def test_cancelled_at_the_face_what_the_finger_said_clears_nobody(booth):
    booth.orders[2] = [CANCEL]
    assert checked(booth, BOTH).outcome is Outcome.RETRY


def test_an_order_that_was_meant_for_the_finger_does_not_touch_the_face(booth):
    booth.orders[2] = [skip(modality=FINGER)]
    result = checked(booth, BOTH)
    assert (result.outcome, result.exemptions) == (Outcome.CLEAR, ())


def test_orders_leave_the_box_in_their_order_without_those_too_late():
    box = OrderBox()
    late, meant = skip(modality=FINGER), skip(modality=FACE)
    for order in (late, meant, CANCEL):
        box.put(order)
    assert box.is_waiting(FACE)
    assert [box.take(FACE), box.take(FACE), box.take(FACE)] == [meant, CANCEL, None]


def test_no_other_finger_where_one_of_the_check_is_unknown_or_all_are_gone():
    assert other_finger([RIGHT], []) is LEFT
    assert other_finger([FingerPosition.UNKNOWN], []) is None
    assert other_finger([], [Unavailable(FINGER, None, REFUSED)]) is None
    gone = [Unavailable(FINGER, RIGHT, MISSING), Unavailable(FACE, None, REFUSED)]
    assert other_finger([], gone) is LEFT


def test_the_finger_is_shown_and_judged_while_it_arrives(booth):
    checked(booth, ONE_FINGER)
    assert booth.shown == [(FINGER, (64, 64))] * 2
    told = [e.finger for e in booth.events if e.stage == "preview"]
    assert booth.previewed == [(32, 64)]
    assert (told[0].quality.score, told[0].share) == (40, 0.5)
    assert told[0].coverage == pytest.approx(1 / (64 * 64 * 0.0508**2))
