"""Who comes to the demo's booth: invented persons, or persons from image folders.

A folder holds files named `<person>_<impression>.<ext>`. Of each person the first
images are enrolled and the following ones are presented at the booth, so that nobody
is ever compared with the very image that was enrolled.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from edge.errors import InputError
from edge.recognition.image_file import read_grey_image, read_rgb_image
from edge.simulate.faces import demo_faces
from edge.simulate.fingers import SyntheticFinger, poor_impression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from edge.simulate.faces import SyntheticFace

    Image = NDArray[np.uint8]

Drawn = TypeVar("Drawn")

CAST_SIZE = 6
ENROLLED_IMAGES = 2
PRESENTED_IMAGES = 3
IMAGES = ENROLLED_IMAGES + PRESENTED_IMAGES
SCANNER_WINDOW = (288, 256)  # height, width in px of the emulated scanner
FRAME_SIZE = (640, 480)  # width, height in px of the played camera
FIRST_FINGER_SEED = 11
IMAGE_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg"})
FOREGROUND_GREY = 200
FACE_SHARE_OF_FRAME = 0.75  # a camera leaves room around the head


@dataclass(frozen=True, eq=False)
class CastMember:
    """One person: images to enrol, and other images of the same to present."""

    finger_enrolled: Sequence[Image]
    finger_presented: Sequence[Image]
    face_enrolled: Sequence[Image]
    face_presented: Sequence[Image]


def invented_cast() -> list[CastMember]:
    """Return CAST_SIZE persons who do not exist; they are drawn once a process."""
    return _cast(_invented_fingers(), _invented_faces())


def cast_from_folders(fingers: Path | None, faces: Path | None) -> list[CastMember]:
    """Return CAST_SIZE persons made of real images; what is not given is invented.

    Raises:
        InputError: a folder is missing, or has too few persons or images.
    """
    finger_images = None if fingers is None else _read_fingers(fingers)
    face_images = None if faces is None else _read_faces(faces)
    return _cast(
        _invented_fingers() if finger_images is None else finger_images,
        _invented_faces() if face_images is None else face_images,
    )


def _cast(
    fingers: Sequence[Sequence[Image]], faces: Sequence[Sequence[Image]]
) -> list[CastMember]:
    return [
        CastMember(*_split(of_finger), *_split(of_face))
        for of_finger, of_face in zip(fingers, faces, strict=True)
    ]


@cache
def _invented_fingers() -> list[list[Image]]:
    return _drawn(_impressions, range(FIRST_FINGER_SEED, FIRST_FINGER_SEED + CAST_SIZE))


@cache
def _invented_faces() -> list[list[Image]]:
    return _drawn(_frames, demo_faces(CAST_SIZE))


def _drawn(
    draw: Callable[[Drawn], list[Image]], persons: Iterable[Drawn]
) -> list[list[Image]]:
    """Draw one person on each core: nearly all of it is in OpenCV, without the lock."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(draw, persons))


def _impressions(seed: int) -> list[Image]:
    finger = SyntheticFinger(seed)
    return [finger.impression(i) for i in range(IMAGES)]


def _frames(face: SyntheticFace) -> list[Image]:
    return [face.frame(i) for i in range(IMAGES)]


def _read_fingers(folder: Path) -> list[list[Image]]:
    return [
        [fit_to_window(read_grey_image(path)) for path in paths]
        for paths in _persons(folder)
    ]


def _read_faces(folder: Path) -> list[list[Image]]:
    return [
        [fit_to_frame(read_rgb_image(path)) for path in paths]
        for paths in _persons(folder)
    ]


def fit_to_window(image: Image) -> Image:
    """Cut the scanner's window out of a larger print, around the print's centre.

    image: grey, dark ridges, at the scanner's resolution. What the window has more
    than the image becomes white.
    """
    height, width = SCANNER_WINDOW
    rows, columns = np.nonzero(cv2.blur(image, (15, 15)) < FOREGROUND_GREY)
    if len(rows):
        middle = (int(np.median(rows)), int(np.median(columns)))
    else:
        middle = (image.shape[0] // 2, image.shape[1] // 2)
    padded = np.pad(image, ((height, height), (width, width)), constant_values=255)
    top = middle[0] + height - height // 2
    left = middle[1] + width - width // 2
    window = padded[top : top + height, left : left + width]
    return np.ascontiguousarray(window)


def fit_to_frame(image: Image) -> Image:
    """Place a face picture in the middle of a camera frame."""
    width, height = FRAME_SIZE
    scale = FACE_SHARE_OF_FRAME * min(height / image.shape[0], width / image.shape[1])
    method = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    scaled = cv2.resize(image, None, fx=scale, fy=scale, interpolation=method)
    frame = np.full((height, width, 3), 128, np.uint8)
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    frame[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled
    return frame


def seen_from_far(frame: Image, share: float) -> Image:
    """Return a frame in which all is smaller: the same person, further away."""
    height, width = frame.shape[:2]
    size = (round(width * share), round(height * share))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    far = np.full_like(frame, 128)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    far[top : top + size[1], left : left + size[0]] = small
    return far


def too_poor(image: Image) -> Image:
    """Return what a scanner sees of the same finger when it hardly touches."""
    return poor_impression(image)


def _split(images: Sequence[Image]) -> tuple[Sequence[Image], Sequence[Image]]:
    return images[:ENROLLED_IMAGES], images[ENROLLED_IMAGES:]


def _persons(folder: Path) -> list[list[Path]]:
    if not folder.is_dir():
        message = f"{folder}: no such folder"
        raise InputError(message)
    images: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in IMAGE_SUFFIXES and "_" in path.stem:
            images.setdefault(path.stem.rsplit("_", 1)[0], []).append(path)
    needed = IMAGES
    persons = [paths[:needed] for paths in images.values() if len(paths) >= needed]
    if len(persons) < CAST_SIZE:
        message = (
            f"{folder}: needs {CAST_SIZE} persons with {needed} images each, named "
            f"<person>_<impression>.<ext>; found {len(persons)}"
        )
        raise InputError(message)
    return persons[:CAST_SIZE]
