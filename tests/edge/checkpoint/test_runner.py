from contextlib import closing

import pytest

from edge.checkpoint.check import CheckRequest
from edge.errors import (
    CaptureError,
    CaptureTimeoutError,
    DeviceAbsentError,
    InputError,
    StoreError,
)
from edge.records.template import decode_template, encode_template
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.terms import FingerPosition, Modality, Outcome

BOTH = CheckRequest()
FINGER = CheckRequest(modalities=(Modality.FINGERPRINT,))
FACE = CheckRequest(modalities=(Modality.FACE,))
UNKNOWN = FingerPosition.UNKNOWN


def test_nobody_found_is_clear_and_recorded_without_a_hit(booth):
    result = booth.runner().run(BOTH)
    assert (result.outcome, result.hit_id, result.candidates) == (
        Outcome.CLEAR,
        None,
        (),
    )
    ((check, hit),) = booth.records
    assert (check.outcome, check.attempts, hit) == (Outcome.CLEAR, 2, None)
    assert check.started_at < check.finished_at


def test_a_candidate_is_recorded_with_its_evidence_before_it_is_reported(booth):
    booth.found[Modality.FACE] = (booth.candidate(Modality.FACE),)
    result = booth.runner().run(BOTH)
    ((check, hit),) = booth.records
    assert result.outcome is check.outcome is Outcome.REFER
    assert (hit.hit_id, hit.check_id) == (result.hit_id, result.check_id)
    assert (hit.booth_id, hit.entry_id, hit.entry_version) == ("booth-1", "e1", 4)
    assert [(e.modality, e.media_type) for e in hit.evidence] == [
        (Modality.FINGERPRINT, "image/png"),
        (Modality.FINGERPRINT, "application/octet-stream"),
        (Modality.FACE, "image/png"),
        (Modality.FACE, "application/octet-stream"),
        (Modality.FACE, "application/json"),
    ]
    record = hit.evidence[3].data
    assert encode_template(decode_template(record)) == record


def test_a_hit_that_cannot_be_recorded_is_not_reported(booth):
    class FullDisk:
        def record(self, check, hit):
            del check, hit
            message = "disk full"
            raise StoreError(message)

    booth.found[Modality.FACE] = (booth.candidate(Modality.FACE),)
    with pytest.raises(StoreError, match="disk full"):
        booth.runner(FullDisk()).run(BOTH)


def test_the_first_candidate_names_the_hit(booth):
    first = booth.candidate(Modality.FACE, rate=1e-7)
    second = booth.candidate(Modality.FINGERPRINT, rate=1e-3)
    booth.found[2] = (first, second)
    assert booth.runner().run(BOTH).candidates == (first, second)
    ((_, hit),) = booth.records
    assert hit.entry_id == first.entry_id


def test_a_poor_print_is_captured_again(booth, poor):
    booth.fingers = [poor, poor, booth.fingers[0]]
    result = booth.runner().run(FINGER)
    assert result.outcome is Outcome.CLEAR
    assert result.attempts == {Modality.FINGERPRINT: 3}


def test_three_poor_prints_end_in_a_retry_that_says_why(booth, poor):
    booth.fingers = [poor]
    result = booth.runner().run(FINGER)
    assert result.outcome is Outcome.RETRY
    assert result.reasons == ("fingerprint: smeared",)
    assert len(booth.positions) == 3


def test_a_print_that_cannot_be_read_counts_as_poor(booth):
    def refuse(sample):
        del sample
        message = "72 ppi"
        raise InputError(message)

    booth.assess = refuse
    result = booth.runner().run(FINGER)
    assert result.outcome is Outcome.RETRY
    assert result.reasons == ("fingerprint: wrong_resolution",)


def test_every_finger_asked_for_is_captured(booth):
    positions = (FingerPosition.LEFT_INDEX, FingerPosition.RIGHT_THUMB)
    request = CheckRequest(modalities=(Modality.FINGERPRINT,), positions=positions)
    assert booth.runner().run(request).outcome is Outcome.CLEAR
    assert tuple(booth.positions) == positions


