"""Images that are to become references, and what the quality check says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.terms import FingerPosition, Modality, Reference


@dataclass(frozen=True)
class ImageToEnrol:
    """An image file as it was sent. origin: how messages name it. ppi: of a print."""

    origin: str
    modality: Modality
    position: FingerPosition
    data: bytes = field(repr=False)
    ppi: float = 500.0


@dataclass(frozen=True)
class Prepared:
    """What became of one image; reference and png are None if it is not usable.

    quality: 0 to 100, needed: what an enrolment asks of this finger or face. reasons:
    what is wrong with it.
    """

    origin: str
    quality: int
    needed: int
    reasons: tuple[str, ...]
    reference: Reference | None
    png: bytes | None = field(default=None, repr=False)
