"""What crosses a line without TLS: no template, no name, no image can be read in it."""

import re
import socket
import threading
import time
import zlib
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime

import numpy as np
import pytest

from edge.hub.command_sender import new_command
from edge.records.template import encode_template
from edge.services.wire_system import WireSystem
from edge.simulate.hit_source import check_of, invented_hit
from edge.store.checks import CheckStore
from edge.store.commands import StoredCommands
from edge.store.database import open_database
from edge.store.hub_commands import StoredHubCommands
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.outbox import StoredOutbox
from edge.store.watchlist import BoothWatchlist
from edge.sync.messages import CommandKind, Instruction
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FaceTemplate,
    FingerPosition,
    Modality,
    Reference,
    WatchlistEntry,
)

NOW = datetime.now(UTC)  # noqa: TID251  entries have to be valid when the test runs
WINDOW_BYTES = 16
WAIT_S = 30.0
INSTRUCTION = "It is Canary Somebody: hold."


class Relay:
    """Passes bytes on between clients and a server, and writes them down."""

    def __init__(self, server_port):
        self.seen = bytearray()
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._sockets = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self):
        for sock in (self._listener, *self._sockets):
            with closing(sock):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                return
            self._sockets += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(
                    target=self._pass_on, args=(one, other), daemon=True
                ).start()

    def _pass_on(self, one, other):
        try:
            while data := one.recv(65536):
                self.seen += data
                other.sendall(data)
        except OSError:
            return


@contextmanager
def relayed_system(run_dir):
    relays = []

    def reach(port):
        relays.append(Relay(port))
        return relays[0].port

    try:
        with WireSystem(run_dir, line="plain", reach=reach) as system:
            yield system, relays[0]
    finally:
        for relay in relays:
            relay.close()


def eventually(is_true):
    deadline = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)


def the_wanted():
    vector = np.random.default_rng(7).normal(size=128).astype(np.float32)
    template = FaceTemplate("resnet", vector)
    entry = WatchlistEntry(
        entry_id="wanted-person-4711",
        version=1,
        category="canary category",
        originator="canary originator",
        handling_code="canary code",
        legal_basis="canary act",
        instruction="canary instruction: hold the person",
        valid_from=NOW,
        expires_at=None,
        name="Canary Nobody",
    )
    reference = Reference(
        "canary-reference",
        entry.entry_id,
        Modality.FACE,
        FingerPosition.UNKNOWN,
        template,
    )
    return entry, reference


def windows(data):
    """Return pieces of data: none of them may be anywhere."""
    ends = range(0, len(data) - WINDOW_BYTES, WINDOW_BYTES)
    return [data[i : i + WINDOW_BYTES] for i in ends]


def tell_the_officer(hub, hit_id):
    body = Instruction(hit_id=hit_id, text=INSTRUCTION).encode()
    command = new_command(
        "booth-1", CommandKind.INSTRUCTION, body, at=NOW, valid_s=3600
    )
    StoredHubCommands(hub).add(command)


def inflated(data):
    """Return what can be had by inflating from wherever a zlib stream may begin."""
    found = []
    for place in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data):
        with suppress(zlib.error):
            rest = data[place.start() :]
            found.append(zlib.decompressobj().decompress(rest, 1 << 20))
    return b"".join(found)


def test_the_hunt_looks_into_what_was_compressed():
    assert b"Canary" in inflated(b"..." + zlib.compress(b"Canary " * 20) + b"...")


@pytest.mark.slow
def test_no_template_name_or_image_can_be_read_on_the_line(tmp_path_short):
    entry, reference = the_wanted()
    hit = invented_hit("booth-1", NOW, evidence_bytes=5000)
    with relayed_system(tmp_path_short) as (system, relay):
        hub = open_database(system.hub_store, "hub")
        booth = open_database(system.booth_store, "booth")
        watchlist = open_database(system.watchlist_store, "watchlist")
        with closing(hub.conn), closing(booth.conn), closing(watchlist.conn):
            change = DraftChange(
                ChangeOperation.ADD, entry.entry_id, entry, (reference,)
            )
            StoredHubLog(hub).append([change], at=NOW)
            CheckStore(booth).record(check_of(hit), hit)
            eventually(lambda: StoredHubMessages(hub).hit(hit.hit_id) is not None)
            tell_the_officer(hub, hit.hit_id)
            eventually(lambda: StoredCommands(booth).instructions())
            eventually(lambda: BoothWatchlist(watchlist).entry(entry.entry_id))
            eventually(lambda: StoredOutbox(booth).depth() == 0)
            held = BoothWatchlist(watchlist).references(entry.entry_id)
        seen = bytes(relay.seen)
    seen += inflated(seen)
    template = encode_template(reference.template)
    # All of it has really crossed the line, and the recorder has really listened.
    assert encode_template(held[0].template) == template
    assert b"edge/booth-1/up/outbox" in seen
    assert len(seen) > 5000 + len(template)
    words = [
        INSTRUCTION,
        entry.entry_id,
        *(entry.name, entry.category, entry.originator, entry.handling_code),
        *(entry.legal_basis, entry.instruction, reference.reference_id),
        *(hit.entry_id, hit.candidates[0].reference_id),
    ]
    for canary in (*map(str.encode, words), *windows(template)):
        assert canary not in seen
    for canary in windows(hit.evidence[0].data):
        assert canary not in seen
