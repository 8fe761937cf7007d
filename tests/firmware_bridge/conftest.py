from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from firmware_bridge.byte_port import BytePort, LoopbackPort, loopback_pair
from firmware_bridge.deadline import Deadline
from firmware_bridge.device_client import DeviceClient
from firmware_bridge.device_server import DeviceServer
from firmware_bridge.device_session import SessionSettings
from firmware_bridge.emulator import MemoryLine, PtyLine, ScannerEmulator
from firmware_bridge.scanner import Scanner
from firmware_bridge.terms import ScannerSettings, Timings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from firmware_bridge.module_model import ModuleSettings

QUICK = Timings(
    reply_s=0.3,
    probe_reply_s=0.1,
    power_up_s=0.5,
    inter_byte_s=0.03,
    inter_packet_s=0.15,
    poll_s=0.005,
    upload_s=10.0,
)


@dataclass
class Bench:
    """An emulated module on a line in memory, and the host's end of it."""

    emulator: ScannerEmulator
    host: LoopbackPort

    def scanner(
        self, settings: ScannerSettings | None = None, port: BytePort | None = None
    ) -> Scanner:
        settings = ScannerSettings() if settings is None else settings
        return Scanner(port or self.host, replace(settings, timings=QUICK))


@pytest.fixture
def make_bench() -> Iterator[Callable[..., Bench]]:
    with contextlib.ExitStack() as stack:

        def make(settings: ModuleSettings | None = None) -> Bench:
            host, device = loopback_pair()
            line = MemoryLine(lambda: device, lambda: host.baud)
            emulator = ScannerEmulator(line, settings, is_paced=False)
            return Bench(stack.enter_context(emulator), host)

        yield make


@pytest.fixture
def pty_emulator(tmp_path: Path) -> Iterator[ScannerEmulator]:
    line = PtyLine(tmp_path / "scanner")
    with ScannerEmulator(line, is_paced=False) as emulator:
        yield emulator


@pytest.fixture
def quick_timings() -> Timings:
    return QUICK


@pytest.fixture
def make_finger() -> Callable[..., NDArray[np.uint8]]:
    """Return images whose grey levels survive four bits."""

    def make(seed: int = 1, shape: tuple[int, int] = (288, 256)) -> NDArray[np.uint8]:
        levels = np.random.default_rng(seed).integers(0, 16, shape, dtype=np.uint8)
        return levels * np.uint8(17)

    return make


@pytest.fixture
def session_settings(tmp_path: Path) -> SessionSettings:
    return SessionSettings(
        port=str(tmp_path / "scanner"),
        scanner=ScannerSettings(timings=QUICK),
        absent_grace_s=0.3,
        reopen_s=0.02,
        idle_check_s=0.02,
    )


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "bridge.sock"


@pytest.fixture
def server(
    pty_emulator: ScannerEmulator,  # noqa: ARG001  the device comes first
    session_settings: SessionSettings,
    socket_path: Path,
) -> Iterator[DeviceServer]:
    with DeviceServer(session_settings, socket_path) as running:
        yield running


@pytest.fixture
def client(server: DeviceServer, socket_path: Path) -> Iterator[DeviceClient]:  # noqa: ARG001  the server comes first
    with DeviceClient(socket_path) as connected:
        yield connected


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(is_true: Callable[[], bool]) -> None:
        deadline = Deadline.after(10)
        while not is_true():
            assert not deadline.is_over, "the awaited state never came"
            time.sleep(0.005)

    return wait
