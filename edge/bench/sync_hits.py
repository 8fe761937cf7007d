"""Hits on their way from a booth to the hub, measured."""

from __future__ import annotations

import secrets
import time
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from edge.bench.sync_site import (
    await_count,
    await_true,
    hits_at_hub,
    milliseconds,
    rows,
)
from edge.clock import SystemClock
from edge.records.hits import encode_hit
from edge.simulate.fleet_stores import MemoryReplica
from edge.simulate.hit_source import check_of, invented_hit
from edge.store.checks import CheckStore
from edge.store.database import transaction
from edge.store.hits import insert_hit
from edge.store.outbox import StoredOutbox
from edge.sync.booth_trust import BoothTrust
from edge.sync.link import Connected, Published
from edge.sync.mqtt_client import MqttClient
from edge.sync.outbox_sealing import OutboxSealing
from edge.sync.settings import BrokerSettings
from edge.sync.sync_agent import booth_will, new_instance
from edge.sync.topics import BoothChannel, BoothTopic
from edge.terms import OutboxMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.bench.progress import Progress
    from edge.bench.sync_site import Site

BOOTH_ID = "booth-1"
SETTLE_S = 0.1
WRITTEN_AT_ONCE = 500


def measure_hit(
    site: Site, *, hits: int, evidence_bytes: int, progress: Progress
) -> dict[str, Any]:
    """Record one hit after the other; time each until it stands in the hub's store.

    Time runs from before the booth's transaction until a reader of the hub's store
    finds the row.
    """
    store, clock = CheckStore(site.booth), SystemClock()
    random = Random(1)  # noqa: S311  spreads instants only
    delays_s, records_s = [], []
    await_connected(site)
    for number in range(hits):
        progress.step("hits", number, hits)
        hit = invented_hit(BOOTH_ID, clock.now(), evidence_bytes=evidence_bytes)
        time.sleep(SETTLE_S * random.random())
        start_s = time.monotonic()
        store.record(check_of(hit), hit)
        records_s.append(time.monotonic() - start_s)
        await_true(
            lambda name=hit.hit_id: bool(rows(site.hub, _IS_STORED, name)),  # type: ignore[misc]  # a lambda with a default
            "a hit",
        )
        delays_s.append(time.monotonic() - start_s)
    progress.step("hits", hits, hits)
    return {
        "evidence_bytes": evidence_bytes,
        "hit_to_store": milliseconds(delays_s),
        "of_this_recording": milliseconds(records_s),
    }


def await_connected(site: Site) -> None:
    """Wait until a first hit has gone all the way."""
    store, before = CheckStore(site.booth), hits_at_hub(site)
    hit = invented_hit(BOOTH_ID, SystemClock().now(), evidence_bytes=100)
    store.record(check_of(hit), hit)
    await_true(lambda: hits_at_hub(site) > before, "the first hit")


def measure_outage(
    site: Site, *, hits: int, evidence_bytes: int, progress: Progress
) -> dict[str, Any]:
    """Cut the line, let hits pile up, mend it, and watch the hub catch up."""
    await_connected(site)
    outbox = StoredOutbox(site.booth)
    await_true(lambda: outbox.depth() == 0, "an empty outbox")
    site.line.go_down()
    before = rows(site.hub, _LAST)[0][0]
    sent = _pile_up(site, hits, evidence_bytes, progress)
    up_bytes = site.line.up_bytes
    start_s = time.monotonic()
    site.line.heal()

    def come() -> int:
        return int(rows(site.hub, _COUNT_AFTER, before)[0][0])

    await_count(
        come,
        hits,
        "hits after the outage",
        lambda done, total: progress.step("hits caught up", done, total),
    )
    stored_s = time.monotonic() - start_s
    await_true(lambda: outbox.depth() == 0, "an empty outbox")
    cleared_s = time.monotonic() - start_s
    arrived = [row[0] for row in rows(site.hub, _ORDER_AFTER, before)]
    return {
        "hits": hits,
        "evidence_bytes": evidence_bytes,
        "lost": len(set(sent) - set(arrived)),
        "twice": len(arrived) - len(set(arrived)),
        "in_order": arrived == sent,
        "caught_up_s": round(stored_s, 1),
        "outbox_empty_s": round(cleared_s, 1),
        "hits_per_s": round(hits / stored_s),
        "up_bytes_per_hit": round((site.line.up_bytes - up_bytes) / hits),
        "sync_peak_bytes": site.sync_peak_bytes(),
        "hub_peak_bytes": site.hub_peak_bytes(),
    }


