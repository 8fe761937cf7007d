"""Live pictures: newest only, in memory only, of the running check only."""

from __future__ import annotations

import gc
import threading
import weakref
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest

from edge.booth.live import LiveView
from edge.errors import CaptureCancelledError, DeviceAbsentError
from edge.terms import FaceSample, Modality

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
FINGER, FACE = Modality.FINGERPRINT, Modality.FACE


class Camera:
    """Gives frames of one colour, each once it is let go; or fails."""

    def __init__(self):
        self.error = None
        self.may_go = threading.Event()
        self.may_go.set()
        self.frames = 0
        self.frame = None

    def latest(self, *, timeout_s, is_cancelled):
        while not self.may_go.wait(0.01):
            if is_cancelled():
                message = "no longer wanted"
                raise CaptureCancelledError(message)
        assert timeout_s > 0
        if self.error is not None:
            raise self.error
        self.frames += 1
        pixels = np.full((720, 1280, 3), (200, 10, 10), np.uint8)
        self.frame = FaceSample(pixels, NOON)
        return self.frame


@pytest.fixture
def camera():
    return Camera()


@pytest.fixture
def live(camera):
    return LiveView(camera)


def decoded(picture):
    return cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_UNCHANGED)


def print_of(value):
    return np.full((288, 256), value, np.uint8)


def test_the_newest_picture_of_the_finger_is_given_once(live):
    live.begin({FINGER})
    live.show(FINGER, print_of(40))
    live.show(FINGER, print_of(120))
    picture = live.finger(0)
    assert decoded(picture).shape == (288, 256)
    assert abs(int(decoded(picture)[100, 100]) - 120) < 3
    assert live.finger(picture.number, wait_s=0) is None


def test_who_waits_gets_the_picture_when_it_comes(live):
    live.begin({FINGER})
    shower = threading.Timer(0.05, live.show, [FINGER, print_of(9)])
    shower.start()
    assert live.finger(0, wait_s=5) is not None


def test_frames_of_the_camera_are_shrunk_and_numbered(live):
    live.begin({FINGER, FACE})
    first, second = live.face(), live.face()
    assert decoded(first).shape == (360, 640, 3)
    blue, _, red = (int(value) for value in decoded(first)[100, 100])
    assert red > 180
    assert blue < 60
    assert second.number > first.number


def test_the_camera_is_not_looked_at_without_a_check_that_wants_a_face(live, camera):
    assert live.face(wait_s=0) is None
    live.begin({FINGER})
    assert live.face(wait_s=0) is None
    assert camera.frames == 0


def test_a_camera_that_fails_has_no_picture(live, camera):
    camera.error = DeviceAbsentError("camera: absent")
    live.begin({FACE})
    assert live.face() is None
    assert LiveView(None).face(wait_s=0) is None


def test_with_the_check_its_pictures_are_gone(live, camera):
    live.begin({FINGER, FACE})
    image = print_of(7)
    remains = [weakref.ref(image)]
    live.show(FINGER, image)
    assert live.face() is not None
    remains.append(weakref.ref(camera.frame))
    camera.frame = None
    live.end()
    del image
    gc.collect()
    assert [ref() for ref in remains] == [None, None]
    assert live.finger(0, wait_s=0) is None
    assert live.face(wait_s=0) is None


def test_a_frame_that_comes_after_the_end_is_not_shown(live, camera):
    live.begin({FACE})
    camera.may_go.clear()
    found = []
    asking = threading.Thread(target=lambda: found.append(live.face()))
    asking.start()
    live.end()
    asking.join(5)
    assert found == [None]


def test_what_is_shown_between_checks_is_not_held(live):
    live.show(FINGER, print_of(1))
    live.begin({FINGER})
    assert live.finger(0, wait_s=0) is None
