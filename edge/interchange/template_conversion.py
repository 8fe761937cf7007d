"""Minutiae records to the appliance's fingerprint templates, and back.

A template is at 500 ppi by definition and is written as 197 pixels per cm, the nearest
that a record can say. Reading, a resolution within 5 ppi of 500 leaves coordinates as
they are; other resolutions from 250 to 1000 ppi are scaled.

A template that is read has model id "iso-19794-2": some other maker's extraction. Our
own records carry the model id in a block of vendor extended data (type 0x01ED: the
text "edge-template", a zero, a version of 1, the model id in ASCII), which other
readers skip by its length; a template read from such a record is again one of that
model. The block is a label and proves nothing.

What a template cannot hold becomes the nearest that it can: a minutia of kind "other"
an ending, a quality that is not reported UNREPORTED_QUALITY, a quality of 0 the lowest,
1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge.errors import InputError
from edge.interchange.minutiae_record import (
    COORDINATE_LIMIT,
    HIGHEST_QUALITY,
    KIND_OTHER,
    MINUTIAE_LIMIT,
    RIDGE_ENDING,
    ExtendedBlock,
    FingerMinutiaeRecord,
    FingerQuality,
    FingerView,
    MinutiaColumns,
    RecordFormat,
)
from edge.terms import FingerPosition, FingerprintTemplate

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

FOREIGN_MODEL_ID = "iso-19794-2"
MODEL_BLOCK = 0x01ED
WRITTEN_PX_PER_CM = 197
RESOLUTION_PPI = 500.0
UNCHANGED_WITHIN_PPI = 5.0
# 250 and 1000 ppi, as whole pixels per cm.
LOWEST_PX_PER_CM, HIGHEST_PX_PER_CM = 98, 394
CM_PER_INCH = 2.54
# The lowest at which a minutia counts in full. FNMR at a threshold for FMR 1e-4 with
# every quality replaced by one (FVC2000 DB2_B and DB3_B, FVC2002 DB3_B, 1,680 mated
# pairs): 7.0 % at 40, 4.6 % at 55, 3.8 % at 70, 3.6 % at 85 and 100; 3.4 % with the
# real ones.
UNREPORTED_QUALITY = 75

_SIGNATURE = b"edge-template\0\x01"
_MODEL_ID_LIMIT = 64
_FULL_TURN = np.float32(2 * np.pi)
_PLAIN_THUMBS = {11: FingerPosition.RIGHT_THUMB, 12: FingerPosition.LEFT_THUMB}
_SINGLE_UNNAMED = (16, 17, 18, 19)


def record_of(
    template: FingerprintTemplate,
    record_format: RecordFormat,
    *,
    finger_quality: int | None = None,
    captured_at: datetime | None = None,
) -> FingerMinutiaeRecord:
    """Return a record with the template as its one view, a live plain impression.

    Of more than 255 minutiae those of the lowest quality are left out.
    finger_quality: 0 to 100. captured_at: only the format of 2011 has a place for it.

    Raises:
        InputError: the template's values have no place in a record.
    """
    _require_writable(template)
    kept = _strongest(template.quality)
    degrees = np.rad2deg(template.angle_rad[kept].astype(np.float64))
    view = FingerView(
        position=int(template.position),
        view_number=0,
        width_px=template.width_px,
        height_px=template.height_px,
        x_px_per_cm=WRITTEN_PX_PER_CM,
        y_px_per_cm=WRITTEN_PX_PER_CM,
        minutiae=MinutiaColumns(
            x=template.x[kept].astype(np.uint16),
            y=template.y[kept].astype(np.uint16),
            angle_deg=degrees,
            kind=template.kind[kept],
            quality=template.quality[kept],
        ),
        qualities=() if finger_quality is None else (FingerQuality(finger_quality),),
        extended=_model_blocks(template.model_id),
        captured_at=captured_at,
    )
    return FingerMinutiaeRecord(record_format, (view,))


def templates_of(
    record: FingerMinutiaeRecord, what: str = "minutiae record"
) -> tuple[FingerprintTemplate, ...]:
    """Return a template a view; what names the record in messages.

    Minutiae of a foreign record come strongest first, our own in the order written.

    Raises:
        InputError: several fingers or a palm in a view, or an impossible resolution.
    """
    return tuple(
        template_of(view, f"{what}: view {number}")
        for number, view in enumerate(record.views)
    )


def template_of(view: FingerView, what: str = "finger view") -> FingerprintTemplate:
    """Return the template of one view; what names it in messages.

    Raises:
        InputError: several fingers or a palm, or an impossible resolution.
    """
    x_scale = _scale(view.x_px_per_cm, f"{what}: x resolution")
    y_scale = _scale(view.y_px_per_cm, f"{what}: y resolution")
    model_id = _model_id(view.extended)
    minutiae = view.minutiae
    quality = _template_quality(minutiae.quality)
    order = np.arange(len(minutiae))
    if model_id == FOREIGN_MODEL_ID:
        order = np.argsort(-quality.astype(np.int16), kind="stable")
    x = np.rint(minutiae.x[order] * x_scale).astype(np.int64)
    y = np.rint(minutiae.y[order] * y_scale).astype(np.int64)
    width = _side(view.width_px * x_scale, x, f"{what}: image width")
    height = _side(view.height_px * y_scale, y, f"{what}: image height")
    kind = minutiae.kind[order]
    return FingerprintTemplate(
        position=_position(view.position, what),
        model_id=model_id,
        width_px=width,
        height_px=height,
        x=x.astype(np.int16),
        y=y.astype(np.int16),
        angle_rad=_angle(minutiae.angle_deg[order], x_scale, y_scale),
        kind=np.where(kind == KIND_OTHER, RIDGE_ENDING, kind).astype(np.uint8),
        quality=quality[order],
    )


def _require_writable(template: FingerprintTemplate) -> None:
    sides = ((template.x, template.width_px), (template.y, template.height_px))
    for values, side in sides:
        if len(values) and not 0 <= values.min() <= values.max() < side:
            raise InputError("template: a minutia lies outside of its image")
    if not np.isfinite(template.angle_rad).all():
        raise InputError("template: the angle of a minutia is no number")


def _strongest(quality: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the indices to keep, in their order."""
    ranked = np.argsort(-quality.astype(np.int16), kind="stable")
    return np.sort(ranked[:MINUTIAE_LIMIT])


