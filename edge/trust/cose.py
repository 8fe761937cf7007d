"""Signed and encrypted objects: COSE_Sign1, COSE_Sign, COSE_Encrypt0 (RFC 9052).

Only what the appliance uses: Ed25519 (EdDSA, -8), ChaCha20-Poly1305 (24), tagged
objects, no external data for signatures. Any COSE library reads them. The framing is
written here over cbor2 and cryptography because the library that offers it (cwt 3.3)
holds cbor2 at a version whose decoder can cap neither depth nor duplicate keys, and
every byte read here is hostile until its signature has been checked.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from edge.errors import MessageError
from edge.trust.keys import KEY_ID_BYTES, SIGNATURE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.trust.keys import ContentKey, SigningKey, VerifyingKey

SIGN1_TAG, SIGN_TAG, ENCRYPT0_TAG = 18, 98, 16
ALGORITHM, KEY_ID, IV = 1, 4, 5
EDDSA, CHACHA20_POLY1305 = -8, 24
NONCE_BYTES = 12
MAX_SIGNERS = 16
# What framing adds to a payload, at most, for one signer.
OVERHEAD_BYTES = 160
_MAX_DEPTH = 6
_TAG_PREFIXES = {SIGN1_TAG: b"\xd2", SIGN_TAG: b"\xd8\x62", ENCRYPT0_TAG: b"\xd0"}


@dataclass(frozen=True)
class Signed:
    """A COSE_Sign1 object as it was read; nothing in it is to be believed yet."""

    key_id: bytes
    payload: bytes
    _protected: bytes
    _signature: bytes

    def verified(self, key: VerifyingKey) -> bytes:
        """Return the payload.

        Raises:
            MessageError: not signed with this key, or changed since.
        """
        data = _to_be_signed("Signature1", self._protected, None, self.payload)
        if key.key_id != self.key_id or not key.is_signature(self._signature, data):
            raise MessageError(f"signature by {self.key_id.hex()} does not verify")
        return self.payload


@dataclass(frozen=True)
class ManySigned:
    """A COSE_Sign object as it was read; nothing in it is to be believed yet."""

    payload: bytes
    _body: bytes
    _signatures: tuple[tuple[bytes, bytes, bytes], ...]  # protected, key id, signature

    def signers(self, keys: Sequence[VerifyingKey]) -> set[VerifyingKey]:
        """Return those of the keys whose signature is there and verifies."""
        found = set()
        for protected, name, signature in self._signatures:
            data = _to_be_signed("Signature", self._body, protected, self.payload)
            found |= {
                key
                for key in keys
                if key.key_id == name and key.is_signature(signature, data)
            }
        return found


def sign(payload: bytes, key: SigningKey) -> bytes:
    """Return a tagged COSE_Sign1 object."""
    protected = _signer_header(key)
    signature = key.sign(_to_be_signed("Signature1", protected, None, payload))
    return cbor2.dumps(cbor2.CBORTag(SIGN1_TAG, [protected, {}, payload, signature]))


def read_signed(data: bytes, *, limit: int) -> Signed:
    """Read a COSE_Sign1 object of at most limit bytes.

    Raises:
        MessageError: too long, or no such object.
    """
    parts = _read(data, SIGN1_TAG, 4, limit, "COSE_Sign1")
    protected, unprotected, payload, signature = parts
    if unprotected != {}:
        raise MessageError("COSE_Sign1: an unprotected header is there")
    return Signed(
        key_id=_signer(protected),
        payload=_bytes(payload, "payload"),
        _protected=protected,
        _signature=_signature(signature),
    )


def sign_by_many(payload: bytes, keys: Sequence[SigningKey]) -> bytes:
    """Return a tagged COSE_Sign object with a signature by each key."""
    body = b""
    signatures = []
    for key in keys:
        protected = _signer_header(key)
        data = _to_be_signed("Signature", body, protected, payload)
        signatures.append([protected, {}, key.sign(data)])
    return cbor2.dumps(cbor2.CBORTag(SIGN_TAG, [body, {}, payload, signatures]))


def read_signed_by_many(data: bytes, *, limit: int) -> ManySigned:
    """Read a COSE_Sign object of at most limit bytes.

    Raises:
        MessageError: too long, or no such object.
    """
    body, unprotected, payload, signatures = _read(
        data, SIGN_TAG, 4, limit, "COSE_Sign"
    )
    if unprotected != {} or body != b"":
        raise MessageError("COSE_Sign: a header is there")
    if not isinstance(signatures, list) or not 1 <= len(signatures) <= MAX_SIGNERS:
        raise MessageError(f"COSE_Sign: 1 to {MAX_SIGNERS} signatures expected")
    return ManySigned(
        payload=_bytes(payload, "payload"),
        _body=body,
        _signatures=tuple(_one_of_many(item) for item in signatures),
    )


def encrypt(plaintext: bytes, key: ContentKey, *, context: bytes) -> bytes:
    """Return a tagged COSE_Encrypt0 object; it opens only with the same context."""
    protected = cbor2.dumps({ALGORITHM: CHACHA20_POLY1305}, canonical=True)
    nonce = secrets.token_bytes(NONCE_BYTES)
    data = _enc_structure(protected, context)
    ciphertext = ChaCha20Poly1305(key.secret).encrypt(nonce, plaintext, data)
    unprotected = {KEY_ID: _epoch_name(key.epoch), IV: nonce}
    content = [protected, unprotected, ciphertext]
    return cbor2.dumps(cbor2.CBORTag(ENCRYPT0_TAG, content), canonical=True)


def decrypt(data: bytes, key: ContentKey, *, context: bytes, limit: int) -> bytes:
    """Return the plaintext of a COSE_Encrypt0 object of at most limit bytes.

    Raises:
        MessageError: too long, no such object, of another epoch, with another context,
            or changed.
    """
    what = "COSE_Encrypt0"
    protected, unprotected, ciphertext = _read(data, ENCRYPT0_TAG, 3, limit, what)
    if _header(protected) != {ALGORITHM: CHACHA20_POLY1305}:
        raise MessageError(f"{what}: not ChaCha20-Poly1305")
    if not isinstance(unprotected, dict) or unprotected.keys() != {KEY_ID, IV}:
        raise MessageError(f"{what}: key id and nonce expected")
    if unprotected[KEY_ID] != _epoch_name(key.epoch):
        raise MessageError(f"{what}: not of epoch {key.epoch}")
    nonce = _bytes(unprotected[IV], "nonce")
    if len(nonce) != NONCE_BYTES:
        raise MessageError(f"{what}: a nonce of {len(nonce)} bytes")
    cipher = ChaCha20Poly1305(key.secret)
    try:
        return cipher.decrypt(
            nonce, _bytes(ciphertext, "text"), _enc_structure(protected, context)
        )
    except InvalidTag as error:
        raise MessageError(f"{what}: changed, or of another place") from error


def _read(data: bytes, tag: int, length: int, limit: int, what: str) -> list[Any]:
    if len(data) > limit:
        raise MessageError(f"{what}: {len(data)} bytes, {limit} allowed")
    # The tag is taken off first: cbor2 reads what a tag holds into frozen types.
    prefix = _TAG_PREFIXES[tag]
    if not data.startswith(prefix):
        raise MessageError(f"{what}: tag {tag} expected")
    content = BytesIO(memoryview(data)[len(prefix) :])
    try:
        parts = cbor2.CBORDecoder(
            content,
            max_depth=_MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        ).decode()
    except Exception as error:  # noqa: BLE001  the decoder's tag handlers raise anything
        raise MessageError(f"{what}: no CBOR ({type(error).__name__})") from None
    if content.tell() != len(data) - len(prefix):
        raise MessageError(f"{what}: something follows the object")
    if not isinstance(parts, list) or len(parts) != length:
        raise MessageError(f"{what}: an array of {length} expected")
    _bytes(parts[0], "protected header")
    return parts


def _header(protected: bytes) -> object:
    try:
        return cbor2.loads(protected, max_depth=2, allow_duplicate_keys=False)
    except Exception as error:  # noqa: BLE001  as above
        raise MessageError(f"COSE header: no CBOR ({type(error).__name__})") from None


def _signer_header(key: SigningKey) -> bytes:
    header = {ALGORITHM: EDDSA, KEY_ID: key.public.key_id}
    return cbor2.dumps(header, canonical=True)


def _signer(protected: bytes) -> bytes:
    header = _header(protected)
    if not isinstance(header, dict) or header.keys() != {ALGORITHM, KEY_ID}:
        raise MessageError("COSE signature: algorithm and key id expected")
    name = _bytes(header[KEY_ID], "key id")
    if header[ALGORITHM] != EDDSA or len(name) != KEY_ID_BYTES:
        raise MessageError("COSE signature: not EdDSA by a key of ours")
    return name


def _one_of_many(item: object) -> tuple[bytes, bytes, bytes]:
    if not isinstance(item, list) or len(item) != 3 or item[1] != {}:
        raise MessageError("COSE_Sign: a signature is no array of three")
    protected = _bytes(item[0], "protected header")
    return protected, _signer(protected), _signature(item[2])


def _signature(value: object) -> bytes:
    signature = _bytes(value, "signature")
    if len(signature) != SIGNATURE_BYTES:
        raise MessageError(f"COSE: a signature of {len(signature)} bytes")
    return signature


def _bytes(value: object, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise MessageError(f"COSE: the {what} is no byte string")
    return value


def _to_be_signed(
    context: str, body: bytes, signer: bytes | None, payload: bytes
) -> bytes:
    """Return the Sig_structure of RFC 9052, 4.4."""
    parts: list[object] = [context, body]
    if signer is not None:
        parts.append(signer)
    return cbor2.dumps([*parts, b"", payload])


def _enc_structure(protected: bytes, external: bytes) -> bytes:
    """Return the Enc_structure of RFC 9052, 5.3."""
    return cbor2.dumps(["Encrypt0", protected, external])


def _epoch_name(epoch: int) -> bytes:
    return epoch.to_bytes(8, "big")