def test_one_finger_of_two_that_stays_poor_prevents_clear(booth, poor):
    booth.fingers = [booth.fingers[0], poor]
    positions = (FingerPosition.LEFT_INDEX, FingerPosition.RIGHT_THUMB)
    request = CheckRequest(modalities=(Modality.FINGERPRINT,), positions=positions)
    result = booth.runner().run(request)
    assert result.outcome is Outcome.RETRY
    assert result.quality == {Modality.FINGERPRINT: poor}


TWO_FINGERS = CheckRequest(
    modalities=(Modality.FINGERPRINT,),
    positions=(FingerPosition.LEFT_INDEX, FingerPosition.RIGHT_THUMB),
)


def test_whoever_is_found_by_the_first_finger_is_asked_for_nothing_more(booth):
    booth.found[1] = (booth.candidate(Modality.FINGERPRINT),)
    events = []
    request = CheckRequest(positions=TWO_FINGERS.positions)
    result = booth.runner().run(request, events.append)
    assert result.outcome is Outcome.REFER
    assert booth.looks == [Modality.FINGERPRINT]
    stages = [(e.stage, e.position) for e in events if e.share is None]
    left = FingerPosition.LEFT_INDEX
    assert list(dict.fromkeys(stages)) == [
        ("capture", left),
        ("assess", left),
        ("search", None),
    ]
    assert result.searched == ((Modality.FINGERPRINT, left),)
    ((_, hit),) = booth.records
    assert [e.position for e in hit.evidence[::2]] == [left]


def test_all_samples_of_a_request_are_searched_before_it_is_clear(booth):
    result = booth.runner().run(CheckRequest(positions=TWO_FINGERS.positions))
    assert result.outcome is Outcome.CLEAR
    assert booth.looks == [Modality.FINGERPRINT] * 2 + [Modality.FACE]
    assert [m for m, _ in result.searched] == booth.looks


def test_the_policy_says_what_is_taken_first(booth):
    order = (Modality.FACE, Modality.FINGERPRINT)
    booth.found[1] = (booth.candidate(Modality.FACE),)
    result = booth.runner(order=order).run(BOTH)
    assert result.outcome is Outcome.REFER
    assert booth.positions == []


EXTRA = (FingerPosition.RIGHT_INDEX, FingerPosition.LEFT_INDEX)


def test_a_finger_more_is_asked_for_while_somebody_is_nearly_found(booth):
    booth.open_after = {1, 2}
    booth.found[3] = (booth.candidate(Modality.FINGERPRINT),)
    result = booth.runner(extra_fingers=EXTRA).run(BOTH)
    assert result.outcome is Outcome.REFER
    assert booth.positions == list(EXTRA)
    assert result.searched[-1] == (Modality.FINGERPRINT, FingerPosition.LEFT_INDEX)


def test_nobody_else_is_asked_for_a_finger_more(booth):
    booth.open_after = {1}
    assert booth.runner(extra_fingers=EXTRA).run(BOTH).outcome is Outcome.CLEAR
    assert booth.positions == [FingerPosition.RIGHT_INDEX]


def test_fingers_given_that_do_not_suffice_end_in_clear(booth):
    booth.open_after = {1, 2, 3, 4}
    assert booth.runner(extra_fingers=EXTRA).run(BOTH).outcome is Outcome.CLEAR
    assert booth.positions == list(EXTRA)


def test_an_extra_finger_that_is_not_given_is_not_cleared(booth):
    booth.open_after = {1, 2}
    booth.fingers = [booth.fingers[0], CaptureTimeoutError("late")]
    result = booth.runner(extra_fingers=EXTRA).run(BOTH)
    assert result.outcome is Outcome.RETRY
    assert result.reasons == ("fingerprint: nothing_presented",)


def test_a_check_that_cannot_end_clear_asks_for_no_finger_more(booth, poor):
    booth.open_after = {1}
    booth.faces = [poor]
    assert booth.runner(extra_fingers=EXTRA).run(BOTH).outcome is Outcome.RETRY
    assert booth.positions == [FingerPosition.RIGHT_INDEX]


