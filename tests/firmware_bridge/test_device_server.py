from __future__ import annotations

import os
import socket
import stat
import struct
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from firmware_bridge.device_client import DeviceClient
from firmware_bridge.device_server import DeviceServer
from firmware_bridge.errors import (
    AccessDeniedError,
    CaptureCancelledError,
    CaptureTimeoutError,
    DeviceAbsentError,
    DeviceBusyError,
    DeviceFaultError,
    RequestError,
    ServerUnreachableError,
    SettingsError,
    VersionMismatchError,
    WrongPasswordError,
)
from firmware_bridge.faults import AnswerCode
from firmware_bridge.peer_access import AccessRights
from firmware_bridge.terms import CaptureStage, Light
from firmware_bridge.wire import Message, encode_message, receive_message

STRANGER = """
import os, socket, sys
os.setgroups([int(sys.argv[2])])
os.setgid(65534)
os.setuid(65534)
stranger = socket.socket(socket.AF_UNIX)
stranger.connect("\\0" + sys.argv[1])
stranger.recv(1)
"""
HELLO = {"type": "hello", "protocol": "firmware-bridge", "version": 1}


def _connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(5)
    connection.connect(str(path))
    return connection


def _greeted(path):
    connection = _connect(path)
    connection.sendall(encode_message(Message(HELLO)))
    assert receive_message(connection).kind == "hello"
    return connection


def test_a_client_gets_the_finger_with_progress(client, pty_emulator, make_finger):
    pty_emulator.present(make_finger())
    shares, stages = [], []
    captured = client.capture(
        position=2, timeout_s=5, on_progress=shares.append, on_stage=stages.append
    )
    assert np.array_equal(captured.image, make_finger())
    assert (captured.position, captured.resolution_ppi) == (2, 500)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert stages[-2:] == [CaptureStage.FINGER, CaptureStage.TRANSFER]


def test_the_next_capture_waits_for_the_lift(client, pty_emulator, make_finger):
    pty_emulator.present(make_finger(1))
    client.capture(timeout_s=5)
    with pytest.raises(CaptureTimeoutError):
        client.capture(timeout_s=0.1)
    pty_emulator.lift()
    pty_emulator.present(make_finger(2))
    captured = client.capture(timeout_s=5)
    assert np.array_equal(captured.image, make_finger(2))


def test_the_lift_rule_can_be_switched_off(
    pty_emulator, session_settings, socket_path, make_finger
):
    settings = replace(session_settings, requires_lift=False)
    pty_emulator.present(make_finger())
    with DeviceServer(settings, socket_path), DeviceClient(socket_path) as client:
        for _ in range(2):
            assert np.array_equal(client.capture(timeout_s=5).image, make_finger())


def test_the_status_counts_and_says_ready(
    client, pty_emulator, make_finger, wait_until
):
    wait_until(lambda: client.status().state == "ready")
    pty_emulator.present(make_finger())
    client.capture(timeout_s=5)
    status = client.status()
    assert (status.captures, status.baud, status.reconnects) == (1, 115200, 0)


def test_an_error_of_the_module_keeps_its_class_and_code(
    client, pty_emulator, make_finger, wait_until
):
    wait_until(lambda: client.status().state == "ready")
    pty_emulator.present(make_finger())
    pty_emulator.add_faults(AnswerCode(0x0A, code=0x0F))
    with pytest.raises(DeviceFaultError) as caught:
        client.capture(timeout_s=5)
    assert caught.value.code == 0x0F


def test_a_model_without_a_light_says_so(client, wait_until):
    wait_until(lambda: client.status().state == "ready")
    assert client.light(Light.READY) is False


def test_a_capture_can_be_cancelled_from_another_thread(client):
    started = threading.Event()
    canceller = threading.Thread(target=lambda: started.wait(5) and client.cancel())
    canceller.start()
    with pytest.raises(CaptureCancelledError):
        client.capture(timeout_s=30, on_stage=lambda _: started.set())
    canceller.join()


