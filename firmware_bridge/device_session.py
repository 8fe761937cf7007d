"""Owns the scanner for as long as the server runs, through every loss of the device."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from firmware_bridge.deadline import Deadline
from firmware_bridge.errors import (
    CaptureCancelledError,
    CaptureTimeoutError,
    DeviceAbsentError,
    DeviceBusyError,
    DeviceError,
    NoReplyError,
    ProtocolError,
    ScannerError,
)
from firmware_bridge.scanner import Scanner
from firmware_bridge.terms import (
    CapturedImage,
    CaptureStage,
    DeviceStatus,
    Light,
    ScannerSettings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_bridge.byte_port import BytePort
    from firmware_bridge.json_log import JsonLog
    from firmware_bridge.terms import ImageRows

# After these the module's state is unknown: close, open and negotiate again.
_LOST: Final = (DeviceAbsentError, NoReplyError, ProtocolError)
_LIGHT_PATIENCE_S: Final = 1.0
# A wait for a finger is between two questions to the module, or in one.
_GIVE_WAY_S: Final = 5.0


@dataclass(frozen=True)
class SessionSettings:
    """How the owner behaves.

    requires_lift: a capture starts only after the last finger was seen lifted.
    absent_grace_s: how long a capture waits for a lost device before it fails.
    """

    port: str
    scanner: ScannerSettings
    requires_lift: bool = True
    absent_grace_s: float = 5.0
    shows_light: bool = True
    reopen_s: float = 0.5
    idle_check_s: float = 1.0


class DeviceSession:
    """Thread-safe. One thread keeps the device open; captures run in the caller's."""

    def __init__(
        self,
        settings: SessionSettings,
        open_port: Callable[[], BytePort],
        log: JsonLog,
    ) -> None:
        self._settings = settings
        self._open_port = open_port
        self._log = log
        self._device = threading.RLock()  # whoever holds it talks to the scanner
        self._capture = threading.Lock()  # whoever holds it is the one capture
        self._waiting: threading.Event | None = None  # set, it ends the mere wait
        self._ready = threading.Event()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._scanner: Scanner | None = None
        self._finger_may_rest = False
        self._refusal: DeviceError | None = None
        self._status = DeviceStatus("absent", "not opened yet", settings.port, 0, 0, 0)
        self._keeper = threading.Thread(
            target=self._keep_open, name="device-keeper", daemon=True
        )

    def start(self) -> None:
        self._keeper.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._keeper.join(timeout=60)
        with self._device:
            self._close()

    @property
    def is_alive(self) -> bool:
        return self._keeper.is_alive()

    def status(self) -> DeviceStatus:
        status = self._status
        is_capturing = self._capture.locked() and self._waiting is None
        if status.state == "ready" and is_capturing:
            return replace(status, state="capturing")
        return status

    def light(self, pattern: Light) -> bool:
        """Return False where the model has no light.

        Raises:
            DeviceAbsentError: the device is not there.
            DeviceBusyError: a capture has the line; it shows its own lights.
        """
        if not self._device.acquire(timeout=_LIGHT_PATIENCE_S):
            raise DeviceBusyError("scanner: busy with a capture, light unchanged")
        try:
            return self._present_scanner().light(pattern)
        except _LOST as error:
            self._lose(error)
            raise
        finally:
            self._device.release()

    def capture(
        self,
        *,
        timeout_s: float,
        cancelled: threading.Event,
        on_progress: Callable[[float], None],
        on_stage: Callable[[CaptureStage], None],
        on_rows: Callable[[ImageRows], None],
    ) -> CapturedImage:
        """Capture once, waiting for a lost device to come back for a while.

        Who merely waits for a finger gives way.

        Raises:
            DeviceBusyError: another capture runs.
            DeviceAbsentError, NoReplyError, ProtocolError: lost and not back in time.
            DeviceError: it refused, when it was opened (WrongPasswordError) or now.
            CaptureTimeoutError, CaptureCancelledError.
        """
        waiting = self._waiting
        if waiting is not None:
            waiting.set()
        if not self._capture.acquire(timeout=0 if waiting is None else _GIVE_WAY_S):
            raise DeviceBusyError("scanner: another capture is running; try again")
        try:
            deadline = Deadline.after(timeout_s)
            while True:
                self._wait_until_ready(deadline, cancelled, on_stage)
                try:
                    return self._capture_once(
                        deadline, cancelled, on_progress, on_stage, on_rows
                    )
                except _LOST as error:
                    if deadline.is_over or self._stopping.is_set():
                        raise
                    self._log.event("capture_interrupted", error=str(error))
        finally:
            self._capture.release()

    def wait_for_finger(
        self,
        *,
        timeout_s: float,
        cancelled: threading.Event,
        on_stage: Callable[[CaptureStage], None],
    ) -> None:
        """Return when a finger is put down, without fetching its image.

        A finger that was captured has to be lifted first. Nothing leaves the module,
        and a capture by another client ends the wait.

        Raises:
            CaptureCancelledError: cancelled, or a capture began. Others as capture.
        """
        if not self._capture.acquire(blocking=False):
            raise DeviceBusyError("scanner: a capture is running; try again")
        self._waiting = cancelled
        try:
            deadline = Deadline.after(timeout_s)
            self._wait_until_ready(deadline, cancelled, on_stage)
            with self._device:
                scanner = self._present_scanner()
                try:
                    self._wait_for_lift(scanner, deadline, cancelled, on_stage)
                    self._show(scanner, Light.READY)
                    on_stage(CaptureStage.FINGER)
                    scanner.wait_for_finger(
                        timeout_s=deadline.remaining_s, cancelled=cancelled
                    )
                except _LOST as error:
                    self._lose(error)
                    raise
        finally:
            self._waiting = None
            self._capture.release()

    def _wait_for_lift(
        self,
        scanner: Scanner,
        deadline: Deadline,
        cancelled: threading.Event,
        on_stage: Callable[[CaptureStage], None],
    ) -> None:
        if self._finger_may_rest and self._settings.requires_lift:
            on_stage(CaptureStage.LIFT)
            scanner.wait_for_lift(timeout_s=deadline.remaining_s, cancelled=cancelled)
        self._finger_may_rest = False

    def _capture_once(
        self,
        deadline: Deadline,
        cancelled: threading.Event,
        on_progress: Callable[[float], None],
        on_stage: Callable[[CaptureStage], None],
        on_rows: Callable[[ImageRows], None],
    ) -> CapturedImage:
        with self._device:
            scanner = self._present_scanner()
            try:
                self._wait_for_lift(scanner, deadline, cancelled, on_stage)
                self._show(scanner, Light.WAITING)
                captured = scanner.capture(
                    timeout_s=deadline.remaining_s,
                    on_progress=on_progress,
                    on_stage=on_stage,
                    on_rows=on_rows,
                    cancelled=cancelled,
                )
                self._show(scanner, Light.SUCCESS)
            except _LOST as error:
                self._lose(error)
                raise
            except (CaptureTimeoutError, CaptureCancelledError, DeviceError):
                self._show(scanner, Light.OFF)
                raise
            self._finger_may_rest = True
            self._status = replace(self._status, captures=self._status.captures + 1)
            return captured

    def _show(self, scanner: Scanner, pattern: Light) -> None:
        """Show a pattern; the light is a comfort and never spoils a capture."""
        if self._settings.shows_light:
            with contextlib.suppress(DeviceAbsentError):
                scanner.light(pattern)

    def _wait_until_ready(
        self,
        deadline: Deadline,
        cancelled: threading.Event,
        on_stage: Callable[[CaptureStage], None],
    ) -> None:
        if self._ready.is_set():
            return
        on_stage(CaptureStage.ABSENT)
        patience = Deadline.after(
            min(self._settings.absent_grace_s, deadline.remaining_s)
        )
        while not self._ready.wait(0.02):
            if cancelled.is_set():
                raise CaptureCancelledError("capture cancelled while waiting")
            if patience.is_over or self._stopping.is_set():
                if self._refusal is not None:
                    raise type(self._refusal)(str(self._refusal), self._refusal.code)
                raise DeviceAbsentError(f"scanner: absent: {self._status.detail}")

    def _present_scanner(self) -> Scanner:
        if self._scanner is None:
            raise DeviceAbsentError(f"scanner: absent: {self._status.detail}")
        return self._scanner

    def _keep_open(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            if self._scanner is None:
                self._try_to_open()
            # A running capture notices a loss by itself.
            elif self._device.acquire(blocking=False):
                try:
                    self._check()
                finally:
                    self._device.release()
            settings = self._settings
            pause_s = settings.idle_check_s if self._ready.is_set() else 0.0
            self._wake.wait(pause_s or settings.reopen_s)

    def _try_to_open(self) -> None:
        with self._device:
            try:
                scanner = Scanner(self._open_port(), self._settings.scanner)
            except ScannerError as error:
                self._refusal = None
                self._note_absent("absent", str(error))
                return
            try:
                description = scanner.open()
            except ScannerError as error:
                scanner.close()
                self._refusal = error if isinstance(error, DeviceError) else None
                state = "absent" if self._refusal is None else "refused"
                self._note_absent(state, str(error))
                return
            self._refusal = None
            self._scanner = scanner
            self._status = replace(
                self._status, state="ready", detail="", baud=description.baud
            )
            self._ready.set()
            self._log.event(
                "scanner_ready", port=self._settings.port, baud=description.baud
            )

    def _check(self) -> None:
        """Notice an unplugged device and a lifted finger while nobody captures."""
        if self._scanner is None:
            return
        try:
            if self._finger_may_rest:
                self._finger_may_rest = self._scanner.has_finger()
            else:
                self._scanner.check_alive()
        except _LOST as error:
            self._lose(error)
        except DeviceError as error:
            self._log.event("scanner_complains", error=str(error))

    def _lose(self, error: ScannerError) -> None:
        self._close()
        self._status = replace(self._status, reconnects=self._status.reconnects + 1)
        self._note_absent("absent", str(error))
        self._wake.set()

    def _note_absent(self, state: str, detail: str) -> None:
        if (self._status.state, self._status.detail) != (state, detail):
            self._log.event("scanner_absent", state=state, error=detail)
        self._status = replace(self._status, state=state, detail=detail, baud=0)

    def _close(self) -> None:
        self._ready.clear()
        if self._scanner is not None:
            self._scanner.close()
            self._scanner = None
