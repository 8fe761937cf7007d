"""A face before the camera, spoilt in one way each, to see what guidance says of it.

Scenes are computed from one picture of a face and are repeatable. They are cruder than
what happens before a camera: light falls by a ramp, hands are one patch. What turns a
head to the side cannot be computed from one picture and is not among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edge.terms import FaceInstruction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Image = NDArray[np.uint8]
    Points = NDArray[np.float32]

FRAME = (640, 480)  # width, height in px
EYES_AT = (320.0, 205.0)
EYES_PX = 104.0
_SOFT_EDGE_PX = 3.0


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture of a face. points: as edge.recognition.face.detection.Face has them."""

    image: Image
    points: Points

    def placed(
        self,
        *,
        eyes_px: float = EYES_PX,
        eyes_at: tuple[float, float] = EYES_AT,
        tilt_deg: float = 0.0,
    ) -> Portrait:
        """Return the picture as a camera's frame. tilt_deg: clockwise."""
        left, right = self.points[0], self.points[1]
        scale = eyes_px / max(float(np.linalg.norm(right - left)), 1.0)
        upright = float(np.degrees(np.arctan2(*(right - left)[::-1])))
        middle = (left + right) / 2
        turn = cv2.getRotationMatrix2D(
            (float(middle[0]), float(middle[1])), upright - tilt_deg, scale
        )
        turn[:, 2] += np.array(eyes_at) - middle
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        frame = cv2.warpAffine(
            self.image, turn, FRAME, flags=method, borderMode=cv2.BORDER_REPLICATE
        )
        points = self.points @ turn[:, :2].T + turn[:, 2]
        walled = _with_wall(np.asarray(frame), turn, self.image.shape)
        return Portrait(walled, points.astype(np.float32))


@dataclass(frozen=True)
class Condition:
    """right: the instructions that mend it, the first above all."""

    name: str
    right: tuple[FaceInstruction, ...]
    show: Callable[[Portrait, np.random.Generator], Image]


def _with_wall(
    frame: NDArray[Any], turn: NDArray[Any], shape: tuple[int, ...]
) -> Image:
    """Replace what lies outside the picture by a wall of its edges' mean colour."""
    inside = cv2.warpAffine(np.ones(shape[:2], np.float32), turn, FRAME)
    inside = cv2.GaussianBlur(cv2.erode(inside, np.ones((5, 5))), (0, 0), 4)[..., None]
    small = cv2.resize(frame, (80, 60), interpolation=cv2.INTER_AREA)
    wall = cv2.resize(cv2.GaussianBlur(small, (0, 0), 3), FRAME).astype(np.float32)
    return _pixels(frame * inside + wall * (1 - inside))


def plain(portrait: Portrait, _rng: np.random.Generator) -> Image:
    return portrait.placed().image


def far(portrait: Portrait, rng: np.random.Generator) -> Image:
    return portrait.placed(eyes_px=rng.uniform(20, 27)).image


def rather_far(portrait: Portrait, rng: np.random.Generator) -> Image:
    return portrait.placed(eyes_px=rng.uniform(50, 80)).image


def near(portrait: Portrait, rng: np.random.Generator) -> Image:
    return portrait.placed(eyes_px=rng.uniform(230, 260)).image


def at(x: float, y: float) -> Callable[[Portrait, np.random.Generator], Image]:
    """Return what shows the face with its eyes' middle at this place of the frame."""

    def show(portrait: Portrait, _rng: np.random.Generator) -> Image:
        return portrait.placed(eyes_at=(x, y)).image

    return show


def tilted(portrait: Portrait, rng: np.random.Generator) -> Image:
    angle = rng.uniform(25, 40) * rng.choice([-1, 1])
    return portrait.placed(tilt_deg=angle).image


def dark(portrait: Portrait, rng: np.random.Generator) -> Image:
    frame = portrait.placed().image
    light = rng.uniform(0.1, 0.2) * 128 / max(float(frame.mean()), 1.0)
    return _pixels(frame * light + rng.normal(0, 2, frame.shape))


def bright(portrait: Portrait, rng: np.random.Generator) -> Image:
    frame = portrait.placed().image.astype(np.float64)
    return _pixels(frame * rng.uniform(1.8, 2.4) + rng.uniform(70, 110))


