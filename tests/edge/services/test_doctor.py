"""The doctor on real parts: a bridge, a broker, a folder as camera, real stores."""

from __future__ import annotations

import hashlib
import importlib.metadata
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest

from edge.clock import ManualClock, SystemClock
from edge.config import parse_config
from edge.errors import LinkError
from edge.models.spec import ModelSpec, PackagedSource
from edge.models.store import ModelStore
from edge.services import device_checks, doctor, findings, machine_checks, store_checks
from edge.services.broker_check import negotiate_protocol
from edge.services.findings import Status
from edge.simulate.broker import find_mosquitto, free_port, start_broker
from edge.store.audit import append_audit
from edge.store.database import open_database, transaction
from edge.sync.settings import BrokerSettings
from firmware_bridge.device_server import DeviceServer
from firmware_bridge.device_session import SessionSettings
from firmware_bridge.emulator import ScannerEmulator
from firmware_bridge.terms import ScannerSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE_FILE = "click/__init__.py"


def config_of(text):
    return parse_config(text, origin="test")


def only(findings):
    (finding,) = findings
    return finding


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def booth_store(tmp_path):
    path = tmp_path / "booth" / "booth.db"
    database = open_database(path, "booth")
    with transaction(database) as connection:
        for subject in ("first", "second"):
            append_audit(connection, at=NOW, actor="a", action="b", subject=subject)
    database.conn.close()
    return path


@pytest.fixture
def watchlist_store(tmp_path):
    path = tmp_path / "booth" / "watchlist.db"
    open_database(path, "watchlist").conn.close()
    return path


@pytest.fixture
def spec():
    located = importlib.metadata.distribution("click").locate_file(SOURCE_FILE)
    return ModelSpec(
        model_id="sample",
        role="test",
        source=PackagedSource(
            "click", SOURCE_FILE, hashlib.sha256(located.read_bytes()).hexdigest()
        ),
        licence="BSD-3-Clause",
        card="",
        build=lambda source: source,
    )


def test_a_bridge_with_a_scanner_is_ready_and_without_one_absent(tmp_path_short):
    path, port = tmp_path_short / "s.sock", tmp_path_short / "tty"
    config = config_of(f'[scanner]\nsocket = "{path}"\n')
    settings = SessionSettings(str(port), ScannerSettings())
    with DeviceServer(settings, path):
        found = only(device_checks.check_scanner(config, SystemClock()))
        assert (found.status, found.text[:6]) == (Status.FAILED, "absent")
    with (
        ScannerEmulator(port, is_paced=False),
        DeviceServer(settings, path) as server,
    ):
        # The server listens before it has found the device.
        for _ in range(500):
            if server.status().state == "ready":
                break
            time.sleep(0.01)
        found = only(device_checks.check_scanner(config, SystemClock()))
    assert (found.status, found.text[:5]) == (Status.OK, "ready")


def test_no_bridge_at_the_socket_has_failed(tmp_path):
    config = config_of(f'[scanner]\nsocket = "{tmp_path / "none"}"\n')
    found = only(device_checks.check_scanner(config, SystemClock()))
    assert found.status is Status.FAILED
    assert "start it" in found.text


def test_parts_that_are_switched_off_are_fine():
    config = config_of("[scanner]\nenabled = false\n[camera]\nenabled = false\n")
    found = [
        only(device_checks.check_scanner(config, SystemClock())),
        only(device_checks.check_camera(config)),
    ]
    assert [f.status for f in found] == [Status.OK, Status.OK]


