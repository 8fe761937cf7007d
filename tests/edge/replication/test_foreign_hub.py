"""A hub written from the protocol alone, without a line of ours, is understood."""

import hashlib
import zlib
from datetime import UTC, datetime

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from edge.replication.freshness import Freshness, FreshnessState

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
START_US = int(START.timestamp()) * 1_000_000
NONCE = bytes(range(12))


def plain(value):
    return cbor2.dumps(value, canonical=True)


class ForeignHub:
    """Two people on its list, added by two changes."""

    def __init__(self, hub):
        self._key = Ed25519PrivateKey.from_private_bytes(hub.key.raw)
        public = self._key.public_key().public_bytes_raw()
        self._key_id = hashlib.sha256(public).digest()[:8]
        self._secret = hub.content_key.secret
        self._log = hub.log
        self.records = hub.records[:2]
        self.chain = bytes(32)
        lanes = [0] * 1024
        for number, record in enumerate(self.records, start=1):
            self.chain = hashlib.sha256(
                b"edge-log" + self._log.encode() + self.chain + record
            ).digest()
            name = b"person-%d" % number
            element = hashlib.shake_256(
                b"edge-set"
                + len(name).to_bytes(2, "big")
                + name
                + hashlib.sha256(record).digest()
            ).digest(2048)
            for i in range(1024):
                lane = int.from_bytes(element[2 * i : 2 * i + 2], "little")
                lanes[i] = (lanes[i] + lane) % 65536
        state = b"".join(lane.to_bytes(2, "little") for lane in lanes)
        self.digest = hashlib.sha256(state).digest()

    def signed(self, kind, **fields):
        payload = plain({"v": 1, "type": kind, "log": self._log, "epoch": 1} | fields)
        protected = plain({1: -8, 4: self._key_id})
        to_sign = plain(["Signature1", protected, b"", payload])
        parts = [protected, {}, payload, self._key.sign(to_sign)]
        return plain(cbor2.CBORTag(18, parts))

    def encrypted(self, plaintext, context):
        protected = plain({1: 24})
        data = plain(["Encrypt0", protected, plain(context)])
        text = ChaCha20Poly1305(self._secret).encrypt(NONCE, plaintext, data)
        unprotected = {4: (1).to_bytes(8, "big"), 5: NONCE}
        return plain(cbor2.CBORTag(16, [protected, unprotected, text]))

    def head(self):
        return self.signed(
            "head",
            sequence=2,
            chain=self.chain,
            digest=self.digest,
            count=2,
            snapshot=2,
            issued_at=START_US,
            expires_at=START_US + 3_600_000_000,
        )

    def changes(self):
        packed = zlib.compress(plain(self.records))
        return self.signed(
            "changes",
            after=0,
            upto=2,
            chain_before=bytes(32),
            chain_after=self.chain,
            digest_after=self.digest,
            count_after=2,
            content=self.encrypted(packed, ["edge-changes", self._log, 0, 2]),
        )

    def snapshot(self):
        by_id = {b"person-1": self.records[0], b"person-2": self.records[1]}
        names = sorted(by_id, key=lambda name: hashlib.sha256(name).digest())
        array = plain([by_id[name] for name in names])
        chunk = self.encrypted(zlib.compress(array), ["edge-chunk", self._log, 1])
        manifest = self.signed(
            "manifest",
            sequence=2,
            chain=self.chain,
            digest=self.digest,
            count=2,
            chunks=[[hashlib.sha256(chunk).digest(), len(chunk), len(array), 2]],
            issued_at=START_US,
        )
        return manifest, chunk


def test_a_foreign_hubs_head_and_changes_are_taken(hub, booth):
    foreign = ForeignHub(hub)
    booth.head(foreign.head())
    booth.changes(foreign.changes())
    assert booth.position == hub.positions[2]
    fresh = Freshness(FreshnessState.FRESH, START, 0)
    assert booth.replica.freshness(START) == fresh


def test_a_foreign_hubs_snapshot_is_taken(hub, booth):
    manifest, chunk = ForeignHub(hub).snapshot()
    booth.manifest(manifest)
    booth.chunk(chunk)
    assert booth.position == hub.positions[2]
    assert sorted(booth.entries) == ["person-1", "person-2"]