@pytest.mark.parametrize("request_", [FACE, CheckRequest(positions=(UNKNOWN,))])
def test_a_finger_that_may_be_the_same_again_is_not_asked_for(booth, request_):
    booth.open_after = {1, 2}
    assert booth.runner(extra_fingers=EXTRA).run(request_).outcome is Outcome.CLEAR
    assert FingerPosition.LEFT_INDEX not in booth.positions


def test_after_the_time_no_sample_is_asked_for_and_nobody_cleared(booth):
    result = booth.runner(check_time_s=1.0).run(BOTH)
    assert result.outcome is Outcome.RETRY
    assert result.reasons == ("face: time_over",)
    assert booth.looks == [Modality.FINGERPRINT]


def test_after_the_time_no_finger_more_is_asked_for(booth):
    booth.open_after = {2}
    result = booth.runner(extra_fingers=EXTRA, check_time_s=2.0).run(BOTH)
    assert result.outcome is Outcome.RETRY
    assert result.reasons == ("fingerprint: time_over",)


def test_the_looks_of_a_check_share_its_false_positives(booth):
    booth.runner(extra_fingers=EXTRA).run(BOTH)
    assert booth.shares == [pytest.approx(1 / 5)] * 2
    booth.shares.clear()
    booth.runner(extra_fingers=EXTRA).run(FINGER)
    booth.runner().run(CheckRequest(positions=TWO_FINGERS.positions))
    assert booth.shares == [pytest.approx(1 / 2)] + [pytest.approx(1 / 4)] * 3


def test_a_modality_that_cannot_be_searched_degrades_the_check(booth):
    booth.unsearched = {Modality.FACE}
    result = booth.runner().run(BOTH)
    assert result.outcome is Outcome.DEGRADED
    assert result.reasons == ("face: not_searched_among_all",)


def test_a_poor_finger_does_not_keep_the_good_one_from_the_search(booth, poor):
    booth.fingers = [poor, poor, poor, booth.fingers[0]]
    booth.found[Modality.FINGERPRINT] = (booth.candidate(Modality.FINGERPRINT),)
    result = booth.runner().run(TWO_FINGERS)
    assert len(booth.looks) == 1
    assert result.outcome is Outcome.REFER
    assert result.reasons == ("fingerprint: smeared",)
    ((_, hit),) = booth.records
    assert [e.position for e in hit.evidence[::2]] == [FingerPosition.RIGHT_THUMB]


def test_fingers_that_are_all_poor_are_not_searched(booth, poor):
    booth.fingers = [poor]
    assert booth.runner().run(TWO_FINGERS).outcome is Outcome.RETRY
    assert booth.looks == []


def test_a_finger_asked_for_twice_is_the_callers_fault():
    CheckRequest(positions=(UNKNOWN, UNKNOWN))
    thumb = FingerPosition.RIGHT_THUMB
    with pytest.raises(ValueError, match="each finger once"):
        CheckRequest(positions=(thumb, thumb))


def test_faces_are_read_until_one_is_usable(booth, poor):
    booth.faces = [poor, poor, booth.faces[0]]
    result = booth.runner().run(FACE)
    assert result.outcome is Outcome.CLEAR
    assert result.attempts == {Modality.FACE: 3}


def test_an_unusable_face_ends_in_a_retry_when_the_time_is_over(booth, poor):
    booth.faces = [poor]
    result = booth.runner().run(FACE)
    assert result.outcome is Outcome.RETRY
    assert result.attempts == {Modality.FACE: 10}


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (CaptureTimeoutError("late"), Outcome.RETRY, "nothing_presented"),
        (DeviceAbsentError("gone"), Outcome.DEGRADED, "device_failed"),
        (CaptureError("fault"), Outcome.DEGRADED, "device_failed"),
    ],
)
@pytest.mark.parametrize("modality", list(Modality))
def test_a_device_in_trouble_never_ends_in_clear(
    booth, modality, error, outcome, reason
):
    is_finger = modality is Modality.FINGERPRINT
    setattr(booth, "fingers" if is_finger else "faces", [error])
    result = booth.runner().run(BOTH)
    assert result.outcome is outcome
    assert result.reasons == (f"{modality}: {reason}",)
    assert len(booth.records) == 1


