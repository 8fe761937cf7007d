"""What the steps of a check share: each takes the sample of one instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from edge.checkpoint.check import CheckLimits, Stopwatch
    from edge.checkpoint.policy import Finding
    from edge.terms import (
        FaceGuidance,
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
        guidance: FaceGuidance | None = None,
        position: FingerPosition | None = None,
    ) -> None: ...


def nothing_picked() -> tuple[float, float] | None:
    return None


@dataclass(frozen=True)
class Step:
    """The running check, as far as a step needs it.

    picked: returns where in the frame the officer pointed at a face since it was last
    asked, x and y in pixels.
    """

    limits: CheckLimits
    watch: Stopwatch
    tell: Tell
    picked: Picked = nothing_picked