def _pile_up(
    site: Site, hits: int, evidence_bytes: int, progress: Progress
) -> list[str]:
    """Write the hits of an hour at once; return their ids in order."""
    clock, sent = SystemClock(), []
    for start in range(0, hits, WRITTEN_AT_ONCE):
        progress.step("hits without a line", start, hits)
        with transaction(site.booth) as connection:
            for _ in range(min(WRITTEN_AT_ONCE, hits - start)):
                hit = invented_hit(BOOTH_ID, clock.now(), evidence_bytes=evidence_bytes)
                insert_hit(connection, hit)
                sent.append(hit.hit_id)
    progress.step("hits without a line", hits, hits)
    return sent


def measure_ingest(
    site: Site, *, hits: int, evidence_bytes: int, progress: Progress
) -> dict[str, Any]:
    """Send sealed hits of a booth without a process as fast as the hub takes them.

    Signing and sealing are done before; what is timed is the broker and one hub.
    """
    envelopes = _sealed_hits(site, hits, evidence_bytes, progress)
    before = rows(site.hub, _LAST)[0][0]
    link = _connected(site)
    start_s = time.monotonic()
    try:
        _send(site, link, envelopes, before, progress)
    finally:
        link.close()
    took_s = time.monotonic() - start_s
    return {
        "hits": hits,
        "evidence_bytes": evidence_bytes,
        "seconds": round(took_s, 2),
        "hits_per_s": round(hits / took_s),
    }


def _sealed_hits(
    site: Site, hits: int, evidence_bytes: int, progress: Progress
) -> list[bytes]:
    keys, clock = site.source_keys, SystemClock()
    trust = BoothTrust(keys, MemoryReplica())
    sealing = OutboxSealing(trust, secrets.token_hex(8))
    envelopes = []
    for sequence in range(1, hits + 1):
        progress.step("hits sealed", sequence, hits)
        now = clock.now()
        hit = invented_hit(keys.booth_id, now, evidence_bytes=evidence_bytes)
        row = OutboxMessage(uuid4().hex, sequence, "hit", encode_hit(hit), now)
        envelopes.append(sealing.sealed(row)[0])
    return envelopes


def _connected(site: Site) -> MqttClient:
    keys = site.source_keys
    settings = BrokerSettings(port=keys.broker_port)
    if site.is_secure:
        settings = BrokerSettings(
            port=keys.broker_port,
            cafile=keys.authority,
            certfile=keys.certificate,
            keyfile=keys.tls_key,
        )
    link = MqttClient(
        settings,
        client_id=f"edge-booth-{keys.booth_id}",
        subscriptions=(str(BoothTopic(keys.booth_id, BoothChannel.RECEIPT)),),
        will=booth_will(keys.booth_id, new_instance()),
        clock=SystemClock(),
    )
    await_true(
        lambda: any(isinstance(event, Connected) for event in link.poll(0.05)),
        "a connection to the broker",
    )
    return link


def _send(
    site: Site,
    link: MqttClient,
    envelopes: Sequence[bytes],
    before: int,
    progress: Progress,
) -> None:
    topic = str(BoothTopic(site.source_keys.booth_id, BoothChannel.OUTBOX))
    wanted, place, under_way = len(envelopes), 0, 0

    def come() -> int:
        nonlocal place, under_way
        while place < wanted and under_way < IN_FLIGHT:
            link.publish(topic, envelopes[place])
            place, under_way = place + 1, under_way + 1
        for event in link.poll(0.01):
            if isinstance(event, Published):
                under_way -= 1
        if place < wanted:
            return place - under_way
        return int(rows(site.hub, _COUNT_AFTER, before)[0][0])

    await_count(
        come,
        wanted,
        "hits at the hub",
        lambda done, total: progress.step("hits taken", done, total),
    )


IN_FLIGHT = 256
_IS_STORED = "select 1 from received_hits where hit_id = ?"
_LAST = "select coalesce(max(number), 0) from received_hits"
_COUNT_AFTER = "select count(*) from received_hits where number > ?"
_ORDER_AFTER = "select hit_id from received_hits where number > ? order by number"
