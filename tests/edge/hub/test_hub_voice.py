"""What the hub says: the log to all, answers to one, grants, commands."""

import zlib
from dataclasses import replace

import cbor2
import pytest

from edge.hub.command_sender import new_command
from edge.hub.snapshot_building import build_snapshot, is_snapshot_due
from edge.records.changes import decode_change
from edge.replication.chain import CHAIN_START
from edge.replication.changes import changes_context, read_changes
from edge.replication.head import read_head
from edge.replication.manifest import chunk_context, read_manifest
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.sync.messages import (
    Answer,
    AnswerOutcome,
    ChunkMessage,
    ChunkRequest,
    CommandKind,
    Instruction,
    LinkState,
    ManifestRequest,
    TrustRequest,
    WatchlistRequest,
)
from edge.trust.cose import decrypt
from edge.trust.grants import open_grant, read_grant
from edge.trust.keys import SigningKey

DOWN = "edge/booth-1/down"


def opened(hub, changes):
    """Return the ids of the entries in a batch, as an entitled booth reads them."""
    context = changes_context(changes.log, changes.after, changes.upto)
    text = decrypt(changes.content, hub.content_key, context=context, limit=1 << 24)
    return [decode_change(r).entry_id for r in cbor2.loads(zlib.decompress(text))]


def request_after(hub, sequence, *, limit=256, chain=None):
    position = hub.stores.log.position_at(sequence)
    chain = chain or (CHAIN_START if position is None else position.chain)
    return WatchlistRequest(
        booth_id="booth-1", after=sequence, chain=chain, limit=limit
    )


def build(hub):
    other = open_database(hub.path, "hub")
    try:
        return build_snapshot(
            StoredHubLog(other),
            hub.stores.snapshots,
            hub.content_key,
            hub.keys.watchlist,
            hub.clock,
            lambda _size: None,
        )
    finally:
        other.conn.close()


def births(hub, booth_id="booth-1"):
    birth = LinkState(online=True, instance="cd", connection=1)
    hub.send(f"edge/{booth_id}/state", birth.encode())


def test_the_head_is_retained_signed_and_of_the_log(hub):
    head = hub.head()
    assert head.position == hub.stores.log.position()
    assert (head.epoch, head.snapshot) == (1, 0)
    assert (head.expires_at - head.issued_at).total_seconds() == 3600


def test_what_another_process_writes_goes_to_all_before_the_head(hub):
    hub.received.clear()
    hub.publish_entries("entry-1", "entry-2")
    hub.run()
    topics = [e.topic for e in hub.received if e.topic.startswith("edge/hub")]
    assert topics == ["edge/hub/changes", "edge/hub/head"]
    [changes] = hub.changes()
    assert (changes.after, changes.upto) == (0, 2)
    assert opened(hub, changes) == ["entry-1", "entry-2"]
    assert hub.head().sequence == 2


def test_the_head_is_signed_again_on_a_timer_and_not_before(hub):
    hub.received.clear()
    hub.clock.advance(59)
    hub.run()
    assert hub.heard("edge/hub/head") == []
    hub.clock.advance(1)
    hub.run()
    [again] = hub.heard("edge/hub/head")
    assert read_head(again, hub).issued_at == hub.clock.now()
    assert hub.heard("edge/hub/changes") == []


def test_a_large_import_is_not_sent_to_everybody(hub):
    hub.settings = hub.settings.__class__(look_s=0, broadcast_changes=3)
    hub.restart_hub()
    hub.received.clear()
    hub.publish_entries(*(f"entry-{n}" for n in range(4)))
    hub.run()
    assert hub.changes() == []
    assert hub.head().sequence == 4


def test_a_broker_that_forgot_everything_is_told_everything_again(hub):
    hub.publish_entries("entry-1")
    hub.run()
    hub.broker.stop()
    hub.run()
    hub.broker.start()
    hub.run()
    assert hub.head().sequence == 1
    assert hub.broker.retained["edge/hub/trust"] == hub.keys.trust
    assert LinkState.decode(hub.broker.retained["edge/hub/state"]).online
    assert hub.broker.retained[f"{DOWN}/grant"]


