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
from edge.services.hub import run_hub
from edge.services.sync import run_sync
from edge.simulate.broker import find_mosquitto, free_port, start_broker
from edge.store.database import open_database, transaction
from edge.store.hits import insert_hit
from edge.store.hub import HubStore
from edge.store.outbox import StoredOutbox
from edge.store.watchlist import BoothWatchlist
from edge.sync.link import Connected, Published, Will
from edge.sync.messages import OutboxEnvelope
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

PATIENCE_S = 20.0
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def eventually(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"did not come true: {what}"
        time.sleep(0.02)


class Site:
    """A broker, a hub and one booth, each of which can be away."""

    def __init__(self, folder, kind) -> None:
        self.broker = start_broker(folder / "broker", free_port(), prefer=kind)
        self.settings = BrokerSettings(
            port=self.broker.port, backoff_first_s=0.05, backoff_limit_s=0.2
        )
        self.hub_path = folder / "hub.db"
        self.booth_path = folder / "booth.db"
        booth = open_database(self.booth_path, "booth")
        self.close_booth = booth.conn.close
        self.booth = booth
        self.outbox = StoredOutbox(booth)
        self.watchlist_path = folder / "watchlist.db"
        entries = open_database(self.watchlist_path, "watchlist")
        self.close_watchlist = entries.conn.close
        self.watchlist = BoothWatchlist(entries)
        self.store = HubStore(open_database(self.hub_path, "hub"))

    @contextmanager
    def hub(self):
        with _thread(run_hub, store_path=self.hub_path, broker=self.settings):
            yield

    @contextmanager
    def sync(self):
        with _thread(
            run_sync,
            booth_id="booth-1",
            store_path=self.booth_path,
            watchlist_path=self.watchlist_path,
            broker=self.settings,
        ):
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

    def publish(self, entry_id):
        entry = Entry(
            *(entry_id, 1, "wanted", "test", "A", "none", "call"),
            valid_from=START - timedelta(days=1),
            expires_at=None,
        )
        draft = DraftChange(ChangeOperation.ADD, entry_id, entry)
        self.store.append([draft], at=START)

    def await_delivery(self, *hit_ids):
        eventually(lambda: self.outbox.depth() == 0, "the outbox is empty")
        assert sorted(row.hit.hit_id for row in self.store.hits()) == sorted(hit_ids)

    def await_cursor(self, sequence):
        eventually(lambda: self.watchlist.cursor() == sequence, f"cursor {sequence}")

    def close(self):
        self.broker.stop()
        self.store.close()
        self.close_booth()
        self.close_watchlist()


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


def test_without_a_hub_the_hit_stays_in_the_outbox_until_one_comes(site, capsys):
    with site.sync():
        site.record_hit("hit-1")
        eventually(lambda: _attempts(site) >= 1, "the broker has the hit")
        assert site.outbox.depth() == 1
        with site.hub():
            site.await_delivery("hit-1")
    assert capsys.readouterr().out.count('"event": "hit"') == 1


def _attempts(site):
    rows = site.outbox.pending(limit=1, retry_before=datetime(9999, 1, 1, tzinfo=UTC))
    return rows[0].attempts if rows else 0


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
        site.await_cursor(3)


def test_a_hub_that_restarts_gets_what_it_missed_and_shows_each_hit_once(site, capsys):
    with site.sync():
        for number in range(3):
            with site.hub():
                site.record_hit(f"hit-{number}a")
                eventually(lambda n=number: site.store.has_hit(f"hit-{n}a"), "stored")
            site.record_hit(f"hit-{number}b")
        with site.hub():
            site.await_delivery(*(f"hit-{n}{x}" for n in range(3) for x in "ab"))
    assert capsys.readouterr().out.count('"event": "hit"') == 6


def test_what_another_process_publishes_arrives_at_the_booth(site):
    with site.hub(), site.sync():
        site.publish("entry-1")
        site.await_cursor(1)
        site.publish("entry-2")
        site.await_cursor(2)
    assert [entry.entry_id for entry in site.watchlist.entries()] == [
        "entry-1",
        "entry-2",
    ]


def test_a_booth_that_was_away_catches_up(site):
    for number in range(1, 301):
        site.publish(f"entry-{number}")
    with site.hub(), site.sync():
        site.await_cursor(300)


def test_random_bytes_and_repetitions_from_outside_do_no_harm(site, capsys):
    stranger = MqttClient(
        site.settings,
        client_id="stranger",
        subscriptions=("nothing",),
        will=Will("nothing", b""),
        clock=SystemClock(),
    )
    topics = [
        *("edge/booth-1/up/outbox", "edge/booth-1/up/watchlist-request"),
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
        forged = OutboxEnvelope(
            message_id="forged",
            booth_id="booth-1",
            sequence=1,
            kind="hit",
            created_at=START,
            payload=b"\xff" * 100,
        )
        stranger.publish(topics[0], forged.encode())
        _await_events(stranger, Published, 22)
        stranger.close()
        site.record_hit("hit-2")
        site.publish("entry-1")
        site.await_delivery("hit-1", "hit-2")
        site.await_cursor(1)
    assert capsys.readouterr().out.count("message_refused") >= 20


def _await_events(client, kind, count):
    deadline = time.monotonic() + PATIENCE_S
    while count > 0:
        assert time.monotonic() < deadline, f"too few {kind.__name__}"
        count -= sum(isinstance(event, kind) for event in client.poll(0.1))


PROCESSES = {
    "hub": "from edge.services.hub import run_hub; run_hub({common})",
    "sync": "from edge.services.sync import run_sync; "
    "run_sync(booth_id='b', watchlist_path=Path({entries!r}), {common})",
}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_ends_in_good_order_on_sigterm(name, tmp_path):
    common = (
        f"store_path=Path({str(tmp_path / 'store.db')!r}), "
        f"broker=BrokerSettings(port={free_port()})"
    )
    program = (
        "from pathlib import Path; from edge.sync.settings import BrokerSettings; "
        + PROCESSES[name].format(common=common, entries=str(tmp_path / "entries.db"))
    )
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
