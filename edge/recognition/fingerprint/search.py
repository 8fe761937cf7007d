"""One-to-many search of a print over references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.recognition.fingerprint.calibration import Calibration, committed
from edge.recognition.fingerprint.comparison import compare, prepare, warm_up
from edge.recognition.parameters import FINGER_FALSE_MATCH_RATE
from edge.terms import Candidate, ComparisonScore, FingerPosition, FingerprintTemplate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.terms import Reference, Template


class FingerprintGallery:
    """Holds the prepared references; safe to search from several threads."""

    def __init__(
        self,
        references: Sequence[Reference],
        threshold_fmr: float = FINGER_FALSE_MATCH_RATE,
        calibration: Calibration | None = None,
    ) -> None:
        """References of other modalities are left out.

        threshold_fmr: false match rate of one comparison, where search gets none.
        """
        warm_up()
        self._threshold_fmr = threshold_fmr
        self._calibration = calibration or committed()
        self._references = [
            (reference, prepare(reference.template))
            for reference in references
            if isinstance(reference.template, FingerprintTemplate)
        ]

    def __len__(self) -> int:
        return len(self._references)

    def search(
        self, probe: Template, threshold_fmr: float | None = None
    ) -> list[Candidate]:
        """Return the references that non-mated prints reach this seldom, best first.

        A reference of another known finger position than the probe's is skipped.

        Raises:
            InputError: the probe is no fingerprint template.
        """
        if not isinstance(probe, FingerprintTemplate):
            raise InputError("fingerprint search: the probe is no fingerprint template")
        threshold = self._calibration.threshold(threshold_fmr or self._threshold_fmr)
        prepared = prepare(probe)
        found = []
        for reference, other in self._references:
            if not _may_be_same_finger(probe.position, reference.position):
                continue
            value = compare(prepared, other)
            if value >= threshold:
                found.append(self._candidate(reference, value))
        return sorted(found, key=lambda item: (-item.score.value, item.reference_id))

    def _candidate(self, reference: Reference, value: float) -> Candidate:
        return Candidate(
            entry_id=reference.entry_id,
            reference_id=reference.reference_id,
            modality=reference.modality,
            position=reference.position,
            score=ComparisonScore(value, self._calibration.false_match_rate(value)),
        )


def _may_be_same_finger(probe: FingerPosition, reference: FingerPosition) -> bool:
    return FingerPosition.UNKNOWN in {probe, reference} or probe is reference
