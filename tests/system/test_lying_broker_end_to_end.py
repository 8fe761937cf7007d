"""A broker that lies, between real processes: believed in nothing, and of no effect."""

import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import cbor2
import pytest

from edge.clock import SystemClock
from edge.errors import MessageError
from edge.logs import EventLog
from edge.services.hub_keys import HubPlace
from edge.services.local_trust import LocalHub, enrol_local_booth
from edge.services.wire_system import WireSystem
from edge.simulate.fleet_stores import MemoryCommands, MemoryOutbox, MemoryReplica
from edge.simulate.lying_broker import HONEST, LyingBroker, LyingPlan
from edge.store.audit import verify_audit
from edge.store.database import check_integrity, open_database
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.hub_recalls import StoredHubRecalls
from edge.store.hub_registry import StoredHubRegistry
from edge.store.outbox import StoredOutbox
from edge.store.replica import StoredReplica
from edge.sync.assembly import AgentOptions, BoothStores, assemble_agent
from edge.sync.mqtt_client import MqttClient
from edge.sync.settings import BrokerSettings
from edge.sync.sync_agent import booth_will
from edge.sync.topics import booth_subscriptions
from edge.terms import ChangeOperation, DraftChange, WatchlistEntry
from edge.trust.cose import read_signed, sign
from edge.trust.hub_keys import load_hub_keys
from edge.trust.key_folder import KeyFolder
from edge.trust.keys import SigningKey

NOW = datetime.now(UTC)  # noqa: TID251  entries have to be valid when the test runs
LYING_S = 5.0
# What lost the connection too often is held until the hub asks for it: after half a
# minute, and for what was held later after one more.
SETTLE_S = 150.0
START_S = 20.0
# What is raised in a forgery, so that it says more than was ever said.
RAISED = ("sequence", "upto", "serial", "version", "count")
# How far the booth has numbered its messages, and how far the hub has them.
GIVEN = "select stream, last_sequence from outbox_counter"
REACHED = "select stream, highest from streams where booth_id = 'booth-1'"

LIES = {
    "says everything twice, late and again": LyingPlan(
        redeliver=0.4, reorder=0.4, replay=0.4
    ),
    "acknowledges and drops, or delivers and hangs up": LyingPlan(
        drop=0.4, unanswered=0.05, hang_up=0.05
    ),
    "acknowledges all and loses its disk": LyingPlan(drop=0.3),
    "shows old heads": LyingPlan(stale=1.0, replay=0.6, drop=0.2),
    "delivers what is another booth's, and forgeries": LyingPlan(cross=0.8),
    "turns bits": LyingPlan(flip=0.4),
}
DISK_IS_LOST = {"acknowledges all and loses its disk"}
LINE_IS_CUT = {"shows old heads", "acknowledges all and loses its disk"}
FORGES = {"delivers what is another booth's, and forgeries"}


class Site:
    """The processes around a liar, and what is written at the hub meanwhile."""

    def __init__(self, system, liar):
        self.system, self.liar = system, liar
        self.stranger = SigningKey.generate()
        self.published = self.forged = 0

    @contextmanager
    def stores(self):
        booth = open_database(self.system.booth_store, "booth")
        watchlist = open_database(self.system.watchlist_store, "watchlist")
        hub = open_database(self.system.hub_store, "hub")
        with closing(booth.conn), closing(watchlist.conn), closing(hub.conn):
            yield booth, watchlist, hub

    def publish(self, hub):
        """Add an entry; every third one is withdrawn again."""
        name = f"entry-{self.published}"
        entry = WatchlistEntry(name, 1, "c", "o", "h", "l", "i", NOW, None)
        draft = DraftChange(ChangeOperation.ADD, name, entry)
        StoredHubLog(hub).append([draft], at=NOW)
        if self.published % 3 == 2:
            StoredHubRecalls(hub).withdraw(name, originator="o", reason="r", at=NOW)
        self.published += 1

    def forge(self):
        """Say what the clients have said last, raised, under two wrong signatures."""
        newest = {seen.topic: seen.payload for seen in list(self.liar.seen)[-40:]}
        for topic, payload in newest.items():
            for forgery in forgeries(payload, self.stranger):
                self.liar.inject(topic, forgery, retain=topic == "edge/hub/head")
                self.forged += 1

    def require_prefix(self, watchlist, hub):
        """The booth holds a state that the hub's log went through, and no other."""
        held = StoredReplica(watchlist).position()
        if held is not None and held.sequence:
            assert StoredHubLog(hub).position_at(held.sequence) == held

    def is_level(self, booth, watchlist, hub):
        position = StoredHubLog(hub).position()
        return (
            StoredOutbox(booth).depth() == 0
            and StoredReplica(watchlist).position() == position
            and StoredHubMessages(hub).gaps() == []
            and numbers(hub, REACHED) == numbers(booth, GIVEN)
        )

    def shown(self):
        """How often the hub's console has shown each hit."""
        path = self.system.processes["edge-hub"].log_path
        parts = path.read_text(errors="replace").split('"hit_id": "')[1:]
        return Counter(part[:32] for part in parts)

    def refusals(self):
        path = self.system.processes["edge-sync"].log_path
        return path.read_text(errors="replace").count("message_refused")


def numbers(database, query):
    return database.conn.execute(query).fetchall()


def forgeries(payload, stranger):
    """Return payload, if it is signed, raised: once signed anew, once not at all."""
    try:
        told = cbor2.loads(read_signed(payload, limit=1 << 23).payload)
    except MessageError:
        return []
    for name in RAISED:
        if name in told:
            told[name] += 1000
    for item in told.get("items", ()):
        item["outcome"], item["sequence"] = "stored", item["sequence"] + 1
    raised = cbor2.dumps(told, canonical=True)
    tag = cbor2.loads(payload)
    protected, header, _, signature = tag.value
    kept = cbor2.CBORTag(tag.tag, [protected, header, raised, signature])
    return [sign(raised, stranger), cbor2.dumps(kept)]


