"""The packets of MQTT 5.0 that a small broker needs, as bytes and back.

OASIS MQTT 5.0 (2019), sections 2 and 3; QoS 0 and 1, no authentication exchange.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edge.errors import MessageError

CONNECT, CONNACK, PUBLISH, PUBACK = 1, 2, 3, 4
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT = 12, 13, 14
RECEIVE_MAXIMUM, MAXIMUM_PACKET_SIZE = 0x21, 0x27
MAX_PACKET_BYTES = 16 * 1024 * 1024
_BYTE_PROPERTIES = {0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A}
_SHORT_PROPERTIES = {0x13, 0x21, 0x22, 0x23}
_LONG_PROPERTIES = {0x02, 0x11, 0x18, 0x27}
_TEXT_PROPERTIES = {0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F}
_NUMBER_PROPERTY, _PAIR_PROPERTY = 0x0B, 0x26


@dataclass(frozen=True)
class Packet:
    kind: int
    flags: int
    body: bytes


@dataclass(frozen=True)
class Publication:
    """packet_id: 0 with QoS 0. properties: encoded, without their length."""

    topic: str
    payload: bytes
    retain: bool = False
    packet_id: int = 0
    properties: bytes = b""


@dataclass(frozen=True)
class Hello:
    """A CONNECT packet."""

    client_id: str
    version: int
    receive_maximum: int
    will: Publication | None


class _Reader:
    """Takes values off the front of a packet's body."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at == len(self._body)

    def take(self, count: int) -> bytes:
        found = self._body[self._at : self._at + count]
        if len(found) != count:
            raise MessageError("MQTT packet: it ends too early")
        self._at += count
        return found

    def rest(self) -> bytes:
        return self.take(len(self._body) - self._at)

    def byte(self) -> int:
        return self.take(1)[0]

    def short(self) -> int:
        value: int = struct.unpack(">H", self.take(2))[0]
        return value

    def blob(self) -> bytes:
        return self.take(self.short())

    def text(self) -> str:
        try:
            return self.blob().decode()
        except UnicodeDecodeError:
            raise MessageError("MQTT packet: a text is no UTF-8") from None

    def number(self) -> int:
        """Read a variable byte integer."""
        value = 0
        for shift in (0, 7, 14, 21):
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise MessageError("MQTT packet: a number of more than four bytes")

    def properties(self) -> bytes:
        return self.take(self.number())


def take_packet(buffer: bytearray) -> Packet | None:
    """Take the first packet off buffer; None if it is not all there.

    Raises:
        MessageError: longer than MAX_PACKET_BYTES, or no packet.
    """
    length = 0
    for place in range(1, 5):
        if len(buffer) <= place:
            return None
        length |= (buffer[place] & 0x7F) << 7 * (place - 1)
        if buffer[place] < 0x80:
            break
    else:
        raise MessageError("MQTT packet: a length of more than four bytes")
    if length > MAX_PACKET_BYTES:
        raise MessageError(f"MQTT packet: {length} bytes, {MAX_PACKET_BYTES} allowed")
    begin = place + 1
    if len(buffer) < begin + length:
        return None
    packet = Packet(
        buffer[0] >> 4, buffer[0] & 0x0F, bytes(buffer[begin : begin + length])
    )
    del buffer[: begin + length]
    return packet


def read_connect(body: bytes) -> Hello:
    """Read a CONNECT packet; of one before MQTT 5 only the version is believed.

    Raises:
        MessageError: malformed.
    """
    reader = _Reader(body)
    reader.text()
    version = reader.byte()
    if version != 5:
        return Hello("", version, 1, None)
    flags = reader.byte()
    reader.short()
    known = read_numbers(reader.properties())
    client_id = reader.text()
    will = None
    if flags & 0x04:
        reader.properties()
        topic, payload = reader.text(), reader.blob()
        will = Publication(topic, payload, retain=bool(flags & 0x20))
    return Hello(client_id, version, known.get(RECEIVE_MAXIMUM, 65535), will)


