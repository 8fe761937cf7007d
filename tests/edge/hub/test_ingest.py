"""What comes up on the outbox: stored once, receipted after the commit, or refused."""

from datetime import UTC, datetime

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MessageError
from edge.hub.opening import Opener
from edge.records.decisions import encode_decision
from edge.store.database import open_database
from edge.sync.messages import LinkState
from edge.terms import (
    DecisionState,
    HitDecision,
    OfficerVerdict,
    Verdict,
    VerdictReason,
)
from edge.trust.keys import SealingKey, SigningKey

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
OUTBOX = "edge/booth-1/up/outbox"


def test_a_hit_is_stored_shown_and_receipted(hub):
    content = hub.booth.hit()
    hub.deliver(hub.booth.sealed(content))
    [receipt] = hub.receipts()
    [item] = receipt.items
    assert (receipt.booth_id, receipt.stream) == ("booth-1", content.stream)
    assert (item.sequence, item.message_id) == (1, content.message_id)
    assert item.digest == hub.booth.digest(content)
    assert item.outcome == "stored"
    assert hub.hit_ids() == ["hit-booth-1-1"]
    [line] = hub.lines("hit")
    assert (line["hit_id"], line["state"]) == ("hit-booth-1-1", "new")


def test_a_repeated_hit_is_receipted_again_but_stored_and_shown_once(hub):
    for _ in range(5):
        hub.deliver(hub.booth.sealed(hub.booth.hit()))
    assert hub.outcomes() == [(1, "stored")] + [(1, "duplicate")] * 4
    assert len(hub.hit_ids()) == 1
    assert len(hub.lines("hit")) == 1


def test_a_batch_with_repetitions_in_itself_stores_each_once(hub):
    messages = [hub.booth.sealed(hub.booth.hit(n)) for n in (1, 2, 1, 3, 2)]
    hub.deliver(*messages)
    assert hub.outcomes() == [
        *((1, "stored"), (2, "stored"), (1, "duplicate")),
        *((3, "stored"), (2, "duplicate")),
    ]
    assert len(hub.receipts()) == 1


def test_a_batch_gets_one_receipt_for_each_stream_and_64_messages(hub, talking_booth):
    other = talking_booth("booth-2")
    messages = [hub.booth.sealed(hub.booth.hit(n)) for n in range(1, 71)]
    hub.line.publish("edge/booth-2/up/outbox", other.sealed(other.hit()))
    hub.deliver(*messages)
    assert [len(receipt.items) for receipt in hub.receipts()] == [64, 6]
    assert hub.outcomes("booth-2") == [(1, "stored")]


def test_one_bad_message_does_not_spoil_the_batch(hub):
    hub.deliver(
        hub.booth.sealed(hub.booth.hit(1)),
        b"\xff" * 100,
        hub.booth.sealed(hub.booth.hit(2), signing_key=SigningKey.generate()),
        hub.booth.sealed(hub.booth.content(b"no hit", 3)),
        hub.booth.sealed(hub.booth.hit(4)),
    )
    assert hub.outcomes() == [(1, "stored"), (3, "refused"), (4, "stored")]
    assert hub.hit_ids() == ["hit-booth-1-1", "hit-booth-1-4"]


def test_a_message_signed_by_another_key_gets_no_receipt(hub):
    forged = hub.booth.sealed(hub.booth.hit(), signing_key=SigningKey.generate())
    hub.deliver(forged)
    assert (hub.receipts(), hub.hit_ids()) == ([], [])
    assert "signed by" in hub.lines("message_refused")[0]["error"]


def test_a_message_changed_on_the_way_gets_no_receipt(hub):
    message = bytearray(hub.booth.sealed(hub.booth.hit()))
    message[-1] ^= 1
    hub.deliver(bytes(message))
    assert (hub.receipts(), hub.hit_ids()) == ([], [])


def test_a_booth_cannot_speak_on_the_topic_of_another(hub, talking_booth):
    other = talking_booth("booth-2")
    hub.deliver(other.sealed(other.hit()), booth_id="booth-1")
    assert hub.lines("message_refused")
    assert hub.hit_ids() == []


