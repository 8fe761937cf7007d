"""What templates are like: how many minutiae, how spaced, pointed and rated."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.errors import InputError
from edge.recognition.fingerprint.minutiae import RIDGE_ENDING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.terms import FingerprintTemplate

PERCENTS = (5, 10, 25, 50, 75, 90, 95)
# Distances between minutiae, in px at 500 ppi: fine where ridges keep them apart.
DISTANCES_PX = (0, 5, 7, 9, 11, 13, 15, 18, 21, 25, 30, 40, 50, 60, 80, 100, 130, 160)
_FEWEST_MINUTIAE = 8
_PLACES_A_MINUTIA = 6
_MM2_A_PX = (25.4 / 500) ** 2


@dataclass(frozen=True)
class TemplateStatistics:
    """counts, quality: value at each of PERCENTS.

    density_per_mm2: minutiae in the hull of all minutiae. spacing, same_direction,
    turn_rad: one value for each step of DISTANCES_PX: minutiae pairs as a multiple of
    what evenly strewn minutiae would give (the pair correlation); share of the pairs
    that point the same way rather than opposite; mean turn between their ridges, 0 to
    half pi. None where there is no pair.
    """

    templates: int
    mean_count: float
    counts: list[float]
    density_per_mm2: list[float]
    ending_share: float
    quality: list[float]
    spacing: list[float | None]
    same_direction: list[float | None]
    turn_rad: list[float | None]

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def describe(templates: Sequence[FingerprintTemplate]) -> TemplateStatistics:
    """Measure templates; those with hardly any minutiae count only as such.

    Raises:
        InputError: there is no other.
    """
    counts = [len(template) for template in templates]
    usable = [t for t in templates if len(t) >= _FEWEST_MINUTIAE]
    if not usable:
        raise InputError("templates to describe: none has as many as 8 minutiae")
    pairs = np.sum([_pairs(t, seed) for seed, t in enumerate(usable)], axis=0)
    found, expected, same, turn = pairs
    density = [
        len(t) / (max(cv2.contourArea(_hull(t)), 1.0) * _MM2_A_PX) for t in usable
    ]
    return TemplateStatistics(
        templates=len(templates),
        mean_count=round(float(np.mean(counts)), 2),
        counts=_percentiles(counts),
        density_per_mm2=_percentiles(density),
        ending_share=round(
            float(np.mean(np.concatenate([t.kind for t in usable]) == RIDGE_ENDING)), 3
        ),
        quality=_percentiles(np.concatenate([t.quality for t in usable])),
        spacing=_ratios(found, expected),
        same_direction=_ratios(same, found),
        turn_rad=_ratios(turn, found),
    )


def _percentiles(values: Sequence[float] | NDArray[np.uint8]) -> list[float]:
    return [round(float(value), 4) for value in np.percentile(values, PERCENTS)]


def _ratios(
    above: NDArray[np.float64], below: NDArray[np.float64]
) -> list[float | None]:
    return [
        round(float(a / b), 4) if b > 0 else None
        for a, b in zip(above, below, strict=True)
    ]


def _pairs(template: FingerprintTemplate, seed: int) -> NDArray[np.float64]:
    """Return, by distance: pairs, pairs expected, pairs that agree, sum of turns."""
    places = template.x + 1j * template.y
    one, other = np.array(list(itertools.combinations(range(len(template)), 2))).T
    apart = np.abs(places[one] - places[other])
    off = template.angle_rad[one] - template.angle_rad[other]
    turn = np.abs(np.angle(np.exp(2j * off))) / 2
    strewn = _strewn(template, seed)
    first, second = np.triu_indices(len(strewn), 1)
    expected = _by_distance(np.abs(strewn[first] - strewn[second]))
    return np.stack(
        [
            _by_distance(apart),
            expected * len(one) / len(first),
            _by_distance(apart, (np.cos(off) > 0).astype(np.float64)),
            _by_distance(apart, turn),
        ]
    )


def _by_distance(
    apart: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    return np.asarray(np.histogram(apart, DISTANCES_PX, weights=weights)[0], np.float64)


def _strewn(template: FingerprintTemplate, seed: int) -> NDArray[np.complex128]:
    """Return places strewn evenly over the hull of the minutiae."""
    height, width = int(template.y.max()) + 1, int(template.x.max()) + 1
    area = cv2.fillConvexPoly(np.zeros((height, width), np.uint8), _hull(template), 1)
    rows, columns = np.nonzero(area)
    count = _PLACES_A_MINUTIA * len(template)
    chosen = np.random.default_rng(seed).integers(0, len(rows), count)
    return np.asarray(columns[chosen] + 1j * rows[chosen], np.complex128)


def _hull(template: FingerprintTemplate) -> NDArray[np.int32]:
    places = np.stack([template.x, template.y], axis=1).astype(np.int32)
    return np.asarray(cv2.convexHull(places), np.int32)
