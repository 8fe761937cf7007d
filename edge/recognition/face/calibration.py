"""What a face comparison score stands for: its false match rate.

A table for each kind of template lies in calibration_tables/; it was counted on
comparisons of different persons by `edge face calibrate`. Between its points the
logarithm of the rate is interpolated. Above its last point it goes on along the
straight line through the last decade: an extrapolation that no data supports, chosen
because the curve bends down, so that the line overstates the rate. Label errors in the
set push the same way.
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

TABLES = "calibration_tables"
DEFAULT_MODEL_ID = "dlib-face-resnet-v1-unit"
LOWEST_FALSE_MATCH_RATE = 1e-12
# The rates at which a table is read off; the last needs a million comparisons.
RATES = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3)
TAIL_RATES = (5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was counted on labelled faces.

    comparisons: of different persons. scores: rising, float64 (n,). log_rates: log10 of
    the false match rate at each, falling. misses: share of mated comparisons that score
    less, at each; float64 (n,).
    """

    model_id: str
    comparisons: int
    scores: NDArray[np.float64]
    log_rates: NDArray[np.float64]
    mated: int
    misses: NDArray[np.float64]

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
        """Return the lowest score that stands for at most this false match rate.

        At 1 anybody is as good as a match: it is 0.
        """
        if false_match_rate >= 1:
            return 0.0
        log_rate = float(np.log10(max(false_match_rate, LOWEST_FALSE_MATCH_RATE)))
        if log_rate < self.log_rates[-1]:
            beyond = log_rate - self.log_rates[-1]
            return float(self.scores[-1] + beyond / self._tail_slope())
        return float(np.interp(log_rate, self.log_rates[::-1], self.scores[::-1]))

    def false_non_match_rate(self, score: float) -> float:
        """Return the share of mated comparisons below the score.

        Beyond the last counted score it is that of the last: the least it can be.
        """
        return float(np.interp(score, self.scores, self.misses))

    def _tail_slope(self) -> float:
        """Return decades per unit of score over the last counted decade; negative."""
        start = float(
            np.interp(self.log_rates[-1] + 1.0, self.log_rates[::-1], self.scores[::-1])
        )
        return -1.0 / (float(self.scores[-1]) - start)


def calibrate(
    model_id: str, mated: NDArray[np.floating], non_mated: NDArray[np.floating]
) -> Calibration:
    """Count the table from the scores of comparisons of the same and other persons.

    Raises:
        ModelError: no mated comparison; fewer than 10 non-mated ones at the lowest
            rate, or ties there.
    """
    if not len(mated):
        raise ModelError("calibration: no person has two images")
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
    return Calibration(
        model_id,
        len(ordered),
        scores,
        np.log10(rates),
        len(mated),
        np.array([(mated < score).mean() for score in scores]),
    )


def to_json(calibration: Calibration) -> str:
    return json.dumps(
        {
            "model_id": calibration.model_id,
            "comparisons": calibration.comparisons,
            "scores": [round(float(score), 6) for score in calibration.scores],
            "false_match_rates": [
                float(f"{10**rate:.6g}") for rate in calibration.log_rates
            ],
            "mated_comparisons": calibration.mated,
            "false_non_match_rates": [
                round(float(share), 6) for share in calibration.misses
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
        misses = np.array(table["false_non_match_rates"], np.float64)
        model_id, comparisons = str(table["model_id"]), int(table["comparisons"])
        mated = int(table["mated_comparisons"])
    except (ValueError, TypeError, KeyError) as error:
        raise ModelError(f"face calibration: cannot be read: {error!r}") from error
    rising = scores.ndim == 1 and len(scores) > 1 and (np.diff(scores) > 0).all()
    if not rising or rates.shape != scores.shape:
        raise ModelError("face calibration: scores do not rise; make it again")
    if not ((rates > 0).all() and (np.diff(rates) < 0).all()):
        raise ModelError("face calibration: rates do not fall; make it again")
    is_share = misses.shape == scores.shape and ((misses >= 0) & (misses <= 1)).all()
    if not is_share or (np.diff(misses) < 0).any():
        raise ModelError("face calibration: misses do not rise; make it again")
    return Calibration(model_id, comparisons, scores, np.log10(rates), mated, misses)


def calibration_of(model_id: str = DEFAULT_MODEL_ID) -> Calibration:
    """Return the table that belongs to templates of a kind.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    file = files("edge.recognition.face").joinpath(TABLES, f"{model_id}.json")
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        message = f"face templates of {model_id}: no calibration belongs to them"
        raise ModelError(message) from error
    return from_json(text)


def shipped_calibration() -> Calibration:
    """Return the table that belongs to the default embedding model."""
    return calibration_of()
