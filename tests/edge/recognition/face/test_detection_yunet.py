"""What YuNet's grids say, turned into faces."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.errors import InputError, ModelError
from edge.models.yunet import build
from edge.recognition.face.detection_yunet import LARGEST_SIDE_PX, YunetDetector
from edge.recognition.image_file import read_rgb_image
from edge.recognition.onnx_session import OnnxSession
from edge.simulate.faces import demo_faces


class Grids:
    """A network that sees what it is told: (stride, column, row, confidence)."""

    def __init__(self, *cells):
        self.cells = cells
        self.seen = None

    def run(self, inputs):
        image = inputs["image"]
        self.seen = image.shape
        _, height, width, _ = image.shape
        outputs = []
        for stride in (8, 16, 32):
            columns, count = width // stride, (width // stride) * (height // stride)
            parts = [np.zeros((1, count, n), np.float32) for n in (1, 1, 4, 10)]
            for cell_stride, column, row, confidence in self.cells:
                if cell_stride == stride:
                    cell = row * columns + column
                    parts[0][0, cell] = parts[1][0, cell] = confidence
                    parts[2][0, cell] = (0, 0, np.log(8), np.log(10))
                    parts[3][0, cell] = range(10)
            outputs += parts
        return outputs


def test_a_cell_gives_box_and_points_in_pixels_of_the_image():
    [face] = YunetDetector(Grids((8, 10, 20, 0.9))).detect(frame(240, 320))
    assert face.box.tolist() == pytest.approx([80 - 32, 160 - 40, 80 + 32, 160 + 40])
    assert face.points[0].tolist() == [80, 168]
    assert face.points[4].tolist() == [80 + 64, 160 + 72]
    assert face.confidence == pytest.approx(0.9)


def test_of_faces_that_overlap_the_likelier_is_kept_and_the_largest_comes_first():
    network = Grids((8, 10, 20, 0.7), (8, 11, 20, 0.9), (16, 3, 4, 0.8))
    faces = YunetDetector(network).detect(frame(240, 320))
    assert [face.confidence for face in faces] == pytest.approx([0.8, 0.9])


def test_small_and_unlikely_faces_are_left_out():
    network = Grids((8, 10, 20, 0.9), (16, 3, 4, 0.5))
    assert not YunetDetector(network, min_face_px=100).detect(frame(240, 320))


@pytest.mark.parametrize("shape", [(1, 1), (33, 31), (480, 640), (3000, 40)])
def test_images_of_any_size_fit_the_grids(shape):
    network = Grids()
    assert YunetDetector(network).detect(frame(*shape)) == []
    _, height, width, _ = network.seen
    assert height % 32 == width % 32 == 0
    assert max(height, width) <= LARGEST_SIDE_PX


def test_points_in_a_large_image_are_in_its_own_pixels():
    network = Grids((8, 10, 20, 0.9))
    [face] = YunetDetector(network).detect(frame(1280, 2560))
    assert face.points[0].tolist() == [160, 336]


@pytest.mark.parametrize("image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3))])
def test_what_is_no_rgb_image_is_refused(image):
    with pytest.raises(InputError, match="RGB"):
        YunetDetector(Grids()).detect(image)


@given(st.binary(max_size=300))
def test_what_is_no_network_is_refused(data):
    with pytest.raises(ModelError, match="yunet"):
        build(data)


def frame(height, width):
    return np.zeros((height, width, 3), np.uint8)


@pytest.fixture(scope="session")
def network(shared_folder, tmp_path_factory):
    source = shared_folder / "models" / "face_detection_yunet_2023mar.onnx"
    if not source.exists():
        pytest.skip("the better detector is not there")
    path = tmp_path_factory.mktemp("yunet") / "yunet.onnx"
    path.write_bytes(build(source.read_bytes()))
    return YunetDetector(OnnxSession(path))


def test_faces_are_where_opencv_finds_them(network, shared_folder):
    source = shared_folder / "models" / "face_detection_yunet_2023mar.onnx"
    reference = cv2.FaceDetectorYN.create(str(source), "", (250, 250), 0.6, 0.3)
    images = sorted((shared_folder / "data" / "faces" / "lfw_dev").iterdir())[:12]
    for path in images:
        image = read_rgb_image(path)
        _, rows = reference.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        largest = max(rows, key=lambda row: row[2] * row[3])
        face = network.detect(image)[0]
        assert face.points.ravel() == pytest.approx(largest[4:14], abs=0.01)
        assert face.confidence == pytest.approx(float(largest[14]), abs=1e-4)


def test_drawn_faces_are_found(network):
    for face in demo_faces(3):
        assert len(network.detect(face.frame(0))) == 1


@settings(max_examples=20, deadline=None)
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90), st.just(3)))
)
def test_no_image_breaks_the_network(network, image):
    for face in network.detect(image):
        assert np.isfinite(face.box).all()
        assert np.isfinite(face.points).all()
