"""What speaks for and against two prints being of one finger, and what it weighs.

The measures of a comparison are weighed by logistic regression, made on mated and
non-mated pairs of development sets (see evidence_training). The sum is the logarithm of
the odds up to a constant; the score is that sum on a scale of 0 to 1.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError
from edge.recognition.fingerprint.compiled import kernel
from edge.recognition.fingerprint.growth import Pairing, missed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.fingerprint.alignment import Pairs
    from edge.recognition.fingerprint.cylinders import Print

TABLE = "evidence.json"
MEASURES = (
    "root of support",
    "logarithm of support",
    "similarity of paired neighbourhoods",
    "weight of missed minutiae",
    "root of the lesser weight of minutiae",
    "share of equal kinds",
    "share of the overlap that is paired",
    "mean similarity of paired neighbourhoods",
    "logarithm of nearness",
    "mean distance from the expected place",
)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@dataclass(frozen=True)
class Evidence:
    """weights: one for each of MEASURES; constant: added to their sum.

    least_support: a comparison with less is decided without evidence. lowest, highest:
    sums that become the lowest and the highest score with evidence.
    """

    weights: tuple[float, ...]
    constant: float
    least_support: float
    lowest: float
    highest: float
    source: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2) + "\n"

    def row(self) -> NDArray[np.float32]:
        """Return what the kernel needs, float32 (4 + measures,)."""
        head = (self.least_support, self.lowest, self.highest, self.constant)
        return np.array([*head, *self.weights], np.float32)


def committed() -> Evidence:
    """Return the weights that belong to this extractor and comparison.

    Raises:
        ModelError: the table in the package is missing or damaged.
    """
    try:
        text = resources.files(__package__).joinpath(TABLE).read_text("ascii")
        table = json.loads(text)
        return Evidence(
            weights=_exactly(len(MEASURES), table["weights"]),
            constant=float(table["constant"]),
            least_support=float(table["least_support"]),
            lowest=float(table["lowest"]),
            highest=float(table["highest"]),
            source=str(table["source"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"fingerprint evidence {TABLE}: missing or damaged; reinstall edge"
        ) from error


def _exactly(count: int, values: list[float]) -> tuple[float, ...]:
    if len(values) != count:
        raise ValueError(count)
    return tuple(map(float, values))


@kernel
def weigh(
    a: Print,
    n: int,
    b: Print,
    m: int,
    supported: float,
    pairs: Pairs,
    pairing: Pairing,
) -> None:
    """Fill the measures of a finished pairing."""
    paired, near, alike, off, same = _ZERO, _ZERO, _ZERO, _ZERO, _ZERO
    weight_a, weight_b = _ZERO, _ZERO
    for j in range(m):
        weight_b += b.weight[j]
    for i in range(n):
        weight_a += a.weight[i]
        j = pairing.of_a[i]
        if j < 0:
            continue
        weight = math.sqrt(a.weight[i] * b.weight[j])
        paired += weight
        near += weight * (_ONE - pairing.off[i])
        off += weight * pairing.off[i]
        alike += weight * (_ONE - math.sqrt(_ONE - pairs.agreement[i, j]))
        if a.kind[i] == b.kind[j]:
            same += weight
    measures = pairing.measures
    lost = missed(a, n, b, m, pairing)
    measures[0] = math.sqrt(max(supported, 0.0))
    measures[1] = math.log(supported + np.float32(1e-3))
    measures[2] = alike
    measures[3] = lost
    measures[4] = math.sqrt(min(weight_a, weight_b))
    measures[5] = same / (paired + _HALF)
    measures[6] = paired / (paired + _HALF * lost + _ONE)
    measures[7] = alike / (paired + _ONE)
    measures[8] = math.log(_ONE + near)
    measures[9] = off / (paired + _HALF)
