"""Templates of fingers that do not exist, by the million, without any image.

A template follows from (seed, index) alone, on any machine. How much it is like a real
one is measured by edge.bench.synthetic.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from edge.simulate import template_kernels as kernels
from edge.simulate.template_impression import impression
from edge.terms import FingerPosition, FingerprintTemplate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["TemplateColumns", "generate", "impression"]

MODEL_ID = "leader"  # comparable with what the engine extracts
_CHUNK = 4096
_SEED_BITS = 64


@dataclass(frozen=True, eq=False)
class TemplateColumns:
    """Templates in flat columns; units as in FingerprintTemplate.

    Template i has the minutiae offsets[i] to offsets[i + 1], strongest first.
    offsets: int64 (n + 1,). width_px, height_px: int32 (n,). position: uint8 (n,),
    codes of FingerPosition.
    """

    offsets: NDArray[np.int64]
    x: NDArray[np.int16]
    y: NDArray[np.int16]
    angle_rad: NDArray[np.float32]
    kind: NDArray[np.uint8]
    quality: NDArray[np.uint8]
    width_px: NDArray[np.int32]
    height_px: NDArray[np.int32]
    position: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.width_px)

    def part(self, first: int, count: int) -> TemplateColumns:
        """Return the templates from first on; the arrays are views."""
        ends = self.offsets[first : first + count + 1]
        here, own = slice(int(ends[0]), int(ends[-1])), slice(first, first + count)
        return TemplateColumns(
            offsets=ends - ends[0],
            x=self.x[here],
            y=self.y[here],
            angle_rad=self.angle_rad[here],
            kind=self.kind[here],
            quality=self.quality[here],
            width_px=self.width_px[own],
            height_px=self.height_px[own],
            position=self.position[own],
        )

    def template(self, i: int) -> FingerprintTemplate:
        """Return template i; its arrays are views of the columns."""
        here = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        return FingerprintTemplate(
            position=FingerPosition(int(self.position[i])),
            model_id=MODEL_ID,
            width_px=int(self.width_px[i]),
            height_px=int(self.height_px[i]),
            x=self.x[here],
            y=self.y[here],
            angle_rad=self.angle_rad[here],
            kind=self.kind[here],
            quality=self.quality[here],
        )


def generate(
    seed: int,
    count: int,
    *,
    threads: int = 1,
    first: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> TemplateColumns:
    """Return templates first to first + count of the endless gallery of seed.

    on_progress: told how many are done, in the calling thread.

    Raises:
        InputError: count, first or threads is out of range.
    """
    if count < 0 or first < 0 or threads < 1:
        raise InputError(
            f"templates to generate: {count} from {first} by {threads} threads; "
            "give counts from 0 and at least one thread"
        )
    word = np.uint64(seed % 2**_SEED_BITS)
    starts = range(0, count, _CHUNK)
    parts = []
    with ThreadPoolExecutor(threads) as pool:
        jobs = [
            pool.submit(_chunk, word, first + start, min(_CHUNK, count - start))
            for start in starts
        ]
        for start, job in zip(starts, jobs, strict=True):
            parts.append(job.result())
            if on_progress is not None:
                on_progress(min(start + _CHUNK, count))
    return _joined(parts)


def _chunk(word: np.uint64, first: int, count: int) -> TemplateColumns:
    shape = (count, kernels.MOST_MINUTIAE, kernels.COLUMNS)
    minutiae = np.zeros(shape, np.float32)
    facts = np.zeros((count, kernels.FACTS), np.int32)
    counts = np.zeros(count, np.int64)
    kernels.fill(word, first, minutiae, facts, counts)
    rows = minutiae[np.arange(kernels.MOST_MINUTIAE) < counts[:, None]]
    angle = rows[:, kernels.ANGLE].copy()
    angle[angle >= np.float32(2 * np.pi)] = 0.0
    return TemplateColumns(
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        x=rows[:, kernels.X].astype(np.int16),
        y=rows[:, kernels.Y].astype(np.int16),
        angle_rad=angle,
        kind=rows[:, kernels.KIND].astype(np.uint8),
        quality=rows[:, kernels.QUALITY].astype(np.uint8),
        width_px=facts[:, kernels.WIDTH].copy(),
        height_px=facts[:, kernels.HEIGHT].copy(),
        position=facts[:, kernels.POSITION].astype(np.uint8),
    )


def _joined(parts: list[TemplateColumns]) -> TemplateColumns:
    if not parts:
        parts = [_chunk(np.uint64(0), 0, 0)]
    ends = np.cumsum([0, *(part.offsets[-1] for part in parts)])
    shifted = [part.offsets[1:] + end for part, end in zip(parts, ends, strict=False)]
    return TemplateColumns(
        offsets=np.concatenate([[0], *shifted]).astype(np.int64),
        x=np.concatenate([part.x for part in parts]),
        y=np.concatenate([part.y for part in parts]),
        angle_rad=np.concatenate([part.angle_rad for part in parts]),
        kind=np.concatenate([part.kind for part in parts]),
        quality=np.concatenate([part.quality for part in parts]),
        width_px=np.concatenate([part.width_px for part in parts]),
        height_px=np.concatenate([part.height_px for part in parts]),
        position=np.concatenate([part.position for part in parts]),
    )
