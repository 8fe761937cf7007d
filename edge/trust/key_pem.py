"""Private keys as PEM text (PKCS #8, RFC 5958), which other programs read too."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from edge.errors import ConfigurationError
from edge.trust.keys import SealingKey, SigningKey


def signing_key_pem(key: SigningKey) -> bytes:
    return _pem(Ed25519PrivateKey.from_private_bytes(key.raw))


def sealing_key_pem(key: SealingKey) -> bytes:
    return _pem(X25519PrivateKey.from_private_bytes(key.raw))


def read_signing_key(pem: bytes, *, origin: str) -> SigningKey:
    """Return the Ed25519 key in pem; origin names the file in messages.

    Raises:
        ConfigurationError: no such key.
    """
    key = _loaded(pem, origin)
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{origin}: not a key to sign with (Ed25519)"
        raise ConfigurationError(message)
    return SigningKey(key.private_bytes_raw())


def read_sealing_key(pem: bytes, *, origin: str) -> SealingKey:
    """Return the X25519 key in pem; origin names the file in messages.

    Raises:
        ConfigurationError: no such key.
    """
    key = _loaded(pem, origin)
    if not isinstance(key, X25519PrivateKey):
        message = f"{origin}: not a key to seal to (X25519)"
        raise ConfigurationError(message)
    return SealingKey(key.private_bytes_raw())


def _pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _loaded(pem: bytes, origin: str) -> object:
    try:
        return load_pem_private_key(pem, password=None)
    except Exception as error:  # noqa: BLE001  the parser raises by the damage it meets
        message = f"{origin}: no private key in PEM ({type(error).__name__})"
        raise ConfigurationError(message) from None
