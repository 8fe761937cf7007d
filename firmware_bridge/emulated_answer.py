"""From an answer to the bytes an emulated module sends, with its scripted faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from firmware_bridge.faults import (
    AnswerCode,
    AnswerFault,
    Upload,
    UploadFault,
    WrongChecksum,
)
from firmware_bridge.framing import Frame, PacketId, encode_frame
from firmware_bridge.replies import Acknowledgement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware_bridge.module_model import Answer

_SMALL_PACKET_BYTES: Final = 32


def packets_of(answer: Answer, packet_size_bytes: int, address: int) -> list[Frame]:
    """Return the acknowledge and the data packets, the last one marked as the end."""
    content = answer.acknowledgement.encode()
    frames = [Frame(PacketId.ACKNOWLEDGE, content, address)]
    if answer.data is not None:
        frames += _data_packets(answer.data, packet_size_bytes, address)
    return frames


def _data_packets(data: bytes, packet_size_bytes: int, address: int) -> list[Frame]:
    parts = [
        data[start : start + packet_size_bytes]
        for start in range(0, len(data), packet_size_bytes)
    ]
    frames = [Frame(PacketId.DATA, part, address) for part in parts[:-1]]
    return [*frames, Frame(PacketId.END, parts[-1], address)]


def apply_faults(
    frames: list[Frame], faults: Sequence[AnswerFault], address: int
) -> list[bytes]:
    """Return the bytes of each packet after the faults of this answer."""
    spoilt: set[int] = set()
    for fault in faults:
        match fault:
            case AnswerCode(code=code):
                content = Acknowledgement(code).encode()
                frames = [Frame(PacketId.ACKNOWLEDGE, content, address)]
            case WrongChecksum(packet=packet):
                spoilt.add(packet)
            case UploadFault(shape=shape) if len(frames) > 1:
                frames = _reshape(frames, shape, address)
    packets = [encode_frame(frame) for frame in frames]
    return [
        packet[:-1] + bytes([packet[-1] ^ 0xFF]) if index in spoilt else packet
        for index, packet in enumerate(packets)
    ]


def _reshape(frames: list[Frame], shape: Upload, address: int) -> list[Frame]:
    acknowledge, *data, last = frames
    as_data = Frame(PacketId.DATA, last.content, address)
    end = Frame(PacketId.END, b"", address)
    match shape:
        case Upload.MISSING_END:
            return [acknowledge, *data, as_data]
        case Upload.EMPTY_END:
            return [acknowledge, *data, as_data, end]
        case Upload.DATA_AFTER_END:
            return [*frames, Frame(PacketId.DATA, bytes(16), address)]
        case Upload.DATA_BEFORE_ACKNOWLEDGE:
            return [data[0], acknowledge, *data[1:], last]
        case Upload.SHORT:
            return [acknowledge, *data[:-1], last]
        case Upload.MIXED_PACKET_SIZES:
            middle = len(data) // 2
            rest = b"".join(frame.content for frame in [*data[middle:], last])
            small = _data_packets(rest, _SMALL_PACKET_BYTES, address)
            return [acknowledge, *data[:middle], *small]
