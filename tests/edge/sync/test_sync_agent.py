"""A booth and the hub on one wire: what arrives, what is believed, what is kept."""

from datetime import timedelta

import cbor2
import pytest

from edge.simulate.memory_broker import Faults
from edge.sync.link import Will
from edge.sync.messages import (
    Command,
    Instruction,
    Receipt,
    ReceiptItem,
    ReceiptOutcome,
    command_info,
)
from edge.terms import ChangeOperation
from edge.trust.anchors import TrustDocument, encode_chain, sign_document
from edge.trust.cose import sign
from edge.trust.grants import make_grant
from edge.trust.keys import SealingKey, SigningKey

WITHDRAW = ChangeOperation.WITHDRAW


def in_the_name_of(key, payload):
    """Sign with another key, but name this one."""
    forger = SigningKey.generate()
    return sign(payload, forger).replace(forger.public.key_id, key.public.key_id)


class TestHits:
    def test_a_hit_reaches_the_hub_and_its_row_is_cleared(self, wire, booth):
        hit_id = booth.record_hit()
        wire.run()
        assert wire.hit_ids() == [hit_id]
        assert booth.outbox.depth() == 0

    def test_nothing_of_a_hit_is_readable_on_the_wire(self, wire, booth):
        spy = wire.broker.link(("edge/+/up/outbox",), Will("edge/spy/state", b""))
        spy.poll(0)
        hit_id = booth.record_hit()
        wire.run()
        payloads = [e.payload for e in spy.poll(0) if hasattr(e, "payload")]
        assert payloads
        # The id is the message's name; what it is about is not to be seen.
        assert not any(b"invented" in p or b"reference-1" in p for p in payloads)
        assert any(hit_id.encode() in p for p in payloads)

    def test_a_hub_that_is_away_gets_everything_in_order_later(self, wire, booth):
        wire.run()
        wire.hub_link.kill()
        ids = [booth.record_hit() for _ in range(30)]
        wire.run(5)
        assert booth.outbox.depth() == 30
        wire.restart_hub()
        wire.run(5)
        assert wire.hit_ids() == ids
        assert booth.outbox.depth() == 0

    @pytest.mark.parametrize("seed", range(4))
    def test_a_line_that_loses_repeats_and_reorders_loses_nothing(
        self, wire, booth, seed
    ):
        wire.broker.random.seed(seed)
        wire.broker.faults = Faults(drop=0.3, duplicate=0.3, reorder=0.3)
        ids = [booth.record_hit() for _ in range(40)]
        wire.publish(*(f"e{n}" for n in range(20)))
        wire.run(120)
        wire.broker.faults = Faults()
        wire.run(130)
        assert sorted(wire.hit_ids()) == sorted(ids)
        assert booth.outbox.depth() == 0
        assert booth.replica.position() == wire.stores.log.position()

    def test_a_booth_killed_after_sending_sends_again_and_the_hub_knows_it(
        self, wire, booth
    ):
        hit_id = booth.record_hit()
        booth.agent.step(0)
        booth.agent.step(0)
        wire.hub.step(0)
        booth.restart()
        wire.run()
        assert wire.hit_ids() == [hit_id]
        assert booth.outbox.depth() == 0

    def test_a_hub_whose_disk_is_full_gives_no_receipt(
        self, wire, booth, disk_full, monkeypatch
    ):
        monkeypatch.setattr(wire.stores.messages, "accept", disk_full)
        hit_id = booth.record_hit()
        wire.run()
        assert booth.outbox.depth() == 1
        monkeypatch.undo()
        wire.run(70)
        assert wire.hit_ids() == [hit_id]
        assert booth.outbox.depth() == 0

    def test_a_revoked_booth_is_not_heard(self, wire, booth):
        wire.run()
        wire.stores.registry.revoke("booth-1", at=wire.clock.now())
        booth.record_hit()
        wire.run(10)
        assert wire.hit_ids() == []
        assert booth.outbox.depth() == 1

    def test_a_booth_with_renewed_keys_can_send_again_what_it_sent_before(
        self, wire, booth
    ):
        hit_id = booth.record_hit()
        booth.agent.step(0)
        booth.agent.step(0)
        wire.hub.step(0)
        # The receipt is lost; meanwhile the booth gets another key.
        booth.link.kill()
        booth.signing = SigningKey.generate()
        booth.admit()
        booth.keys = booth._keys()
        booth.start()
        wire.run()
        assert wire.hit_ids() == [hit_id]
        assert booth.outbox.depth() == 0


