"""One frame in, its face's quality and template out: the FaceRecognition port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.face import quality
from edge.recognition.face.alignment import cut_chip
from edge.recognition.face.calibration import Calibration, shipped_calibration
from edge.recognition.face.comparison import similarity
from edge.recognition.face.detection import DEFAULT_MIN_FACE_PX, FaceDetector
from edge.recognition.face.embedding import NETWORK_ID, FaceEmbedder
from edge.recognition.onnx_session import OnnxSession
from edge.terms import ComparisonScore

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Protocol

    from numpy.typing import NDArray

    from edge.terms import FaceSample, FaceTemplate, Quality

    class ModelPaths(Protocol):
        def path(self, model_id: str) -> Path: ...


DETECTION_MODEL_IDS = ("mtcnn-pnet", "mtcnn-rnet", "mtcnn-onet")


class FaceEngine:
    """Detection, alignment, quality, embedding and comparison of faces."""

    def __init__(
        self,
        detector: FaceDetector,
        embedder: FaceEmbedder,
        calibration: Calibration | None = None,
    ) -> None:
        self.detector = detector
        self._embedder = embedder
        self._calibration = calibration or shipped_calibration()

    @classmethod
    def from_model_store(
        cls,
        store: ModelPaths,
        threads: int = 1,
        *,
        min_face_px: int = DEFAULT_MIN_FACE_PX,
    ) -> FaceEngine:
        """Make an engine of the store's models.

        Raises:
            ModelError: a model is missing, damaged or not the pinned one.
        """
        networks = [OnnxSession(store.path(i), threads) for i in DETECTION_MODEL_IDS]
        detector = FaceDetector(*networks, min_face_px=min_face_px)
        resnet = OnnxSession(store.path(NETWORK_ID), threads)
        return cls(detector, FaceEmbedder(resnet))

    def process(self, sample: FaceSample) -> tuple[Quality, FaceTemplate | None]:
        """Assess the largest face; its template is None if it is not usable.

        Raises:
            InputError: the sample's image is not RGB of 8 bits.
        """
        faces = self.detector.detect(sample.image)
        if not faces:
            return quality.no_face(), None
        chip = cut_chip(sample.image, faces[0].points)
        assessed = quality.assess(faces, chip)
        if not assessed.is_sufficient:
            return assessed, None
        return assessed, self._embedder.embed(chip.image)

    def embed_central_face(self, image: NDArray[np.uint8]) -> FaceTemplate | None:
        """Embed the face nearest to the middle of the image, without a quality gate."""
        middle = np.array(image.shape[1::-1]) / 2
        faces = self.detector.detect(image)
        if not faces:
            return None
        face = min(
            faces, key=lambda f: np.linalg.norm((f.box[:2] + f.box[2:]) / 2 - middle)
        )
        return self._embedder.embed(cut_chip(image, face.points).image)

    def compare(self, first: FaceTemplate, second: FaceTemplate) -> ComparisonScore:
        """Return similarity and false match rate; raises InputError if incomparable."""
        value = similarity(first, second)
        return ComparisonScore(value, self._calibration.false_match_rate(value))
