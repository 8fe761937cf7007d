"""Native measures of a face's pixels: light, contrast, focus, colour, background.

All are taken on one upright cut of the face, 60 pixels between the eyes, so that they
do not depend on how far away the traveller stands. Luminance is Rec. 709's of the
gamma-encoded values, 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.recognition.face.alignment import DLIB_LAYOUT, ChipLayout, cut_chip

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.detection import Face

    Floats = NDArray[np.float32]
    Image = NDArray[np.uint8]
    Mask = NDArray[np.bool_]

EYES_PX = 60.0
SIZE_PX = 200
EYES_AT = (100.0, 75.0)


def _layout() -> ChipLayout:
    eyes = DLIB_LAYOUT.points[:2]
    scale = EYES_PX / float(np.linalg.norm(eyes[1] - eyes[0]))
    places = (DLIB_LAYOUT.points - eyes.mean(axis=0)) * scale + np.array(EYES_AT)
    return ChipLayout(SIZE_PX, places)


LAYOUT = _layout()
# The largest share of any face that is skin, whatever its hair: rows and columns.
ROWS = slice(50, 160)
LEFT = slice(52, 100)
RIGHT = slice(100, 148)
# Cheeks, where the standard compares the two sides' light.
_CHEEK_ROWS = slice(88, 128)
_LEFT_CHEEK = slice(54, 84)
_RIGHT_CHEEK = slice(116, 146)
# Brows, eyes and the bridge of the nose.
_SHARP_ROWS = slice(44, 108)
_SHARP_COLUMNS = slice(45, 155)
_BINS = 32
_OVER = 247 / 255
_UNDER = 25 / 255
_BACKGROUND_SIDE_PX = 160


@dataclass(frozen=True, eq=False)
class FaceCut:
    """The upright face. rgb: uint8 (200, 200, 3). luminance: float32, 0 to 1."""

    rgb: Image
    luminance: Floats
    lab: Floats


@dataclass(frozen=True)
class Light:
    """Of the face's skin.

    over, under: shares of blown out and of black pixels. uniformity: what both cheeks'
    histograms share. sides_ratio: logarithm of how much brighter the cheek on the
    image's right is. lit: upper quartile of luminance.
    """

    mean: float
    variance: float
    over: float
    under: float
    entropy_bits: float
    uniformity: float
    sides_ratio: float
    lit: float


def cut_face(image: Image, face: Face) -> FaceCut:
    chip = cut_chip(image, face.points, LAYOUT).image
    scaled = chip.astype(np.float32) / 255
    luminance = scaled @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    lab = cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)
    return FaceCut(chip, np.asarray(luminance, np.float32), np.asarray(lab, np.float32))


def light_of(cut: FaceCut) -> Light:
    skin = cut.luminance[oval()]
    counts = np.histogram(skin, bins=256, range=(0, 1))[0] / skin.size
    used = counts[counts > 0]
    left = cut.luminance[_CHEEK_ROWS, _LEFT_CHEEK]
    right = cut.luminance[_CHEEK_ROWS, _RIGHT_CHEEK]
    return Light(
        mean=float(skin.mean()),
        variance=float(skin.var()),
        over=float((skin >= _OVER).mean()),
        under=float((skin <= _UNDER).mean()),
        entropy_bits=float(-(used * np.log2(used)).sum()),
        uniformity=_shared(left, right),
        sides_ratio=float(np.log((right.mean() + 0.02) / (left.mean() + 0.02))),
        lit=float(np.percentile(skin, 75)),
    )


def sharpness_of(cut: FaceCut) -> float:
    """Return how much fine detail there is for the coarse detail of the same place.

    The ratio of two bands of spatial frequency, so that neither light nor contrast
    count, along that of four directions in which it is least: motion blurs one only.
    Taken at the eyes, which a mask or a hand leaves free. The standard's forest over 26
    statistics is not published as a formula. Defocus, motion and a face that was
    enlarged from too few pixels look the same.
    """
    grey = cut.luminance[_SHARP_ROWS, _SHARP_COLUMNS]
    fine, middle, coarse = (cv2.GaussianBlur(grey, (0, 0), s) for s in (0.8, 1.6, 3.2))
    high, low = fine - middle, middle - coarse
    ratios = [
        float(np.abs(_step(high, shift)).mean())
        / (float(np.abs(_step(low, shift)).mean()) + 0.001)
        for shift in ((0, 1), (1, 1), (1, 0), (1, -1))
    ]
    return min(ratios)


def _step(image: Floats, shift: tuple[int, int]) -> Floats:
    down, right = shift
    inner = image[1:-1, 1:-1]
    height, width = image.shape
    moved = image[1 + down : height - 1 + down, 1 + right : width - 1 + right]
    return moved - inner


def natural_colour_of(cut: FaceCut) -> float:
    """Return how far the mean a*, b* of both cheeks lies from [5, 25] x [5, 35]."""
    cheeks = np.concatenate(
        [
            cut.lab[_CHEEK_ROWS, _LEFT_CHEEK, 1:].reshape(-1, 2),
            cut.lab[_CHEEK_ROWS, _RIGHT_CHEEK, 1:].reshape(-1, 2),
        ]
    ).mean(axis=0)
    nearest = np.clip(cheeks, [5, 5], [25, 35])
    return float(np.linalg.norm(cheeks - nearest))


def background_gradient_of(image: Image, face: Face) -> float:
    """Return the mean Sobel magnitude beside and above the head, luminance 0 to 255.

    Hair and shoulders cannot be told from background by five points: what lies within
    the head's surroundings is left out. 0 if nothing else is in the frame.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _BACKGROUND_SIDE_PX / max(height, width))
    extent = (max(3, round(width * scale)), max(3, round(height * scale)))
    small = cv2.resize(image, extent, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    magnitude = np.hypot(
        cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    )
    x1, y1, x2, y2 = (float(v) * scale for v in face.box)
    more_x, more_y = (x2 - x1) * 0.4, (y2 - y1) * 0.4
    rows, columns = np.ogrid[0 : extent[1], 0 : extent[0]]
    is_person = (columns >= x1 - more_x) & (columns <= x2 + more_x)
    is_person = is_person & (rows >= y1 - more_y) | (rows >= y2 + 0 * columns)
    outside = magnitude[~is_person]
    return float(outside.mean()) if outside.size else 0.0


@lru_cache(maxsize=1)
def oval() -> Mask:
    """Return where the cut shows skin on nearly every face."""
    mask = np.zeros((SIZE_PX, SIZE_PX), np.uint8)
    cv2.ellipse(mask, (100, 107), (48, 60), 0, 0, 360, 1, -1)
    found: Mask = mask.astype(np.bool_)
    return found


def _shared(left: Floats, right: Floats) -> float:
    first, second = (
        np.histogram(side, bins=_BINS, range=(0, 1))[0] / side.size
        for side in (left, right)
    )
    return float(np.minimum(first, second).sum())
