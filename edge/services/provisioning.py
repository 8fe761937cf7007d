"""The booth's side of enrolment: new keys, the request, the hub's answer."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError
from edge.trust.booth_keys import (
    ANSWER,
    AUTHORITY,
    CERTIFICATE,
    REQUEST,
    SEALING,
    SECRETS,
    SIGNING,
    TLS_KEY,
    TRUST,
    load_booth_keys,
)
from edge.trust.certificate_checks import check_certificate
from edge.trust.certificates import make_request as make_certificate_request
from edge.trust.cose import read_signed
from edge.trust.enrolment import (
    REQUEST_LIFETIME,
    EnrolmentRequest,
    make_request,
    open_answer,
)
from edge.trust.grants import open_grant, read_grant
from edge.trust.key_folder import KeyFolder, credentials_folder
from edge.trust.key_pem import (
    read_sealing_key,
    sealing_key_pem,
    signing_key_pem,
)
from edge.trust.keys import SealingKey, SigningKey

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from edge.config import Config
    from edge.sync.settings import BrokerSettings
    from edge.trust.anchors import TrustAnchors
    from edge.trust.booth_keys import BoothKeys

PENDING = "pending"
_SEAL_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class PreparedFiles:
    """An answer that holds: what goes into the key folder, and whom it trusts."""

    files: dict[str, bytes]
    anchors: TrustAnchors


def booth_folder(config: Config) -> KeyFolder:
    return KeyFolder(config.keys.folder, credentials=credentials_folder())


def booth_keys(config: Config) -> BoothKeys:
    """Read the keys of this booth.

    Raises:
        ConfigurationError: as load_booth_keys.
    """
    return load_booth_keys(booth_folder(config), config.booth_id)


def enrolled_broker(keys: BoothKeys, settings: BrokerSettings) -> BrokerSettings:
    """Return the settings with the place and the certificates of the enrolment."""
    return replace(
        settings,
        host=keys.broker_host,
        port=keys.broker_port,
        cafile=keys.authority,
        certfile=keys.certificate,
        keyfile=keys.tls_key,
    )


def request_enrolment(folder: KeyFolder, booth_id: str, *, now: datetime) -> bytes:
    """Make keys and a request; the request that waits already, if there is one.

    Raises:
        ConfigurationError: enrolled already, or the folder cannot be used.
    """
    folder.create()
    folder.open()
    if folder.has(ANSWER):
        message = (
            f"{folder.path}: this booth is enrolled already: for new keys use "
            "`edge provision renew`, for another hub move this folder away first"
        )
        raise ConfigurationError(message)
    waiting = _waiting_request(folder, booth_id, now)
    return waiting or _new_request(folder, booth_id, now, previous=None)


def request_renewal(folder: KeyFolder, booth_id: str, *, now: datetime) -> bytes:
    """Make new keys, for which the present ones vouch; or return what waits already.

    Raises:
        ConfigurationError: not enrolled, or the folder cannot be used.
    """
    keys = load_booth_keys(folder, booth_id)
    waiting = _waiting_request(folder, booth_id, now)
    return waiting or _new_request(folder, booth_id, now, previous=keys.signing)


def accept_answer(
    folder: KeyFolder,
    booth_id: str,
    data: bytes,
    *,
    fingerprint: str | None,
    now: datetime,
) -> BoothKeys:
    """Check the hub's answer and put the new keys in place, all of them or none.

    fingerprint: of the hub's roots; needed the first time only.

    Raises:
        ConfigurationError: nothing waits for an answer, or the certificate is wrong.
        RefusalError: as open_answer and read_grant.
        MessageError: no answer.
    """
    folder.open()
    prepared = _checked(folder, booth_id, data, fingerprint, now)
    folder.replace(prepared.files)
    shutil.rmtree(folder.path / PENDING, ignore_errors=True)
    # Credentials are the old keys until they are sealed anew.
    return load_booth_keys(KeyFolder(folder.path), booth_id)


def is_waiting(folder: KeyFolder) -> bool:
    """Return whether a request waits for the hub's answer."""
    return (folder.path / PENDING / REQUEST).is_file()