def read_publish(packet: Packet) -> Publication:
    """Read a PUBLISH packet with QoS 0 or 1.

    Raises:
        MessageError: malformed, or QoS 2.
    """
    quality = packet.flags >> 1 & 3
    if quality > 1:
        raise MessageError("MQTT packet: QoS 2 is not spoken here")
    reader = _Reader(packet.body)
    topic = reader.text()
    packet_id = reader.short() if quality else 0
    properties = reader.properties()
    retain = bool(packet.flags & 1)
    return Publication(topic, reader.rest(), retain, packet_id, properties)


def read_packet_id(body: bytes) -> int:
    """Read what an acknowledgement is about.

    Raises:
        MessageError: malformed.
    """
    return _Reader(body).short()


def read_filters(packet: Packet) -> tuple[int, list[str]]:
    """Read a SUBSCRIBE or UNSUBSCRIBE packet: its id and the topic filters.

    Raises:
        MessageError: malformed.
    """
    reader = _Reader(packet.body)
    packet_id = reader.short()
    reader.properties()
    filters = []
    while not reader.is_done:
        filters.append(reader.text())
        if packet.kind == SUBSCRIBE:
            reader.byte()
    return packet_id, filters


def read_numbers(properties: bytes) -> dict[int, int]:
    """Return the properties that are numbers, by their identifier.

    Raises:
        MessageError: malformed.
    """
    reader = _Reader(properties)
    found = {}
    while not reader.is_done:
        name = reader.number()
        if name in _BYTE_PROPERTIES:
            found[name] = reader.byte()
        elif name in _SHORT_PROPERTIES:
            found[name] = reader.short()
        elif name in _LONG_PROPERTIES:
            found[name] = int.from_bytes(reader.take(4), "big")
        elif name == _NUMBER_PROPERTY:
            found[name] = reader.number()
        elif name in _TEXT_PROPERTIES:
            reader.blob()
        elif name == _PAIR_PROPERTY:
            reader.blob(), reader.blob()
        else:
            raise MessageError(f"MQTT packet: property 0x{name:02X} is unknown")
    return found


def write_packet(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
    return bytes([kind << 4 | flags]) + _number(len(body)) + body


def write_connack(reason: int, numbers: bytes = b"") -> bytes:
    """numbers: the properties, encoded."""
    return write_packet(CONNACK, bytes([0, reason]) + _number(len(numbers)) + numbers)


def write_puback(packet_id: int, reason: int) -> bytes:
    return write_packet(PUBACK, struct.pack(">HB", packet_id, reason))


def write_suback(kind: int, packet_id: int, reasons: list[int]) -> bytes:
    body = struct.pack(">H", packet_id) + _number(0) + bytes(reasons)
    return write_packet(kind, body)


def write_publish(publication: Publication, *, is_repeat: bool = False) -> bytes:
    """With QoS 1 if there is a packet id, else with QoS 0."""
    name = publication.topic.encode()
    body = struct.pack(">H", len(name)) + name
    flags = int(publication.retain)
    if publication.packet_id:
        body += struct.pack(">H", publication.packet_id)
        flags |= 0x02 | (0x08 if is_repeat else 0)
    body += _number(len(publication.properties)) + publication.properties
    return write_packet(PUBLISH, body + publication.payload, flags)


def topic_matches(pattern: str, topic: str) -> bool:
    """Return whether a topic filter with + and # covers the topic."""
    ours, theirs = pattern.split("/"), topic.split("/")
    if ours[-1] == "#":
        ours = ours[:-1]
        theirs = theirs[: len(ours)]
    return len(ours) == len(theirs) and all(
        mine in ("+", other) for mine, other in zip(ours, theirs, strict=True)
    )


def _number(value: int) -> bytes:
    """Encode a variable byte integer."""
    out = bytearray()
    while True:
        value, low = divmod(value, 128)
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
