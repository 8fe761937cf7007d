"""The events of a feed as server-sent events (HTML standard, 9.2), while signed in."""

from __future__ import annotations

import asyncio
import json
import queue
from typing import TYPE_CHECKING, Any, TypeAlias

from fastapi.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi import Request

    from edge.web.events import EventFeed

    # What a listener is told of an event; None for nothing.
    View: TypeAlias = Callable[[dict[str, Any]], dict[str, Any] | None]

HEARTBEAT_S = 10.0
POLL_S = 0.03


def _whole(event: dict[str, Any]) -> dict[str, Any]:
    return event


def event_stream(
    request: Request,
    feed: EventFeed,
    is_live: Callable[[], bool],
    view: View = _whole,
) -> StreamingResponse:
    """Stream what the feed publishes, as view shows it; ends when the session does."""
    return StreamingResponse(
        _stream(request, feed, is_live, view), media_type="text/event-stream"
    )


async def _stream(
    request: Request, feed: EventFeed, is_live: Callable[[], bool], view: View
) -> AsyncIterator[str]:
    listener = feed.listen()
    silent_s = 0.0
    try:
        yield ": listening\n\n"
        while not await request.is_disconnected() and is_live():
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
            event = view(event)
            if event is None:
                continue
            silent_s = 0.0
            number = f"id: {event['id']}\n" if "id" in event else ""
            yield f"{number}event: {event['event']}\ndata: {json.dumps(event)}\n\n"
    finally:
        feed.leave(listener)
