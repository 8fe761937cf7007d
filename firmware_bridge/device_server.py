"""Owns the scanner and offers capture to other processes over a Unix domain socket."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final, Self

from firmware_bridge.client_connection import ClientConnection, error_fields
from firmware_bridge.device_session import DeviceSession, SessionSettings
from firmware_bridge.errors import AccessDeniedError, DeviceBusyError, ScannerError
from firmware_bridge.json_log import JsonLog
from firmware_bridge.peer_access import AccessRights, listen_at
from firmware_bridge.serial_port import SerialPort
from firmware_bridge.wire import Message, encode_message

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from firmware_bridge.byte_port import BytePort
    from firmware_bridge.terms import DeviceStatus

_MAX_CLIENTS: Final = 8
_ACCEPT_S: Final = 0.2
_REFUSAL_S: Final = 1.0


class DeviceServer:
    """start() returns when clients may connect; the device may come later.

    open_port: makes the port at every (re)connection; the default opens settings.port.
    """

    def __init__(
        self,
        settings: SessionSettings,
        socket_path: Path,
        *,
        rights: AccessRights | None = None,
        open_port: Callable[[], BytePort] | None = None,
        log: JsonLog | None = None,
    ) -> None:
        self._path = socket_path
        self._rights = AccessRights() if rights is None else rights
        self._log = JsonLog(None) if log is None else log
        self._session = DeviceSession(
            settings, open_port or (lambda: SerialPort(settings.port)), self._log
        )
        self._stopping = threading.Event()
        self._clients: dict[ClientConnection, threading.Thread] = {}
        self._clients_lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._acceptor = threading.Thread(
            target=self._accept_all, name="device-server", daemon=True
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen and open the device.

        Raises:
            SettingsError: the socket path is taken or cannot be used.
        """
        self._listener = listen_at(self._path, self._rights.socket_mode)
        self._listener.settimeout(_ACCEPT_S)
        self._session.start()
        self._acceptor.start()
        self._log.event("server_started", path=self._path)

    def stop(self) -> None:
        """Cancel all captures, hang up on all clients, close the device."""
        self._stopping.set()
        self._acceptor.join(timeout=10)
        with self._clients_lock:
            clients = dict(self._clients)
        for client in clients:
            client.close()
        for thread in clients.values():
            thread.join(timeout=10)
        self._session.stop()
        if self._listener is not None:
            self._listener.close()
            self._path.unlink(missing_ok=True)
        self._log.event("server_stopped", path=self._path)

    def status(self) -> DeviceStatus:
        return self._session.status()

    @property
    def is_alive(self) -> bool:
        """False if a thread that must never end has ended: a reason to restart."""
        return self._acceptor.is_alive() and self._session.is_alive

    def _accept_all(self) -> None:
        while not self._stopping.is_set() and self._listener is not None:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError as error:
                # Out of file descriptors, say: go on when there are some again.
                self._log.event("accept_failed", error=str(error))
                self._stopping.wait(_ACCEPT_S)
                continue
            connection.setblocking(True)
            self._admit(connection)

    def _admit(self, connection: socket.socket) -> None:
        try:
            uid = self._rights.admit(connection)
            with self._clients_lock:
                if len(self._clients) >= _MAX_CLIENTS:
                    raise DeviceBusyError(  # noqa: TRY301  answered as every refusal
                        f"scanner: {_MAX_CLIENTS} clients are connected; close one"
                    )
                client = ClientConnection(connection, self._session, self._log)
                thread = threading.Thread(
                    target=self._serve, args=(client,), name="client", daemon=True
                )
                self._clients[client] = thread
        except (AccessDeniedError, DeviceBusyError) as error:
            self._refuse(connection, error)
            return
        self._log.event("client_connected", peer_uid=uid)
        thread.start()

    def _serve(self, client: ClientConnection) -> None:
        try:
            client.serve()
        finally:
            with self._clients_lock:
                self._clients.pop(client, None)

    def _refuse(self, connection: socket.socket, error: ScannerError) -> None:
        self._log.event("client_refused", error=str(error))
        with connection, contextlib.suppress(OSError):
            connection.settimeout(_REFUSAL_S)
            connection.sendall(encode_message(Message(error_fields(error, None))))
