"""Images from files in the place of devices."""

import numpy as np
import pytest

from edge.capture.image_files import FileFaceCapture
from edge.clock import SystemClock
from edge.errors import CaptureTimeoutError


def test_each_face_is_presented_once_and_at_a_moment_of_its_own():
    images = [np.full((4, 4, 3), level, np.uint8) for level in (1, 2)]
    capture = FileFaceCapture(images, SystemClock())
    first, second = (capture.latest(timeout_s=1) for _ in range(2))
    assert first.image is images[0]
    assert second.image is images[1]
    # Farther apart than a camera's frames: nothing moved from one to the other.
    assert (second.captured_at - first.captured_at).total_seconds() > 0.9
    with pytest.raises(CaptureTimeoutError):
        capture.latest(timeout_s=1)
