"""The measurement of live guidance, with a detector that always sees one face."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from edge.bench.face_guidance import fingers_at_work, measure_guidance
from edge.recognition.face.detection import Face


class Seer:
    """Sees one face that fills most of whatever it is shown."""

    def detect(self, image):
        height, width = image.shape[:2]
        shares = [[0.35, 0.4], [0.65, 0.4], [0.5, 0.55], [0.38, 0.7], [0.62, 0.7]]
        points = np.array(shares, np.float32) * [width, height]
        box = np.array([0.2, 0.1, 0.8, 0.9]) * [width, height, width, height]
        return [Face(box.astype(np.float32), points.astype(np.float32), 0.99)]


def test_every_frame_is_timed():
    frames = [np.full((100, 90, 3), level, np.uint8) for level in (80, 160)]
    figures = measure_guidance(Seer(), frames, seconds_each=0.5)
    assert len(figures.ms) == 10
    found = figures.to_json()
    assert found["guidance_ms_median"] <= found["guidance_ms_p95"]
    assert found["guidance_ms_p95"] <= found["guidance_ms_max"]
    assert found["followed"] == pytest.approx(1.0)
    assert found["frames_per_s"] > 0


class Counting:
    """Takes templates of nothing, and counts."""

    def __init__(self):
        self.taken = 0
        self.began = threading.Event()

    def extract(self, sample):
        assert sample.resolution_ppi == 500
        self.taken += 1
        self.began.set()


def test_fingers_are_at_work_meanwhile_and_not_after():
    engine = Counting()
    with fingers_at_work(engine):
        assert engine.began.wait(10)
        figures = measure_guidance(
            Seer(), [np.full((90, 90, 3), 99, np.uint8)], seconds_each=0.3
        )
    taken = engine.taken
    assert taken > 0
    assert figures.to_json()["cpu_ms_median"] > 0
    time.sleep(0.01)
    assert engine.taken == taken
