"""The booth's hits, from the configuration to the routes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException

from edge.booth.hit_desk import HitBook, HitDesk
from edge.booth.hit_routes import HitPeople, hit_routes
from edge.recognition.image_encoding import as_png
from edge.records.accounts import Role
from edge.store.booth_hits import BoothHits
from edge.store.commands import StoredCommands
from edge.store.database import open_database
from edge.store.reference_images import BoothReferenceImages
from edge.store.watchlist import BoothWatchlist
from edge.web.access import require
from edge.web.accounts import SignInError, SignInRefusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import APIRouter, Request

    from edge.clock import Clock
    from edge.config import Config
    from edge.web.site import Site

# An engineer repairs devices and sees nobody's face.
DECIDERS = (Role.OFFICER, Role.SUPERVISOR)


def hit_router(
    config: Config,
    clock: Clock,
    publish: Callable[[dict[str, Any]], None],
    site: Site,
) -> APIRouter:
    """Return the routes of hits behind the booth's site."""

    def second(name: str, password: str) -> str:
        try:
            account = site.authenticator.sign_in(
                name, password, action="signed in as second officer"
            )
        except SignInError as error:
            status = 429 if error.reason is SignInRefusal.LOCKED else 401
            raise HTTPException(status, str(error)) from error
        if account.role not in DECIDERS:
            raise HTTPException(403, "only officers and supervisors decide on hits")
        return account.name

    people = HitPeople(officer, officer, second)
    return hit_routes(hit_desk(config, clock, publish), people, as_png)


def officer(request: Request) -> str:
    """Return the name of the officer or supervisor who asks.

    Raises:
        HTTPException: nobody is signed in, or an engineer.
    """
    return require(*DECIDERS)(request).account.name


def supervisor(request: Request) -> str:
    """Return the name of the supervisor who asks.

    Raises:
        HTTPException: nobody is signed in, or no supervisor.
    """
    return require(Role.SUPERVISOR)(request).account.name


def hit_desk(
    config: Config, clock: Clock, publish: Callable[[dict[str, Any]], None]
) -> HitDesk:
    """Return the desk of this booth; publish: tells every screen."""
    return HitDesk(
        lambda: opened_book(config),
        publish,
        clock,
        booth_id=config.booth_id,
        needs_second=config.policy.second_officer,
    )


@contextmanager
def opened_book(config: Config) -> Iterator[HitBook]:
    """Open the stores on this thread.

    Raises:
        StoreError: a store cannot be opened.
    """
    booth = open_database(config.store.path, "booth")
    try:
        watchlist = open_database(config.store.watchlist_path, "watchlist")
        try:
            yield HitBook(
                BoothHits(booth),
                BoothReferenceImages(booth),
                StoredCommands(booth),
                BoothWatchlist(watchlist),
            )
        finally:
            watchlist.conn.close()
    finally:
        booth.conn.close()
