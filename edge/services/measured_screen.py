"""A whole checkpoint with a long list, for measurements in a browser."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Literal

from edge.clock import SystemClock
from edge.errors import LinkError
from edge.services.enrolment import publish_person
from edge.services.system import LocalSystem
from edge.services.wiring import enrolment_engines
from edge.simulate.hit_source import check_of, invented_hit
from edge.simulate.watchlist_persons import GeneratedPersons
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import httpx
    import numpy as np
    from numpy.typing import NDArray

    from edge.config import Config
    from edge.simulate.scenario import WatchlistPerson

    Image = NDArray[np.uint8]
    Place = Literal["booth", "hub"]

APPENDED_AT_ONCE = 1000
PATIENCE_S = 3600.0
LOOK_S = 0.2
EVIDENCE_BYTES = 20_000


class MeasuredScreen(LocalSystem):
    """Start with `with`, then fill. Implements edge.bench.screen.Site."""

    def __init__(self, run_dir: Path, config: Config) -> None:
        super().__init__(run_dir, model_cache=config.models.cache_dir)
        self._config = config
        self._clients: dict[tuple[Place, str], httpx.Client] = {}
        self.persons = 0

    def fill(
        self,
        listed: WatchlistPerson,
        persons: int,
        on_progress: Callable[[int, int], None],
    ) -> None:
        """Put one person and that many generated ones on the list, and wait for it.

        Raises:
            LinkError: the booth does not come to search among them.
        """
        database = open_database(self.hub_store, "hub")
        with closing(database.conn):
            log = StoredHubLog(database)
            publish_person(
                log,
                enrolment_engines(self._config),
                listed.entry,
                finger_images=listed.finger_images,
                face_images=listed.face_images,
            )
            generated = GeneratedPersons(threads=2)
            for start in range(0, persons, APPENDED_AT_ONCE):
                more = min(APPENDED_AT_ONCE, persons - start)
                log.append(
                    list(generated.additions(start, more)), at=SystemClock().now()
                )
                on_progress(start + more, persons)
            head = log.position().sequence
        self.persons = persons + 1
        self._await_searched(head)

    def _await_searched(self, head: int) -> None:
        client = self._client("booth", "engineer-1")
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            search = client.get("/api/health").json()["search"]
            if search is not None and search["sequence"] >= head:
                return
            time.sleep(LOOK_S)
        message = f"the booth does not search change {head} after {PATIENCE_S:.0f} s"
        raise LinkError(message)

    def _client(self, place: Place, name: str) -> httpx.Client:
        if (place, name) not in self._clients:
            make = self.booth_client if place == "booth" else self.console_client
            self._clients[place, name] = make(name)
        return self._clients[place, name]

    def url(self, place: Place) -> str:
        return self.booth_url if place == "booth" else self.console_url

    def cookie(self, place: Place, name: str) -> tuple[str, str]:
        """Return name and value of the cookie of somebody's session."""
        header = str(self._client(place, name).headers["cookie"])
        key, _, value = header.partition("=")
        return key, value

    def present(self, image: Image) -> None:
        self.scanner.present(image)

    def lift(self) -> None:
        self.scanner.lift()

    def show(self, frames: Sequence[Image]) -> None:
        self.camera.show(frames)

    def record_hit(self) -> str:
        """Record an invented hit as a booth does; return its id."""
        database = open_database(self.booth_store, "booth")
        with closing(database.conn):
            now = SystemClock().now()
            hit = invented_hit("booth-1", now, evidence_bytes=EVIDENCE_BYTES)
            CheckStore(database).record(check_of(hit), hit)
        return hit.hit_id
