"""The compact template record, inside the appliance and between booth and hub.

    offset size  field, big endian
    0      2     magic "ET"
    2      1     version, 1
    3      1     modality: 1 fingerprint, 2 face
    4      1     length m of the model id
    5      m     model id, ASCII
    fingerprint: position u8, width u16, height u16, count u8, then 6 bytes a minutia:
        u16 kind (2 bits) and x (14), u16 low angle bits (2) and y (14),
        u8 high angle bits, u8 quality; the angle has 10 bits, 0.35 degrees a step
    face: dimension u16, then float32 a component
    end    4     CRC-32 of everything before

A typical finger of 40 minutiae takes about 270 bytes.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.errors import InputError
from edge.terms import FaceTemplate, FingerPosition, FingerprintTemplate, Template

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAGIC = b"ET"
VERSION = 1
FINGERPRINT, FACE = 1, 2
MODEL_ID_LIMIT = 64
MINUTIAE_LIMIT = 255
COORDINATE_LIMIT = 1 << 14
ANGLE_STEPS = 1024
DIMENSION_LIMIT = 4096
RECORD_LIMIT = 5 + MODEL_ID_LIMIT + 2 + 4 * DIMENSION_LIMIT + 4


def encode_template(template: Template) -> bytes:
    """Encode a template as a record.

    Raises:
        InputError: the template does not fit the record's limits.
    """
    if not template.model_id.isascii():
        message = f"template: the model id {template.model_id!a} is not ASCII"
        raise InputError(message)
    model_id = template.model_id.encode("ascii")
    if not 1 <= len(model_id) <= MODEL_ID_LIMIT:
        message = f"template: model id of {len(model_id)} bytes, 1 to 64 allowed"
        raise InputError(message)
    is_finger = isinstance(template, FingerprintTemplate)
    head = MAGIC + bytes([VERSION, FINGERPRINT if is_finger else FACE, len(model_id)])
    body = (
        _encode_finger(template)
        if isinstance(template, FingerprintTemplate)
        else _encode_face(template)
    )
    record = head + model_id + body
    return record + struct.pack(">I", zlib.crc32(record))


def face_record_head(model_id: str) -> bytes:
    """Return how the records of all face templates of this model begin."""
    name = model_id.encode("ascii")
    return MAGIC + bytes([VERSION, FACE, len(name)]) + name


def decode_template(record: bytes) -> Template:
    """Decode a record.

    Raises:
        InputError: not a record, of another version, damaged, or out of range.
    """
    if not 9 < len(record) <= RECORD_LIMIT or record[:2] != MAGIC:
        message = f"template record: {len(record)} bytes that are no template record"
        raise InputError(message)
    if record[2] != VERSION:
        message = f"template record: version {record[2]}, this software reads {VERSION}"
        raise InputError(message)
    if zlib.crc32(record[:-4]) != struct.unpack(">I", record[-4:])[0]:
        message = "template record: damaged, its checksum is wrong"
        raise InputError(message)
    if not 1 <= record[4] <= MODEL_ID_LIMIT:
        message = f"template record: model id of {record[4]} bytes, 1 to 64 allowed"
        raise InputError(message)
    try:
        end = 5 + record[4]
        model_id = record[5:end].decode("ascii")
        body = record[end:-4]
        if record[3] == FINGERPRINT:
            return _decode_finger(model_id, body)
        if record[3] == FACE:
            return _decode_face(model_id, body)
    except (struct.error, UnicodeDecodeError, IndexError, ValueError) as error:
        message = f"template record: malformed: {error}"
        raise InputError(message) from error
    message = f"template record: unknown modality {record[3]}"
    raise InputError(message)


def _encode_finger(template: FingerprintTemplate) -> bytes:
    count = len(template)
    sizes = (template.width_px, template.height_px)
    if count > MINUTIAE_LIMIT or not all(0 <= s < COORDINATE_LIMIT for s in sizes):
        message = f"template: {count} minutiae in {sizes} px do not fit a record"
        raise InputError(message)
    for values in (template.x, template.y):
        if count and not (values.min() >= 0 and values.max() < COORDINATE_LIMIT):
            message = "template: a minutia lies outside 0 to 16383 px"
            raise InputError(message)
    in_range = _is_in_range(template.kind, template.quality)
    if not in_range or not np.isfinite(template.angle_rad).all():
        message = "template: a minutia's angle, kind or quality is out of range"
        raise InputError(message)
    step = np.rint(template.angle_rad * (ANGLE_STEPS / (2 * math.pi)))
    angle = step.astype(np.int64) % ANGLE_STEPS
    rows = np.zeros((count, 6), np.uint8)
    kind_x = (template.kind.astype(np.uint16) & 3) << 14 | template.x.astype(np.uint16)
    angle_y = ((angle & 3) << 14).astype(np.uint16) | template.y.astype(np.uint16)
    rows[:, 0], rows[:, 1] = kind_x >> 8, kind_x & 255
    rows[:, 2], rows[:, 3] = angle_y >> 8, angle_y & 255
    rows[:, 4], rows[:, 5] = angle >> 2, template.quality
    return struct.pack(">BHHB", template.position, *sizes, count) + rows.tobytes()


def _decode_finger(model_id: str, body: bytes) -> FingerprintTemplate:
    position, width, height, count = struct.unpack(">BHHB", body[:6])
    if len(body) != 6 + 6 * count:
        message = f"{count} minutiae announced, {len(body) - 6} bytes follow"
        raise ValueError(message)
    rows = np.frombuffer(body[6:], np.uint8).reshape(count, 6).astype(np.uint16)
    kind_x = rows[:, 0] << 8 | rows[:, 1]
    angle_y = rows[:, 2] << 8 | rows[:, 3]
    angle = rows[:, 4] << 2 | angle_y >> 14
    if not _is_in_range(kind_x >> 14, rows[:, 5]):
        message = "a minutia's kind or quality is out of range"
        raise ValueError(message)
    return FingerprintTemplate(
        position=FingerPosition(position),
        model_id=model_id,
        width_px=width,
        height_px=height,
        x=(kind_x & 0x3FFF).astype(np.int16),
        y=(angle_y & 0x3FFF).astype(np.int16),
        angle_rad=(angle * (2 * math.pi / ANGLE_STEPS)).astype(np.float32),
        kind=(kind_x >> 14).astype(np.uint8),
        quality=rows[:, 5].astype(np.uint8),
    )


def _is_in_range(kind: NDArray[Any], quality: NDArray[Any]) -> bool:
    is_kind = (kind == 1) | (kind == 2)
    return bool((is_kind & (quality >= 1) & (quality <= 100)).all())


def _encode_face(template: FaceTemplate) -> bytes:
    vector = np.ascontiguousarray(template.vector, ">f4")
    if not np.isfinite(vector).all():
        message = "template: a component of the face vector is not finite"
        raise InputError(message)
    if vector.ndim != 1 or not 1 <= len(vector) <= DIMENSION_LIMIT:
        message = f"template: a face vector of shape {vector.shape} does not fit"
        raise InputError(message)
    return struct.pack(">H", len(vector)) + vector.tobytes()


def _decode_face(model_id: str, body: bytes) -> FaceTemplate:
    (dimension,) = struct.unpack(">H", body[:2])
    if dimension == 0 or len(body) != 2 + 4 * dimension:
        message = f"{dimension} components announced, {len(body) - 2} bytes follow"
        raise ValueError(message)
    vector = np.frombuffer(body[2:], ">f4").astype(np.float32)
    if not np.isfinite(vector).all():
        message = "a component is not finite"
        raise ValueError(message)
    return FaceTemplate(model_id=model_id, vector=vector)
