"""What a comparison score means: the share of non-mated pairs that reach it.

The table holds scores of non-mated pairs at falling false match rates. Between entries,
and beyond the last one, the rate is log-linear in the score; beyond, with the slope of
the stated tail, which is an extrapolation and grows less certain with every decade.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

TABLE = "calibration.json"
# No lower rate is claimed: the extrapolation would not bear it.
LOWEST_RATE = 1e-9
MEASURED_RATES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
# The tail is fitted between these rates: far out, yet on enough pairs to be stable.
TAIL_FROM_RATE, TAIL_TO_RATE = 1e-2, 5e-4


@dataclass(frozen=True)
class Calibration:
    """scores rise, rates fall; the first entry is rate 1 at score 0.

    tail_decades: decades that the rate falls per unit of score beyond the last entry.
    """

    scores: tuple[float, ...]
    rates: tuple[float, ...]
    tail_decades: float
    pairs: int
    source: str

    def false_match_rate(self, score: float) -> float:
        if score >= self.scores[-1]:
            beyond = (score - self.scores[-1]) * self.tail_decades
            return float(max(self.rates[-1] * 10.0**-beyond, LOWEST_RATE))
        logs = np.log10(self.rates)
        return float(10.0 ** np.interp(score, self.scores, logs))

    def threshold(self, false_match_rate: float) -> float:
        """Return the score that non-mated pairs reach with this rate, above 0, to 1."""
        wanted = min(max(false_match_rate, 1e-300), 1.0)
        if wanted <= self.rates[-1]:
            decades = math.log10(self.rates[-1] / wanted)
            return self.scores[-1] + decades / self.tail_decades
        logs = -np.log10(self.rates)
        return float(np.interp(-math.log10(wanted), logs, self.scores))

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"


def fitted(scores: NDArray[np.float64], source: str) -> Calibration:
    """Return the calibration that non-mated scores (n,) give; source names them."""
    falling = np.sort(scores)[::-1]
    count = len(falling)
    usable = [rate for rate in MEASURED_RATES if rate * count >= 1]
    places = [falling[max(math.ceil(rate * count) - 1, 0)] for rate in usable]
    ranks = np.arange(1, count + 1) / count
    in_tail = (ranks <= TAIL_FROM_RATE) & (ranks >= TAIL_TO_RATE)
    slope = np.polyfit(falling[in_tail], np.log10(ranks[in_tail]), 1)[0]
    return Calibration(
        scores=(0.0, *(round(float(place), 6) for place in places)),
        rates=(1.0, *usable),
        tail_decades=round(float(-slope), 2),
        pairs=count,
        source=source,
    )


def committed() -> Calibration:
    """Return the calibration that was made for this extractor and comparison.

    Raises:
        ModelError: the table in the package is missing or damaged.
    """
    try:
        text = resources.files(__package__).joinpath(TABLE).read_text("ascii")
        table = json.loads(text)
        return Calibration(
            scores=tuple(map(float, table["scores"])),
            rates=tuple(map(float, table["rates"])),
            tail_decades=float(table["tail_decades"]),
            pairs=int(table["pairs"]),
            source=str(table["source"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"fingerprint calibration {TABLE}: missing or damaged; reinstall edge"
        ) from error
