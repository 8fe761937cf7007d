"""Is something before the face, or do glasses reflect: as far as it can be told.

Without a network that segments faces only this can be seen: a lower half without the
contrast and the colour of lips (mask, hand, scarf, screen), a side or an eye region
much emptier than the rest, and spots at the eyes that are blown out to white.

What cannot be told: a cover that has about the texture of a face (patterned scarf, a
printed mouth, spread fingers, long hair), a veil that lets the lips through, a cover of
less than a third of the face, a cap or headscarf above the eyes, tinted glasses,
closed eyes. A dense beard under hard light may be taken for a cover, as may a strongly
blurred mouth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.quality_pixels import FaceCut

    Floats = NDArray[np.float32]

# Where, in the cut of 200 pixels.
_UNDER_EYES = (slice(84, 104), slice(58, 142))
_EYES = (slice(60, 100), slice(58, 142))
_LOWER = (slice(122, 168), slice(66, 134))
_MOUTH = (slice(120, 156), slice(80, 120))
_MOUTH_COLUMN = (slice(112, 164), slice(84, 116))
_LIPS_IN_COLUMN = slice(12, 44)
_HEIGHT = slice(50, 165)
_LEFT = slice(52, 98)
_RIGHT = slice(102, 148)
_EYE_ROWS = (slice(60, 100), slice(60, 140))
_RIM = (slice(84, 130), slice(60, 140))
_MIDDLE = (slice(45, 170), slice(90, 110))
_CHEEKS = ((slice(88, 128), slice(54, 84)), (slice(88, 128), slice(116, 146)))
# Relative gradients below this are a surface without features.
_FLAT = 0.004
_FLOOR = 0.001
# Logistic regressions, fitted on development images with drawn covers against the same
# faces dark, blurred, turned, small, lit from one side and plain; the last is constant.
_LOWER_WEIGHTS = (
    *(1.769, -0.601, 5.588, 0.880, -0.620, -2.798, -1.100, 5.367, -2.872),
    -8.917,
)
_SIDE_WEIGHTS = (0.639, 0.225, 4.980, -5.768, -0.658, 4.724, -1.997)
_LOWER_SHADE = 0.17  # the usual shadow below the nose, in log luminance
_EYES_EMPTIER = 0.2
_EYES_WIDTH = 0.03
_GLARE_LEVEL = 0.92
_GLARE_HALF = (15, 10)


@dataclass(frozen=True)
class Cover:
    """Probabilities, 0 to 1, that a part is covered.

    glare: share of the worse eye's surroundings that is white, less the cheeks' share.
    """

    lower: float
    side: float
    eyes: float
    glare: float

    @property
    def any_part(self) -> float:
        return max(self.lower, self.side, self.eyes)


def cover_of(cut: FaceCut) -> Cover:
    relief = _relief_of(cut)
    emptier = _flat(relief.slope[_EYES]) - _flat(relief.slope[_LOWER]) - _EYES_EMPTIER
    return Cover(
        lower=_lower_covered(cut, relief),
        side=_side_covered(cut, relief),
        eyes=_logistic(emptier / _EYES_WIDTH),
        glare=glare_of(cut),
    )


def glare_of(cut: FaceCut) -> float:
    white = cut.rgb.min(axis=2) >= _GLARE_LEVEL * 255
    cheeks = float(white[100:130, 60:140].mean())
    half_x, half_y = _GLARE_HALF
    shares = [
        float(white[75 - half_y : 75 + half_y, x - half_x : x + half_x].mean())
        for x in (70, 130)
    ]
    return max(0.0, max(shares) - cheeks)


@dataclass(frozen=True, eq=False)
class _Relief:
    """Logarithm of luminance, so that light falls out, and its gradients' sizes."""

    log: Floats
    smooth: Floats
    across: Floats
    down: Floats
    slope: Floats


def _relief_of(cut: FaceCut) -> _Relief:
    log = np.log(cut.luminance + 0.03)
    smooth = np.asarray(cv2.GaussianBlur(log, (0, 0), 1.2), np.float32)
    across, down = (
        np.asarray(np.abs(cv2.Sobel(smooth, cv2.CV_32F, *order)) / 8, np.float32)
        for order in ((1, 0), (0, 1))
    )
    return _Relief(log, smooth, across, down, np.hypot(across, down))


def _lower_covered(cut: FaceCut, relief: _Relief) -> float:
    log, slope = relief.log, relief.slope
    colour = _colour(cut, _UNDER_EYES) - _colour(cut, _LOWER)
    shade = float(np.median(log[_LOWER]) - np.median(log[_UNDER_EYES]))
    column = log[_MOUTH_COLUMN].mean(axis=1)
    redness = cut.lab[_MOUTH_COLUMN][..., 1].mean(axis=1)
    lips = float(np.median(column) - column[_LIPS_IN_COLUMN].min())
    red = float(redness[_LIPS_IN_COLUMN].max() - np.median(redness))
    mouth = float(relief.down[_MOUTH].mean(axis=1).max())
    eyes = float(relief.down[_EYE_ROWS].mean(axis=1).max())
    rim = float(np.median(relief.down[_RIM], axis=1).max())
    return _regression(
        _LOWER_WEIGHTS,
        min(float(np.linalg.norm(colour)), 30) / 10,
        min(abs(shade + _LOWER_SHADE), 2),
        _flat(slope[_LOWER]),
        _log_ratio(slope[_LOWER], slope[_EYES]),
        float(np.log(mouth / (eyes + 0.003) + 0.05)),
        2 * min(lips, 0.6),
        min(red, 15) / 10,
        5 * min(rim, 0.5),
        float(np.log(mouth + 0.01)),
    )


def _side_covered(cut: FaceCut, relief: _Relief) -> float:
    left, right, slope = (_HEIGHT, _LEFT), (_HEIGHT, _RIGHT), relief.slope
    colour = float(np.linalg.norm(_colour(cut, left) - _colour(cut, right)))
    detail = relief.smooth - cv2.GaussianBlur(relief.log, (0, 0), 10)
    cheeks = [float(cut.luminance[cheek].mean()) + 0.02 for cheek in _CHEEKS]
    rim = float(np.median(relief.across[_MIDDLE], axis=0).max())
    return _regression(
        _SIDE_WEIGHTS,
        min(colour, 30) / 10,
        abs(_log_ratio(slope[left], slope[right])),
        2 * abs(_flat(slope[left]) - _flat(slope[right])),
        _likeness(detail[_HEIGHT, 50:100], detail[_HEIGHT, 100:150][:, ::-1]),
        min(abs(float(np.log(cheeks[1] / cheeks[0]))), 2),
        5 * min(rim, 0.2),
    )


def _colour(cut: FaceCut, part: tuple[slice, slice]) -> NDArray[np.float64]:
    chroma = cut.lab[part][..., 1:].reshape(-1, 2)
    return np.asarray(np.median(chroma, axis=0), np.float64)


def _flat(slope: Floats) -> float:
    return float((slope < _FLAT).mean())


def _log_ratio(first: Floats, second: Floats) -> float:
    return float(np.log((first.mean() + _FLOOR) / (second.mean() + _FLOOR)))


def _likeness(first: Floats, second: Floats) -> float:
    one, other = first - first.mean(), second - second.mean()
    size = float(np.sqrt((one * one).sum() * (other * other).sum()))
    return float((one * other).sum()) / size if size > 1e-6 else 0.0


def _regression(weights: tuple[float, ...], *values: float) -> float:
    return _logistic(float(np.dot(weights, (*values, 1.0))))


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))
