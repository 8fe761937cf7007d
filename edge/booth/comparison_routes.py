"""The comparisons of a hit, and its faces side by side, for whoever is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Depends, HTTPException, Path, Request
from fastapi.responses import Response

from edge.booth.deciders import DECIDERS
from edge.web.access import require

if TYPE_CHECKING:
    from collections.abc import Callable

HitId = Annotated[str, Path(max_length=64)]


class HitComparisons(Protocol):
    """Raises StoreError, ModelError and InputError."""

    def view(self, hit_id: str, *, officer: str) -> dict[str, Any] | None:
        """Return the comparisons of a hit, JSON-ready; None if there is no such hit."""
        ...

    def face(self, hit_id: str, side: Literal["probe", "reference"]) -> bytes | None:
        """Return the aligned face as PNG; None if there is no such hit or face."""
        ...


def comparison_routes(
    comparisons: HitComparisons, officer: Callable[[Request], str]
) -> APIRouter:
    """officer: returns the name of the account that sends a request."""
    router = APIRouter(prefix="/api/hits", dependencies=[Depends(require(*DECIDERS))])

    @router.get("/{hit_id}/comparisons")
    def read_comparisons(hit_id: HitId, http: Request) -> dict[str, Any]:
        found = comparisons.view(hit_id, officer=officer(http))
        if found is None:
            raise HTTPException(404, "no such hit")
        return found

    @router.get("/{hit_id}/faces/{side}")
    def read_face(hit_id: HitId, side: Literal["probe", "reference"]) -> Response:
        png = comparisons.face(hit_id, side)
        if png is None:
            raise HTTPException(404, "no such face")
        return Response(
            png, media_type="image/png", headers={"Cache-Control": "no-store"}
        )

    return router