class TestRenewal:
    """The hub has admitted the booth's new keys; its answer is on the way."""

    @pytest.fixture
    def answer(self, wire, booth):
        """The new keys, as the hub's answer would put them in place."""
        wire.run()
        old = booth.signing, booth.sealing
        booth.signing, booth.sealing = SigningKey.generate(), SealingKey.generate()
        booth.admit()
        keys = booth._keys()
        booth.signing, booth.sealing = old
        return keys

    def accept(self, booth, answer):
        booth.signing, booth.sealing = answer.signing, answer.sealing
        booth.keys = answer
        booth.restart()

    def test_nothing_is_lost_before_and_after_the_answer_arrives(
        self, wire, booth, answer
    ):
        wire.begin_epoch()
        wire.publish("while-under-way")
        ids = [booth.record_hit()]
        wire.run()
        assert wire.hit_ids() == ids
        assert booth.replica.position() == wire.stores.log.position()
        self.accept(booth, answer)
        wire.begin_epoch()
        wire.publish("after")
        ids.append(booth.record_hit())
        wire.run(20)
        assert sorted(wire.hit_ids()) == sorted(ids)
        assert booth.replica.position() == wire.stores.log.position()
        assert wire.stores.registry.booth("booth-1").previous_sealing is None

    @pytest.mark.usefixtures("answer")
    def test_an_answer_that_never_comes_cuts_nobody_off(self, wire, booth):
        booth.restart()
        wire.restart_hub()
        hit_id = booth.record_hit()
        wire.publish("later")
        wire.run(20)
        assert wire.hit_ids() == [hit_id]
        assert booth.replica.position() == wire.stores.log.position()

    def test_the_grant_under_the_old_key_is_gone_once_the_new_one_is_used(
        self, wire, booth, answer
    ):
        wire.begin_epoch()
        wire.run()
        before = wire.broker.retained["edge/booth-1/down/grant"]
        self.accept(booth, answer)
        booth.record_hit()
        wire.run(10)
        after = wire.broker.retained["edge/booth-1/down/grant"]
        assert before != after
        assert 2 in booth.agent._parts.trust.content_keys


class TestForgedReceipts:
    def receipt(self, booth, **changes):
        (row,) = booth.outbox.next_rows(limit=1, besides=())
        _, digest = booth.agent._parts.sender._sealing.sealed(row)
        item = {
            "sequence": row.sequence,
            "message_id": row.message_id,
            "digest": digest,
            "outcome": ReceiptOutcome.STORED,
        }
        item |= {k: v for k, v in changes.items() if k in item}
        place = {"booth_id": booth.booth_id, "stream": booth.outbox.stream()}
        place |= {k: v for k, v in changes.items() if k in place}
        return Receipt(
            **place, items=[ReceiptItem(**item)], issued_at=booth.wire.clock.now()
        ).encode()

    @pytest.fixture
    def waiting(self, wire, booth):
        """A booth with a hit that the hub does not hear of."""
        wire.run()
        wire.hub_link.kill()
        booth.record_hit()
        wire.run(1)
        return booth

    def test_the_hubs_own_receipt_clears(self, wire, waiting):
        data = sign(self.receipt(waiting), wire.keyring.operations)
        wire.send(waiting.topic("down/receipt"), data)
        assert waiting.outbox.depth() == 0

    @pytest.mark.parametrize("who", ["stranger", "watchlist", "booth"])
    def test_a_receipt_by_somebody_else_clears_nothing(self, wire, waiting, who):
        key = {
            "stranger": SigningKey.generate(),
            "watchlist": wire.keyring.watchlist,
            "booth": waiting.signing,
        }[who]
        wire.send(waiting.topic("down/receipt"), sign(self.receipt(waiting), key))
        assert waiting.outbox.depth() == 1
        assert "wrong_signer" in waiting.refusals()

    def test_a_false_signature_in_the_name_of_the_hub_clears_nothing(
        self, wire, waiting
    ):
        forged = in_the_name_of(wire.keyring.operations, self.receipt(waiting))
        wire.send(waiting.topic("down/receipt"), forged)
        assert waiting.outbox.depth() == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"booth_id": "booth-2"},
            {"stream": "f" * 16},
            {"digest": bytes(32)},
            {"message_id": "another"},
        ],
        ids=["other booth", "other stream", "other content", "other message"],
    )
    def test_a_receipt_for_something_else_clears_nothing(self, wire, waiting, change):
        receipt = self.receipt(waiting, **change)
        data = sign(receipt, wire.keyring.operations)
        wire.send(waiting.topic("down/receipt"), data)
        assert waiting.outbox.depth() == 1

    def test_a_hub_that_refuses_leaves_the_row_and_the_others_pass(self, wire, waiting):
        receipt = self.receipt(waiting, outcome=ReceiptOutcome.REFUSED)
        wire.send(waiting.topic("down/receipt"), sign(receipt, wire.keyring.operations))
        assert waiting.outbox.depth() == 1
        assert waiting.lines("message_held")
        second = waiting.record_hit()
        wire.restart_hub()
        wire.run(5)
        assert second in wire.hit_ids()