def lit_from_one_side(portrait: Portrait, rng: np.random.Generator) -> Image:
    placed = portrait.placed()
    nose = float(placed.points[2, 0])
    side = rng.choice([-1, 1])
    way = side * (np.arange(FRAME[0]) - nose) / (0.35 * EYES_PX)
    ramp = 0.12 + 1.0 / (1 + np.exp(-way))
    return _pixels(placed.image * ramp[None, :, None])


def out_of_focus(portrait: Portrait, rng: np.random.Generator) -> Image:
    sigma = rng.uniform(0.05, 0.08) * EYES_PX
    return np.asarray(cv2.GaussianBlur(portrait.placed().image, (0, 0), sigma))


def moved(portrait: Portrait, rng: np.random.Generator) -> Image:
    length = int(rng.uniform(0.18, 0.3) * EYES_PX)
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1 / length
    turn = cv2.getRotationMatrix2D((length / 2, length / 2), rng.uniform(0, 180), 1)
    streak = cv2.warpAffine(kernel, turn, (length, length))
    streak = streak / streak.sum()
    return np.asarray(cv2.filter2D(portrait.placed().image, -1, streak))


def masked(portrait: Portrait, rng: np.random.Generator) -> Image:
    """A medical mask: from the bridge of the nose over the chin, with folds."""
    placed = portrait.placed()
    colour = np.array([[225, 230, 235], [120, 170, 200], [30, 30, 34]])[rng.integers(3)]
    top = (placed.points[0] + placed.points[1] + 2 * placed.points[2]) / 4
    outline = [(-0.95, 0), (0, -0.12), (0.95, 0), (0.85, 0.9), (0, 1.35), (-0.85, 0.9)]
    return _covered(placed, _around(placed, top, outline), colour, rng, folds=2.0)


def hand_before_mouth(portrait: Portrait, rng: np.random.Generator) -> Image:
    placed = portrait.placed()
    mouth = (placed.points[3] + placed.points[4]) / 2
    outline = [(-0.75, -0.45), (0.5, -0.5), (0.8, 0.1), (0.55, 1.6), (-0.6, 1.6)]
    return _covered(
        placed, _around(placed, mouth, outline), _skin_of(placed), rng, folds=5.0
    )


def scarf(portrait: Portrait, rng: np.random.Generator) -> Image:
    placed = portrait.placed()
    colour = rng.uniform(30, 200, 3)
    outline = [(-1.4, -0.1), (1.4, -0.1), (1.6, 2.5), (-1.6, 2.5)]
    return _covered(
        placed, _around(placed, placed.points[2], outline), colour, rng, folds=8.0
    )


def half_hidden(portrait: Portrait, rng: np.random.Generator) -> Image:
    """One side of the face behind something plain, such as a raised document."""
    placed = portrait.placed()
    side = float(rng.choice([-1, 1]))
    nose = placed.points[2]
    outline = [(side * x, y) for x, y in ((0.08, -2), (2.0, -2), (2.0, 2), (0.08, 2))]
    colour = rng.uniform(60, 200, 3)
    return _covered(placed, _around(placed, nose, outline), colour, rng, folds=1.0)


def sunglasses(portrait: Portrait, rng: np.random.Generator) -> Image:
    placed = portrait.placed()
    frame = placed.image
    for eye in placed.points[:2]:
        outline = [(-0.38, -0.2), (0.38, -0.2), (0.33, 0.25), (-0.33, 0.25)]
        frame = _covered(
            Portrait(frame, placed.points),
            _around(placed, eye, outline),
            np.array([14, 14, 18]),
            rng,
            folds=0.0,
        )
    return frame


def reflecting(portrait: Portrait, rng: np.random.Generator) -> Image:
    placed = portrait.placed()
    shiny = placed.image.copy()
    for x, y in placed.points[:2]:
        at_px = (round(float(x) + rng.uniform(-4, 4)), round(float(y)))
        axes = (round(0.26 * EYES_PX), round(0.15 * EYES_PX))
        cv2.ellipse(shiny, at_px, axes, 20, 0, 360, (255, 255, 255), -1, cv2.LINE_AA)
    return shiny


