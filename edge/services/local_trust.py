"""Keys and certificates for a hub and booths that all run on this machine.

For the demo, the benchmarks and the tests: the same steps that persons take with
`edge hub init`, `edge provision request`, `edge hub admit` and `edge provision accept`,
without the persons.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.services.admission import admit_booth, make_broker_config
from edge.services.hub_keys import HubPlace, init_hub
from edge.services.provisioning import accept_answer, request_enrolment
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.store.hub_registry import StoredHubRegistry
from edge.trust.key_folder import KeyFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from edge.trust.anchors import TrustAnchors
    from edge.trust.booth_keys import BoothKeys

HOST = "127.0.0.1"


@dataclass(frozen=True)
class LocalHub:
    place: HubPlace
    anchors: TrustAnchors

    def broker_files(self, folder: Path, port: int) -> dict[str, str]:
        """Return the files of a broker on loopback, by name."""
        return make_broker_config(
            self.place,
            folder=str(folder),
            port=port,
            address=HOST,
            persistence_folder=None,
        )


@contextmanager
def set_up_local_hub(
    run_dir: Path, store_path: Path, *, now: datetime
) -> Iterator[LocalHub]:
    """Make a hub's keys in run_dir/hub-keys and run_dir/root, and its store.

    Raises:
        ConfigurationError: there are keys already, or a folder cannot be used.
        StoreError: the store cannot be opened or written.
    """
    root = run_dir / "root"
    root.mkdir(mode=0o700)
    database = open_database(store_path, "hub")
    with closing(database.conn):
        place = HubPlace(
            KeyFolder(run_dir / "hub-keys"),
            StoredHubLog(database),
            StoredHubRegistry(database),
        )
        anchors = init_hub(place, [root], threshold=1, broker_host=HOST, now=now)
        yield LocalHub(place, anchors)


def enrol_local_booth(
    hub: LocalHub, folder: Path, booth_id: str, *, broker_port: int, now: datetime
) -> BoothKeys:
    """Make a booth's keys in folder and admit it at the hub.

    Raises:
        EdgeError: as the steps of an enrolment.
    """
    keys = KeyFolder(folder)
    request = request_enrolment(keys, booth_id, now=now)
    _, answer = admit_booth(
        hub.place, request, broker_host=HOST, broker_port=broker_port, now=now
    )
    fingerprint = hub.anchors.fingerprint
    return accept_answer(keys, booth_id, answer, fingerprint=fingerprint, now=now)
