"""What works on this machine: every part looked at, nothing changed, nothing written.

Each check is a function from the configuration to findings, and runs in a thread of
its own under one deadline: a part that hangs costs its own line only.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from edge.capture.face_camera import OpenCvFaceCapture
from edge.capture.fingerprint_scanner import BridgedFingerprintCapture
from edge.clock import SystemClock
from edge.errors import CaptureError, EdgeError, ModelError, StoreError
from edge.models.sources import read_source
from edge.models.store import ADVICE, ModelStatus, ModelStore
from edge.recognition.face.face_sets import face_set
from edge.services.broker_check import negotiate_protocol
from edge.services.face_search_check import face_search_state
from edge.services.gallery_check import compare_gallery
from edge.services.wiring import gallery_folder, machine_broker
from edge.store.audit import verify_audit
from edge.store.database import check_integrity
from edge.store.hub_log import StoredHubLog
from edge.store.hub_registry import StoredHubRegistry
from edge.store.inspection import inspected_database, newest_instant
from edge.store.outbox import StoredOutbox
from edge.store.replica import StoredReplica
from edge.store.watchlist import BoothWatchlist

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    import sqlite_utils

    from edge.clock import Clock
    from edge.config import Config
    from edge.models.store import StoredModel
    from edge.store.database import Schema

TIME_LIMIT_S = 12.0
FRAME_TIMEOUT_S = 5.0
RATE_FRAMES = 8
LOW_SPACE_BYTES = 1 << 30
NO_SPACE_BYTES = 100 << 20
# Of a longer watchlist so many entries are looked into; all are counted and summed.
ENTRIES_READ = 20_000
# This software is younger; a clock before it stands where a dead battery put it.
EARLIEST_AT = datetime(2026, 1, 1, tzinfo=UTC)
# The hub's clock marks the changes of the watchlist; it may run ahead by so much.
CLOCK_TOLERANCE = timedelta(minutes=1)


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One line of the report. text says what is the matter and what to do."""

    subject: str
    status: Status
    text: str


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
    if config.hub is not None:
        checks["hub store"] = partial(check_hub_store, config.hub.store)
    checks["disk"] = partial(check_disk, _folders(config))
    checks["broker"] = partial(check_broker, config)
    checks["clock"] = partial(check_clock, _stores(config), clock)
    return run_checks(checks, TIME_LIMIT_S)


def run_checks(
    checks: Mapping[str, Callable[[], Sequence[Finding]]], limit_s: float
) -> list[Finding]:
    """Run all checks at once; one that is not back after limit_s has failed."""
    clock = SystemClock()
    results: dict[str, Sequence[Finding]] = {}

    def run(subject: str) -> None:
        results[subject] = _guarded(subject, checks[subject])

    threads = {
        subject: threading.Thread(target=run, args=(subject,), daemon=True)
        for subject in checks
    }
    deadline_s = clock.monotonic_s() + limit_s
    for thread in threads.values():
        thread.start()
    findings: list[Finding] = []
    for subject, thread in threads.items():
        thread.join(max(0.0, deadline_s - clock.monotonic_s()))
        late = Finding(subject, Status.FAILED, f"no answer within {limit_s:g} s")
        findings += results.get(subject, [late])
    return findings