def test_a_second_client_is_told_that_the_scanner_is_busy(
    client, socket_path, wait_until
):
    wait_until(lambda: client.status().state == "ready")
    first = _greeted(socket_path)
    capture = {"type": "capture", "id": 1, "timeout_s": 30}
    first.sendall(encode_message(Message(capture)))
    wait_until(lambda: client.status().state == "capturing")
    with pytest.raises(DeviceBusyError):
        client.capture(timeout_s=1)
    with pytest.raises(DeviceBusyError):
        client.light(Light.OFF)
    first.close()


def test_a_client_that_dies_cancels_its_capture(
    client, socket_path, wait_until, pty_emulator, make_finger
):
    wait_until(lambda: client.status().state == "ready")
    dying = _greeted(socket_path)
    capture = {"type": "capture", "id": 1, "timeout_s": 600}
    dying.sendall(encode_message(Message(capture)))
    wait_until(lambda: client.status().state == "capturing")
    dying.close()
    wait_until(lambda: client.status().state == "ready")
    pty_emulator.present(make_finger())
    assert np.array_equal(client.capture(timeout_s=5).image, make_finger())


def test_a_stopped_server_ends_a_running_capture(
    pty_emulator, session_settings, socket_path
):
    assert pty_emulator.is_plugged
    server = DeviceServer(session_settings, socket_path)
    server.start()
    started = threading.Event()
    stopper = threading.Thread(target=lambda: started.wait(5) and server.stop())
    stopper.start()
    with DeviceClient(socket_path) as client:
        with pytest.raises((ServerUnreachableError, CaptureCancelledError)):
            client.capture(timeout_s=30, on_stage=lambda _: started.set())
        stopper.join()
        with pytest.raises(ServerUnreachableError, match="serve"):
            client.status()


def test_another_version_is_refused_by_name(server, socket_path):
    assert server.is_alive
    with (
        DeviceClient(socket_path, version=2) as client,
        pytest.raises(VersionMismatchError, match="version 1"),
    ):
        client.status()


@pytest.mark.parametrize(
    "data",
    [
        struct.pack(">II", 1 << 31, 0),
        struct.pack(">II", 10, 1 << 30),
        struct.pack(">II", 4, 0) + b"\xff\xfe\xfd\xfc",
        struct.pack(">II", 2, 0) + b"[]",
        struct.pack(">II", 12_000, 0) + b"[" * 12_000,
    ],
)
@pytest.mark.parametrize("is_greeted", [True, False])
def test_a_malformed_frame_is_refused_and_the_server_goes_on(
    client, socket_path, data, is_greeted
):
    bad = _greeted(socket_path) if is_greeted else _connect(socket_path)
    bad.sendall(data)
    refusal = receive_message(bad)
    assert refusal.fields["error"] == "RequestError"
    assert receive_message(bad) is None
    bad.close()
    assert client.status().state


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "reboot"},
        {"type": "light", "pattern": "disco"},
        {"type": "capture", "timeout_s": "ten"},
        {"type": "capture", "timeout_s": 1e9},
        {"type": "capture", "timeout_s": float("nan")},
        {"type": "capture", "timeout_s": 1, "position": 11},
        {"type": "capture", "timeout_s": True},
        {"type": "capture", "timeout_s": 1, "rows": "all"},
        {"type": "wait", "timeout_s": -1},
    ],
)
def test_a_bad_request_is_refused_and_the_connection_goes_on(
    server, socket_path, fields
):
    assert server.is_alive
    connection = _greeted(socket_path)
    connection.sendall(encode_message(Message({**fields, "id": 7})))
    reply = receive_message(connection)
    assert (reply.fields["error"], reply.fields["id"]) == ("RequestError", 7)
    connection.sendall(encode_message(Message({"type": "status", "id": 8})))
    assert receive_message(connection).kind == "status"
    connection.close()


def test_too_large_a_message_is_never_sent():
    with pytest.raises(RequestError):
        encode_message(Message({"text": "x" * 20_000}))


def test_a_frame_cut_off_in_the_middle_is_an_error():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(encode_message(Message(HELLO))[:-1])
        theirs.shutdown(socket.SHUT_WR)
        with pytest.raises(ServerUnreachableError):
            receive_message(ours)


