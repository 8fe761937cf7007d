"""Text on a page, uint8 (height, width, 3) RGB, and the room that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Colour = tuple[int, int, int]

PAPER = 255
_INK: Colour = (25, 25, 25)
_QUIET: Colour = (95, 95, 95)
_HALO: Colour = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LARGE, _SMALL = 0.85, 0.55
_LARGE_LINE_PX, _LINE_PX = 36, 24


class Box(NamedTuple):
    left: int
    top: int
    width: int
    height: int

    def shared(self, other: Box) -> int:
        """Return the pixels that both cover."""
        right = min(self.left + self.width, other.left + other.width)
        foot = min(self.top + self.height, other.top + other.height)
        across = max(0, right - max(self.left, other.left))
        return across * max(0, foot - max(self.top, other.top))

    def is_within(self, page: Image) -> bool:
        height, width = page.shape[:2]
        return (
            min(self.left, self.top) >= 0
            and self.left + self.width <= width
            and self.top + self.height <= height
        )


def text_size(text: str, *, is_large: bool = False) -> tuple[int, int]:
    """Return width and height in pixels, without what hangs below the line."""
    size, _ = cv2.getTextSize(_plain(text), _FONT, _scale(is_large=is_large), 1)
    return int(size[0]), int(size[1])


def write(
    page: Image,
    at: tuple[int, int],
    text: str,
    *,
    colour: Colour = _QUIET,
    is_haloed: bool = False,
) -> None:
    """Write one small line; at: left end of the line that the letters stand on."""
    for ink, thickness in ((_HALO, 5), (colour, 2)) if is_haloed else ((colour, 1),):
        cv2.putText(page, _plain(text), at, _FONT, _SMALL, ink, thickness, cv2.LINE_AA)


def shortened(text: str, width: int) -> str:
    """Return the text, or its end where it is wider than width pixels."""
    kept = _plain(text)
    while len(kept) > 1 and text_size(kept)[0] > width:
        kept = "..." + kept[4:] if kept.startswith("...") else "..." + kept[3:]
        if kept == "...":
            break
    return kept


def write_lines(page: Image, at: tuple[int, int], lines: Sequence[str]) -> None:
    """Write lines below each other, the first one large; at: top left."""
    left, top = at
    for number, line in enumerate(lines):
        is_large = number == 0
        top += _LARGE_LINE_PX if is_large else _LINE_PX
        place, scale = (left, top - 10), _scale(is_large=is_large)
        colour = _INK if is_large else _QUIET
        cv2.putText(page, _plain(line), place, _FONT, scale, colour, 1, cv2.LINE_AA)


def height_of_lines(count: int) -> int:
    return _LARGE_LINE_PX + (count - 1) * _LINE_PX if count else 0


def _scale(*, is_large: bool) -> float:
    return _LARGE if is_large else _SMALL


def _plain(text: str) -> str:
    """Return what the font has letters for."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
