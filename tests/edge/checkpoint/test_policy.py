from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.checkpoint.check import CheckRequest
from edge.checkpoint.policy import (
    DEVICE_FAILED,
    NO_WATCHLIST,
    NOBODY_CAME,
    NOT_AMONG_ALL,
    SEARCH_FAILED,
    TIME_OVER,
    Finding,
    PresentationPolicy,
    decide,
)
from edge.terms import (
    Candidate,
    ComparisonScore,
    FingerPosition,
    Modality,
    Outcome,
    PresentationDecision,
    PresentationVerdict,
    Quality,
    QualityReason,
)

POOR = Quality(12, (QualityReason.BLURRED,), is_sufficient=False)
GOOD = Quality(80)


def candidate(rate=1e-4, entry_id="e1"):
    position = FingerPosition.UNKNOWN
    score = ComparisonScore(0.5, rate)
    return Candidate(entry_id, f"{entry_id}-r", Modality.FACE, position, score)


SITUATIONS = {
    "searched": {"was_searched": True, "quality": GOOD, "attempts": 1},
    "poor": {"quality": POOR, "attempts": 3},
    "absent": {"failure": NOBODY_CAME, "attempts": 1},
    "failed": {"failure": DEVICE_FAILED},
    "late": {"failure": TIME_OVER},
}


def expected_outcome(names, size, *, is_found):
    """The rules once more, in the words of the requirement."""
    if is_found:
        return Outcome.REFER
    if size == 0 or "failed" in names:
        return Outcome.DEGRADED
    if {"poor", "absent", "late"} & set(names):
        return Outcome.RETRY
    return Outcome.CLEAR


@pytest.mark.parametrize("size", [0, 1])
@pytest.mark.parametrize("is_found", [False, True])
@pytest.mark.parametrize(
    "names", [(name,) for name in SITUATIONS] + list(product(SITUATIONS, repeat=2))
)
def test_every_combination_of_situations_has_its_outcome(names, is_found, size):
    modalities = (Modality.FINGERPRINT, Modality.FACE)
    findings = [
        Finding(modality, **SITUATIONS[name])
        for modality, name in zip(modalities, names, strict=False)
    ]
    candidates = (candidate(),) if is_found else ()
    decision = decide(findings, candidates, watchlist_size=size)
    assert decision.outcome is expected_outcome(names, size, is_found=is_found)
    assert bool(decision.candidates) == (decision.outcome is Outcome.REFER)
    assert (NO_WATCHLIST in decision.reasons) == (size == 0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("poor", "face: blurred"),
        ("absent", "face: nothing_presented"),
        ("failed", "face: device_failed"),
        ("late", "face: time_over"),
    ],
)
def test_the_reason_names_the_modality(name, reason):
    decision = decide([Finding(Modality.FACE, **SITUATIONS[name])], watchlist_size=1)
    assert decision.reasons == (reason,)


def test_a_check_of_nothing_cannot_be_decided_or_asked_for():
    with pytest.raises(ValueError, match="at least one"):
        decide([], watchlist_size=1)
    with pytest.raises(ValueError, match="at least one"):
        CheckRequest(modalities=())
    with pytest.raises(ValueError, match="finger position"):
        CheckRequest(positions=())


OFF, INFORM, SECOND_LOOK = PresentationPolicy
SUSPECTED = ("face: presentation_attack_suspected",)
UNJUDGED = ("face: presentation_not_judged",)


@pytest.mark.parametrize(
    ("policy", "decision", "outcome", "reasons"),
    [
        (OFF, None, Outcome.CLEAR, ()),
        (OFF, "attack", Outcome.CLEAR, ()),
        (INFORM, "bona_fide", Outcome.CLEAR, ()),
        (INFORM, "attack", Outcome.CLEAR, SUSPECTED),
        (INFORM, "not_judged", Outcome.CLEAR, ()),
        (SECOND_LOOK, "bona_fide", Outcome.CLEAR, ()),
        (SECOND_LOOK, "attack", Outcome.DEGRADED, SUSPECTED),
        (SECOND_LOOK, "not_judged", Outcome.DEGRADED, UNJUDGED),
        (SECOND_LOOK, None, Outcome.CLEAR, ()),
    ],
)
def test_how_a_face_was_presented_counts_as_policy_says(
    policy, decision, outcome, reasons
):
    face = presented(decision)
    found = decide([FINGER_SEARCHED, face], watchlist_size=1, presentation=policy)
    assert (found.outcome, found.reasons) == (outcome, reasons)


@pytest.mark.parametrize("policy", PresentationPolicy)
@pytest.mark.parametrize("situation", ["found", "poor", "absent", "failed"])
def test_a_second_look_takes_nothing_back(policy, situation):
    is_found = situation == "found"
    told = SITUATIONS["searched" if is_found else situation]
    found = decide(
        [Finding(Modality.FINGERPRINT, **told), presented("attack")],
        (candidate(),) if is_found else (),
        watchlist_size=1,
        presentation=policy,
    )
    assert found.outcome is expected_outcome([situation], 1, is_found=is_found)


def presented(decision):
    verdict = decision and PresentationVerdict(PresentationDecision(decision), 0.4, 0.5)
    return Finding(Modality.FACE, **SITUATIONS["searched"], presentation=verdict)


FINGER_SEARCHED = Finding(Modality.FINGERPRINT, **SITUATIONS["searched"])


FINDINGS = st.lists(
    st.builds(
        Finding,
        modality=st.sampled_from(Modality),
        was_searched=st.booleans(),
        quality=st.sampled_from([None, POOR, GOOD]),
        attempts=st.integers(0, 3),
        failure=st.sampled_from(
            [None, NOBODY_CAME, DEVICE_FAILED, SEARCH_FAILED, NOT_AMONG_ALL, TIME_OVER]
        ),
    ),
    min_size=1,
    max_size=5,
)


CANDIDATES = st.lists(st.builds(candidate, st.floats(0, 1)), max_size=2).map(tuple)


@given(findings=FINDINGS, candidates=CANDIDATES, size=st.integers(0, 3))
def test_clear_means_that_all_was_searched_and_nobody_found(findings, candidates, size):
    outcome = decide(findings, candidates, watchlist_size=size).outcome
    if outcome is Outcome.CLEAR:
        assert size > 0
        assert all(f.was_searched for f in findings)
        assert not candidates
        kinds = (DEVICE_FAILED, SEARCH_FAILED, NOT_AMONG_ALL)
        assert not any(f.failure in kinds for f in findings)


@given(findings=FINDINGS, candidates=CANDIDATES, size=st.integers(0, 3))
def test_any_candidate_is_referred_with_all_the_others(findings, candidates, size):
    decision = decide(findings, candidates, watchlist_size=size)
    assert (decision.outcome is Outcome.REFER) == bool(candidates)
    assert decision.candidates == candidates
