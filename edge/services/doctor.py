"""What works on this machine: every part looked at, nothing changed, nothing written.

Each check is a function from the configuration to findings.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edge.clock import SystemClock
from edge.models.store import ModelStore
from edge.recognition.face.face_sets import face_set
from edge.services.broker_check import knock, negotiate_protocol
from edge.services.device_checks import (
    check_camera,
    check_models,
    check_presentation,
    check_scanner,
)
from edge.services.findings import Finding, Status, run_checks
from edge.services.key_check import check_keys
from edge.services.machine_checks import check_clock, check_disk
from edge.services.store_checks import (
    check_booth_store,
    check_face_search,
    check_gallery,
    check_hub_store,
    check_watchlist,
)
from edge.services.wiring import gallery_folder, machine_broker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from edge.clock import Clock
    from edge.config import Config
    from edge.store.database import Schema

TIME_LIMIT_S = 12.0


def examine(config: Config, clock: Clock | None = None) -> list[Finding]:
    """Look at every part that the configuration names.

    Takes TIME_LIMIT_S at most and never raises for what it finds.
    """
    clock = clock or SystemClock()
    checks: dict[str, Callable[[], Sequence[Finding]]] = {
        "scanner": partial(check_scanner, config, clock),
        "camera": partial(check_camera, config),
        "models": partial(
            check_models,
            ModelStore(config.models.cache_dir),
            face_set(config.models.face).model_ids,
        ),
        "store": partial(check_booth_store, config.store.path),
        "watchlist": partial(check_watchlist, config.store.watchlist_path),
        "gallery": partial(
            check_gallery, gallery_folder(config), config.store.watchlist_path
        ),
    }
    checks["face search"] = partial(check_face_search, config)
    checks["presentation attacks"] = partial(
        check_presentation, config, ModelStore(config.models.cache_dir)
    )
    if config.hub is not None:
        checks["hub store"] = partial(check_hub_store, config.hub.store)
    checks["disk"] = partial(check_disk, _folders(config))
    checks["keys"] = partial(check_keys, config, clock)
    checks["broker"] = partial(check_broker, config)
    checks["clock"] = partial(check_clock, _stores(config), clock)
    return run_checks(checks, TIME_LIMIT_S)


def check_broker(config: Config) -> list[Finding]:
    settings = machine_broker(config)
    place = f"{settings.host}:{settings.port}"
    if settings.certfile is not None:
        # The certificate's name is the client id: a session would end edge-sync's.
        knock(settings, SystemClock())
        text = f"{place} speaks MQTT over TLS and takes this machine's certificate"
        return [Finding("broker", Status.OK, text)]
    version = negotiate_protocol(settings, SystemClock())
    line = "TLS" if settings.cafile is not None else "not encrypted"
    return [Finding("broker", Status.OK, f"{place} speaks MQTT {version}, {line}")]


def _stores(config: Config) -> dict[Schema, Path]:
    stores: dict[Schema, Path] = {
        "booth": config.store.path,
        "watchlist": config.store.watchlist_path,
    }
    if config.hub is not None:
        stores["hub"] = config.hub.store
    return stores


def _folders(config: Config) -> dict[str, Path]:
    stores = {f"{name} store": p.parent for name, p in _stores(config).items()}
    if stores["watchlist store"] == stores["booth store"]:
        del stores["watchlist store"]
    return {**stores, "models": config.models.cache_dir}
