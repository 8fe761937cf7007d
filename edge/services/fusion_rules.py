"""The policy's part of a search: how rare the evidence for a candidate must be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.recognition.evidence_fusion import EvidenceFusion
from edge.recognition.false_positives import rate_of_one
from edge.recognition.likelihood_tables import FINGERPRINT, table_of
from edge.terms import FaceTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.config import PolicySection
    from edge.terms import Template


class FusionRules(EvidenceFusion):
    """Implements edge.watchlist.person_search.Rules."""

    def __init__(self, policy: PolicySection, face_model_id: str) -> None:
        """Load the tables of fingerprints and of this booth's face templates.

        Raises:
            ModelError: a table is missing, damaged or of another calibration.
        """
        super().__init__({k: table_of(k) for k in (FINGERPRINT, face_model_id)})
        self._policy = policy

    def kind_of(self, template: Template) -> str:
        is_face = isinstance(template, FaceTemplate)
        return template.model_id if is_face else FINGERPRINT

    def referred_at(self, kinds: Sequence[str], persons: int, share: float) -> float:
        """Return the highest false match rate of a candidate to refer.

        kinds: of the samples that were compared with it. share: of the false positives
        that the policy allows.
        """
        policy = self._policy
        fingers = kinds.count(FINGERPRINT)
        if fingers == len(kinds):
            rate = policy.finger_false_match_rate
            fpir = policy.finger_false_positive_identification_rate
        elif not fingers:
            rate = policy.face_false_match_rate
            fpir = policy.face_false_positive_identification_rate
        else:
            rate = policy.fused_false_match_rate
            fpir = policy.fused_false_positive_identification_rate
        return min(rate, rate_of_one(fpir * share, persons))

    def open_at(self, persons: int) -> float:
        """Return the highest false match rate for which one more finger is asked for.

        0 if none ever is.
        """
        share = self._policy.extra_finger_rate
        return rate_of_one(share, persons) if share else 0.0