def _model_blocks(model_id: str) -> tuple[ExtendedBlock, ...]:
    if model_id == FOREIGN_MODEL_ID:
        return ()
    if not model_id.isascii() or not 1 <= len(model_id) <= _MODEL_ID_LIMIT:
        raise InputError(
            f"template: model id {model_id!a}; 1 to {_MODEL_ID_LIMIT} ASCII characters"
        )
    return (ExtendedBlock(MODEL_BLOCK, _SIGNATURE + model_id.encode("ascii")),)


def _model_id(blocks: tuple[ExtendedBlock, ...]) -> str:
    """Return the model that a block of ours names; other makers may use its number."""
    for block in blocks:
        name = block.data.removeprefix(_SIGNATURE)
        is_ours = block.kind == MODEL_BLOCK and len(name) < len(block.data)
        if is_ours and 1 <= len(name) <= _MODEL_ID_LIMIT and name.isascii():
            text = name.decode("ascii")
            if text.isprintable():
                return text
    return FOREIGN_MODEL_ID


def _scale(px_per_cm: int, field: str) -> float:
    if not LOWEST_PX_PER_CM <= px_per_cm <= HIGHEST_PX_PER_CM:
        raise InputError(
            f"{field}: {px_per_cm} pixels per cm; allowed are {LOWEST_PX_PER_CM} to "
            f"{HIGHEST_PX_PER_CM} (250 to 1000 ppi; 500 ppi is {WRITTEN_PX_PER_CM})"
        )
    ppi = px_per_cm * CM_PER_INCH
    is_near = abs(ppi - RESOLUTION_PPI) <= UNCHANGED_WITHIN_PPI
    return 1.0 if is_near else RESOLUTION_PPI / ppi


def _side(length: float, places: NDArray[np.int64], field: str) -> int:
    """Return the image's side in pixels, long enough for minutiae outside of it."""
    side = max(round(length), int(places.max(initial=0)) + 1)
    if side > COORDINATE_LIMIT:
        raise InputError(
            f"{field}: {side} px at 500 ppi; at most {COORDINATE_LIMIT - 1}, check the "
            "resolution"
        )
    return min(side, COORDINATE_LIMIT - 1)


def _angle(
    degrees: NDArray[np.float64], x_scale: float, y_scale: float
) -> NDArray[np.float32]:
    turned = np.deg2rad(degrees)
    if x_scale != y_scale:
        turned = np.arctan2(np.sin(turned) * y_scale, np.cos(turned) * x_scale)
    angle = np.mod(turned, 2 * np.pi).astype(np.float32)
    # What lies just below a full turn may round up to it.
    angle[angle >= _FULL_TURN] = 0.0
    return angle


def _template_quality(quality: NDArray[np.uint8]) -> NDArray[np.uint8]:
    is_silent = quality > HIGHEST_QUALITY
    return np.where(is_silent, UNREPORTED_QUALITY, np.maximum(quality, 1)).astype(
        np.uint8
    )


def _position(code: int, what: str) -> FingerPosition:
    if code in _PLAIN_THUMBS:
        return _PLAIN_THUMBS[code]
    if code in _SINGLE_UNNAMED:
        return FingerPosition.UNKNOWN
    try:
        return FingerPosition(code)
    except ValueError as error:
        raise InputError(
            f"{what}: finger position {code} is no single finger; give a record with a "
            "view for each finger"
        ) from error
