"""Finger minutiae as the interchange standards hold them, whatever the byte layout.

One record holds views; a view is one finger as one image showed it. Everything that a
format says of a view stands in the view, also where the format says it once for all.

Conventions of ISO/IEC 19794-2 and ANSI/INCITS 378: origin is the top left pixel, x to
the right, y down; angles run counter-clockwise from the positive x axis; the direction
points into the ridge at an ending, into the valley between the branches at a
bifurcation. Resolutions are pixels per centimetre (500 ppi is 197).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

MINUTIAE_LIMIT = 255
COORDINATE_LIMIT = 1 << 14
RECORD_LIMIT = 1 << 20  # bytes; 255 full views without extended data take 400 kB
KIND_OTHER, RIDGE_ENDING, BIFURCATION = 0, 1, 2
HIGHEST_QUALITY = 100
QUALITY_NOT_REPORTED, QUALITY_FAILED = 254, 255
UNREPORTED_CODES = (QUALITY_NOT_REPORTED, QUALITY_FAILED)
FIRST_VENDOR_BLOCK = 0x0100
RIDGE_COUNTS, CORES_AND_DELTAS, ZONAL_QUALITY = 1, 2, 3


class RecordFormat(StrEnum):
    ISO_2005 = "iso-2005"
    ISO_2011 = "iso-2011"
    ANSI_2004 = "ansi-378"
    ANSI_2009 = "ansi-378-2009"


@dataclass(frozen=True)
class FingerQuality:
    """value: 0 to 100, 254 not reported, 255 failed. Ids are 0 if unregistered."""

    value: int
    vendor_id: int = 0
    algorithm_id: int = 0


@dataclass(frozen=True)
class CaptureDevice:
    """Ids are 0 if unreported. certification: bits of the formats before 2011."""

    device_id: int = 0
    vendor_id: int = 0
    technology: int = 0
    certification: int = 0


@dataclass(frozen=True)
class DeviceCertification:
    """scheme: 1 AFIS image quality, 2 verification, 3 optical."""

    authority: int
    scheme: int


@dataclass(frozen=True)
class ExtendedBlock:
    """Extended data as bytes.

    kind: 1 ridge counts, 2 cores and deltas, 3 zonal quality, 0x0100 and above the
    vendor's own.
    """

    kind: int
    data: bytes


@dataclass(frozen=True, eq=False)
class MinutiaColumns:
    """Minutiae as columns.

    x, y: uint16 (n,), 0 to 16383 px. angle_deg: float64 (n,), 0 to 360. kind: uint8
    (n,), 0 other, 1 ridge ending, 2 bifurcation. quality: uint8 (n,), 0 to 100, 254 not
    reported, 255 failed.
    """

    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    angle_deg: NDArray[np.float64]
    kind: NDArray[np.uint8]
    quality: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class FingerView:
    """position and impression are the codes of the standard, known to us or not.

    ends_on_ridge: an ending is where the ridge's skeleton ends, not where that of the
    valley forks. has_minutia_quality: whether the 2011 format writes the column.
    """

    position: int
    view_number: int
    width_px: int
    height_px: int
    x_px_per_cm: int
    y_px_per_cm: int
    minutiae: MinutiaColumns
    impression: int = 0
    qualities: tuple[FingerQuality, ...] = ()
    extended: tuple[ExtendedBlock, ...] = ()
    device: CaptureDevice = field(default_factory=CaptureDevice)
    certifications: tuple[DeviceCertification, ...] = ()
    captured_at: datetime | None = None
    ends_on_ridge: bool = False
    has_minutia_quality: bool = True


@dataclass(frozen=True, eq=False)
class FingerMinutiaeRecord:
    """product_owner, product_type: CBEFF ids of the ANSI formats, 0 if unregistered.

    has_certification: the 2011 format's flag.
    """

    format: RecordFormat
    views: tuple[FingerView, ...]
    product_owner: int = 0
    product_type: int = 0
    has_certification: bool = False


def misnumbered_position(views: Iterable[FingerView]) -> int | None:
    """Return a finger position whose views are not numbered 0, 1, 2 and so on."""
    numbers: dict[int, int] = defaultdict(int)
    for view in views:
        if view.view_number != numbers[view.position]:
            return view.position
        numbers[view.position] += 1
    return None
