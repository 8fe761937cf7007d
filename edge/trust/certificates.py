"""Certificates of the line between booths, hub and broker (X.509, RFC 5280).

They open the line and nothing more: what travels on it is signed and sealed by other
keys. All keys are ECDSA P-256, which Mosquitto, OpenSSL and TPMs take alike. Validity
begins a day early, for clocks that are late.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from edge.errors import ConfigurationError
from edge.records.message_map import HUB_NAME
from edge.trust.certificate_checks import (
    common_name,
    is_issued_by,
    is_of_key,
    read_certificate,
    read_key,
    read_request,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificatePublicKeyTypes,
    )

AUTHORITY_LIFETIME = timedelta(days=3653)
CERTIFICATE_LIFETIME = timedelta(days=731)
CLOCK_TOLERANCE = timedelta(days=1)
AUTHORITY_NAME = "edge authority"
_CRL_BEGIN = b"-----BEGIN X509 CRL-----"


@dataclass(frozen=True)
class KeyAndCertificate:
    """Both PEM; the key is secret."""

    key: bytes
    certificate: bytes


class Authority:
    """The certificate authority of one hub."""

    def __init__(self, pair: KeyAndCertificate, *, origin: str) -> None:
        """origin: names the files in messages.

        Raises:
            ConfigurationError: no key, no certificate, or they do not belong together.
        """
        self._key = read_key(pair.key, origin)
        self._certificate = read_certificate(pair.certificate, origin=origin)
        if not is_of_key(self._certificate, self._key):
            message = f"{origin}: the authority's certificate is not of its key"
            raise ConfigurationError(message)

    @property
    def expires_at(self) -> datetime:
        return self._certificate.not_valid_after_utc

    def issue_for_broker(
        self, hosts: Sequence[str], *, now: datetime
    ) -> KeyAndCertificate:
        """Issue to the broker; hosts: every name and address that it is reached by."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_host(host) for host in hosts])
        builder = self._builder("broker", key.public_key(), now).add_extension(
            names, critical=False
        )
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        return KeyAndCertificate(_key_pem(key), self._signed(builder, usage))

    def issue_for_hub(self, *, now: datetime) -> KeyAndCertificate:
        """Issue the hub's own client certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(HUB_NAME, key.public_key(), now)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return KeyAndCertificate(_key_pem(key), self._signed(builder, usage))

    def issue_for_booth(self, csr: bytes, booth_id: str, *, now: datetime) -> bytes:
        """Issue a client certificate to the key of a request (DER); return it as PEM.

        Nothing but the key is taken from the request.

        Raises:
            MessageError: as read_request.
        """
        request = read_request(csr, booth_id)
        builder = self._builder(booth_id, request.public_key(), now)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._signed(builder, usage)

    def revoke(
        self, certificates: Iterable[bytes], *, before: bytes | None, now: datetime
    ) -> bytes:
        """Return the list of revocations (PEM): those of the list before, and these.

        before: may hold lists of other authorities too.

        It stays valid as long as the authority: a broker refuses everybody once its
        list is over.

        Raises:
            ConfigurationError: one of the texts is no certificate or list of ours.
        """
        revoked: dict[int, x509.RevokedCertificate] = {}
        if before is not None:
            earlier = self._read_revocations(before)
            revoked.update({entry.serial_number: entry for entry in earlier})
        for pem in certificates:
            serial = read_certificate(pem, origin="to revoke").serial_number
            entry = x509.RevokedCertificateBuilder(serial, now).build()
            revoked.setdefault(serial, entry)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(now - CLOCK_TOLERANCE)
            .next_update(max(self.expires_at, now + CLOCK_TOLERANCE))
            .add_extension(self._issuer_id(), critical=False)
        )
        for entry in revoked.values():
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def has_issued(self, certificate: bytes) -> bool:
        """Return whether a certificate (PEM) is by this authority.

        Raises:
            ConfigurationError: no certificate.
        """
        return is_issued_by(
            read_certificate(certificate, origin="certificate"), self._certificate
        )

    def _read_revocations(self, pem: bytes) -> x509.CertificateRevocationList:
        try:
            lists = [
                x509.load_pem_x509_crl(_CRL_BEGIN + part)
                for part in pem.split(_CRL_BEGIN)[1:]
            ]
        except ValueError:
            message = "crl.pem: damaged"
            raise ConfigurationError(message) from None
        for found in lists:
            if found.is_signature_valid(self._key.public_key()):
                return found
        message = "crl.pem: no list of revocations by this authority"
        raise ConfigurationError(message)

    def _builder(
        self, name: str, key: CertificatePublicKeyTypes, now: datetime
    ) -> x509.CertificateBuilder:
        end = min(now + CERTIFICATE_LIFETIME, self.expires_at)
        return _builder(name, self._certificate.subject, key, now, end)

    def _signed(
        self, builder: x509.CertificateBuilder, usage: x509.ExtendedKeyUsage
    ) -> bytes:
        certificate = (
            builder.add_extension(_usage(signs=True), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            .add_extension(self._issuer_id(), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)

    def _issuer_id(self) -> x509.AuthorityKeyIdentifier:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(
            self._key.public_key()
        )


def make_authority(*, now: datetime) -> KeyAndCertificate:
    key = ec.generate_private_key(ec.SECP256R1())
    # Two authorities of one hub must differ by name: lists are found by it.
    text = f"{AUTHORITY_NAME} {secrets.token_hex(8)}"
    end = now + AUTHORITY_LIFETIME
    builder = _builder(text, common_name(text), key.public_key(), now, end)
    certificate = (
        builder.add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return KeyAndCertificate(_key_pem(key), certificate.public_bytes(Encoding.PEM))


def make_request(booth_id: str) -> tuple[bytes, bytes]:
    """Return a new key (PEM) and the request for its certificate (PKCS #10, DER)."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder(common_name(booth_id))
    request = builder.sign(key, hashes.SHA256())
    return _key_pem(key), request.public_bytes(Encoding.DER)


def _builder(
    name: str,
    issuer: x509.Name,
    key: CertificatePublicKeyTypes,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(common_name(name))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    """signs: for a certificate of a line, not of the authority."""
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs,
        crl_sign=not signs,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError:
        message = f"broker host {host!r}: not a DNS name or an address"
        raise ConfigurationError(message) from None


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
