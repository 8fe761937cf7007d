"""Order a check, follow it, and say how it goes on where a sample cannot be given."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Self

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.booth.deciders import DECIDERS
from edge.booth.desk import DeskBusyError
from edge.checkpoint.check import CheckRequest
from edge.checkpoint.officer_order import OfficerOrder, Unavailable
from edge.terms import ExemptionKind, ExemptionReason, FingerPosition, Modality
from edge.web.access import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge.booth.desk import CheckDesk

LONGEST_FRAME_PX = 8192
LONGEST_NOTE = 500

KnownFinger = Annotated[FingerPosition, Field(ge=1, le=10)]
Note = Annotated[str, Field(max_length=LONGEST_NOTE)]


class Reasoned(BaseModel):
    """Why a sample is not given, or taken as it is; "other" is told in the note."""

    model_config = ConfigDict(extra="forbid")

    reason: ExemptionReason
    note: Note = ""

    @model_validator(mode="after")
    def _other_is_told(self) -> Self:
        if self.reason is ExemptionReason.OTHER and not self.note.strip():
            message = "note: say what the other reason is"
            raise ValueError(message)
        return self


class UnavailableSample(Reasoned):
    """position: null for all fingers, or for the face."""

    modality: Modality
    position: KnownFinger | None = None


class CheckOrder(BaseModel):
    """What to capture in one check, and what is known not to be there."""

    model_config = ConfigDict(extra="forbid")

    modalities: Annotated[list[Modality], Field(min_length=1, max_length=2)] = [
        Modality.FINGERPRINT,
        Modality.FACE,
    ]
    positions: Annotated[list[KnownFinger], Field(min_length=1, max_length=10)] = [
        FingerPosition.RIGHT_INDEX
    ]
    unavailable: Annotated[list[UnavailableSample], Field(max_length=12)] = []

    def request(self, officer: str) -> CheckRequest:
        return CheckRequest(
            modalities=tuple(dict.fromkeys(self.modalities)),
            positions=tuple(dict.fromkeys(self.positions)),
            unavailable=tuple(
                Unavailable(one.modality, one.position, one.reason, one.note)
                for one in self.unavailable
            ),
            officer=officer,
        )


class SampleOrder(Reasoned):
    """How a check goes on with a sample.

    modality: that was meant; an order too late for it does nothing.
    """

    modality: Modality | None = None

    def order(self, kind: ExemptionKind, officer: str) -> OfficerOrder:
        return OfficerOrder(kind, officer, self.reason, self.note, self.modality)


class SkipOrder(SampleOrder):
    """instead: the finger to take for a skipped one; null leaves it to the booth."""

    instead: KnownFinger | None = None

    def order(self, kind: ExemptionKind, officer: str) -> OfficerOrder:
        return replace(super().order(kind, officer), instead=self.instead)


class FacePick(BaseModel):
    """A point of the camera's frame at which a face is, in pixels from the top left."""

    model_config = ConfigDict(extra="forbid")

    x_px: Annotated[float, Field(ge=0, le=LONGEST_FRAME_PX, allow_inf_nan=False)]
    y_px: Annotated[float, Field(ge=0, le=LONGEST_FRAME_PX, allow_inf_nan=False)]


def check_routes(desk: CheckDesk, officer: Callable[[Request], str]) -> APIRouter:
    """officer: returns the name of the account that sends a request."""
    router = APIRouter(prefix="/api/checks", dependencies=[Depends(require(*DECIDERS))])

    @router.post("", status_code=202)
    def start_check(order: CheckOrder, http: Request) -> dict[str, str]:
        try:
            return {"ticket": desk.start(order.request(officer(http)))}
        except DeskBusyError as error:
            raise HTTPException(409, str(error)) from error

    @router.get("/{ticket}")
    def read_check(ticket: str) -> dict[str, Any]:
        state = desk.state(ticket)
        if state is None:
            raise HTTPException(404, "no such check")
        return {"state": state.state, "result": state.result, "error": state.error}

    @router.post("/{ticket}/face", status_code=202)
    def pick_face(ticket: str, pick: FacePick) -> dict[str, str]:
        """Take the face at this point, though others are in view."""
        _follow(desk, ticket, desk.pick_face(ticket, pick.x_px, pick.y_px))
        return {"ticket": ticket}

    @router.post("/{ticket}/cancel", status_code=202)
    def cancel(ticket: str, http: Request) -> dict[str, str]:
        """End the check; what was searched so far clears nobody."""
        order = OfficerOrder(ExemptionKind.CANCELLED, officer(http))
        _follow(desk, ticket, desk.order(ticket, order))
        return {"ticket": ticket}

    @router.post("/{ticket}/skip", status_code=202)
    def skip(ticket: str, said: SkipOrder, http: Request) -> dict[str, str]:
        """Go on without the sample in hand: to another finger, or to the face."""
        order = said.order(ExemptionKind.SKIPPED, officer(http))
        _follow(desk, ticket, desk.order(ticket, order))
        return {"ticket": ticket}

    @router.post("/{ticket}/override", status_code=202)
    def override(ticket: str, said: SampleOrder, http: Request) -> dict[str, str]:
        """Search with the best sample so far, or the next one, however poor it is."""
        order = said.order(ExemptionKind.OVERRIDDEN, officer(http))
        _follow(desk, ticket, desk.order(ticket, order))
        return {"ticket": ticket}

    return router


def _follow(desk: CheckDesk, ticket: str, is_followed: bool) -> None:  # noqa: FBT001  an answer
    if desk.state(ticket) is None:
        raise HTTPException(404, "no such check")
    if not is_followed:
        raise HTTPException(409, "this check is over")
