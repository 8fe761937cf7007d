"""The measures of ISO/IEC 29794-4 as NFIQ 2 takes them: histograms over the blocks.

After E. Tabassi and others, "NIST Fingerprint Image Quality 2" (NIST IR 8382, 2021) and
its reference implementation, written anew. The limits of the histograms are theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.fingerprint import quality_standard_kernels as kernels

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Margins whose lines are paler than this on average are cut off, but for one line.
_WHITE_MARGIN = 250.0
# Where the second to the tenth bin begin.
LIMITS = {
    "spectrum": (0.268, 0.304, 0.33, 0.355, 0.38, 0.407, 0.44, 0.50, 1.0),
    "local_clarity": (0.0, 0.70, 0.74, 0.77, 0.79, 0.81, 0.83, 0.85, 0.87),
    "certainty": (0.337, 0.479, 0.579, 0.655, 0.716, 0.766, 0.81, 0.852, 0.898),
    "turn": (0.01715, 0.035, 0.0557, 0.081, 0.115, 0.1718, 0.2569, 0.4758, 0.748),
    "uniformity": (0.5, 0.667, 0.8, 1.0, 1.25, 1.5, 2.0, 24.0, 30.0),
}

# No clarity is below zero, and no ratio of widths within 32 pixels reaches 24.
_NEVER = frozenset({"local_clarity_0", "uniformity_8", "uniformity_9"})
_SUMMARIES = (*range(10), "mean", "spread")
# The measures that vary at all.
NAMES = (
    "grey",
    *(
        f"{name}_{part}"
        for name in LIMITS
        for part in _SUMMARIES
        if f"{name}_{part}" not in _NEVER
    ),
)


def standard_measures(image: NDArray[np.uint8]) -> dict[str, float]:
    """Return counts of blocks by bin, NAME_0 to NAME_9, their mean, spread, the grey.

    image: uint8 (height, width) at 500 ppi, dark ridges. Without a block of foreground
    all are 0 but the grey.
    """
    inside = _without_margins(image)
    spectrum, clarity, ratios = kernels.block_scores(inside)
    found = {
        "spectrum": spectrum,
        "local_clarity": clarity,
        "certainty": kernels.certainties(inside),
        "turn": kernels.turns(inside),
        "uniformity": ratios,
    }
    measures = {"grey": float(inside.mean())}
    for name, values in found.items():
        measures |= _histogram(name, values)
    return measures


def _histogram(name: str, values: NDArray[np.float64]) -> dict[str, float]:
    place = np.searchsorted(LIMITS[name], values, side="right")
    counts = np.bincount(place, minlength=10)
    bins = {f"{name}_{i}": float(count) for i, count in enumerate(counts)}
    if not len(values):
        return {**bins, f"{name}_mean": 0.0, f"{name}_spread": 0.0}
    mean, spread = float(values.mean()), float(values.std())
    return {**bins, f"{name}_mean": mean, f"{name}_spread": spread}


def _without_margins(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rows = np.nonzero(image.mean(axis=1) <= _WHITE_MARGIN)[0]
    columns = np.nonzero(image.mean(axis=0) <= _WHITE_MARGIN)[0]
    if len(rows) and len(columns):
        top, left = max(rows[0] - 1, 0), max(columns[0] - 1, 0)
        image = image[top : rows[-1] + 2, left : columns[-1] + 2]
    return np.ascontiguousarray(image)
