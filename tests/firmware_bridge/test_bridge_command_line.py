from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware_bridge.__main__ import main
from firmware_bridge.device_client import DeviceClient
from firmware_bridge.errors import ServerUnreachableError
from firmware_bridge.image_folder import load_finger_images
from firmware_bridge.json_log import JsonLog
from firmware_bridge.notify import notify, watchdog_interval_s
from firmware_bridge.sensor_window import fit_to_window

ROOT = Path(__file__).parents[2]


def _events(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def start():
    """Start the program; every process is ended by SIGTERM and must end cleanly."""
    processes = []

    def run(*arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-m", "firmware_bridge", *map(str, arguments)],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1", **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield run
    for process in reversed(processes):
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.communicate(timeout=30)
        assert process.returncode == 0


def _client_answers(path):
    try:
        with DeviceClient(path) as client:
            return client.status().state == "ready"
    except ServerUnreachableError:
        return False


def test_serve_emulate_and_replay_work_together(
    start, tmp_path, make_finger, wait_until, capsys
):
    images = tmp_path / "images"
    images.mkdir()
    cv2.imwrite(str(images / "1.png"), make_finger(1))
    cv2.imwrite(str(images / "2.png"), make_finger(2))
    port, path, record = (tmp_path / name for name in ("port", "sock", "rec.jsonl"))
    notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notified.bind(str(tmp_path / "notify"))
    notified.settimeout(20)
    start("emulate", "--link", port, "--images", images, "--fast")
    start(
        *("serve", "--port", port, "--socket", path, "--record", record),
        *("--socket-mode", "660"),
        NOTIFY_SOCKET=str(tmp_path / "notify"),
        WATCHDOG_USEC="200000",
    )
    assert notified.recv(100) == b"READY=1"
    assert notified.recv(100) == b"WATCHDOG=1"
    notified.close()
    wait_until(lambda: _client_answers(path))
    with DeviceClient(path) as client:
        for number in (1, 2, 1):
            captured = client.capture(timeout_s=10)
            assert np.array_equal(captured.image, make_finger(number))
    assert main(["replay", str(record)]) == 0
    events = _events(capsys.readouterr().out)
    assert events[-1]["state"] == "whole"
    assert sum("end 128 bytes" in event.get("frame", "") for event in events) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", "/nonexistent/file"],
        ["emulate", "--link", "/nonexistent/port", "--images", "/nonexistent"],
        ["serve", "--port", "/nonexistent", "--socket", "/nonexistent/socket"],
        ["serve", "--port", "x", "--socket", "y", "--record", "/nonexistent/rec"],
    ],
)
def test_an_error_is_one_line_and_status_2(arguments, capsys):
    assert main(arguments) == 2
    (event,) = _events(capsys.readouterr().out)
    assert event["event"] == "failed"
    assert "nonexistent" in event["error"]


@pytest.mark.parametrize("name", ["text.png", "empty.png"])
def test_a_file_that_is_no_image_is_named(tmp_path, name, capsys):
    (tmp_path / name).write_text("no image" * (name == "text.png"))
    link = str(tmp_path / "port")
    assert main(["emulate", "--link", link, "--images", str(tmp_path)]) == 2
    assert name in capsys.readouterr().out


def test_finger_images_come_by_name(tmp_path, make_finger):
    for number in (2, 1):
        cv2.imwrite(str(tmp_path / f"{number}.png"), make_finger(number))
    first, second = load_finger_images(tmp_path)
    assert np.array_equal(first, make_finger(1))
    assert np.array_equal(second, make_finger(2))


def test_the_log_takes_no_field_that_is_not_listed():
    with pytest.raises(ValueError, match="image"):
        JsonLog(None).event("captured", image=b"")


def test_without_systemd_nothing_is_notified(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert notify("READY=1") is False
    assert watchdog_interval_s() is None


def test_a_large_print_is_cut_around_its_ridges(make_finger):
    page = np.full((600, 500), 255, dtype=np.uint8)
    page[300:400, 350:450] = make_finger(shape=(100, 100))
    window = fit_to_window(page, (288, 256))
    assert window.shape == (288, 256)
    assert np.count_nonzero(window != 255) == np.count_nonzero(page != 255)


def test_a_small_print_is_centred_on_white(make_finger):
    small = make_finger(shape=(100, 100))
    window = fit_to_window(small, (288, 256))
    assert np.array_equal(window[94:194, 78:178], small)
    assert window[0, 0] == 255


@pytest.mark.parametrize("shape", [(1, 1), (0, 5), (5, 5, 3)])
def test_only_a_grey_image_is_a_finger(shape):
    image = np.zeros(shape, dtype=np.uint8)
    if image.ndim == 2 and image.size:
        assert fit_to_window(image, (288, 256)).shape == (288, 256)
    else:
        with pytest.raises(ValueError, match="uint8"):
            fit_to_window(image, (288, 256))
