"""What edge-booth keeps an eye on beside its checks, on one thread.

The galleries follow the watchlist, the freshness of the list is read, and an
instruction from the hub is shown when it comes.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edge.booth.background import Background
from edge.booth.views import instruction_view
from edge.checkpoint.freshness import WatchlistStanding
from edge.services.face_search import FaceSearchState
from edge.services.watchlist_freshness import LOCAL, FreshnessReader
from edge.store.commands import StoredCommands
from edge.store.database import open_database
from edge.store.reference_images import BoothReferenceImages
from edge.store.references import StoredReferences
from edge.watchlist.live import GalleryFollower, SearchedState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from edge.clock import Clock
    from edge.config import Config
    from edge.services.wiring import Galleries
    from edge.store.commands import StoredInstruction
    from edge.terms import WatchlistFreshness

LOOK_S = 0.05
# An instruction is for people; they do not see the difference.
LOOKS_FOR_INSTRUCTIONS = 4
INSTRUCTIONS_SHOWN = 100


def _ignore(*_arguments: object) -> None:
    pass


@dataclass(frozen=True)
class WatchedState:
    """searched: what searches see. heard_at: when the hub made its newest head.

    faces: what searches of faces are worth.
    """

    searched: SearchedState
    freshness: WatchlistFreshness
    heard_at: datetime | None
    faces: FaceSearchState = field(default_factory=FaceSearchState)


class BoothWatch:
    """state may be read from any thread."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        tell: Callable[[str, str], None] = _ignore,
        publish: Callable[[dict[str, Any]], None] = _ignore,
    ) -> None:
        """Prepare.

        tell: told the name and the text of what goes wrong. publish: takes events for
        the officer's screen.
        """
        self._config = config
        self._clock = clock
        self._tell = tell
        self._publish = publish
        self._background: Background | None = None
        self._follower: GalleryFollower | None = None
        self._freshness: tuple[WatchlistFreshness, datetime | None] = (LOCAL, None)
        self._faces = FaceSearchState()

    @property
    def state(self) -> WatchedState:
        follower = self._follower
        searched = SearchedState() if follower is None else follower.searched
        return WatchedState(searched, *self._freshness, self._faces)

    def is_alive(self) -> bool:
        """Return False when the thread has died of a defect: the process must end."""
        return self._background is None or self._background.is_alive()

    @contextmanager
    def watching(
        self, galleries: Galleries, on_progress: Callable[[float], None] = _ignore
    ) -> Iterator[None]:
        """Bring the galleries up to date and keep them so until the end of the block.

        Raises:
            StoreError: a store cannot be opened.
        """
        self._background = Background(
            lambda: self._opened(galleries, on_progress), LOOK_S, "watch", self._tell
        )
        self._background.open()
        try:
            yield
        finally:
            self._background.close()

    @contextmanager
    def _opened(
        self, galleries: Galleries, on_progress: Callable[[float], None]
    ) -> Iterator[Callable[[], None]]:
        store = self._config.store
        with ExitStack() as stack:
            watchlist = open_database(store.watchlist_path, "watchlist")
            stack.callback(watchlist.conn.close)
            booth = open_database(store.path, "booth")
            stack.callback(booth.conn.close)
            follower = GalleryFollower(
                StoredReferences(watchlist), galleries.followed, self._clock, self._tell
            )
            self._follower = follower
            follower.catch_up(on_progress)
            self._faces = galleries.faces.state()
            freshness = FreshnessReader(watchlist)
            instructions = _NewInstructions(StoredCommands(booth))
            images = _NewImages(BoothReferenceImages(booth))
            self._read_freshness(freshness)

            def look() -> None:
                if follower.look():
                    self._faces = galleries.faces.state()
                    self._publish(_watchlist_event(follower.searched))
                self._read_freshness(freshness)
                for instruction in instructions.arrived():
                    self._publish(
                        {"event": "instruction", **instruction_view(instruction)}
                    )
                    self._publish(_hit_changed(instruction.hit_id))
                for hit_id in images.arrived():
                    self._publish(_hit_changed(hit_id))

            yield look

    def _read_freshness(self, reader: FreshnessReader) -> None:
        freshness = reader.freshness(self._clock.now())
        self._freshness = (freshness, reader.heard_at())


class _NewInstructions:
    def __init__(self, commands: StoredCommands) -> None:
        self._commands = commands
        self._looks = 0
        self._seen = {item.command_id for item in self._newest()}

    def arrived(self) -> list[StoredInstruction]:
        self._looks += 1
        if self._looks % LOOKS_FOR_INSTRUCTIONS:
            return []
        newest = self._newest()
        arrived = [item for item in newest if item.command_id not in self._seen]
        self._seen = {item.command_id for item in newest}
        return arrived

    def _newest(self) -> list[StoredInstruction]:
        return self._commands.instructions(limit=INSTRUCTIONS_SHOWN)


class _NewImages:
    """Hits of whose entry the hub has sent images since the last look."""

    def __init__(self, images: BoothReferenceImages) -> None:
        self._images = images
        self._looks = 0
        self._mark, _ = images.arrived_after("")

    def arrived(self) -> list[str]:
        self._looks += 1
        if self._looks % LOOKS_FOR_INSTRUCTIONS:
            return []
        self._mark, hit_ids = self._images.arrived_after(self._mark)
        return hit_ids


def _hit_changed(hit_id: str) -> dict[str, Any]:
    return {"event": "hit_changed", "hit_id": hit_id}


def standing_of(state: WatchedState, monotonic_s: float) -> WatchlistStanding:
    """Return what a check that begins now has to know."""
    return WatchlistStanding(
        freshness=state.freshness,
        is_building=state.searched.is_building,
        lag_s=state.searched.lag_s(monotonic_s),
    )


def _watchlist_event(searched: SearchedState) -> dict[str, Any]:
    return {
        "event": "watchlist_searched",
        "sequence": searched.sequence,
        "revision": searched.revision,
    }