class TestWatchlist:
    def test_a_booth_follows_what_is_published(self, wire, booth):
        wire.publish("e1", "e2")
        wire.run(5)
        assert booth.replica.position() == wire.stores.log.position()
        wire.publish("e1", operation=WITHDRAW)
        wire.run(1)
        assert booth.replica.position() == wire.stores.log.position()

    @pytest.mark.usefixtures("booth")
    def test_no_name_is_readable_on_the_wire(self, wire):
        spy = wire.broker.link(
            ("edge/hub/changes", "edge/+/down/+"), Will("edge/spy/state", b"")
        )
        wire.publish("somebody-wanted")
        wire.run(5)
        payloads = [e.payload for e in spy.poll(0) if hasattr(e, "payload")]
        assert payloads
        assert not any(b"somebody-wanted" in payload for payload in payloads)

    def test_a_booth_that_missed_changes_asks_for_them(self, wire, booth):
        wire.run()
        booth.link.cut()
        wire.publish(*(f"e{n}" for n in range(300)))
        wire.run(1)
        wire.run(30)
        assert booth.replica.position() == wire.stores.log.position()

    def test_a_new_booth_begins_with_the_snapshot(self, wire):
        wire.publish(*(f"e{n}" for n in range(300)))
        wire.make_snapshot()
        wire.publish("later")
        booth = wire.booth()
        wire.run(20)
        assert booth.replica.position() == wire.stores.log.position()
        assert booth.lines("snapshot_complete")

    def test_a_snapshot_goes_on_after_a_kill_with_the_chunks_it_has(self, wire):
        wire.publish(*(f"e{n}" for n in range(3000)))
        wire.make_snapshot()
        booth = wire.booth()
        while not booth.replica._chunks:
            wire.run(0.25)
        kept = dict(booth.replica._chunks)
        booth.restart()
        wire.run(20)
        assert booth.replica.position() == wire.stores.log.position()
        begun = booth.lines("snapshot_begun")
        assert begun[-1]["count"] <= begun[0]["count"] - len(kept)

    def test_deletion_is_confirmed_to_the_hub(self, wire):
        wire.booth()
        other = wire.booth("booth-2")
        wire.publish("e1")
        wire.run(5)
        other.link.kill()
        wire.booths.remove(other)
        wire.recalls.withdraw("e1", originator="x", reason="y", at=wire.clock.now())
        wire.run(5)
        (recall,) = wire.recalls.recalls()
        assert list(recall.confirmed) == ["booth-1"]
        assert recall.pending == ("booth-2",)

    def test_a_booth_killed_before_its_deletion_receipt_gives_it_later(
        self, wire, booth, monkeypatch, disk_full
    ):
        wire.publish("e1")
        wire.run(5)
        monkeypatch.setattr(booth.outbox, "post", disk_full)
        wire.publish("e1", operation=WITHDRAW)
        wire.run(2)
        assert booth.replica.position() == wire.stores.log.position()
        monkeypatch.undo()
        booth.restart()
        wire.run(5)
        assert list(wire.recalls.recalls()[0].confirmed) == ["booth-1"]

    def test_a_revoked_booth_reads_nothing_published_after(self, wire, booth):
        other = wire.booth("booth-2")
        wire.publish("e1")
        wire.run(5)
        before = booth.replica.position()
        wire.stores.registry.revoke("booth-1", at=wire.clock.now())
        wire.begin_epoch()
        wire.run(2)
        wire.publish("e2")
        wire.run(20)
        assert booth.replica.position() == before
        assert other.replica.position() == wire.stores.log.position()

    def test_a_head_of_yesterday_makes_nothing_fresh_again(self, wire, booth):
        wire.publish("e1")
        wire.run(5)
        old = wire.broker.retained["edge/hub/head"]
        wire.publish("e2")
        wire.run(70)
        newest = booth.replica.document("head")
        assert newest != old
        wire.send("edge/hub/head", old)
        assert booth.replica.document("head") == newest
        assert "rollback" in booth.refusals()


