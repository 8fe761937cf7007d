"""A face before the camera or a picture of one."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.bench.presentation import BONA_FIDE, PresentationMeasurement
from edge.models import minifasnet
from edge.recognition.face.detection import Face
from edge.recognition.face.presentation_attack import (
    NETWORKS,
    PresentationAttackDetector,
    PresentationJudge,
    surroundings,
)
from edge.recognition.image_file import read_rgb_image
from edge.recognition.onnx_session import OnnxSession
from edge.simulate.faces import demo_faces
from edge.simulate.presentation_attacks import INSTRUMENTS, SCENE
from edge.terms import FaceBox, FaceSample, PresentationDecision


class Fixed:
    """A network that says one share of bona fide for everything."""

    def __init__(self, share):
        self.share = share
        self.seen = []

    def run(self, inputs):
        self.seen.append(inputs["image"])
        return [np.array([[0.0, self.share, 1 - self.share]])]


def face(x1, y1, x2, y2):
    box = np.array([x1, y1, x2, y2], np.float32)
    return Face(box, np.zeros((5, 2), np.float32), 1.0)


IMAGE = np.random.default_rng(1).integers(0, 256, (200, 300, 3)).astype(np.uint8)


def test_the_score_is_the_mean_share_of_bona_fide():
    networks = [(2.7, Fixed(0.9)), (4.0, Fixed(0.2))]
    verdict = PresentationAttackDetector(networks).judge(IMAGE, face(90, 60, 130, 110))
    assert verdict.bona_fide_score == pytest.approx(0.55)
    assert verdict.decision is PresentationDecision.BONA_FIDE
    strict = PresentationAttackDetector(networks, threshold=0.6)
    verdict = strict.judge(IMAGE, face(90, 60, 130, 110))
    assert verdict.decision is PresentationDecision.ATTACK
    assert verdict.threshold == 0.6


def test_the_face_of_a_check_is_judged_where_it_was_found():
    one, other = Fixed(0.9), Fixed(0.9)
    detector = PresentationAttackDetector([(2.7, one)])
    sample = FaceSample(IMAGE, datetime(2026, 1, 1, tzinfo=UTC))
    verdict = detector.judge_presentation(sample, FaceBox(90, 60, 130, 110))
    PresentationAttackDetector([(2.7, other)]).judge(IMAGE, face(90, 60, 130, 110))
    assert verdict.decision is PresentationDecision.BONA_FIDE
    assert (one.seen[0] == other.seen[0]).all()


def test_each_network_sees_its_own_surroundings():
    square = np.zeros((400, 400, 3), np.uint8)
    square[180:220, 180:220] = 255
    near, far = (surroundings(square, face(180, 180, 220, 220).box, t) for t in (2, 4))
    assert near.mean() / far.mean() == pytest.approx(4, rel=0.1)


@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.lists(st.floats(-100, 100), min_size=4, max_size=4),
    st.floats(1, 4),
)
def test_surroundings_of_any_box_fit_the_networks(shape, box, times):
    image = np.zeros((*shape, 3), np.uint8)
    cut = surroundings(image, np.array(box, np.float32), times)
    assert cut.shape == (80, 80, 3)


def test_an_image_without_a_face_has_no_score():
    class Nobody:
        def detect(self, image):
            del image
            return []

    judge = PresentationJudge(Nobody(), PresentationAttackDetector([]))
    assert judge.score(IMAGE) is None


def test_errors_are_told_by_instrument_and_non_responses_apart():
    scores = {
        BONA_FIDE: [0.9, 0.4, None, 0.8],
        "printed": [0.1, 0.6],
        "cut out": [None],
    }
    report = PresentationMeasurement(0.5, scores).report()
    assert report["bpcer"] == pytest.approx(1 / 3)
    assert report["apcer"] == {"printed": 0.5, "cut out": 0.0}
    assert report["non_responses"] == {BONA_FIDE: 0.25, "printed": 0.0, "cut out": 1.0}
    assert report["simulated"]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_presents_the_same_picture_again(name):
    portrait = demo_faces(1)[0].frame(0)
    first, second = (
        INSTRUMENTS[name](portrait, np.random.default_rng(3)) for _ in range(2)
    )
    assert first.shape == (*SCENE, 3)
    assert (first == second).all()
    assert first.std() > 10


@pytest.fixture(scope="session")
def networks(shared_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pad")
    built = []
    specs = (minifasnet.V2_SPEC, minifasnet.V1SE_SPEC)
    for (times, name), spec in zip(NETWORKS, specs, strict=True):
        assert spec.model_id == name
        source = shared_folder / "models" / spec.source.files[0].name
        if not source.exists():
            pytest.skip("the networks against presentation attacks are not there")
        path = folder / f"{name}.onnx"
        path.write_bytes(spec.build(source.read_bytes()))
        built.append((times, OnnxSession(path)))
    return built


def test_the_networks_give_shares_of_three_classes(networks):
    images = np.random.default_rng(2).integers(0, 256, (2, 80, 80, 3), np.uint8)
    for _, network in networks:
        [shares] = network.run({"image": images})
        assert shares.shape == (2, minifasnet.CLASSES)
        assert shares.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_portraits_score_higher_than_prints_of_them(networks, shared_folder):
    detector = PresentationAttackDetector(networks)
    portraits, prints = [], []
    paths = sorted((shared_folder / "data" / "faces" / "lfw_dev").iterdir())[:10]
    rng = np.random.default_rng(1)
    for path in paths:
        # The faces of this set lie in the middle.
        middle = face(85, 75, 165, 180)
        portraits.append(detector.judge(read_rgb_image(path), middle).bona_fide_score)
        sheet = INSTRUMENTS["printed"](read_rgb_image(path), rng)
        centre = face(250, 150, 390, 330)
        prints.append(detector.judge(sheet, centre).bona_fide_score)
    assert np.median(portraits) > 0.5 > np.median(prints)
