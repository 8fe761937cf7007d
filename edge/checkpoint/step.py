"""What the steps of a check share: each takes the sample of one instance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.checkpoint.check import CheckLimits, Stopwatch
    from edge.checkpoint.policy import Finding
    from edge.terms import FingerPosition, Modality, Quality, Template


@dataclass(frozen=True, eq=False)
class Probe:
    """A sample that was good enough to search with.

    position: of a finger; UNKNOWN for a face. image: the captured one, uint8.
    """

    position: FingerPosition
    image: NDArray[np.uint8]
    template: Template


# What became of one instance; without a probe there is nothing to search with.
Taken: TypeAlias = "tuple[Finding, Probe | None]"


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
    ) -> None: ...


@dataclass(frozen=True)
class Step:
    """The running check, as far as a step needs it."""

    limits: CheckLimits
    watch: Stopwatch
    tell: Tell
