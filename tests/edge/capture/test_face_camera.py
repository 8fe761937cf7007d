"""OpenCvFaceCapture against a real HTTP server, a video file and a folder."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from edge.capture.face_camera import CameraState, OpenCvFaceCapture, is_recording
from edge.errors import CaptureError, DeviceAbsentError

WAIT_S = 20.0
RED_BGR = (0, 0, 255)
BLUE_BGR = (255, 0, 0)


def picture(colour_bgr):
    return np.full((48, 64, 3), colour_bgr, np.uint8)


def is_mostly(image, channel):
    return int(np.argmax(image.reshape(-1, 3).mean(axis=0))) == channel


@contextmanager
def camera(source, **options):
    opened = OpenCvFaceCapture(str(source), first_back_off_s=0.05, **options)
    try:
        yield opened
    finally:
        opened.close()


def next_frame(opened):
    """Wait through reconnections for the next frame."""
    waits = threading.Event()
    for _ in range(200):
        try:
            return opened.latest(timeout_s=0.1)
        except CaptureError:
            waits.wait(0.05)
    raise AssertionError("no frame came")


class MjpegServer:
    """Serves one picture again and again as multipart/x-mixed-replace."""

    def __init__(self, colour_bgr, port=0):
        self._going_down = threading.Event()
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", port), self._handler(colour_bgr)
        )
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self._thread.start()

    def _handler(self, colour_bgr):
        jpeg = cv2.imencode(".jpg", picture(colour_bgr))[1].tobytes()
        going_down = self._going_down

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header(
                    "Content-Type", "multipart/x-mixed-replace; boundary=frame"
                )
                self.end_headers()
                head = (
                    "--frame\r\nContent-Type: image/jpeg\r\n"
                    f"Content-Length: {len(jpeg)}\r\n\r\n"
                ).encode()
                try:
                    while not going_down.wait(0.02):
                        self.wfile.write(head + jpeg + b"\r\n")
                except OSError:
                    self.close_connection = True

            def log_message(self, *_):
                pass

        return Handler

    def stop(self):
        self._going_down.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), picture(RED_BGR))
    (tmp_path / "3.png").write_bytes(b"not an image")
    (tmp_path / "notes.txt").write_text("nothing")
    return tmp_path


def test_a_stream_brings_rgb_frames_and_survives_its_server():
    server = MjpegServer(RED_BGR)
    try:
        with camera(f"http://127.0.0.1:{server.port}/stream") as opened:
            sample = opened.latest(timeout_s=WAIT_S)
            assert is_mostly(sample.image, 0)
            assert opened.state is CameraState.STREAMING
            server.stop()
            server = MjpegServer(BLUE_BGR, port=server.port)
            while not is_mostly(next_frame(opened).image, 2):
                pass
    finally:
        server.stop()
    assert opened.state is CameraState.CLOSED


def test_a_video_file_is_played_in_a_loop(tmp_path):
    path = tmp_path / "video.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for _ in range(3):
        writer.write(picture(BLUE_BGR))
    writer.release()
    with camera(path, max_rate_fps=200.0) as opened:
        images = [opened.latest(timeout_s=WAIT_S).image for _ in range(8)]
        assert opened.rate_fps > 0
    assert all(is_mostly(image, 2) for image in images)


def test_a_folder_is_played_in_a_loop_and_unreadable_files_are_skipped(folder):
    with camera(folder, max_rate_fps=200.0) as opened:
        samples = [opened.latest(timeout_s=WAIT_S) for _ in range(8)]
    assert all(is_mostly(sample.image, 0) for sample in samples)
    assert all(
        sample.captured_at.utcoffset().total_seconds() == 0 for sample in samples
    )
    times = [sample.captured_at for sample in samples]
    assert times == sorted(set(times))


def test_a_folder_without_loop_ends_absent(folder):
    with camera(folder, max_rate_fps=500.0, loop=False) as opened:
        opened._thread.join(WAIT_S)
        assert opened.state is CameraState.ABSENT
        with pytest.raises(DeviceAbsentError):
            opened.latest(timeout_s=0.01)


@pytest.mark.parametrize(
    "source", ["/nonexistent/video.mp4", "/dev/video987", "http://127.0.0.1:9/dead"]
)
def test_what_is_not_there_is_a_device_absent_error(source):
    with camera(source) as opened, pytest.raises(DeviceAbsentError, match="camera"):
        opened.latest(timeout_s=0.2)
    assert opened.rate_fps == 0.0


def test_a_password_in_the_address_stays_out_of_the_error():
    with (
        camera("http://user:secret@127.0.0.1:9/x") as opened,
        pytest.raises(DeviceAbsentError) as raised,
    ):
        opened.latest(timeout_s=0.05)
    assert "secret" not in str(raised.value)


def test_after_close_there_are_no_frames(folder):
    with camera(folder, max_rate_fps=200.0) as opened:
        opened.latest(timeout_s=WAIT_S)
        opened.close()
        with pytest.raises(DeviceAbsentError):
            opened.latest(timeout_s=0.01)


def test_files_and_folders_are_recordings_and_devices_and_streams_are_not():
    assert is_recording("/some/file.avi")
    for live in ("0", "/dev/video2", "rtsp://camera/1", "https://camera/mjpeg"):
        assert not is_recording(live)
