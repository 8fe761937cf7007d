"""What an officer may say while a check runs, so that nobody stands before a dead end.

A skip goes on without the sample in hand, an override takes it as poor as it is, a
cancellation ends the check. None of them clears anybody: see `policy.py`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.terms import (
    Exemption,
    ExemptionKind,
    ExemptionReason,
    FingerPosition,
    Modality,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# With these nothing of the modality is given: another finger is no way on.
OF_THE_PERSON = frozenset({ExemptionReason.REFUSED, ExemptionReason.CHILD})
# In whose order another finger is asked for; index fingers are the easiest to place
# and the most often enrolled.
OTHER_FINGERS = (
    FingerPosition.RIGHT_INDEX,
    FingerPosition.LEFT_INDEX,
    FingerPosition.RIGHT_THUMB,
    FingerPosition.LEFT_THUMB,
    FingerPosition.RIGHT_MIDDLE,
    FingerPosition.LEFT_MIDDLE,
    FingerPosition.RIGHT_RING,
    FingerPosition.LEFT_RING,
    FingerPosition.RIGHT_LITTLE,
    FingerPosition.LEFT_LITTLE,
)


@dataclass(frozen=True)
class OfficerOrder:
    """kind: SKIPPED, OVERRIDDEN or CANCELLED.

    modality: of the sample that was meant; an order that comes too late for it is
    dropped. None: whichever is in hand. instead: a finger to take for a skipped one;
    None leaves the choice to the workflow.
    """

    kind: ExemptionKind
    officer: str
    reason: ExemptionReason | None = None
    note: str = ""
    modality: Modality | None = None
    instead: FingerPosition | None = None


@dataclass(frozen=True)
class Unavailable:
    """A sample that an officer knows not to be there. position: None for every one."""

    modality: Modality
    position: FingerPosition | None
    reason: ExemptionReason
    note: str = ""


class OrderBox:
    """Orders on their way to the running check. Put from any thread, taken by one."""

    def __init__(self) -> None:
        self._orders: deque[OfficerOrder] = deque()

    def put(self, order: OfficerOrder) -> None:
        self._orders.append(order)

    def is_waiting(self, modality: Modality) -> bool:
        """Return True if there is an order for a sample of this modality."""
        while self._orders:
            order = self._orders[0]
            is_meant = order.modality in (None, modality)
            if is_meant or order.kind is ExemptionKind.CANCELLED:
                return True
            self._orders.popleft()
        return False

    def take(self, modality: Modality) -> OfficerOrder | None:
        return self._orders.popleft() if self.is_waiting(modality) else None


def exemption_of(
    order: OfficerOrder, modality: Modality, position: FingerPosition | None
) -> Exemption:
    """Return what is recorded of an order that was followed."""
    return Exemption(
        order.kind, order.officer, modality, position, order.reason, order.note
    )


def other_finger(
    asked: Collection[FingerPosition], unavailable: Iterable[Unavailable]
) -> FingerPosition | None:
    """Return a finger that was neither asked for nor said to be unavailable.

    None if a finger of the check is unknown: it could be the same once more.
    """
    gone = {one.position for one in unavailable if one.modality is Modality.FINGERPRINT}
    if None in gone or FingerPosition.UNKNOWN in asked:
        return None
    free = (p for p in OTHER_FINGERS if p not in asked and p not in gone)
    return next(free, None)
