"""Accuracy and speed of the face engine on a folder of faces."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edge.bench.error_rates import PairScores
from edge.bench.identification import identification_report
from edge.bench.progress import Progress, Silent, mapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.bench.face_folder import FaceImage
    from edge.recognition.face.detection import Face
    from edge.terms import FaceTemplate

    Image = NDArray[np.uint8]

RATES = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4, "1e-5": 1e-5}
TIMED_IMAGES = 40
# Lower than any score: a pair with an image without a face never matches.
FAILED_SCORE = -1.0
# The frame that detection is timed at, as a camera gives it.
TIMED_FRAME = (640, 480)  # width, height in px


class Faces(Protocol):
    """The engine, one thread a call; called from several threads."""

    def detect(self, image: Image) -> list[Face]: ...

    def central_face(self, image: Image) -> Face | None: ...

    def embed(self, image: Image, face: Face) -> FaceTemplate: ...

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return those of each with each, (n, n)."""
        ...


@dataclass(frozen=True, eq=False)
class FaceMeasurement:
    """What was measured on one folder. Times are those of one thread, in ms."""

    model_id: str
    persons: Sequence[str]
    without_face: Sequence[str]
    pairs: PairScores
    identification: dict[str, object]
    detect_ms: list[float]
    embed_ms: list[float]

    def report(self) -> dict[str, object]:
        """Return the benchmark's keys, ready for JSON."""
        return {
            "model_id": self.model_id,
            "images": len(self.persons),
            "persons": len(set(self.persons)),
            **self.pairs.report(RATES),
            **self.identification,
            "failure_to_detect": len(self.without_face) / len(self.persons),
            "without_face": list(self.without_face[:20]),
            "detect_ms_median": statistics.median(self.detect_ms),
            "embed_ms_median": statistics.median(self.embed_ms),
        }


def measure_faces(
    images: Sequence[FaceImage],
    faces: Faces,
    *,
    threads: int = 1,
    progress: Progress | None = None,
) -> FaceMeasurement:
    """Embed the face nearest to the middle of each image, compare every pair.

    Raises:
        InputError: a file cannot be read.
        ModelError: a network fails.
    """
    progress = progress or Silent()
    templates = mapped(
        lambda image: _template(faces, image.pixels()),
        images,
        threads=threads,
        progress=progress,
        text="embedding",
    )
    persons = [image.person for image in images]
    scores = _scores(faces, templates)
    first, second = np.triu_indices(len(images), 1)
    is_mated = np.array(persons)[first] == np.array(persons)[second]
    values = scores[first, second]
    detect_ms, embed_ms = _times(faces, images, progress)
    made = [template for template in templates if template is not None]
    return FaceMeasurement(
        model_id=made[0].model_id if made else "",
        persons=persons,
        without_face=[
            image.path.name
            for image, template in zip(images, templates, strict=True)
            if template is None
        ],
        pairs=PairScores(values[is_mated], values[~is_mated]),
        identification=identification_report(
            np.where(scores == FAILED_SCORE, -np.inf, scores), persons
        ),
        detect_ms=detect_ms,
        embed_ms=embed_ms,
    )


def _template(faces: Faces, image: Image) -> FaceTemplate | None:
    face = faces.central_face(image)
    return None if face is None else faces.embed(image, face)


def _scores(
    faces: Faces, templates: Sequence[FaceTemplate | None]
) -> NDArray[np.float64]:
    scores = np.full((len(templates), len(templates)), FAILED_SCORE)
    held = [place for place, template in enumerate(templates) if template is not None]
    vectors = [template.vector for template in templates if template is not None]
    if vectors:
        scores[np.ix_(held, held)] = faces.scores(np.stack(vectors))
    return scores


def _times(
    faces: Faces, images: Sequence[FaceImage], progress: Progress
) -> tuple[list[float], list[float]]:
    """Return milliseconds of detection in a camera's frame, and of embedding."""
    chosen = np.linspace(0, len(images) - 1, min(TIMED_IMAGES, len(images)))
    detect_ms, embed_ms = [], []
    for done, place in enumerate(chosen):
        progress.step("timing", done, len(chosen))
        frame = in_frame(images[round(place)].pixels())
        start_s = time.perf_counter()
        found = faces.detect(frame)
        detect_ms.append(1000 * (time.perf_counter() - start_s))
        if found:
            start_s = time.perf_counter()
            faces.embed(frame, found[0])
            embed_ms.append(1000 * (time.perf_counter() - start_s))
    progress.step("timing", len(chosen), len(chosen))
    return detect_ms, embed_ms or [0.0]


def in_frame(image: Image) -> Image:
    """Return the image in the middle of a camera's frame, cut where it is larger."""
    width, height = TIMED_FRAME
    frame = np.full((height, width, 3), 127, np.uint8)
    rows, columns = min(height, image.shape[0]), min(width, image.shape[1])
    top, left = (height - rows) // 2, (width - columns) // 2
    y, x = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    frame[top : top + rows, left : left + columns] = image[
        y : y + rows, x : x + columns
    ]
    return frame
