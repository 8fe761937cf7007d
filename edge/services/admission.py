"""The hub's side of enrolment: booths are admitted, renewed and revoked."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError, RefusalError, RefusalReason
from edge.hub.broker_config import BrokerPlan, broker_config
from edge.services.hub_keys import (
    authorities_of,
    begin_epoch,
    epoch_keys,
    revocations,
)
from edge.trust.certificate_checks import hosts_of, read_certificate
from edge.trust.cose import sign
from edge.trust.enrolment import (
    EnrolmentAnswer,
    open_request,
    request_digest,
    require_vouched,
)
from edge.trust.grants import make_grant
from edge.trust.hub_keys import (
    AUTHORITY,
    BROKER,
    BROKER_KEY,
    REVOKED,
    load_hub_keys,
)
from edge.trust.keys import SealingPublicKey, VerifyingKey
from edge.trust.registered_booth import AdmittedBooth

if TYPE_CHECKING:
    from datetime import datetime

    from edge.services.hub_keys import HubPlace
    from edge.trust.enrolment import EnrolmentRequest
    from edge.trust.hub_keys import HubKeys


def admit_booth(
    place: HubPlace,
    data: bytes,
    *,
    broker_host: str | None,
    broker_port: int,
    now: datetime,
) -> tuple[AdmittedBooth, bytes]:
    """Admit a booth, or give an admitted one new keys; return it and the answer.

    broker_host: how the booth reaches the broker; None for the first name in the
    broker's certificate. The same request again gives an answer again.

    Raises:
        RefusalError: as open_request and require_vouched; WRONG_SIGNER: the keys are
            another booth's, or were revoked.
        MessageError: no request.
        ConfigurationError: no hub, or a host that the broker's certificate lacks.
        StoreError: the store cannot be written.
    """
    keys = load_hub_keys(place.folder)
    host = _broker_host(place, broker_host)
    request = open_request(data, now=now)
    renewal = _renewal(place, request, now)
    certificate = _issue(place, request, now)
    booth = AdmittedBooth(
        request.booth_id, request.signing, request.sealing, certificate, now
    )
    place.registry.admit(booth, at=now, held=renewal.held, until=renewal.until)
    answer = EnrolmentAnswer(
        booth_id=booth.booth_id,
        request_digest=request_digest(data),
        trust=keys.trust,
        certificate=certificate,
        broker_host=host,
        broker_port=broker_port,
        grant=_grant(place, booth, keys, now),
    )
    return booth, sign(answer.encode(), keys.operations)


def revoke_booth(place: HubPlace, booth_id: str, *, now: datetime) -> int:
    """Shut a booth out: its certificates, its word, and what is published from now on.

    Called again for a revoked booth it does all steps again. Returns the new epoch.

    Raises:
        ConfigurationError: no such booth, or no hub.
        StoreError: the store cannot be written.
    """
    load_hub_keys(place.folder)
    booth = place.registry.booth(booth_id)
    if booth is None:
        known = ", ".join(b.booth_id for b in place.registry.booths()) or "none"
        message = f"booth {booth_id!r} was never admitted; admitted: {known}"
        raise ConfigurationError(message)
    issued = place.folder.names(_issued_name(booth_id, "*"))
    certificates = [booth.certificate, *(place.folder.read(name) for name in issued)]
    revoked = revocations(place, certificates, now)
    place.folder.replace({REVOKED: revoked})
    # Before the epoch: who is entitled when it begins gets its key.
    if booth.revoked_at is None:
        place.registry.revoke(booth_id, at=now)
    return begin_epoch(place, now=now)


def make_broker_config(
    place: HubPlace,
    *,
    folder: str,
    port: int,
    address: str | None,
    persistence_folder: str | None,
) -> dict[str, str]:
    """Return the files of the broker by name, for a folder on its machine.

    Raises:
        ConfigurationError: no hub, or its files are damaged.
    """
    load_hub_keys(place.folder)
    ca, revoked, certificate, key = (
        place.folder.read(name).decode()
        for name in (AUTHORITY, REVOKED, BROKER, BROKER_KEY)
    )
    plan = BrokerPlan(
        folder=folder,
        ca=ca,
        revoked=revoked,
        certificate=certificate,
        key=key,
        port=port,
        address=address,
        persistence_folder=persistence_folder,
    )
    return broker_config(plan)


def _broker_host(place: HubPlace, wanted: str | None) -> str:
    hosts = hosts_of(place.folder.read(BROKER))
    if wanted is None:
        return hosts[0]
    if wanted not in hosts:
        message = (
            f"broker host {wanted!r}: its certificate names {', '.join(hosts)}; "
            f"`edge hub rotate tls --broker-host {wanted}` first"
        )
        raise ConfigurationError(message)
    return wanted


@dataclass(frozen=True)
class _Renewal:
    """held: the signing key that vouched. until: when the line by the old keys ends."""

    held: bytes | None = None
    until: datetime | None = None


def _renewal(place: HubPlace, request: EnrolmentRequest, now: datetime) -> _Renewal:
    """Check that a booth may have these keys; say by which it has asked for them."""
    for other in place.registry.booths():
        same_keys = {request.signing, request.sealing} & {other.signing, other.sealing}
        if same_keys and other.booth_id != request.booth_id:
            message = f"enrolment request: with the keys of booth {other.booth_id}"
            raise RefusalError(RefusalReason.WRONG_SIGNER, message)
    known = place.registry.booth(request.booth_id)
    if known is None:
        return _Renewal()
    is_same = (request.signing, request.sealing) == (known.signing, known.sealing)
    if known.revoked_at is None:
        return _Renewal() if is_same else _vouched(known, request, now)
    if request.signing == known.signing or request.sealing == known.sealing:
        message = (
            f"enrolment request: the keys of booth {known.booth_id} were revoked: "
            "move its key folder away and make a new request"
        )
        raise RefusalError(RefusalReason.WRONG_SIGNER, message)
    return _Renewal()


def _vouched(
    known: AdmittedBooth, request: EnrolmentRequest, now: datetime
) -> _Renewal:
    # A booth that the last answer never reached asks again by the key before. A request
    # from before that answer is a replay: it would put the booth's new keys out.
    is_later = request.created_at > known.admitted_at
    if known.previous_signing is not None and is_later and _is_heard(known, now):
        with suppress(RefusalError):
            require_vouched(request, VerifyingKey(known.previous_signing))
            return _Renewal(known.previous_signing, known.previous_until)
    require_vouched(request, VerifyingKey(known.signing))
    line = read_certificate(known.certificate, origin="certificate")
    return _Renewal(known.signing, line.not_valid_after_utc)


def _is_heard(known: AdmittedBooth, now: datetime) -> bool:
    return known.previous_until is not None and now <= known.previous_until


def _issue(place: HubPlace, request: EnrolmentRequest, now: datetime) -> bytes:
    authority = authorities_of(place)[0]
    pem = authority.issue_for_booth(request.csr, request.booth_id, now=now)
    serial = read_certificate(pem, origin="certificate").serial_number
    place.folder.add(_issued_name(request.booth_id, f"{serial:x}"), pem)
    return pem


def _issued_name(booth_id: str, serial: str) -> str:
    # A dot cannot stand in a booth id: the names of two booths never match.
    return f"issued.{booth_id}.{serial}.pem"


def _grant(
    place: HubPlace, booth: AdmittedBooth, keys: HubKeys, now: datetime
) -> bytes:
    return make_grant(
        booth.booth_id,
        SealingPublicKey(booth.sealing),
        epoch_keys(place, keys),
        serial=place.registry.next_serial(booth.booth_id),
        issued_at=now,
        key=keys.operations,
    )
