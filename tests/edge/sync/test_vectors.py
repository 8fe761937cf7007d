"""The example messages beside the protocol's description are true, read by hand.

Nothing of the project's reading code is used to read them: only CBOR, hashes and the
primitives that README.md names, as another program would. With EDGE_WRITE_VECTORS=1 the
file is made anew.
"""

import hashlib
import io
import json
import os
import struct
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cbor2
import numpy as np
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

import edge.sync
from edge.records.changes import encode_change
from edge.replication.changes import make_changes
from edge.replication.head import make_head
from edge.replication.position import RecordedChange, advanced, beginning
from edge.replication.set_digest import SetDigest
from edge.replication.snapshot import SnapshotBuilder, entry_key
from edge.sync.messages import (
    ChunkMessage,
    Command,
    Content,
    Holding,
    Instruction,
    OutboxEnvelope,
    Receipt,
    ReceiptItem,
    ReceiptOutcome,
    WatchlistRequest,
    command_info,
    outbox_info,
)
from edge.terms import ChangeOperation, WatchlistChange, WatchlistEntry
from edge.trust.anchors import TrustDocument, encode_chain, sign_document
from edge.trust.cose import sign
from edge.trust.grants import make_grant
from edge.trust.keys import ContentKey, SealingKey, SigningKey

FILE = Path(edge.sync.__file__).with_name("vectors.json")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
LOG = "0123456789abcdef" * 2
BOOTH, STREAM = "booth-1", "00112233445566ff"
NAMES = ("root", "watchlist", "operations", "booth")


def made():
    """Return the example keys and messages, hexadecimal."""
    keys = {name: SigningKey(bytes([n]) * 32) for n, name in enumerate(NAMES, start=1)}
    hub, reader = SealingKey(b"\x11" * 32), SealingKey(b"\x12" * 32)
    content_key = ContentKey(1, b"\x21" * 32)
    messages = {
        **of_trust(keys, hub, reader, content_key),
        **of_the_watchlist(keys, content_key),
        **of_the_outbox(keys, hub, reader),
    }
    return {
        "booth_id": BOOTH,
        "private_keys": {
            **{name: key.raw.hex() for name, key in keys.items()},
            "sealing of the hub": hub.raw.hex(),
            "sealing of the booth": reader.raw.hex(),
            "content of epoch 1": content_key.secret.hex(),
        },
        "messages": {name: data.hex() for name, data in messages.items()},
    }


def of_trust(keys, hub, reader, content_key):
    document = TrustDocument(
        log=LOG,
        version=1,
        issued_at=AT,
        expires_at=AT + timedelta(days=730),
        threshold=1,
        roots=[keys["root"].public.raw],
        watchlist=[keys["watchlist"].public.raw],
        operations=[keys["operations"].public.raw],
        sealing=[hub.public.raw],
        ca=b"",
    )
    grant = make_grant(
        BOOTH,
        reader.public,
        [content_key],
        serial=1,
        issued_at=AT,
        key=keys["operations"],
    )
    return {
        "edge/hub/trust": encode_chain([sign_document(document, [keys["root"]])]),
        f"edge/{BOOTH}/down/grant": grant,
    }


def changes():
    entry = WatchlistEntry(
        *("entry-1", 1, "wanted", "office", "A", "act", "Refer."), AT, None, "Nobody"
    )
    other = WatchlistEntry(
        *("entry-2", 1, "wanted", "office", "A", "act", "Refer."), AT, None, None
    )
    return [
        WatchlistChange(1, ChangeOperation.ADD, "entry-1", entry, (), AT),
        WatchlistChange(2, ChangeOperation.ADD, "entry-2", other, (), AT),
        WatchlistChange(3, ChangeOperation.WITHDRAW, "entry-1", None, (), AT),
    ]


def of_the_watchlist(keys, content_key):
    position, entries, records = beginning(LOG), SetDigest(), []
    held: dict[str, bytes] = {}
    for change in changes():
        item = RecordedChange(change, encode_change(change))
        records.append(item.record)
        gone = held.get(change.entry_id)
        digest = None if gone is None else hashlib.sha256(gone).digest()
        position = advanced(position, entries, item, digest)
        held[change.entry_id] = item.record
    builder = SnapshotBuilder(position, content_key)
    current = sorted([("entry-2", held["entry-2"])], key=lambda e: entry_key(e[0]))
    (chunk,) = builder.chunks(current)
    key = keys["watchlist"]
    request = WatchlistRequest(booth_id=BOOTH, after=0, chain=bytes(32), limit=256)
    return {
        "edge/hub/head": make_head(position, 1, 3, AT, 3600, key),
        "edge/hub/changes": make_changes(
            beginning(LOG), position, records, content_key, key
        ),
        f"edge/{BOOTH}/down/watchlist": builder.manifest(AT, key),
        f"edge/{BOOTH}/down/chunk": ChunkMessage(
            digest=chunk.line.digest, data=chunk.data
        ).encode(),
        f"edge/{BOOTH}/up/request": sign(request.encode(), keys["booth"]),
    }


