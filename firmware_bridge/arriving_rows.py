"""The rows of an image while it is still on the line, for a live picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from firmware_bridge.image_transfer import unpack_pixels
from firmware_bridge.terms import ImageRows

if TYPE_CHECKING:
    from collections.abc import Callable

# At 115200 baud one every 80 ms, in practice.
ROWS_AT_ONCE: Final = 6


class ArrivingRows:
    """Tells of complete rows as they come, a few at once. Not thread-safe."""

    def __init__(
        self, shape: tuple[int, int], tell: Callable[[ImageRows], None]
    ) -> None:
        """shape: height and width that the image is expected to have."""
        self._height, self._width = shape
        self._tell = tell
        self._told = 0

    def update(self, packed: bytearray) -> None:
        """packed: all bytes of this transfer so far; fewer than before: a new one."""
        complete = min(self._height, 2 * len(packed) // self._width)
        if complete < self._told:
            self._told = 0
        is_last = complete == self._height
        if complete - self._told < ROWS_AT_ONCE and not (
            is_last and complete > self._told
        ):
            return
        row_bytes = self._width // 2
        part = bytes(packed[self._told * row_bytes : complete * row_bytes])
        rows = unpack_pixels(part).reshape(-1, self._width)
        self._tell(ImageRows(self._told, np.ascontiguousarray(rows), self._height))
        self._told = complete
