"""The server's side of one client: hello, requests, one capture at a time."""

from __future__ import annotations

import contextlib
import math
import threading
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from firmware_bridge.errors import (
    DeviceBusyError,
    DeviceError,
    RequestError,
    ScannerError,
    ServerUnreachableError,
    VersionMismatchError,
)
from firmware_bridge.terms import Light
from firmware_bridge.wire import (
    PROTOCOL,
    VERSION,
    Message,
    encode_message,
    receive_message,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from firmware_bridge.device_session import DeviceSession
    from firmware_bridge.json_log import JsonLog
    from firmware_bridge.terms import CapturedImage, CaptureStage, ImageRows

_HELLO_TIMEOUT_S: Final = 5.0
_SEND_TIMEOUT_S: Final = 5.0
_MAX_CAPTURE_S: Final = 600.0
_PROGRESS_STEP: Final = 0.02
_END_OF_CAPTURE_S: Final = 0.5


def error_fields(error: ScannerError, request_id: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "type": "error",
        "id": request_id,
        "error": type(error).__name__,
        "message": str(error)[:1000],
    }
    if isinstance(error, DeviceError):
        fields["code"] = error.code
    return fields


class ClientConnection:
    """Runs in its own thread until the client leaves or breaks the protocol."""

    def __init__(
        self, connection: socket.socket, session: DeviceSession, log: JsonLog
    ) -> None:
        self._connection = connection
        self._session = session
        self._log = log
        self._sending = threading.Lock()
        self._cancelled = threading.Event()
        self._capturing: threading.Thread | None = None

    def serve(self) -> None:
        try:
            self._greet()
            while (message := receive_message(self._connection)) is not None:
                self._answer(message)
        except (ServerUnreachableError, OSError):
            # The client is gone, or the server is stopping: nobody is left to tell.
            return
        except ScannerError as error:
            self._log.event("client_refused", error=str(error))
            self._send_error(error, None)
        finally:
            self.close()

    def close(self) -> None:
        """Cancel what the client started and hang up; safe from any thread."""
        self._cancelled.set()
        with contextlib.suppress(OSError):
            self._connection.shutdown(2)
        capturing = self._capturing
        if capturing is not None and capturing is not threading.current_thread():
            capturing.join(timeout=60)
        self._connection.close()

    def _greet(self) -> None:
        self._connection.settimeout(_HELLO_TIMEOUT_S)
        hello = receive_message(self._connection)
        if hello is None:
            raise ServerUnreachableError("socket: closed before the hello")
        spoken = (hello.fields.get("protocol"), hello.fields.get("version"))
        if hello.kind != "hello" or spoken != (PROTOCOL, VERSION):
            raise VersionMismatchError(
                f"socket: client speaks {str(spoken)[:60]}, server speaks {PROTOCOL} "
                f"version {VERSION}; install the same release on both sides"
            )
        self._connection.settimeout(None)
        self._send({"type": "hello", "protocol": PROTOCOL, "version": VERSION})

    def _answer(self, message: Message) -> None:
        request_id = message.fields.get("id")
        try:
            match message.kind:
                case "status":
                    status = asdict(self._session.status())
                    self._send({"type": "status", "id": request_id, **status})
                case "capture" | "wait":
                    self._start(message)
                case "cancel":
                    self._cancelled.set()
                    self._send({"type": "done", "id": request_id})
                case "light":
                    lit = self._session.light(_light_of(message))
                    self._send({"type": "done", "id": request_id, "lit": lit})
                case kind:
                    raise RequestError(f"socket: unknown request {kind[:40]!r}")
        except ScannerError as error:
            self._send_error(error, request_id)

    def _start(self, message: Message) -> None:
        """Capture, or wait for a finger, on a thread of its own."""
        timeout_s = _number(message, "timeout_s", 0.0, _MAX_CAPTURE_S)
        position = int(_number(message, "position", 0, 10))
        wants_rows = message.fields.get("rows", False)
        if not isinstance(wants_rows, bool):
            raise RequestError(f"{message.kind}: rows must be true or false")
        request_id = message.fields.get("id")
        if self._capturing is not None:
            # It may have sent its reply and be about to end.
            self._capturing.join(timeout=_END_OF_CAPTURE_S)
        if self._capturing is not None and self._capturing.is_alive():
            raise DeviceBusyError("scanner: this client is capturing already")
        self._cancelled.clear()
        if message.kind == "wait":
            target: Callable[[], None] = partial(self._wait, request_id, timeout_s)
        else:
            target = partial(
                self._capture, request_id, position, timeout_s, wants_rows=wants_rows
            )
        self._capturing = threading.Thread(target=target, name="capture", daemon=True)
        self._capturing.start()

    def _wait(self, request_id: object, timeout_s: float) -> None:
        try:
            self._session.wait_for_finger(
                timeout_s=timeout_s,
                cancelled=self._cancelled,
                on_stage=lambda stage: self._event(request_id, {"stage": str(stage)}),
            )
        except ScannerError as error:
            self._send_error(error, request_id)
            return
        self._send({"type": "present", "id": request_id})

    def _capture(
        self,
        request_id: object,
        position: int,
        timeout_s: float,
        *,
        wants_rows: bool,
    ) -> None:
        reported = -1.0

        def on_progress(share: float) -> None:
            nonlocal reported
            if share < reported or share >= reported + _PROGRESS_STEP or share >= 1:
                reported = share
                self._event(request_id, {"share": share})

        def on_stage(stage: CaptureStage) -> None:
            self._event(request_id, {"stage": str(stage)})

        def on_rows(rows: ImageRows) -> None:
            if wants_rows:
                self._send_rows(rows, request_id)

        try:
            captured = self._session.capture(
                timeout_s=timeout_s,
                cancelled=self._cancelled,
                on_progress=on_progress,
                on_stage=on_stage,
                on_rows=on_rows,
            )
        except ScannerError as error:
            self._log.event("capture_failed", error=str(error), position=position)
            self._send_error(error, request_id)
            return
        self._log.event(
            "captured",
            position=position,
            seconds=round(captured.wait_s + captured.transfer_s, 3),
        )
        self._send_image(captured, request_id, position)

    def _send_image(
        self, captured: CapturedImage, request_id: object, position: int
    ) -> None:
        height, width = captured.image.shape
        fields = {
            "type": "captured",
            "id": request_id,
            "height": height,
            "width": width,
            "resolution_ppi": captured.resolution_ppi,
            "position": position,
            "wait_s": captured.wait_s,
            "transfer_s": captured.transfer_s,
        }
        self._send(fields, captured.image.tobytes())

    def _send_rows(self, rows: ImageRows, request_id: object) -> None:
        fields = {
            "type": "progress",
            "id": request_id,
            "row": rows.first,
            "height": rows.height,
            "width": rows.rows.shape[1],
        }
        self._send(fields, rows.rows.tobytes())

    def _event(self, request_id: object, fields: dict[str, Any]) -> None:
        self._send({"type": "progress", "id": request_id, **fields})

    def _send_error(self, error: ScannerError, request_id: object) -> None:
        self._send(error_fields(error, request_id))

    def _send(self, fields: dict[str, Any], binary: bytes = b"") -> None:
        """Send, or cancel the client's capture if it does not take what it is sent."""
        data = encode_message(Message(fields, binary))
        with self._sending:
            try:
                self._send_in_time(data)
            except OSError:
                self._cancelled.set()
                with contextlib.suppress(OSError):
                    self._connection.shutdown(2)

    def _send_in_time(self, data: bytes) -> None:
        # The socket's own timeout belongs to the reading thread.
        view = memoryview(data)
        timer = threading.Timer(_SEND_TIMEOUT_S, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            self._connection.sendall(view)
        finally:
            timer.cancel()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(2)


def _light_of(message: Message) -> Light:
    try:
        return Light(str(message.fields.get("pattern")))
    except ValueError as error:
        names = ", ".join(Light)
        raise RequestError(f"light: unknown pattern; allowed are {names}") from error


def _number(message: Message, key: str, low: float, high: float) -> float:
    value = message.fields.get(key, low)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        raise RequestError(f"{message.kind}: {key} must be from {low:g} to {high:g}")
    return float(value)
