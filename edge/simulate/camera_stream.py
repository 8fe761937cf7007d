"""A camera that plays what it is told, as a real MJPEG stream over HTTP.

The booth opens it like any network camera, so the whole way of a frame is exercised.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

import cv2

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

RATE_FPS = 15.0
JPEG_QUALITY = 95
BOUNDARY = b"frame"


class PlayedCamera:
    """Serves the frames last shown, over and over, at a steady rate on loopback."""

    def __init__(self, *, rate_fps: float = RATE_FPS) -> None:
        self._period_s = 1.0 / rate_fps
        self._lock = threading.Lock()
        self._frames: list[bytes] = []
        self._stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.camera = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/stream.mjpg"

    def show(self, frames: Sequence[NDArray[np.uint8]]) -> None:
        """Play these RGB frames in turn from now on."""
        encoded = [encode_jpeg(frame) for frame in frames]
        with self._lock:
            self._frames = encoded

    def frame(self, number: int) -> bytes | None:
        with self._lock:
            return self._frames[number % len(self._frames)] if self._frames else None

    def wait_period(self) -> bool:
        """Wait for the next frame's time; False when the camera is closing."""
        return not self._stopping.wait(self._period_s)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """Encode an RGB image, shape (height, width, 3), as JPEG."""
    done, data = cv2.imencode(
        ".jpg",
        cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
        [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY],
    )
    if not done:
        message = f"cannot encode an image of shape {image.shape} as JPEG"
        raise ValueError(message)
    return data.tobytes()


class _Server(ThreadingHTTPServer):
    camera: PlayedCamera
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A viewer that goes away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header(
            "Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY.decode()}"
        )
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        number = 0
        while self.server.camera.wait_period():
            frame = self.server.camera.frame(number)
            number += 1
            if frame is None:
                continue
            self.wfile.write(
                b"--"
                + BOUNDARY
                + b"\r\nContent-Type: image/jpeg\r\nContent-Length: "
                + str(len(frame)).encode()
                + b"\r\n\r\n"
                + frame
                + b"\r\n"
            )

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        del format, args
