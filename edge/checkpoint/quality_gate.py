"""How good a finger must be, by finger and purpose.

The defaults are those of BSI TR-03121-3 volume 1 (2025), which are stated for NFIQ 2.
Native quality is fitted to that scale, so they carry over in sense, not to the point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from edge.terms import FingerPosition, Quality, QualityReason


class Purpose(StrEnum):
    """What a print is captured for. A pure verification has no threshold."""

    ENROLMENT = "enrolment"
    SEARCH = "search"
    ROLLED = "rolled"


@dataclass(frozen=True)
class FingerThresholds:
    """The lowest sufficient quality of each kind of finger, 0 to 100."""

    thumb: int
    index: int
    middle: int
    ring: int
    little: int

    def of(self, position: FingerPosition) -> int:
        """Return the threshold; that of an unknown finger is the strictest."""
        ordered = (self.thumb, self.index, self.middle, self.ring, self.little)
        if position is FingerPosition.UNKNOWN:
            return max(ordered)
        return ordered[(position - FingerPosition.RIGHT_THUMB) % len(ordered)]


BSI_THRESHOLDS = {
    Purpose.ENROLMENT: FingerThresholds(30, 30, 20, 10, 10),
    Purpose.SEARCH: FingerThresholds(20, 20, 20, 10, 10),
    Purpose.ROLLED: FingerThresholds(20, 15, 15, 10, 5),
}


def gated(quality: Quality, threshold: int) -> Quality:
    """Return the quality, insufficient if its score is below the threshold.

    What the engine refused stays refused, whatever the threshold.
    """
    if not quality.is_sufficient or quality.score >= threshold:
        return quality
    reasons = (*quality.reasons, QualityReason.BELOW_THRESHOLD)
    return replace(quality, reasons=reasons, is_sufficient=False)
