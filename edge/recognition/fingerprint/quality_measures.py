"""What the pixels of a print say about its quality, without a network.

One pass over blocks of 32 x 32 pixels, 16 apart, gives the measures of ISO/IEC 29794-4
(orientation certainty, local clarity, ridge valley uniformity, frequency domain
analysis); everything else is a summary of that map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition import parameters
from edge.recognition.fingerprint import quality_kernels as kernels
from edge.recognition.fingerprint.quality_standard import standard_measures

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP_PX = 16
STEP_MM2 = (STEP_PX * 25.4 / 500) ** 2
_SMALLEST_SIDE_PX = kernels.BLOCK_PX + 2 * kernels.BORDER_PX
# Margins whose lines are paler than this on average are no part of the print.
_WHITE_MARGIN = 250.0
# Ridges of 0.46 mm, the mean of adults, at 500 ppi.
ADULT_PERIOD_PX = 9.0


@dataclass(frozen=True)
class PrintMeasures:
    """Summary of a print at 500 ppi.

    touched_mm2: area that is not even background. ridge_mm2: area with clear ridges.
    clarity: share of the touched area with clear ridges, weighted by how clear, 0 to 1.
    contrast: median grey difference between valleys and ridges. brightness: mean grey
    of the touched area. ridge_share: share of the width of a ridge and a valley that is
    ridge. roughness: noise along ridges and valleys, 0 to 1. right, down: centre of the
    print from the centre of the image, in units of half its side. period_px: median
    ridge period, 0 if it is not to be seen. residue_mm2: faint ridges outside the
    touched area. flow: how far neighbouring blocks show clear directions that agree, up
    to 1. features: what the score is made of, see quality_model.
    """

    touched_mm2: float
    ridge_mm2: float
    clarity: float
    contrast: float
    brightness: float
    ridge_share: float
    roughness: float
    right: float
    down: float
    period_px: float
    residue_mm2: float
    flow: float
    features: dict[str, float]

    @property
    def offset(self) -> float:
        """Distance of the print's centre from the image's, the larger of both axes."""
        return max(abs(self.right), abs(self.down))


def measure(image: NDArray[np.uint8]) -> PrintMeasures:
    """Return the measures of a grey print, uint8 (height, width), at 500 ppi."""
    # A scanner's image cannot be written to. To numba that is another type, for which
    # the kernels would be compiled anew while a finger waits.
    image = image.copy()
    top, left, cropped = _without_margins(image)
    blocks = kernels.block_measures(cropped, STEP_PX)
    touched = _without_specks(
        blocks[..., kernels.DEVIATION] >= parameters.TOUCHED_DEVIATION
    )
    good = _goodness(blocks)
    clear = touched & (good >= parameters.CLEAR_RIDGES)
    right, down = _centre(touched, (top, left), cropped.shape, image.shape)
    inside = blocks[touched]
    return PrintMeasures(
        touched_mm2=float(touched.sum()) * STEP_MM2,
        ridge_mm2=float(clear.sum()) * STEP_MM2,
        clarity=_mean(good[touched]),
        contrast=_median(
            inside[:, kernels.VALLEY_GREY] - inside[:, kernels.RIDGE_GREY]
        ),
        brightness=_mean(inside[:, kernels.MEAN], otherwise=float(image.mean())),
        ridge_share=_median(blocks[clear][:, kernels.RIDGE_SHARE]),
        roughness=1 - _median(inside[:, kernels.CLARITY], otherwise=1.0),
        right=right,
        down=down,
        period_px=_period_px(blocks, touched),
        residue_mm2=float(_residue(blocks, touched).sum()) * STEP_MM2,
        flow=_flow(blocks, touched),
        features={**_features(cropped, blocks, good), **standard_measures(image)},
    )


def residue_mm2(plate: NDArray[np.uint8]) -> float:
    """Return the area of ridges, however faint, on a plate that no finger touches."""
    # Noise has more contrast than what a finger leaves behind; ridges survive the blur.
    smooth = np.asarray(cv2.GaussianBlur(plate, (0, 0), 1.5), np.uint8)
    _, _, cropped = _without_margins(smooth)
    blocks = kernels.block_measures(cropped, STEP_PX)
    nowhere = np.zeros(blocks.shape[:2], np.bool_)
    return float(_residue(blocks, nowhere).sum()) * STEP_MM2


def warm_up() -> None:
    """Compile now, if this machine never did: seconds that no preview should wait."""
    measure(np.zeros((_SMALLEST_SIDE_PX, _SMALLEST_SIDE_PX), np.uint8))


def _features(
    image: NDArray[np.uint8], blocks: NDArray[np.float32], good: NDArray[np.float32]
) -> dict[str, float]:
    """Return our own inputs of the quality model, over blocks that do not overlap."""
    apart, good = blocks[::2, ::2], good[::2, ::2]
    used = apart[..., kernels.DEVIATION] > 0.1 * float(image.std())
    inside, good = apart[used], good[used]
    certainty, clarity = inside[:, kernels.CERTAINTY], inside[:, kernels.CLARITY]
    return {
        "goodness": _mean(good),
        "clear_blocks": float((clarity > 0.85).sum()),
        "certain_blocks": float((certainty > 0.7).sum()),
        "clarity_median": _median(clarity),
        "certainty_mean": _mean(certainty),
        "unevenness": _median(inside[:, kernels.UNEVENNESS], otherwise=2.0),
        "brightness": float(apart[..., kernels.MEAN].mean()),
    }


def _goodness(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 0 to 1: clear ridges in one direction."""
    clarity = np.clip((blocks[..., kernels.CLARITY] - 0.5) / 0.4, 0, 1)
    return np.asarray(clarity * blocks[..., kernels.CERTAINTY], np.float32)