class TestTrust:
    def test_new_working_keys_are_taken_and_the_old_ones_are_worth_nothing(
        self, wire, booth
    ):
        wire.run()
        old = wire.keyring.operations
        wire.keyring.watchlist = SigningKey.generate()
        wire.keyring.operations = SigningKey.generate()
        wire.keyring.sign_documents()
        wire.restart_hub()
        wire.publish("e1")
        hit_id = booth.record_hit()
        wire.run(40)
        assert booth.replica.position() == wire.stores.log.position()
        assert wire.hit_ids() == [hit_id]
        command = command_for(booth, "test")
        wire.send(booth.topic("down/command"), sign(command.encode(), old))
        assert not booth.commands.is_command_known("c-1")

    def test_a_trust_document_without_the_roots_changes_nothing(self, wire, booth):
        wire.run()
        thief = SigningKey.generate()
        forged = TrustDocument(
            **{
                **booth.agent._parts.trust.anchors.document.model_dump(),
                "version": 2,
                "operations": [thief.public.raw],
            }
        )
        wire.send("edge/hub/trust", encode_chain([sign_document(forged, [thief])]))
        assert booth.agent._parts.trust.anchors.version == 1
        assert "wrong_signer" in booth.refusals()

    def test_an_expired_trust_document_makes_no_list_fresh(self, wire, booth):
        wire.publish("e1")
        wire.run(5)
        before = booth.replica.document("head")
        wire.clock.advance(366 * 24 * 3600)
        wire.publish("e2")
        wire.run(10)
        assert booth.replica.document("head") == before
        assert "expired" in booth.refusals()

    def test_the_grant_of_another_booth_is_refused(self, wire, booth):
        other = wire.booth("booth-2")
        wire.run()
        grant = wire.broker.retained["edge/booth-2/down/grant"]
        wire.send(booth.topic("down/grant"), grant)
        assert "wrong_reader" in booth.refusals()
        assert other.refusals() == []

    def test_a_grant_by_somebody_else_is_refused(self, wire, booth):
        wire.run()
        forged = make_grant(
            "booth-1",
            booth.sealing.public,
            wire.content_keys,
            serial=999,
            issued_at=wire.clock.now(),
            key=SigningKey.generate(),
        )
        wire.send(booth.topic("down/grant"), forged)
        assert "wrong_signer" in booth.refusals()

    def test_an_older_grant_does_not_take_keys_away(self, wire, booth):
        wire.run()
        old = wire.broker.retained["edge/booth-1/down/grant"]
        wire.begin_epoch()
        wire.run(2)
        assert set(booth.agent._parts.trust.content_keys) == {1, 2}
        wire.send(booth.topic("down/grant"), old)
        assert set(booth.agent._parts.trust.content_keys) == {1, 2}
        booth.restart()
        assert set(booth.agent._parts.trust.content_keys) == {1, 2}


