"""A hit in the booth's stores, shown side by side."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from edge.clock import ManualClock
from edge.config import load_config
from edge.models.store import ModelStore
from edge.recognition.face.detection import FaceDetector
from edge.recognition.face.face_sets import MTCNN_IDS
from edge.recognition.image_encoding import encode_png
from edge.recognition.onnx_session import OnnxSession
from edge.records.searched_face import FACE_TYPE, encode_searched_face
from edge.records.template import encode_template
from edge.services.hit_comparisons import StoredHitComparisons
from edge.simulate.faces import demo_faces
from edge.store.audit import lines_after
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.watchlist import BoothWatchlist
from edge.terms import (
    Candidate,
    ChangeOperation,
    CheckRecord,
    ComparisonScore,
    DraftChange,
    Evidence,
    FaceBox,
    FingerPosition,
    FingerprintTemplate,
    Hit,
    Modality,
    Outcome,
    Reference,
    SampleEvidence,
    SearchedFace,
    WatchlistEntry,
)

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FINGER, FACE = Modality.FINGERPRINT, Modality.FACE
RIGHT, UNKNOWN = FingerPosition.RIGHT_INDEX, FingerPosition.UNKNOWN
RARE = ComparisonScore(0.8, 1e-7)


class Sent:
    """The images that the hub has sent: a finger's that has not come, and a face."""

    def __init__(self, face):
        self._face = face

    def images(self, hit_id):
        assert hit_id == "h1"
        return [
            SimpleNamespace(
                reference_id="r1", modality=FINGER, position=RIGHT, has_arrived=False
            ),
            SimpleNamespace(
                reference_id="f1", modality=FACE, position=UNKNOWN, has_arrived=True
            ),
        ]

    def image(self, hit_id, index):
        assert (hit_id, index) == ("h1", 1)
        return encode_png(self._face)


def drawn():
    rng = np.random.default_rng(1)
    return FingerprintTemplate(
        position=RIGHT,
        model_id="leader",
        width_px=256,
        height_px=288,
        x=rng.integers(30, 220, 40).astype(np.int16),
        y=rng.integers(30, 250, 40).astype(np.int16),
        angle_rad=rng.uniform(0, 6, 40).astype(np.float32),
        kind=np.ones(40, np.uint8),
        quality=np.full(40, 80, np.uint8),
    )


def the_hit(frame):
    height, width = frame.shape[:2]
    about = SearchedFace(FaceBox(0.0, 0.0, float(width), float(height)), width, height)
    sample = SampleEvidence(FINGER, RIGHT, "r1", RARE, 5.0)
    return Hit(
        "h1",
        "c1",
        "booth-1",
        NOON,
        "e1",
        1,
        (Candidate("e1", "r1", FINGER, RIGHT, RARE, (sample,)),),
        (
            Evidence(FINGER, RIGHT, "image/png", b"print"),
            Evidence(
                FINGER, RIGHT, "application/octet-stream", encode_template(drawn())
            ),
            Evidence(FACE, UNKNOWN, "image/png", encode_png(frame)),
            Evidence(FACE, UNKNOWN, FACE_TYPE, encode_searched_face(about)),
        ),
    )


@pytest.fixture(scope="module")
def frame():
    return demo_faces(1)[0].frame(0)


@pytest.fixture
def config(tmp_path):
    config = load_config()
    store = config.store.model_copy(update={"path": tmp_path / "booth.db"})
    return config.model_copy(update={"store": store})


@pytest.fixture
def comparisons(config, frame, tmp_path):
    watchlist = open_database(config.store.watchlist_path, "watchlist")
    with closing(watchlist.conn):
        entry = WatchlistEntry("e1", 1, "c", "o", "h", "l", "Refer.", NOON, None)
        references = (Reference("r1", "e1", FINGER, RIGHT, drawn()),)
        BoothWatchlist(watchlist).apply_local(
            [DraftChange(ChangeOperation.ADD, "e1", entry, references)], at=NOON
        )
    booth = open_database(config.store.path, "booth")
    with closing(booth.conn):
        check = CheckRecord("c1", NOON, NOON, Outcome.REFER, 1, (), 1)
        CheckStore(booth).record(check, the_hit(frame))

    def detector():
        store = ModelStore(tmp_path)
        return FaceDetector(*(OnnxSession(store.path(name)) for name in MTCNN_IDS))

    return StoredHitComparisons(
        config, ManualClock(NOON), detector, lambda _database: Sent(frame)
    )


def test_a_hit_is_compared_and_who_looked_is_in_the_audit_log(comparisons, config):
    view = comparisons.view("h1", officer="officer-1")
    (finger,) = view["fingers"]
    assert len(finger["pairs"]) > 30
    assert finger["reference"]["url"] is None
    assert view["face"]["reference_url"] == "/api/hits/h1/faces/reference"
    booth = open_database(config.store.path, "booth")
    with closing(booth.conn):
        last = lines_after(booth, 0, limit=50)[-1]
    assert (last.actor, last.action, last.subject) == ("officer-1", "read hit", "h1")


def test_both_faces_have_one_size_and_the_eyes_in_one_place(comparisons):
    faces = [
        cv2.imdecode(np.frombuffer(comparisons.face("h1", side), np.uint8), 1)
        for side in ("probe", "reference")
    ]
    assert [face.shape for face in faces] == [(300, 240, 3)] * 2
    assert np.abs(faces[0].astype(int) - faces[1]).mean() < 2


def test_of_no_hit_there_is_nothing_to_see(comparisons):
    assert comparisons.view("h2", officer="officer-1") is None
    assert comparisons.face("h2", "probe") is None