def test_changes_are_answered_from_the_position_in_bounded_batches(hub):
    hub.publish_entries(*(f"entry-{n}" for n in range(1, 8)))
    [event] = hub.ask(request_after(hub, 0, limit=3))
    first = read_changes(event.payload, hub)
    assert (event.topic, first.after, first.upto) == (f"{DOWN}/watchlist", 0, 3)
    [event] = hub.ask(request_after(hub, 3))
    rest = read_changes(event.payload, hub)
    assert opened(hub, rest) == [f"entry-{n}" for n in range(4, 8)]
    assert rest.chain_after == hub.stores.log.position().chain


def test_a_booth_that_has_everything_gets_the_head(hub):
    hub.publish_entries("entry-1")
    [event] = hub.ask(request_after(hub, 1))
    assert read_head(event.payload, hub).sequence == 1


@pytest.mark.parametrize(("after", "chain"), [(1, b"x" * 32), (9, b"x" * 32)])
def test_a_booth_with_another_past_gets_a_manifest(hub, after, chain):
    hub.publish_entries("entry-1", "entry-2")
    build(hub)
    [event] = hub.ask(request_after(hub, after, chain=chain))
    assert read_manifest(event.payload, hub).sequence == 2


def test_without_a_snapshot_one_is_wanted(hub):
    hub.publish_entries("entry-1")
    [event] = hub.ask(ManifestRequest(booth_id="booth-1", after=0))
    assert read_head(event.payload, hub).sequence == 1
    assert hub.snapshots_wanted == 1


def test_a_snapshot_is_served_with_manifest_and_chunks(hub):
    hub.publish_entries(*(f"entry-{n}" for n in range(5)))
    assert build(hub) == 5
    hub.run()
    assert hub.head().snapshot == 5
    [event] = hub.ask(ManifestRequest(booth_id="booth-1", after=0))
    manifest = read_manifest(event.payload, hub)
    addresses = [line.digest for line in manifest.lines()]
    events = hub.ask(ChunkRequest(booth_id="booth-1", digests=addresses))
    chunks = [ChunkMessage.decode(event.payload) for event in events]
    assert [chunk.digest for chunk in chunks] == addresses
    found = []
    for chunk in chunks:
        text = decrypt(
            chunk.data,
            hub.content_key,
            context=chunk_context(hub.log, 1),
            limit=1 << 24,
        )
        found += [decode_change(r).entry_id for r in cbor2.loads(zlib.decompress(text))]
    assert sorted(found) == [f"entry-{n}" for n in range(5)]


def test_an_unknown_chunk_is_passed_over(hub):
    assert hub.ask(ChunkRequest(booth_id="booth-1", digests=[bytes(32)])) == []


def test_a_snapshot_is_due_for_a_new_epoch_or_far_behind_the_log(hub):
    def is_due(epoch, after_changes=2):
        return is_snapshot_due(
            hub.stores.log,
            hub.stores.snapshots,
            epoch=epoch,
            after_changes=after_changes,
        )

    assert not is_due(1), "nothing is on the list"
    hub.publish_entries("entry-1")
    assert is_due(1)
    build(hub)
    assert not is_due(1)
    assert is_due(2)
    hub.publish_entries("entry-2", "entry-3")
    assert not is_due(1)
    hub.publish_entries("entry-4")
    assert is_due(1)


def test_a_new_log_has_no_snapshot_of_the_one_before(hub):
    hub.publish_entries("entry-1")
    build(hub)
    hub.stores.log.begin_log("cd" * 16, at=hub.clock.now())
    assert hub.stores.snapshots.newest() is None
    assert is_snapshot_due(
        hub.stores.log, hub.stores.snapshots, epoch=1, after_changes=9
    )
    hub.log = "cd" * 16
    hub.run()
    assert (hub.head().sequence, hub.head().snapshot) == (1, 0)


