"""The live pictures of the running check, for whoever is signed in; never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from edge.booth.deciders import DECIDERS
from edge.web.access import require

if TYPE_CHECKING:
    from edge.booth.live import LivePicture, LiveView

After = Annotated[int, Query(ge=0, le=2**53)]


def live_routes(live: LiveView) -> APIRouter:
    """Return the routes; 204 where nothing newer came within a second."""
    router = APIRouter(prefix="/api/live", dependencies=[Depends(require(*DECIDERS))])

    @router.get("/finger")
    def read_finger(after: After = 0) -> Response:
        return _picture(live.finger(after))

    @router.get("/face")
    def read_face(after: After = 0) -> Response:
        # The next frame of the camera is always newer than what was seen before.
        del after
        return _picture(live.face())

    return router


def _picture(picture: LivePicture | None) -> Response:
    headers = {"Cache-Control": "no-store"}
    if picture is None:
        return Response(status_code=204, headers=headers)
    headers["X-Frame"] = str(picture.number)
    return Response(picture.jpeg, media_type="image/jpeg", headers=headers)
