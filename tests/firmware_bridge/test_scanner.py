from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from firmware_bridge.errors import (
    CaptureCancelledError,
    CaptureTimeoutError,
    DeviceAbsentError,
    DeviceFaultError,
    NoReplyError,
    PoorImageError,
    ProtocolError,
    SettingsError,
    UnsupportedCommandError,
    VendorSpecificError,
    WrongPasswordError,
)
from firmware_bridge.faults import (
    AnswerCode,
    DoubleByte,
    DropByte,
    FlipBits,
    InsertBytes,
    Stall,
    StaySilent,
    UnplugAtByte,
    Upload,
    UploadFault,
    WrongChecksum,
)
from firmware_bridge.module_model import ModuleSettings
from firmware_bridge.terms import (
    PROBE_BAUDS,
    CaptureStage,
    Light,
    ScannerSettings,
)

if TYPE_CHECKING:
    from firmware_bridge.scanner import Scanner

GEN_IMG = 0x01
UP_IMAGE = 0x0A
VFY_PWD = 0x13


def test_the_image_arrives_as_the_sensor_saw_it(make_bench, make_finger):
    bench = make_bench()
    scanner = bench.scanner()
    scanner.open()
    finger = make_finger()
    bench.emulator.present(finger)
    shares, stages = [], []
    captured = scanner.capture(
        timeout_s=2, on_progress=shares.append, on_stage=stages.append
    )
    assert np.array_equal(captured.image, finger)
    assert captured.image.dtype == np.uint8
    assert captured.resolution_ppi == 500
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert stages == [CaptureStage.FINGER, CaptureStage.TRANSFER]


def test_an_r503_image_is_192_pixels_square(make_bench, make_finger):
    bench = make_bench(ModuleSettings(image_shape=(192, 192), boots_with_55=True))
    scanner = bench.scanner()
    scanner.open()
    finger = make_finger(shape=(192, 192))
    bench.emulator.present(finger)
    assert np.array_equal(scanner.capture(timeout_s=2).image, finger)


@pytest.mark.parametrize("baud", PROBE_BAUDS)
def test_a_module_at_any_usual_rate_is_found_and_raised(make_bench, baud):
    bench = make_bench(ModuleSettings(baud=baud))
    assert bench.scanner().open().baud == 115200
    assert bench.host.baud == bench.emulator.model.baud == 115200


def test_a_module_that_switches_after_power_up_only_stays_at_its_rate(make_bench):
    bench = make_bench(ModuleSettings(switches_baud_at_once=False))
    assert bench.scanner().open().baud == 57600


def test_a_module_whose_answer_to_the_switch_is_lost_is_found_again(make_bench):
    bench = make_bench()
    bench.emulator.add_faults(WrongChecksum(instruction=0x0E))
    assert bench.scanner().open().baud == 115200


@pytest.mark.parametrize("size", [32, 64, 256])
def test_the_packet_size_is_negotiated(make_bench, make_finger, size):
    bench = make_bench()
    scanner = bench.scanner(ScannerSettings(preferred_packet_size_bytes=size))
    assert scanner.open().parameters.packet_size_bytes == size
    bench.emulator.present(make_finger())
    assert np.array_equal(scanner.capture(timeout_s=2).image, make_finger())


def test_a_wrong_password_is_said_at_once(make_bench):
    bench = make_bench(ModuleSettings(password=0x1234))
    with pytest.raises(WrongPasswordError, match="13h"):
        bench.scanner().open()
    bench.scanner(ScannerSettings(password=0x1234)).open()


def test_a_module_with_another_address_is_reached_by_it(make_bench):
    bench = make_bench(ModuleSettings(address=0x00000A55))
    with pytest.raises(NoReplyError):
        bench.scanner().open()
    bench.scanner(ScannerSettings(address=0x00000A55)).open()


def test_a_model_without_parameters_needs_fixed_ones(make_bench, make_finger):
    bench = make_bench(ModuleSettings(has_sys_para=False))
    with pytest.raises(UnsupportedCommandError, match="fixed parameters"):
        bench.scanner().open()
    fixed = make_bench().scanner().open().parameters
    scanner = bench.scanner(ScannerSettings(fixed_parameters=fixed))
    assert scanner.open().parameters == fixed
    bench.emulator.present(make_finger())
    assert np.array_equal(scanner.capture(timeout_s=2).image, make_finger())


def test_a_silent_module_ends_in_no_reply(make_bench):
    bench = make_bench()
    bench.emulator.add_faults(StaySilent(times=1000))
    with pytest.raises(NoReplyError, match="57600"):
        bench.scanner().open()


@pytest.mark.parametrize("settings", [{"baud": 12345}, {"attempts": 0}])
def test_settings_that_no_module_knows_are_refused(make_bench, settings):
    with pytest.raises(SettingsError):
        make_bench().scanner(ScannerSettings(**settings))


def test_no_finger_in_time_is_a_timeout(make_bench):
    scanner = make_bench().scanner()
    scanner.open()
    assert not scanner.has_finger()
    with pytest.raises(CaptureTimeoutError):
        scanner.capture(timeout_s=0.05)


def test_a_cancelled_capture_ends_while_waiting(make_bench):
    scanner = make_bench().scanner()
    scanner.open()
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(CaptureCancelledError):
        scanner.capture(timeout_s=5, cancelled=cancelled)


def test_a_cancelled_transfer_leaves_a_working_scanner(make_bench, make_finger):
    bench = make_bench()
    scanner = bench.scanner()
    scanner.open()
    bench.emulator.present(make_finger())
    cancelled = threading.Event()
    with pytest.raises(CaptureCancelledError):
        scanner.capture(
            timeout_s=5, cancelled=cancelled, on_progress=lambda _: cancelled.set()
        )
    assert np.array_equal(scanner.capture(timeout_s=2).image, make_finger())


