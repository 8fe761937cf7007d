"""The cable is pulled at every step of a capture; the same server goes on."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from firmware_bridge.device_client import DeviceClient
from firmware_bridge.device_server import DeviceServer
from firmware_bridge.errors import DeviceAbsentError
from firmware_bridge.faults import UnplugAtByte, UnplugOnCommand
from firmware_bridge.scanner import Scanner
from firmware_bridge.serial_port import SerialPort

# Bytes behind the acknowledges of opening: polls and headers, then the image.
STEPS = {
    "before the finger is answered": UnplugOnCommand(0x01),
    "before the upload is answered": UnplugOnCommand(0x0A),
    "in the acknowledge of the finger": UnplugAtByte(5),
    "in the acknowledge of the upload": UnplugAtByte(17),
    "before the first data packet": UnplugAtByte(36),
    "in the first data packet": UnplugAtByte(100),
    "a quarter through": UnplugAtByte(10_000),
    "half through": UnplugAtByte(20_000),
    "three quarters through": UnplugAtByte(30_000),
    "in the end packet": UnplugAtByte(39_990),
    "in the last checksum": UnplugAtByte(40_054),
}


@pytest.fixture
def calm_server(pty_emulator, session_settings, socket_path):
    """A server that does not look after the idle device, so that bytes count alike."""
    assert pty_emulator.is_plugged
    settings = replace(
        session_settings, idle_check_s=60.0, shows_light=False, requires_lift=False
    )
    with DeviceServer(settings, socket_path) as running:
        yield running


@pytest.mark.parametrize("fault", STEPS.values(), ids=STEPS)
def test_unplugged_during_a_capture_it_fails_clearly_and_then_works(
    calm_server, socket_path, pty_emulator, make_finger, wait_until, fault
):
    pty_emulator.present(make_finger())
    with DeviceClient(socket_path) as client:
        wait_until(lambda: client.status().state == "ready")
        pty_emulator.add_faults(fault)
        with pytest.raises(DeviceAbsentError, match="absent"):
            client.capture(timeout_s=5)
        assert client.status().state == "absent"
        pty_emulator.replug()
        wait_until(lambda: client.status().state == "ready")
        captured = client.capture(timeout_s=5)
        assert np.array_equal(captured.image, make_finger())
        assert calm_server.is_alive


@pytest.mark.parametrize("fault", STEPS.values(), ids=STEPS)
def test_replugged_in_time_the_same_capture_succeeds(
    pty_emulator, session_settings, socket_path, make_finger, wait_until, fault
):
    settings = replace(
        session_settings, idle_check_s=60.0, shows_light=False, absent_grace_s=10.0
    )
    pty_emulator.present(make_finger())
    with (
        DeviceServer(settings, socket_path) as server,
        DeviceClient(socket_path) as client,
    ):
        wait_until(lambda: server.status().state == "ready")
        pty_emulator.add_faults(fault)

        def replug_when_gone() -> None:
            wait_until(lambda: not pty_emulator.is_plugged)
            pty_emulator.replug()

        helper = threading.Thread(target=replug_when_gone)
        helper.start()
        captured = client.capture(timeout_s=10)
        helper.join()
        assert np.array_equal(captured.image, make_finger())
        assert server.status().reconnects == 1


@pytest.mark.parametrize("instruction", [0x13, 0x0F, 0x0E])
def test_unplugged_while_it_is_opened_it_is_opened_again(
    pty_emulator, session_settings, socket_path, make_finger, wait_until, instruction
):
    pty_emulator.add_faults(UnplugOnCommand(instruction))
    with (
        DeviceServer(session_settings, socket_path) as server,
        DeviceClient(socket_path) as client,
    ):
        wait_until(lambda: not pty_emulator.is_plugged)
        pty_emulator.replug()
        wait_until(lambda: server.status().state == "ready")
        pty_emulator.present(make_finger())
        assert np.array_equal(client.capture(timeout_s=5).image, make_finger())


def test_unplugged_while_idle_the_status_says_absent(
    client, pty_emulator, wait_until, make_finger
):
    for number in range(3):
        wait_until(lambda: client.status().state == "ready")
        pty_emulator.unplug()
        wait_until(lambda: client.status().state == "absent")
        pty_emulator.replug()
        pty_emulator.lift()
        pty_emulator.present(make_finger(number))
        wait_until(lambda: client.status().state == "ready")
        captured = client.capture(timeout_s=5)
        assert np.array_equal(captured.image, make_finger(number))


def test_unplugged_while_waiting_for_the_lift_it_still_works(
    client, pty_emulator, wait_until, make_finger
):
    pty_emulator.present(make_finger(1))
    client.capture(timeout_s=5)
    pty_emulator.unplug()
    pty_emulator.replug()
    pty_emulator.lift()
    pty_emulator.present(make_finger(2))
    wait_until(lambda: client.status().state == "ready")
    assert np.array_equal(client.capture(timeout_s=5).image, make_finger(2))


def test_the_link_leads_to_the_new_terminal_after_a_replug(pty_emulator, tmp_path):
    link = tmp_path / "scanner"
    assert link.resolve().exists()
    pty_emulator.unplug()
    assert not link.is_symlink()
    pty_emulator.replug()
    assert link.resolve().exists()


class _KilledError(Exception):
    pass


def test_a_driver_that_died_during_an_upload_leaves_no_trouble_behind(
    pty_emulator, session_settings, make_finger
):
    def die(share: float) -> None:
        if share > 0.3:
            raise _KilledError

    pty_emulator.present(make_finger())
    for _ in range(2):
        port = SerialPort(session_settings.port)
        scanner = Scanner(port, session_settings.scanner)
        scanner.open()
        with pytest.raises(_KilledError):
            scanner.capture(timeout_s=5, on_progress=die)
        scanner.close()
    port = SerialPort(session_settings.port)
    scanner = Scanner(port, session_settings.scanner)
    scanner.open()
    assert np.array_equal(scanner.capture(timeout_s=5).image, make_finger())
    scanner.close()