@pytest.mark.parametrize("is_admitted", [True, False])
def test_a_forged_request_gets_no_answer(hub, is_admitted):
    if not is_admitted:
        hub.stores.registry.revoke("booth-1", at=hub.clock.now())
        hub.run()
    key = SigningKey.generate() if is_admitted else None
    assert hub.ask(request_after(hub, 0), key=key) == []
    assert hub.lines("message_refused")


def test_a_request_in_the_name_of_another_booth_gets_no_answer(hub, talking_booth):
    other = talking_booth("booth-2")
    request = request_after(hub, 0)
    hub.received.clear()
    assert hub.ask(request, key=other.signing, booth_id="booth-2") == []
    assert hub.ask(request, key=other.signing, booth_id="booth-1") == []


def test_a_booth_that_asks_without_end_is_cut_short_and_others_are_answered(
    hub, talking_booth
):
    other = talking_booth("booth-2")
    hub.publish_entries("entry-1")
    for _ in range(200):
        hub.ask(TrustRequest(booth_id="booth-1"))
    assert hub.lines("request_dropped")
    request = request_after(hub, 0).model_copy(update={"booth_id": "booth-2"})
    assert hub.ask(request, key=other.signing, booth_id="booth-2")


def grant_of(hub, booth):
    data = hub.broker.retained[f"edge/{booth.booth_id}/down/grant"]
    public = hub.keys.operations.public
    return read_grant(data, booth.booth_id, {public.key_id: public})


def test_every_entitled_booth_has_its_own_grant_retained(hub, talking_booth):
    other = talking_booth("booth-2")
    for booth in (hub.booth, other):
        keys = open_grant(grant_of(hub, booth), booth.sealing)
        assert keys == {1: hub.content_key}


def test_a_new_epoch_is_granted_to_all_but_the_revoked(hub, talking_booth):
    other = talking_booth("booth-2")
    serial = grant_of(hub, hub.booth).serial
    hub.stores.registry.revoke("booth-2", at=hub.clock.now())
    hub.begin_epoch(2)
    hub.run()
    grant = grant_of(hub, hub.booth)
    assert grant.serial > serial
    assert max(open_grant(grant, hub.booth.sealing)) == 2
    assert hub.broker.retained["edge/booth-2/down/grant"] == b""
    del other
    hub.publish_entries("entry-1")
    hub.run()
    assert hub.head().epoch == 2
    assert opened(hub, hub.changes()[-1]) == ["entry-1"]


def test_a_booth_with_useless_keys_keeps_no_other_from_its_grant(hub, talking_booth):
    weak = talking_booth("booth-0", is_admitted=False)
    admitted = weak.admitted()
    hub.stores.registry.admit(replace(admitted, sealing=bytes(32)), at=hub.clock.now())
    short = replace(admitted, booth_id="booth-00", signing=b"short")
    hub.stores.registry.admit(short, at=hub.clock.now())
    other = talking_booth("booth-2")
    assert open_grant(grant_of(hub, other), other.sealing) == {1: hub.content_key}
    assert [line["booth_id"] for line in hub.lines("grant_failed")] == ["booth-0"]


def test_trust_and_grant_come_on_request(hub):
    events = hub.ask(TrustRequest(booth_id="booth-1"))
    assert [event.topic for event in events] == [f"{DOWN}/grant"]
    assert hub.heard("edge/hub/trust") == [hub.keys.trust]


def queue_command(hub, valid_s=3600):
    command = new_command(
        "booth-1", CommandKind.TEST, b"", at=hub.clock.now(), valid_s=valid_s
    )
    hub.stores.commands.add(command)
    hub.run()
    return command


