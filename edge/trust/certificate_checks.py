"""Read and check certificates and requests for them (X.509, PKCS #10).

What comes from outside is damaged or hostile until it has passed here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from edge.errors import ConfigurationError, MessageError
from edge.records.message_map import is_booth_id

if TYPE_CHECKING:
    from datetime import datetime

MAX_REQUEST_BYTES = 4096


def common_name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def read_request(csr: bytes, booth_id: str) -> x509.CertificateSigningRequest:
    """Return a booth's request for a certificate.

    Raises:
        MessageError: no request, of another name, not by its own key, or a key of
            another kind than P-256.
    """
    try:
        if len(csr) > MAX_REQUEST_BYTES:
            raise ValueError("too long")  # noqa: TRY301  one message for all damage
        request = x509.load_der_x509_csr(csr)
        key, names = request.public_key(), list(request.subject)
        is_own = request.is_signature_valid
    except Exception as error:  # noqa: BLE001  the parser raises by the damage it meets
        message = f"certificate request: not readable ({type(error).__name__})"
        raise MessageError(message) from None
    if not is_booth_id(booth_id) or names != list(common_name(booth_id)):
        message = f"certificate request: its name is not booth {booth_id!r}"
        raise MessageError(message)
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        message = "certificate request: not a P-256 key"
        raise MessageError(message)
    if not is_own:
        message = "certificate request: not signed by its own key"
        raise MessageError(message)
    return request


def read_certificate(pem: bytes, *, origin: str) -> x509.Certificate:
    """Return the first certificate in pem; origin names it in messages.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return x509.load_pem_x509_certificate(pem)
    except Exception as error:  # noqa: BLE001  the parser raises by the damage it meets
        message = f"{origin}: no certificate in PEM ({type(error).__name__})"
        raise ConfigurationError(message) from None


def check_certificate(
    pem: bytes, *, key: bytes, authority: bytes, name: str, now: datetime
) -> None:
    """Check that a certificate is of this key and name, by this authority, and valid.

    All PEM; authority may hold several certificates.

    Raises:
        ConfigurationError: says what is wrong.
    """
    certificate = read_certificate(pem, origin="certificate")
    if list(certificate.subject) != list(common_name(name)):
        message = f"certificate: its name is not {name!r}"
        raise ConfigurationError(message)
    if not is_of_key(certificate, read_key(key, "tls.key")):
        message = "certificate: not of this machine's key"
        raise ConfigurationError(message)
    if not any(is_issued_by(certificate, a) for a in _read_all(authority)):
        message = "certificate: not issued by the hub's authority"
        raise ConfigurationError(message)
    if certificate.not_valid_before_utc > now:
        message = (
            f"certificate: valid from {certificate.not_valid_before_utc:%Y-%m-%d}, "
            "which is later than this machine's clock says: check the clock"
        )
        raise ConfigurationError(message)
    if certificate.not_valid_after_utc <= now:
        message = f"certificate: expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
        raise ConfigurationError(message)


def hosts_of(pem: bytes) -> tuple[str, ...]:
    """Return the names and addresses in a broker's certificate, at least one.

    Raises:
        ConfigurationError: there is none.
    """
    certificate = read_certificate(pem, origin="broker.pem")
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        message = "broker.pem: names no host"
        raise ConfigurationError(message) from None
    return tuple(str(name.value) for name in found.value)


def read_key(pem: bytes, origin: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except Exception as error:  # noqa: BLE001  the parser raises by the damage it meets
        message = f"{origin}: no private key in PEM ({type(error).__name__})"
        raise ConfigurationError(message) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        message = f"{origin}: not an elliptic-curve key"
        raise ConfigurationError(message)
    return key


def is_of_key(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(*form) == (
        key.public_key().public_bytes(*form)
    )


def certificates_in(pem: bytes) -> list[bytes]:
    """Return each certificate of a bundle, as PEM.

    Raises:
        ConfigurationError: there is none.
    """
    return [item.public_bytes(Encoding.PEM) for item in _read_all(pem)]


def _read_all(pem: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        message = "ca.pem: no certificate in PEM"
        raise ConfigurationError(message) from None


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
