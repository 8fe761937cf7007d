"""What the steps of a check share: each takes the sample of one instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from edge.checkpoint.officer_order import OrderBox

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edge.checkpoint.check import CheckLimits, Stopwatch
    from edge.checkpoint.officer_order import OfficerOrder
    from edge.checkpoint.policy import Finding
    from edge.terms import (
        FaceGuidance,
        FingerGuidance,
        FingerPosition,
        Modality,
        Quality,
        SearchedFace,
        Template,
    )


@dataclass(frozen=True, eq=False)
class Probe:
    """A sample that was good enough to search with.

    position: of a finger; UNKNOWN for a face. image: the captured one, uint8. face:
    which of the image's faces it is; None for a finger.
    """

    position: FingerPosition
    image: NDArray[np.uint8]
    template: Template
    face: SearchedFace | None = None


# What became of one instance; without a probe there is nothing to search with.
Taken: TypeAlias = "tuple[Finding, Probe | None]"
Picked: TypeAlias = "Callable[[], tuple[float, float] | None]"


class Show(Protocol):
    """Shows a picture of the running check; it goes nowhere else."""

    def __call__(self, modality: Modality, image: NDArray[np.uint8]) -> None: ...


class Tell(Protocol):
    """Shows a stage of the running check on the screen."""

    def __call__(
        self,
        stage: str,
        modality: Modality,
        attempt: int = 0,
        *,
        share: float | None = None,
        quality: Quality | None = None,
        guidance: FaceGuidance | FingerGuidance | None = None,
        position: FingerPosition | None = None,
    ) -> None: ...


def show_nothing(modality: Modality, image: NDArray[np.uint8]) -> None:
    pass


def nothing_picked() -> tuple[float, float] | None:
    return None


@dataclass(frozen=True)
class OfficerSide:
    """What the officer's place gives to a running check, and sees of it.

    picked: returns where in the frame the officer pointed at a face since it was last
    asked, x and y in pixels. orders: given while it runs.
    """

    picked: Picked = nothing_picked
    show: Show = show_nothing
    orders: OrderBox = field(default_factory=OrderBox)


@dataclass(frozen=True)
class Step:
    """The running check, as far as a step needs it.

    note: told of an order that is followed, for the record.
    """

    limits: CheckLimits
    watch: Stopwatch
    tell: Tell
    officer: OfficerSide
    note: Callable[[OfficerOrder, Modality, FingerPosition | None], None]
