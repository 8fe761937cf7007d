"""The frames that cross the device server's Unix domain socket. Pure but for recv.

A frame is json length u32 | binary length u32 | JSON object | binary, big endian. Both
lengths are capped; a longer one is refused before it is read.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from firmware_bridge.errors import RequestError, ServerUnreachableError

if TYPE_CHECKING:
    import socket

PROTOCOL: Final = "firmware-bridge"
VERSION: Final = 1
MAX_JSON_BYTES: Final = 16 * 1024
MAX_BINARY_BYTES: Final = 1024 * 1024
_LENGTHS: Final = struct.Struct(">II")


@dataclass(frozen=True)
class Message:
    fields: dict[str, Any]
    binary: bytes = b""

    @property
    def kind(self) -> str:
        return str(self.fields.get("type", ""))


def encode_message(message: Message) -> bytes:
    text = json.dumps(message.fields, separators=(",", ":")).encode()
    if len(text) > MAX_JSON_BYTES or len(message.binary) > MAX_BINARY_BYTES:
        raise RequestError("socket: message too large")
    return _LENGTHS.pack(len(text), len(message.binary)) + text + message.binary


def receive_message(connection: socket.socket) -> Message | None:
    """Return the next message, or None if the other side has closed between two.

    Raises:
        RequestError: the frame is too large or no JSON object.
        ServerUnreachableError: the connection broke inside a frame.
        TimeoutError: the socket's own timeout passed.
    """
    prefix = _receive_exactly(connection, _LENGTHS.size, may_end=True)
    if prefix is None:
        return None
    json_bytes, binary_bytes = _LENGTHS.unpack(prefix)
    if json_bytes > MAX_JSON_BYTES or binary_bytes > MAX_BINARY_BYTES:
        raise RequestError(
            f"socket: frame of {json_bytes} + {binary_bytes} bytes; the limits are "
            f"{MAX_JSON_BYTES} + {MAX_BINARY_BYTES}"
        )
    text = _receive_exactly(connection, json_bytes)
    binary = _receive_exactly(connection, binary_bytes)
    try:
        fields = json.loads(text or b"")
    except (ValueError, RecursionError) as error:
        raise RequestError("socket: the frame holds no JSON") from error
    if not isinstance(fields, dict):
        raise RequestError("socket: the frame holds no JSON object")
    return Message(fields, binary or b"")


def _receive_exactly(
    connection: socket.socket, size: int, *, may_end: bool = False
) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            if may_end and not data:
                return None
            raise ServerUnreachableError("socket: the connection broke inside a frame")
        data += part
    return bytes(data)