class OtherBooth:
    """An enrolled booth of the same hub on the same broker, in a thread."""

    def __init__(self, system, port):
        self._folder = system.booth_store.parent
        self._store = system.hub_store
        self._port = port
        self.outbox, self.replica = MemoryOutbox(), MemoryReplica()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._keys(),))
        self._thread.start()

    def stop(self):
        self._is_over.set()
        self._thread.join()

    def _keys(self):
        database = open_database(self._store, "hub")
        with closing(database.conn):
            folder = KeyFolder(self._folder / "hub-keys")
            place = HubPlace(
                folder, StoredHubLog(database), StoredHubRegistry(database)
            )
            hub = LocalHub(place, load_hub_keys(folder).anchors)
            keys = self._folder / "keys-2"
            now = SystemClock().now()
            return enrol_local_booth(
                hub, keys, "booth-2", broker_port=self._port, now=now
            )

    def _run(self, keys):
        clock = SystemClock()
        link = MqttClient(
            BrokerSettings(port=self._port),
            client_id="edge-booth-2",
            subscriptions=booth_subscriptions("booth-2"),
            will=booth_will("booth-2", "cd"),
            clock=clock,
        )
        agent = assemble_agent(
            keys,
            link,
            BoothStores(self.outbox, self.replica, MemoryCommands()),
            clock,
            EventLog(clock, "booth-2"),
            AgentOptions("cd"),
        )
        with closing(link):
            while not self._is_over.is_set():
                agent.step(0.05)


@contextmanager
def site_behind(plan, run_dir):
    with LyingBroker() as liar:
        system = WireSystem(run_dir, line="plain", reach=lambda _port: liar.port)
        with system:
            other = OtherBooth(system, liar.port)
            try:
                site = Site(system, liar)
                eventually(lambda: liar.retained().get("edge/booth-2/state"), START_S)
                liar.plan = plan
                yield site, other
            finally:
                other.stop()


def eventually(is_true, patience_s):
    deadline = time.monotonic() + patience_s
    while not is_true():
        assert time.monotonic() < deadline, f"not within {patience_s} s"
        time.sleep(0.1)


def live_with(site, lie):
    """Let both ends work while the broker lies; look at the booth all the while."""
    until = time.monotonic() + LYING_S
    rounds = 0
    with site.stores() as (_, watchlist, hub):
        while time.monotonic() < until:
            rounds += 1
            if rounds % 4 == 0:
                site.publish(hub)
            if lie in FORGES and rounds % 4 == 2:
                site.forge()
            if lie in DISK_IS_LOST and rounds % 16 == 0:
                site.liar.lose_state()
            elif lie in LINE_IS_CUT and rounds % 8 == 0:
                site.liar.cut()
            site.require_prefix(watchlist, hub)
            time.sleep(0.05)


def turn_honest(site):
    """Put a new, honest broker in the place of the liar, which knows nothing."""
    site.liar.plan = HONEST
    site.liar.lose_state()


def judge(site, other):
    """Both ends hold the same, once and whole."""
    with site.stores() as (booth, watchlist, hub):
        for database in (booth, watchlist, hub):
            check_integrity(database)
            verify_audit(database)
        site.require_prefix(watchlist, hub)
        places = "select hit_id, stream, sequence from hits order by sequence"
        recorded = booth.conn.execute(places).fetchall()
        received = hub.conn.execute(
            "select hit_id, stream, sequence from received_hits"
            " join messages using (number)"
            " where received_hits.booth_id = 'booth-1' order by sequence"
        ).fetchall()
        booths = hub.conn.execute("select distinct booth_id from messages").fetchall()
        names = set(watchlist.conn.execute("select entry_id from entries"))
    said = site.system.recorded
    assert len(said) >= 50, "too little traffic to say much"
    assert set(said) <= {row[0] for row in recorded}, "said to be recorded, but lost"
    assert received == recorded, "hub and booth disagree"
    assert {row[0] for row in booths} <= {"booth-1", "booth-2"}
    kept = {n for n in range(site.published) if n % 3 != 2}
    assert names == {(f"entry-{n}",) for n in kept}
    once = Counter({row[0]: 1 for row in recorded})
    eventually(lambda: site.shown() >= once, SETTLE_S)
    assert site.shown() == once, "shown twice"
    assert other.outbox.depth() == 0


@pytest.mark.slow
@pytest.mark.parametrize("lie", LIES)
def test_whatever_the_broker_says_the_end_is_the_same(lie, tmp_path_short):
    plan = LIES[lie]
    with site_behind(plan, tmp_path_short) as (site, other):
        site.system.start_source()
        live_with(site, lie)
        site.system.source.stop()
        told = site.liar.told
        for name in (
            "redeliver",
            "reorder",
            "drop",
            "stale",
            "flip",
            "cross",
            "replay",
        ):
            assert told[name] or not getattr(plan, name), f"{name}: never told"
        if lie in FORGES:
            assert site.forged
            assert site.refusals()
        turn_honest(site)
        with site.stores() as (booth, watchlist, hub):
            site.publish(hub)
            eventually(lambda: site.is_level(booth, watchlist, hub), SETTLE_S)
            position = StoredHubLog(hub).position()
            eventually(lambda: other.replica.position() == position, SETTLE_S)
            eventually(lambda: other.outbox.depth() == 0, SETTLE_S)
        judge(site, other)
