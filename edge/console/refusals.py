"""How the API says no: one status and one body for each kind of error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from edge.console.models import Problem
from edge.errors import (
    CaseError,
    CaseProblem,
    EdgeError,
    InputError,
    StoreError,
    WatchlistError,
)

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from pydantic import BaseModel

NO_STORE: Final = {"Cache-Control": "no-store"}
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": text}
    for status, text in {
        401: "not signed in",
        403: "this account may not do that",
        404: "there is no such thing",
        409: "it is another's, over, or needs a second person",
        422: "the request is not well formed",
        503: "the store cannot be used now",
    }.items()
}
_STATUS = {CaseProblem.UNKNOWN: 404, CaseProblem.WRONG_OUTCOME: 422}


def json_answer(view: BaseModel) -> Response:
    """Return a view as it is: long lists need no second validation."""
    return Response(
        view.model_dump_json(), media_type="application/json", headers=NO_STORE
    )


def add_refusals(app: FastAPI) -> None:
    """Turn every error into a Problem."""

    @app.exception_handler(EdgeError)
    def refuse(_request: Request, error: Exception) -> JSONResponse:
        match error:
            case CaseError():
                status = _STATUS.get(error.problem, 409)
                return _problem(status, str(error.problem), str(error))
            case WatchlistError():
                return _problem(409, "watchlist", str(error))
            case InputError():
                return _problem(422, "input", str(error))
            case StoreError():
                return _problem(503, "store", str(error))
        return _problem(503, "unavailable", str(error))

    @app.exception_handler(HTTPException)
    def decline(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, HTTPException):
            raise error
        codes = {401: "sign_in", 403: "role", 404: "unknown", 429: "too_many"}
        code = codes.get(error.status_code, "refused")
        return _problem(error.status_code, code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    def correct(_request: Request, error: Exception) -> JSONResponse:
        if not isinstance(error, RequestValidationError):
            raise error
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        return _problem(422, "input", f"{where}: {first['msg']}".strip(": "))


def _problem(status: int, code: str, detail: str) -> JSONResponse:
    body = Problem(code=code, detail=detail).model_dump()
    return JSONResponse(body, status_code=status, headers=NO_STORE)
