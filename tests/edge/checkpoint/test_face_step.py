"""How long a face is looked at, which frame is taken, and what is told meanwhile."""

from __future__ import annotations

import gc
import weakref

import pytest

from edge.checkpoint.check import CheckRequest
from edge.checkpoint.policy import PresentationPolicy
from edge.checkpoint.step import OfficerSide
from edge.errors import CaptureTimeoutError, DeviceAbsentError, ModelError
from edge.records.searched_face import decode_searched_face
from edge.terms import (
    FaceInstruction,
    Modality,
    Outcome,
    PresentationDecision,
    PresentationVerdict,
    Quality,
)

FACE = CheckRequest(modalities=(Modality.FACE,))
BONA_FIDE = PresentationVerdict(PresentationDecision.BONA_FIDE, 0.9, 0.5)
ATTACK = PresentationVerdict(PresentationDecision.ATTACK, 0.1, 0.5)
MEANT = pytest.mark.parametrize("policy", ["inform", "second_look"])


def test_a_face_that_leaves_nothing_to_ask_for_is_taken_at_once(booth):
    booth.face_period_s = 0.1
    booth.runner().run(FACE)
    assert [guide.frames for guide in booth.guides] == [1]


def test_for_a_usable_face_a_better_frame_is_waited_for_a_moment(booth, usable):
    booth.face_period_s = 0.1
    booth.faces = [usable]
    result = booth.runner(face_burst_s=0.4).run(FACE)
    assert result.outcome is Outcome.CLEAR
    assert booth.guides[0].frames == 4
    assert result.attempts == {Modality.FACE: 4}
    assert result.timings_ms["face.capture"] == pytest.approx(500)


def test_the_burst_ends_when_nothing_is_left_to_ask_for(booth, usable):
    booth.face_period_s = 0.1
    booth.faces = [usable, usable, Quality(90)]
    booth.runner(face_burst_s=5).run(FACE)
    assert booth.guides[0].frames == 3


def test_a_frame_long_after_the_first_usable_one_is_not_looked_at(booth, usable):
    booth.faces = [usable, Quality(90)]
    booth.runner().run(FACE)
    assert booth.guides[0].frames == 1


@pytest.mark.parametrize("error", [CaptureTimeoutError("late"), DeviceAbsentError("x")])
def test_what_was_usable_is_used_though_the_camera_stops(booth, usable, error):
    booth.face_period_s = 0.1
    booth.faces = [usable, error]
    assert booth.runner().run(FACE).outcome is Outcome.CLEAR


def test_each_check_begins_with_a_guide_of_its_own(booth):
    runner = booth.runner()
    runner.run(FACE)
    runner.run(FACE)
    assert len(booth.guides) == 2


def test_every_frame_tells_what_to_do_where_the_face_is_and_how_many(booth, poor):
    booth.faces = [poor, poor, booth.faces[0]]
    events = []
    booth.runner().run(FACE, events.append)
    told = [event.guidance for event in events if event.stage == "assess"]
    assert [guidance.instruction for guidance in told] == [
        FaceInstruction.LOOK_AT_CAMERA,
        FaceInstruction.LOOK_AT_CAMERA,
        FaceInstruction.OK,
    ]
    assert told[0].face == booth.box
    assert told[0].faces == (booth.box,)
    assert next(e.quality for e in events if e.stage == "assess") is poor


def test_the_face_that_the_officer_points_at_is_followed_and_named(booth, poor):
    booth.faces = [poor, booth.faces[0]]
    points = [None, (30.0, 40.0)]
    result = booth.runner().run(FACE, officer=OfficerSide(picked=lambda: points.pop(0)))
    assert booth.guides[0].points == [(30.0, 40.0)]
    assert result.face.is_picked
    assert result.face.box == booth.box
    assert (result.face.width_px, result.face.height_px) == (64, 64)


def test_no_guide_outlives_its_check(booth):
    runner = booth.runner()
    runner.run(FACE)
    left = weakref.ref(booth.guides.pop())
    gc.collect()
    assert left() is None


def test_without_a_face_no_face_is_named(booth, poor):
    booth.faces = [poor]
    result = booth.runner().run(FACE)
    assert result.face is None
    assert booth.records[0][0].presentation is None


def test_by_default_nothing_is_judged(booth):
    booth.presented = ATTACK
    result = booth.runner().run(FACE)
    assert result.outcome is Outcome.CLEAR
    assert result.face.presentation is None


@MEANT
def test_a_bona_fide_presentation_is_recorded_by_its_decision_alone(booth, policy):
    booth.presented = BONA_FIDE
    result = _judged(booth, policy)
    assert result.outcome is Outcome.CLEAR
    assert result.reasons == ()
    assert result.face.presentation is BONA_FIDE
    ((check, hit),) = booth.records
    assert check.presentation is PresentationDecision.BONA_FIDE
    assert hit is None
    assert "face.presentation" in result.timings_ms


@pytest.mark.parametrize(
    ("policy", "outcome"),
    [("inform", Outcome.CLEAR), ("second_look", Outcome.DEGRADED)],
)
def test_a_suspected_attack_does_what_the_policy_says(booth, policy, outcome):
    booth.presented = ATTACK
    result = _judged(booth, policy)
    assert result.outcome is outcome
    assert result.reasons == ("face: presentation_attack_suspected",)
    assert booth.records[0][0].presentation is PresentationDecision.ATTACK


@pytest.mark.parametrize("judge", [None, ModelError("broken")])
@pytest.mark.parametrize(
    ("policy", "outcome", "reasons"),
    [
        ("inform", Outcome.CLEAR, ()),
        ("second_look", Outcome.DEGRADED, ("face: presentation_not_judged",)),
    ],
)
def test_what_cannot_be_judged_is_said_to_be_so(booth, judge, policy, outcome, reasons):
    booth.presented = judge
    result = _judged(booth, policy)
    assert (result.outcome, result.reasons) == (outcome, reasons)
    assert result.face.presentation == PresentationVerdict()
    assert booth.records[0][0].presentation is PresentationDecision.NOT_JUDGED


@MEANT
def test_a_hit_says_which_face_it_is_of_and_how_it_was_presented(booth, policy):
    booth.presented = ATTACK
    booth.found[Modality.FACE] = (booth.candidate(Modality.FACE),)
    result = _judged(booth, policy)
    assert result.outcome is Outcome.REFER
    ((_, hit),) = booth.records
    about = [e for e in hit.evidence if e.media_type == "application/json"]
    assert [e.modality for e in about] == [Modality.FACE]
    assert decode_searched_face(about[0].data) == result.face


def test_the_screen_of_the_traveller_hears_nothing_of_attacks(booth):
    booth.presented = ATTACK
    events = []
    booth.runner(presentation_attack=PresentationPolicy.INFORM).run(FACE, events.append)
    assert events
    assert not any("presentation" in repr(event) for event in events)


def _judged(booth, policy):
    return booth.runner(presentation_attack=PresentationPolicy(policy)).run(FACE)