def _guarded(subject: str, check: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    try:
        return check()
    except EdgeError as error:
        text = str(error)
    except Exception as error:  # noqa: BLE001  a report with a gap beats a traceback
        text = f"the check itself broke: {type(error).__name__}: {error}"
    return [Finding(subject, Status.FAILED, " ".join(text.split()))]


def check_scanner(config: Config, clock: Clock) -> list[Finding]:
    if not config.scanner.enabled:
        return [Finding("scanner", Status.OK, "off (scanner.enabled = false)")]
    path = config.scanner.socket
    state = BridgedFingerprintCapture(path, clock).state()
    if state in ("ready", "capturing"):
        return [Finding("scanner", Status.OK, f"{state}, by {path}")]
    advice = {
        "absent": "firmware-bridge runs but has no scanner; check cable and port",
        "unreachable": f"no firmware-bridge at {path}; start it, or check who may "
        "open the socket",
    }.get(state, f"firmware-bridge says: {state}; see its log")
    return [Finding("scanner", Status.FAILED, f"{state[:40]}: {advice[:200]}")]


def check_camera(config: Config) -> list[Finding]:
    if not config.camera.enabled:
        return [Finding("camera", Status.OK, "off (camera.enabled = false)")]
    capture = OpenCvFaceCapture(config.camera.source)
    try:
        sample = capture.latest(timeout_s=FRAME_TIMEOUT_S)
        for _ in range(RATE_FRAMES):
            capture.latest(timeout_s=1.0)
        rate_fps = capture.rate_fps
    except CaptureError as error:
        return [_camera_problem(config, error)]
    finally:
        capture.close()
    height, width = sample.image.shape[:2]
    text = f"{width} x {height} pixels, {rate_fps:.0f} frames a second"
    return [Finding("camera", Status.OK, text)]


def _camera_problem(config: Config, error: CaptureError) -> Finding:
    booth = (config.web.host, config.web.port)
    try:
        socket.create_connection(booth, timeout=1.0).close()
    except OSError:
        return Finding("camera", Status.FAILED, str(error))
    address = f"http://{booth[0]}:{booth[1]}/api/health"
    text = f"{error}; a running edge-booth may hold it, see {address}"
    return Finding("camera", Status.WARNING, text)


def check_models(store: ModelStore, wanted: Collection[str] = ()) -> list[Finding]:
    """wanted: ids of the models that the configuration asks for."""
    return [_model_finding(store, model, wanted) for model in store.list()]


def _model_finding(
    store: ModelStore, model: StoredModel, wanted: Collection[str]
) -> Finding:
    subject = f"model {model.spec.model_id}"
    if model.status is ModelStatus.READY:
        return Finding(subject, Status.OK, "ready")
    if model.status is ModelStatus.NOT_FETCHED:
        if model.spec.model_id not in wanted:
            return Finding(subject, Status.OK, "not fetched, and not asked for")
        text = f"configured, not fetched; run: edge models fetch {model.spec.model_id}"
        return Finding(subject, Status.FAILED, text)
    if model.status is ModelStatus.DAMAGED:
        text = f"{model.path}: damaged or changed since it was made; {ADVICE}"
        return Finding(subject, Status.FAILED, text)
    try:
        read_source(model.spec, store.sources)
    except ModelError as error:
        return Finding(subject, Status.FAILED, str(error))
    text = f"{model.status}: prepared at first use; to do it now, {ADVICE}"
    return Finding(subject, Status.WARNING, text)


def check_booth_store(path: Path) -> list[Finding]:
    def read(database: sqlite_utils.Database) -> str:
        lines = verify_audit(database)
        waiting = StoredOutbox(database).depth()
        return f"{waiting} in the outbox, audit chain of {lines} lines intact"

    return [_store_finding("store", path, "booth", read)]


def check_watchlist(path: Path) -> list[Finding]:
    def read(database: sqlite_utils.Database) -> str:
        lines = verify_audit(database)
        watchlist = BoothWatchlist(database)
        entries, references = watchlist.size()
        every = max(1, entries // ENTRIES_READ)
        is_hubs = StoredReplica(database).verify(every=every) is not None
        origin = "as the hub published them" if is_hubs else "kept by this machine"
        return (
            f"{entries} entries {origin}, {references} references,"
            f" cursor {watchlist.cursor()}, audit chain of {lines} lines intact"
        )

    return [_store_finding("watchlist", path, "watchlist", read)]


def check_gallery(folder: Path, store: Path) -> list[Finding]:
    if not store.exists():
        return [Finding("gallery", Status.WARNING, f"{folder}: made with the store")]
    with inspected_database(store, "watchlist") as database:
        compared = compare_gallery(folder, database)
    if compared is None:
        text = f"{folder}: none yet; made from the store when edge-booth starts"
        return [Finding("gallery", Status.WARNING, text)]
    status = Status.OK if compared.is_current else Status.WARNING
    if not compared.is_sound:
        status = Status.FAILED
    return [Finding("gallery", status, compared.text(folder))]


def check_face_search(config: Config) -> list[Finding]:
    is_good, text = face_search_state(config)
    return [Finding("face search", Status.OK if is_good else Status.WARNING, text)]


def check_hub_store(path: Path) -> list[Finding]:
    def read(database: sqlite_utils.Database) -> str:
        log, booths = StoredHubLog(database), StoredHubRegistry(database).booths()
        admitted = sum(booth.revoked_at is None for booth in booths)
        if log.log() is None:
            return "no watchlist log yet: run `edge hub init`"
        return (
            f"{log.position().sequence} watchlist changes, {admitted} booths admitted"
        )

    return [_store_finding("hub store", path, "hub", read)]


def _store_finding(
    subject: str,
    path: Path,
    schema: Schema,
    read: Callable[[sqlite_utils.Database], str],
) -> Finding:
    try:
        if not path.exists():
            text = f"{path}: not there yet; made when the service starts"
            return Finding(subject, Status.WARNING, text)
        with inspected_database(path, schema) as database:
            check_integrity(database)
            return Finding(subject, Status.OK, read(database))
    except (EdgeError, OSError) as error:
        named = str(error) if str(path) in str(error) else f"{path}: {error}"
        return Finding(subject, Status.FAILED, named)


def check_disk(folders: Mapping[str, Path]) -> list[Finding]:
    return [
        disk_finding(f"disk ({name})", folder, _free_bytes(folder))
        for name, folder in folders.items()
    ]


def disk_finding(subject: str, folder: Path, free_bytes: int) -> Finding:
    text = f"{free_bytes / (1 << 30):.1f} GiB free at {folder}"
    if free_bytes < NO_SPACE_BYTES:
        return Finding(subject, Status.FAILED, f"{text}; make room now")
    if free_bytes < LOW_SPACE_BYTES:
        return Finding(subject, Status.WARNING, f"{text}; make room")
    return Finding(subject, Status.OK, text)


def _free_bytes(folder: Path) -> int:
    existing = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    return shutil.disk_usage(existing).free


def check_broker(config: Config) -> list[Finding]:
    settings = machine_broker(config)
    version = negotiate_protocol(settings, SystemClock())
    line = "TLS" if settings.cafile is not None else "not encrypted"
    text = f"{settings.host}:{settings.port} speaks MQTT {version}, {line}"
    return [Finding("broker", Status.OK, text)]


def check_clock(
    stores: Mapping[Schema, Path],
    clock: Clock,
    is_synchronised: Callable[[], bool | None] | None = None,
) -> list[Finding]:
    """is_synchronised returns None where nobody knows; the default asks systemd."""
    now = clock.now()
    newest = max((EARLIEST_AT, *_noted_instants(stores)))
    if now < newest - CLOCK_TOLERANCE:
        text = f"{now:%Y-%m-%d %H:%M:%S} UTC is before {newest:%Y-%m-%d %H:%M:%S},"
        text += " which has been already; set the clock"
        return [Finding("clock", Status.FAILED, text)]
    synchronised = (is_synchronised or _systemd_synchronised)()
    if synchronised is False:
        text = "not synchronised; check the time service and its servers"
        return [Finding("clock", Status.WARNING, text)]
    known = "synchronised" if synchronised else "plausible, synchronisation unknown"
    return [Finding("clock", Status.OK, f"{now:%Y-%m-%d %H:%M:%S} UTC, {known}")]


def _noted_instants(stores: Mapping[Schema, Path]) -> list[datetime]:
    found = []
    for schema, path in stores.items():
        # A store that cannot be read has a line of its own.
        with (
            contextlib.suppress(StoreError, OSError),
            inspected_database(path, schema) as database,
        ):
            found.append(newest_instant(database, schema))
    return [instant for instant in found if instant is not None]


def _systemd_synchronised() -> bool | None:
    command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
    try:
        answer = subprocess.run(  # noqa: S603  fixed words
            command, capture_output=True, text=True, timeout=3.0, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return {"yes": True, "no": False}.get(answer)


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
