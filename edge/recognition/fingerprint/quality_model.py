"""From measures to one number: the native quality, 0 to 100.

A ridge regression on few measures, each also by its part below the mean, so that a
poor value may cost more than a good one earns. The targets were NFIQ 2 scores of the
development prints, so the scale resembles NFIQ 2's; it is another metric all the same
and must never be sent or stored as NFIQ 2.

quality_model.json holds two levels: preview needs only the pixels, full also the
minutiae. It is written by edge.recognition.fingerprint.quality_training from
FVC2000 DB1-4_B, FVC2002 DB3_B and DB4_B (480 prints, 50 fingers).

Spearman's rank correlation with NFIQ 2, preview and full: 0.87 and 0.88 over the
development sets, each left out in turn (the few measures were chosen by the same
figure, which flatters it); 0.72 and 0.72 over FVC2002 DB1_B and DB2_B, which had no
part in it: 0.64 and 0.70 within DB1_B, 0.86 and 0.84 within DB2_B. Among good prints of
one optical sensor it says little about the order that NFIQ 2 gives them.
"""

from __future__ import annotations

import functools
import json
from dataclasses import asdict, dataclass
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge.recognition.fingerprint.minutiae import Minutiae

FILE_NAME = "quality_model.json"
PREVIEW, FULL = "preview", "full"
# Weaker minutiae than these count for nothing here, so that the score does not depend
# on how many of them the extraction keeps.
_SURE_MINUTIA, _WEAKEST_MINUTIA = 90, 45
_FARTHEST_DEVIATIONS = 3.0


@dataclass(frozen=True)
class QualityModel:
    """One level. All lists are as long as features.

    mean, deviation: of each feature over the training prints. slope: points a
    deviation; bend: points a deviation more where the feature is below its mean.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    slope: tuple[float, ...]
    bend: tuple[float, ...]
    intercept: float

    def predict(self, measured: Mapping[str, float]) -> float:
        """Return the quality before it is rounded and held to 0 to 100."""
        values = np.array([[measured[name] for name in self.features]])
        inputs = basis(values, np.array(self.mean), np.array(self.deviation))[0]
        weights = np.array([*self.slope, *self.bend])
        return float(self.intercept + inputs @ weights)


def basis(
    values: NDArray[np.float64],
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return (n, 2 features): standardised values, then their parts below the mean."""
    scaled = (values - mean) / deviation
    scaled = np.clip(scaled, -_FARTHEST_DEVIATIONS, _FARTHEST_DEVIATIONS)
    return np.hstack([scaled, np.minimum(scaled, 0.0)])


def native_quality(
    measured: Mapping[str, float], minutiae: Minutiae | None = None
) -> int:
    """Return the native quality, 0 to 100; the full level if minutiae are given.

    measured: the features of quality_measures.
    """
    if minutiae is None:
        predicted = shipped()[PREVIEW].predict(measured)
    else:
        known = {**measured, **minutiae_features(minutiae.quality)}
        predicted = limited(shipped()[FULL].predict(known), known)
    return int(np.clip(round(predicted), 0, 100))


def limited(predicted: float, measured: Mapping[str, float]) -> float:
    """Return the full level's prediction, held down where minutiae are few.

    However clear its ridges are, a print with few minutiae compares badly. Held to
    6 s - 40, s the sum of minutia strengths (0 to 1), the mean FNMR over discards of
    0 to 20 % of the development sets' pairs falls from 1.56 to 1.09 % at FMR 1e-3, and
    the rank correlation with NFIQ 2 stays at 0.878.
    """
    return min(predicted, 6.0 * measured["minutiae_sum"] - 40.0)


def minutiae_features(strengths: NDArray[np.uint8]) -> dict[str, float]:
    """Return the inputs that the minutiae add. strengths: uint8 (n,), 1 to 100."""
    return {
        "sure_minutiae": float((strengths > _SURE_MINUTIA).sum()),
        "minutiae_sum": float(strengths[strengths >= _WEAKEST_MINUTIA].sum()) / 100,
    }


def to_json(models: Mapping[str, QualityModel], made_from: Sequence[str]) -> str:
    document = {name: asdict(model) for name, model in models.items()}
    return json.dumps({"made_from": list(made_from), **document}, indent=1) + "\n"


def from_json(text: str) -> dict[str, QualityModel]:
    document = json.loads(text)
    return {name: _model(document[name]) for name in (PREVIEW, FULL)}


def _model(fields: dict[str, list[float]]) -> QualityModel:
    columns = {
        name: tuple(value) for name, value in fields.items() if name != "intercept"
    }
    return QualityModel(**columns, intercept=fields["intercept"])  # type: ignore[arg-type]  # JSON


@functools.cache
def shipped() -> dict[str, QualityModel]:
    file = resources.files("edge.recognition.fingerprint") / FILE_NAME
    return from_json(file.read_text(encoding="ascii"))
