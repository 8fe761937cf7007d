import http.client
from urllib.parse import urlparse

import cv2
import numpy as np

from edge.simulate.camera_stream import PlayedCamera, encode_jpeg


def _first_part(url):
    place = urlparse(url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=5)
    connection.request("GET", place.path)
    response = connection.getresponse()
    boundary = response.readline()
    assert boundary == b"--frame\r\n"
    headers = {}
    while (line := response.readline().strip()) != b"":
        name, value = line.split(b": ", 1)
        headers[name] = value
    body = response.read(int(headers[b"Content-Length"]))
    connection.close()
    return body


def test_what_is_shown_is_streamed_as_jpeg():
    shown = np.full((48, 64, 3), (200, 40, 40), np.uint8)
    with PlayedCamera(rate_fps=50) as camera:
        camera.show([shown])
        body = _first_part(camera.url)
    seen = cv2.cvtColor(
        cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB
    )
    assert np.abs(seen.astype(int) - shown).max() < 12


def test_a_frame_survives_encoding():
    ramp = np.tile(np.linspace(0, 255, 64, dtype=np.uint8)[None, :, None], (48, 1, 3))
    decoded = cv2.imdecode(np.frombuffer(encode_jpeg(ramp), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(decoded.astype(int) - ramp).mean() < 3