def of_the_outbox(keys, hub, reader):
    body = Holding(
        log=LOG,
        sequence=3,
        chain=bytes(32),
        digest=bytes(32),
        count=1,
        withdrawn=[],
        at=AT,
    ).encode()
    place = {
        "booth_id": BOOTH,
        "stream": STREAM,
        "sequence": 1,
        "message_id": f"holding-{STREAM}-1",
    }
    content = Content(**place, kind="holding", created_at=AT, body=body).encode()
    sealed = hub.public.seal(
        sign(content, keys["booth"]),
        info=cbor2.dumps(outbox_info(**place), canonical=True),
    )
    envelope = OutboxEnvelope(**place, key=hub.public.key_id, sealed=sealed)
    item = ReceiptItem(
        sequence=1,
        message_id=place["message_id"],
        digest=hashlib.sha256(content).digest(),
        outcome=ReceiptOutcome.STORED,
    )
    receipt = Receipt(booth_id=BOOTH, stream=STREAM, items=[item], issued_at=AT)
    told = Instruction(hit_id="hit-1", text="Hold the person.").encode()
    info = cbor2.dumps(command_info(BOOTH, "command-1"), canonical=True)
    command = Command(
        command_id="command-1",
        booth_id=BOOTH,
        kind="instruction",
        issued_at=AT,
        expires_at=LATER,
        body=reader.public.seal(told, info=info),
    )
    return {
        f"edge/{BOOTH}/up/outbox": envelope.encode(),
        f"edge/{BOOTH}/down/receipt": sign(receipt.encode(), keys["operations"]),
        f"edge/{BOOTH}/down/command": sign(command.encode(), keys["operations"]),
    }


@pytest.fixture(scope="module")
def vectors():
    if os.environ.get("EDGE_WRITE_VECTORS"):
        FILE.write_text(json.dumps(made(), indent=2) + "\n", encoding="utf-8")
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def said(vectors):
    return {topic: bytes.fromhex(data) for topic, data in vectors["messages"].items()}


@pytest.fixture(scope="module")
def secret(vectors):
    return {name: bytes.fromhex(raw) for name, raw in vectors["private_keys"].items()}


@pytest.fixture(scope="module")
def trust(said, secret):
    """The trust document, after its signature by the root has been checked."""
    (document,) = cbor2.loads(said["edge/hub/trust"])
    item = cbor2.loads(document)
    assert item.tag == 98
    body, _, payload, ((protected, _, signature),) = item.value
    data = cbor2.dumps(["Signature", body, protected, b"", payload])
    public(secret["root"]).verify(signature, data)
    return cbor2.loads(payload)


def public(seed):
    raw = SigningKey(seed).public.raw
    return Ed25519PublicKey.from_public_bytes(raw)


def opened(data, keys):
    """Return the map of a COSE_Sign1 object by one of the keys."""
    item = cbor2.loads(data)
    assert item.tag == 18
    protected, unprotected, payload, signature = item.value
    header = cbor2.loads(protected)
    assert (header[1], unprotected) == (-8, {})
    (raw,) = [k for k in keys if hashlib.sha256(k).digest()[:8] == header[4]]
    data = cbor2.dumps(["Signature1", protected, b"", payload])
    Ed25519PublicKey.from_public_bytes(raw).verify(signature, data)
    return cbor2.loads(payload)


def unsealed(sealed, key, info):
    suite = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
    private = X25519PrivateKey.from_private_bytes(key)
    return suite.decrypt(sealed, private, info=cbor2.dumps(info, canonical=True))


def decrypted(data, key, context):
    item = cbor2.loads(data)
    assert item.tag == 16
    protected, unprotected, ciphertext = item.value
    assert cbor2.loads(protected) == {1: 24}
    aad = cbor2.dumps(["Encrypt0", protected, cbor2.dumps(context, canonical=True)])
    compressed = ChaCha20Poly1305(key).decrypt(unprotected[5], ciphertext, aad)
    return cbor2.loads(zlib.decompress(compressed))