def answer_to(hub, command, sequence=1):
    answer = Answer(
        command_id=command.command_id, outcome=AnswerOutcome.DONE, detail="ok"
    )
    content = hub.booth.content(answer.encode(), sequence, kind="answer")
    hub.deliver(hub.booth.sealed(content))


def instruct(hub):
    body = Instruction(hit_id="hit-1", text="Hold Canary Nobody.").encode()
    command = new_command(
        "booth-1", CommandKind.INSTRUCTION, body, at=hub.clock.now(), valid_s=3600
    )
    hub.stores.commands.add(command)
    hub.run()
    return body


def told(hub, command):
    """Return the body of a command, as its booth reads it."""
    place = ["edge-command", command.booth_id, command.command_id]
    info = cbor2.dumps(place, canonical=True)
    return hub.booth.sealing.open(command.body, info=info)


def test_an_instruction_is_sealed_to_its_booth(hub):
    body = instruct(hub)
    [sent] = hub.commands()
    assert b"Canary" not in sent.body
    assert told(hub, sent) == body


def test_a_revoked_booth_is_told_nothing(hub):
    hub.stores.registry.revoke("booth-1", at=hub.clock.now())
    hub.run()
    instruct(hub)
    assert hub.commands() == []
    hub.clock.advance(3600)
    hub.run()
    assert [str(c.state) for c in hub.stores.commands.commands()] == ["expired"]


def test_a_command_is_repeated_until_it_is_answered(hub):
    command = queue_command(hub)
    assert [c.command_id for c in hub.commands()] == [command.command_id]
    hub.clock.advance(11)
    hub.run()
    assert len(hub.commands()) == 2
    answer_to(hub, command)
    hub.clock.advance(11)
    hub.run()
    assert len(hub.commands()) == 2
    [record] = hub.stores.commands.commands()
    assert (record.state, record.outcome, record.detail) == ("answered", "done", "ok")


def test_a_command_that_is_over_is_given_up(hub):
    queue_command(hub, valid_s=30)
    hub.clock.advance(31)
    hub.run()
    assert len(hub.commands()) == 1
    [record] = hub.stores.commands.commands()
    assert record.state == "expired"


def test_a_booth_cannot_answer_for_another(hub, talking_booth):
    other = talking_booth("booth-2")
    command = queue_command(hub)
    answer = Answer(
        command_id=command.command_id, outcome=AnswerOutcome.DONE, detail=""
    )
    content = other.content(answer.encode(), kind="answer")
    hub.deliver(other.sealed(content), booth_id="booth-2")
    assert hub.stores.commands.commands()[0].state == "waiting"


def resends(hub):
    return [c for c in hub.commands() if c.kind == "resend"]


def test_a_gap_of_a_booth_that_is_online_is_asked_for_after_a_while(hub):
    births(hub)
    hub.deliver(*(hub.booth.sealed(hub.booth.hit(n)) for n in (1, 4)))
    hub.clock.advance(20)
    hub.run()
    assert resends(hub) == []
    hub.clock.advance(20)
    hub.run()
    [command] = resends(hub)
    assert cbor2.loads(told(hub, command))["ranges"] == [[2, 3]]


def test_a_gap_that_stays_is_asked_for_ever_more_rarely(hub):
    births(hub)
    hub.deliver(*(hub.booth.sealed(hub.booth.hit(n)) for n in (1, 3)))
    for _ in range(120):
        hub.clock.advance(30)
        hub.run(steps=1)
    commands = {command.command_id for command in resends(hub)}
    assert 3 <= len(commands) <= 7


def test_a_gap_that_has_closed_or_of_a_booth_that_is_away_is_left(hub):
    hub.deliver(*(hub.booth.sealed(hub.booth.hit(n)) for n in (1, 3)))
    hub.clock.advance(60)
    hub.run()
    assert resends(hub) == [], "the booth is not online"
    hub.deliver(hub.booth.sealed(hub.booth.hit(2)))
    births(hub)
    hub.clock.advance(60)
    hub.run()
    assert resends(hub) == []
