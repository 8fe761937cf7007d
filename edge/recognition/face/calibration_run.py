"""Count the false match rates of face scores on a folder of labelled faces.

Images are named <person>_<number>.<ext>; every pair of images of different persons is
one non-mated comparison. `edge face calibrate` runs this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from edge.recognition.face.calibration import Calibration, calibrate
from edge.recognition.face.comparison import similarity_of_distance
from edge.recognition.image_file import read_rgb_image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from edge.recognition.face.engine import FaceEngine

_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})


@dataclass(frozen=True, eq=False)
class FaceSet:
    """Embeddings, float32 (n, d), and the person of each; images without a face."""

    model_id: str
    persons: tuple[str, ...]
    embeddings: NDArray[np.float32]
    without_face: tuple[str, ...]


@dataclass(frozen=True)
class ErrorRates:
    """Share of mated pairs missed where a false match rate is allowed."""

    mated: int
    false_non_match_rates: dict[float, float]


def embed_folder(
    engine: FaceEngine, folder: Path, on_image: Callable[[], None] | None = None
) -> FaceSet:
    """Embed the face nearest to the middle of each image, whatever its quality.

    Raises:
        InputError: fewer than two images with a face.
    """
    persons, vectors, without_face, model_id = [], [], [], ""
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES):
        template = engine.embed_central_face(read_rgb_image(path))
        if template is None:
            without_face.append(path.name)
        else:
            persons.append(path.stem.rpartition("_")[0])
            vectors.append(template.vector)
            model_id = template.model_id
        if on_image is not None:
            on_image()
    if len(vectors) < 2:
        raise InputError(f"{folder}: fewer than two images with a face")
    return FaceSet(model_id, tuple(persons), np.stack(vectors), tuple(without_face))


def count(faces: FaceSet) -> tuple[Calibration, ErrorRates]:
    """Return the calibration of all non-mated pairs, and how many mated ones it costs.

    Raises:
        ModelError: too few pairs.
    """
    mated, non_mated = _pair_scores(faces)
    calibration = calibrate(faces.model_id, mated, non_mated)
    missed = {
        rate: float((mated < calibration.score_at(rate)).mean()) if len(mated) else 0.0
        for rate in (1e-2, 1e-3, 1e-4, 1e-5)
    }
    return calibration, ErrorRates(len(mated), missed)


def _pair_scores(faces: FaceSet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    persons = np.unique(faces.persons, return_inverse=True)[1]
    mated, non_mated = [], []
    for index in range(1, len(persons)):
        differences = faces.embeddings[:index] - faces.embeddings[index]
        scores = similarity_of_distance(np.linalg.norm(differences, axis=1))
        same = persons[:index] == persons[index]
        mated.append(scores[same])
        non_mated.append(scores[~same])
    return np.concatenate(mated), np.concatenate(non_mated)