def test_a_booth_cannot_speak_in_the_name_of_another_on_its_own_topic(
    hub, talking_booth
):
    other = talking_booth("booth-2")
    false = hub.booth.sealed(other.hit())  # signed by booth-1's true key
    hub.deliver(false, booth_id="booth-1")
    assert hub.receipts("booth-2") == []
    assert (hub.receipts(), hub.hit_ids()) == ([], [])


def test_a_booth_cannot_send_the_hit_of_another(hub, body_of_a_hit):
    stolen = hub.booth.content(body_of_a_hit("hit-x", "booth-2"))
    hub.deliver(hub.booth.sealed(stolen))
    assert hub.outcomes() == [(1, "refused")]
    assert hub.hit_ids() == []


class TestDecisions:
    """An officer's verdict is stored beside its hit, whichever comes first."""

    def body(self, number=1, *, booth_id="booth-1", state=DecisionState.CONFIRMED):
        said = OfficerVerdict(
            f"officer-{number}", Verdict.CONFIRM, VerdictReason.OTHER, "known", START
        )
        return encode_decision(
            HitDecision("hit-booth-1-1", booth_id, number, False, state, said)
        )

    def decision(self, booth, sequence, **options):
        return booth.sealed(
            booth.content(self.body(**options), sequence, kind="decision")
        )

    @pytest.mark.parametrize("is_late", [False, True])
    def test_a_verdict_is_stored_once_and_found_by_its_hit(self, hub, is_late):
        messages = [hub.booth.sealed(hub.booth.hit(1)), self.decision(hub.booth, 2)]
        hub.deliver(*(messages if is_late else reversed(messages)))
        hub.deliver(messages[1])
        assert sorted(hub.outcomes()) == [
            (1, "stored"),
            (2, "duplicate"),
            (2, "stored"),
        ]
        [stored] = hub.stores.messages.decisions("hit-booth-1-1")
        assert stored.decision.verdict.officer == "officer-1"
        assert stored.decision.state == "confirmed"
        assert stored.received_at == hub.clock.now()
        assert hub.stores.messages.decisions("hit-9") == []

    def test_both_officers_words_are_there_in_their_order(self, hub):
        hub.deliver(
            self.decision(hub.booth, 1, number=2),
            self.decision(hub.booth, 2, state=DecisionState.AWAITING_SECOND),
        )
        found = hub.stores.messages.decisions("hit-booth-1-1")
        assert [item.decision.number for item in found] == [1, 2]

    def test_what_was_said_is_not_replaced(self, hub):
        hub.deliver(self.decision(hub.booth, 1), self.decision(hub.booth, 2))
        assert hub.outcomes() == [(1, "stored"), (2, "refused")]

    def test_another_booth_has_no_say_in_a_hit(self, hub, talking_booth):
        other = talking_booth("booth-2")
        foreign = other.content(self.body(booth_id="booth-2"), 1, kind="decision")
        hub.deliver(other.sealed(foreign), booth_id="booth-2")
        hub.deliver(hub.booth.sealed(hub.booth.hit(1)))
        assert hub.stores.messages.decisions("hit-booth-1-1") == []
        hub.deliver(self.decision(hub.booth, 2, booth_id="booth-2"))
        assert hub.outcomes()[-1] == (2, "refused")

    def test_a_verdict_that_is_not_readable_is_refused(self, hub):
        content = hub.booth.content(b"no verdict", 1, kind="decision")
        hub.deliver(hub.booth.sealed(content))
        assert hub.outcomes() == [(1, "refused")]


@pytest.mark.parametrize(
    "outside",
    [{"sequence": 9}, {"stream": "f" * 16}, {"message_id": "other"}],
)
def test_outside_and_inside_must_say_the_same(hub, outside):
    hub.deliver(hub.booth.sealed(hub.booth.hit(), **outside))
    assert (hub.receipts(), hub.hit_ids()) == ([], [])
    assert "another place" in hub.lines("message_refused")[0]["error"]


