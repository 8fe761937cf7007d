"""Pictures of a face held before the camera: simulated by what such pictures do to it.

These are not attacks of the world. They carry the traces that printing, showing on a
screen and taking a picture again leave (a narrower range of colours, a raster, blur,
reflections, an edge of paper or a frame around), by chance and repeatably. A detector
that misses them is blind; one that finds them may still miss a good attack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Floats = NDArray[np.float64]

SCENE = (480, 640)  # height, width in px of what the camera sees
HELD_SHARE = (0.55, 0.8)  # of the scene's height that the picture takes up


def printed(image: Image, rng: np.random.Generator) -> Image:
    """Return the RGB image on paper, printed in dots, held in the scene."""
    small = _held(image, rng)
    ink = 40 + small.astype(np.float64) * 0.72  # paper is no black, ink no white
    ink = ink @ (np.eye(3) * 0.88 + 0.04)  # inks mix
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    pitch = rng.uniform(2.2, 3.2)
    raster = np.sin(2 * np.pi * (rows + columns) / pitch) * np.sin(
        2 * np.pi * (rows - columns) / pitch
    )
    ink += 9 * raster[..., None] + rng.normal(0, 2.5, ink.shape)
    paper = _framed(ink, rng, colour=225.0, share=0.06)
    return _photographed(paper, rng, blur=0.9)


def replayed(image: Image, rng: np.random.Generator) -> Image:
    """Return a screen that shows the RGB image, held in the scene."""
    small = _held(image, rng)
    shown = 255 * (small.astype(np.float64) / 255) ** rng.uniform(0.8, 1.15)
    shown *= np.array([0.94, 1.0, 1.06])  # screens are blue
    rows, columns = np.mgrid[: shown.shape[0], : shown.shape[1]]
    tilt = rng.uniform(0.02, 0.12)
    pitch = rng.uniform(2.1, 2.9)
    moire = np.sin(2 * np.pi * (columns + tilt * rows) / pitch) + 0.6 * np.sin(
        2 * np.pi * (rows - tilt * columns) / (pitch * 1.07)
    )
    shown += 8 * moire[..., None]
    screen = _framed(shown, rng, colour=18.0, share=0.08)
    return _photographed(_with_glare(screen, rng), rng, blur=0.7)


def cut_out(image: Image, rng: np.random.Generator) -> Image:
    """Return a print that was cut along the head, without an edge of paper."""
    sheet = printed(image, rng)
    height, width = SCENE
    mask: NDArray[Any] = np.zeros(SCENE, np.uint8)
    axes = (int(width * 0.19), int(height * 0.36))
    cv2.ellipse(mask, (width // 2, height // 2), axes, 0, 0, 360, 255, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 1.0)
    share = mask[..., None] / 255.0
    return _bytes(sheet * share + _scene(rng) * (1 - share))


INSTRUMENTS: dict[str, Callable[[Image, np.random.Generator], Image]] = {
    "printed": printed,
    "replayed": replayed,
    "cut out": cut_out,
}


def _held(image: Image, rng: np.random.Generator) -> Image:
    side = int(SCENE[0] * rng.uniform(*HELD_SHARE))
    scale = side / max(image.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)
    return np.asarray(small, np.uint8)


def _framed(
    picture: Floats, rng: np.random.Generator, *, colour: float, share: float
) -> Floats:
    width = max(2, int(share * max(picture.shape[:2]) * rng.uniform(0.6, 1.4)))
    edges = ((width, width), (width, width), (0, 0))
    return np.pad(picture, edges, constant_values=colour)


def _with_glare(screen: Floats, rng: np.random.Generator) -> Floats:
    height, width = screen.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    y, x = rng.uniform(0, height), rng.uniform(0, width)
    spread = 0.25 * max(height, width)
    light = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * spread**2))
    return np.asarray(screen + rng.uniform(20, 60) * light[..., None])


def _photographed(flat: Floats, rng: np.random.Generator, *, blur: float) -> Image:
    """Return the flat thing before the scene, turned a little, as a camera sees it."""
    height, width = SCENE
    flat_height, flat_width = flat.shape[:2]
    centre = (flat_width / 2, flat_height / 2)
    turn = cv2.getRotationMatrix2D(centre, rng.uniform(-6, 6), 1.0)
    turn[:, 2] += [width / 2 - centre[0], height / 2 - centre[1]]
    seen = cv2.warpAffine(flat.astype(np.float32), turn, (width, height))
    whole = np.ones((flat_height, flat_width), np.float32)
    share = cv2.warpAffine(whole, turn, (width, height))[..., None]
    mixed: NDArray[Any] = seen * share + _scene(rng) * (1 - share)
    mixed = cv2.GaussianBlur(mixed, (0, 0), blur)
    return _bytes(mixed + rng.normal(0, 1.5, mixed.shape))


def _scene(rng: np.random.Generator) -> Floats:
    """Return a plain room, brighter to one side."""
    height, width = SCENE
    slope = np.linspace(-15, 15, width) * rng.choice([-1, 1])
    room = np.full((height, width, 3), rng.uniform(90, 150)) + slope[None, :, None]
    return np.asarray(room + np.array([3.0, 0.0, -4.0]))


def _bytes(values: Floats) -> Image:
    return np.clip(values, 0, 255).astype(np.uint8)
