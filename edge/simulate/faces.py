"""Faces that do not exist: drawn, shaded, and different from each other.

They serve the demo and the tests; no accuracy is ever measured on them. Drawn faces
crowd together for a network that was trained on photographs, so `demo_faces` takes
seeds that were searched for lying far apart; see DEMO_SEEDS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from edge.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Colour = tuple[float, float, float]

FRAME = (640, 480)  # width, height in px
SUPERSAMPLING = 2
# Of seeds 0 to 259 those six that lie farthest apart for the default face network: two
# frames of different faces are 0.45 apart at least (Euclidean distance of unit
# vectors), two frames of one face 0.09 at most; 0.34 stands for a false match rate of
# one in ten thousand.
DEMO_SEEDS: tuple[int, ...] = (211, 207, 258, 164, 179, 82)


@dataclass(frozen=True)
class Features:
    """Proportions in units of the half face width, colours as RGB 0 to 255."""

    skin: Colour
    hair: Colour
    iris: Colour
    lips: Colour
    shirt: Colour
    background: Colour
    face_height: float
    jaw: float
    eye_distance: float
    eye_size: float
    eye_height: float
    brow_height: float
    brow_thickness: float
    brow_slope: float
    nose_length: float
    nose_width: float
    mouth_width: float
    mouth_height: float
    lip_thickness: float
    hair_volume: float
    hair_length: float
    fringe: float
    beard: float
    moustache: float
    glasses: float


class SyntheticFace:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.features = _invent(np.random.default_rng([seed, 10]))

    def frame(self, number: int, *, size: tuple[int, int] = FRAME) -> Image:
        """Return camera frame number of this face, RGB (height, width, 3).

        Frames differ in place, size, tilt, light and noise.
        """
        rng = np.random.default_rng([self.seed, 11, number])
        width, height = size
        canvas = _draw(self.features, rng)
        side = canvas.shape[0]
        scale = height / side * rng.uniform(0.95, 1.08)
        turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.normal(0, 2.0), scale)
        turn[0, 2] += width / 2 - side / 2 + rng.normal(0, 10)
        turn[1, 2] += height / 2 - side / 2 + rng.normal(0, 6)
        frame = cv2.warpAffine(
            canvas,
            turn,
            size,
            flags=cv2.INTER_AREA,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=self.features.background,
        )
        lit = frame * rng.uniform(0.92, 1.06)
        lit = lit + rng.normal(0, 2.0, frame.shape)
        pixels: Image = np.clip(lit, 0, 255).astype(np.uint8)
        return pixels


def demo_faces(count: int) -> list[SyntheticFace]:
    """Return faces that lie far apart for the default face network.

    Raises:
        InputError: more faces than were searched for.
    """
    if count > len(DEMO_SEEDS):
        message = f"{count} demo faces asked for, {len(DEMO_SEEDS)} are known"
        raise InputError(message)
    return [SyntheticFace(seed) for seed in DEMO_SEEDS[:count]]


def empty_scene(size: tuple[int, int] = FRAME) -> Image:
    """Return a frame with nobody in view."""
    width, height = size
    shade = np.linspace(150, 190, height, dtype=np.float32)[:, None, None]
    return np.broadcast_to(shade, (height, width, 3)).astype(np.uint8)


SKINS: tuple[Colour, ...] = (
    (244, 208, 180),
    (226, 180, 145),
    (198, 145, 108),
    (160, 108, 75),
    (112, 74, 52),
    (80, 52, 40),
)
HAIRS: tuple[Colour, ...] = (
    (25, 20, 18),
    (60, 40, 28),
    (110, 72, 40),
    (190, 150, 90),
    (150, 60, 30),
    (170, 170, 170),
)
IRISES: tuple[Colour, ...] = ((60, 38, 22), (90, 120, 140), (80, 110, 70))


def _invent(rng: np.random.Generator) -> Features:
    def pick(colours: tuple[Colour, ...], spread: float) -> Colour:
        base = np.array(colours[rng.integers(len(colours))]) + rng.normal(0, spread, 3)
        red, green, blue = np.clip(base, 5, 250)
        return float(red), float(green), float(blue)

    skin = pick(SKINS, 8)
    redder = (skin[0] * rng.uniform(0.75, 0.95), skin[1] * 0.62, skin[2] * 0.62)
    return Features(
        skin=skin,
        hair=pick(HAIRS, 8),
        iris=pick(IRISES, 10),
        lips=redder,
        shirt=pick(((40, 60, 110), (120, 40, 50), (60, 100, 70), (90, 90, 95)), 25),
        background=pick(((170, 175, 180), (140, 160, 175), (185, 175, 160)), 10),
        face_height=rng.uniform(1.15, 1.6),
        jaw=rng.uniform(0.55, 1.0),
        eye_distance=rng.uniform(0.34, 0.54),
        eye_size=rng.uniform(0.13, 0.24),
        eye_height=rng.uniform(-0.22, 0.06),
        brow_height=rng.uniform(0.16, 0.36),
        brow_thickness=rng.uniform(0.02, 0.1),
        brow_slope=rng.uniform(-0.12, 0.14),
        nose_length=rng.uniform(0.34, 0.72),
        nose_width=rng.uniform(0.14, 0.34),
        mouth_width=rng.uniform(0.24, 0.52),
        mouth_height=rng.uniform(0.22, 0.4),
        lip_thickness=rng.uniform(0.03, 0.12),
        hair_volume=rng.uniform(0.0, 0.45),
        hair_length=rng.choice([0.0, 0.0, 0.5, 1.4]),
        fringe=rng.uniform(0.25, 0.8),
        beard=float(rng.random() < 0.3) * rng.uniform(0.4, 1.0),
        moustache=float(rng.random() < 0.25),
        glasses=float(rng.random() < 0.3),
    )


def _draw(face: Features, rng: np.random.Generator) -> NDArray[np.float32]:
    pen = _Pen(face.background)
    unit = pen.unit
    tall = face.face_height
    pen.ellipse((0, tall + 1.0), (1.9, 0.9), face.shirt)
    pen.ellipse((0, tall * 0.85), (0.5, 0.75), _shade(face.skin, 0.78))
    _draw_hair_behind(pen, face)
    for side in (-1, 1):
        pen.ellipse((side * 1.0, 0.02), (0.14, 0.26), _shade(face.skin, 0.85))
    _draw_head(pen, face)
    pen.soften(unit * 0.05)
    _draw_shading(pen, face, light=rng.normal(0, 0.12))
    _draw_beard(pen, face)
    pen.soften(unit * 0.03)
    _draw_nose(pen, face)
    _draw_mouth(pen, face)
    pen.soften(unit * 0.02)
    _draw_eyes(pen, face, gaze=rng.normal(0, 0.015))
    _draw_fringe(pen, face)
    pen.soften(unit * 0.012)
    return pen.canvas


class _Pen:
    """Draws in units of the half face width around the middle of the face, y down."""

    def __init__(self, background: Colour) -> None:
        self.side = 480 * SUPERSAMPLING
        self.unit = self.side * 0.21
        shape = (self.side, self.side, 3)
        self.canvas: NDArray[np.float32] = np.full(shape, background, np.float32)

    def at(self, point: tuple[float, float]) -> tuple[int, int]:
        x = self.side / 2 + point[0] * self.unit
        y = self.side * 0.48 + point[1] * self.unit
        return round(x), round(y)

    def ellipse(
        self,
        centre: tuple[float, float],
        axes: tuple[float, float],
        colour: Colour,
        *,
        angle_deg: float = 0,
        arc_deg: tuple[float, float] = (0, 360),
        thickness: float = -1,
    ) -> None:
        size = (max(1, round(axes[0] * self.unit)), max(1, round(axes[1] * self.unit)))
        line = -1 if thickness < 0 else max(1, round(thickness * self.unit))
        cv2.ellipse(
            self.canvas,
            self.at(centre),
            size,
            angle_deg,
            arc_deg[0],
            arc_deg[1],
            colour,
            line,
            cv2.LINE_AA,
        )

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        corners = np.array([self.at(p) for p in points], np.int32)
        cv2.fillPoly(self.canvas, [corners], colour, cv2.LINE_AA)

    def glow(
        self,
        centre: tuple[float, float],
        axes: tuple[float, float],
        colour: Colour,
        share: float,
    ) -> None:
        """Blend a soft spot of colour over what is there."""
        x0, y0 = self.at(centre)
        reach_x, reach_y = (round(3 * axis * self.unit) for axis in axes)
        rows = slice(max(0, y0 - reach_y), max(0, y0 + reach_y))
        columns = slice(max(0, x0 - reach_x), max(0, x0 + reach_x))
        spot = self.canvas[rows, columns]
        y, x = np.ogrid[0 : spot.shape[0], 0 : spot.shape[1]]
        distance = ((x + columns.start - x0) / (axes[0] * self.unit)) ** 2
        distance = distance + ((y + rows.start - y0) / (axes[1] * self.unit)) ** 2
        weight = (share * np.exp(-distance)).astype(np.float32)[..., None]
        spot += weight * (np.array(colour, np.float32) - spot)

    def soften(self, sigma_px: float) -> None:
        blurred = cv2.GaussianBlur(self.canvas, (0, 0), max(0.5, sigma_px))
        self.canvas = np.asarray(blurred, np.float32)


def _draw_hair_behind(pen: _Pen, face: Features) -> None:
    top = -face.face_height * 0.32
    volume = 1.06 + face.hair_volume
    pen.ellipse((0, top), (volume, face.face_height * 0.82 * volume), face.hair)
    if face.hair_length:
        low = top + face.hair_length
        pen.ellipse((0, low), (volume * 1.02, 1.1), face.hair)


def _draw_head(pen: _Pen, face: Features) -> None:
    tall, jaw = face.face_height, face.jaw
    angles = np.linspace(0, 2 * np.pi, 120)
    points = []
    for angle in angles:
        x, y = np.sin(angle), -np.cos(angle) * tall
        if y > 0:
            x *= 1 - (1 - jaw) * (y / tall) ** 1.5
        points.append((float(x), float(y)))
    pen.polygon(points, face.skin)


def _draw_shading(pen: _Pen, face: Features, light: float) -> None:
    dark, bright = _shade(face.skin, 0.55), _shade(face.skin, 1.2)
    eye = face.eye_height
    pen.glow((-1.0, 0.3), (0.35, 1.1), dark, 0.55 + light)
    pen.glow((1.0, 0.3), (0.35, 1.1), dark, 0.55 - light)
    pen.glow((0, face.face_height), (0.8, 0.25), dark, 0.5)
    pen.glow((0, -face.face_height * 0.55), (0.5, 0.3), bright, 0.35)
    warm = (face.skin[0], face.skin[1] * 0.8, face.skin[2] * 0.78)
    for side in (-1, 1):
        pen.glow((side * 0.55, eye + 0.5), (0.28, 0.22), warm, 0.4)
        pen.glow((side * face.eye_distance, eye), (0.3, 0.2), dark, 0.5)


def _draw_beard(pen: _Pen, face: Features) -> None:
    mouth = face.eye_height + face.nose_length + face.mouth_height
    if face.beard:
        for side in (-1, 0, 1):
            centre = (side * 0.5 * face.jaw, mouth + 0.28 - 0.2 * abs(side))
            pen.glow(centre, (0.38, 0.42), face.hair, face.beard)
    if face.moustache:
        pen.glow((0, mouth - 0.14), (0.36, 0.08), face.hair, 0.9)


def _draw_nose(pen: _Pen, face: Features) -> None:
    eye, tip = face.eye_height, face.eye_height + face.nose_length
    dark, bright = _shade(face.skin, 0.5), _shade(face.skin, 1.22)
    width = face.nose_width
    pen.glow((0, (eye + tip) / 2), (width * 0.3, face.nose_length * 0.5), bright, 0.5)
    for side in (-1, 1):
        pen.glow((side * width * 0.75, tip - 0.1), (0.07, 0.22), dark, 0.4)
        pen.ellipse((side * width * 0.5, tip), (width * 0.24, 0.045), dark)
    pen.glow((0, tip - 0.06), (width * 0.4, 0.1), bright, 0.5)
    pen.glow((0, tip + 0.1), (width * 0.8, 0.05), dark, 0.5)


def _draw_mouth(pen: _Pen, face: Features) -> None:
    y = face.eye_height + face.nose_length + face.mouth_height
    width, thick = face.mouth_width, face.lip_thickness
    pen.ellipse((0, y - thick * 0.35), (width, thick), face.lips, arc_deg=(180, 360))
    pen.ellipse(
        (0, y), (width * 0.94, thick * 1.35), _shade(face.lips, 1.12), arc_deg=(0, 180)
    )
    pen.ellipse((0, y), (width * 0.97, 0.018), _shade(face.lips, 0.4))
    pen.glow(
        (0, y + thick * 2.2 + 0.05), (width * 0.6, 0.07), _shade(face.skin, 0.5), 0.4
    )


def _draw_eyes(pen: _Pen, face: Features, gaze: float) -> None:
    y, size = face.eye_height, face.eye_size
    for side in (-1, 1):
        x = side * face.eye_distance
        pen.ellipse((x, y), (size, size * 0.5), (238, 234, 230))
        pen.ellipse((x + gaze, y), (size * 0.46, size * 0.46), face.iris)
        pen.ellipse((x + gaze, y), (size * 0.22, size * 0.22), (12, 10, 10))
        pen.ellipse((x + gaze - 0.03, y - 0.03), (0.022, 0.022), (255, 255, 255))
        lid = _shade(face.skin, 0.35)
        pen.ellipse(
            (x, y), (size * 1.05, size * 0.55), lid, arc_deg=(180, 360), thickness=0.035
        )
        pen.ellipse(
            (x, y),
            (size, size * 0.5),
            _shade(face.skin, 0.6),
            arc_deg=(0, 180),
            thickness=0.015,
        )
        pen.ellipse(
            (x, y - face.brow_height),
            (size * 1.35, 0.03 + face.brow_thickness),
            _shade(face.hair, 0.85),
            angle_deg=side * np.rad2deg(face.brow_slope),
            arc_deg=(180, 360),
        )
        if face.glasses:
            pen.ellipse((x, y + 0.02), (0.3, 0.25), (25, 25, 28), thickness=0.035)
    if face.glasses:
        gap = face.eye_distance - 0.28
        pen.ellipse((0, y), (max(gap, 0.03), 0.05), (25, 25, 28), thickness=0.03)


def _draw_fringe(pen: _Pen, face: Features) -> None:
    top = -face.face_height
    low = top + face.fringe * (face.face_height + face.eye_height - face.brow_height)
    low = min(low, face.eye_height - face.brow_height - 0.18)
    points = [(-1.04, -0.35), (-0.98, top * 0.75), (0, top * 1.06), (0.98, top * 0.75)]
    points += [(1.04, -0.35), (0.86, low + 0.1), (0.2, low), (-0.4, low + 0.05)]
    pen.polygon([*points, (-0.88, low + 0.12)], face.hair)


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255.0, c * factor) for c in colour)
    return red, green, blue
