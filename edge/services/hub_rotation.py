"""Replaces the hub's keys one by one, under the root keys; begins a new log.

A change is written to the key folder as one, the new trust document with it. A running
hub goes on with the old keys until it is started again.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError
from edge.services.hub_keys import (
    LOCAL_HOSTS,
    ROOTS,
    TRUST_LIFETIME,
    add_root,
    authorities_of,
    complete_store,
    epoch_keys,
    line_files,
)
from edge.trust.anchors import encode_chain, later_anchors, sign_document
from edge.trust.certificate_checks import certificates_in, hosts_of
from edge.trust.certificates import Authority, make_authority
from edge.trust.grants import seal_epoch
from edge.trust.hub_keys import (
    AUTHORITY,
    AUTHORITY_KEY,
    AUTHORITY_KEY_BEFORE,
    BROKER,
    OPERATIONS,
    REVOKED,
    SEALING,
    TRUST,
    WATCHLIST,
    load_hub_keys,
)
from edge.trust.key_folder import KeyFolder
from edge.trust.key_pem import read_signing_key, sealing_key_pem, signing_key_pem
from edge.trust.keys import SealingKey, SigningKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from edge.services.hub_keys import HubPlace
    from edge.trust.anchors import TrustAnchors


def rotate_signing(
    place: HubPlace, name: str, roots: Sequence[Path], *, now: datetime
) -> TrustAnchors:
    """Replace the key "watchlist" or "operations"; the old one says nothing more.

    Raises:
        ConfigurationError: no hub, or too few root keys.
    """
    anchors = load_hub_keys(place.folder).anchors
    key = SigningKey.generate()
    later = _successor(anchors, {name: [key.public.raw]}, _read_roots(roots), now)
    file = {"watchlist": WATCHLIST, "operations": OPERATIONS}[name]
    place.folder.replace({file: signing_key_pem(key), TRUST: later.encode()})
    return later


def rotate_sealing(
    place: HubPlace, roots: Sequence[Path], *, now: datetime
) -> TrustAnchors:
    """Replace the key that booths seal to; the old one still opens what is on its way.

    Raises:
        ConfigurationError: no hub, or too few root keys.
        StoreError: the store cannot be written.
    """
    keys = load_hub_keys(place.folder)
    key = SealingKey.generate()
    changes = {"sealing": [key.public.raw]}
    later = _successor(keys.anchors, changes, _read_roots(roots), now)
    old = f"sealing-{keys.sealing_key.key_id.hex()}.key"
    place.folder.replace(
        {
            SEALING: sealing_key_pem(key),
            old: place.folder.read(SEALING),
            TRUST: later.encode(),
        }
    )
    for content in epoch_keys(place, load_hub_keys(place.folder)):
        sealed = seal_epoch(content, key.public)
        place.registry.replace_sealed(content.epoch, sealed)
    return later


def rotate_roots(
    place: HubPlace, roots: Sequence[Path], *, now: datetime
) -> TrustAnchors:
    """Replace each root key that lies in the folders given; the others stay.

    The old files stay too, and are of no use once every booth has the successor.

    Raises:
        ConfigurationError: no hub, or too few root keys.
    """
    anchors = load_hub_keys(place.folder).anchors
    old = [key for key in _read_roots(roots) if key.public.raw in _roots(anchors)]
    replaced = {key.public.raw for key in old}
    kept = [raw for raw in _roots(anchors) if raw not in replaced]
    new = [
        add_root(path, place.folder)
        for path in roots
        for _ in replaced & {key.public.raw for key in _read_roots([path])}
    ]
    changes = {"roots": [*kept, *(key.public.raw for key in new)]}
    later = _successor(anchors, changes, [*old, *new], now)
    place.folder.replace({TRUST: later.encode()})
    return later


def rotate_authority(
    place: HubPlace, roots: Sequence[Path], *, now: datetime
) -> TrustAnchors:
    """Replace the certificate authority; the one before stays trusted beside it.

    Certificates by the authority before that are of use no more: called twice, the
    present one is out. Hub and broker keep theirs until rotate_line, which must wait
    until every booth has the successor.

    Raises:
        ConfigurationError: no hub, or too few root keys.
    """
    anchors = load_hub_keys(place.folder).anchors
    old = certificates_in(place.folder.read(AUTHORITY))[0]
    before = authorities_of(place)[0]
    pair = make_authority(now=now)
    lists = [
        Authority(pair, origin=AUTHORITY_KEY).revoke([], before=None, now=now),
        before.revoke([], before=place.folder.read(REVOKED), now=now),
    ]
    bundle = pair.certificate + old
    later = _successor(anchors, {"ca": bundle}, _read_roots(roots), now)
    place.folder.replace(
        {
            AUTHORITY_KEY: pair.key,
            AUTHORITY_KEY_BEFORE: place.folder.read(AUTHORITY_KEY),
            AUTHORITY: bundle,
            REVOKED: b"".join(lists),
            TRUST: later.encode(),
        }
    )
    return later


def renew_trust(
    place: HubPlace, roots: Sequence[Path], *, now: datetime
) -> TrustAnchors:
    """Sign the trust document for another term, with the same keys.

    Raises:
        ConfigurationError: no hub, or too few root keys.
    """
    anchors = load_hub_keys(place.folder).anchors
    later = _successor(anchors, {}, _read_roots(roots), now)
    place.folder.replace({TRUST: later.encode()})
    return later


def restart_log(
    place: HubPlace, roots: Sequence[Path], *, now: datetime
) -> TrustAnchors:
    """Begin a new watchlist log with the entries that stand: after a lost store.

    The name is always a new one: booths may know any older name, with another past.

    Raises:
        ConfigurationError: no hub, or too few root keys.
        StoreError: the store cannot be written.
    """
    anchors = load_hub_keys(place.folder).anchors
    changes = {"log": secrets.token_hex(16)}
    anchors = _successor(anchors, changes, _read_roots(roots), now)
    place.folder.replace({TRUST: anchors.encode()})
    complete_store(place, load_hub_keys(place.folder), now)
    return anchors


def rotate_line(
    place: HubPlace, *, broker_host: str | None, now: datetime
) -> tuple[str, ...]:
    """Issue the hub's and the broker's certificates anew; return the broker's hosts.

    Raises:
        ConfigurationError: no hub, or the authority is over.
    """
    load_hub_keys(place.folder)
    hosts = hosts_of(place.folder.read(BROKER))
    if broker_host is not None:
        hosts = tuple(dict.fromkeys((broker_host, *LOCAL_HOSTS)))
    place.folder.replace(line_files(authorities_of(place)[0], hosts, now))
    return hosts


def _successor(
    anchors: TrustAnchors,
    changes: Mapping[str, object],
    roots: Sequence[SigningKey],
    now: datetime,
) -> TrustAnchors:
    dates = {"issued_at": now, "expires_at": now + TRUST_LIFETIME}
    update = {"version": anchors.version + 1, **dates, **changes}
    document = anchors.document.model_copy(update=update)
    named = {*_roots(anchors), *document.roots}
    signers = [key for key in roots if key.public.raw in named]
    usable = sum(key.public.raw in _roots(anchors) for key in signers)
    if usable < anchors.document.threshold:
        message = (
            f"{usable} of the hub's root keys in the folders given, "
            f"{anchors.document.threshold} needed: is the right medium mounted?"
        )
        raise ConfigurationError(message)
    signed = sign_document(document, signers)
    return later_anchors(anchors, encode_chain([signed]), now=now)


def _roots(anchors: TrustAnchors) -> list[bytes]:
    return anchors.document.roots


def _read_roots(roots: Sequence[Path]) -> list[SigningKey]:
    found: dict[bytes, SigningKey] = {}
    for path in roots:
        folder = KeyFolder(path)
        for name in folder.names(ROOTS):
            key = read_signing_key(folder.read(name), origin=str(path / name))
            found[key.public.raw] = key
    return list(found.values())