@pytest.mark.parametrize("mode", [0o600, 0o660])
def test_the_socket_has_the_rights_it_was_given(
    pty_emulator, session_settings, socket_path, mode
):
    assert pty_emulator.is_plugged
    rights = AccessRights(socket_mode=mode)
    with DeviceServer(session_settings, socket_path, rights=rights):
        assert stat.S_IMODE(socket_path.stat().st_mode) == mode
    assert not socket_path.exists()


class _StrangersOnly(AccessRights):
    def admit(self, connection):
        uid = super().admit(connection)
        raise AccessDeniedError(f"scanner: user id {uid} is not admitted")


def test_a_user_who_is_not_admitted_is_told_so(
    pty_emulator, session_settings, socket_path
):
    assert pty_emulator.is_plugged
    with (
        DeviceServer(session_settings, socket_path, rights=_StrangersOnly()),
        DeviceClient(socket_path) as client,
        pytest.raises(AccessDeniedError, match="not admitted"),
    ):
        client.status()


@pytest.fixture
def stranger():
    """Return a function: a connection whose peer is user 65534 in the given group."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind("\0firmware-bridge-test-" + str(os.getpid()))
    listener.listen(1)
    children, connections = [], []

    def connect(group):
        name = listener.getsockname()[1:].decode()
        children.append(
            subprocess.Popen([sys.executable, "-c", STRANGER, name, str(group)])
        )
        connection, _ = listener.accept()
        connections.append(connection)
        return connection

    yield connect
    for connection in connections:
        connection.close()
    for child in children:
        child.wait(timeout=10)
    listener.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_is_refused_unless_admitted_by_id_or_group(stranger):
    outsider, member = stranger(65534), stranger(os.getegid())
    for connection in (outsider, member):
        with pytest.raises(AccessDeniedError, match="65534"):
            AccessRights(0o600).admit(connection)
    with pytest.raises(AccessDeniedError):
        AccessRights(0o660).admit(outsider)
    assert AccessRights(0o660).admit(member) == 65534
    assert AccessRights(0o600, frozenset({65534})).admit(outsider) == 65534


def test_the_own_user_is_admitted():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert AccessRights().admit(ours) == os.getuid()


def test_a_second_server_on_the_same_socket_is_refused(
    server, session_settings, socket_path
):
    assert server.is_alive
    with pytest.raises(SettingsError, match="another server"):
        DeviceServer(session_settings, socket_path).start()


def test_a_socket_file_left_by_a_crash_is_replaced(
    pty_emulator, session_settings, socket_path
):
    assert pty_emulator.is_plugged
    crashed = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    crashed.bind(str(socket_path))
    crashed.close()
    with (
        DeviceServer(session_settings, socket_path),
        DeviceClient(socket_path) as client,
    ):
        assert client.status().state


def test_a_ninth_client_is_told_to_come_later(server, socket_path):
    assert server.is_alive
    connections = [_greeted(socket_path) for _ in range(8)]
    with DeviceClient(socket_path) as client, pytest.raises(DeviceBusyError):
        client.status()
    for connection in connections:
        connection.close()


def test_without_a_server_the_client_says_what_to_start(socket_path):
    with (
        DeviceClient(socket_path) as client,
        pytest.raises(ServerUnreachableError, match="serve"),
    ):
        client.status()


def test_a_device_that_never_was_there_is_absent(session_settings, socket_path):
    with (
        DeviceServer(session_settings, socket_path),
        DeviceClient(socket_path) as client,
    ):
        with pytest.raises(DeviceAbsentError):
            client.capture(timeout_s=5)
        with pytest.raises(DeviceAbsentError):
            client.light(Light.READY)
        assert client.status().state == "absent"


def test_a_wrong_password_is_told_to_the_client(
    pty_emulator, session_settings, socket_path
):
    assert pty_emulator.is_plugged
    scanner = replace(session_settings.scanner, password=0xBAD)
    settings = replace(session_settings, scanner=scanner)
    with (
        DeviceServer(settings, socket_path) as server,
        DeviceClient(socket_path) as client,
    ):
        with pytest.raises(WrongPasswordError) as caught:
            client.capture(timeout_s=5)
        assert caught.value.code == 0x13
        assert server.status().state == "refused"