def test_a_hit_by_one_device_counts_though_the_other_failed(booth):
    booth.fingers = [DeviceAbsentError("gone")]
    booth.found[Modality.FACE] = (booth.candidate(Modality.FACE),)
    result = booth.runner().run(BOTH)
    assert result.outcome is Outcome.REFER
    assert result.reasons == ("fingerprint: device_failed",)


@pytest.mark.parametrize("missing", ["has_finger", "has_face"])
def test_a_device_that_is_not_fitted_degrades_the_check(booth, missing):
    result = booth.runner(**{missing: False}).run(BOTH)
    assert result.outcome is Outcome.DEGRADED


def test_references_that_cannot_be_compared_degrade_the_check(booth):
    booth.refused = {Modality.FACE}
    result = booth.runner().run(FACE)
    assert result.outcome is Outcome.DEGRADED
    assert result.reasons == ("face: search_failed",)


def test_an_empty_watchlist_degrades_the_check(booth):
    booth.entries = 0
    result = booth.runner().run(BOTH)
    assert (result.outcome, result.reasons) == (Outcome.DEGRADED, ("no_watchlist",))


def test_the_screen_hears_of_every_stage(booth):
    events = []
    result = booth.runner().run(BOTH, events.append)
    assert {e.check_id for e in events} == {result.check_id}
    found = [(e.modality, e.stage, e.share) for e in events]
    assert found == [
        (Modality.FINGERPRINT, "capture", None),
        (Modality.FINGERPRINT, "capture", None),
        (Modality.FINGERPRINT, "capture", 0.5),
        (Modality.FINGERPRINT, "preview", 0.5),
        (Modality.FINGERPRINT, "assess", None),
        (Modality.FINGERPRINT, "search", None),
        (Modality.FACE, "capture", None),
        (Modality.FACE, "assess", None),
        (Modality.FACE, "search", None),
    ]


def test_the_time_of_each_stage_is_told(booth, poor):
    booth.fingers = [poor, booth.fingers[0]]
    timings = booth.runner().run(BOTH).timings_ms
    assert timings["fingerprint.capture"] == 2000
    assert timings["face.capture"] == 1000
    assert timings["fingerprint.search"] == 0
    assert {"fingerprint.extract", "face.process", "decide", "record"} <= set(timings)


def files_of(path):
    return b"".join(p.read_bytes() for p in path.parent.iterdir())


def spoil(booth, poor, outcome):
    if outcome is Outcome.RETRY:
        booth.fingers = [poor]
    if outcome is Outcome.DEGRADED:
        booth.entries = 0


@pytest.mark.parametrize("outcome", [Outcome.CLEAR, Outcome.RETRY, Outcome.DEGRADED])
def test_a_check_that_finds_nobody_leaves_nothing_biometric(
    booth, poor, biometric_bytes, tmp_path, outcome
):
    path = tmp_path / "booth.db"
    spoil(booth, poor, outcome)
    database = open_database(path, "booth")
    with closing(database.conn):
        result = booth.runner(CheckStore(database)).run(BOTH)
        left = files_of(path)
    left += files_of(path)
    assert result.outcome is outcome
    assert result.check_id.encode() in left
    for canary in biometric_bytes:
        middle = len(canary) // 2
        assert canary[middle : middle + 24] not in left


def test_the_hunt_would_find_what_a_hit_leaves(booth, biometric_bytes, tmp_path):
    path = tmp_path / "booth.db"
    booth.found[Modality.FACE] = (booth.candidate(Modality.FACE),)
    database = open_database(path, "booth")
    with closing(database.conn):
        booth.runner(CheckStore(database)).run(BOTH)
        left = files_of(path)
    caught = [c[len(c) // 2 : len(c) // 2 + 24] in left for c in biometric_bytes]
    assert caught[0]
    assert caught[4]
