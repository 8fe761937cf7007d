"""A comparison as a picture: both prints, and which minutiae correspond.

Drawn as examiners chart prints: a ring for a ridge ending, a square for a bifurcation,
a tick in its direction, and the same number and colour at both ends of a
correspondence, the best placed first. What corresponds to nothing stays pale.
"""

from __future__ import annotations

import colorsys
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from edge.recognition.fingerprint.drawn_text import (
    PAPER,
    Box,
    height_of_lines,
    shortened,
    text_size,
    write,
    write_lines,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.recognition.fingerprint.drawn_text import Colour, Image
    from edge.terms import FingerprintTemplate

MOST_NUMBERED = 30
MOST_LINES = 4
# What the longer side of a print becomes, as far as the scale allows.
_WANTED_SIDE_PX, _LOWEST_SCALE, _HIGHEST_SCALE = 860, 1.0, 3.0
LARGEST_SIDE_PX = 2048
_GAP_PX, _MARGIN_PX, _CAPTION_PX = 36, 16, 30
_BLANK_MARGIN_PX = 24
_FRAME, _PALE, _PLAIN = (200, 200, 200), (120, 140, 175), (60, 74, 95)
# Ridges are drawn lighter than they are: the marks are what is looked at.
_FADED = 0.38
_GOLDEN = (math.sqrt(5) - 1) / 2
_RING_PX, _TICK_PX = 5, 15
_LABEL_AT = tuple(
    (math.cos(k * math.pi / 8), math.sin(k * math.pi / 8)) for k in range(16)
)
_ENDING = 1


@dataclass(frozen=True, eq=False)
class DrawnPrint:
    """image: at 500 ppi, uint8 (height, width); None is drawn on blank paper."""

    template: FingerprintTemplate
    image: Image | None
    caption: str


class _Frame(NamedTuple):
    """Where a print lies on the page: pixels at 500 ppi to pixels of the page."""

    left: float
    top: float
    scale: float
    box: Box

    def place(self, x: float, y: float) -> tuple[int, int]:
        return (
            self.box.left + round((x - self.left + 0.5) * self.scale),
            self.box.top + round((y - self.top + 0.5) * self.scale),
        )


def draw_comparison(
    first: DrawnPrint,
    second: DrawnPrint,
    correspondences: Sequence[tuple[int, int]],
    lines: Sequence[str],
) -> Image:
    """Return the picture, RGB uint8 (height, width, 3).

    correspondences: indices of the minutiae of both templates, best first; the first
    MOST_NUMBERED get numbers. lines: the text below the prints, the first one large.
    """
    prints = (first, second)
    frames = _frames(prints)
    page = _page(frames, lines)
    for drawn, frame in zip(prints, frames, strict=True):
        _lay_down(page, drawn, frame)
    _join(page, prints, frames, correspondences[:MOST_LINES])
    for side, (drawn, frame) in enumerate(zip(prints, frames, strict=True)):
        own = [pair[side] for pair in correspondences]
        _mark(page, drawn.template, frame, own)
    write_lines(page, (_MARGIN_PX, _foot(frames)), lines)
    return page


def _frames(prints: tuple[DrawnPrint, DrawnPrint]) -> tuple[_Frame, _Frame]:
    extents = [_extent(drawn) for drawn in prints]
    longest = max(max(width, height) for _, _, width, height in extents)
    scale = min(max(_WANTED_SIDE_PX / longest, _LOWEST_SCALE), _HIGHEST_SCALE)
    scale = min(scale, LARGEST_SIDE_PX / longest)
    frames, left = [], _MARGIN_PX
    for x, y, width, height in extents:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        frames.append(_Frame(x, y, scale, Box(left, _MARGIN_PX + _CAPTION_PX, *size)))
        left += size[0] + _GAP_PX
    return frames[0], frames[1]


def _extent(drawn: DrawnPrint) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what is shown, pixels at 500 ppi."""
    if drawn.image is not None:
        height, width = drawn.image.shape
        return 0, 0, width, height
    x, y = (values.astype(np.int64) for values in (drawn.template.x, drawn.template.y))
    if not len(x):
        return 0, 0, 4 * _BLANK_MARGIN_PX, 4 * _BLANK_MARGIN_PX
    left, top = int(x.min()) - _BLANK_MARGIN_PX, int(y.min()) - _BLANK_MARGIN_PX
    width = int(x.max()) + _BLANK_MARGIN_PX - left
    return left, top, width, int(y.max()) + _BLANK_MARGIN_PX - top


def _page(frames: tuple[_Frame, _Frame], lines: Sequence[str]) -> Image:
    width = frames[1].box.left + frames[1].box.width + _MARGIN_PX
    widest = max(
        (text_size(line, is_large=not number)[0] for number, line in enumerate(lines)),
        default=0,
    )
    height = _foot(frames) + height_of_lines(len(lines)) + _MARGIN_PX
    return np.full((height, max(width, widest + 2 * _MARGIN_PX), 3), PAPER, np.uint8)


def _foot(frames: tuple[_Frame, _Frame]) -> int:
    return max(frame.box.top + frame.box.height for frame in frames) + _MARGIN_PX


def _lay_down(page: Image, drawn: DrawnPrint, frame: _Frame) -> None:
    """Put the print, or blank paper, and its caption on the page."""
    box = frame.box
    if drawn.image is not None:
        method = cv2.INTER_CUBIC if frame.scale > 1 else cv2.INTER_AREA
        grey = cv2.resize(drawn.image, (box.width, box.height), interpolation=method)
        faded = 255 - (255 - _stretched(np.asarray(grey, np.uint8))) * _FADED
        inside = page[box.top : box.top + box.height, box.left : box.left + box.width]
        inside[:] = faded.astype(np.uint8)[:, :, None]
    corner = (box.left + box.width - 1, box.top + box.height - 1)
    cv2.rectangle(page, (box.left, box.top), corner, _FRAME, 1)
    write(page, (box.left, box.top - 10), shortened(drawn.caption, box.width))


def _stretched(grey: Image) -> NDArray[np.float32]:
    """Return the print, 0 to 255, as dark and as light as any other."""
    darkest, lightest = np.percentile(grey, (1, 99))
    share = (grey - np.float32(darkest)) / np.float32(max(lightest - darkest, 1.0))
    return np.asarray(255 * np.clip(share, 0, 1), np.float32)


def _join(
    page: Image,
    prints: tuple[DrawnPrint, DrawnPrint],
    frames: tuple[_Frame, _Frame],
    pairs: Sequence[tuple[int, int]],
) -> None:
    """Draw thin lines between both ends of a few correspondences."""
    over = page.copy()
    for number, pair in enumerate(pairs):
        ends = [
            frame.place(int(drawn.template.x[i]), int(drawn.template.y[i]))
            for drawn, frame, i in zip(prints, frames, pair, strict=True)
        ]
        cv2.line(over, ends[0], ends[1], _colour(number), 1, cv2.LINE_AA)
    page[:] = cv2.addWeighted(over, 0.6, page, 0.4, 0)


def _mark(
    page: Image, template: FingerprintTemplate, frame: _Frame, own: Sequence[int]
) -> None:
    """Draw all minutiae, those of own numbered in its order."""
    number_of = {i: number for number, i in enumerate(own)}
    taken = []
    for i in sorted(
        range(len(template)), key=lambda i: -number_of.get(i, len(template))
    ):
        number = number_of.get(i)
        colour = _PALE if number is None else _colour(number)
        taken.append(
            _minutia(page, template, frame, i, colour, is_strong=number is not None)
        )
    for number, i in enumerate(own[:MOST_NUMBERED]):
        _label(page, template, frame, i, number, taken)


def _minutia(
    page: Image,
    template: FingerprintTemplate,
    frame: _Frame,
    i: int,
    colour: Colour,
    *,
    is_strong: bool,
) -> Box:
    """Draw one minutia and return the place that its mark takes."""
    x, y = frame.place(int(template.x[i]), int(template.y[i]))
    angle = float(template.angle_rad[i])
    way = np.array([math.cos(angle), -math.sin(angle)])
    thickness = 2 if is_strong else 1
    start = np.rint(np.array([x, y]) + way * _RING_PX).astype(int)
    tip = np.rint(np.array([x, y]) + way * _TICK_PX).astype(int)
    cv2.line(page, start.tolist(), tip.tolist(), colour, thickness, cv2.LINE_AA)
    if template.kind[i] == _ENDING:
        cv2.circle(page, (x, y), _RING_PX, colour, thickness, cv2.LINE_AA)
    else:
        side = _RING_PX - 1
        cv2.rectangle(
            page, (x - side, y - side), (x + side, y + side), colour, thickness
        )
    return Box(x - _RING_PX, y - _RING_PX, 2 * _RING_PX + 1, 2 * _RING_PX + 1)


def _label(
    page: Image,
    template: FingerprintTemplate,
    frame: _Frame,
    i: int,
    number: int,
    taken: list[Box],
) -> None:
    """Write the number beside its minutia, where it covers least."""
    text = str(number + 1)
    width, height = text_size(text)
    x, y = frame.place(int(template.x[i]), int(template.y[i]))
    angle = float(template.angle_rad[i])
    far = _RING_PX + 4
    choices = []
    for right, down in _LABEL_AT:
        left = round(x + right * (far + width / 2) - width / 2)
        top = round(y + down * (far + height / 2) - height / 2)
        box = Box(left, top, width, height)
        along = right * math.cos(angle) - down * math.sin(angle)
        cost = sum(box.shared(other) for other in taken) + 30 * max(0.0, along)
        choices.append((cost + 1000 * (not box.is_within(page)), box))
    best = min(choices)[1]
    taken.append(best)
    write(
        page,
        (best.left, best.top + best.height),
        text,
        colour=_colour(number),
        is_haloed=True,
    )


def _colour(number: int) -> Colour:
    """Return the colour of a correspondence: neighbours in number differ most."""
    if number >= MOST_NUMBERED:
        return _PLAIN
    hue = (number * _GOLDEN) % 1.0
    # Greens and yellows look lighter than they are.
    lightness = 0.42 - 0.12 * math.exp(-(((hue - 0.25) / 0.16) ** 2))
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)
