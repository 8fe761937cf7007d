"""edge-hub and edge-sync with their real stores over a real broker."""

import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from edge.clock import SystemClock
from edge.hub.command_sender import new_command
from edge.hub.settings import HubSettings
from edge.services.admission import admit_booth, revoke_booth
from edge.services.hub import hub_stores, run_hub
from edge.services.hub_keys import HubPlace, init_hub
from edge.services.hub_rotation import rotate_sealing, rotate_signing
from edge.services.provisioning import accept_answer, request_enrolment
from edge.services.sync import BoothSide, run_sync
from edge.simulate.broker import find_mosquitto, free_port, start_broker
from edge.store.database import open_database, transaction
from edge.store.hits import insert_hit
from edge.store.hub_recalls import StoredHubRecalls
from edge.store.outbox import StoredOutbox
from edge.store.replica import StoredReplica
from edge.store.watchlist import BoothWatchlist
from edge.sync.link import Connected, Published, Will
from edge.sync.messages import CommandKind
from edge.sync.mqtt_client import MqttClient
from edge.sync.settings import BrokerSettings
from edge.terms import (
    ChangeOperation,
    DraftChange,
    Evidence,
    FingerPosition,
    Hit,
    Modality,
)
from edge.terms import WatchlistEntry as Entry
from edge.trust.booth_keys import load_booth_keys
from edge.trust.hub_keys import load_hub_keys
from edge.trust.key_folder import KeyFolder

