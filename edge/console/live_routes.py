"""The stream of what happens to the cases (server-sent events)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from edge.console.access import Person, Viewer
from edge.console.live_events import PAGE
from edge.console.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from edge.console.live_events import LiveEvent, LiveEvents

HEARTBEAT_S = 5.0
# Whoever has missed more than this is told to load the lists anew.
MOST_REPLAYED = 4 * PAGE
Number = Annotated[int | None, Query(ge=0, le=2**62)]
LastId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=20)]


def live_routes(live: LiveEvents) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["events"], responses=REFUSALS)

    @router.get(
        "/events",
        summary="What happens to the cases, as it happens",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def read_events(
        request: Request,
        person: Viewer,
        after: Number = None,
        last_event_id: LastId = None,
    ) -> StreamingResponse:
        """Stream events; each has its number as id.

        after, or Last-Event-ID of a reconnection: what came later is sent first, so
        that nothing is missed; without either the stream begins now. An event `reset`
        says that too much was missed: load the lists again.
        """
        seen = after
        if last_event_id is not None and last_event_id.isdecimal():
            seen = int(last_event_id)

        def is_welcome() -> bool:
            found: Person | None = request.app.state.identify(request)
            return found == person

        return StreamingResponse(
            _stream(request, live, seen, is_welcome),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


async def _stream(
    request: Request,
    live: LiveEvents,
    seen: int | None,
    is_welcome: Callable[[], bool],
) -> AsyncIterator[str]:
    listener = live.listen()
    try:
        yield ": listening\n\n"
        last = 0 if seen is None else seen
        replayed = 0
        while seen is not None:
            missed = await run_in_threadpool(live.after, last)
            replayed += len(missed)
            if replayed > MOST_REPLAYED:
                last = await run_in_threadpool(live.last)
                yield f"event: reset\nid: {last}\ndata: {{}}\n\n"
                break
            for item in missed:
                yield _text(item)
                last = item.number
            if len(missed) < PAGE:
                break
        while not await request.is_disconnected():
            found = await listener.next(HEARTBEAT_S)
            # A session that has ended gets nothing more, not even by an open stream.
            if found is None or not is_welcome():
                return
            if not found:
                yield ": alive\n\n"
            for item in found:
                if item.number > last:
                    yield _text(item)
                    last = item.number
    finally:
        live.leave(listener)


def _text(item: LiveEvent) -> str:
    event, case = item.event.model_dump_json(), item.case.model_dump_json()
    data = f'{{"event":{event},"case":{case}}}'
    return f"event: {item.event.kind}\nid: {item.number}\ndata: {data}\n\n"