def seal_keys(
    folder: KeyFolder, target: Path, *, is_tpm_alone: bool = False
) -> list[str]:
    """Encrypt the secret keys to this machine; return the lines for the unit file.

    Uses the TPM and the host's secret, whichever there are (systemd-creds), or the TPM
    alone. The host's secret lies on the same disk: by itself it helps against a copy of
    the key folder, not against a stolen disk.

    Raises:
        ConfigurationError: no systemd-creds here, or it fails, as without a TPM.
    """
    program = shutil.which("systemd-creds")
    if program is None:
        message = "systemd-creds is not there: it comes with systemd 250 or later"
        raise ConfigurationError(message)
    sealed = KeyFolder(target.absolute())
    sealed.create()
    key = "tpm2" if is_tpm_alone else "auto"
    lines = []
    for name in SECRETS:
        command = [program, "encrypt", f"--with-key={key}", f"--name={name}", "-", "-"]
        try:
            result = subprocess.run(  # noqa: S603  our own command line
                command,
                input=folder.read(name),
                capture_output=True,
                check=True,
                timeout=_SEAL_TIMEOUT_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error).encode()
            message = f"systemd-creds: cannot seal {name}: {said.decode()[-200:]}"
            raise ConfigurationError(message) from None
        sealed.replace({f"{name}.cred": result.stdout})
        lines.append(f"LoadCredentialEncrypted={name}:{sealed.path / name}.cred")
    return lines


def _waiting_request(folder: KeyFolder, booth_id: str, now: datetime) -> bytes | None:
    pending = KeyFolder(folder.path / PENDING)
    if not pending.path.is_dir():
        return None
    pending.open()
    if not pending.has(REQUEST):
        return None
    data = pending.read(REQUEST)
    request = EnrolmentRequest.decode(read_signed(data, limit=len(data)).payload)
    is_fresh = request.created_at > now - REQUEST_LIFETIME / 2
    return data if request.booth_id == booth_id and is_fresh else None


def _new_request(
    folder: KeyFolder, booth_id: str, now: datetime, *, previous: SigningKey | None
) -> bytes:
    signing, sealing = SigningKey.generate(), SealingKey.generate()
    tls_key, csr = make_certificate_request(booth_id)
    data = make_request(
        booth_id,
        signing=signing,
        sealing=sealing,
        csr=csr,
        now=now,
        previous=previous,
    )
    pending = KeyFolder(folder.path / PENDING)
    pending.create()
    pending.replace(
        {
            SIGNING: signing_key_pem(signing),
            SEALING: sealing_key_pem(sealing),
            TLS_KEY: tls_key,
            REQUEST: data,
        }
    )
    return data


def _checked(
    folder: KeyFolder,
    booth_id: str,
    data: bytes,
    fingerprint: str | None,
    now: datetime,
) -> PreparedFiles:
    pending = KeyFolder(folder.path / PENDING)
    if not pending.path.is_dir():
        message = (
            f"{folder.path}: no request waits for an answer: `edge provision request` "
            "or `edge provision renew` first"
        )
        raise ConfigurationError(message)
    pending.open()
    request, tls_key = pending.read(REQUEST), pending.read(TLS_KEY)
    is_enrolled = folder.has(ANSWER)
    anchors = load_booth_keys(folder, booth_id).anchors if is_enrolled else None
    if anchors is None and fingerprint is None:
        message = (
            "the fingerprint of the hub's roots is needed (`edge hub trust` shows it): "
            "--root FINGERPRINT, or root_fingerprint in [keys] of the configuration"
        )
        raise ConfigurationError(message)
    answer, trusted = open_answer(
        data, request, now=now, fingerprint=fingerprint, anchors=anchors
    )
    check_certificate(
        answer.certificate,
        key=tls_key,
        authority=trusted.document.ca,
        name=booth_id,
        now=now,
    )
    grant = read_grant(answer.grant, booth_id, trusted.operations_keys)
    sealing = pending.read(SEALING)
    open_grant(grant, read_sealing_key(sealing, origin=str(pending.place(SEALING))))
    return PreparedFiles(
        {
            SIGNING: pending.read(SIGNING),
            SEALING: sealing,
            TLS_KEY: tls_key,
            CERTIFICATE: answer.certificate,
            AUTHORITY: trusted.document.ca,
            TRUST: trusted.encode(),
            REQUEST: request,
            ANSWER: data,
        },
        trusted,
    )
