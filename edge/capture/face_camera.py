"""A camera, a network stream, a video file or a folder of images as a FaceCapture.

The only door to cv2.VideoCapture. One thread reads; whoever asks gets the newest frame,
frames that nobody asked for are dropped, and none is written anywhere. When the source
ends or breaks the thread opens it again, waiting longer each time.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np

from edge.clock import Clock, SystemClock
from edge.errors import (
    CaptureCancelledError,
    CaptureTimeoutError,
    DeviceAbsentError,
)
from edge.terms import FaceSample

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

log = logging.getLogger(__name__)

OPEN_TIMEOUT_S = 4.0
READ_TIMEOUT_S = 4.0
FIRST_BACK_OFF_S = 0.25
LONGEST_BACK_OFF_S = 5.0
LONGEST_SIDE_PX = 8192
_RATE_WINDOW = 16
_ASK_S = 0.05
_FFMPEG_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
# Start on the first frames and hold nothing back: a live picture, not a smooth one.
_LIVE_OPTIONS = (
    "fflags;nobuffer|flags;low_delay|probesize;32768|analyzeduration;100000"
    "|rtsp_transport;tcp"
)
_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp"})


class CameraState(StrEnum):
    OPENING = "opening"
    STREAMING = "streaming"
    ABSENT = "absent"
    CLOSED = "closed"


class FrameSource(Protocol):
    def read(self) -> NDArray[np.uint8] | None:
        """Return the next BGR frame; None at the end or when the source is gone."""
        ...

    def close(self) -> None: ...


class OpenCvFaceCapture:
    """Implements edge.ports.FaceCapture.

    source: `/dev/video0` or `0`, an rtsp:// or http:// URL, a video file, or a folder
    of images. max_rate_fps: files and folders are played at this rate; faster devices
    are thinned to it. loop: whether a file or folder starts again at its end.
    """

    def __init__(
        self,
        source: str,
        *,
        max_rate_fps: float = 15.0,
        loop: bool = True,
        first_back_off_s: float = FIRST_BACK_OFF_S,
        clock: Clock | None = None,
    ) -> None:
        self._source = source
        self._period_s = 1.0 / max(max_rate_fps, 0.1)
        self._loop = loop
        self._first_back_off_s = first_back_off_s
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._state = CameraState.OPENING
        self._newest: FaceSample | None = None
        self._frames = 0
        self._arrivals_s: deque[float] = deque(maxlen=_RATE_WINDOW)
        self._thread = threading.Thread(
            target=self._run, name="face-camera", daemon=True
        )
        self._thread.start()

    @property
    def state(self) -> CameraState:
        with self._changed:
            return self._state

    @property
    def rate_fps(self) -> float:
        """Frames a second over the last few; 0 while there is no stream."""
        with self._changed:
            if len(self._arrivals_s) < 2 or self._state is not CameraState.STREAMING:
                return 0.0
            span = self._arrivals_s[-1] - self._arrivals_s[0]
            return (len(self._arrivals_s) - 1) / span if span > 0 else 0.0

    def latest(
        self, *, timeout_s: float, is_cancelled: Callable[[], bool] | None = None
    ) -> FaceSample:
        """Return the next frame to arrive; contract: edge.ports.FaceCapture.latest."""
        deadline_s = self._clock.monotonic_s() + timeout_s
        with self._changed:
            seen = self._frames
            while not self._changed.wait_for(
                lambda: self._frames > seen or self._state is CameraState.CLOSED,
                max(0.0, min(_ASK_S, deadline_s - self._clock.monotonic_s())),
            ):
                if is_cancelled is not None and is_cancelled():
                    raise CaptureCancelledError(
                        f"camera {_label(self._source)}: no longer wanted"
                    )
                if self._clock.monotonic_s() >= deadline_s:
                    break
            if self._frames > seen and self._newest is not None:
                return self._newest
            state = self._state
        if state is CameraState.STREAMING:
            raise CaptureTimeoutError(
                f"camera {_label(self._source)}: no new frame in {timeout_s:g} s"
            )
        raise DeviceAbsentError(
            f"camera {_label(self._source)}: {state}; check cable, power and address"
        )

    def close(self) -> None:
        """Stop the thread and let the device go. May be called twice."""
        self._closing.set()
        self._set_state(CameraState.CLOSED)
        self._thread.join(OPEN_TIMEOUT_S + READ_TIMEOUT_S)

    def _run(self) -> None:
        back_off_s = self._first_back_off_s
        while not self._closing.is_set():
            frames_before = self._frames
            try:
                self._stream_once()
            except DeviceAbsentError as error:
                log.warning("face_camera.absent: %s", error)
            if self._closing.is_set():
                return
            had_frames = self._frames > frames_before
            if had_frames:
                back_off_s = self._first_back_off_s
            if not (had_frames and self._loop and is_recording(self._source)):
                self._set_state(CameraState.ABSENT)
                self._closing.wait(back_off_s)
                back_off_s = min(2 * back_off_s, LONGEST_BACK_OFF_S)
            if had_frames and not self._loop and is_recording(self._source):
                return

    def _stream_once(self) -> None:
        """Open the source and deliver its frames until it ends."""
        source = open_source(self._source)
        is_live = not is_recording(self._source)
        due_s = self._clock.monotonic_s()
        try:
            while not self._closing.is_set():
                frame = source.read()
                if frame is None:
                    return
                now_s = self._clock.monotonic_s()
                if is_live and now_s < due_s:
                    continue
                self._deliver(frame)
                due_s = max(due_s + self._period_s, now_s)
                if not is_live:
                    self._closing.wait(self._period_s)
        finally:
            source.close()

    def _deliver(self, frame: NDArray[np.uint8]) -> None:
        rgb = np.ascontiguousarray(frame[:, :, ::-1])
        sample = FaceSample(rgb, self._clock.now())
        with self._changed:
            if self._state is CameraState.CLOSED:
                return
            self._newest = sample
            self._frames += 1
            self._arrivals_s.append(self._clock.monotonic_s())
            self._state = CameraState.STREAMING
            self._changed.notify_all()

    def _set_state(self, state: CameraState) -> None:
        with self._changed:
            if self._state is not CameraState.CLOSED:
                self._state = state
            if state is not CameraState.STREAMING:
                self._newest = None
                self._arrivals_s.clear()
            self._changed.notify_all()


def is_recording(source: str) -> bool:
    """Whether the source is a file or folder, which has an end and no own pace."""
    return not _is_url(source) and not _is_device(source)


def open_source(source: str) -> FrameSource:
    """Open a camera, stream, file or folder.

    Raises:
        DeviceAbsentError: it is not there or cannot be read.
    """
    if is_recording(source) and Path(source).is_dir():
        return _ImageFolder(Path(source))
    return _VideoSource(source)


class _ImageFolder:
    """The images of a folder in the order of their names; unreadable ones skipped."""

    def __init__(self, folder: Path) -> None:
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            raise DeviceAbsentError(f"camera folder {folder}: {error}") from error
        self._paths = iter([p for p in paths if p.suffix.lower() in _IMAGE_SUFFIXES])

    def read(self) -> NDArray[np.uint8] | None:
        for path in self._paths:
            try:
                frame = cv2.imread(str(path), cv2.IMREAD_COLOR)
            except cv2.error:
                continue
            if _is_frame(frame):
                return np.asarray(frame, np.uint8)
        return None

    def close(self) -> None:
        pass


class _VideoSource:
    def __init__(self, source: str) -> None:
        try:
            self._capture = _open_capture(source)
            is_open = self._capture.isOpened()
        except cv2.error as error:
            raise DeviceAbsentError(
                f"camera {_label(source)}: cannot be opened: {error.err}"
            ) from error
        if not is_open:
            self.close()
            raise DeviceAbsentError(f"camera {_label(source)}: cannot be opened")

    def read(self) -> NDArray[np.uint8] | None:
        try:
            arrived, frame = self._capture.read()
        except cv2.error:
            return None
        return np.asarray(frame, np.uint8) if arrived and _is_frame(frame) else None

    def close(self) -> None:
        self._capture.release()


def _open_capture(source: str) -> cv2.VideoCapture:
    if _is_device(source):
        number = source.removeprefix("/dev/video")
        capture = cv2.VideoCapture(int(number), cv2.CAP_V4L2)
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        return capture
    if not _is_url(source):
        return cv2.VideoCapture(source, cv2.CAP_FFMPEG)
    # OpenCV takes FFmpeg's options from the environment alone; the operator's win.
    os.environ.setdefault(_FFMPEG_OPTIONS, _LIVE_OPTIONS)
    timeouts = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(1000 * OPEN_TIMEOUT_S),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(1000 * READ_TIMEOUT_S),
    ]
    return cv2.VideoCapture(source, cv2.CAP_FFMPEG, timeouts)


def _is_frame(frame: Any) -> bool:  # noqa: ANN401  whatever OpenCV returned
    return (
        isinstance(frame, np.ndarray)
        and frame.dtype == np.uint8
        and frame.ndim == 3
        and frame.shape[2] == 3
        and min(frame.shape[:2]) > 0
        and max(frame.shape[:2]) <= LONGEST_SIDE_PX
    )


def _is_url(source: str) -> bool:
    return source.startswith(("rtsp://", "rtsps://", "http://", "https://"))


def _is_device(source: str) -> bool:
    return source.removeprefix("/dev/video").isdecimal()


def _label(source: str) -> str:
    """Return the source without the password that a URL may carry."""
    scheme, separator, rest = source.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if separator else source