def test_a_sealed_text_does_not_open_at_another_place(hub):
    envelope = cbor2.loads(hub.booth.sealed(hub.booth.hit(1)))
    moved = cbor2.dumps(envelope | {"sequence": 2}, canonical=True)
    hub.deliver(moved)
    assert (hub.receipts(), hub.hit_ids()) == ([], [])


def test_an_unknown_booth_is_not_heard(hub, talking_booth):
    stranger = talking_booth("booth-9", is_admitted=False)
    hub.deliver(stranger.sealed(stranger.hit()), booth_id="booth-9")
    assert hub.hit_ids() == []
    assert "not admitted" in hub.lines("message_refused")[0]["error"]


def test_a_revoked_booth_is_not_heard_from_the_next_look_on(hub):
    hub.deliver(hub.booth.sealed(hub.booth.hit(1)))
    hub.stores.registry.revoke("booth-1", at=hub.clock.now())
    hub.run()
    hub.deliver(hub.booth.sealed(hub.booth.hit(2)))
    assert hub.hit_ids() == ["hit-booth-1-1"]
    assert hub.outcomes() == [(1, "stored")]


class TestRenewal:
    """Between the hub's answer and its arrival at the booth the old key is good."""

    @pytest.fixture
    def old(self, hub):
        """The booth's key from before; the hub knows the new one already."""
        old, hub.booth.signing = hub.booth.signing, SigningKey.generate()
        hub.stores.registry.admit(hub.booth.admitted(), at=hub.clock.now())
        return old

    def test_what_is_signed_by_either_key_is_taken(self, hub, old):
        hub.deliver(hub.booth.sealed(hub.booth.hit(1), signing_key=old))
        hub.deliver(hub.booth.sealed(hub.booth.hit(2)))
        assert hub.outcomes() == [(1, "stored"), (2, "stored")]

    def test_attack_a_key_says_nothing_once_the_next_one_was_used(self, hub, old):
        hub.deliver(hub.booth.sealed(hub.booth.hit(1)))
        hub.deliver(hub.booth.sealed(hub.booth.hit(2), signing_key=old))
        assert hub.outcomes() == [(1, "stored")]
        assert "no key of booth" in hub.lines("message_refused")[0]["error"]

    def test_attack_a_forgery_in_the_new_name_does_not_end_the_old_key(self, hub, old):
        content = hub.booth.hit(1)
        forged = bytearray(hub.booth.signed(content))
        forged[-1] ^= 1  # in the signature
        hub.booth.signed = lambda *_: bytes(forged)
        hub.deliver(hub.booth.sealed(content))
        del hub.booth.signed
        hub.deliver(hub.booth.sealed(hub.booth.hit(2), signing_key=old))
        assert hub.outcomes() == [(2, "stored")]

    def test_the_old_key_ends_with_its_time(self, hub, old):
        hub.clock.advance(31 * 86400)
        hub.deliver(hub.booth.sealed(hub.booth.hit(), signing_key=old))
        assert hub.hit_ids() == []

    def test_a_revoked_booth_has_no_key_at_all(self, hub, old):
        hub.stores.registry.revoke("booth-1", at=hub.clock.now())
        for key in (old, None):
            hub.deliver(hub.booth.sealed(hub.booth.hit(), signing_key=key))
        assert hub.hit_ids() == []

    def test_a_booth_that_was_revoked_and_is_back_has_its_new_key_alone(self, hub):
        old, hub.booth.signing = hub.booth.signing, SigningKey.generate()
        hub.stores.registry.revoke("booth-1", at=hub.clock.now())
        hub.stores.registry.admit(hub.booth.admitted(), at=hub.clock.now())
        hub.deliver(hub.booth.sealed(hub.booth.hit(), signing_key=old))
        assert hub.hit_ids() == []

    def test_the_same_answer_again_changes_nothing(self, hub, old):
        hub.stores.registry.admit(hub.booth.admitted(), at=hub.clock.now())
        hub.deliver(hub.booth.sealed(hub.booth.hit(1), signing_key=old))
        assert hub.outcomes() == [(1, "stored")]