SURVIVED = {
    "dropped byte": DropByte(5000),
    "doubled byte": DoubleByte(5000),
    "flipped byte": FlipBits(5000, 0x10),
    "flipped header": FlipBits(12, 0x01),
    "stray boot byte": InsertBytes(0, b"\x55"),
    "stray bytes": InsertBytes(0, b"\xef\x01\xff\xff"),
    "stray bytes inside": InsertBytes(9000, b"\xef\x01\xff\xff\xff\xff\x02\x00"),
    "short stall": Stall(5000, 0.02),
    "long stall": Stall(5000, 0.3),
    "damaged acknowledge": WrongChecksum(UP_IMAGE),
    "damaged data packet": WrongChecksum(UP_IMAGE, packet=3),
    "lost answer": StaySilent(GEN_IMG, times=2),
    "lost upload answer": StaySilent(UP_IMAGE),
    "module got our command damaged": AnswerCode(GEN_IMG, code=0x01),
    "sensor failed on an arriving finger": AnswerCode(GEN_IMG, times=3, code=0x03),
    "data before acknowledge": UploadFault(shape=Upload.DATA_BEFORE_ACKNOWLEDGE),
    "a packet missing": UploadFault(shape=Upload.SHORT),
    "missing end": UploadFault(shape=Upload.MISSING_END),
    "empty end": UploadFault(shape=Upload.EMPTY_END),
    "data after the end": UploadFault(shape=Upload.DATA_AFTER_END),
    "packet size changed": UploadFault(shape=Upload.MIXED_PACKET_SIZES),
}


@pytest.mark.parametrize("fault", SURVIVED.values(), ids=SURVIVED)
def test_a_capture_survives_one_fault_on_the_line(make_bench, make_finger, fault):
    bench = make_bench()
    scanner = bench.scanner()
    scanner.open()
    bench.emulator.present(make_finger())
    bench.emulator.add_faults(fault)
    assert np.array_equal(scanner.capture(timeout_s=3).image, make_finger())
    assert np.array_equal(scanner.capture(timeout_s=3).image, make_finger())


FATAL = {
    "always short": (UploadFault(shape=Upload.SHORT, times=9), ProtocolError),
    "always damaged": (WrongChecksum(UP_IMAGE, times=9, packet=2), ProtocolError),
    "upload refused": (AnswerCode(UP_IMAGE, code=0x0F), DeviceFaultError),
    "sensor broken": (AnswerCode(GEN_IMG, code=0x29), DeviceFaultError),
    "sensor always fails": (AnswerCode(GEN_IMG, times=99, code=0x03), PoorImageError),
    "code of no table": (AnswerCode(GEN_IMG, code=0x77), VendorSpecificError),
    "silent": (StaySilent(times=99), NoReplyError),
    "only damage": (WrongChecksum(GEN_IMG, times=99), ProtocolError),
    "unplugged": (UnplugAtByte(7000), DeviceAbsentError),
}


@pytest.mark.parametrize(("fault", "error"), FATAL.values(), ids=FATAL)
def test_a_lasting_fault_ends_in_a_typed_error(make_bench, make_finger, fault, error):
    bench = make_bench()
    scanner = bench.scanner()
    scanner.open()
    bench.emulator.present(make_finger())
    bench.emulator.add_faults(fault)
    with pytest.raises(error) as caught:
        scanner.capture(timeout_s=3)
    assert "\n" not in str(caught.value)


def test_an_image_of_an_unknown_size_is_refused(make_bench, make_finger):
    bench = make_bench(ModuleSettings(image_shape=(64, 64)))
    scanner = bench.scanner()
    scanner.open()
    bench.emulator.present(make_finger(shape=(64, 64)))
    with pytest.raises(ProtocolError, match="2048 bytes fits no known sensor"):
        scanner.capture(timeout_s=2)


@pytest.mark.parametrize(
    ("model", "has_light"),
    [
        (ModuleSettings(has_aura=True), True),
        (ModuleSettings(has_leds=True), True),
        (ModuleSettings(), False),
    ],
)
def test_the_light_is_lit_where_there_is_one(make_bench, model, has_light):
    bench = make_bench(model)
    scanner = bench.scanner()
    scanner.open()
    assert scanner.light(Light.WAITING) is has_light
    assert scanner.light(Light.SUCCESS) is has_light
    assert bool(bench.emulator.model.light) is has_light
    if not has_light:
        before = bench.emulator.commands_seen
        scanner.light(Light.OFF)
        assert bench.emulator.commands_seen == before


def test_a_module_that_ignores_light_commands_has_no_light(make_bench):
    bench = make_bench()
    scanner = bench.scanner()
    scanner.open()
    bench.emulator.add_faults(StaySilent(0x35), StaySilent(0x50))
    assert scanner.light(Light.READY) is False


def test_the_lift_is_seen_before_the_next_finger(make_bench, make_finger):
    bench = make_bench()
    scanner: Scanner = bench.scanner()
    scanner.open()
    never = threading.Event()
    bench.emulator.present(make_finger(1))
    scanner.capture(timeout_s=2)
    with pytest.raises(CaptureTimeoutError):
        scanner.wait_for_lift(timeout_s=0.02, cancelled=never)
    bench.emulator.lift()
    bench.emulator.present(make_finger(2))
    scanner.wait_for_lift(timeout_s=2, cancelled=never)
    assert np.array_equal(scanner.capture(timeout_s=2).image, make_finger(2))
