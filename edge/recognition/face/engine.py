"""Frames in, a face's quality and template out: the FaceRecognition port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.recognition.face import quality
from edge.recognition.face.alignment import cut_chip
from edge.recognition.face.calibration import Calibration, calibration_of
from edge.recognition.face.comparison import similarity, similarity_matrix
from edge.recognition.face.face_sets import face_set
from edge.recognition.face.guidance import FaceTracker
from edge.recognition.face.guide import TemplateGuide
from edge.recognition.face.levelling import levelled
from edge.recognition.face.quality_geometry import most_prominent
from edge.recognition.face.quality_thresholds import BORDER
from edge.recognition.face.suspicion import Suspicion
from edge.terms import ComparisonScore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.alignment import ChipLayout
    from edge.recognition.face.detection import Detector, Face
    from edge.recognition.face.embedding import FaceEmbedder
    from edge.recognition.face.face_sets import FaceSetName, ModelPaths
    from edge.recognition.face.guidance import BestFrame
    from edge.recognition.face.quality_thresholds import FaceProfile
    from edge.terms import FaceSample, FaceTemplate, Quality

    Image = NDArray[np.uint8]


class FaceEngine:
    """Detection, alignment, quality, embedding and comparison of faces."""

    def __init__(
        self,
        detector: Detector,
        embedder: FaceEmbedder,
        layout: ChipLayout,
        calibration: Calibration | None = None,
    ) -> None:
        """layout: of the chips that the embedder takes."""
        self.detector = detector
        self._suspicion = Suspicion(detector)
        self._embedder = embedder
        self._layout = layout
        self._calibration = calibration or calibration_of(embedder.model_id)

    @classmethod
    def from_model_store(
        cls,
        store: ModelPaths,
        threads: int = 1,
        *,
        name: FaceSetName = "default",
    ) -> FaceEngine:
        """Make an engine of the store's models.

        Raises:
            ModelError: a model is missing, damaged or not the pinned one.
        """
        chosen = face_set(name)
        return cls(
            chosen.detector(store, threads),
            chosen.embedder(store, threads),
            chosen.layout,
        )

    @property
    def model_id(self) -> str:
        """Of the templates that are made."""
        return self._embedder.model_id

    def process(self, sample: FaceSample) -> tuple[Quality, FaceTemplate | None]:
        """Assess the largest centred face; its template is None if it is not usable.

        Raises:
            InputError: the sample's image is not RGB of 8 bits.
        """
        faces = self.detector.detect(sample.image)
        if not faces:
            return self.no_face(sample.image), None
        chosen = most_prominent(faces, *sample.image.shape[:2])
        faces[chosen] = levelled(self.detector, sample.image, faces[chosen])
        assessed = quality.assess(sample.image, faces, chosen)
        if not assessed.is_sufficient:
            return assessed, None
        return assessed, self.embed(sample.image, faces[chosen])

    def track(self, profile: FaceProfile = BORDER) -> FaceTracker:
        """Return what guides one traveller after another and keeps the best frame."""
        return FaceTracker(self.detector, profile)

    def guide(self, profile: FaceProfile = BORDER) -> TemplateGuide:
        """Begin with a traveller: the FaceRecognition port."""
        return TemplateGuide(self.track(profile), self.process_best)

    def process_best(self, best: BestFrame) -> tuple[Quality, FaceTemplate]:
        """Return the quality and the template of the face that a tracker followed.

        Raises:
            ModelError: the network fails.
        """
        return best.quality, self.embed(best.sample.image, best.face)

    def no_face(self, image: Image) -> Quality:
        """Return the quality of a frame without a face, and what may hide it.

        Raises:
            InputError: the image is not RGB of 8 bits.
        """
        return quality.no_face(image, self._suspicion.faces(image))

    def detect(self, image: Image) -> list[Face]:
        """Return the faces of the RGB image, the largest first; raises InputError."""
        return self.detector.detect(image)

    def central_face(self, image: Image) -> Face | None:
        """Return the face nearest to the middle of the image, None if there is none."""
        middle = np.array(image.shape[1::-1]) / 2
        nearest = min(
            self.detect(image),
            key=lambda f: float(np.linalg.norm((f.box[:2] + f.box[2:]) / 2 - middle)),
            default=None,
        )
        return None if nearest is None else levelled(self.detector, image, nearest)

    def embed(self, image: Image, face: Face) -> FaceTemplate:
        """Return the template of a face that was found in the image.

        Raises:
            ModelError: the network fails.
        """
        return self._embedder.embed(cut_chip(image, face.points, self._layout).image)

    def embed_central_face(self, image: Image) -> FaceTemplate | None:
        """Embed the face nearest to the middle of the image, without a quality gate."""
        face = self.central_face(image)
        return None if face is None else self.embed(image, face)

    def compare(self, first: FaceTemplate, second: FaceTemplate) -> ComparisonScore:
        """Return similarity and false match rate; raises InputError if incomparable."""
        value = similarity(first, second)
        return ComparisonScore(value, self._calibration.false_match_rate(value))

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the similarity of each of the vectors (n, d) with each, (n, n)."""
        return similarity_matrix(vectors)