def test_what_was_sealed_to_a_key_that_the_hub_does_not_have_is_refused(hub):
    hub.booth.hub_key = SealingKey.generate().public
    hub.deliver(hub.booth.sealed(hub.booth.hit()))
    assert "does not have" in hub.lines("message_refused")[0]["error"]


def test_an_old_sealing_key_still_opens(hub):
    old = SealingKey.generate()
    hub.keys.sealing[old.public.key_id] = old
    hub.booth.hub_key = old.public
    hub.deliver(hub.booth.sealed(hub.booth.hit()))
    assert hub.outcomes() == [(1, "stored")]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"body": b"\xff\xff"}, "hit"),
        ({"body": b""}, "hit"),
        ({"kind": "unknown"}, "not known"),
        ({"kind": "holding"}, "holding"),
        ({"kind": "audit"}, "audit"),
    ],
)
def test_content_of_a_known_booth_that_cannot_be_read_is_refused_in_the_receipt(
    hub, changes, problem
):
    hub.deliver(hub.booth.sealed(hub.booth.hit(**changes)))
    assert hub.outcomes() == [(1, "refused")]
    assert problem in hub.lines("message_refused")[0]["error"]
    assert hub.hit_ids() == []


def test_another_content_under_a_number_that_is_taken_is_refused(hub):
    hub.deliver(hub.booth.sealed(hub.booth.hit(1)))
    other = hub.booth.hit(2).model_copy(update={"sequence": 1})
    hub.deliver(hub.booth.sealed(other))
    assert hub.outcomes() == [(1, "stored"), (1, "refused")]
    assert hub.hit_ids() == ["hit-booth-1-1"]


def test_a_store_that_fails_gives_no_receipt_and_nothing_is_lost(hub, body_of_a_hit):
    hub.database.conn.execute("pragma max_page_count = 1")
    messages = [
        hub.booth.sealed(
            hub.booth.content(body_of_a_hit(f"h{n}", image=bytes(200_000)), n)
        )
        for n in range(1, 3)
    ]
    hub.deliver(*messages)
    assert hub.lines("store_failed")
    assert hub.receipts() == []
    hub.database.conn.execute("pragma max_page_count = 1073741823")
    hub.deliver(messages[0])
    assert hub.outcomes() == [(1, "stored")]


def test_the_receipt_comes_after_the_commit(hub):
    """Whoever sees a receipt finds the hit through a connection of his own."""
    seen = []

    def publish(topic, payload, **options):
        if topic.endswith("down/receipt"):
            other = open_database(hub.path, "hub")
            [(count,)] = other.conn.execute("select count(*) from received_hits")
            other.conn.close()
            seen.append(count)
        return real(topic, payload, **options)

    real, hub.link.publish = hub.link.publish, publish
    hub.deliver(*(hub.booth.sealed(hub.booth.hit(n)) for n in (1, 2, 3)))
    assert seen == [3]


def test_messages_are_acknowledged_after_the_commit(hub):
    acknowledged = []

    def acknowledge(_event):
        acknowledged.append(len(hub.hit_ids()))

    hub.link.acknowledge = acknowledge
    hub.deliver(*(hub.booth.sealed(hub.booth.hit(n)) for n in (1, 2)))
    assert acknowledged == [2, 2]


def test_a_restarted_hub_knows_what_it_has_and_shows_nothing_twice(hub):
    message = hub.booth.sealed(hub.booth.hit())
    hub.deliver(message)
    hub.restart_hub()
    hub.deliver(message)
    assert hub.outcomes() == [(1, "stored"), (1, "duplicate")]
    assert len(hub.lines("hit")) == 1


