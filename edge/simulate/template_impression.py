"""Another impression of an invented finger, as a template.

What changes, and how much, follows the mated pairs of FVC2000 DB1_B, DB2_B, DB3_B and
FVC2002 DB3_B: see edge.bench.synthetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from edge.simulate.template_kernels import QUALITIES, QUALITY_SHARES
from edge.terms import FingerprintTemplate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Share of minutiae that the next impression shows again, by quality.
_RATINGS, _FOUND_AGAIN = (45.0, 70.0, 85.0, 92.0, 98.0), (0.60, 0.80, 0.92, 0.97, 1.0)
_ROTATION_RAD, _SHIFT_PX, _SCALE = 0.12, 14.0, 0.09
_WAVES, _WAVE_PX, _LENGTHS_PX = 4, 2.0, (110.0, 420.0)
_JITTER_PX, _JITTER_RAD, _WILD_RAD = 0.85, 0.03, 0.14
_WILD_SHARE = 0.12
_FLIP_SHARE = 0.15
_SPURIOUS_SHARE = 0.09
_AXES = 2.1  # half axes of an evenly filled ellipse in standard deviations
_CLOSEST_PX = 9.0
_ROUNDING = 1.0 + 1e-9
_RATING_SPREAD = 0.2


@dataclass(frozen=True, eq=False)
class _Points:
    """x, y in px, y up, origin in the middle of the contact; angle in rad."""

    x: Floats
    y: Floats
    angle: Floats
    kind: NDArray[np.uint8]
    quality: Floats

    def where(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> _Points:
        return _Points(
            self.x[kept],
            self.y[kept],
            self.angle[kept],
            self.kind[kept],
            self.quality[kept],
        )


def impression(
    template: FingerprintTemplate, rng: np.random.Generator, severity: float = 1.0
) -> FingerprintTemplate:
    """Return another impression of the same finger, in a window of the same size.

    severity: 0 changes nothing but rounding, 1 is what real impressions differ by on
    average, more is worse.

    Raises:
        InputError: severity is negative.
    """
    if severity < 0:
        raise InputError(f"impression: severity {severity} is negative; give 0 or more")
    if not len(template):
        return template
    # Impressions differ in how well they were given.
    worse = severity * float(rng.lognormal(0.0, 0.4))
    middle = (float(np.mean(template.x)), float(np.mean(template.y)))
    points = _points(template, middle)
    axes = np.maximum(_AXES * np.array([points.x.std(), points.y.std()]), 20.0)
    # The contact holds all that was found in it.
    axes *= max(1.0, float(np.hypot(points.x / axes[0], points.y / axes[1]).max()))
    seen = _touching(points, axes, rng, worse)
    pressed = _moved(_jittered(seen, rng, worse), rng, worse)
    return _template(pressed, template, middle, rng.normal(0, 6.0 * severity, 2))


def _points(template: FingerprintTemplate, middle: tuple[float, float]) -> _Points:
    return _Points(
        template.x.astype(np.float64) - middle[0],
        middle[1] - template.y.astype(np.float64),
        template.angle_rad.astype(np.float64),
        template.kind,
        template.quality.astype(np.float64),
    )


def _touching(
    points: _Points, axes: Floats, rng: np.random.Generator, worse: float
) -> _Points:
    """Lose what is weak or no longer touches; gain what touches now, and errors."""
    shift = rng.normal(0, _SHIFT_PX * worse, 2)
    now = axes * np.exp(rng.normal(0, _SCALE * worse, 2))
    touches = _inside(points.x - shift[0], points.y - shift[1], now * _ROUNDING)
    again = np.interp(points.quality, _RATINGS, _FOUND_AGAIN) ** worse
    kept = points.where(touches & (rng.random(len(again)) < again))
    if worse <= 0:
        return kept
    density = len(points.x) / (math.pi * axes[0] * axes[1])
    tries = rng.poisson(density * 4 * now[0] * now[1])
    x, y = (now[:, None] * rng.uniform(-1, 1, (2, tries)))[:2]
    is_touching = _inside(x, y, now)
    x, y = x + shift[0], y + shift[1]
    was_untouched = ~_inside(x, y, axes)
    is_spurious = rng.random(tries) < _SPURIOUS_SHARE * worse
    is_new = is_touching & (was_untouched | is_spurious)
    weak = rng.uniform(45, 85, tries)
    quality = np.where(was_untouched, rng.choice(points.quality, tries), weak)
    return _with_more(kept, x[is_new], y[is_new], quality[is_new], rng)


def _inside(x: Floats, y: Floats, axes: Floats) -> NDArray[np.bool_]:
    return np.asarray((x / axes[0]) ** 2 + (y / axes[1]) ** 2 <= 1.0)


def _with_more(
    kept: _Points, x: Floats, y: Floats, quality: Floats, rng: np.random.Generator
) -> _Points:
    """Add minutiae that keep their distance and follow the nearest one's ridge."""
    if not len(kept.x) or not len(x):
        return kept
    far = np.hypot(x[:, None] - kept.x, y[:, None] - kept.y)
    nearest = far.argmin(axis=1)
    between = np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.triu(np.ones(len(x)))
    free = np.minimum(far.min(axis=1), between.min(axis=1)) > _CLOSEST_PX
    count = len(x)
    angle = kept.angle[nearest] + np.pi * (rng.random(count) < 0.4)
    angle = angle + rng.normal(0, 0.25, count)
    kind = np.where(rng.random(count) < 0.65, 1, 2).astype(np.uint8)
    return _Points(
        np.concatenate([kept.x, x[free]]),
        np.concatenate([kept.y, y[free]]),
        np.concatenate([kept.angle, angle[free]]),
        np.concatenate([kept.kind, kind[free]]),
        np.concatenate([kept.quality, quality[free]]),
    )


