import sqlite3
from contextlib import closing

import pytest

from edge.errors import StoreError
from edge.records.hits import decode_hit
from edge.store.audit import verify_audit
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.store.outbox import StoredOutbox
from edge.terms import Outcome


@pytest.fixture
def checks(booth):
    return CheckStore(booth)


@pytest.fixture
def outbox(booth):
    return StoredOutbox(booth)


def waiting(outbox, *, limit=100):
    return outbox.next_rows(limit=limit, besides=())


def counted(booth):
    tables = ("checks", "hits", "outbox", "audit")
    return {table: booth[table].count for table in tables}


def test_a_hit_waits_in_the_outbox_as_it_was_recorded(checks, outbox, things):
    hit = things.hit(1)
    checks.record(things.check(1), hit)
    (message,) = waiting(outbox)
    assert (message.message_id, message.sequence, message.kind) == ("hit-1", 1, "hit")
    assert decode_hit(message.payload) == hit


def test_a_check_without_a_hit_sends_nothing(checks, outbox, booth, things):
    checks.record(things.check(1, Outcome.CLEAR), None)
    assert outbox.depth() == 0
    assert counted(booth) == {"checks": 1, "hits": 0, "outbox": 0, "audit": 1}
    assert checks.counts() == {"clear": 1}


@pytest.mark.parametrize("table", ["checks", "hits", "outbox", "audit"])
def test_a_hit_is_recorded_whole_or_not_at_all(checks, booth, things, breaking, table):
    breaking(booth, table)
    with pytest.raises(StoreError, match="disk trouble"):
        checks.record(things.check(1), things.hit(1))
    assert counted(booth) == {"checks": 0, "hits": 0, "outbox": 0, "audit": 0}


def test_numbers_have_no_gap_after_failures_and_deliveries(
    checks, outbox, booth, things, breaking
):
    checks.record(things.check(1), things.hit(1))
    outbox.clear_many(["hit-1"], at=things.start)
    breaking(booth, "audit")
    with pytest.raises(StoreError):
        checks.record(things.check(2), things.hit(2))
    booth.conn.execute("drop trigger broken")
    checks.record(things.check(3), things.hit(3))
    assert [m.sequence for m in waiting(outbox)] == [2]


def test_a_hit_recorded_twice_is_refused(checks, outbox, things):
    checks.record(things.check(1), things.hit(1))
    with pytest.raises(StoreError):
        checks.record(things.check(2), things.hit(1))
    assert outbox.depth() == 1


def test_messages_come_in_order_and_limited(checks, outbox, things):
    for number in (1, 2, 3):
        checks.record(things.check(number), things.hit(number))
    found = [m.message_id for m in waiting(outbox, limit=2)]
    assert found == ["hit-1", "hit-2"]


def test_a_receipt_removes_the_row_once_and_notes_the_delivery(
    checks, outbox, booth, things
):
    checks.record(things.check(1), things.hit(1))
    assert outbox.clear_many(["hit-1"], at=things.start) == 1
    assert outbox.clear_many(["hit-1"], at=things.start) == 0
    assert outbox.clear_many(["never-there"], at=things.start) == 0
    delivered = booth.conn.execute("select delivered_at from hits").fetchall()
    assert delivered == [(things.start.isoformat(),)]
    assert verify_audit(booth) == 3


def test_a_receipt_that_cannot_be_noted_keeps_the_row(
    checks, outbox, booth, things, breaking
):
    checks.record(things.check(1), things.hit(1))
    breaking(booth, "audit")
    with pytest.raises(StoreError):
        outbox.clear_many(["hit-1"], at=things.start)
    assert outbox.depth() == 1


def test_a_recorded_hit_survives_a_connection_that_is_never_closed(
    checks, booth_path, things
):
    checks.record(things.check(1), things.hit(1))
    other = open_database(booth_path, "booth")
    with closing(other.conn):
        assert StoredOutbox(other).depth() == 1


def test_the_audit_log_cannot_be_changed_in_place(checks, booth, things):
    checks.record(things.check(1), things.hit(1))
    for statement in ("update audit set actor = 'x'", "delete from audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            booth.conn.execute(statement)


@pytest.mark.parametrize(
    ("tampering", "line"),
    [
        ("update audit set subject = 'another' where number = 2", 2),
        ("update audit set at = '2020-01-01T00:00:00+00:00' where number = 1", 1),
        ("update audit set hash = zeroblob(32) where number = 3", 3),
        ("delete from audit where number = 2", 2),
        ("delete from audit where number = 1", 1),
        ("update audit set number = 40 where number = 4", 4),
    ],
)
def test_tampering_behind_the_triggers_is_found(checks, booth, things, tampering, line):
    for number in (1, 2):
        checks.record(things.check(number), things.hit(number))
    assert verify_audit(booth) == 4
    booth.conn.execute("drop trigger audit_is_append_only_update")
    booth.conn.execute("drop trigger audit_is_append_only_delete")
    booth.conn.execute(tampering)
    with pytest.raises(StoreError, match=f"line {line} "):
        verify_audit(booth)