def test_a_booth_gets_the_keys_of_the_epochs(said, secret, trust):
    grant = opened(said[f"edge/{BOOTH}/down/grant"], trust["operations"])
    info = ["edge-grant", grant["booth_id"], grant["serial"]]
    epochs = cbor2.loads(
        unsealed(grant["sealed"], secret["sealing of the booth"], info)
    )
    assert epochs["epochs"] == [{"epoch": 1, "secret": secret["content of epoch 1"]}]


def test_changes_lead_to_the_chain_and_the_set_of_the_head(said, secret, trust):
    head = opened(said["edge/hub/head"], trust["watchlist"])
    batch = opened(said["edge/hub/changes"], trust["watchlist"])
    context = ["edge-changes", batch["log"], batch["after"], batch["upto"]]
    records = decrypted(batch["content"], secret["content of epoch 1"], context)
    chain, lanes, held = batch["chain_before"], np.zeros(1024, "<u2"), {}
    for record in records:
        chain = hashlib.sha256(b"edge-log" + LOG.encode() + chain + record).digest()
        change = cbor2.loads(record)
        name = change["entry_id"]
        if name in held:
            lanes -= element(name, held.pop(name))
        if change["operation"] != "withdraw":
            held[name] = record
            lanes += element(name, record)
    assert (head["sequence"], head["chain"]) == (batch["upto"], chain)
    assert head["digest"] == hashlib.sha256(lanes.tobytes()).digest()
    assert head["count"] == len(held) == 1


def element(name, record):
    data = b"edge-set" + struct.pack(">H", len(name)) + name.encode()
    data += hashlib.sha256(record).digest()
    return np.frombuffer(hashlib.shake_256(data).digest(2048), "<u2")


def test_the_chunks_of_a_manifest_are_the_set(said, secret, trust):
    manifest = opened(said[f"edge/{BOOTH}/down/watchlist"], trust["watchlist"])
    chunk = cbor2.loads(said[f"edge/{BOOTH}/down/chunk"])
    ((address, size, _, entries),) = manifest["chunks"]
    assert address == chunk["digest"] == hashlib.sha256(chunk["data"]).digest()
    context = ["edge-chunk", manifest["log"], manifest["epoch"]]
    records = decrypted(chunk["data"], secret["content of epoch 1"], context)
    assert (len(records), len(chunk["data"])) == (entries, size)
    lanes = np.zeros(1024, "<u2")
    for record in records:
        lanes += element(cbor2.loads(record)["entry_id"], record)
    assert manifest["digest"] == hashlib.sha256(lanes.tobytes()).digest()


def test_the_hub_reads_an_outbox_message_and_its_receipt_names_it(said, secret, trust):
    envelope = cbor2.loads(said[f"edge/{BOOTH}/up/outbox"])
    place = [envelope[k] for k in ("booth_id", "stream", "sequence", "message_id")]
    signed = unsealed(
        envelope["sealed"], secret["sealing of the hub"], ["edge-outbox", *place]
    )
    booth = SigningKey(secret["booth"]).public.raw
    content = opened(signed, [booth])
    assert [content[k] for k in ("booth_id", "stream", "sequence")] == place[:3]
    assert cbor2.loads(content["body"])["type"] == content["kind"] == "holding"
    receipt = opened(said[f"edge/{BOOTH}/down/receipt"], trust["operations"])
    payload = cbor2.loads(signed).value[2]
    assert receipt["items"][0]["digest"] == hashlib.sha256(payload).digest()


def test_requests_and_commands_are_signed_by_who_may(said, secret, trust):
    booth = SigningKey(secret["booth"]).public.raw
    request = opened(said[f"edge/{BOOTH}/up/request"], [booth])
    assert request["type"] == "watchlist-request"
    command = opened(said[f"edge/{BOOTH}/down/command"], trust["operations"])
    info = ["edge-command", command["booth_id"], command["command_id"]]
    body = unsealed(command["body"], secret["sealing of the booth"], info)
    assert cbor2.loads(body)["text"] == "Hold the person."


def test_every_map_is_in_deterministic_encoding(said):
    for data in said.values():
        assert cbor2.dumps(cbor2.load(io.BytesIO(data)), canonical=True) == data


def test_the_file_has_what_is_made_now(vectors):
    now = made()
    assert vectors["private_keys"] == now["private_keys"]
    assert vectors["messages"].keys() == now["messages"].keys()
    same = {k for k, v in now["messages"].items() if vectors["messages"][k] == v}
    # The others hold fresh nonces and one-time keys.
    assert {"edge/hub/trust", "edge/hub/head", f"edge/{BOOTH}/down/receipt"} <= same


def test_a_changed_example_is_refused(said, trust):
    data = bytearray(said["edge/hub/head"])
    data[-1] ^= 1
    with pytest.raises(InvalidSignature):
        opened(bytes(data), trust["watchlist"])