def _period_px(blocks: NDArray[np.float32], touched: NDArray[np.bool_]) -> float:
    """Return the median ridge period, 0 if too few blocks show regular ridges."""
    regular = (
        touched
        & (blocks[..., kernels.CERTAINTY] >= 0.6)
        & (blocks[..., kernels.SPECTRUM] >= 0.3)
    )
    periods = blocks[regular][:, kernels.PERIOD_PX]
    return _median(periods) if len(periods) >= parameters.FEWEST_PERIODS else 0.0


def _flow(blocks: NDArray[np.float32], touched: NDArray[np.bool_]) -> float:
    """Return the mean of cos 2d times both certainties, d the angle between."""
    directed = blocks[..., kernels.CERTAINTY] * np.exp(2j * blocks[..., kernels.ANGLE])
    agreement, pairs = 0.0, 0
    # Two steps apart blocks share no pixel.
    for first, second in (
        (np.s_[:-2], np.s_[2:]),
        (np.s_[:, :-2], np.s_[:, 2:]),
    ):
        both = touched[first] & touched[second]
        product = (directed[first] * directed[second].conj()).real
        agreement += float(product[both].sum())
        pairs += int(both.sum())
    return agreement / pairs if pairs else 0.0


def _residue(
    blocks: NDArray[np.float32], touched: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return where an earlier finger left ridges: regular, but hardly any contrast."""
    near = cv2.dilate(touched.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    found = (
        ~near
        & (blocks[..., kernels.DEVIATION] >= parameters.RESIDUE_DEVIATION)
        & (blocks[..., kernels.CERTAINTY] >= parameters.RESIDUE_CERTAINTY)
        & (blocks[..., kernels.CLARITY] >= 0.6)
    )
    return _without_specks(found)


def _centre(
    touched: NDArray[np.bool_],
    corner: tuple[int, int],
    cropped: tuple[int, ...],
    shape: tuple[int, ...],
) -> tuple[float, float]:
    """Return (right, down) of the touched area, -1 to 1; 0, 0 if nothing touches."""
    if not touched.any():
        return 0.0, 0.0
    places = np.nonzero(touched)
    middle = []
    for axis in (0, 1):
        # Blocks lie evenly in the part within the margins, whatever they leave over.
        share = (places[axis].mean() + 0.5) / touched.shape[axis]
        middle.append((corner[axis] + share * cropped[axis]) / shape[axis] * 2 - 1)
    down, right = np.clip(middle, -1, 1)
    return float(right), float(down)


def _without_margins(
    image: NDArray[np.uint8],
) -> tuple[int, int, NDArray[np.uint8]]:
    """Return top, left and the part within white margins, at least one block large."""
    rows = np.nonzero(image.mean(axis=1) <= _WHITE_MARGIN)[0]
    columns = np.nonzero(image.mean(axis=0) <= _WHITE_MARGIN)[0]
    top = left = 0
    if len(rows) and len(columns):
        top, left = int(rows[0]), int(columns[0])
        image = image[top : rows[-1] + 1, left : columns[-1] + 1]
    missing = [(0, max(0, _SMALLEST_SIDE_PX - side)) for side in image.shape]
    if any(after for _, after in missing):
        image = np.pad(image, missing, mode="edge")
    return top, left, np.ascontiguousarray(image)


def _without_specks(found: NDArray[np.bool_]) -> NDArray[np.bool_]:
    kernel = np.ones((3, 3), np.uint8)
    opened = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray(opened) > 0


def _mean(values: NDArray[np.float32], otherwise: float = 0.0) -> float:
    return float(values.mean()) if len(values) else otherwise


def _median(values: NDArray[np.float32], otherwise: float = 0.0) -> float:
    return float(np.median(values)) if len(values) else otherwise
