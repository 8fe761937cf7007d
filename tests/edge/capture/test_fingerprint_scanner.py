"""The scanner behind the bridge, over a socket and a terminal."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import numpy as np
import pytest

from edge.capture.fingerprint_scanner import BridgedFingerprintCapture
from edge.clock import ManualClock
from edge.errors import CaptureCancelledError, CaptureTimeoutError, DeviceAbsentError
from edge.terms import FingerInstruction, FingerPosition
from firmware_bridge.device_server import DeviceServer
from firmware_bridge.device_session import SessionSettings
from firmware_bridge.emulator import PtyLine, ScannerEmulator
from firmware_bridge.terms import ScannerSettings

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
RIGHT_INDEX = FingerPosition.RIGHT_INDEX
PRINT = np.random.default_rng(3).integers(0, 16, (288, 256), np.uint8) * np.uint8(17)


@pytest.fixture
def emulator(tmp_path):
    with ScannerEmulator(PtyLine(tmp_path / "scanner"), is_paced=False) as running:
        yield running


@pytest.fixture
def scanner(emulator, tmp_path):
    assert emulator.is_plugged
    settings = SessionSettings(
        port=str(tmp_path / "scanner"), scanner=ScannerSettings()
    )
    with DeviceServer(settings, tmp_path / "bridge.sock"):
        yield BridgedFingerprintCapture(tmp_path / "bridge.sock", ManualClock(NOON))


def test_the_picture_grows_and_the_traveller_is_led(scanner, emulator):
    emulator.present(PRINT)
    pictures, told = [], []
    sample = scanner.capture(
        RIGHT_INDEX,
        timeout_s=5,
        on_rows=lambda rows, height: pictures.append((rows, height)),
        on_instruction=told.append,
    )
    assert np.array_equal(sample.image, PRINT)
    assert {height for _, height in pictures} == {288}
    counts = [len(rows) for rows, _ in pictures]
    assert counts == sorted(counts)
    assert all(np.array_equal(rows, PRINT[: len(rows)]) for rows, _ in pictures)
    assert told[-2:] == [FingerInstruction.PLACE_FINGER, FingerInstruction.HOLD_STILL]


def test_a_capture_that_is_no_longer_wanted_ends(scanner):
    with pytest.raises(CaptureCancelledError):
        scanner.capture(RIGHT_INDEX, timeout_s=30, is_cancelled=lambda: True)


def test_a_finger_is_waited_for_without_its_image(scanner, emulator):
    with pytest.raises(CaptureTimeoutError):
        scanner.wait_for_finger(timeout_s=0.1, is_cancelled=lambda: False)
    threading.Timer(0.1, emulator.present, [PRINT]).start()
    scanner.wait_for_finger(timeout_s=5, is_cancelled=lambda: False)


def test_without_a_bridge_the_scanner_is_absent(tmp_path):
    nowhere = BridgedFingerprintCapture(tmp_path / "none.sock", ManualClock(NOON))
    with pytest.raises(DeviceAbsentError):
        nowhere.wait_for_finger(timeout_s=1, is_cancelled=lambda: False)
