"""What a face comparison score stands for: its false match rate.

The table beside this module, calibration.json, was counted on comparisons of different
persons; `edge face calibrate` makes it. Between its points the logarithm of the rate is
interpolated. Above its last point it goes on along the straight line through the last
decade: an extrapolation that no data supports, chosen because the curve bends down, so
that the line overstates the rate. Label errors in the set push the same way.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE_FILE = "calibration.json"
LOWEST_FALSE_MATCH_RATE = 1e-12
# The rates at which a table is read off; the last needs a million comparisons.
RATES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3)
TAIL_RATES = (5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5)


@dataclass(frozen=True, eq=False)
class Calibration:
    """scores: rising, float64 (n,). log_rates: log10 of the rate at each, falling."""

    model_id: str
    comparisons: int
    scores: NDArray[np.float64]
    log_rates: NDArray[np.float64]

    @property
    def lowest_counted_rate(self) -> float:
        """Below this false match rate everything is extrapolated."""
        return float(10 ** self.log_rates[-1])

    def false_match_rate(self, score: float) -> float:
        """Return the share of non-mated comparisons that score at least this much."""
        if score <= self.scores[-1]:
            log_rate = float(np.interp(score, self.scores, self.log_rates))
        else:
            log_rate = self.log_rates[-1] + self._tail_slope() * (
                score - self.scores[-1]
            )
        return max(float(10**log_rate), LOWEST_FALSE_MATCH_RATE)

    def score_at(self, false_match_rate: float) -> float:
        """Return the lowest score that stands for at most this false match rate."""
        log_rate = float(np.log10(max(false_match_rate, LOWEST_FALSE_MATCH_RATE)))
        if log_rate < self.log_rates[-1]:
            beyond = log_rate - self.log_rates[-1]
            return float(self.scores[-1] + beyond / self._tail_slope())
        return float(np.interp(log_rate, self.log_rates[::-1], self.scores[::-1]))

    def _tail_slope(self) -> float:
        """Return decades per unit of score over the last counted decade; negative."""
        start = float(
            np.interp(self.log_rates[-1] + 1.0, self.log_rates[::-1], self.scores[::-1])
        )
        return -1.0 / (float(self.scores[-1]) - start)


def calibrate(model_id: str, non_mated: NDArray[np.floating]) -> Calibration:
    """Count the table from the scores of comparisons of different persons.

    Raises:
        ModelError: fewer than 10 comparisons at the lowest rate, or ties there.
    """
    lowest = min(TAIL_RATES)
    if len(non_mated) * lowest < 10:
        raise ModelError(
            f"calibration: {len(non_mated)} comparisons are too few; "
            f"give at least {round(10 / lowest)}"
        )
    ordered = np.sort(non_mated.astype(np.float64))[::-1]
    rates = np.array(RATES + TAIL_RATES)
    ranks = np.maximum(np.ceil(rates * len(ordered)).astype(int), 1)
    scores = ordered[ranks - 1]
    if not (np.diff(scores) > 0).all():
        raise ModelError("calibration: scores of different rates are equal")
    return Calibration(model_id, len(ordered), scores, np.log10(rates))


def to_json(calibration: Calibration) -> str:
    return json.dumps(
        {
            "model_id": calibration.model_id,
            "comparisons": calibration.comparisons,
            "scores": [round(float(score), 6) for score in calibration.scores],
            "false_match_rates": [
                float(f"{10**rate:.6g}") for rate in calibration.log_rates
            ],
        },
        indent=1,
    )


def from_json(text: str) -> Calibration:
    """Return the calibration of a table file; raises ModelError."""
    try:
        table = json.loads(text)
        scores = np.array(table["scores"], np.float64)
        rates = np.array(table["false_match_rates"], np.float64)
        model_id, comparisons = str(table["model_id"]), int(table["comparisons"])
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"face calibration: cannot be read: {error!r}") from error
    rising = scores.ndim == 1 and len(scores) > 1 and (np.diff(scores) > 0).all()
    if not rising or rates.shape != scores.shape:
        raise ModelError("face calibration: scores do not rise; make it again")
    if not ((rates > 0).all() and (np.diff(rates) < 0).all()):
        raise ModelError("face calibration: rates do not fall; make it again")
    return Calibration(model_id, comparisons, scores, np.log10(rates))


def shipped_calibration() -> Calibration:
    """Return the table that belongs to the default embedding model."""
    text = files("edge.recognition.face").joinpath(TABLE_FILE).read_text("utf-8")
    return from_json(text)
