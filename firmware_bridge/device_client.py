"""The other processes' side of the device server."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import threading
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from firmware_bridge.deadline import Deadline
from firmware_bridge.errors import (
    RequestError,
    ScannerError,
    ServerUnreachableError,
    error_from_name,
)
from firmware_bridge.terms import (
    CapturedImage,
    CaptureStage,
    DeviceStatus,
    ImageRows,
    Light,
)
from firmware_bridge.wire import (
    PROTOCOL,
    VERSION,
    Message,
    encode_message,
    receive_message,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_REPLY_S: Final = 15.0
# Behind the wait for a finger: reopening the device and the slowest transfer.
_TRANSFER_S: Final = 90.0
_ASK_S: Final = 0.02
_TALLEST: Final = 4096


class DeviceClient:
    """One connection, opened at the first request and again after a loss.

    Requests run one at a time; cancel() may come from another thread.
    """

    def __init__(self, socket_path: Path, *, version: int = VERSION) -> None:
        self._path = socket_path
        self._version = version
        self._ids = itertools.count(1)
        self._connection: socket.socket | None = None
        self._requests = threading.Lock()
        self._sending = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; the server cancels a capture that still runs."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def status(self) -> DeviceStatus:
        """Raise ServerUnreachableError, AccessDeniedError or VersionMismatchError."""
        fields = self._request({"type": "status"}, timeout_s=_REPLY_S).fields
        try:
            return DeviceStatus(
                state=str(fields["state"]),
                detail=str(fields["detail"]),
                port=str(fields["port"]),
                baud=int(fields["baud"]),
                captures=int(fields["captures"]),
                reconnects=int(fields["reconnects"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError(f"socket {self._path}: malformed status") from error

    def light(self, pattern: Light) -> bool:
        """Show a pattern; False where the model has no light.

        Raises:
            DeviceAbsentError, DeviceBusyError, ServiceError.
        """
        request = {"type": "light", "pattern": str(pattern)}
        return bool(self._request(request, timeout_s=_REPLY_S).fields.get("lit"))

    def capture(
        self,
        *,
        timeout_s: float,
        position: int = 0,
        on_progress: Callable[[float], None] | None = None,
        on_stage: Callable[[CaptureStage], None] | None = None,
        on_rows: Callable[[ImageRows], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> CapturedImage:
        """Wait for a finger and return its image, uint8 (height, width), dark ridges.

        position: finger position code of ISO/IEC 19794-2, handed back as it is.
        on_progress: share of the image that has arrived; starts again after a retry.
        on_rows: the image itself while it arrives. is_cancelled: asked again and again
        in the calling thread; True ends the capture.

        Raises:
            CaptureTimeoutError, CaptureCancelledError, DeviceBusyError,
            DeviceAbsentError, NoReplyError, ProtocolError, DeviceError, ServiceError.
        """

        def on_event(message: Message) -> None:
            fields = message.fields
            if on_progress is not None and isinstance(fields.get("share"), float):
                on_progress(fields["share"])
            if on_stage is not None and fields.get("stage") in list(CaptureStage):
                on_stage(CaptureStage(fields["stage"]))
            if on_rows is not None and "row" in fields:
                on_rows(self._rows_of(message))

        request = {
            "type": "capture",
            "position": position,
            "timeout_s": timeout_s,
            "rows": on_rows is not None,
        }
        reply = self._request(
            request,
            timeout_s=timeout_s + _TRANSFER_S,
            on_event=on_event,
            is_cancelled=is_cancelled,
        )
        return self._image_of(reply)

    def wait_for_finger(
        self, *, timeout_s: float, is_cancelled: Callable[[], bool] | None = None
    ) -> None:
        """Return when a finger is put down; its image stays in the module.

        A capture, by whatever client, ends the wait.

        Raises:
            CaptureCancelledError: so it was ended, or is_cancelled said so. Others as
            capture.
        """
        request = {"type": "wait", "timeout_s": timeout_s}
        reply = self._request(
            request, timeout_s=timeout_s + _TRANSFER_S, is_cancelled=is_cancelled
        )
        if reply.kind != "present":
            raise RequestError(f"socket {self._path}: {reply.kind!r} after a wait")

    def cancel(self) -> None:
        """End this client's running capture; it raises CaptureCancelledError."""
        connection = self._connection
        if connection is None:
            return
        try:
            self._send(connection, {"type": "cancel", "id": 0})
        except OSError as error:
            raise self._unreachable(error) from error

    def _request(
        self,
        fields: dict[str, Any],
        *,
        timeout_s: float,
        on_event: Callable[[Message], None] | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> Message:
        with self._requests:
            connection = self._connected()
            request_id = next(self._ids)
            try:
                connection.settimeout(timeout_s)
                self._send(connection, {**fields, "id": request_id})
                return self._await_reply(connection, request_id, on_event, is_cancelled)
            except OSError as error:
                self.close()
                raise self._unreachable(error) from error
            except BaseException as error:
                # An error that the server reported leaves the connection usable.
                if not isinstance(error, ScannerError) or isinstance(
                    error, (ServerUnreachableError, RequestError)
                ):
                    self.close()
                raise

    def _await_reply(
        self,
        connection: socket.socket,
        request_id: int,
        on_event: Callable[[Message], None] | None,
        is_cancelled: Callable[[], bool] | None,
    ) -> Message:
        was_cancelled = False
        while True:
            if is_cancelled is not None and not was_cancelled:
                was_cancelled = _is_cancelled_first(connection, is_cancelled)
                if was_cancelled:
                    self._send(connection, {"type": "cancel", "id": 0})
            message = receive_message(connection)
            if message is None:
                raise ServerUnreachableError(f"socket {self._path}: the server hung up")
            if message.kind == "error" and message.fields.get("id") in (
                request_id,
                None,
            ):
                raise _reported(message)
            if message.fields.get("id") != request_id:
                continue
            if message.kind != "progress":
                return message
            if on_event is not None:
                on_event(message)

    def _connected(self) -> socket.socket:
        if self._connection is not None:
            return self._connection
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_REPLY_S)
        try:
            connection.connect(str(self._path))
            self._greet(connection)
        except OSError as error:
            connection.close()
            raise self._unreachable(error) from error
        except ScannerError:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _greet(self, connection: socket.socket) -> None:
        hello = {"type": "hello", "protocol": PROTOCOL, "version": self._version}
        # A refusal may have come before the hello was read; it says why.
        with contextlib.suppress(BrokenPipeError):
            self._send(connection, hello)
        answer = receive_message(connection)
        if answer is None:
            raise ServerUnreachableError(f"socket {self._path}: the server hung up")
        if answer.kind == "error":
            raise _reported(answer)

    def _send(self, connection: socket.socket, fields: dict[str, Any]) -> None:
        with self._sending:
            connection.sendall(encode_message(Message(fields)))

    def _unreachable(self, error: OSError) -> ServerUnreachableError:
        return ServerUnreachableError(
            f"socket {self._path}: {str(error) or 'no answer'}; is `firmware-bridge "
            "serve` running?"
        )

    def _rows_of(self, message: Message) -> ImageRows:
        fields = message.fields
        try:
            width = int(fields["width"])
            rows = np.frombuffer(message.binary, dtype=np.uint8).reshape(-1, width)
            found = ImageRows(int(fields["row"]), rows, int(fields["height"]))
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError(f"socket {self._path}: malformed rows") from error
        if not 0 <= found.first <= found.first + len(rows) <= found.height <= _TALLEST:
            raise RequestError(f"socket {self._path}: rows outside the image")
        return found

    def _image_of(self, reply: Message) -> CapturedImage:
        fields = reply.fields
        try:
            shape = (int(fields["height"]), int(fields["width"]))
            image = np.frombuffer(reply.binary, dtype=np.uint8).reshape(shape)
            return CapturedImage(
                image=image,
                resolution_ppi=float(fields["resolution_ppi"]),
                position=int(fields["position"]),
                wait_s=float(fields["wait_s"]),
                transfer_s=float(fields["transfer_s"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RequestError(f"socket {self._path}: malformed image") from error


def _is_cancelled_first(
    connection: socket.socket, is_cancelled: Callable[[], bool]
) -> bool:
    """Return True if that happens before something can be received."""
    timeout_s = connection.gettimeout()
    deadline = Deadline.after(_REPLY_S if timeout_s is None else timeout_s)
    while not is_cancelled():
        if select.select([connection], [], [], _ASK_S)[0] or deadline.is_over:
            return False
    return True


def _reported(message: Message) -> ScannerError:
    code = message.fields.get("code")
    return error_from_name(
        str(message.fields.get("error")),
        str(message.fields.get("message")),
        code if isinstance(code, int) else None,
    )
