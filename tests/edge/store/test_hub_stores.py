"""The hub's store behind its port: log, snapshots, messages, recalls, commands."""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.errors import StoreError, WatchlistError
from edge.records.hits import encode_hit
from edge.records.hub_values import (
    CommandRecord,
    HealthReport,
    HoldingStatement,
    ReceivedContent,
    StoredOutcome,
)
from edge.records.message_map import MessageMap
from edge.replication.chain import chain_step
from edge.replication.position import LogPosition, beginning
from edge.replication.set_digest import SetDigest, record_digest
from edge.replication.snapshot import SnapshotBuilder, entry_key
from edge.store.audit import verify_audit
from edge.store.database import open_database
from edge.store.hub_booths import StoredHubBooths
from edge.store.hub_commands import StoredHubCommands
from edge.store.hub_log import StoredHubLog
from edge.store.hub_messages import StoredHubMessages
from edge.store.hub_recalls import StoredHubRecalls
from edge.store.hub_registry import StoredHubRegistry
from edge.store.hub_snapshots import StoredHubSnapshots
from edge.terms import ChangeOperation
from edge.trust.cose import sign
from edge.trust.keys import ContentKey, SigningKey
from edge.trust.registered_booth import AdmittedBooth

LOG = "0123456789abcdef" * 2
OTHER_LOG = "f" * 32
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
STREAM = "0" * 16
KEY = SigningKey(bytes(32))
ADD, REPLACE, WITHDRAW = ChangeOperation


class Body(MessageMap):
    type_name = "content"
    body: bytes


@pytest.fixture
def database(tmp_path):
    database = open_database(tmp_path / "hub.db", "hub")
    with closing(database.conn):
        yield database


@pytest.fixture
def log(database):
    log = StoredHubLog(database)
    log.begin_log(LOG, at=AT)
    return log


@pytest.fixture
def messages(database):
    return StoredHubMessages(database)


def content(things, number, *, sequence=None, booth_id="booth-1", **options):
    hit = things.hit(number, booth_id=booth_id)
    signed = sign(Body(body=encode_hit(hit)).encode(), KEY)
    values = {
        "booth_id": booth_id,
        "stream": STREAM,
        "sequence": sequence or number,
        "message_id": hit.hit_id,
        "kind": "hit",
        "created_at": AT,
        "signed": signed,
        "digest": hashlib.sha256(signed).digest(),
        "hit": hit,
    }
    return ReceivedContent(**{**values, **options})


def other(number, *, at=AT, **options):
    signed = sign(Body(body=b"%d" % number).encode(), KEY)
    return ReceivedContent(
        **{
            "booth_id": "booth-1",
            "stream": STREAM,
            "sequence": number,
            "message_id": f"m-{number}",
            "kind": "health",
            "created_at": at,
            "signed": signed,
            "digest": hashlib.sha256(signed).digest(),
            **options,
        }
    )


def holding(number, position, **options):
    statement = HoldingStatement(
        position.log,
        position.sequence,
        position.chain,
        position.digest,
        position.count,
        (),
        AT,
    )
    return other(number, kind="holding", holding=statement, **options)


def admitted(booth_id):
    return AdmittedBooth(booth_id, bytes(32), bytes(32), b"PEM", AT)


