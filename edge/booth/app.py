"""The booth's web application: start a check, follow it, ask for the booth's state.

It is served on loopback only. No answer carries an image or a template.
"""

from __future__ import annotations

import asyncio
import json
import queue
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from edge.booth.desk import DeskBusyError
from edge.checkpoint.check import CheckRequest
from edge.errors import EdgeError
from edge.terms import FingerPosition, Modality

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from edge.booth.desk import CheckDesk
    from edge.booth.events import EventFeed

HEARTBEAT_S = 10.0
POLL_S = 0.05
LONGEST_FRAME_PX = 8192


KnownFinger = Annotated[FingerPosition, Field(ge=1, le=10)]


class CheckOrder(BaseModel):
    """What to capture in one check."""

    model_config = ConfigDict(extra="forbid")

    modalities: Annotated[list[Modality], Field(min_length=1, max_length=2)] = [
        Modality.FINGERPRINT,
        Modality.FACE,
    ]
    positions: Annotated[list[KnownFinger], Field(min_length=1, max_length=10)] = [
        FingerPosition.RIGHT_INDEX
    ]


class FacePick(BaseModel):
    """A point of the camera's frame at which a face is, in pixels from the top left."""

    model_config = ConfigDict(extra="forbid")

    x_px: Annotated[float, Field(ge=0, le=LONGEST_FRAME_PX, allow_inf_nan=False)]
    y_px: Annotated[float, Field(ge=0, le=LONGEST_FRAME_PX, allow_inf_nan=False)]


def create_app(
    desk: CheckDesk,
    feed: EventFeed,
    health: Callable[[], dict[str, Any]],
    instructions: Callable[[str | None], list[dict[str, Any]]],
) -> FastAPI:
    """Build the application over a desk and its feed.

    health, instructions: sources of JSON-ready data; instructions of one hit, or of
    all for None, oldest first.
    """
    app = FastAPI(title="Edge booth", docs_url=None, redoc_url=None)

    @app.exception_handler(EdgeError)
    def refuse(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, status_code=503)

    @app.get("/api/health")
    def read_health() -> dict[str, Any]:
        return health()

    _add_checks(app, desk)

    @app.get("/api/instructions")
    def read_instructions(
        hit_id: Annotated[str | None, Query(max_length=64)] = None,
    ) -> list[dict[str, Any]]:
        return instructions(hit_id)

    @app.get("/api/events")
    async def read_events(request: Request) -> StreamingResponse:
        return StreamingResponse(
            _stream(request, feed),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    return app


def _add_checks(app: FastAPI, desk: CheckDesk) -> None:
    @app.post("/api/checks", status_code=202)
    def start_check(order: CheckOrder) -> dict[str, str]:
        request = CheckRequest(
            modalities=tuple(dict.fromkeys(order.modalities)),
            positions=tuple(dict.fromkeys(order.positions)),
        )
        try:
            return {"ticket": desk.start(request)}
        except DeskBusyError as error:
            raise HTTPException(409, str(error)) from error

    @app.get("/api/checks/{ticket}")
    def read_check(ticket: str) -> dict[str, Any]:
        state = desk.state(ticket)
        if state is None:
            raise HTTPException(404, "no such check")
        return {"state": state.state, "result": state.result, "error": state.error}

    @app.post("/api/checks/{ticket}/face", status_code=202)
    def pick_face(ticket: str, pick: FacePick) -> dict[str, str]:
        """Take the face at this point, though others are in view."""
        if desk.state(ticket) is None:
            raise HTTPException(404, "no such check")
        if not desk.pick_face(ticket, pick.x_px, pick.y_px):
            raise HTTPException(409, "this check is over")
        return {"ticket": ticket}


async def _stream(request: Request, feed: EventFeed) -> AsyncIterator[str]:
    listener = feed.listen()
    silent_s = 0.0
    try:
        yield ": listening\n\n"
        while not await request.is_disconnected():
            try:
                event = listener.get_nowait()
            except queue.Empty:
                await asyncio.sleep(POLL_S)
                silent_s += POLL_S
                if silent_s >= HEARTBEAT_S:
                    silent_s = 0.0
                    yield ": alive\n\n"
                continue
            if event is None:
                return
            silent_s = 0.0
            yield f"event: {event['event']}\ndata: {json.dumps(event)}\n\n"
    finally:
        feed.leave(listener)
