"""What a comparison score means: the share of non-mated pairs that reach it.

A table holds rates at rising scores. Between entries, and beyond the last one, the rate
is log-linear in the score. How a table comes about, and what of it is measured on real
prints, measured on invented ones or extrapolated, is said in edge.bench.calibration_fit
and in the file itself.

There is a table for each source of templates: minutiae of our own extractor on both
sides, or of another maker's on at least one.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.errors import InputError, ModelError
from edge.recognition import parameters
from edge.recognition.fingerprint import (
    alignment,
    codes,
    comparison,
    cylinders,
    evidence,
    growth,
    packed,
)
from edge.recognition.fingerprint.engine import MODEL_ID

if TYPE_CHECKING:
    from types import ModuleType

TABLE = "calibration.json"
# No lower rate is claimed: invented pairs are counted down to a few in ten million, and
# tails that were fitted on some of them were seen to hold for all others two to three
# decades beyond their own counts, no further.
LOWEST_RATE = 1e-9
# Raise it when the comparison changes in what no constant of its modules shows.
COMPARISON_VERSION = 1
# A list of numbers stands on one line of the file.
_LIST = re.compile(r"\[[^\[\]{}]*\]")
_MODULES: tuple[ModuleType, ...] = (
    alignment,
    codes,
    comparison,
    cylinders,
    evidence,
    growth,
    packed,
)


class TemplateSource(StrEnum):
    OURS = "ours"
    FOREIGN = "foreign"


def source_of(*model_ids: str) -> TemplateSource:
    """Return whose table holds for a comparison of templates with these model ids."""
    is_ours = all(model_id == MODEL_ID for model_id in model_ids)
    return TemplateSource.OURS if is_ours else TemplateSource.FOREIGN


@dataclass(frozen=True)
class Calibration:
    """scores rise, rates fall; the first entry is rate 1 at score 0.

    low, high: 95 % confidence band of each rate. tail_decades: decades that the rate
    falls per unit of score beyond the last entry. real_to: up to this score real pairs
    were counted; generated_to: up to this one the shape was counted on invented pairs.
    pairs: all that were compared, real_pairs: of which real on both sides.
    """

    scores: tuple[float, ...]
    rates: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    tail_decades: float
    real_to: float
    generated_to: float
    pairs: int
    real_pairs: int
    source: str

    def false_match_rate(self, score: float) -> float:
        """Return the rate that the score stands for, LOWEST_RATE to 1."""
        if score >= self.scores[-1]:
            beyond = (score - self.scores[-1]) * self.tail_decades
            return float(max(self.rates[-1] * 10.0**-beyond, LOWEST_RATE))
        logs = np.log10(self.rates)
        rate = float(10.0 ** np.interp(score, self.scores, logs))
        return max(rate, LOWEST_RATE)

    def threshold(self, false_match_rate: float) -> float:
        """Return the score that non-mated pairs reach with this rate, above 0, to 1."""
        wanted = min(max(false_match_rate, 1e-300), 1.0)
        if wanted <= self.rates[-1]:
            decades = math.log10(self.rates[-1] / wanted)
            return self.scores[-1] + decades / self.tail_decades
        logs = -np.log10(self.rates)
        return float(np.interp(-math.log10(wanted), logs, self.scores))

    def threshold_for_fpir(self, target_fpir: float, gallery_size: int) -> float:
        """Return the threshold at which target_fpir of all searches find a stranger.

        FPIR = 1 - (1 - FMR)^N: each of the gallery_size references is compared, each
        as likely to match as any other. Comparing only a shortlist can but lower it.

        Raises:
            InputError: target_fpir is not between 0 and 1, or the gallery is empty.
        """
        if not 0 < target_fpir < 1 or gallery_size < 1:
            raise InputError(
                f"threshold for FPIR {target_fpir} in a gallery of {gallery_size}: "
                "give a rate between 0 and 1 and at least one reference"
            )
        rate = -math.expm1(math.log1p(-target_fpir) / gallery_size)
        return self.threshold(rate)

    def band(self, score: float) -> tuple[float, float]:
        """Return the 95 % confidence band of the rate at the score."""
        beyond = max(score - self.scores[-1], 0.0) * self.tail_decades
        low, high = (
            float(10.0 ** (np.interp(score, self.scores, np.log10(bound)) - beyond))
            for bound in (self.low, self.high)
        )
        return low, high


@dataclass(frozen=True)
class CalibrationFile:
    """All tables. method and checks: how they were made, and how well they hold."""

    model_id: str
    engine: str
    method: str
    tables: dict[TemplateSource, Calibration]
    checks: dict[str, Any]

    def to_json(self) -> str:
        text = json.dumps(asdict(self), indent=1)
        return _LIST.sub(lambda found: " ".join(found[0].split()), text) + "\n"


def engine_digest() -> str:
    """Return what identifies the comparison: its weights, its constants, its version.

    The trained codes do not count: they decide what is compared, not what it scores.

    Raises:
        ModelError: the weights in the package are missing or damaged.
    """
    digest = hashlib.sha256(f"{MODEL_ID} {COMPARISON_VERSION}\n".encode("ascii"))
    digest.update(evidence.committed().row().tobytes())
    for module in _MODULES:
        digest.update(f"{module.__name__}\n".encode("ascii"))
        for name, value in sorted(vars(module).items()):
            if name.isupper() and isinstance(value, int | float | np.number):
                digest.update(f"{name} {float(value)!r}\n".encode("ascii"))
    found = (parameters.MINUTIA_THRESHOLD, parameters.MOST_MINUTIAE)
    digest.update(f"{found}\n".encode("ascii"))
    return digest.hexdigest()[:16]


def read(text: str) -> CalibrationFile:
    """Return the calibration that a file holds.

    Raises:
        ModelError: it is damaged, or was made for another extractor or comparison.
    """
    try:
        data = json.loads(text)
        made_for = (str(data["model_id"]), str(data["engine"]))
        found = CalibrationFile(
            *made_for,
            method=str(data["method"]),
            tables={one: _table(data["tables"][one.value]) for one in TemplateSource},
            checks=dict(data["checks"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"fingerprint calibration {TABLE}: damaged; reinstall edge"
        ) from error
    wanted = (MODEL_ID, engine_digest())
    if made_for != wanted:
        raise ModelError(
            f"fingerprint calibration {TABLE}: made for model and comparison "
            f"{made_for}, not for {wanted}; run edge calibration make"
        )
    return found


def committed_file() -> CalibrationFile:
    """Return everything that the package says about scores.

    Raises:
        ModelError: it is missing, damaged or made for another engine.
    """
    try:
        text = resources.files(__package__).joinpath(TABLE).read_text("ascii")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"fingerprint calibration {TABLE}: missing or damaged; reinstall edge"
        ) from error
    return read(text)


def committed(source: TemplateSource = TemplateSource.OURS) -> Calibration:
    """Return the calibration that was made for this extractor and comparison.

    Raises:
        ModelError: it is missing, damaged or made for another engine.
    """
    return committed_file().tables[source]


def _table(data: dict[str, Any]) -> Calibration:
    def column(name: str) -> tuple[float, ...]:
        return tuple(map(float, data[name]))

    found = Calibration(
        scores=column("scores"),
        rates=column("rates"),
        low=column("low"),
        high=column("high"),
        tail_decades=float(data["tail_decades"]),
        real_to=float(data["real_to"]),
        generated_to=float(data["generated_to"]),
        pairs=int(data["pairs"]),
        real_pairs=int(data["real_pairs"]),
        source=str(data["source"]),
    )
    _require_falling(found)
    return found


def _require_falling(table: Calibration) -> None:
    columns = np.array([table.scores, table.rates, table.low, table.high])
    is_usable = (
        columns.shape[1] >= 2
        and np.isfinite(columns).all()
        and (np.diff(columns[0]) > 0).all()
        and (np.diff(columns[1]) <= 0).all()
        and (columns[1:] > 0).all()
        and 0 < table.tail_decades < math.inf
    )
    if not is_usable:
        raise ValueError(table.source)
