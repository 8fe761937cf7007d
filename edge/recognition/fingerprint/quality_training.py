"""Fit the native quality to labels, and say how well it follows them.

    python -m edge.recognition.fingerprint.quality_training --data DIR --labels CSV \
        --model leader.onnx [--sets SET...] [--together SET,SET] [--out FILE]

DIR holds one folder of prints a set; the CSV has the columns set, image, ppi_given and
nfiq2. Each set is predicted by a model that never saw it, nor a set that --together
names with it (sets that hold the same fingers). With --evaluate, nothing is fitted: the
shipped model is measured on the sets.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import EdgeError, InputError
from edge.recognition.fingerprint import quality_model, quality_standard
from edge.recognition.fingerprint.image import at_500_ppi, read_finger_image
from edge.recognition.fingerprint.minutiae import find_minutiae
from edge.recognition.fingerprint.quality_measures import measure
from edge.recognition.fingerprint.quality_model import FULL, PREVIEW, QualityModel
from edge.recognition.onnx_session import OnnxSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# Our own summaries, and every measure of the standard that varies: none was chosen by
# how well it follows the labels, so leaving sets out says what an unseen one will show.
PREVIEW_FEATURES = (
    "goodness",
    "clear_blocks",
    "certain_blocks",
    "clarity_median",
    "certainty_mean",
    "unevenness",
    "brightness",
    *quality_standard.NAMES,
)
FULL_FEATURES = (*PREVIEW_FEATURES, "sure_minutiae", "minutiae_sum")
# How strongly weights are held to zero. Chosen by leaving sets out; 30 to 300 differ
# by 0.01 in rank correlation.
PENALTY = 100.0
FEATURES = {PREVIEW: PREVIEW_FEATURES, FULL: FULL_FEATURES}


@dataclass(frozen=True, eq=False)
class LabelledPrints:
    """sets: the set of each print. labels: float64 (n,). measured: one dict a print."""

    sets: NDArray[np.str_]
    labels: NDArray[np.float64]
    measured: list[dict[str, float]]

    def columns(self, names: Sequence[str]) -> NDArray[np.float64]:
        return np.array([[row[name] for name in names] for row in self.measured])

    def where(self, chosen: NDArray[np.bool_]) -> LabelledPrints:
        measured = [self.measured[i] for i in np.nonzero(chosen)[0]]
        return LabelledPrints(self.sets[chosen], self.labels[chosen], measured)


def fit(prints: LabelledPrints, names: Sequence[str], penalty: float) -> QualityModel:
    """Return the ridge regression of the labels on the named measures.

    Weights come from differences between prints of one set: the sets differ in their
    sensors, and a model that knew the sensor would say little of another one's prints.
    """
    values = quality_model.roots(prints.columns(names))
    mean, deviation = values.mean(axis=0), values.std(axis=0) + 1e-9
    inputs = quality_model.basis(values, mean, deviation)
    within = _within_sets(inputs, prints.sets)
    labels = _within_sets(prints.labels[:, None], prints.sets)[:, 0]
    square = within.T @ within + penalty * np.eye(within.shape[1])
    weights = np.linalg.solve(square, within.T @ labels)
    slope, bend = np.split(weights, 2)
    intercept = prints.labels.mean() - inputs.mean(axis=0) @ weights
    return QualityModel(
        features=tuple(names),
        mean=_rounded(mean),
        deviation=_rounded(deviation),
        slope=_rounded(slope),
        bend=_rounded(bend),
        intercept=float(round(intercept, 4)),
    )


def _within_sets(
    values: NDArray[np.float64], sets: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Return values (n, m) less the mean of their set."""
    centred = values.copy()
    for name in np.unique(sets):
        centred[sets == name] -= values[sets == name].mean(axis=0)
    return centred


def left_out(
    prints: LabelledPrints, level: str, together: Sequence[str] = ()
) -> NDArray[np.float64]:
    """Return the prediction for each print by a model that saw no print of its set."""
    group = np.where(np.isin(prints.sets, list(together)), "together", prints.sets)
    predicted = np.zeros(len(prints.labels))
    for name in np.unique(group):
        held = group == name
        model = fit(prints.where(~held), FEATURES[level], PENALTY)
        seen = prints.where(held).measured
        predicted[held] = [_predicted(level, model, one) for one in seen]
    return predicted


def rank_correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return Spearman's coefficient; ties share their mean rank."""
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def read_prints(
    data: Path, labels: Path, sets: Sequence[str], session: OnnxSession
) -> LabelledPrints:
    """Measure every labelled print of the sets.

    Raises:
        InputError: a file cannot be read, or no row of the labels names the sets.
    """
    rows = [row for row in _rows(labels) if row["set"] in sets]
    if not rows:
        raise InputError(f"{labels}: no labels of {', '.join(sets)}")
    measured = []
    for row in rows:
        ppi = float(row["ppi_given"])
        path = data / row["set"] / row["image"]
        image = at_500_ppi(read_finger_image(path, ppi), ppi)
        minutiae = find_minutiae(session, image)
        features = quality_model.minutiae_features(minutiae.quality)
        measured.append({**measure(image).features, **features})
    return LabelledPrints(
        sets=np.array([row["set"] for row in rows]),
        labels=np.array([float(row["nfiq2"]) for row in rows]),
        measured=measured,
    )


def main() -> None:
    given = _arguments()
    session = OnnxSession(given.model, given.threads)
    prints = read_prints(given.data, given.labels, given.sets, session)
    shipped = quality_model.shipped() if given.evaluate else {}
    for level in (PREVIEW, FULL):
        if given.evaluate:
            model = shipped[level]
            found = [_predicted(level, model, one) for one in prints.measured]
            predicted = np.array(found)
        else:
            predicted = left_out(prints, level, given.together.split(","))
        _report(level, prints, predicted)
    if given.out is not None:
        models = {
            level: fit(prints, names, PENALTY) for level, names in FEATURES.items()
        }
        given.out.write_text(quality_model.to_json(models, given.sets), "ascii")


def _report(level: str, prints: LabelledPrints, predicted: NDArray[np.float64]) -> None:
    pooled = rank_correlation(predicted, prints.labels)
    error = float(np.abs(predicted - prints.labels).mean())
    sys.stdout.write(f"{level}: Spearman {pooled:.3f} pooled, {error:.1f} off\n")
    for name in np.unique(prints.sets):
        one = prints.sets == name
        within = rank_correlation(predicted[one], prints.labels[one])
        sys.stdout.write(f"  {name}: {within:.3f}\n")


def _predicted(level: str, model: QualityModel, one: dict[str, float]) -> float:
    predicted = model.predict(one)
    return quality_model.limited(predicted, one) if level == FULL else predicted


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{value:.6g}") for value in values)


def _rows(labels: Path) -> list[dict[str, str]]:
    try:
        with labels.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"{labels}: cannot be read: {error.strerror}") from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fit the native quality to labels.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--together", default="", metavar="SET,SET")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except EdgeError as problem:
        sys.exit(f"quality_training: {problem}")
