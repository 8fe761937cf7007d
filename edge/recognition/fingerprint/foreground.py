"""Where in an image the print lies: the part that the network has to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WINDOW_PX = 16
_STEP_PX = 8
# Grey levels. The faintest prints of the development sets have a tenth of their area
# above 10; the noise of a clean plate stays below 6. The network finds the minutiae of
# prints of a twentieth of that contrast as well, so the bound falls with the contrast.
_UNEVEN_DEVIATION = 6.0
_EVEN_DEVIATION = 0.5
_UNEVEN_SHARE = 0.25
# Smaller spots are dust: an opening with this many steps a side removes them.
_SPOT_STEPS = 3
# Ridges this far outside still change what the network finds at the print's edge.
_MARGIN_PX = 32


@dataclass(frozen=True)
class Window:
    """Rows top to bottom and columns left to right of an image, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def area_px(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)


def find_print(image: NDArray[np.uint8]) -> Window | None:
    """Return a window that holds all that is not even background, with a margin.

    None if there is no such thing. image: uint8 (height, width) at 500 ppi.
    """
    height, width = image.shape
    if min(height, width) < _STEP_PX * _SPOT_STEPS:
        return None
    rows, columns = np.nonzero(_uneven(image))
    if not len(rows):
        return None
    top, bottom = _span(rows, height)
    left, right = _span(columns, width)
    return Window(top, bottom, left, right)


def _uneven(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return bool, one value a step: whether grey varies around the step's centre."""
    size = (_WINDOW_PX, _WINDOW_PX)
    mean = np.asarray(cv2.boxFilter(image, cv2.CV_32F, size))
    square = np.asarray(cv2.sqrBoxFilter(image, cv2.CV_32F, size))
    centres = np.s_[_STEP_PX // 2 :: _STEP_PX, _STEP_PX // 2 :: _STEP_PX]
    variance = square[centres] - mean[centres] ** 2
    deviation = np.sqrt(np.maximum(variance, 0))
    bound = _UNEVEN_SHARE * float(np.percentile(deviation, 99))
    bound = min(max(bound, _EVEN_DEVIATION), _UNEVEN_DEVIATION)
    uneven = (deviation >= bound).astype(np.uint8)
    kernel = np.ones((_SPOT_STEPS, _SPOT_STEPS), np.uint8)
    return np.asarray(cv2.morphologyEx(uneven, cv2.MORPH_OPEN, kernel)) > 0


def _span(steps: NDArray[np.int64], side: int) -> tuple[int, int]:
    first = int(steps.min()) * _STEP_PX - _MARGIN_PX
    last = (int(steps.max()) + 1) * _STEP_PX + _MARGIN_PX
    return max(first, 0), min(last, side)