def two_persons(portrait: Portrait, _rng: np.random.Generator) -> Image:
    """The person twice, beside each other: the guidance does not know one another."""
    left = portrait.placed(eyes_px=80, eyes_at=(190, 205)).image
    right = portrait.placed(eyes_px=80, eyes_at=(450, 205)).image[:, ::1]
    return np.hstack([left[:, :320], right[:, 320:]])


def _around(
    placed: Portrait, centre: Points, outline: Sequence[tuple[float, float]]
) -> NDArray[np.int32]:
    """Return the corners of an outline given in eye distances from the centre."""
    across = placed.points[1] - placed.points[0]
    down = np.array([-across[1], across[0]])
    corners = [centre + x * across + y * down for x, y in outline]
    return np.asarray(np.round(corners), np.int32)


def _covered(
    placed: Portrait,
    corners: NDArray[np.int32],
    colour: NDArray[Any],
    rng: np.random.Generator,
    *,
    folds: float,
) -> Image:
    mask: NDArray[Any] = np.zeros(placed.image.shape[:2], np.float32)
    cv2.fillPoly(mask, [corners], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), _SOFT_EDGE_PX)[..., None]
    rough = cv2.GaussianBlur(rng.normal(0, 1, mask.shape[:2]), (0, 0), 12)
    cloth = np.asarray(colour) * np.ones_like(placed.image, np.float64)
    cloth += folds * (rough / max(float(rough.std()), 1e-6))[..., None]
    cloth += rng.normal(0, 1.5, cloth.shape)
    return _pixels(placed.image * (1 - mask) + cloth * mask)


def _skin_of(placed: Portrait) -> NDArray[Any]:
    x, y = (round(float(v)) for v in placed.points[2])
    patch = placed.image[max(0, y - 30) : y + 5, max(0, x - 12) : x + 12]
    return np.median(patch.reshape(-1, 3), axis=0) if patch.size else np.full(3, 150)


def _pixels(values: NDArray[Any]) -> Image:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


CONDITIONS: tuple[Condition, ...] = (
    Condition("plain", (FaceInstruction.OK,), plain),
    Condition("dark", (FaceInstruction.TOO_DARK,), dark),
    Condition("bright", (FaceInstruction.TOO_BRIGHT,), bright),
    Condition(
        "lit from one side", (FaceInstruction.LIGHT_FROM_ONE_SIDE,), lit_from_one_side
    ),
    Condition("far", (FaceInstruction.CLOSER,), far),
    Condition("rather far", (FaceInstruction.CLOSER,), rather_far),
    Condition("near", (FaceInstruction.FURTHER,), near),
    Condition("at the left edge", (FaceInstruction.LEFT,), at(45, 205)),
    Condition("at the right edge", (FaceInstruction.RIGHT,), at(595, 205)),
    Condition("at the upper edge", (FaceInstruction.DOWN,), at(320, 40)),
    Condition("at the lower edge", (FaceInstruction.UP,), at(320, 400)),
    Condition("left of the middle", (FaceInstruction.LEFT,), at(150, 205)),
    Condition("right of the middle", (FaceInstruction.RIGHT,), at(490, 205)),
    Condition("tilted", (FaceInstruction.LEVEL_HEAD,), tilted),
    Condition("out of focus", (FaceInstruction.HOLD_STILL,), out_of_focus),
    Condition("moved", (FaceInstruction.HOLD_STILL,), moved),
    Condition("masked", (FaceInstruction.UNCOVER_FACE,), masked),
    Condition("hand before mouth", (FaceInstruction.UNCOVER_FACE,), hand_before_mouth),
    Condition("scarf", (FaceInstruction.UNCOVER_FACE,), scarf),
    Condition("half hidden", (FaceInstruction.UNCOVER_FACE,), half_hidden),
    Condition("sunglasses", (FaceInstruction.UNCOVER_FACE,), sunglasses),
    Condition("glasses reflect", (FaceInstruction.GLASSES_REFLECT,), reflecting),
    Condition("two persons", (FaceInstruction.ONE_PERSON_ONLY,), two_persons),
)
