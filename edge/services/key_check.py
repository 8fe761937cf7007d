"""The doctor's look at the keys: who may read them, and how long they last."""

from __future__ import annotations

import stat
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError
from edge.services.findings import Finding, Status
from edge.services.hub_keys import hub_folder
from edge.services.provisioning import booth_folder, is_waiting
from edge.trust.booth_keys import ANSWER, SECRETS, load_booth_keys
from edge.trust.certificate_checks import read_certificate
from edge.trust.hub_keys import BROKER, CERTIFICATE, TRUST, load_hub_keys, read_trust
from edge.trust.key_folder import SECRET_SUFFIX

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from edge.clock import Clock
    from edge.config import Config
    from edge.trust.key_folder import KeyFolder

SOON = timedelta(days=30)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_RENEW = (
    "`edge provision renew` here, `edge hub admit` at the hub, `edge provision accept`"
)
_FOLLOW = (
    "connect this booth to the hub; if the hub's own is as old, `edge hub rotate trust`"
)


def check_keys(config: Config, clock: Clock) -> list[Finding]:
    """Return a line for the folder, and one for each thing that ends some day."""
    if config.hub is not None:
        return _hub(hub_folder(config), _configured(config), clock.now())
    return _booth(
        booth_folder(config), config.booth_id, _configured(config), clock.now()
    )


def _configured(config: Config) -> Path | None:
    """Return the line's certificate, where it is not the one of the enrolment."""
    if config.broker.certificates == "configured":
        return config.broker.certificate_file
    return None


def _booth(
    folder: KeyFolder, booth_id: str, configured: Path | None, now: datetime
) -> list[Finding]:
    found = _open_to_others(folder)
    if found:
        return found
    if not folder.has(ANSWER):
        waits = is_waiting(folder)
        todo = (
            "a request waits for the hub's answer: `edge provision accept`"
            if waits
            else "`edge provision request`, then `edge provision accept`"
        )
        text = f"{folder.path}: this booth is not enrolled: {todo}"
        return [Finding("keys", Status.WARNING, text)]
    return [
        _loaded(folder, booth_id),
        _certificate("line", configured or folder.place(CERTIFICATE), _RENEW, now),
        _trust(folder, _FOLLOW, now),
    ]


def _loaded(folder: KeyFolder, booth_id: str) -> Finding:
    if not all(folder.has(name) for name in SECRETS):
        text = (
            f"{folder.path}: enrolled; secret keys are not in the folder: right only "
            "if edge-sync gets them as credentials (`edge provision seal`), see its log"
        )
        return Finding("keys", Status.WARNING, text)
    load_booth_keys(folder, booth_id)
    waits = "; new keys wait for the hub's answer" if is_waiting(folder) else ""
    text = f"{folder.path}: enrolled as {booth_id}, private{waits}"
    return Finding("keys", Status.OK, text)


def _hub(folder: KeyFolder, configured: Path | None, now: datetime) -> list[Finding]:
    found = _open_to_others(folder)
    if found:
        return found
    if not folder.has(TRUST):
        text = f"{folder.path}: the hub has no keys yet: `edge hub init`"
        return [Finding("keys", Status.WARNING, text)]
    load_hub_keys(folder)
    renew = "`edge hub rotate tls`"
    return [
        Finding("keys", Status.OK, f"{folder.path}: the hub's, private"),
        _certificate("line", configured or folder.place(CERTIFICATE), renew, now),
        _certificate("broker", folder.place(BROKER), renew, now),
        _trust(folder, "`edge hub rotate trust`", now),
    ]


def _open_to_others(folder: KeyFolder) -> list[Finding]:
    """Return a line for each folder and secret key that others may read."""
    if not folder.path.is_dir():
        return []
    try:
        inner = [path for path in folder.path.iterdir() if path.is_dir()]
        secrets = sorted(folder.path.rglob(f"*{SECRET_SUFFIX}"))
        modes = {
            path: stat.S_IMODE(path.stat().st_mode)
            for path in (folder.path, *inner, *secrets)
        }
    except OSError as error:
        message = f"{folder.path}: cannot read: {error.strerror}; run it as its owner"
        raise ConfigurationError(message) from None
    return [
        Finding(
            "keys",
            Status.FAILED,
            f"{path}: open to others (mode {mode:03o}): chmod "
            f"{'700' if path.is_dir() else '600'} {path}, and replace keys that others "
            "may have seen",
        )
        for path, mode in modes.items()
        if mode & _OTHERS
    ]


def _certificate(name: str, path: Path, todo: str, now: datetime) -> Finding:
    try:
        pem = path.read_bytes()
    except OSError as error:
        text = f"{path}: cannot read: {error.strerror}; {todo}"
        return Finding(f"keys ({name})", Status.FAILED, text)
    end = read_certificate(pem, origin=str(path)).not_valid_after_utc
    return lasting(f"keys ({name})", "certificate", end, todo, now)


def _trust(folder: KeyFolder, todo: str, now: datetime) -> Finding:
    anchors = read_trust(folder)
    what = f"trust document {anchors.version}"
    return lasting("keys (trust)", what, anchors.expires_at, todo, now)


def lasting(
    subject: str, what: str, end: datetime, todo: str, now: datetime
) -> Finding:
    """Say how many days are left, and what to do in the last SOON of them."""
    left = end - now
    if left <= timedelta(0):
        text = f"{what} ended on {end:%Y-%m-%d}: {todo}"
        return Finding(subject, Status.FAILED, text)
    text = f"{what} valid for {left.days} days, until {end:%Y-%m-%d}"
    if left < SOON:
        return Finding(subject, Status.WARNING, f"{text}: {todo}")
    return Finding(subject, Status.OK, text)
