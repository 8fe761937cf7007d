"""Keys of three kinds: to sign (Ed25519), to seal to (X25519), to share (symmetric).

A key id is the first 8 bytes of SHA-256 over the raw public key (32 bytes); it finds a
key, it proves nothing. Sealing is HPKE (RFC 9180), base mode, with DHKEM(X25519,
HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305; a sealed text is the encapsulated key
(32 bytes) and the ciphertext with its tag.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from edge.errors import MessageError

KEY_BYTES = 32
KEY_ID_BYTES = 8
SIGNATURE_BYTES = 64
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


def key_id(public: bytes) -> bytes:
    return hashlib.sha256(public).digest()[:KEY_ID_BYTES]


class VerifyingKey:
    """An Ed25519 public key."""

    def __init__(self, raw: bytes) -> None:
        """Take 32 raw bytes.

        Raises:
            MessageError: not a public key.
        """
        self.raw = _key_bytes(raw)
        self.key_id = key_id(self.raw)
        try:
            self._key = Ed25519PublicKey.from_public_bytes(self.raw)
        except ValueError as error:
            raise MessageError("not an Ed25519 public key") from error

    def is_signature(self, signature: bytes, data: bytes) -> bool:
        try:
            self._key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyingKey) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)


class SigningKey:
    """An Ed25519 private key."""

    def __init__(self, raw: bytes) -> None:
        """Take 32 raw bytes.

        Raises:
            MessageError: not so many bytes.
        """
        self.raw = _key_bytes(raw)
        self._key = Ed25519PrivateKey.from_private_bytes(self.raw)
        self.public = VerifyingKey(self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> SigningKey:
        return cls(secrets.token_bytes(KEY_BYTES))

    def sign(self, data: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"SigningKey({self.public.key_id.hex()})"


class SealingPublicKey:
    """An X25519 public key: who holds it can seal, only the owner can open."""

    def __init__(self, raw: bytes) -> None:
        """Take 32 raw bytes.

        Raises:
            MessageError: not so many bytes.
        """
        self.raw = _key_bytes(raw)
        self.key_id = key_id(self.raw)
        self._key = X25519PublicKey.from_public_bytes(self.raw)

    def seal(self, plaintext: bytes, *, info: bytes) -> bytes:
        """Return the sealed text; it opens only with the same info.

        Raises:
            MessageError: the key is a point of small order, which hides nothing.
        """
        try:
            return _SUITE.encrypt(plaintext, self._key, info=info)
        except ValueError as error:
            raise MessageError("the public key to seal to is weak") from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SealingPublicKey) and self.raw == other.raw

    def __hash__(self) -> int:
        return hash(self.raw)


class SealingKey:
    """An X25519 private key: opens what was sealed to its public half."""

    def __init__(self, raw: bytes) -> None:
        """Take 32 raw bytes.

        Raises:
            MessageError: not so many bytes.
        """
        self.raw = _key_bytes(raw)
        self._key = X25519PrivateKey.from_private_bytes(self.raw)
        self.public = SealingPublicKey(self._key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> SealingKey:
        return cls(secrets.token_bytes(KEY_BYTES))

    def open(self, sealed: bytes, *, info: bytes) -> bytes:
        """Return the plaintext.

        Raises:
            MessageError: sealed to another key, with another info, or changed.
        """
        try:
            return _SUITE.decrypt(sealed, self._key, info=info)
        except (InvalidTag, ValueError) as error:
            raise MessageError("sealed text: not for this key, or changed") from error

    def __repr__(self) -> str:
        return f"SealingKey({self.public.key_id.hex()})"


@dataclass(frozen=True)
class ContentKey:
    """What the watchlist is encrypted with in one epoch; epochs count from 1."""

    epoch: int
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, epoch: int) -> ContentKey:
        return cls(epoch, secrets.token_bytes(KEY_BYTES))


def _key_bytes(raw: bytes) -> bytes:
    if len(raw) != KEY_BYTES:
        raise MessageError(f"a key of {len(raw)} bytes, {KEY_BYTES} expected")
    return bytes(raw)
