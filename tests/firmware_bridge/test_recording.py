from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import DeviceAbsentError, ProtocolError, SettingsError
from firmware_bridge.faults import DropByte, FlipBits
from firmware_bridge.framing import Frame, FrameDecoder, PacketId, encode_frame
from firmware_bridge.payload_mask import PayloadMask
from firmware_bridge.recording import (
    Recorder,
    RecordingPort,
    ReplayPort,
    load_recording,
    parse_recording,
)
from firmware_bridge.scanner import Scanner
from firmware_bridge.terms import ScannerSettings


@pytest.fixture
def recorded(make_bench, make_finger):
    """Return a function: record one session with faults, give back the lines."""

    def record(*faults):
        bench = make_bench()
        sink = io.StringIO()
        scanner = bench.scanner(port=RecordingPort(bench.host, Recorder(sink)))
        scanner.open()
        bench.emulator.present(make_finger())
        bench.emulator.add_faults(*faults)
        scanner.capture(timeout_s=3)
        return sink.getvalue().splitlines(keepends=True)

    return record


def _replay(lines, timings):
    scanner = Scanner(
        ReplayPort(parse_recording(lines)), ScannerSettings(timings=timings)
    )
    scanner.open()
    return scanner.capture(timeout_s=3)


@pytest.mark.parametrize("faults", [[], [FlipBits(300, 4)], [DropByte(9000)]])
def test_a_recorded_session_runs_again_without_the_image(
    recorded, quick_timings, faults
):
    captured = _replay(recorded(*faults), quick_timings)
    assert captured.image.shape == (288, 256)
    assert np.all(captured.image == 255)


def test_no_pixel_reaches_the_recording(recorded, make_finger):
    lines = recorded(DropByte(700), FlipBits(8000, 2))
    device = b"".join(
        event.data for event in parse_recording(lines) if event.event == "device"
    )
    # Masked pixels are FF; what else is there belongs to packets' frames.
    assert device.count(b"\xff") > 36_864
    rows = make_finger()[:, :16] // 17
    for row in rows:
        assert bytes(row[::2] << 4 | row[1::2]) not in device


def test_a_host_that_asks_something_else_is_caught(recorded, quick_timings):
    port = ReplayPort(parse_recording(recorded()))
    with pytest.raises(ProtocolError, match="host wrote"):
        Scanner(port, ScannerSettings(password=5, timings=quick_timings)).check_alive()


def test_a_replay_ends_with_an_absent_device(recorded, quick_timings):
    lines = recorded()
    with pytest.raises(DeviceAbsentError):
        _replay(lines[: len(lines) // 2], quick_timings)


def test_a_password_is_not_recorded():
    content = b"\x13\x12\x34\x56\x78"
    masked = PayloadMask().feed(encode_frame(Frame(PacketId.COMMAND, content)))
    (frame,) = FrameDecoder().feed(masked)
    assert frame.content == b"\x13" + bytes(4)


@given(st.binary(max_size=256), st.integers(1, 40), st.booleans())
def test_the_mask_keeps_length_and_damage(content, size, is_damaged):
    data = bytearray(encode_frame(Frame(PacketId.DATA, content)))
    if is_damaged:
        data[-1] ^= 0x40
    mask = PayloadMask()
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    masked = b"".join(mask.feed(bytes(chunk)) for chunk in chunks)
    assert len(masked) == len(data)
    frames = FrameDecoder().feed(masked)
    expected = [Frame(PacketId.DATA, b"\xff" * len(content))]
    assert frames == ([] if is_damaged else expected)


@given(st.lists(st.binary(max_size=300), max_size=10))
def test_the_mask_takes_any_garbage(chunks):
    mask = PayloadMask()
    for chunk in chunks:
        assert len(mask.feed(chunk)) == len(chunk)


HEAD = json.dumps({"format": "firmware-bridge-recording", "version": 1})


@pytest.mark.parametrize(
    "lines",
    [
        ["not json"],
        ['{"format": "other", "version": 1}'],
        ['{"format": "firmware-bridge-recording", "version": 2}'],
        [HEAD, "[]"],
        [HEAD, '{"at_s": 1, "event": "device", "hex": "zz"}'],
        [HEAD, '{"at_s": 1, "event": "magic"}'],
    ],
)
def test_a_malformed_recording_names_its_line(lines):
    with pytest.raises(SettingsError, match=f"line {len(lines)}"):
        parse_recording(lines)


def test_a_missing_recording_is_named(tmp_path):
    with pytest.raises(SettingsError, match="nothing"):
        load_recording(tmp_path / "nothing.jsonl")
