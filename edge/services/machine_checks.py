"""The doctor's look at the disk and the clock of this machine."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from edge.errors import StoreError
from edge.services.findings import Finding, Status
from edge.store.inspection import inspected_database, newest_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edge.clock import Clock
    from edge.store.database import Schema

LOW_SPACE_BYTES = 1 << 30
NO_SPACE_BYTES = 100 << 20
# This software is younger; a clock before it stands where a dead battery put it.
EARLIEST_AT = datetime(2026, 1, 1, tzinfo=UTC)
# The hub's clock marks the changes of the watchlist; it may run ahead by so much.
CLOCK_TOLERANCE = timedelta(minutes=1)


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
