"""The hub's keys: made once, with the root keys that they are replaced under.

The root keys lie on media that are put away: one key in each folder given. Keys are
written to the key folder first, as one, and then to the store; called again, a function
finishes what was cut short between the two.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError, MessageError
from edge.trust.anchors import (
    TrustDocument,
    encode_chain,
    first_anchors,
    root_fingerprint,
    sign_document,
)
from edge.trust.certificate_checks import certificates_in
from edge.trust.certificates import Authority, KeyAndCertificate, make_authority
from edge.trust.grants import open_epoch, seal_epoch
from edge.trust.hub_keys import (
    AUTHORITY,
    AUTHORITY_KEY,
    AUTHORITY_KEY_BEFORE,
    BROKER,
    BROKER_KEY,
    CERTIFICATE,
    ISSUED,
    OPERATIONS,
    REVOKED,
    SEALING,
    TLS_KEY,
    TRUST,
    WATCHLIST,
    load_hub_keys,
)
from edge.trust.key_folder import KeyFolder, credentials_folder
from edge.trust.key_pem import sealing_key_pem, signing_key_pem
from edge.trust.keys import ContentKey, SealingKey, SigningKey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

    from edge.config import Config
    from edge.store.hub_log import StoredHubLog
    from edge.store.hub_registry import StoredHubRegistry
    from edge.trust.anchors import TrustAnchors
    from edge.trust.hub_keys import HubKeys

TRUST_LIFETIME = timedelta(days=731)
ROOTS = "root-*.key"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class HubPlace:
    """Where a hub keeps its keys, and the parts of its store that they concern."""

    folder: KeyFolder
    log: StoredHubLog
    registry: StoredHubRegistry


def hub_folder(config: Config) -> KeyFolder:
    """Return the hub's key folder.

    Raises:
        ConfigurationError: this machine is not configured as a hub.
    """
    if config.hub is None:
        message = "no [hub] section in the configuration: this machine is no hub"
        raise ConfigurationError(message)
    return KeyFolder(config.hub.keys, credentials=credentials_folder())


def init_hub(
    place: HubPlace,
    roots: Sequence[Path],
    *,
    threshold: int,
    broker_host: str,
    now: datetime,
) -> TrustAnchors:
    """Make all keys of a new hub: a root key in each folder, the others at home.

    broker_host: how booths reach the broker. A start that was cut short is finished.

    Raises:
        ConfigurationError: there are keys already, or a folder cannot be used.
        StoreError: the store cannot be written.
    """
    folder = place.folder
    folder.create()
    folder.open()
    if folder.has(TRUST):
        return _finish_init(place, now)
    if not 1 <= threshold <= len(roots):
        message = f"--threshold {threshold}: 1 to {len(roots)}, the number of roots"
        raise ConfigurationError(message)
    watchlist, operations = SigningKey.generate(), SigningKey.generate()
    sealing = SealingKey.generate()
    authority = make_authority(now=now)
    root_keys = [add_root(path, folder) for path in roots]
    document = TrustDocument(
        log=secrets.token_hex(16),
        version=1,
        issued_at=now,
        expires_at=now + TRUST_LIFETIME,
        threshold=threshold,
        roots=[key.public.raw for key in root_keys],
        watchlist=[watchlist.public.raw],
        operations=[operations.public.raw],
        sealing=[sealing.public.raw],
        ca=authority.certificate,
    )
    chain = encode_chain([sign_document(document, root_keys)])
    fingerprint = root_fingerprint(document.roots)
    anchors = first_anchors(chain, fingerprint=fingerprint, now=now)
    folder.replace(
        {
            WATCHLIST: signing_key_pem(watchlist),
            OPERATIONS: signing_key_pem(operations),
            SEALING: sealing_key_pem(sealing),
            AUTHORITY_KEY: authority.key,
            AUTHORITY: authority.certificate,
            REVOKED: _authority_of(authority).revoke([], before=None, now=now),
            TRUST: anchors.encode(),
            **line_files(_authority_of(authority), (broker_host, *LOCAL_HOSTS), now),
        }
    )
    complete_store(place, load_hub_keys(folder), now)
    return anchors


def begin_epoch(place: HubPlace, *, now: datetime) -> int:
    """Begin an epoch: what is published from now on is encrypted with a new key.

    Raises:
        ConfigurationError: no hub.
        StoreError: the store cannot be written.
    """
    epoch = place.registry.current_epoch() + 1
    reader = load_hub_keys(place.folder).sealing_key
    sealed = seal_epoch(ContentKey.generate(epoch), reader)
    place.registry.add_epoch(epoch, sealed, at=now)
    return epoch


def epoch_keys(place: HubPlace, keys: HubKeys) -> list[ContentKey]:
    """Return the keys of all epochs.

    Raises:
        ConfigurationError: one opens with none of the hub's sealing keys.
    """
    return [
        _opened(epoch, sealed, keys) for epoch, sealed in place.registry.sealed_epochs()
    ]


def authorities_of(place: HubPlace) -> list[Authority]:
    """Return the hub's certificate authority, and the one before if there is one.

    Raises:
        ConfigurationError: a file is missing or damaged.
    """
    folder = place.folder
    certificates = certificates_in(folder.read(AUTHORITY))
    return [
        Authority(KeyAndCertificate(folder.read(name), pem), origin=name)
        for name, pem in zip(
            (AUTHORITY_KEY, AUTHORITY_KEY_BEFORE), certificates, strict=False
        )
    ]


def revocations(place: HubPlace, certificates: Sequence[bytes], now: datetime) -> bytes:
    """Return the authorities' lists of revocations (PEM), with these added.

    Raises:
        ConfigurationError: a file is missing or damaged.
    """
    before = place.folder.read(REVOKED)
    return b"".join(
        authority.revoke(
            [pem for pem in certificates if authority.has_issued(pem)],
            before=before,
            now=now,
        )
        for authority in authorities_of(place)
    )


def _authority_of(pair: KeyAndCertificate) -> Authority:
    return Authority(pair, origin=AUTHORITY_KEY)


def _finish_init(place: HubPlace, now: datetime) -> TrustAnchors:
    keys = load_hub_keys(place.folder)
    if place.registry.current_epoch() > 0 and place.log.log() is not None:
        message = (
            f"{place.folder.path}: this hub has its keys already; they are replaced "
            "one by one with `edge hub rotate`"
        )
        raise ConfigurationError(message)
    if place.folder.names(ISSUED):
        message = (
            f"{place.folder.path}: booths have followed the log of these keys, and the "
            "store has lost it: put back the store, or use `edge hub restart-log`"
        )
        raise ConfigurationError(message)
    complete_store(place, keys, now)
    return keys.anchors


def complete_store(place: HubPlace, keys: HubKeys, now: datetime) -> None:
    """Begin the first epoch, and the log that the trust document names, if missing.

    Raises:
        StoreError: the store cannot be written.
    """
    if place.registry.current_epoch() == 0:
        begin_epoch(place, now=now)
    if place.log.log() != keys.anchors.log:
        place.log.begin_log(keys.anchors.log, at=now)


def add_root(path: Path, keys: KeyFolder) -> SigningKey:
    """Make a root key in a folder that must be there, away from the working keys.

    Raises:
        ConfigurationError: it is not, or cannot be written.
    """
    if not path.is_dir():
        message = f"{path}: no such folder for a root key: is the medium mounted?"
        raise ConfigurationError(message)
    if path.resolve() == keys.path.resolve():
        message = f"{path}: root keys must not lie among the working keys"
        raise ConfigurationError(message)
    key = SigningKey.generate()
    name = f"root-{key.public.key_id.hex()}.key"
    KeyFolder(path).add(name, signing_key_pem(key))
    return key


def line_files(
    authority: Authority, hosts: Sequence[str], now: datetime
) -> dict[str, bytes]:
    """Return new keys and certificates of hub and broker, by file name."""
    broker = authority.issue_for_broker(list(dict.fromkeys(hosts)), now=now)
    hub = authority.issue_for_hub(now=now)
    return {
        TLS_KEY: hub.key,
        CERTIFICATE: hub.certificate,
        BROKER_KEY: broker.key,
        BROKER: broker.certificate,
    }


def _opened(epoch: int, sealed: bytes, keys: HubKeys) -> ContentKey:
    for key in keys.sealing.values():
        try:
            return open_epoch(epoch, sealed, key)
        except MessageError:
            continue
    message = f"epoch {epoch}: its key opens with none of the hub's sealing keys"
    raise ConfigurationError(message)