def sealed_for(booth, command_id, body):
    info = command_info(booth.booth_id, command_id)
    return booth.sealing.public.seal(body, info=cbor2.dumps(info, canonical=True))


def command_for(booth, kind, *, body=b"", valid_s=3600, command_id="c-1"):
    now = booth.wire.clock.now()
    if body:
        body = sealed_for(booth, command_id, body)
    return Command(
        command_id=command_id,
        booth_id=booth.booth_id,
        kind=kind,
        issued_at=now,
        expires_at=now + timedelta(seconds=valid_s),
        body=body,
    )


class TestCommands:
    def test_an_instruction_reaches_the_officer_once(self, wire, booth):
        wire.run()
        body = Instruction(hit_id="hit-1", text="Hold the person.").encode()
        data = sign(
            command_for(booth, "instruction", body=body).encode(),
            wire.keyring.operations,
        )
        wire.send(booth.topic("down/command"), data)
        wire.send(booth.topic("down/command"), data)
        told = list(booth.commands.instructions.values())
        assert told == [("hit-1", "Hold the person.")]
        assert len(booth.lines("command")) == 1

    @pytest.mark.parametrize("how", ["plain", "moved", "for another"])
    def test_attack_an_instruction_that_was_not_sealed_for_this_command(
        self, wire, booth, how
    ):
        wire.run()
        plain = Instruction(hit_id="hit-1", text="Let the person go.").encode()
        body = {
            "plain": plain,
            "moved": sealed_for(booth, "c-2", plain),
            "for another": sealed_for(wire.booth("booth-2"), "c-1", plain),
        }[how]
        command = command_for(booth, "instruction").model_copy(update={"body": body})
        data = sign(command.encode(), wire.keyring.operations)
        wire.send(booth.topic("down/command"), data)
        assert booth.commands.instructions == {}
        assert not booth.commands.is_command_known("c-1")

    def test_attack_a_false_signature_in_the_name_of_the_hub(self, wire, booth):
        wire.run()
        command = command_for(booth, "test").encode()
        forged = in_the_name_of(wire.keyring.operations, command)
        wire.send(booth.topic("down/command"), forged)
        assert not booth.commands.is_command_known("c-1")

    def test_a_command_for_another_booth_is_refused(self, wire, booth):
        other = wire.booth("booth-2")
        wire.run()
        data = sign(command_for(other, "test").encode(), wire.keyring.operations)
        wire.send(booth.topic("down/command"), data)
        assert "wrong_reader" in booth.refusals()

    def test_a_command_that_is_over_is_answered_and_not_done(self, wire, booth):
        wire.run()
        command = command_for(booth, "resync", valid_s=1)
        wire.clock.advance(2)
        data = sign(command.encode(), wire.keyring.operations)
        wire.send(booth.topic("down/command"), data)
        assert booth.lines("command")[0]["outcome"] == "expired"

    def test_a_clock_turned_back_brings_no_old_command_to_life(self, wire, booth):
        wire.publish("e1")
        wire.run(70)
        command = command_for(booth, "resync", valid_s=10)
        wire.clock.advance(60)
        wire.run(70)
        wire.clock.instant -= timedelta(hours=1)
        data = sign(command.encode(), wire.keyring.operations)
        wire.send(booth.topic("down/command"), data)
        assert booth.lines("command")[0]["outcome"] == "expired"

    def test_an_unknown_command_is_answered_as_such(self, wire, booth):
        wire.run()
        data = sign(command_for(booth, "dance").encode(), wire.keyring.operations)
        wire.send(booth.topic("down/command"), data)
        assert booth.lines("command")[0]["outcome"] == "unknown"

    def test_a_commanded_resync_fetches_the_snapshot(self, wire, booth):
        wire.publish("e1", "e2")
        wire.run(5)
        wire.publish("e3")
        wire.make_snapshot()
        wire.run(5)
        data = sign(command_for(booth, "resync").encode(), wire.keyring.operations)
        wire.send(booth.topic("down/command"), data)
        wire.run(20)
        assert booth.replica.position() == wire.stores.log.position()
