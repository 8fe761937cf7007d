"""Which samples a check asks for, and how often it may ask whether they are enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.terms import FingerPosition, Modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.checkpoint.check import CheckLimits, CheckRequest
    from edge.checkpoint.officer_order import Unavailable


def required_samples(
    request: CheckRequest, limits: CheckLimits
) -> list[tuple[Modality, FingerPosition]]:
    """Return the samples without which nobody is cleared, in their order."""
    samples: list[tuple[Modality, FingerPosition]] = []
    for modality in limits.order:
        if modality not in request.modalities:
            continue
        if modality is Modality.FACE:
            samples.append((modality, FingerPosition.UNKNOWN))
        else:
            samples += [(modality, position) for position in request.positions]
    return samples


def questions(required: Sequence[tuple[Modality, FingerPosition]], extra: int) -> int:
    """Return how often a check may ask whether the evidence is enough for somebody.

    Once a sample of the first modality; from the other's first on twice, of all samples
    and of those of its modality.
    """
    first, _ = required[0]
    of_first = sum(modality is first for modality, _ in required)
    of_second = len(required) - of_first
    return of_first + 2 * of_second + (2 if of_second else 1) * extra


def extra_fingers(request: CheckRequest, limits: CheckLimits) -> list[FingerPosition]:
    """Return the fingers that may be asked for besides.

    None if a finger of the request is unknown: it could be the same once more, and two
    samples of one finger are no independent evidence.
    """
    is_known = FingerPosition.UNKNOWN not in request.positions
    if Modality.FINGERPRINT not in request.modalities or not is_known:
        return []
    return [p for p in limits.extra_fingers if p not in request.positions]


def unavailable_of(
    request: CheckRequest, modality: Modality, position: FingerPosition
) -> Unavailable | None:
    """Return what the officer said of this sample before the check, if anything."""
    return next(
        (
            one
            for one in request.unavailable
            if one.modality is modality and one.position in (None, position)
        ),
        None,
    )
