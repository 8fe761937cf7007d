"""From chips to embeddings of unit length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.errors import ModelError
from edge.terms import FaceTemplate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge.recognition.face.detection import InferenceSession

# Of templates: the network, and what is made of its output.
DLIB_TEMPLATES = "dlib-face-resnet-v1-unit"
RETAIL_TEMPLATES = "omz-reid-retail-0095-mirrored"


class FaceEmbedder:
    """session: a converted network, chips in, embeddings out.

    model_id: of the templates it makes.
    """

    def __init__(self, session: InferenceSession, model_id: str) -> None:
        self._session = session
        self.model_id = model_id

    def embed(self, chip: NDArray[np.uint8]) -> FaceTemplate:
        """Return the template of one RGB chip, of the network's size.

        The direction of the mean of the chip's and its mirror image's embeddings. The
        mean errs less than either, and the length says more of the picture than of the
        person: without it two in five fewer mated pairs are missed at one false match
        in ten thousand.

        Raises:
            ModelError: the network gave no direction.
        """
        both = np.stack([chip, chip[:, ::-1]])
        mean = self._session.run({"image": both})[0].mean(axis=0, dtype=np.float64)
        length = float(np.linalg.norm(mean))
        if not length > 0:
            raise ModelError(f"face network {self.model_id}: its output is zero")
        return FaceTemplate(self.model_id, (mean / length).astype(np.float32))