def test_a_camera_that_delivers_is_described(tmp_path):
    for number in range(3):
        image = np.full((48, 64, 3), number, np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    found = only(device_checks.check_camera(config_of(f'camera.source = "{tmp_path}"')))
    assert found.status is Status.OK
    assert found.text.startswith("64 x 48 pixels, ")


def test_a_camera_that_may_be_held_by_a_running_booth_is_a_warning(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(device_checks, "FRAME_TIMEOUT_S", 0.2)
    port = free_port()
    source = tmp_path / "none.mp4"
    config = config_of(f'camera.source = "{source}"\nweb.port = {port}')
    assert only(device_checks.check_camera(config)).status is Status.FAILED
    with socket.create_server(("127.0.0.1", port)):
        assert only(device_checks.check_camera(config)).status is Status.WARNING


def test_models_are_ready_or_made_later_or_damaged(tmp_path, spec):
    store = ModelStore(tmp_path, [spec])
    assert only(device_checks.check_models(store)).status is Status.WARNING
    assert contents(tmp_path) == {}
    path = store.prepare("sample")
    assert only(device_checks.check_models(store)).status is Status.OK
    path.write_bytes(b"other")
    found = only(device_checks.check_models(store))
    assert found.status is Status.FAILED
    assert "edge models prepare" in found.text


@pytest.mark.parametrize(
    ("policy", "camera", "status", "text"),
    [
        ("off", "true", Status.OK, "off"),
        ("second_look", "false", Status.OK, "no camera"),
        ("inform", "true", Status.WARNING, "edge models fetch minifasnet-v2"),
        ("second_look", "true", Status.FAILED, "no check with one ends clear"),
    ],
)
def test_faces_that_cannot_be_told_from_pictures_are_said_to_be(
    tmp_path, policy, camera, status, text
):
    config = config_of(
        f'policy.presentation_attack = "{policy}"\ncamera.enabled = {camera}'
    )
    found = only(device_checks.check_presentation(config, ModelStore(tmp_path)))
    assert found.status is status
    assert text in found.text


def test_a_sound_store_is_counted_and_left_as_it_is(booth_store):
    before = contents(booth_store.parent)
    found = only(store_checks.check_booth_store(booth_store))
    assert found.status is Status.OK
    assert "audit chain of 2 lines" in found.text
    assert contents(booth_store.parent) == before


def test_a_sound_watchlist_is_counted_and_left_as_it_is(watchlist_store):
    before = contents(watchlist_store.parent)
    found = only(store_checks.check_watchlist(watchlist_store))
    assert found.status is Status.OK
    assert "0 entries" in found.text
    assert contents(watchlist_store.parent) == before


def test_a_store_in_use_shows_what_is_only_in_its_log(booth_store):
    database = open_database(booth_store, "booth")
    with transaction(database) as connection:
        append_audit(connection, at=NOW, actor="a", action="b", subject="third")
    found = only(store_checks.check_booth_store(booth_store))
    database.conn.close()
    assert "audit chain of 3 lines" in found.text


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    path = tmp_path / "folder" / "booth.db"
    for check in (
        store_checks.check_booth_store,
        store_checks.check_watchlist,
        store_checks.check_hub_store,
    ):
        assert only(check(path)).status is Status.WARNING
    assert list(tmp_path.iterdir()) == []


def test_a_changed_audit_line_has_failed(booth_store):
    database = open_database(booth_store, "booth")
    database.conn.execute("drop trigger audit_is_append_only_update")
    database.conn.execute("update audit set subject = 'x' where number = 2")
    database.conn.close()
    found = only(store_checks.check_booth_store(booth_store))
    assert found.status is Status.FAILED
    assert "line 2" in found.text
    assert str(booth_store) in found.text


@pytest.mark.parametrize("content", [b"", b"no database at all" * 300])
def test_a_file_that_is_no_store_has_failed(tmp_path, content):
    path = tmp_path / "booth.db"
    path.write_bytes(content)
    assert only(store_checks.check_booth_store(path)).status is Status.FAILED
    assert path.read_bytes() == content


def test_the_hub_store_is_read_and_not_taken_for_a_booth_store(tmp_path):
    path = tmp_path / "hub.db"
    open_database(path, "hub").conn.close()
    assert only(store_checks.check_hub_store(path)).status is Status.OK
    assert only(store_checks.check_booth_store(path)).status is Status.FAILED


@pytest.mark.parametrize(
    ("free", "status"),
    [(1 << 30, Status.OK), (200 << 20, Status.WARNING), (99 << 20, Status.FAILED)],
)
def test_a_full_disk_is_told_in_time(tmp_path, free, status):
    assert machine_checks.disk_finding("disk", tmp_path, free).status is status


def test_the_disk_of_a_folder_that_is_not_there_yet_is_measured(tmp_path):
    found = only(machine_checks.check_disk({"models": tmp_path / "a" / "b"}))
    assert found.subject == "disk (models)"
    assert "GiB free" in found.text


@pytest.mark.parametrize(("kind", "version"), [("mosquitto", "5"), ("amqtt", "3.1.1")])
def test_the_protocol_is_negotiated_with_the_broker(tmp_path, kind, version):
    if kind == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    broker = start_broker(tmp_path, free_port(), prefer=kind)
    try:
        config = config_of(
            f'broker.port = {broker.port}\nbroker.certificates = "configured"'
        )
        found = only(doctor.check_broker(config))
    finally:
        broker.stop()
    assert found.status is Status.OK
    assert f"MQTT {version}," in found.text


def test_no_broker_and_a_silent_one_are_link_errors():
    port = free_port()
    settings = BrokerSettings(port=port)
    with pytest.raises(LinkError, match="cannot connect"):
        negotiate_protocol(settings, SystemClock())
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(LinkError, match="no answer"),
    ):
        negotiate_protocol(settings, SystemClock(), timeout_s=0.2)


@pytest.mark.parametrize(
    ("offset", "synchronised", "status"),
    [
        (timedelta(hours=1), True, Status.OK),
        (timedelta(hours=1), None, Status.OK),
        (timedelta(hours=1), False, Status.WARNING),
        (timedelta(hours=-1), True, Status.FAILED),
    ],
)
def test_the_clock_is_held_against_the_store(booth_store, offset, synchronised, status):
    stores = {"booth": booth_store}
    clock = ManualClock(NOW + offset)
    found = only(machine_checks.check_clock(stores, clock, lambda: synchronised))
    assert found.status is status


def test_a_clock_from_before_the_software_has_failed():
    clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC))
    assert (
        only(machine_checks.check_clock({}, clock, lambda: None)).status
        is Status.FAILED
    )


def test_checks_that_hang_or_break_cost_their_own_line_only():
    release = threading.Event()

    def hang():
        release.wait(30)
        return []

    def explode():
        raise ZeroDivisionError("two\nlines")

    fine = findings.Finding("fine", Status.OK, "yes")
    checks = {"stuck": hang, "broken": explode, "fine": lambda: [fine]}
    stuck, broken, last = findings.run_checks(checks, 0.3)
    release.set()
    assert (stuck.subject, stuck.status) == ("stuck", Status.FAILED)
    assert (broken.status, "\n" in broken.text) == (Status.FAILED, False)
    assert last == fine
