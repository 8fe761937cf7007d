from __future__ import annotations

import threading

import numpy as np
import pytest

from firmware_bridge.arriving_rows import ROWS_AT_ONCE, ArrivingRows
from firmware_bridge.device_client import DeviceClient
from firmware_bridge.errors import CaptureCancelledError, CaptureTimeoutError
from firmware_bridge.faults import DropByte
from firmware_bridge.image_transfer import pack_image


def put_together(parts):
    """Return the image as a screen would hold it after the last part."""
    image = np.full((parts[0].height, parts[0].rows.shape[1]), 255, np.uint8)
    for part in parts:
        image[part.first : part.first + len(part.rows)] = part.rows
    return image


def test_rows_are_told_once_and_whole(make_finger):
    image = make_finger(shape=(30, 64))
    packed, told = pack_image(image), []
    rows = ArrivingRows((30, 64), told.append)
    for size in range(0, len(packed) + 50, 50):
        rows.update(bytearray(packed[:size]))
    assert np.array_equal(put_together(told), image)
    assert sum(len(part.rows) for part in told) == 30
    assert all(len(part.rows) >= ROWS_AT_ONCE for part in told[:-1])


def test_a_repeated_transfer_begins_at_the_first_row(make_finger):
    image = make_finger(shape=(16, 64))
    packed, told = pack_image(image), []
    rows = ArrivingRows((16, 64), told.append)
    rows.update(bytearray(packed))
    rows.update(bytearray(packed[:300]))
    assert [part.first for part in told] == [0, 0]
    assert np.array_equal(told[1].rows, image[:9])


def test_more_bytes_than_the_image_has_are_not_shown(make_finger):
    packed, told = pack_image(make_finger(shape=(16, 64))), []
    rows = ArrivingRows((16, 64), told.append)
    rows.update(bytearray(packed + packed))
    rows.update(bytearray(packed + packed + packed))
    assert [(part.first, len(part.rows)) for part in told] == [(0, 16)]


def test_a_client_sees_the_image_arrive(client, pty_emulator, make_finger):
    pty_emulator.present(make_finger())
    parts = []
    captured = client.capture(timeout_s=5, on_rows=parts.append)
    assert np.array_equal(put_together(parts), captured.image)
    assert len(parts) >= 30


def test_after_a_damaged_transfer_the_image_arrives_anew(
    client, pty_emulator, make_finger, wait_until
):
    wait_until(lambda: client.status().state == "ready")
    pty_emulator.present(make_finger())
    pty_emulator.add_faults(DropByte(20_000))
    parts = []
    captured = client.capture(timeout_s=5, on_rows=parts.append)
    assert [part.first for part in parts].count(0) == 2
    assert np.array_equal(put_together(parts), captured.image)


def test_who_does_not_ask_for_rows_gets_none(client, pty_emulator, make_finger):
    pty_emulator.present(make_finger())
    seen = []
    client._await_reply = _spying(client._await_reply, seen)
    client.capture(timeout_s=5, on_progress=lambda _share: None)
    assert seen
    assert not any("row" in message.fields for message in seen)


def _spying(original, seen):
    def spy(connection, request_id, on_event, is_cancelled):
        def both(message):
            seen.append(message)
            on_event(message)

        return original(connection, request_id, both, is_cancelled)

    return spy


def test_a_finger_that_is_put_down_ends_the_wait_and_is_captured_after(
    client, pty_emulator, make_finger
):
    presenter = threading.Timer(0.1, pty_emulator.present, [make_finger()])
    presenter.start()
    client.wait_for_finger(timeout_s=5)
    assert np.array_equal(client.capture(timeout_s=5).image, make_finger())
    assert client.status().captures == 1


def test_a_finger_that_was_captured_has_to_be_lifted_before_it_counts_again(
    client, pty_emulator, make_finger
):
    pty_emulator.present(make_finger())
    client.capture(timeout_s=5)
    with pytest.raises(CaptureTimeoutError):
        client.wait_for_finger(timeout_s=0.2)
    pty_emulator.lift()
    pty_emulator.present(make_finger(2))
    client.wait_for_finger(timeout_s=5)


def test_a_wait_gives_way_to_a_capture(
    client, socket_path, pty_emulator, make_finger, wait_until
):
    wait_until(lambda: client.status().state == "ready")
    ended = []

    def wait():
        with DeviceClient(socket_path) as waiting, pytest.raises(CaptureCancelledError):
            waiting.wait_for_finger(timeout_s=30)
        ended.append(True)

    asked = pty_emulator.commands_seen
    waiter = threading.Thread(target=wait)
    waiter.start()
    # Who waits asks the module again and again; before that it would not give way.
    wait_until(lambda: pty_emulator.commands_seen >= asked + 5)
    presenter = threading.Timer(0.2, pty_emulator.present, [make_finger()])
    presenter.start()
    assert np.array_equal(client.capture(timeout_s=5).image, make_finger())
    waiter.join(5)
    assert ended == [True]


def test_what_the_caller_no_longer_wants_ends_at_once(client, pty_emulator):
    assert pty_emulator.is_plugged
    wanted = iter([False, False, True])
    with pytest.raises(CaptureCancelledError):
        client.capture(timeout_s=30, is_cancelled=lambda: next(wanted))
    with pytest.raises(CaptureCancelledError):
        client.wait_for_finger(timeout_s=30, is_cancelled=lambda: True)
    assert client.status().captures == 0
