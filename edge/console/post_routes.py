"""The API of the posts: how each booth is, and commands to one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, HTTPException, Path, Response

from edge.console import models
from edge.console.access import Leader, Viewer
from edge.console.posts import lag_of, post_state
from edge.console.refusals import REFUSALS, json_answer
from edge.hub.command_sender import new_command
from edge.logs import safe_label
from edge.sync.messages import CommandKind

if TYPE_CHECKING:
    from datetime import datetime

    from edge.console.desk import ConsoleDesk, Opened
    from edge.records.hub_values import BoothOverview

VALID_S = 24 * 3600.0
BoothId = Annotated[str, Path(min_length=1, max_length=64)]


def post_routes(desk: ConsoleDesk) -> APIRouter:
    router = APIRouter(prefix="/api/posts", tags=["posts"], responses=REFUSALS)

    @router.get(
        "",
        summary="All posts, those in trouble first",
        response_model=models.PostList,
    )
    def list_posts(person: Viewer) -> Response:
        now = desk.clock.now()
        with desk.opened(person.name) as opened:
            sequence = _end_of_log(opened)
            overviews = opened.booths.booths()
        posts = [_post_view(desk, post, sequence, now) for post in overviews]
        order = ("stale", "silent", "never", "online", "revoked")
        posts.sort(key=lambda post: (order.index(post.state), post.booth_id))
        states = Counter(post.state for post in posts)
        page = models.PostList(
            posts=posts,
            states={state: states[state] for state in order},
            sequence=sequence,
            now=now,
        )
        return json_answer(page)

    @router.post(
        "/{booth_id}/command", status_code=202, summary="Ask a post to do something"
    )
    def command(
        booth_id: BoothId, order: models.PostCommand, person: Leader
    ) -> models.Queued:
        with desk.opened(person.name) as opened:
            booth = opened.registry.booth(booth_id)
            if booth is None or booth.revoked_at is not None:
                raise HTTPException(404, f"post {booth_id} is not admitted")
            record = new_command(
                booth_id,
                CommandKind(order.kind),
                b"",
                at=desk.clock.now(),
                valid_s=VALID_S,
            )
            opened.commands.add(record)
        return models.Queued(command_id=record.command_id)

    return router


def _end_of_log(opened: Opened) -> int:
    return 0 if opened.log.log() is None else opened.log.position().sequence


def _post_view(
    desk: ConsoleDesk, post: BoothOverview, sequence: int, now: datetime
) -> models.PostView:
    health = post.health
    state = post_state(post, now=now, sequence=sequence, limits=desk.settings.posts)
    return models.PostView(
        booth_id=post.booth_id,
        state=str(state),
        link=post.state,
        last_seen_at=post.last_seen_at,
        held_sequence=post.held_sequence,
        lag=lag_of(post, sequence),
        is_same=post.is_same,
        gaps=post.gaps,
        reported_at=None if health is None else health.at,
        outbox_depth=None if health is None else health.outbox_depth,
        disk_free_bytes=None if health is None else health.disk_free_bytes,
        clock_is_trusted=None if health is None else health.clock_is_trusted,
        software=None if health is None else safe_label(health.software),
        head_issued_at=None if health is None else health.head_issued_at,
        counts={} if health is None else dict(health.counts),
    )