def test_a_hub_killed_between_commit_and_receipt_gives_the_receipt_later(hub):
    hub.link.publish = None  # the process ends here
    message = hub.booth.sealed(hub.booth.hit())
    hub.line.publish(OUTBOX, message)
    with pytest.raises(TypeError):
        hub.service.step(0)
    hub.restart_hub()
    assert len(hub.lines("hit")) == 1, "the console goes on where it was"
    hub.deliver(message)
    assert hub.outcomes() == [(1, "duplicate")]
    assert len(hub.lines("hit")) == 1


def test_a_late_hit_is_historical(hub):
    hub.clock.advance(301)
    hub.deliver(hub.booth.sealed(hub.booth.hit()))
    [line] = hub.lines("hit")
    assert line["state"] == "historical"


@pytest.mark.parametrize("topic", [OUTBOX, "edge/booth-1/up/request"])
@pytest.mark.parametrize("payload", [b"", b"\xff" * 64, b"text", bytes(range(256))])
def test_random_bytes_to_the_hub_are_logged_refusals(hub, topic, payload):
    hub.send(topic, payload)
    assert len(hub.lines("message_refused")) == 1
    assert hub.receipts() == []


def test_an_oversized_message_is_refused_before_it_is_opened(hub):
    hub.deliver(bytes(8 * 1024 * 1024 + 1))
    assert "allowed" in hub.lines("message_refused")[0]["error"]


@given(payload=st.binary(max_size=200))
def test_any_bytes_are_refused_before_a_key_is_touched(payload):
    with pytest.raises(MessageError):
        Opener({}, None).open("booth-1", payload)


def test_the_state_of_a_booth_is_kept(hub):
    for is_online, state in ((True, "online"), (False, "offline")):
        birth = LinkState(online=is_online, instance="cd", connection=1)
        hub.send("edge/booth-1/state", birth.encode())
        [booth] = hub.stores.booths.booths()
        assert (booth.booth_id, booth.state) == ("booth-1", state)


def test_the_hubs_own_voice_and_a_foreign_topic_are_no_booths(hub):
    assert hub.lines("message_refused") == []
    hub.link.arrive("edge/booth-1/down/receipt", b"", early=False)
    hub.link.arrive("other/topic", b"", early=False)
    hub.run()
    assert len(hub.lines("message_refused")) == 2
    assert [booth.booth_id for booth in hub.stores.booths.booths()] == ["booth-1"]


def test_a_hub_that_ends_says_so(hub):
    hub.service.close()
    assert not LinkState.decode(hub.broker.retained["edge/hub/state"]).online


class KilledError(BaseException):
    """The process ends here."""


def dies(owner, name, *, after):
    """Make a method end the process, before or after it has done its work."""
    real = getattr(owner, name)

    def deadly(*args, **options):
        if after:
            real(*args, **options)
        raise KilledError

    setattr(owner, name, deadly)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("opener", "open"),
        ("messages", "accept"),
        ("link", "publish"),
        ("link", "acknowledge"),
        ("messages", "take_new_hits"),
        ("console", "show"),
    ],
)
def test_a_hub_killed_at_any_point_has_each_hit_once_and_shows_none_twice(
    hub, part, name, after
):
    parts = {
        "opener": hub.service._ingest._opener,
        "messages": hub.stores.messages,
        "link": hub.link,
        "console": hub.service._console,
    }
    messages = [hub.booth.sealed(hub.booth.hit(number)) for number in (1, 2, 3)]
    for message in messages:
        hub.line.publish(OUTBOX, message)
    dies(parts[part], name, after=after)
    with pytest.raises(KilledError):
        hub.service.step(0)
    hub.restart_hub()
    hub.deliver(*messages)
    assert sorted(hub.hit_ids()) == [f"hit-booth-1-{n}" for n in (1, 2, 3)]
    assert {number for number, outcome in hub.outcomes() if outcome != "refused"} == {
        *(1, 2, 3)
    }
    shown = [line["hit_id"] for line in hub.lines("hit")]
    assert len(shown) == len(set(shown))
    if (part, after) not in {("messages", True), ("console", False), ("console", True)}:
        assert len(shown) == 3, "a line is lost only between its mark and its writing"