class TestLog:
    def test_before_a_log_begins_nothing_can_be_published(self, database, things):
        log = StoredHubLog(database)
        assert log.log() is None
        with pytest.raises(WatchlistError, match="edge hub init"):
            log.append([things.draft(ADD, "e1")], at=AT)

    def test_each_change_carries_the_chain_and_the_set_after_it(self, log, things):
        drafts = [
            things.draft(ADD, "e1"),
            things.draft(ADD, "e2"),
            things.draft(REPLACE, "e1", version=2),
            things.draft(WITHDRAW, "e2"),
        ]
        recorded = log.append(drafts, at=AT)
        chain = beginning(LOG).chain
        for item in recorded:
            chain = chain_step(LOG, chain, item.record)
            at = log.position_at(item.change.sequence)
            assert at is not None
            assert at.chain == chain
        left = SetDigest()
        left.add("e1", record_digest(recorded[2].record))
        assert log.position().digest == left.digest()
        assert log.position() == log.position_at(4)
        assert log.position().count == 1
        assert log.position_at(5) is None
        after = [item.record for item in log.records_after(2, 10)]
        assert after == [item.record for item in recorded[2:]]

    def test_a_change_that_makes_no_sense_publishes_nothing(self, log, things):
        drafts = [things.draft(ADD, "e1"), things.draft(WITHDRAW, "nobody")]
        with pytest.raises(WatchlistError, match="nobody"):
            log.append(drafts, at=AT)
        assert log.position() == beginning(LOG)

    def test_the_log_cannot_be_rewritten(self, log, things, database):
        log.append([things.draft(ADD, "e1")], at=AT)
        for statement in (
            "update log_changes set count = 9",
            "delete from log_changes",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.conn.execute(statement)

    def test_entries_come_in_the_order_of_a_snapshot(self, log, things):
        log.append([things.draft(ADD, f"e{n}") for n in range(20)], at=AT)
        ids = [entry_id for entry_id, _ in log.current_records()]
        assert ids == sorted((f"e{n}" for n in range(20)), key=entry_key)
        assert log.record_bytes() == sum(len(r) for _, r in log.current_records())

    def test_a_new_log_begins_with_the_entries_of_the_old_one(self, log, things):
        drafts = [things.draft(ADD, f"e{n}") for n in range(3)]
        log.append([*drafts, things.draft(WITHDRAW, "e1")], at=AT)
        log.begin_log(OTHER_LOG, at=AT)
        assert log.log() == OTHER_LOG
        assert log.position().sequence == log.position().count == 2
        operations = {r.change.operation for r in log.records_after(0, 10)}
        assert operations == {ADD}

    def test_a_logs_name_is_used_once(self, log, things):
        log.append([things.draft(ADD, "e1")], at=AT)
        log.begin_log(OTHER_LOG, at=AT)
        for name in (LOG, OTHER_LOG):
            with pytest.raises(WatchlistError, match="needs a new name"):
                log.begin_log(name, at=AT)
        assert log.log() == OTHER_LOG
        assert log.position().count == 1

    def test_publishing_is_in_the_audit_log(self, log, things, database):
        log.append([things.draft(ADD, "e1")], at=AT)
        assert verify_audit(database) == 2


class TestSnapshots:
    def test_a_snapshot_is_kept_with_its_chunks_until_two_are_newer(
        self, database, log, things
    ):
        snapshots = StoredHubSnapshots(database)
        assert snapshots.newest() is None
        addresses = []
        for number in range(4):
            log.append([things.draft(ADD, f"e{number}")], at=AT)
            builder = SnapshotBuilder(
                log.position(),
                ContentKey(1, bytes(32)),
                reuse=snapshots.chunk_of_text,
            )
            chunks = list(builder.chunks(log.current_records()))
            for chunk in chunks:
                snapshots.add_chunk(chunk)
            manifest = builder.manifest(AT, KEY)
            snapshots.publish(
                sequence=number + 1,
                epoch=1,
                manifest=manifest,
                addresses=[c.line.digest for c in chunks],
            )
            addresses.append(chunks[0].line.digest)
            assert snapshots.newest() == (number + 1, 1, manifest)
        assert [snapshots.chunk(a) is not None for a in addresses] == [
            False,
            False,
            True,
            True,
        ]


class TestMessages:
    def test_a_message_is_new_once_and_its_repetition_a_duplicate(
        self, messages, things
    ):
        one, two = content(things, 1), content(things, 2)
        assert messages.accept([one, one], at=AT) == [
            StoredOutcome.STORED,
            StoredOutcome.DUPLICATE,
        ]
        assert messages.accept([one, two], at=AT) == [
            StoredOutcome.DUPLICATE,
            StoredOutcome.STORED,
        ]
        assert [h.hit.hit_id for h in messages.hits()] == ["hit-1", "hit-2"]
        assert messages.signed("hit-1") == one.signed

    @pytest.mark.parametrize(
        "change", [{"sequence": 9}, {"message_id": "m-9"}], ids=["same id", "same no."]
    )
    def test_another_content_under_a_known_name_is_refused(
        self, messages, things, change
    ):
        messages.accept([content(things, 1)], at=AT)
        forged = content(things, 1, digest=bytes(32), **change)
        assert messages.accept([forged], at=AT) == [StoredOutcome.REFUSED]
        assert messages.hit("hit-1").sequence == 1

    def test_what_is_missing_is_told_until_it_comes(self, messages, things):
        numbers = [1, 2, 5, 6, 9]
        messages.accept([content(things, n) for n in numbers], at=AT)
        gaps = messages.gaps()
        assert [(g.first, g.last, g.since) for g in gaps] == [(3, 4, AT), (7, 8, AT)]
        later = AT + timedelta(seconds=9)
        messages.accept([content(things, n) for n in (4, 3)], at=later)
        assert [(g.first, g.last) for g in messages.gaps("booth-1")] == [(7, 8)]
        messages.accept([content(things, n) for n in (8, 7)], at=later)
        assert messages.gaps() == []
        assert messages.gaps("booth-2") == []

    def test_a_new_stream_of_a_booth_counts_for_itself(self, messages, things):
        messages.accept([content(things, 1)], at=AT)
        outcome = messages.accept(
            [content(things, 2, sequence=1, stream="1" * 16)], at=AT
        )
        assert outcome == [StoredOutcome.STORED]
        assert messages.gaps() == []

    def test_what_comes_late_is_historical(self, messages, things):
        late = content(things, 1, created_at=AT - timedelta(hours=1))
        messages.accept([late, content(things, 2)], at=AT)
        assert [h.is_historical for h in messages.hits()] == [True, False]
        assert messages.hit("hit-1").skew_s == 3600
        assert len(messages.hits(is_historical=False)) == 1
        assert messages.hits(booth_id="booth-2") == []
        assert messages.hits(since=AT + timedelta(seconds=1)) == []

    def test_a_gap_of_the_past_does_not_hide_where_the_later_ones_are(
        self, messages, things
    ):
        later = AT + timedelta(seconds=9)
        messages.accept([content(things, n) for n in (3, 7)], at=AT)
        messages.accept([content(things, 9)], at=later)
        messages.accept([content(things, 5)], at=later)
        told = [(g.first, g.last, g.since) for g in messages.gaps()]
        assert told == [(1, 2, AT), (4, 4, AT), (6, 6, AT), (8, 8, later)]

    def test_what_was_refused_is_still_missing(self, messages, things):
        messages.accept([content(things, 1), content(things, 3)], at=AT)
        taken = content(things, 2, message_id="hit-1")
        assert messages.accept([taken], at=AT) == [StoredOutcome.REFUSED]
        assert [(g.first, g.last) for g in messages.gaps()] == [(2, 2)]

    @given(
        arrivals=st.lists(
            st.lists(st.integers(1, 40), max_size=8), min_size=1, max_size=8
        )
    )
    @settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
    def test_what_came_and_what_is_missing_make_up_the_stream(
        self, tmp_path_factory, arrivals
    ):
        database = open_database(tmp_path_factory.mktemp("gaps") / "hub.db", "hub")
        with closing(database.conn):
            messages = StoredHubMessages(database)
            for batch in arrivals:
                messages.accept([other(number) for number in batch], at=AT)
            gaps = messages.gaps()
        came = {number for batch in arrivals for number in batch}
        missing = [n for gap in gaps for n in range(gap.first, gap.last + 1)]
        assert missing == [n for n in range(1, max(came, default=0)) if n not in came]
        assert all(a.last + 1 < b.first for a, b in pairwise(gaps))

    def test_a_hit_is_found_by_the_beginning_of_its_id(self, messages, things):
        messages.accept([content(things, n) for n in (1, 2, 12)], at=AT)
        found = messages.hits_beginning("hit-1", limit=9)
        assert [stored.hit.hit_id for stored in found] == ["hit-1", "hit-12"]
        assert len(messages.hits_beginning("hit", limit=2)) == 2
        assert messages.hits_beginning("hit-3", limit=9) == []

    def test_a_hit_is_new_to_the_console_once(self, messages, things, database):
        messages.accept([content(things, n) for n in (1, 2, 3)], at=AT)
        first = messages.take_new_hits(limit=2)
        rest = StoredHubMessages(database).take_new_hits(limit=9)
        assert [h.hit.hit_id for h in (*first, *rest)] == ["hit-1", "hit-2", "hit-3"]
        assert messages.take_new_hits(limit=9) == []

    def test_reading_a_hit_leaves_a_line(self, messages, things, database):
        messages.accept([content(things, 1)], at=AT)
        messages.note_access("hit-1", actor="operator", at=AT)
        (line,) = database.conn.execute("select actor, subject from audit").fetchall()
        assert line == ("operator", "hit-1")


class TestRecalls:
    def test_only_who_holds_the_very_set_has_confirmed(
        self, database, log, things, messages
    ):
        registry = StoredHubRegistry(database)
        for booth_id in ("booth-1", "booth-2", "booth-3"):
            registry.admit(admitted(booth_id), at=AT)
        registry.revoke("booth-3", at=AT)
        log.append([things.draft(ADD, "e1"), things.draft(ADD, "e2")], at=AT)
        before = log.position()
        recalls = StoredHubRecalls(database)
        recalls.withdraw("e1", originator="north", reason="error", at=AT)
        assert recalls.recalls()[0].pending == ("booth-1", "booth-2")

        messages.accept([holding(1, before)], at=AT)
        lie = holding(
            1,
            LogPosition(LOG, 3, log.position().chain, bytes(32), 1),
            booth_id="booth-2",
            message_id="m-x",
        )
        messages.accept([lie], at=AT)
        assert recalls.recalls()[0].confirmed == {}

        messages.accept([holding(2, log.position())], at=AT)
        (recall,) = recalls.recalls(pending_only=True)
        assert recall.confirmed == {"booth-1": "m-2"}
        assert recall.pending == ("booth-2",)
        assert (recall.originator, recall.reason) == ("north", "error")
        messages.accept(
            [holding(2, log.position(), booth_id="booth-2", message_id="m-y")], at=AT
        )
        assert recalls.recalls(pending_only=True) == []

    def test_each_withdrawal_is_proved_by_the_first_statement_after_it(
        self, database, log, things, messages
    ):
        StoredHubRegistry(database).admit(admitted("booth-1"), at=AT)
        log.append([things.draft(ADD, f"e{n}") for n in range(4)], at=AT)
        recalls = StoredHubRecalls(database)
        reached = [
            recalls.withdraw(f"e{n}", originator="x", reason="y", at=AT).change.sequence
            for n in range(4)
        ]
        at = [log.position_at(sequence) for sequence in reached]
        said = [at[1], at[0], at[1], at[2]]
        messages.accept([holding(n, place) for n, place in enumerate(said, 1)], at=AT)
        proofs = [recall.confirmed for recall in recalls.recalls()]
        assert proofs == [{"booth-1": "m-1"}] * 2 + [{"booth-1": "m-4"}, {}]

    def test_a_withdrawal_whose_reason_cannot_be_kept_is_not_made(
        self, database, log, things, breaking
    ):
        log.append([things.draft(ADD, "e1")], at=AT)
        breaking(database, "recalls")
        recalls = StoredHubRecalls(database)
        with pytest.raises(StoreError, match="disk trouble"):
            recalls.withdraw("e1", originator="x", reason="y", at=AT)
        assert recalls.recalls() == []
        assert log.position().count == 1

    @pytest.mark.usefixtures("log")
    def test_what_is_not_listed_cannot_be_withdrawn(self, database):
        with pytest.raises(WatchlistError, match="not on the watchlist"):
            StoredHubRecalls(database).withdraw("e1", originator="x", reason="y", at=AT)


class TestCommands:
    def test_a_command_is_due_until_it_is_answered_or_over(self, database):
        commands = StoredHubCommands(database)
        over = AT + timedelta(hours=1)
        commands.add(CommandRecord("c1", "booth-1", "test", b"", AT, over))
        commands.add(CommandRecord("c2", "booth-1", "resync", b"", AT, over))
        assert len(commands.due(AT, repeat_s=60)) == 2
        commands.sent("c1", at=AT)
        assert [c.command_id for c in commands.due(AT, repeat_s=60)] == ["c2"]
        later = AT + timedelta(seconds=61)
        assert len(commands.due(later, repeat_s=60)) == 2
        answer = {"outcome": "done", "detail": "", "at": later}
        assert not commands.answered("c1", booth_id="booth-2", **answer)
        assert commands.answered("c1", booth_id="booth-1", **answer)
        assert not commands.answered("c1", booth_id="booth-1", **answer)
        assert commands.expire(over) == 1
        assert commands.expire(over) == 0
        states = {c.command_id: str(c.state) for c in commands.commands()}
        assert states == {"c1": "answered", "c2": "expired"}


class TestBooths:
    def test_a_booth_shows_what_it_holds_and_lacks(
        self, database, log, things, messages
    ):
        log.append([things.draft(ADD, "e1")], at=AT)
        StoredHubRegistry(database).admit(admitted("booth-1"), at=AT)
        booths = StoredHubBooths(database)
        booths.seen("booth-9", state="online", at=AT)
        report = HealthReport(AT, 1, None, 4, 1000, True, "0.1", {"clear": 2})
        stale = HealthReport(AT - timedelta(days=1), 0, AT, 9, 1, False, "0.1")
        messages.accept(
            [
                other(2, health=report),
                other(1, health=stale),
                holding(4, log.position()),
            ],
            at=AT,
        )
        one, nine = booths.booths()
        assert (one.booth_id, one.state, one.is_admitted) == (
            "booth-1",
            "never seen",
            True,
        )
        assert (one.held_sequence, one.is_same, one.gaps) == (1, True, 1)
        assert one.health == report
        assert (nine.booth_id, nine.state, nine.is_admitted) == (
            "booth-9",
            "online",
            False,
        )

    def test_the_last_statement_counts_whatever_the_clock_of_the_booth_said(
        self, database, messages
    ):
        StoredHubRegistry(database).admit(admitted("booth-1"), at=AT)
        ahead = HealthReport(AT + timedelta(days=9999), 7, None, 0, 1, True, "0.1")
        corrected = HealthReport(AT, 8, None, 0, 1, True, "0.1")
        messages.accept([other(1, health=ahead), other(3, health=corrected)], at=AT)
        messages.accept([other(2, health=ahead)], at=AT)
        assert StoredHubBooths(database).booths()[0].health == corrected

    def test_a_booth_with_a_new_disk_holds_what_it_says_since(
        self, database, log, things, messages
    ):
        log.append([things.draft(ADD, "e1"), things.draft(ADD, "e2")], at=AT)
        StoredHubRegistry(database).admit(admitted("booth-1"), at=AT)
        booths = StoredHubBooths(database)
        new = {"stream": "f" * 16}
        messages.accept([holding(5, log.position())], at=AT)
        said = holding(1, beginning(LOG), **new, message_id="n-1")
        messages.accept([said], at=AT)
        assert booths.booths()[0].held_sequence == 0
        assert booths.booths()[0].is_same is True
        said = holding(2, log.position_at(1), **new, message_id="n-2")
        messages.accept([said], at=AT)
        assert booths.booths()[0].held_sequence == 1

    @pytest.mark.usefixtures("log")
    def test_a_statement_on_another_log_says_nothing_of_this_one(
        self, database, messages
    ):
        StoredHubRegistry(database).admit(admitted("booth-1"), at=AT)
        messages.accept([holding(1, beginning(OTHER_LOG))], at=AT)
        (booth,) = StoredHubBooths(database).booths()
        assert (booth.held_sequence, booth.is_same) == (None, None)

    def test_a_set_that_is_not_the_hubs_is_told(self, database, log, things, messages):
        log.append([things.draft(ADD, "e1")], at=AT)
        StoredHubRegistry(database).admit(admitted("booth-1"), at=AT)
        end = log.position()
        messages.accept([holding(1, replace(end, digest=bytes(32)))], at=AT)
        assert StoredHubBooths(database).booths()[0].is_same is False
        messages.accept([holding(2, replace(end, sequence=9))], at=AT)
        assert StoredHubBooths(database).booths()[0].is_same is None


class TestRegistry:
    def test_keys_serials_and_epochs_come_back(self, database):
        registry = StoredHubRegistry(database)
        assert registry.booth("booth-1") is None
        registry.admit(admitted("booth-1"), at=AT)
        assert registry.booth("booth-1") == admitted("booth-1")
        first, *later = [registry.next_serial("booth-1") for _ in range(3)]
        assert later == [first + 1, first + 2]
        before = registry.revision()
        registry.add_epoch(1, b"sealed", at=AT)
        assert registry.current_epoch() == 1
        assert registry.sealed_epochs() == [(1, b"sealed")]
        registry.revoke("booth-1", at=AT)
        assert registry.booth("booth-1").revoked_at == AT
        assert registry.revision() == before + 2
        with pytest.raises(WatchlistError, match="not admitted"):
            registry.revoke("booth-1", at=AT)
        with pytest.raises(WatchlistError, match="not known"):
            registry.next_serial("booth-2")