PATIENCE_S = 20.0
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def eventually(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"did not come true: {what}"
        time.sleep(0.02)


class Site:
    """A broker, a hub and an enrolled booth, each of which can be away."""

    def __init__(self, folder, kind) -> None:
        self.broker = start_broker(folder / "broker", free_port(), prefer=kind)
        self.settings = BrokerSettings(
            port=self.broker.port, backoff_first_s=0.05, backoff_limit_s=0.2
        )
        self.hub_path = folder / "hub.db"
        self.booth_path = folder / "booth.db"
        self.watchlist_path = folder / "watchlist.db"
        self._databases = [
            open_database(self.booth_path, "booth"),
            open_database(self.watchlist_path, "watchlist"),
            open_database(self.hub_path, "hub"),
        ]
        self.booth, entries, hub = self._databases
        self.outbox = StoredOutbox(self.booth)
        self.replica = StoredReplica(entries)
        self.watchlist = BoothWatchlist(entries)
        self.stores = hub_stores(hub)
        self.recalls = StoredHubRecalls(hub)
        self.hub_keys = KeyFolder(folder / "hub-keys")
        self.booth_keys = KeyFolder(folder / "booth-keys")
        self.place = HubPlace(self.hub_keys, self.stores.log, self.stores.registry)
        self._enrol(folder / "root")

    def _enrol(self, root):
        root.mkdir()
        now = SystemClock().now()
        anchors = init_hub(
            self.place, [root], threshold=1, broker_host="localhost", now=now
        )
        request = request_enrolment(self.booth_keys, "booth-1", now=now)
        _, answer = admit_booth(
            self.place,
            request,
            broker_host="localhost",
            broker_port=self.broker.port,
            now=now,
        )
        accept_answer(
            self.booth_keys,
            "booth-1",
            answer,
            fingerprint=anchors.fingerprint,
            now=now,
        )

    @contextmanager
    def hub(self):
        with _thread(
            run_hub,
            store_path=self.hub_path,
            broker=self.settings,
            load_keys=lambda: load_hub_keys(self.hub_keys),
            settings=HubSettings(command_repeat_s=1.0),
            poll_s=0.02,
        ):
            yield

    @contextmanager
    def sync(self):
        side = BoothSide(
            booth_id="booth-1",
            store_path=self.booth_path,
            watchlist_path=self.watchlist_path,
            load_keys=lambda: load_booth_keys(self.booth_keys, "booth-1"),
            broker=lambda _keys: self.settings,
        )
        with _thread(run_sync, side=side):
            yield

    def record_hit(self, hit_id, data=b"image"):
        evidence = Evidence(
            Modality.FINGERPRINT, FingerPosition.RIGHT_INDEX, "image/png", data
        )
        hit = Hit(
            *(hit_id, f"check-{hit_id}", "booth-1", START, "entry-1", 1),
            candidates=(),
            evidence=(evidence,),
        )
        with transaction(self.booth) as connection:
            insert_hit(connection, hit)

    def publish(self, *entry_ids):
        drafts = [
            DraftChange(ChangeOperation.ADD, entry_id, make_entry(entry_id))
            for entry_id in entry_ids
        ]
        self.stores.log.append(drafts, at=START)

    def withdraw(self, entry_id):
        draft = DraftChange(ChangeOperation.WITHDRAW, entry_id)
        self.stores.log.append([draft], at=START)

    def hit_ids(self):
        return [stored.hit.hit_id for stored in self.stores.messages.hits()]

    def await_delivery(self, *hit_ids):
        eventually(lambda: set(hit_ids) <= set(self.hit_ids()), "the hub has the hits")
        eventually(lambda: self.outbox.depth() == 0, "the outbox is empty")
        assert sorted(self.hit_ids()) == sorted(hit_ids)

    def await_step(self):
        """Wait until the booth holds exactly what the hub has published."""
        end = self.stores.log.position()
        eventually(lambda: self.replica.position() == end, f"the booth is at {end}")

    def close(self):
        self.broker.stop()
        for database in self._databases:
            database.conn.close()


def make_entry(entry_id):
    return Entry(
        *(entry_id, 1, "wanted", "test", "A", "none", "call"),
        valid_from=START - timedelta(days=1),
        expires_at=None,
    )


@contextmanager
def _thread(target, **arguments):
    stop = threading.Event()
    thread = threading.Thread(target=target, kwargs={**arguments, "stop": stop})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture(params=["mosquitto", "amqtt"])
def site(request, tmp_path):
    if request.param == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    running = Site(tmp_path, request.param)
    yield running
    running.close()


def test_a_hit_reaches_the_hub_and_leaves_the_outbox(site, capsys):
    with site.hub(), site.sync():
        site.record_hit("hit-1", data=bytes(300_000))
        site.await_delivery("hit-1")
    assert capsys.readouterr().out.count('"event": "hit"') == 1


class Output:
    """What the processes have written, all of it."""

    def __init__(self, capsys) -> None:
        self._capsys = capsys
        self._text = ""

    def count(self, text):
        self._text += self._capsys.readouterr().out
        return self._text.count(text)


def test_without_a_hub_the_hit_stays_in_the_outbox_until_one_comes(site, capsys):
    output = Output(capsys)
    with site.sync():
        site.record_hit("hit-1")
        eventually(lambda: output.count('"connected"'), "the booth is connected")
        assert site.outbox.depth() == 1
        with site.hub():
            site.await_delivery("hit-1")
    assert output.count('"event": "hit"') == 1


def test_a_hit_recorded_while_the_broker_is_down_is_delivered_later(site):
    with site.hub(), site.sync():
        site.record_hit("hit-1")
        site.await_delivery("hit-1")
        site.broker.kill()
        site.record_hit("hit-2")
        assert site.outbox.depth() == 1
        site.broker.restart()
        site.await_delivery("hit-1", "hit-2")


def test_a_broker_that_forgets_everything_again_and_again_loses_nothing(site):
    hit_ids = [f"hit-{number}" for number in range(9)]
    with site.hub(), site.sync():
        for number, hit_id in enumerate(hit_ids):
            site.record_hit(hit_id)
            if number % 3 == 1:
                site.broker.kill()
                site.publish(f"entry-{number}")
                site.broker.restart()
        site.await_delivery(*hit_ids)
        site.await_step()


def test_a_hub_that_restarts_gets_what_it_missed_and_shows_each_hit_once(site, capsys):
    with site.sync():
        for number in range(3):
            with site.hub():
                site.record_hit(f"hit-{number}a")
                eventually(lambda n=number: f"hit-{n}a" in site.hit_ids(), "stored")
            site.record_hit(f"hit-{number}b")
        with site.hub():
            site.await_delivery(*(f"hit-{n}{x}" for n in range(3) for x in "ab"))
    assert capsys.readouterr().out.count('"event": "hit"') == 6


def test_what_another_process_publishes_arrives_at_the_booth(site):
    with site.hub(), site.sync():
        site.publish("entry-1")
        site.await_step()
        site.publish("entry-2")
        site.await_step()
    assert [entry.entry_id for entry in site.watchlist.entries()] == [
        "entry-1",
        "entry-2",
    ]


def test_a_booth_that_was_away_catches_up(site):
    site.publish(*(f"entry-{number}" for number in range(1, 301)))
    with site.hub(), site.sync():
        site.await_step()


def test_random_bytes_and_repetitions_from_outside_do_no_harm(site, capsys):
    stranger = MqttClient(
        site.settings,
        client_id="stranger",
        subscriptions=("nothing",),
        will=Will("nothing", b""),
        clock=SystemClock(),
    )
    topics = [
        *("edge/booth-1/up/outbox", "edge/booth-1/up/request"),
        *("edge/booth-1/down/receipt", "edge/booth-1/down/watchlist"),
        *("edge/booth-1/state", "edge/hub/head", "edge/BOOTH/up/outbox"),
    ]
    with site.hub(), site.sync():
        site.record_hit("hit-1")
        site.await_delivery("hit-1")
        _await_events(stranger, Connected, 1)
        for topic in topics:
            for payload in (b"", b"\xff" * 100, bytes(range(256))):
                stranger.publish(topic, payload)
        _await_events(stranger, Published, 21)
        stranger.close()
        site.record_hit("hit-2")
        site.publish("entry-1")
        site.await_delivery("hit-1", "hit-2")
        site.await_step()
    refused = capsys.readouterr().out.count("message_refused")
    assert refused >= 15


def _await_events(client, kind, count):
    deadline = time.monotonic() + PATIENCE_S
    while count > 0:
        assert time.monotonic() < deadline, f"too few {kind.__name__}"
        count -= sum(isinstance(event, kind) for event in client.poll(0.1))


def test_a_withdrawal_is_confirmed_by_the_booth(site):
    with site.hub(), site.sync():
        site.publish("entry-1", "entry-2")
        site.await_step()
        site.withdraw("entry-1")
        site.await_step()
        eventually(lambda: not site.recalls.recalls(pending_only=True), "confirmed")
    assert [entry.entry_id for entry in site.watchlist.entries()] == ["entry-2"]


def test_a_command_is_answered_once(site):
    now = SystemClock().now()
    command = new_command("booth-1", CommandKind.TEST, b"", at=now, valid_s=60)
    site.stores.commands.add(command)
    with site.hub(), site.sync():
        eventually(
            lambda: site.stores.commands.commands()[0].state == "answered", "answered"
        )
    [record] = site.stores.commands.commands()
    assert record.outcome == "done"


def test_a_revoked_booth_gets_nothing_that_is_published_after(site, capsys):
    output = Output(capsys)
    with site.hub(), site.sync():
        site.publish("entry-1")
        site.await_step()
        revoke_booth(site.place, "booth-1", now=SystemClock().now())
        # The hub looks at its registry before it announces what is new.
        site.publish("entry-2")
        site.record_hit("hit-1")
        eventually(lambda: output.count("is revoked"), "the hit has been refused")
    assert site.hit_ids() == []
    assert [entry.entry_id for entry in site.watchlist.entries()] == ["entry-1"]


def test_the_hub_goes_on_with_keys_that_were_replaced(site, monkeypatch):
    monkeypatch.setattr("edge.services.hub.KEYS_LOOK_S", 0.1)
    root = next(iter(site.hub_keys.path.parent.glob("root")))
    with site.hub(), site.sync():
        site.publish("entry-1")
        site.await_step()
        now = SystemClock().now()
        rotate_signing(site.place, "watchlist", [root], now=now)
        rotate_signing(site.place, "operations", [root], now=now)
        rotate_sealing(site.place, [root], now=now)
        site.publish("entry-2")
        site.record_hit("hit-1")
        site.await_step()
        site.await_delivery("hit-1")


def test_a_booth_with_an_empty_disk_takes_the_snapshot(site):
    """And so does one that is too far behind for single changes."""
    site.publish(*(f"entry-{number}" for number in range(5100)))
    with site.hub(), site.sync():
        eventually(lambda: site.stores.snapshots.newest() is not None, "a snapshot")
        site.await_step()
    assert site.watchlist.size()[0] == 5100


PROGRAM = """
from pathlib import Path
from edge.sync.settings import BrokerSettings
from edge.trust.key_folder import KeyFolder
from edge.trust.hub_keys import load_hub_keys
from edge.trust.booth_keys import load_booth_keys
from edge.services.hub import run_hub
from edge.services.sync import BoothSide, run_sync
folder, broker = Path({folder!r}), BrokerSettings(port={port})
"""
PROCESSES = {
    "hub": """
run_hub(
    store_path=folder / "hub.db",
    broker=broker,
    load_keys=lambda: load_hub_keys(KeyFolder(folder / "hub-keys")),
)
""",
    "sync": """
run_sync(BoothSide(
    "booth-1",
    folder / "booth.db",
    folder / "watchlist.db",
    lambda: load_booth_keys(KeyFolder(folder / "booth-keys"), "booth-1"),
    lambda keys: broker,
))
""",
}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_ends_in_good_order_on_sigterm(name, tmp_path, site):
    site.broker.kill()
    program = PROGRAM.format(folder=str(tmp_path), port=free_port()) + PROCESSES[name]
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert '"started"' in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert '"stopped"' in output
    assert errors == ""
