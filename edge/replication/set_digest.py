"""A digest of the set of entries that changes in constant time with each change.

LtHash, the additive homomorphic hash of Bellare and Micciancio (A New Paradigm for
Collision-Free Hashing, EUROCRYPT 1997) in the form of Lewi, Kim, Maykov and Weis
(Securing Update Propagation with Homomorphic Hashing, 2019): every element is hashed to
1024 lanes of 16 bits, the set's state is their sum modulo 2**16. The order of changes
leaves no trace: two that hold the same entries have the same digest.
"""

from __future__ import annotations

import hashlib

import numpy as np

from edge.errors import MessageError

LANES = 1024
STATE_BYTES = 2 * LANES
_DOMAIN = b"edge-set"
_LANE = np.dtype("<u2")


class SetDigest:
    """The sum over the elements of a set; nothing keeps an element from going twice."""

    def __init__(self) -> None:
        self._lanes = np.zeros(LANES, _LANE)

    def add(self, entry_id: str, record_digest: bytes) -> None:
        """Add an entry; record_digest: SHA-256 of the record that made it as it is."""
        self._lanes += _element(entry_id, record_digest)

    def remove(self, entry_id: str, record_digest: bytes) -> None:
        """Take away an entry that was added with the same record."""
        self._lanes -= _element(entry_id, record_digest)

    def digest(self) -> bytes:
        """Return SHA-256 over the lanes, 32 bytes."""
        return hashlib.sha256(self.to_bytes()).digest()

    def to_bytes(self) -> bytes:
        """Return the state, 2048 bytes: lanes in little-endian order."""
        return self._lanes.tobytes()

    @classmethod
    def from_bytes(cls, state: bytes) -> SetDigest:
        """Go on from a state.

        Raises:
            MessageError: not 2048 bytes.
        """
        if len(state) != STATE_BYTES:
            raise MessageError(
                f"set digest: a state of {len(state)} bytes, {STATE_BYTES} expected"
            )
        made = cls()
        made._lanes = np.frombuffer(state, _LANE).copy()
        return made

    def copy(self) -> SetDigest:
        return SetDigest.from_bytes(self.to_bytes())


def record_digest(record: bytes) -> bytes:
    return hashlib.sha256(record).digest()


def _element(
    entry_id: str, digest: bytes
) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    name = entry_id.encode()
    data = _DOMAIN + len(name).to_bytes(2, "big") + name + digest
    return np.frombuffer(hashlib.shake_256(data).digest(STATE_BYTES), _LANE)


EMPTY_DIGEST = SetDigest().digest()
