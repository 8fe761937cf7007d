"""Prints and faces of two folders, compared all with all, as false match rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.bench.finger import extracted, score_matrix
from edge.bench.fusion import Samples
from edge.bench.progress import mapped
from edge.recognition.face.calibration import calibration_of
from edge.recognition.face.comparison import similarity_matrix
from edge.recognition.fingerprint.calibration import committed
from edge.recognition.fingerprint.comparison import compare, prepare
from edge.recognition.likelihood_tables import FINGERPRINT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge.bench.face_folder import FaceImage
    from edge.bench.print_folder import Impression
    from edge.bench.progress import Progress
    from edge.ports import FingerprintRecognition
    from edge.recognition.face.engine import FaceEngine
    from edge.terms import FaceTemplate, FingerprintTemplate

    Floats = NDArray[np.float64]


def finger_samples(
    impressions: Sequence[Impression],
    engine: FingerprintRecognition,
    poorest: float,
    threads: int,
    progress: Progress,
) -> Samples:
    """Extract and compare all prints.

    poorest: only this share of them, of the lowest native quality, is presented.
    """
    templates = mapped(
        lambda impression: extracted(engine, impression),
        impressions,
        threads=threads,
        progress=progress,
        text="extracting prints",
    )
    is_probe = np.ones(len(impressions), np.bool_)
    if poorest < 1:
        scores = mapped(
            lambda impression: engine.assess(impression.sample()).score,
            impressions,
            threads=threads,
            progress=progress,
            text="assessing prints",
        )
        kept = max(round(poorest * len(scores)), 1)
        is_probe[np.argsort(scores, kind="stable")[kept:]] = False
    owners = [impression.finger for impression in impressions]
    return samples_of_fingers(templates, owners, is_probe, threads, progress)


def samples_of_fingers(
    templates: Sequence[FingerprintTemplate | None],
    owners: Sequence[str],
    is_probe: NDArray[np.bool_],
    threads: int,
    progress: Progress,
) -> Samples:
    """Compare all prints with each other; None is a print that gave no template."""
    prepared = [None if t is None else prepare(t) for t in templates]
    scores = score_matrix(prepared, compare, threads=threads, progress=progress)
    rate = np.frompyfunc(committed().false_match_rate, 1, 1)
    rates = np.asarray(rate(np.maximum(scores, scores.T)), np.float64)
    is_usable = np.array([template is not None for template in templates])
    return Samples(FINGERPRINT, owners, _known(rates, is_usable), is_usable, is_probe)


def face_samples(
    images: Sequence[FaceImage], engine: FaceEngine, threads: int, progress: Progress
) -> Samples:
    """Embed and compare the face in the middle of all images."""
    templates = mapped(
        lambda image: engine.embed_central_face(image.pixels()),
        images,
        threads=threads,
        progress=progress,
        text="embedding faces",
    )
    return samples_of_faces(templates, [image.person for image in images])


def samples_of_faces(
    templates: Sequence[FaceTemplate | None], owners: Sequence[str]
) -> Samples:
    """Compare all faces with each other; None is an image without a face."""
    made = [template for template in templates if template is not None]
    model_id = made[0].model_id
    nothing = np.zeros_like(made[0].vector)
    vectors = np.stack([nothing if t is None else t.vector for t in templates])
    rate = np.frompyfunc(calibration_of(model_id).false_match_rate, 1, 1)
    rates = np.asarray(rate(similarity_matrix(vectors)), np.float64)
    is_usable = np.array([template is not None for template in templates])
    every = np.ones(len(templates), np.bool_)
    return Samples(model_id, owners, _known(rates, is_usable), is_usable, every)


def _known(rates: Floats, is_usable: NDArray[np.bool_]) -> Floats:
    return np.where(is_usable[:, None] & is_usable, rates, 1.0)
