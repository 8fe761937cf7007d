"""What every page and route of the console works with: the hub's store and rules."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.console.alarms import AlarmLimits
from edge.console.posts import PostLimits
from edge.console.severity import is_drill, severity_of
from edge.store.database import open_database
from edge.store.hub_booths import StoredHubBooths
from edge.store.hub_case_intake import StoredCaseIntake
from edge.store.hub_cases import StoredHubCases
from edge.store.hub_commands import StoredHubCommands
from edge.store.hub_drafts import StoredHubDrafts
from edge.store.hub_entries import StoredHubEntries
from edge.store.hub_images import StoredReferenceImages, not_shown
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.hub_recalls import StoredHubRecalls
from edge.store.hub_registry import StoredHubRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import sqlite_utils

    from edge.clock import Clock
    from edge.console.enrolling import ImageToEnrol, Prepared
    from edge.trust.hub_keys import HubKeys


@dataclass(frozen=True)
class ConsoleSettings:
    """What counts as late."""

    alarms: AlarmLimits = field(default_factory=AlarmLimits)
    posts: PostLimits = field(default_factory=PostLimits)


@dataclass(frozen=True)
class Opened:
    """The parts of the hub's store, for one account, on the thread that opened them."""

    database: sqlite_utils.Database
    cases: StoredHubCases
    drafts: StoredHubDrafts
    entries: StoredHubEntries
    images: StoredReferenceImages
    messages: StoredHubMessages
    booths: StoredHubBooths
    commands: StoredHubCommands
    recalls: StoredHubRecalls
    registry: StoredHubRegistry
    log: StoredHubLog
    intake: StoredCaseIntake


@dataclass(frozen=True)
class ConsoleDesk:
    """load_keys: reads the hub's keys when they are needed, raises ConfigurationError.

    prepare: makes references of images; slow the first time, when it loads networks.
    shown: makes of an image that is too large for a booth one that is not.
    """

    store_path: Path
    clock: Clock
    settings: ConsoleSettings
    load_keys: Callable[[], HubKeys]
    prepare: Callable[[str, Sequence[ImageToEnrol]], Sequence[Prepared]]
    shown: Callable[[bytes], bytes | None] = not_shown

    @contextmanager
    def opened(self, actor: str) -> Iterator[Opened]:
        """Open the store for this thread; actor: the account that acts.

        A request opens and closes its own: threads of a web server come and go, and a
        connection belongs to its thread. It costs a millisecond.

        Raises:
            StoreError: the store cannot be opened.
        """
        database = open_database(self.store_path, "hub")
        try:
            yield Opened(
                database=database,
                cases=StoredHubCases(database, actor=actor),
                drafts=StoredHubDrafts(database, actor=actor, shown=self.shown),
                entries=StoredHubEntries(database),
                images=StoredReferenceImages(database, actor=actor),
                messages=StoredHubMessages(database),
                booths=StoredHubBooths(database),
                commands=StoredHubCommands(database, actor=actor),
                recalls=StoredHubRecalls(database, actor=actor),
                registry=StoredHubRegistry(database, actor=actor),
                log=StoredHubLog(database, actor=actor),
                intake=StoredCaseIntake(
                    database, severity_of=severity_of, is_drill=is_drill
                ),
            )
        finally:
            database.conn.close()
