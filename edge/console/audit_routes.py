"""The API of the audit log: its lines, and the verification of its chain."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query

from edge.console import models
from edge.console.access import Auditor
from edge.console.refusals import REFUSALS
from edge.errors import EdgeError
from edge.store.audit import lines_before, verify_audit

if TYPE_CHECKING:
    from edge.console.desk import ConsoleDesk

ACTOR = "edge-console"


class Verification:
    """Verifies the chain in a thread of its own, one at a time.

    A log of millions of lines takes a minute: whoever asks does not wait for it.
    """

    def __init__(self, desk: ConsoleDesk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._view = models.VerificationView(
            state="none", lines=0, finished_at=None, problem=None
        )

    @property
    def view(self) -> models.VerificationView:
        with self._lock:
            return self._view

    def start(self) -> models.VerificationView:
        """Start one, unless one is running; return how it stands."""
        with self._lock:
            if self._view.state != "running":
                self._view = self._view.model_copy(update={"state": "running"})
                threading.Thread(target=self._run, name="audit", daemon=True).start()
            return self._view

    def _run(self) -> None:
        lines, problem = 0, None
        try:
            with self._desk.opened(ACTOR) as opened:
                lines = verify_audit(opened.database)
        except EdgeError as error:
            problem = str(error)
        with self._lock:
            self._view = models.VerificationView(
                state="sound" if problem is None else "broken",
                lines=lines,
                finished_at=self._desk.clock.now(),
                problem=problem,
            )


def audit_routes(desk: ConsoleDesk) -> APIRouter:
    router = APIRouter(prefix="/api/audit", tags=["audit"], responses=REFUSALS)
    verification = Verification(desk)

    @router.get("", summary="Lines of the audit log, newest first")
    def list_lines(
        person: Auditor,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[int | None, Query(ge=1)] = None,
        actor: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    ) -> models.AuditPage:
        with desk.opened(person.name) as opened:
            lines = lines_before(opened.database, before, limit=limit, actor=actor)
        views = [
            models.AuditLine(
                number=line.number,
                at=line.at,
                actor=line.actor,
                action=line.action,
                subject=line.subject,
                hash=line.hash.hex(),
            )
            for line in lines
        ]
        is_more = len(views) == limit
        return models.AuditPage(lines=views, next=views[-1].number if is_more else None)

    @router.post(
        "/verification", status_code=202, summary="Start to verify the whole chain"
    )
    def start_verification(person: Auditor) -> models.VerificationView:
        del person
        return verification.start()

    @router.get("/verification", summary="How the last verification stands")
    def read_verification(person: Auditor) -> models.VerificationView:
        del person
        return verification.view

    return router
