"""The booth's web application: start a check, follow it, ask for the booth's state.

It is served on loopback only. No answer carries an image or a template.
"""

from __future__ import annotations

import asyncio
import json
import queue
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse

from edge.booth.check_routes import check_routes
from edge.booth.comparison_routes import comparison_routes
from edge.booth.live_routes import live_routes
from edge.errors import EdgeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from edge.booth.comparison_routes import HitComparisons
    from edge.booth.desk import CheckDesk
    from edge.booth.events import EventFeed
    from edge.booth.live import LiveView

HEARTBEAT_S = 10.0
POLL_S = 0.05


def create_app(
    desk: CheckDesk,
    feed: EventFeed,
    health: Callable[[], dict[str, Any]],
    instructions: Callable[[str | None], list[dict[str, Any]]],
    live: LiveView,
    comparisons: HitComparisons,
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

    app.include_router(check_routes(desk, lambda _request: "officer"))
    app.include_router(live_routes(live))
    app.include_router(comparison_routes(comparisons, lambda _request: "officer"))

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