def _jittered(points: _Points, rng: np.random.Generator, worse: float) -> _Points:
    """The extractor's own errors."""
    count = len(points.x)
    wild = np.where(rng.random(count) < _WILD_SHARE, _WILD_RAD, _JITTER_RAD)
    flipped = rng.random(count) < _FLIP_SHARE * min(worse, 2.0)
    return _Points(
        points.x + rng.normal(0, 1, count) * _JITTER_PX * worse,
        points.y + rng.normal(0, 1, count) * _JITTER_PX * worse,
        points.angle + rng.normal(0, 1, count) * wild * worse,
        np.where(flipped, 3 - points.kind, points.kind).astype(np.uint8),
        _rated(points.quality, rng.normal(0, 1, count) * _RATING_SPREAD * worse),
    )


def _rated(quality: Floats, step: Floats) -> Floats:
    """Move minutiae up or down the ranks of quality: the distribution stays."""
    share = np.interp(quality, QUALITIES, QUALITY_SHARES) + step
    inside = np.abs(share - 2 * np.round(share / 2))
    return np.asarray(np.interp(inside, QUALITY_SHARES, QUALITIES), np.float64)


def _moved(points: _Points, rng: np.random.Generator, worse: float) -> _Points:
    """Bend smoothly, as skin does, then turn; directions follow."""
    lengths = rng.uniform(*_LENGTHS_PX, _WAVES)
    heading = rng.uniform(0, 2 * np.pi, _WAVES)
    wave = 2 * np.pi / lengths * np.stack([np.cos(heading), np.sin(heading)])
    phase = rng.uniform(0, 2 * np.pi, _WAVES)
    # Long waves bend further than short ones.
    height = rng.normal(0, _WAVE_PX * worse, (_WAVES, 2)) * (lengths / 200)[:, None]
    turn = rng.normal(0, _ROTATION_RAD * worse)
    cosine, sine = math.cos(turn), math.sin(turn)

    def placed(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        bend = np.sin(x[:, None] * wave[0] + y[:, None] * wave[1] + phase) @ height
        x, y = x + bend[:, 0], y + bend[:, 1]
        return cosine * x - sine * y, sine * x + cosine * y

    x, y = placed(points.x, points.y)
    ahead_x, ahead_y = placed(
        points.x + np.cos(points.angle), points.y + np.sin(points.angle)
    )
    angle = np.arctan2(ahead_y - y, ahead_x - x)
    return _Points(x, y, angle, points.kind, points.quality)


def _template(
    points: _Points,
    like: FingerprintTemplate,
    middle: tuple[float, float],
    shift: Floats,
) -> FingerprintTemplate:
    x = np.rint(points.x + middle[0] + shift[0])
    y = np.rint(middle[1] - points.y + shift[1])
    in_window = (x >= 0) & (y >= 0) & (x < like.width_px) & (y < like.height_px)
    quality = np.clip(np.rint(points.quality), 1, 99).astype(np.uint8)
    order = np.argsort(-quality.astype(np.int64), kind="stable")
    order = order[in_window[order]]
    angle = np.mod(points.angle[order], 2 * np.pi).astype(np.float32)
    angle[angle >= np.float32(2 * np.pi)] = 0.0
    return FingerprintTemplate(
        position=like.position,
        model_id=like.model_id,
        width_px=like.width_px,
        height_px=like.height_px,
        x=x[order].astype(np.int16),
        y=y[order].astype(np.int16),
        angle_rad=angle,
        kind=points.kind[order],
        quality=quality[order],
    )
