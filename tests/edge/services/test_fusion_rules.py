import pytest

from edge.config import PolicySection
from edge.recognition.face.face_sets import face_set
from edge.recognition.false_positives import rate_of_one
from edge.recognition.likelihood_tables import FINGERPRINT
from edge.services.fusion_rules import FusionRules

FACE = face_set("default").template_id
POLICY = PolicySection(
    finger_false_match_rate=1e-3,
    finger_false_positive_identification_rate=1e-2,
    face_false_match_rate=1e-4,
    face_false_positive_identification_rate=2e-2,
    fused_false_match_rate=1e-5,
    fused_false_positive_identification_rate=3e-2,
    extra_finger_rate=5e-2,
)


@pytest.mark.parametrize(
    ("kinds", "rate", "fpir"),
    [
        ((FINGERPRINT,), 1e-3, 1e-2),
        ((FINGERPRINT, FINGERPRINT), 1e-3, 1e-2),
        ((FACE,), 1e-4, 2e-2),
        ((FINGERPRINT, FACE), 1e-5, 3e-2),
    ],
)
def test_the_policy_of_what_was_compared_holds(kinds, rate, fpir):
    rules = FusionRules(POLICY, FACE)
    assert rules.referred_at(kinds, 1, 1.0) == rate
    many = rules.referred_at(kinds, 1_000_000, 0.5)
    assert many == rate_of_one(fpir / 2, 1_000_000)


def test_a_share_of_travellers_is_asked_for_more_or_nobody():
    rules = FusionRules(POLICY, FACE)
    assert rules.open_at(1000) == rate_of_one(5e-2, 1000)
    nobody = PolicySection(extra_finger_rate=0.0)
    assert FusionRules(nobody, FACE).open_at(1000) == 0.0
