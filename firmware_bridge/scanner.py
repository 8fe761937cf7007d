"""The driver: one fingerprint module on one port, from probing to a grey image."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from firmware_bridge.arriving_rows import ArrivingRows
from firmware_bridge.codes import ConfirmationCode
from firmware_bridge.commands import AuraLedConfig, GenImg, LedOff, LedOn, VfyPwd
from firmware_bridge.deadline import Deadline
from firmware_bridge.errors import (
    CaptureCancelledError,
    CaptureTimeoutError,
    NoReplyError,
    ProtocolError,
)
from firmware_bridge.image_transfer import (
    DEFAULT_SHAPE,
    packed_size,
    unpack_image,
    upload_image,
)
from firmware_bridge.link import ScannerLink
from firmware_bridge.negotiation import check_settings, negotiate
from firmware_bridge.terms import (
    CapturedImage,
    CaptureStage,
    Light,
    ScannerDescription,
    ScannerSettings,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from firmware_bridge.byte_port import BytePort
    from firmware_bridge.commands import Command
    from firmware_bridge.terms import ImageRows

# control, speed, colour, count: breathe blue, steady blue, flash green, flash red.
_AURA: Final[dict[Light, AuraLedConfig]] = {
    Light.OFF: AuraLedConfig(4, 0, 0, 0),
    Light.READY: AuraLedConfig(3, 0, 2, 0),
    Light.WAITING: AuraLedConfig(1, 100, 2, 0),
    Light.SUCCESS: AuraLedConfig(2, 40, 4, 3),
    Light.FAILURE: AuraLedConfig(2, 40, 1, 3),
}
_MAX_FAILED_POLLS: Final = 10


def _ignore_progress(_share: float) -> None:
    pass


def _ignore_stage(_stage: CaptureStage) -> None:
    pass


def _ignore_rows(_rows: ImageRows) -> None:
    pass


class Scanner:
    """Not thread-safe; one owner at a time. Call open() first and after every loss."""

    def __init__(self, port: BytePort, settings: ScannerSettings | None = None) -> None:
        """Take over the port.

        Raises:
            SettingsError: the settings ask for what no module can do.
        """
        self._settings = ScannerSettings() if settings is None else settings
        check_settings(self._settings)
        self._port = port
        self._link = ScannerLink(port, self._settings)
        # What an image looks like is known for sure when one has come.
        self._shape = self._settings.image_shape or DEFAULT_SHAPE
        self._light_commands: tuple[str, ...] | None = None
        if self._settings.has_light is False:
            self._light_commands = ()

    def open(self) -> ScannerDescription:
        """Find the module and negotiate.

        Raises:
            NoReplyError, WrongPasswordError, DeviceError, ProtocolError,
            DeviceAbsentError.
        """
        return negotiate(self._link, self._settings)

    def check_alive(self) -> None:
        """Raise NoReplyError, ProtocolError or DeviceAbsentError if it is not there."""
        self._link.request(VfyPwd(self._settings.password)).require_ok("VfyPwd")

    def close(self) -> None:
        self._port.close()

    def has_finger(self) -> bool:
        """Take a picture inside the module and say whether a finger was on it.

        Raises:
            DeviceError: any answer other than a picture or "no finger".
        """
        reply = self._link.request(GenImg())
        if reply.code == ConfirmationCode.NO_FINGER:
            return False
        reply.require_ok("GenImg")
        return True

    def capture(
        self,
        *,
        timeout_s: float,
        on_progress: Callable[[float], None] = _ignore_progress,
        on_stage: Callable[[CaptureStage], None] = _ignore_stage,
        on_rows: Callable[[ImageRows], None] = _ignore_rows,
        cancelled: threading.Event | None = None,
    ) -> CapturedImage:
        """Wait for a finger and fetch its image.

        timeout_s bounds the wait; the transfer has its own bound (Timings.upload_s).
        on_rows: shown the image while it arrives. The first one of a sensor whose shape
        is neither usual nor set is shown with rows of the wrong length.

        Raises:
            CaptureTimeoutError: no finger within timeout_s.
            CaptureCancelledError: cancelled was set.
            PoorImageError: the sensor failed on the finger again and again.
            NoReplyError, ProtocolError, DeviceError, DeviceAbsentError.
        """
        cancelled = threading.Event() if cancelled is None else cancelled
        started_s = time.monotonic()
        on_stage(CaptureStage.FINGER)
        self.wait_for_finger(timeout_s=timeout_s, cancelled=cancelled)
        found_s = time.monotonic()
        on_stage(CaptureStage.TRANSFER)
        rows = ArrivingRows(self._shape, on_rows)
        packed = self._fetch_image(on_progress, rows.update, cancelled)
        image = unpack_image(packed, self._settings.image_shape)
        self._shape = (image.shape[0], image.shape[1])
        return CapturedImage(
            image=image,
            resolution_ppi=self._settings.resolution_ppi,
            wait_s=found_s - started_s,
            transfer_s=time.monotonic() - found_s,
        )

    def wait_for_finger(self, *, timeout_s: float, cancelled: threading.Event) -> None:
        """Return when the module holds a picture of a finger; raises as capture."""
        self._poll(timeout_s, cancelled, wanted=True)

    def wait_for_lift(self, *, timeout_s: float, cancelled: threading.Event) -> None:
        """Return when no finger is on the sensor; raises as capture."""
        self._poll(timeout_s, cancelled, wanted=False)

    def light(self, pattern: Light) -> bool:
        """Show a pattern; False, and nothing else, where the model has no light.

        Raises:
            DeviceAbsentError: the port went away.
        """
        if self._light_commands is None:
            self._light_commands = self._find_light(pattern)
            return bool(self._light_commands)
        return any(self._try(_light_command(k, pattern)) for k in self._light_commands)

    def _find_light(self, pattern: Light) -> tuple[str, ...]:
        for kind in ("aura", "led"):
            if self._try(_light_command(kind, pattern)):
                return (kind,)
        return ()

    def _try(self, command: Command) -> bool:
        """Send a command that a model may not know, once."""
        try:
            reply_s = self._link.timings.probe_reply_s
            return self._link.request(command, attempts=1, reply_s=reply_s).is_ok
        except (NoReplyError, ProtocolError):
            return False

    def _poll(
        self, timeout_s: float, cancelled: threading.Event, *, wanted: bool
    ) -> None:
        deadline = Deadline.after(timeout_s)
        failures = 0
        while True:
            if cancelled.is_set():
                raise CaptureCancelledError("capture cancelled while waiting")
            reply = self._link.request(GenImg())
            # A sensor may fail on a finger that is just arriving or leaving.
            if reply.code == ConfirmationCode.CAPTURE_FAILED:
                failures += 1
                if failures >= _MAX_FAILED_POLLS:
                    reply.require_ok("GenImg")
            else:
                failures = 0
                if reply.code != ConfirmationCode.NO_FINGER:
                    reply.require_ok("GenImg")
                if reply.is_ok is wanted:
                    return
            if deadline.is_over:
                what = "no finger was presented" if wanted else "the finger stayed"
                raise CaptureTimeoutError(f"capture: {what} for {timeout_s:.1f} s")
            cancelled.wait(self._link.timings.poll_s)

    def _fetch_image(
        self,
        on_progress: Callable[[float], None],
        on_data: Callable[[bytearray], None],
        cancelled: threading.Event,
    ) -> bytes:
        """Upload until one transfer is whole; the module keeps its picture."""
        expected = packed_size(self._settings.image_shape or DEFAULT_SHAPE)
        deadline = Deadline.after(self._link.timings.upload_s)
        for attempt in range(1, self._settings.attempts + 1):
            try:
                packed = upload_image(
                    self._link,
                    expected,
                    deadline=deadline,
                    on_progress=on_progress,
                    cancelled=cancelled,
                    on_data=on_data,
                )
                # A lost packet shows in the size only; there are no packet numbers.
                unpack_image(packed, self._settings.image_shape)
            except (ProtocolError, NoReplyError):
                if attempt == self._settings.attempts or deadline.is_over:
                    raise
                self._link.resynchronise()
            except CaptureCancelledError:
                self._link.resynchronise()
                raise
            else:
                return packed
        raise ProtocolError("scanner: no attempt allowed")


def _light_command(kind: str, pattern: Light) -> Command:
    if kind == "aura":
        return _AURA[pattern]
    return LedOff() if pattern is Light.OFF else LedOn()
