from __future__ import annotations

import numpy as np
import pytest

from firmware_bridge.codes import ConfirmationCode
from firmware_bridge.commands import (
    CheckSensor,
    GenImg,
    GetEcho,
    HandShake,
    ReadIndexTable,
    SetSysPara,
    SoftRst,
    TemplateNum,
)
from firmware_bridge.emulator import PtyLine, ScannerEmulator
from firmware_bridge.errors import DeviceAbsentError, SettingsError
from firmware_bridge.image_transfer import pack_image, unpack_image
from firmware_bridge.module_model import ModuleModel, ModuleSettings
from firmware_bridge.pty_port import PtyPort
from firmware_bridge.scanner import Scanner
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.terms import PROBE_BAUDS, ScannerSettings


@pytest.mark.parametrize("baud", PROBE_BAUDS)
def test_a_paced_module_on_a_terminal_answers_at_its_own_rate(
    tmp_path, make_finger, quick_timings, baud
):
    shape = (16, 32)
    line = PtyLine(tmp_path / "scanner")
    module = ModuleSettings(image_shape=shape, baud=baud)
    settings = ScannerSettings(
        image_shape=shape, preferred_baud=None, timings=quick_timings
    )
    with ScannerEmulator(line, module) as emulator:
        emulator.present(make_finger(shape=shape))
        port = SerialPort(str(tmp_path / "scanner"))
        scanner = Scanner(port, settings)
        assert scanner.open().baud == baud
        captured = scanner.capture(timeout_s=5)
        scanner.close()
    assert np.array_equal(captured.image, make_finger(shape=shape))


def test_queued_fingers_come_one_after_the_other(make_bench, make_finger):
    bench = make_bench()
    scanner = bench.scanner()
    scanner.open()
    bench.emulator.enqueue([make_finger(1), make_finger(2)])
    for number in (1, 2):
        captured = scanner.capture(timeout_s=2)
        assert np.array_equal(captured.image, make_finger(number))
        assert not scanner.has_finger()
    assert bench.emulator.model.queued == 0


@pytest.mark.parametrize("had_finger", [True, False])
def test_a_lift_is_seen_though_its_first_answer_is_lost(make_finger, had_finger):
    model = ModuleModel(ModuleSettings())
    if had_finger:
        model.present(make_finger())
    model.lift()
    model.present(make_finger())
    model.answer(GenImg())  # this answer never reached the host, which asks again
    seen = model.answer(GenImg()).acknowledgement.code
    assert seen == ConfirmationCode.NO_FINGER
    assert model.answer(GenImg()).acknowledgement.code == ConfirmationCode.OK


def test_four_bits_scale_to_the_whole_range():
    image = unpack_image(b"\x0f\xf0" * 18_432)
    assert image.shape == (288, 256)
    assert image[0, :4].tolist() == [0, 255, 255, 0]
    assert pack_image(image) == b"\x0f\xf0" * 18_432


@pytest.mark.parametrize(
    ("command", "code", "payload"),
    [
        (HandShake(), 0x00, b""),
        (SoftRst(), 0x00, b""),
        (GetEcho(), 0x55, b""),
        (CheckSensor(), 0xFC, b""),
        (TemplateNum(), 0x00, b"\x00\x00"),
        (ReadIndexTable(0), 0x00, bytes(32)),
        (SetSysPara(9, 1), 0x1A, b""),
        (SetSysPara(6, 4), 0x1B, b""),
    ],
)
def test_small_commands_are_answered_as_the_manual_says(command, code, payload):
    reply = ModuleModel(ModuleSettings()).answer(command).acknowledgement
    assert (reply.code, reply.payload) == (code, payload)


def test_a_missing_port_is_absent_and_a_strange_url_a_wrong_setting(tmp_path):
    with pytest.raises(DeviceAbsentError, match="no-port"):
        SerialPort(str(tmp_path / "no-port"))
    with pytest.raises(SettingsError, match="gopher"):
        SerialPort("gopher://scanner")


def test_the_host_may_not_open_the_port_twice(pty_emulator, tmp_path):
    assert pty_emulator.is_plugged
    first = SerialPort(str(tmp_path / "scanner"))
    with pytest.raises(DeviceAbsentError):
        SerialPort(str(tmp_path / "scanner"))
    first.close()


def test_every_operation_on_a_vanished_port_says_absent(tmp_path):
    device = PtyPort(tmp_path / "port")
    host = SerialPort(str(tmp_path / "port"))
    device.close()
    with pytest.raises(DeviceAbsentError):
        host.read(1, 0.0)
    with pytest.raises(DeviceAbsentError):
        host.write(b"\x00")
    with pytest.raises(DeviceAbsentError):
        host.set_baud(9600)
    with pytest.raises(DeviceAbsentError):
        host.discard_input()
    host.close()


def test_a_closed_terminal_takes_only_its_own_link_away(tmp_path):
    first = PtyPort(tmp_path / "port")
    second = PtyPort(tmp_path / "port")
    first.close()
    assert (tmp_path / "port").resolve().exists()
    second.close()
    assert not (tmp_path / "port").is_symlink()
