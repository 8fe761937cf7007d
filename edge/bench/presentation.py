"""How often simulated presentation attacks are taken for faces, and faces for attacks.

ISO/IEC 30107-3: APCER, of each instrument, the share of attack presentations classified
as bona fide; BPCER, the share of bona fide presentations classified as attacks. Those
without a face found count apart, as non-responses.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from edge.bench.progress import Progress, Silent, mapped
from edge.simulate.presentation_attacks import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge.bench.face_folder import FaceImage

    Image = NDArray[np.uint8]

BONA_FIDE = "bona fide"
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)


class Judge(Protocol):
    def score(self, image: Image) -> float | None:
        """Return the bona fide score of the largest face, None without a face."""
        ...


@dataclass(frozen=True, eq=False)
class PresentationMeasurement:
    """scores: by instrument, BONA_FIDE among them; None where no face was found."""

    threshold: float
    scores: Mapping[str, Sequence[float | None]]

    def report(self) -> dict[str, Any]:
        """Return the benchmark's keys, ready for JSON."""
        return {
            "simulated": True,
            "threshold": self.threshold,
            "presentations": {name: len(found) for name, found in self.scores.items()},
            "non_responses": {
                name: sum(score is None for score in found) / len(found)
                for name, found in self.scores.items()
            },
            "bpcer": self.bpcer(self.threshold),
            "apcer": self.apcer(self.threshold),
            "by_threshold": {
                f"{threshold:g}": {
                    "bpcer": self.bpcer(threshold),
                    "apcer_worst": max(self.apcer(threshold).values()),
                }
                for threshold in THRESHOLDS
            },
        }

    def bpcer(self, threshold: float) -> float:
        found = self._found(BONA_FIDE)
        return float((found < threshold).mean())

    def apcer(self, threshold: float) -> dict[str, float]:
        return {
            name: float((self._found(name) >= threshold).mean())
            for name in self.scores
            if name != BONA_FIDE
        }

    def _found(self, name: str) -> NDArray[np.float64]:
        found = [score for score in self.scores[name] if score is not None]
        return np.array(found or [0.0])


def measure_presentation(
    images: Sequence[FaceImage],
    judge: Judge,
    *,
    threshold: float,
    threads: int = 1,
    progress: Progress | None = None,
) -> PresentationMeasurement:
    """Judge each image as it is, and as each instrument would present it.

    Raises:
        InputError: a file cannot be read.
        ModelError: a network fails.
    """

    def scores(image: FaceImage) -> dict[str, float | None]:
        pixels = image.pixels()
        # By the file's name, not by the order in which threads come to it.
        rng = np.random.default_rng(zlib.crc32(image.path.name.encode()))
        found = {BONA_FIDE: judge.score(pixels)}
        for name, present in INSTRUMENTS.items():
            found[name] = judge.score(present(pixels, rng))
        return found

    rows = mapped(
        scores,
        images,
        threads=threads,
        progress=progress or Silent(),
        text="presenting",
    )
    names = (BONA_FIDE, *INSTRUMENTS)
    return PresentationMeasurement(
        threshold, {name: [row[name] for row in rows] for name in names}
    )
