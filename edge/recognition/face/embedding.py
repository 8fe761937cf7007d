"""From chips to 128-d embeddings: dlib's face ResNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.terms import FaceTemplate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.detection import InferenceSession

EMBEDDING_MODEL_ID = "dlib-face-resnet-v1"


class FaceEmbedder:
    """session: the converted ResNet. model_id marks the templates it makes."""

    def __init__(
        self, session: InferenceSession, model_id: str = EMBEDDING_MODEL_ID
    ) -> None:
        self._session = session
        self._model_id = model_id

    def embed(self, chip: NDArray[np.uint8]) -> FaceTemplate:
        """Return the template of one RGB chip (150, 150, 3).

        The mean of the chip's and its mirror image's embeddings, which errs less than
        either.
        """
        both = np.stack([chip, chip[:, ::-1]])
        embeddings = self._session.run({"image": both})[0]
        vector = embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
        return FaceTemplate(self._model_id, vector)
