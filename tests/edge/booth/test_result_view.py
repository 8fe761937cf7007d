from edge.booth.views import result_view
from edge.checkpoint.check import CheckResult
from edge.terms import (
    Candidate,
    ComparisonScore,
    FingerPosition,
    Modality,
    Outcome,
    SampleEvidence,
)

FINGER = (Modality.FINGERPRINT, FingerPosition.RIGHT_INDEX)
FACE = (Modality.FACE, FingerPosition.UNKNOWN)


def test_the_result_says_what_each_sample_said_and_which_decided():
    samples = (
        SampleEvidence(*FINGER, "r1", ComparisonScore(0.2, 1e-4), 1.234),
        SampleEvidence(*FACE, "r2", ComparisonScore(0.7, 1e-6), 5.0, is_deciding=True),
    )
    candidate = Candidate("e1", "r2", *FACE, ComparisonScore(0.7, 1e-9), samples)
    result = CheckResult(
        check_id="c1",
        outcome=Outcome.REFER,
        reasons=(),
        candidates=(candidate,),
        entry=None,
        hit_id="h1",
        attempts={},
        quality={},
        timings_ms={},
        searched=(FINGER, FACE),
    )
    view = result_view(result)
    assert view["searched"] == [
        {"modality": "fingerprint", "position": 2},
        {"modality": "face", "position": 0},
    ]
    assert view["candidates"][0]["samples"] == [
        {
            "modality": "fingerprint",
            "position": 2,
            "false_match_rate": 1e-4,
            "log10_ratio": 1.23,
            "is_deciding": False,
        },
        {
            "modality": "face",
            "position": 0,
            "false_match_rate": 1e-6,
            "log10_ratio": 5.0,
            "is_deciding": True,
        },
    ]
