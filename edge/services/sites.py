"""The web sites of this machine from its configuration: the booth's and the hub's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError
from edge.store.accounts import StoredAccounts
from edge.store.database import open_database
from edge.web.accounts import Authenticator, LockoutPolicy
from edge.web.pages import Pages
from edge.web.sessions import Sessions
from edge.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from edge.clock import Clock
    from edge.config import Config
    from edge.services.local_accounts import Place

BOOTH_COOKIE = "edge_booth"
HUB_COOKIE = "edge_hub"


@contextmanager
def opened_accounts(path: Path, place: Place) -> Iterator[StoredAccounts]:
    """Open the accounts of a booth's or hub's store on this thread.

    Raises:
        StoreError: the store cannot be opened.
    """
    database = open_database(path, place)
    try:
        yield StoredAccounts(database)
    finally:
        database.conn.close()


def booth_site(config: Config, clock: Clock) -> Site:
    """Return the site of this booth."""
    pages = Pages(["edge.booth", "edge.web"], site=config.booth_id)
    return _site(config, clock, config.store.path, "booth", pages)


def hub_site(config: Config, clock: Clock, packages: Sequence[str]) -> Site:
    """Return the site of this hub; packages: with templates of its own.

    Raises:
        ConfigurationError: this machine is no hub.
    """
    pages = Pages([*packages, "edge.web"], site="Hub")
    return _site(config, clock, hub_store(config), "hub", pages)


def hub_store(config: Config) -> Path:
    """Return the hub's store.

    Raises:
        ConfigurationError: this machine is no hub.
    """
    if config.hub is None:
        message = "no [hub] section in the configuration: this machine is no hub"
        raise ConfigurationError(message)
    return config.hub.store


def _site(config: Config, clock: Clock, path: Path, place: Place, pages: Pages) -> Site:
    access = config.access
    return Site(
        cookie=BOOTH_COOKIE if place == "booth" else HUB_COOKIE,
        authenticator=Authenticator(
            lambda: opened_accounts(path, place),
            clock,
            LockoutPolicy(access.failures, access.lockout_s),
        ),
        sessions=Sessions(
            clock, idle_s=access.idle_s, longest_s=access.longest_h * 3600
        ),
        pages=pages,
        clock=clock,
    )
