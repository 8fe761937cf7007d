import pytest

from edge.models.store import ModelStore
from edge.recognition.face.detection import FaceDetector
from edge.recognition.face.face_sets import MTCNN_IDS
from edge.recognition.onnx_session import OnnxSession


@pytest.fixture(scope="session")
def detector(tmp_path_factory):
    """The detector that comes with the packages."""
    store = ModelStore(tmp_path_factory.mktemp("detector"))
    return FaceDetector(*(OnnxSession(store.path(name)) for name in MTCNN_IDS))
