"""Finger images of a folder, for the emulator on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from firmware_bridge.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_SUFFIXES: Final = frozenset({".png", ".tif", ".tiff", ".bmp", ".pgm", ".jpg"})
_MAX_FILE_BYTES: Final = 16 * 1024 * 1024


def load_finger_images(folder: Path) -> list[NDArray[np.uint8]]:
    """Return the grey images of a folder, uint8 (height, width), by file name.

    Raises:
        SettingsError: no folder, no image in it, or one that cannot be decoded.
    """
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
    except OSError as error:
        raise SettingsError(f"images {folder}: {error}") from error
    if not paths:
        raise SettingsError(f"images {folder}: no {', '.join(sorted(_SUFFIXES))} file")
    return [_load(path) for path in paths]


def _load(path: Path) -> NDArray[np.uint8]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise SettingsError(f"image {path}: larger than {_MAX_FILE_BYTES} bytes")
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE) if data.size else None
    except (OSError, cv2.error) as error:
        raise SettingsError(f"image {path}: cannot be read: {error}") from error
    if image is None:
        raise SettingsError(f"image {path}: not an image; replace or remove it")
    return np.ascontiguousarray(image, dtype=np.uint8)
