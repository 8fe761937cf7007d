"""Whether a kind of face template can carry a search among so many persons.

Each person compared is a chance for a stranger to match. The longer the list, the lower
the false match rate that keeps the share of wrongly matched strangers (FPIR of ISO/IEC
19795-1) at its target, and the higher the threshold; at some length the threshold lies
where nothing was counted any more, or where most travellers on the list are missed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from edge.recognition.false_positives import rate_of_one

if TYPE_CHECKING:
    from edge.recognition.face.calibration import Calibration

# What is extrapolated further than this beyond the counted rates is no ground for
# matching anybody.
MOST_DECADES_EXTRAPOLATED = 3.0
# Above this a search misses more than it finds.
MOST_MISSES = 0.5
# Slightly inside 0..1, where the normal quantile is finite.
_LEAST_SHARE = 1e-6


@dataclass(frozen=True)
class CarryingVerdict:
    """is_carried: whether to search; else faces only confirm candidates found else.

    persons: on the list. false_match_rate: of one comparison, that the search needs.
    score: the threshold. misses: share of mated comparisons below it, counted or
    extrapolated. decades_extrapolated: of the false match rate, 0 where it was counted.
    text: all of this in one line, for an officer or a technician.
    """

    is_carried: bool
    persons: int
    false_match_rate: float
    score: float
    misses: float
    decades_extrapolated: float
    text: str


def can_carry(
    calibration: Calibration, persons: int, max_fpir: float, max_fmr: float = 1.0
) -> CarryingVerdict:
    """Decide whether faces of a kind can be searched among so many persons.

    max_fpir: the highest share of searches by strangers that may find anybody. max_fmr:
    the highest false match rate of one comparison, whatever the list.
    """
    rate = min(max_fmr, rate_of_one(max_fpir, persons))
    beyond = max(0.0, math.log10(calibration.lowest_counted_rate / rate))
    misses = expected_misses(calibration, rate)
    is_carried = beyond <= MOST_DECADES_EXTRAPOLATED and misses <= MOST_MISSES
    text = (
        f"{calibration.model_id}: face "
        f"{'carries' if is_carried else 'cannot carry'} a search among "
        f"{persons:,} persons: false match rate {rate:.1g}"
        f"{f', {beyond:.1f} decades below what was counted' if beyond else ''}, "
        f"where {100 * misses:.0f} % of mates are missed"
        f"{'' if is_carried else '; it only confirms candidates'}"
    )
    score = calibration.score_at(rate)
    return CarryingVerdict(is_carried, persons, rate, score, misses, beyond, text)


def expected_misses(calibration: Calibration, false_match_rate: float) -> float:
    """Return the share of mated comparisons missed at a false match rate.

    Beyond the counted rates it goes on along the straight line through the last counted
    decade, of normal quantile over logarithm of the rate (a straight line for normally
    distributed scores): an extrapolation.
    """
    counted = calibration.lowest_counted_rate
    last = _misses_at(calibration, counted)
    if false_match_rate >= counted:
        return _misses_at(calibration, false_match_rate)
    decades = math.log10(counted / false_match_rate)
    rise = _quantile(last) - _quantile(_misses_at(calibration, 10 * counted))
    return NormalDist().cdf(_quantile(last) + decades * max(rise, 0.0))


def _misses_at(calibration: Calibration, false_match_rate: float) -> float:
    return calibration.false_non_match_rate(calibration.score_at(false_match_rate))


def _quantile(share: float) -> float:
    return NormalDist().inv_cdf(min(max(share, _LEAST_SHARE), 1 - _LEAST_SHARE))
